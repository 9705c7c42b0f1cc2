"""The methods of the Bot API, carried out on the world."""
