"""Hidden states → numbers: projections, and how the geometry changes from layer to layer. No store, no prose."""
