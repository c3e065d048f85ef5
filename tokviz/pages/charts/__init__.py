"""Measures over depth as small charts."""
