"""The finished site is put in its place."""
