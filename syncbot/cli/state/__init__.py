"""`syncbot state`: a state as a whole."""
