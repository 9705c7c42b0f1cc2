"""`syncbot try`."""
