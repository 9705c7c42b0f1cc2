"""TLS: the contexts, handshakes that resume sessions and offer what a server takes, and TLS over memory buffers."""
