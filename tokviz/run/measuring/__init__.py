"""Measures and projections that are due are made, and results read."""
