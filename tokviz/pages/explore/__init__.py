"""The explorer, and the data that scripts draw from."""
