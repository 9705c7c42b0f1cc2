"""Durable handlers: what a handler has done stands in the journal, and another run of it goes on where the first one died."""
