"""How everything was made, and what each measure means."""
