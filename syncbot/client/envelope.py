"""Telegram's JSON envelope: only what stands in it is Telegram's answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from syncbot.errors import NetworkError, Phase, SyncBotError, api_error
from syncbot.types import Response

_MAX_DEPTH = 6


def open_envelope(response: Response, method: str, hide: Callable[[str], str]) -> Any:
    """The result that Telegram's answer holds.

    Args:
        response: a complete HTTP answer.
        method: the Bot API method that was called.
        hide: takes secrets out of a text that comes from outside.

    Raises:
        ApiError: Telegram's envelope says "ok": false.
        NetworkError: (phase ANSWERED) the answer is not Telegram's: a gateway's HTML, a captive portal, broken JSON.
    """
    answer = _read(response, method, hide)
    if isinstance(answer, SyncBotError):
        raise answer
    return answer[0]


def _read(response: Response, method: str, hide: Callable[[str], str]) -> tuple[Any] | SyncBotError:
    """The result, or the error to raise: where that is done, no variable may hold what came, which may repeat the URL."""
    try:
        envelope = json.loads(response.body)
    except (ValueError, RecursionError):
        envelope = None
    if isinstance(envelope, dict):
        if envelope.get("ok") is True and "result" in envelope:
            return (envelope["result"],)
        code, description = envelope.get("error_code"), envelope.get("description")
        if envelope.get("ok") is False and type(code) is int and isinstance(description, str):
            parameters = envelope.get("parameters")
            return api_error(hide(description), method=method, code=code, parameters=_clean(parameters, hide) if isinstance(parameters, dict) else None)
    kind = next((value for name, value in response.headers.items() if name.lower() == "content-type"), "no content type")
    return NetworkError(
        f"the answer is not Telegram's (HTTP {response.status}, {hide(kind.partition(';')[0])[:60]}); something on the way answered instead",
        method=method,
        phase=Phase.ANSWERED,
        stage="body",
        proxy=response.proxy,
    )


def _clean(value: Any, hide: Callable[[str], str], depth: int = 0) -> Any:
    """A JSON value without secrets in its texts, names among them; what is nested more deeply than anything that Telegram says is left out."""
    if isinstance(value, str):
        return hide(value)
    if not isinstance(value, dict | list):
        return value
    if depth == _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {hide(name): _clean(item, hide, depth + 1) for name, item in value.items()}
    return [_clean(item, hide, depth + 1) for item in value]
