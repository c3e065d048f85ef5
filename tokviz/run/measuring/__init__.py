"""Makes the measures and projections that are due, and reads those that are stored."""
