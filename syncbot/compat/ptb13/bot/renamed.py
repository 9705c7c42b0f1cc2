"""Calls as they were written for 13, in the words of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pkgutil import get_data
from types import MappingProxyType
from typing import Any

from syncbot.client.api.table import snake_case

OLD_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "kick_chat_member": "ban_chat_member",
        "get_chat_members_count": "get_chat_member_count",
        "set_sticker_set_thumb": "set_sticker_set_thumbnail",
    }
)
"""Methods that have another name today."""
_OLD_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "can_manage_voice_chats": "can_manage_video_chats",
        "thumb": "thumbnail",
        "thumb_height": "thumbnail_height",
        "thumb_mime_type": "thumbnail_mime_type",
        "thumb_url": "thumbnail_url",
        "thumb_width": "thumbnail_width",
    }
)
_FORMATS = (("png_sticker", "static"), ("tgs_sticker", "animated"), ("webm_sticker", "video"))


@cache
def _orders() -> Mapping[str, tuple[str, ...]]:
    text = (get_data(__package__, "names.txt") or b"").decode()
    rows = (line.split() for line in text.replace("\n ", " ").splitlines() if not line.startswith("#"))
    return {name: tuple(order) for name, *order in rows}


def order_of(what: str) -> tuple[str, ...]:
    """The names of what is given by position: to "Bot.send_message", "Message.reply_text", "InputMediaPhoto"; none where that is not known."""
    return _orders().get(what, ())


def ordered_classes() -> tuple[str, ...]:
    """The classes whose values had another order than today."""
    return tuple(name for name in _orders() if "." not in name)


def named(what: str, values: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Give values their names: those that they have by position in 13, and for old names those of today.

    Raises:
        TypeError: there are too many, or one was given twice.
    """
    if values:
        given = _by_name(what, values, given)
    if _OLD_PARAMETERS.keys().isdisjoint(given):
        return given
    return {_OLD_PARAMETERS.get(name, name): value for name, value in given.items()}


def _by_name(what: str, values: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
    order = order_of(what)
    if len(values) > len(order):
        raise TypeError(f"{what}() takes {len(order)} values by position ({', '.join(order)}), and {len(values)} were given")
    placed = dict(zip(order, values, strict=False))
    if twice := sorted(placed.keys() & given.keys()):
        raise TypeError(f"{what}() got {', '.join(twice)} twice, by position and by name")
    return placed | given


def method_name(name: str) -> str:
    """What a method is called today, in Python's spelling: of `sendMessage`, `kickChatMember`, `kick_chat_member`, …"""
    python = name if name == name.lower() else snake_case(name)
    return OLD_METHODS.get(python, python)


def translated(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call as the Bot API has them today.

    Args:
        method: its name today, in Python's spelling.
        given: the parameters by name.
    """
    special = _SPECIAL.get(method)
    if special is not None:
        special(given)
    return given


def _inline_answer(given: dict[str, Any]) -> None:
    text, start = given.pop("switch_pm_text", None), given.pop("switch_pm_parameter", None)
    if text is not None:
        given["button"] = {"text": text, "start_parameter": start}


def _poll(given: dict[str, Any]) -> None:
    given.pop("read_latency", None)


def _one_sticker(given: dict[str, Any]) -> dict[str, Any] | None:
    """The sticker that was given in one of the old parameters, as an InputSticker."""
    found = [(given.pop(name, None), kind) for name, kind in _FORMATS]
    emojis, mask = given.pop("emojis", None), given.pop("mask_position", None)
    given.pop("contains_masks", None)
    for file, kind in found:
        if file is not None:
            more = {} if mask is None else {"mask_position": mask}
            return {"sticker": file, "format": kind, "emoji_list": [emojis] if isinstance(emojis, str) else emojis, **more}
    return None


def _uploaded(given: dict[str, Any]) -> None:
    if (file := given.pop("png_sticker", None)) is not None:
        given |= {"sticker": file, "sticker_format": "static"}


def _new_set(given: dict[str, Any]) -> None:
    masks = given.get("contains_masks")
    if (sticker := _one_sticker(given)) is not None:
        given["stickers"] = [sticker]
    if masks:
        given["sticker_type"] = "mask"


def _added(given: dict[str, Any]) -> None:
    if (sticker := _one_sticker(given)) is not None:
        given["sticker"] = sticker


_SPECIAL: Mapping[str, Callable[[dict[str, Any]], None]] = MappingProxyType(
    {
        "answer_inline_query": _inline_answer,
        "get_updates": _poll,
        "upload_sticker_file": _uploaded,
        "create_new_sticker_set": _new_set,
        "add_sticker_to_set": _added,
    }
)
