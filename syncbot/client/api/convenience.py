"""What python-telegram-bot's users may write that the Bot API does not take as it stands: put into the Bot API's own parameters here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

Values = dict[str, Any]

_VENUE = ("title", "address", "foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
_CONTACT = ("phone_number", "first_name", "last_name", "vcard")
_RESULTS_A_PAGE = 50


def expand(method: str, values: Values) -> Values:
    """Put the conveniences of a call into the Bot API's own parameters.

    Args:
        method: the method in the Bot API's spelling.
        values: the parameters that have a value; left as they are.

    Raises:
        ValueError: a convenience and what it stands for are both given.
    """
    special = _BY_METHOD.get(method)
    if special is None and _EVERYWHERE.isdisjoint(values):
        return values
    values = dict(values)
    _reply(method, values)
    _preview(method, values)
    if special is not None:
        special(method, values)
    return values


_EVERYWHERE = frozenset({"reply_to_message_id", "allow_sending_without_reply", "disable_web_page_preview"})


def _reply(method: str, values: Values) -> None:
    message_id = values.pop("reply_to_message_id", None)
    without = values.pop("allow_sending_without_reply", None)
    if message_id is None:
        return
    _refuse_both(method, values, "reply_to_message_id", ("reply_parameters",))
    values["reply_parameters"] = {"message_id": message_id, "allow_sending_without_reply": without}


def _preview(method: str, values: Values) -> None:
    disabled = values.pop("disable_web_page_preview", None)
    if disabled is not None:
        _refuse_both(method, values, "disable_web_page_preview", ("link_preview_options",))
        values["link_preview_options"] = {"is_disabled": disabled}


def _refuse_both(method: str, values: Values, convenience: str, replaced: Sequence[str]) -> None:
    if both := [name for name in replaced if name in values]:
        raise ValueError(f"{method}: give either {convenience} or {', '.join(both)}, not both")


def _get(thing: Any, name: str) -> Any:
    """Read a field of a dict or of an object alike."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _spread(method: str, values: Values, convenience: str, found: Mapping[str, Any]) -> None:
    _refuse_both(method, values, convenience, tuple(found))
    values.update({name: value for name, value in found.items() if value is not None})


def _location(method: str, values: Values) -> None:
    location = values.pop("location", None)
    if location is not None:
        # A received live location is sent on as the plain point that it was, as python-telegram-bot does it.
        _spread(method, values, "location", {name: _get(location, name) for name in ("latitude", "longitude")})


def _venue(method: str, values: Values) -> None:
    venue = values.pop("venue", None)
    if venue is not None:
        point = _get(venue, "location")
        found = {name: _get(point, name) for name in ("latitude", "longitude")} | {name: _get(venue, name) for name in _VENUE}
        _spread(method, values, "venue", found)


def _contact(method: str, values: Values) -> None:
    contact = values.pop("contact", None)
    if contact is not None:
        _spread(method, values, "contact", {name: _get(contact, name) for name in _CONTACT})


def _media_group(method: str, values: Values) -> None:
    """Give the caption of the whole group to its first item, where Telegram shows it as the group's."""
    caption = {name: values.pop(name, None) for name in ("caption", "parse_mode", "caption_entities")}
    media = values.get("media")
    if caption["caption"] is None or isinstance(media, str) or not media:
        return
    items = [dict(item) if isinstance(item, Mapping) else item.to_dict() for item in media]
    if any(item.get("caption") for item in items):
        raise ValueError(f"{method}: give either one caption for the group or captions of its media, not both")
    for name in caption:
        items[0].pop(name, None)
    items[0].update({name: value for name, value in caption.items() if value is not None})
    values["media"] = items


def _poll(method: str, values: Values) -> None:
    right = values.pop("correct_option_id", None)
    if right is not None:
        _refuse_both(method, values, "correct_option_id", ("correct_option_ids",))
        values["correct_option_ids"] = [right]
    options = values.get("options")
    if _is_list(options):
        values["options"] = [{"text": option} if isinstance(option, str) else option for option in options]


def _commands(_: str, values: Values) -> None:
    commands = values.get("commands")
    if _is_list(commands):
        values["commands"] = [{"command": command[0], "description": command[1]} if isinstance(command, tuple | list) else command for command in commands]


def _reaction(_: str, values: Values) -> None:
    reaction = values.get("reaction")
    if reaction is None or (isinstance(reaction, str) and reaction.startswith("[")):
        return
    several = reaction if _is_list(reaction) else [reaction]
    values["reaction"] = [_one_reaction(one) if isinstance(one, str) else one for one in several]


def _one_reaction(text: str) -> dict[str, str]:
    # The ids of custom emoji are numbers; no emoji of a reaction is one.
    plain = str(text.value) if hasattr(text, "value") else text
    return {"type": "custom_emoji", "custom_emoji_id": plain} if plain.isdecimal() else {"type": "emoji", "emoji": plain}


def _inline_results(method: str, values: Values) -> None:
    """Hand out one page of a longer list of results, or of a function's that is asked for a page by its number."""
    offset = values.pop("current_offset", None)
    if offset is None:
        return
    _refuse_both(method, values, "current_offset", ("next_offset",))
    page = int(offset or 0)
    results = values.get("results")
    if callable(results):
        found = results(page) or []
        more = bool(found)
    else:
        everything = list(results or ())
        found = everything[page * _RESULTS_A_PAGE : (page + 1) * _RESULTS_A_PAGE]
        more = len(everything) > (page + 1) * _RESULTS_A_PAGE
    values["results"] = found
    values["next_offset"] = str(page + 1) if more else ""


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


_BY_METHOD: Mapping[str, Callable[[str, Values], None]] = {
    "sendLocation": _location,
    "editMessageLiveLocation": _location,
    "sendVenue": _venue,
    "sendContact": _contact,
    "sendMediaGroup": _media_group,
    "sendPoll": _poll,
    "setMyCommands": _commands,
    "setMessageReaction": _reaction,
    "answerInlineQuery": _inline_results,
}
