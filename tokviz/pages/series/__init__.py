"""The page of a series: one model at several steps of its training."""
