"""Programs of other libraries, run unchanged on syncbot's runtime."""
