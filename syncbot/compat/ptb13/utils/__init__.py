"""`telegram.utils` of python-telegram-bot 13."""
