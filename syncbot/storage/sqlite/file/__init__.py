"""The state file as a file: who may use it, what its troubles mean, and how its users hear of each other."""
