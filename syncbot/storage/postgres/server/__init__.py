"""The server, its connections and its tables."""
