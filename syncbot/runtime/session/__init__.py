"""One run of a runtime, from its start to its stop, and what looks after it."""
