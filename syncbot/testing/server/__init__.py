"""The fake Bot API server: sockets, HTTP, and what it records."""
