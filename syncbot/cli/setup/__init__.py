"""`syncbot init`: from a token to a bot that can send, in one go."""
