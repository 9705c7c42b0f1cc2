"""How updates come in: the long poll, what holds it back, and what other programs bring."""
