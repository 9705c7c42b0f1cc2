"""A state moved from a file into a database, and back."""
