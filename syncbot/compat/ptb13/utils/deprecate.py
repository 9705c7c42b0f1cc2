"""`telegram.utils.deprecate` of python-telegram-bot 13."""

from __future__ import annotations


class TelegramDeprecationWarning(Warning):
    """Tells of something that python-telegram-bot wanted to take away; programs name it in `warnings.filterwarnings`."""
