"""What is kept: the cache, its keys, entries and locks."""
