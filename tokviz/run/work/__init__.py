"""Where work runs, and how its progress is reported."""
