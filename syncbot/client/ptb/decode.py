"""Turn Telegram's answers and updates into python-telegram-bot's objects.

This is where telegram is loaded, at the first answer that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from syncbot.client.fit import PLAIN, DecodeError, check_fit, check_update, fits, shown_type

if TYPE_CHECKING:
    import telegram

_SHOWN_CHARACTERS = 200


def load() -> None:
    """Load telegram, which takes seconds on a small machine."""
    import telegram  # noqa: F401  # to have it loaded is all


def decode(returns: Sequence[str], value: Any, bot: Any = None) -> Any:
    """Turn the result of a call into what its method promises.

    Lists become tuples, as python-telegram-bot has them; an object whose type python-telegram-bot lacks stays a dict; fields that it lacks
    are in the object's `api_kwargs`.

    Args:
        returns: the types that the method may return, from the method's `MethodSpec`.
        value: the result as plain Python values; left as it is.
        bot: attached to the objects, for their shortcuts; None for none.

    Raises:
        DecodeError: the value is of none of these types.
    """
    return _guarded(check_fit(returns, value), value, bot)


def decode_update(raw: Any, bot: Any = None) -> telegram.Update:
    """Turn an update into a `telegram.Update`.

    Args:
        raw: the update as plain Python values; left as it is.
        bot: attached to the objects, for their shortcuts; None for none.

    Raises:
        DecodeError: it is not an update; `raw` holds it.
    """
    check_update(raw)
    update: telegram.Update = _guarded("Update", raw, bot)
    return update


def _guarded(kind: str, value: Any, bot: Any) -> Any:
    try:
        made = _decoded(kind, _without_old_fields(value), bot)
        _keep_keyboard_fields(value, made)
        return made
    except Exception as problem:
        # Whatever telegram's classes stumble over is a fault of the data; the text is theirs, the length is ours.
        text = str(problem)[:_SHOWN_CHARACTERS]
        raise DecodeError(f"{kind} cannot be decoded: {type(problem).__name__}: {text}", kind=kind, raw=value) from None


def _decoded(kind: str, value: Any, bot: Any) -> Any:
    if not fits(kind, value):
        raise TypeError(f"{kind} was expected, and {shown_type(value)} came")
    if kind.startswith("Array of "):
        return tuple(_decoded(kind.removeprefix("Array of "), item, bot) for item in value)
    if kind in PLAIN:
        return value
    import telegram

    known = getattr(telegram, kind, None)
    return value if known is None else known.de_json(value, bot)


def _without_old_fields(value: Any) -> Any:
    """Give a poll's right answer its new name: python-telegram-bot warns of the old one, which servers still send, at every poll.

    A part that holds no such field is handed on as it is; nothing is changed in place.
    """
    if type(value) is list:
        items = [_without_old_fields(item) if type(item) in (dict, list) else item for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is not dict:
        return value
    changed = {}
    for key, part in value.items():
        if type(part) in (dict, list) and (new := _without_old_fields(part)) is not part:
            changed[key] = new
    if "correct_option_id" not in value or "options" not in value:
        return value | changed if changed else value
    result = value | changed
    right = result.pop("correct_option_id")
    if right is not None:
        result.setdefault("correct_option_ids", [right])
    return result


def _keep_keyboard_fields(value: Any, made: Any) -> None:
    """Put what an inline keyboard has beside its rows among its `api_kwargs`: python-telegram-bot, which does so with every other type, drops it here.

    What its types lack is among the `api_kwargs` as it came, and needs no look.
    """
    if type(value) is list and type(made) is tuple and len(value) == len(made):
        for item, its in zip(value, made, strict=True):
            _keep_keyboard_fields(item, its)
    if type(value) is not dict:
        return
    for key, part in value.items():
        if type(part) in (dict, list) and (inner := getattr(made, "from_user" if key == "from" else key, None)) is not None:
            _keep_keyboard_fields(part, inner)
    if hasattr(made, "inline_keyboard") and (dropped := {key: part for key, part in value.items() if not hasattr(made, key)}):
        object.__setattr__(made, "api_kwargs", MappingProxyType(dict(made.api_kwargs) | dropped))  # the object itself is frozen
