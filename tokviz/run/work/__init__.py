"""Where work runs, and what is told of it."""
