"""The bot, as handlers of 13 know it."""
