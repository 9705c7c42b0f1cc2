"""Values without the bot in them: it holds the token, and connections, and has no place in what is kept."""

from __future__ import annotations

import warnings
from copy import copy
from typing import Any

_PLAIN = (str, bytes, int, float, complex, bool, type(None))


def swapped(value: Any, placeholder: str, bot: Any) -> Any:
    """A copy of a value in which `bot` stands wherever a bot or the placeholder stood; what holds none and cannot be copied is itself."""
    return _swapped(value, placeholder, bot, {})


def _swapped(value: Any, placeholder: str, bot: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, str) and value == placeholder:
        return bot
    if isinstance(value, _PLAIN):
        return value
    if id(value) in seen:
        return seen[id(value)][1]
    if is_bot(value):
        return bot
    if isinstance(value, (list, set, frozenset, tuple)):
        items = [_swapped(item, placeholder, bot, seen) for item in value]
        made = type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return _noted(value, made, seen)
    if isinstance(value, type):
        return value
    return _swapped_within(value, placeholder, bot, seen)


def _swapped_within(value: Any, placeholder: str, bot: Any, seen: dict[int, Any]) -> Any:
    """The same of a dict or an object, of which a copy is made first, so that it may hold itself."""
    try:
        made = _noted(value, copy(value), seen)
        if isinstance(value, dict):
            made.clear()
            for key, item in value.copy().items():
                made[_swapped(key, placeholder, bot, seen)] = _swapped(item, placeholder, bot, seen)
            return made
        for name in _attributes(value):
            before = getattr(value, name)
            after = _swapped(before, placeholder, bot, seen)
            if after is not before:
                object.__setattr__(made, name, after)  # also where it is frozen: the copy is ours
    except Exception as problem:
        warnings.warn(f"a {type(value).__name__} cannot be looked through for a bot, and is kept as it is ({problem})", RuntimeWarning, stacklevel=4)
        return _noted(value, value, seen)
    return made


def _noted(value: Any, made: Any, seen: dict[int, Any]) -> Any:
    seen[id(value)] = (value, made)  # the value too, so that its id stays its own
    return made


def is_bot(value: Any) -> bool:
    """Whether this is a bot: the compat's, or telegram's; by what it has, as neither is to be loaded for this."""
    return callable(getattr(type(value), "get_updates", None)) and callable(getattr(type(value), "send_message", None))


def _attributes(value: Any) -> list[str]:
    slots = [name for kind in type(value).__mro__ for name in _listed(vars(kind).get("__slots__", ()))]
    names = [name for name in slots if name not in ("__dict__", "__weakref__") and hasattr(value, name)]
    return [*names, *getattr(value, "__dict__", ())]


def _listed(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)
