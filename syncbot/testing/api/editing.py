"""The methods that change or remove what was sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall, caption_content, keyboard_content, text_content
from syncbot.testing.api.media import checklist, media_content
from syncbot.testing.api.rich import rich_message
from syncbot.testing.world.problems import bad_request
from syncbot.testing.world.world import ChatState, key_of
from syncbot.types import JSON

_SAME = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
_MEDIA = ("animation", "audio", "document", "photo", "video", "live_photo")
_CAPTION = ("caption", "caption_entities", "show_caption_above_media", "has_media_spoiler")
_CAPTIONED = (*_MEDIA, "voice", "paid_media")


def _target(call: ApiCall) -> tuple[ChatState, JSON] | None:
    """The message to edit; None where it is one that was sent by inline mode, of which the server knows only the id."""
    if call.get("inline_message_id"):
        return None
    chat = call.chat()
    if call.get("ephemeral_message_id"):
        return _ephemeral(call, chat, "edit")
    if not call.get("message_id"):
        raise bad_request("message identifier is not specified")
    message = call.world.find_message(chat, call.get("message_id"), "message to edit not found")
    if message.get("from", call.world.bot)["id"] != call.world.bot["id"]:
        raise bad_request("message can't be edited")
    return chat, message


def _ephemeral(call: ApiCall, chat: ChatState, verb: str) -> tuple[ChatState, JSON]:
    """A message of the bot that one member alone sees."""
    alone = chat.seen_alone(call.integer("receiver_user_id"))
    message = alone.messages.get(call.integer("ephemeral_message_id"))
    if message is None or message["from"]["id"] != call.world.bot["id"]:
        raise bad_request(f"message to {verb} not found")
    return alone, message


def _change(call: ApiCall, chat: ChatState, message: JSON, drop: tuple[str, ...], content: JSON) -> JSON:
    """Put new content into a message; refuses a change that changes nothing."""
    new = {key: value for key, value in message.items() if key not in (*drop, "edit_date", "reply_markup")}
    new.update({**content, **keyboard_content(call, message)})
    if new == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad_request(_SAME)
    new["edit_date"] = int(time.time())
    chat.messages[key_of(message)] = new
    call.world.happened(chat, "edited", new)
    return new


def edit_message_text(call: ApiCall) -> JSON | bool:
    """editMessageText."""
    rich = {"rich_message": rich_message(call)} if call.get("rich_message") else None
    found = _target(call)
    content = rich or text_content(call)
    if found is None:
        return True
    if "text" not in found[1] and "rich_message" not in found[1]:
        raise bad_request("there is no text in the message to edit")
    return _change(call, *found, ("text", "entities", "link_preview_options", "rich_message"), content)


def edit_message_caption(call: ApiCall) -> JSON | bool:
    """editMessageCaption."""
    found = _target(call)
    content = caption_content(call.params)
    if found is None:
        return True
    if not any(kind in found[1] for kind in _CAPTIONED):
        raise bad_request("there is no caption in the message to edit")
    return _change(call, *found, ("caption", "caption_entities", "show_caption_above_media"), content)


def edit_message_media(call: ApiCall) -> JSON | bool:
    """editMessageMedia."""
    found = _target(call)
    media = call.get("media")
    if not isinstance(media, dict):
        raise bad_request("can't parse InputMedia JSON object")
    content = {**media_content(call, str(media.get("type")), media.get("media"), media), **caption_content(media)}
    return True if found is None else _change(call, *found, (*_MEDIA, *_CAPTION, "text", "entities", "link_preview_options"), content)


def edit_message_reply_markup(call: ApiCall) -> JSON | bool:
    """editMessageReplyMarkup."""
    found = _target(call)
    return True if found is None else _change(call, *found, (), {})


def edit_message_checklist(call: ApiCall) -> JSON | bool:
    """editMessageChecklist."""
    found = _target(call)
    return True if found is None else _change(call, *found, ("checklist",), {"checklist": checklist(call.get("checklist"))})


def _live(call: ApiCall, message: JSON) -> JSON:
    location: JSON | None = message.get("location")
    if location is None or "live_period" not in location:
        raise bad_request("there is no live location in the message to edit")
    return location


def edit_live_location(call: ApiCall) -> JSON | bool:
    """editMessageLiveLocation."""
    found = _target(call)
    if found is None:
        return True
    names = ("latitude", "longitude", "horizontal_accuracy", "heading", "proximity_alert_radius", "live_period")
    given = {name: call.get(name) for name in names if call.get(name) is not None}
    return _change(call, *found, (), {"location": {**_live(call, found[1]), **given}})


def stop_live_location(call: ApiCall) -> JSON | bool:
    """stopMessageLiveLocation."""
    found = _target(call)
    if found is None:
        return True
    return _change(call, *found, (), {"location": {k: v for k, v in _live(call, found[1]).items() if k != "live_period"}})


def stop_poll(call: ApiCall) -> JSON:
    """stopPoll."""
    chat = call.chat()
    message = call.world.find_message(chat, call.get("message_id"), "message with poll to stop not found")
    if "poll" not in message:
        raise bad_request("message with poll to stop not found")
    if message["poll"]["is_closed"]:
        raise bad_request("poll has already been closed")
    poll: JSON = _change(call, chat, message, (), {"poll": {**message["poll"], "is_closed": True}})["poll"]
    return poll


def set_game_score(call: ApiCall) -> JSON | bool:
    """setGameScore."""
    found = _target(call)
    if found is None:
        return True
    chat, message = found
    if "game" not in message:
        raise bad_request("message has no game")
    scores = chat.more.setdefault("scores", {})
    if scores.get(call.get("user_id")) == call.get("score") and not call.get("force"):
        raise bad_request("BOT_SCORE_NOT_MODIFIED")
    scores[call.get("user_id")] = call.get("score")
    return message


def get_game_high_scores(call: ApiCall) -> list[JSON]:
    """getGameHighScores."""
    if call.get("inline_message_id"):
        return []
    scores = sorted(call.chat().more.get("scores", {}).items(), key=lambda item: -item[1])
    return [{"position": n, "user": call.world.users[user], "score": score} for n, (user, score) in enumerate(scores, 1) if user in call.world.users]


# ---------------------------------------------------------------------- delete


def _delete(call: ApiCall, chat: ChatState, message: JSON) -> None:
    del chat.messages[key_of(message)]
    chat.unpin(message["message_id"])
    call.world.happened(chat, "deleted", message)


def delete_message(call: ApiCall) -> bool:
    """deleteMessage."""
    chat = call.chat()
    _delete(call, chat, call.world.find_message(chat, call.get("message_id"), "message to delete not found"))
    return True


def delete_ephemeral_message(call: ApiCall) -> bool:
    """deleteEphemeralMessage: its id is free from then on."""
    _delete(call, *_ephemeral(call, call.chat(), "delete"))
    return True


def delete_messages(call: ApiCall) -> bool:
    """deleteMessages: what does not exist is passed over."""
    chat = call.chat()
    ids = call.get("message_ids")
    if not isinstance(ids, list) or not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > 100:
        raise bad_request("too many message identifiers specified")
    for message in [chat.messages[n] for n in dict.fromkeys(ids) if isinstance(n, int) and n in chat.messages]:
        _delete(call, chat, message)
    return True


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "editMessageChecklist": edit_message_checklist,
    "editMessageLiveLocation": edit_live_location,
    "stopMessageLiveLocation": stop_live_location,
    "stopPoll": stop_poll,
    "setGameScore": set_game_score,
    "getGameHighScores": get_game_high_scores,
    "editEphemeralMessageText": lambda call: bool(edit_message_text(call)),
    "editEphemeralMessageCaption": lambda call: bool(edit_message_caption(call)),
    "editEphemeralMessageMedia": lambda call: bool(edit_message_media(call)),
    "editEphemeralMessageReplyMarkup": lambda call: bool(edit_message_reply_markup(call)),
    "deleteEphemeralMessage": delete_ephemeral_message,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
}
