"""The methods that send something new into a chat."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import MAX_TEXT, ApiCall, caption_content, check_thread, common_content, formatted, origin_of, text_content
from syncbot.testing.api.ephemeral import receiver_of
from syncbot.testing.api.media import checklist, given, location, media_content, photo_sizes, venue
from syncbot.testing.api.polls import close_poll, poll_of
from syncbot.testing.api.rich import rich_message
from syncbot.testing.world.problems import bad_request
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON


def _say(call: ApiCall, content: JSON) -> JSON:
    chat = call.chat()
    content = {**common_content(call, chat), **content}
    receiver = receiver_of(call, chat, content)
    return call.world.bot_says(chat, content) if receiver is None else call.world.add_ephemeral(chat, receiver, content, by_bot=True)


def send_message(call: ApiCall) -> JSON:
    """sendMessage."""
    call.chat()  # a wrong chat is told before a wrong text, as Telegram does
    return _say(call, text_content(call))


# ---------------------------------------------------------------------- media


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
    if not 1 <= len(media) <= 10:
        raise bad_request("too many messages to send as an album" if media else "there are no messages to send")
    contents = [{**media_content(call, str(item.get("type")), item.get("media"), item), **caption_content(item)} for item in media]
    group = common_content(call, chat)
    if len(media) > 1:
        group["media_group_id"] = str(13_000_000_000_000_000 + call.world.number())
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


def send_location(call: ApiCall) -> JSON:
    """sendLocation."""
    call.chat()
    return _say(call, {"location": location(call.params)})


def send_venue(call: ApiCall) -> JSON:
    """sendVenue."""
    call.chat()
    place = venue(call.params)
    return _say(call, {"location": place["location"], "venue": place})


def send_contact(call: ApiCall) -> JSON:
    """sendContact."""
    return _say(call, {"contact": given(call.params, "phone_number", "first_name", "last_name", "vcard")})


def send_poll(call: ApiCall) -> JSON:
    """sendPoll."""
    chat = call.chat()
    message = _say(call, {"poll": poll_of(call)})
    if (seconds := message["poll"].get("open_period")) and not message["poll"]["is_closed"]:
        call.world.alarms.set(seconds, lambda: close_poll(call, chat, message["message_id"]))
    return message


def send_dice(call: ApiCall) -> JSON:
    """sendDice."""
    emoji = call.get("emoji", "🎲")
    highest = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "⚽️": 5, "🎰": 64}.get(emoji)
    if highest is None:
        raise bad_request("wrong dice emoji specified")
    return _say(call, {"dice": {"emoji": emoji, "value": random.randint(1, highest)}})


def send_checklist(call: ApiCall) -> JSON:
    """sendChecklist."""
    return _say(call, {"checklist": checklist(call.get("checklist"))})


def send_invoice(call: ApiCall) -> JSON:
    """sendInvoice."""
    prices = [price for price in call.get("prices", []) if isinstance(price, dict)]
    total = sum(price.get("amount", 0) for price in prices)
    facts = given(call.params, "title", "description", "currency")
    return _say(call, {"invoice": {**facts, "start_parameter": call.get("start_parameter", ""), "total_amount": total}})


def send_game(call: ApiCall) -> JSON:
    """sendGame."""
    name = str(call.get("game_short_name"))
    photo = photo_sizes(call.store.add([b"game"], name="game.jpg"))
    return _say(call, {"game": {"title": name, "description": f"The game {name}", "photo": photo}})


def send_rich_message(call: ApiCall) -> JSON:
    """sendRichMessage."""
    return _say(call, {"rich_message": rich_message(call)})


DRAFT_SECONDS = 30.0
"""How long a draft is shown."""


def _draft(call: ApiCall, content: JSON) -> bool:
    """Show a draft in place of the one before; nothing of one that its user has stopped."""
    chat = call.chat()
    if chat.type != "private":
        raise bad_request("drafts can be sent only to private chats")
    if not call.integer("draft_id"):
        raise bad_request("draft_id must be non-zero")
    if chat.more.get("stopped_draft") != call.integer("draft_id"):
        facts = given(call.params, "draft_id", "message_thread_id", "can_stop", "keep_on_stop")
        chat.more["draft"] = {"chat": chat.card, **facts, **content, "shown_until": time.monotonic() + DRAFT_SECONDS}
        call.world.changed.notify_all()
    return True


def send_message_draft(call: ApiCall) -> bool:
    """sendMessageDraft: an empty text shows that the bot is thinking."""
    text, entities = formatted(call.get("text"), call.get("parse_mode"), call.get("entities"), limit=MAX_TEXT, name="message")
    return _draft(call, {"text": text, "entities": entities})


def send_rich_message_draft(call: ApiCall) -> bool:
    """sendRichMessageDraft."""
    return _draft(call, {"rich_message": rich_message(call, is_draft=True)})


# ---------------------------------------------------------------------- forward and copy

_NOT_COPIED = (
    *("message_id", "date", "chat", "from", "sender_chat", "forward_origin"),
    *("reply_to_message", "external_reply", "edit_date", "media_group_id", "via_bot", "reply_markup"),
)


def _content_of(message: JSON) -> JSON:
    return {key: value for key, value in message.items() if key not in _NOT_COPIED}


def _is_protected(chat: ChatState, message: JSON) -> bool:
    return bool(message.get("has_protected_content") or chat.facts.get("has_protected_content"))


def _source(call: ApiCall, verb: str, done: str) -> JSON:
    chat = call.world.find_chat(call.get("from_chat_id"))
    message = call.world.find_message(chat, call.get("message_id"), f"message to {verb} not found")
    if _is_protected(chat, message):
        raise bad_request(f"the message can't be {done}")
    return message


def _forwarded(message: JSON) -> JSON:
    return {**_content_of(message), "forward_origin": origin_of(message)}


def forward_message(call: ApiCall) -> JSON:
    """forwardMessage."""
    call.chat()
    return _say(call, _forwarded(_source(call, "forward", "forwarded")))


def copy_message(call: ApiCall) -> JSON:
    """copyMessage."""
    call.chat()
    content = _content_of(_source(call, "copy", "copied"))
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
    found = [chat.messages[n] for n in ids if isinstance(n, int) and n in chat.messages and not _is_protected(chat, chat.messages[n])]
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
    drop = ("caption", "caption_entities") if call.get("remove_caption") is True else ()
    found = _several(call, "message to copy not found")
    return [{"message_id": _say(call, {k: v for k, v in _content_of(message).items() if k not in drop})["message_id"]} for message in found]


_ACTIONS = (
    *("cancel", "typing", "choose_sticker", "find_location", "pick_up_location", "record_video_note", "upload_video_note"),
    *("upload_photo", "record_video", "upload_video", "record_audio", "record_voice", "upload_audio", "upload_voice", "upload_document"),
)


def send_chat_action(call: ApiCall) -> bool:
    """sendChatAction."""
    chat = call.chat()
    if str(call.get("action")).lower() not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    if call.get("message_thread_id"):
        check_thread(chat, call.get("message_thread_id"))
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
    "sendMessageDraft": send_message_draft,
    "sendRichMessageDraft": send_rich_message_draft,
    "forwardMessage": forward_message,
    "copyMessage": copy_message,
    "forwardMessages": forward_messages,
    "copyMessages": copy_messages,
    "sendChatAction": send_chat_action,
}
