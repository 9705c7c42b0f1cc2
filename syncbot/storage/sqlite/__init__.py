"""The store in a state file."""
