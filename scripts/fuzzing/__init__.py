"""The machinery of `scripts/fuzz.py`: targets, mutation, coverage, and the bounds that each input is held to."""
