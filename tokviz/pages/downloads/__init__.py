"""Tables for readers to take away."""
