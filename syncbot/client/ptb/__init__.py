"""The door to python-telegram-bot's types."""
