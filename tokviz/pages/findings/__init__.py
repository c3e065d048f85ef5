"""What a report found, one finding for each question: what it opens with, and what it lists."""
