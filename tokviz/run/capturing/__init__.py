"""Captures that are due are made."""
