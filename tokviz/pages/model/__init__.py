"""A model's own page: its plots, and what was found, section by section."""
