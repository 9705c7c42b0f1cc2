"""Calls whose answer a command reads: what is no Bot API may answer "ok" with anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from syncbot.errors import NetworkError, Phase

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_Kind = TypeVar("_Kind", dict[str, Any], list[Any])


def ask_for(kind: type[_Kind], bot: Bot, method: str, **parameters: Any) -> _Kind:
    """Call a method, and return its result.

    Args:
        kind: dict or list: what the result has to be.
        bot: whose call it is.
        method: the method.
        parameters: its parameters.

    Raises:
        NetworkError: the result is something else.
        SyncBotError: as any call.
    """
    result = bot.call(method, **parameters)
    if not isinstance(result, kind):
        raise nonsense(method)
    return result


def nonsense(method: str) -> NetworkError:
    """The error for an answer that Telegram would not give."""
    message = f"what answers {method} is no Bot API server: its result has another form; look at SYNCBOT_BASE_URL and at the proxy"
    return NetworkError(message, method=method, phase=Phase.ANSWERED, stage="body", retryable=False)
