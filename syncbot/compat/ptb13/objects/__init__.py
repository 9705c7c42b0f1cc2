"""What objects of 13 had, put onto those of the python-telegram-bot that is installed."""
