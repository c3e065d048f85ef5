"""What stands on every page: its frame, its scripts, and pictures in it."""
