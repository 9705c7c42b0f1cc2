"""The users' side: who writes to the bot and reads what it says."""
