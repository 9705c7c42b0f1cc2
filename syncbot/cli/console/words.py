"""One line for each error: what happened, where, and what to do; loaded when there is something to say."""

from __future__ import annotations

from syncbot import errors
from syncbot.cli.console.exits import nobody_knows


def describe(error: errors.SyncBotError) -> str:
    """What an error means to somebody who gave a command, in one line."""
    if isinstance(error, errors.NetworkError):
        return _network(error)
    if isinstance(error, errors.RetryAfter):
        return f"Telegram asks to wait {error.retry_after:g} s: {error.description} ({error.code}); try again later"
    if isinstance(error, errors.ServerError):
        start, end = ("delivery uncertain: ", "") if nobody_knows(error) else ("", "; try again later")
        return f"{start}Telegram's server failed: {error.description} ({error.code}){end}"
    if isinstance(error, errors.ApiError):
        hint = _hint(error)
        return f"refused by Telegram: {error.description} ({error.code})" + (f"; {hint}" if hint else "")
    return str(error) or type(error).__name__


def _network(error: errors.NetworkError) -> str:
    if isinstance(error, errors.NotSent):
        start = "not sent"
    elif isinstance(error, errors.DeliveryUncertain):
        start = "delivery uncertain"
    else:
        start = "no answer from Telegram"
    way = "" if error.proxy == "direct" else f", through {error.proxy}"
    tries = f" ({error.attempts} attempts in {error.elapsed:.1f} s)" if error.attempts > 1 else ""
    return f"{start}: {error}{way}{tries}"


def _hint(error: errors.ApiError) -> str:
    words = error.description.lower()
    if isinstance(error, errors.Unauthorized):
        return "TELEGRAM_BOT_TOKEN is wrong or was revoked: ask @BotFather for it"
    if isinstance(error, errors.ChatMigrated):
        return f"the group is a supergroup now, with the id {error.new_chat_id}"
    if isinstance(error, errors.Conflict):
        return "only one program can fetch a bot's updates, and none while a webhook is set"
    if "chat not found" in words:
        return "is the id right, and has the user written to the bot before?"
    if "can't parse" in words:
        return "write the markup as Telegram wants it, or send it with --format plain"
    return ""
