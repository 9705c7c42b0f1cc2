"""Programs of other libraries, run unchanged."""
