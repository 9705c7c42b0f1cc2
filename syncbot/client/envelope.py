"""Telegram's JSON envelope: only what stands in it is Telegram's answer, and every number in it is finite and of a bounded size."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from syncbot.errors import NetworkError, Phase, SyncBotError, api_error, seconds_to_wait
from syncbot.types import Response

_LARGEST_INTEGER = 2**63 - 1
"""The Bot API promises no more than 64 bits."""
_LARGEST_FLOAT = sys.float_info.max
_MAX_DEPTH = 6


def _integer(text: str) -> int:
    if len(text) < 19:
        return int(text)
    # Of a longer one the beginning is enough to see that it is too large, and thousands of digits would be refused with a ValueError.
    return max(-_LARGEST_INTEGER, min(int(text[:21]), _LARGEST_INTEGER))


def _float(text: str) -> float:
    return max(-_LARGEST_FLOAT, min(float(text), _LARGEST_FLOAT))


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=lambda _: None).decode


def read_json(body: bytes) -> Any:
    """The value that an answer holds, its numbers brought within 64 bits; what is no number (NaN) is None.

    Raises:
        ValueError: it is not JSON in UTF-8, or is nested too deeply, or takes more memory than there is.
    """
    try:
        return _decode(body.decode())
    except (RecursionError, MemoryError):
        problem = "the JSON is nested too deeply, or too large"
    raise ValueError(problem)


def as_envelope(value: Any) -> dict[str, Any] | None:
    """The value if it is Telegram's envelope, else None; `parameters` then hold only what can be used as it stands.

    With "ok": true it has a "result"; with "ok": false a whole "error_code" and a text "description".
    """
    if not isinstance(value, dict):
        return None
    if value.get("ok") is True and "result" in value:
        return value
    if value.get("ok") is not False or type(value.get("error_code")) is not int or not isinstance(value.get("description"), str):
        return None
    # A text with half of a surrogate pair can be neither stored nor shown.
    envelope = {**value, "description": value["description"].encode(errors="replace").decode()}
    parameters = envelope.pop("parameters", None)
    if isinstance(parameters, dict):
        envelope["parameters"] = parameters = dict(parameters)
        if type(parameters.get("migrate_to_chat_id")) is not int:
            parameters.pop("migrate_to_chat_id", None)
        if "retry_after" in parameters:
            parameters["retry_after"] = seconds_to_wait(parameters["retry_after"])
    return envelope


def find_envelope(body: bytes) -> dict[str, Any] | None:
    """Telegram's envelope that an answer holds, as `as_envelope` gives it; None where it holds something else."""
    try:
        return as_envelope(read_json(body))
    except ValueError:
        return None


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
    envelope = find_envelope(response.body)
    if envelope is not None:
        if envelope["ok"]:
            return (envelope["result"],)
        parameters = _clean(envelope.get("parameters"), hide)
        return api_error(hide(envelope["description"]), method=method, code=envelope["error_code"], parameters=parameters)
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
