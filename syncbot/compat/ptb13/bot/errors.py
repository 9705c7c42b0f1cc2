"""syncbot's errors as those that a program of 13 knows."""

from __future__ import annotations

import telegram.error as known

from syncbot import errors
from syncbot.adapters.carrier import delivery


class Unauthorized(known.Forbidden):
    """Telegram refuses: the bot was blocked, removed, or its token revoked."""


class RetryAfter(known.RetryAfter):
    """Telegram asks for a pause.

    Args:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(int(seconds))

    @property
    def retry_after(self) -> float:  # type: ignore[override]  # where it is declared it may be a timedelta, as nobody expects here
        """Seconds to wait."""
        return self.seconds


def as_telegram_error(error: errors.ApiError | errors.NetworkError) -> known.TelegramError:
    """The error that a program of 13 expects; the given one is to be its cause."""
    if isinstance(error, errors.NetworkError):
        return (known.TimedOut if error.timed_out else known.NetworkError)(delivery(error))
    text = error.description
    if isinstance(error, errors.Unauthorized | errors.Forbidden):
        return Unauthorized(text)
    if isinstance(error, errors.ChatMigrated):
        return known.ChatMigrated(error.new_chat_id)
    if isinstance(error, errors.BadRequest):
        return known.BadRequest(text)
    if isinstance(error, errors.NotFound):
        return known.InvalidToken(text)
    if isinstance(error, errors.Conflict):
        return known.Conflict(text)
    if isinstance(error, errors.RetryAfter):
        return RetryAfter(error.retry_after)
    return known.NetworkError(f"{text} ({error.code})")
