"""The methods that send something new into a chat."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall, caption_content, common_content, formatted, origin_of, text_content
from syncbot.testing.world.file_store import StoredFile
from syncbot.testing.world.problems import bad_request
from syncbot.types import JSON


def _say(call: ApiCall, content: JSON) -> JSON:
    chat = call.chat()
    return call.world.bot_says(chat, {**common_content(call, chat), **content})


def send_message(call: ApiCall) -> JSON:
    """sendMessage."""
    call.chat()  # a wrong chat is told before a wrong text, as Telegram does
    return _say(call, text_content(call))


# ---------------------------------------------------------------------- media


def _basic(stored: StoredFile) -> JSON:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}


def _named(stored: StoredFile) -> JSON:
    return {**_basic(stored), "file_name": stored.name, "mime_type": stored.mime_type}


def _given(params: JSON, *names: str) -> JSON:
    return {name: params[name] for name in names if params.get(name) not in (None, "")}


def _frame(params: JSON) -> JSON:
    return {"width": params.get("width") or 640, "height": params.get("height") or 480, "duration": params.get("duration") or 0}


def photo_sizes(stored: StoredFile) -> list[JSON]:
    """A photo as the Bot API describes it: a small and a large size."""
    small = {"file_id": stored.file_id, "file_unique_id": f"{stored.unique_id}s", "file_size": min(stored.size, 1000), "width": 90, "height": 67}
    return [small, {**_basic(stored), "width": 1280, "height": 960}]


def _animation(stored: StoredFile, params: JSON) -> JSON:
    value = {**_named(stored), **_frame(params)}
    return {"animation": value, "document": _named(stored)}  # old clients find an animation under document


DESCRIBE: Mapping[str, Callable[[StoredFile, JSON], JSON]] = {
    "photo": lambda stored, params: {"photo": photo_sizes(stored)},
    "live_photo": lambda stored, params: {"live_photo": {**_basic(stored), **_frame(params), "mime_type": "video/mp4"}},
    "audio": lambda stored, params: {"audio": {**_named(stored), "duration": params.get("duration") or 0, **_given(params, "performer", "title")}},
    "document": lambda stored, params: {"document": _named(stored)},
    "video": lambda stored, params: {"video": {**_named(stored), **_frame(params)}},
    "animation": _animation,
    "voice": lambda stored, params: {"voice": {**_basic(stored), "duration": params.get("duration") or 0, "mime_type": "audio/ogg"}},
    "video_note": lambda stored, params: {
        "video_note": {**_basic(stored), "length": params.get("length") or 240, "duration": params.get("duration") or 0},
    },
    "sticker": lambda stored, params: {
        "sticker": {**_basic(stored), "type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, **_given(params, "emoji")},
    },
}
"""How each kind of medium stands in a message."""


def media_content(call: ApiCall, kind: str, value: Any, params: JSON) -> JSON:
    """The content of a message with a medium of this kind ("photo", "document", …)."""
    if kind not in DESCRIBE:
        raise bad_request("can't parse InputMedia: type of the media is invalid")
    stored = call.file(value, kind)
    for extra in ("thumbnail", "cover"):
        if isinstance(params.get(extra), str) and params[extra].startswith("attach://"):
            call.file(params[extra], extra)
    return DESCRIBE[kind](stored, params)


def _send_media(kind: str) -> Callable[[ApiCall], JSON]:
    def send(call: ApiCall) -> JSON:
        call.chat()
        return _say(call, {**media_content(call, kind, call.get(kind), call.params), **caption_content(call.params)})

    return send


def send_media_group(call: ApiCall) -> list[JSON]:
    """sendMediaGroup."""
    chat = call.chat()
    media = call.get("media")
    if not isinstance(media, list) or not all(isinstance(item, dict) for item in media):
        raise bad_request("can't parse media JSON object")
    if not 2 <= len(media) <= 10:
        raise bad_request("wrong number of media in the album: expected 2 to 10")
    contents = [{**media_content(call, str(item.get("type")), item.get("media"), item), **caption_content(item)} for item in media]
    group = {**common_content(call, chat), "media_group_id": str(13_000_000_000_000_000 + call.world.number())}
    return [call.world.bot_says(chat, {**group, **content}) for content in contents]


def send_paid_media(call: ApiCall) -> JSON:
    """sendPaidMedia."""
    media = [item for item in call.get("media", []) if isinstance(item, dict)]
    call.chat()
    if not media:
        raise bad_request("there are no media to send")
    paid = []
    for item in media:
        kind = str(item.get("type"))
        paid.append({"type": kind, **media_content(call, kind, item.get("media"), item)})
    return _say(call, {"paid_media": {"star_count": call.get("star_count"), "paid_media": paid}, **caption_content(call.params)})


# ---------------------------------------------------------------------- everything else


def _location(params: JSON) -> JSON:
    latitude, longitude = params.get("latitude"), params.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float) or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise bad_request("wrong latitude or longitude")
    more = _given(params, "horizontal_accuracy", "live_period", "heading", "proximity_alert_radius")
    return {"latitude": latitude, "longitude": longitude, **more}


def send_location(call: ApiCall) -> JSON:
    """sendLocation."""
    call.chat()
    return _say(call, {"location": _location(call.params)})


def send_venue(call: ApiCall) -> JSON:
    """sendVenue."""
    call.chat()
    place = {"latitude": call.get("latitude"), "longitude": call.get("longitude")}
    more = _given(call.params, "foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
    return _say(
        call, {"location": _location(place), "venue": {"location": _location(place), "title": call.get("title"), "address": call.get("address"), **more}}
    )


def send_contact(call: ApiCall) -> JSON:
    """sendContact."""
    return _say(call, {"contact": _given(call.params, "phone_number", "first_name", "last_name", "vcard")})


def send_dice(call: ApiCall) -> JSON:
    """sendDice."""
    emoji = call.get("emoji", "🎲")
    highest = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "⚽️": 5, "🎰": 64}.get(emoji)
    if highest is None:
        raise bad_request("wrong dice emoji specified")
    return _say(call, {"dice": {"emoji": emoji, "value": random.randint(1, highest)}})


def send_poll(call: ApiCall) -> JSON:
    """sendPoll."""
    call.chat()
    question, entities = formatted(call.get("question"), call.get("question_parse_mode"), call.get("question_entities"), limit=300, name="poll question")
    if not question:
        raise bad_request("poll question must be non-empty")
    given = call.get("options", [])
    options = [item if isinstance(item, dict) else {"text": item} for item in given] if isinstance(given, list) else []
    if not 1 <= len(options) <= 12:
        raise bad_request("poll must have at least 1 option and at most 12")
    poll: JSON = {
        "id": str(5_000_000_000_000_000_000 + call.world.number()),
        "question": question,
        "options": [{"persistent_id": str(n), "text": str(item.get("text", "")), "voter_count": 0} for n, item in enumerate(options)],
        "total_voter_count": 0,
        "is_closed": bool(call.get("is_closed", False)),
        "is_anonymous": bool(call.get("is_anonymous", True)),
        "type": call.get("type", "regular"),
        "allows_multiple_answers": bool(call.get("allows_multiple_answers", False)),
        "allows_revoting": bool(call.get("allows_revoting", True)),
        "members_only": bool(call.get("members_only", False)),
        **_given(call.params, "correct_option_ids", "explanation", "open_period", "close_date"),
    }
    if entities:
        poll["question_entities"] = entities
    return _say(call, {"poll": poll})


def send_checklist(call: ApiCall) -> JSON:
    """sendChecklist."""
    return _say(call, {"checklist": checklist(call.get("checklist"))})


def checklist(given: Any) -> JSON:
    """A Checklist out of an InputChecklist."""
    if not isinstance(given, dict) or not isinstance(given.get("tasks"), list):
        raise bad_request("can't parse checklist JSON object")
    tasks = [{"id": task.get("id", n + 1), "text": str(task.get("text", ""))} for n, task in enumerate(given["tasks"]) if isinstance(task, dict)]
    return {"title": str(given.get("title", "")), "tasks": tasks, **_given(given, "others_can_add_tasks", "others_can_mark_tasks_as_done")}


def send_invoice(call: ApiCall) -> JSON:
    """sendInvoice."""
    prices = [price for price in call.get("prices", []) if isinstance(price, dict)]
    total = sum(price.get("amount", 0) for price in prices)
    facts = _given(call.params, "title", "description", "currency")
    return _say(call, {"invoice": {**facts, "start_parameter": call.get("start_parameter", ""), "total_amount": total}})


def send_game(call: ApiCall) -> JSON:
    """sendGame."""
    name = str(call.get("game_short_name"))
    photo = photo_sizes(call.store.add([b"game"], name="game.jpg"))
    return _say(call, {"game": {"title": name, "description": f"The game {name}", "photo": photo}})


def rich_message(given: Any) -> JSON:
    """A RichMessage out of an InputRichMessage: its text as one paragraph."""
    if not isinstance(given, dict) or not (given.get("html") or given.get("markdown")):
        raise bad_request("can't parse rich message JSON object")
    return {"blocks": [{"type": "paragraph", "text": given.get("html") or given.get("markdown")}], **_given(given, "is_rtl")}


def send_rich_message(call: ApiCall) -> JSON:
    """sendRichMessage."""
    return _say(call, {"rich_message": rich_message(call.get("rich_message"))})


# ---------------------------------------------------------------------- forward and copy

_NOT_COPIED = frozenset(
    {"message_id", "date", "chat", "from", "sender_chat", "forward_origin", "reply_to_message", "external_reply", "edit_date", "media_group_id", "via_bot"}
)


def _content_of(message: JSON) -> JSON:
    return {key: value for key, value in message.items() if key not in _NOT_COPIED}


def _source(call: ApiCall, message_id: Any, problem: str) -> JSON:
    return call.world.find_message(call.world.find_chat(call.get("from_chat_id")), message_id, problem)


def _forwarded(message: JSON) -> JSON:
    return {**{key: value for key, value in _content_of(message).items() if key != "reply_markup"}, "forward_origin": origin_of(message)}


def forward_message(call: ApiCall) -> JSON:
    """forwardMessage."""
    call.chat()
    return _say(call, _forwarded(_source(call, call.get("message_id"), "message to forward not found")))


def copy_message(call: ApiCall) -> JSON:
    """copyMessage."""
    call.chat()
    source = _source(call, call.get("message_id"), "message to copy not found")
    content = {key: value for key, value in _content_of(source).items() if key != "reply_markup"}
    if call.get("caption") is not None and "text" not in content:
        for key in ("caption", "caption_entities"):
            content.pop(key, None)
        content.update(caption_content(call.params))
    return {"message_id": _say(call, content)["message_id"]}


def _several(call: ApiCall, problem: str) -> list[JSON]:
    ids = call.get("message_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
        raise bad_request("there are no messages to forward" if not ids else "too many messages to forward")
    chat = call.world.find_chat(call.get("from_chat_id"))
    found = [chat.messages[n] for n in ids if isinstance(n, int) and n in chat.messages]
    if not found:
        raise bad_request(problem)
    return found


def forward_messages(call: ApiCall) -> list[JSON]:
    """forwardMessages."""
    call.chat()
    return [{"message_id": _say(call, _forwarded(message))["message_id"]} for message in _several(call, "message to forward not found")]


def copy_messages(call: ApiCall) -> list[JSON]:
    """copyMessages."""
    call.chat()
    drop = {"reply_markup", "caption", "caption_entities"} if call.get("remove_caption") is True else {"reply_markup"}
    found = _several(call, "message to copy not found")
    return [{"message_id": _say(call, {k: v for k, v in _content_of(message).items() if k not in drop})["message_id"]} for message in found]


def send_chat_action(call: ApiCall) -> bool:
    """sendChatAction."""
    chat = call.chat()
    chat.more["action"] = call.get("action")
    chat.more["action_date"] = time.time()
    return True


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "sendMessage": send_message,
    "sendPhoto": _send_media("photo"),
    "sendLivePhoto": _send_media("live_photo"),
    "sendAudio": _send_media("audio"),
    "sendDocument": _send_media("document"),
    "sendVideo": _send_media("video"),
    "sendAnimation": _send_media("animation"),
    "sendVoice": _send_media("voice"),
    "sendVideoNote": _send_media("video_note"),
    "sendSticker": _send_media("sticker"),
    "sendMediaGroup": send_media_group,
    "sendPaidMedia": send_paid_media,
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "sendDice": send_dice,
    "sendPoll": send_poll,
    "sendChecklist": send_checklist,
    "sendInvoice": send_invoice,
    "sendGame": send_game,
    "sendRichMessage": send_rich_message,
    "forwardMessage": forward_message,
    "copyMessage": copy_message,
    "forwardMessages": forward_messages,
    "copyMessages": copy_messages,
    "sendChatAction": send_chat_action,
}
