"""The author's introduction as an essay: prose, and places of the report that stand in it."""
