"""Calls that are queued in the state file, and who delivers them."""
