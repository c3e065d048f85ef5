"""Puts the finished site in its place."""
