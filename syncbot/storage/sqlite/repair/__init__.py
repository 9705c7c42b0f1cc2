"""Says whether a state file is whole, and saves what can be read of one that is not."""
