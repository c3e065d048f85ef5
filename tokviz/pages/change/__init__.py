"""The page of two models of one form: what changed from the first to the second."""
