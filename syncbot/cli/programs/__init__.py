"""Programs that were written for other libraries, run as they are."""
