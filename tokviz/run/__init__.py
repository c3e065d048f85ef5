"""What is due, where it runs, what is kept and published."""
