"""From a name to a connection: look-up, addresses one after the other, and what a proxy wants to hear first."""
