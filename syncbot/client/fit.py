"""Whether an answer, or an update, is outwardly what its type says, whichever objects are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

PLAIN: Mapping[str, type] = MappingProxyType({"Boolean": bool, "Integer": int, "String": str})
"""What is no object, by the Bot API's words."""


class DecodeError(ValueError):
    """Telegram's answer, or an update, is not what its type says.

    Args:
        message: what does not fit.
        kind: the type that was expected, in the Bot API's words.
        raw: what came instead, as plain Python values.
    """

    def __init__(self, message: str, *, kind: str, raw: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.raw = raw


def check_fit(returns: Sequence[str], value: Any) -> str:
    """The one of these types that the outside of a value is of.

    Raises:
        DecodeError: it is of none.
    """
    for candidate in returns:
        if fits(candidate, value):
            return candidate
    kind = " or ".join(returns)
    raise DecodeError(f"{kind} was expected, and {shown_type(value)} came", kind=kind, raw=value)


def check_update(raw: Any) -> None:
    """Look at the outside of an update.

    Raises:
        DecodeError: it is none.
    """
    if not isinstance(raw, dict) or type(raw.get("update_id")) is not int:
        raise DecodeError("an update with an update_id was expected", kind="Update", raw=raw)


def fits(kind: str, value: Any) -> bool:
    """Look at the outside of a value: its parts are looked at when it is decoded."""
    if kind.startswith("Array of "):
        return isinstance(value, list)
    return type(value) is PLAIN.get(kind, dict)


def shown_type(value: Any) -> str:
    """What came, in words."""
    return "nothing" if value is None else f"a {type(value).__name__}"
