"""Every filter of python-telegram-bot 13 against every kind of message. Runs under both; needs the standard library alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

NOW = 1_700_000_000
ANN = {"id": 11, "is_bot": False, "first_name": "Ann", "username": "ann", "language_code": "en-GB", "is_premium": True}
BOB = {"id": 12, "is_bot": False, "first_name": "Bob", "language_code": "de", "added_to_attachment_menu": True}
BOT = {"id": 13, "is_bot": True, "first_name": "Inline", "username": "inlinebot"}
PRIVATE = {"id": 11, "type": "private", "first_name": "Ann", "username": "ann"}
GROUP = {"id": -21, "type": "group", "title": "Group"}
SUPER = {"id": -1001, "type": "supergroup", "title": "Super", "username": "super"}
CHANNEL = {"id": -1002, "type": "channel", "title": "Channel", "username": "channel"}
FILE = {"file_id": "f", "file_unique_id": "u"}
PHOTO = {**FILE, "width": 9, "height": 9}
PLACE = {"longitude": 1.0, "latitude": 2.0}


def _message(chat: Any = PRIVATE, sender: Any = ANN, **fields: Any) -> dict[str, Any]:
    return {"message_id": 1, "date": NOW, "chat": chat, **({"from": sender} if sender else {}), **fields}


def _document(mime: str | None = None, name: str | None = None) -> dict[str, Any]:
    return {"document": {**FILE, **({"mime_type": mime} if mime else {}), **({"file_name": name} if name else {})}}


def _entity(kind: str, offset: int, length: int) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length}


MESSAGES: dict[str, dict[str, Any]] = {
    "text": _message(text="Hello"),
    "yes": _message(text="Yes", sender=BOB),
    "command": _message(text="/start now", entities=[_entity("bot_command", 0, 6)]),
    "command later": _message(text="try /help", entities=[_entity("bot_command", 4, 5)]),
    "url": _message(text="see http://a.example", entities=[_entity("url", 4, 16)]),
    "photo": _message(photo=[PHOTO], caption="A cat #cats", caption_entities=[_entity("hashtag", 6, 5)]),
    "reply": _message(text="re", reply_to_message=_message(text="Hello")),
    "animation": _message(animation={**PHOTO, "duration": 1}, **_document("video/mp4", "a.gif.mp4")),
    "audio": _message(audio={**FILE, "duration": 1}),
    "sticker": _message(sticker={**PHOTO, "is_animated": False, "is_video": False, "type": "regular"}),
    "video": _message(video={**PHOTO, "duration": 1}),
    "voice": _message(voice={**FILE, "duration": 1}),
    "video note": _message(video_note={**FILE, "length": 9, "duration": 1}),
    "contact": _message(contact={"phone_number": "1", "first_name": "Ann"}),
    "location": _message(location=PLACE),
    "venue": _message(venue={"location": PLACE, "title": "t", "address": "a"}, location=PLACE),
    "game": _message(game={"title": "t", "description": "d", "photo": [PHOTO]}),
    "invoice": _message(invoice={"title": "t", "description": "d", "start_parameter": "s", "currency": "EUR", "total_amount": 1}),
    "paid": _message(
        successful_payment={
            "currency": "EUR",
            "total_amount": 1,
            "invoice_payload": "p",
            "telegram_payment_charge_id": "t",
            "provider_payment_charge_id": "c",
        }
    ),
    "passport": _message(passport_data={"data": [], "credentials": {"data": "d", "hash": "h", "secret": "s"}}),
    "poll": _message(
        poll={
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": True,
            "members_only": False,
        }
    ),
    "die 3": _message(dice={"emoji": "🎲", "value": 3}),
    "darts 6": _message(dice={"emoji": "🎯", "value": 6}),
    "basketball 1": _message(dice={"emoji": "🏀", "value": 1}),
    "football 5": _message(dice={"emoji": "⚽", "value": 5}),
    "slots 64": _message(dice={"emoji": "🎰", "value": 64}),
    "bowling 2": _message(dice={"emoji": "🎳", "value": 2}),
    "forwarded": _message(text="f", forward_date=NOW, forward_from=BOB, forward_origin={"type": "user", "date": NOW, "sender_user": BOB}),
    "forwarded from a hidden user": _message(
        text="f", forward_date=NOW, forward_sender_name="H", forward_origin={"type": "hidden_user", "date": NOW, "sender_user_name": "H"}
    ),
    "forwarded from a channel": _message(
        text="f",
        forward_date=NOW,
        forward_from_chat=CHANNEL,
        forward_from_message_id=5,
        forward_origin={"type": "channel", "date": NOW, "chat": CHANNEL, "message_id": 5},
    ),
    "automatic forward": _message(SUPER, None, text="p", sender_chat=CHANNEL, is_automatic_forward=True),
    "anonymous admin": _message(SUPER, ANN, text="p", sender_chat=SUPER),
    "in a group": _message(GROUP, BOB, text="Hello"),
    "in a topic": _message(SUPER, text="Hello", is_topic_message=True, message_thread_id=4),
    "protected": _message(text="Hello", has_protected_content=True),
    "by a bot": _message(text="Hello", via_bot=BOT),
    "joined": _message(GROUP, new_chat_members=[BOB]),
    "left": _message(GROUP, left_chat_member=BOB),
    "new title": _message(GROUP, new_chat_title="t"),
    "new photo": _message(GROUP, new_chat_photo=[PHOTO]),
    "no photo": _message(GROUP, delete_chat_photo=True),
    "group made": _message(GROUP, group_chat_created=True),
    "supergroup made": _message(SUPER, supergroup_chat_created=True),
    "channel made": _message(CHANNEL, None, channel_chat_created=True),
    "timer": _message(GROUP, message_auto_delete_timer_changed={"message_auto_delete_time": 60}),
    "migrated to": _message(GROUP, migrate_to_chat_id=-1001),
    "migrated from": _message(SUPER, migrate_from_chat_id=-21),
    "pinned": _message(GROUP, pinned_message=_message(GROUP, text="p")),
    "website": _message(connected_website="a.example"),
    "proximity": _message(GROUP, proximity_alert_triggered={"traveler": ANN, "watcher": BOB, "distance": 5}),
    "video chat scheduled": _message(GROUP, video_chat_scheduled={"start_date": NOW}),
    "video chat started": _message(GROUP, video_chat_started={}),
    "video chat ended": _message(GROUP, video_chat_ended={"duration": 5}),
    "video chat invited": _message(GROUP, video_chat_participants_invited={"users": [BOB]}),
    "web app": _message(web_app_data={"data": "d", "button_text": "b"}),
    "topic made": _message(SUPER, forum_topic_created={"name": "t", "icon_color": 7322096}),
    "topic closed": _message(SUPER, forum_topic_closed={}),
    "topic reopened": _message(SUPER, forum_topic_reopened={}),
    "pdf": _message(**_document("application/pdf", "A.PDF")),
    "no dot": _message(**_document("text/plain", "Makefile")),
    **{
        f"document {mime}": _message(**_document(mime, f"a.{number}"))
        for number, mime in enumerate(
            [
                *["application/vnd.android.package-archive", "application/msword", "application/x-ms-dos-executable", "video/mp4", "image/jpeg"],
                *["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "audio/mpeg", "text/x-python", "image/svg+xml"],
                *["text/plain", "application/x-compressed-tar", "audio/x-wav", "application/xml", "application/zip"],
            ]
        )
    },
}
UPDATES: dict[str, dict[str, Any]] = {
    **{name: {"message": message} for name, message in MESSAGES.items()},
    "edited": {"edited_message": _message(text="Hello", edit_date=NOW)},
    "post": {"channel_post": _message(CHANNEL, None, text="Hello", sender_chat=CHANNEL)},
    "edited post": {"edited_channel_post": _message(CHANNEL, None, text="Hello", sender_chat=CHANNEL, edit_date=NOW)},
}

CALLED = [
    *['text(["Yes", "No"])', 'caption(["A cat #cats"])', "command(False)", "command(True)", 'regex("H(el+)o")', 'caption_regex("c(a)t")'],
    *['regex(re.compile("hELLO", re.I))', 'entity("url")', 'entity("bot_command")', 'caption_entity("hashtag")', 'language("en")'],
    *['language(["de", "fr"])', "user(11)", "user([11, 12])", 'user(username="@ann")', 'user(username=["ann", "bob"])', "user()"],
    *["user(allow_empty=True)", "via_bot(13)", 'via_bot(username="@inlinebot")', "via_bot(allow_empty=True)", "chat(-21)", "chat(chat_id=[-21, 11])"],
    *['chat(username="super")', "chat(allow_empty=True)", "forwarded_from(12)", 'forwarded_from(username="channel")', "forwarded_from(-1002)"],
    *["sender_chat(-1002)", 'sender_chat(username="@super")', "dice(3)", "dice([1, 6])", "dice.dice(3)", "dice.darts([5, 6])", "dice.football(4)"],
    *['document.category("image/")', 'document.mime_type("text/plain")', 'document.file_extension("pdf")', "document.file_extension(None)"],
    *['document.file_extension("PDF", case_sensitive=True)', 'document.file_extension("pdf", case_sensitive=True)'],
]
JOINED = [
    *["Filters.text & ~Filters.command", "Filters.text & Filters.forwarded", "Filters.photo | Filters.video", "Filters.text ^ Filters.reply"],
    *['Filters.regex("(H)") & Filters.regex("(el)")', 'Filters.regex("x") | Filters.regex("(lo)")', 'Filters.regex("(H)") | Filters.regex("(lo)")'],
    *['~Filters.regex("H")', 'Filters.text & Filters.regex("(H)")', 'Filters.regex("(H)") & Filters.text', 'Filters.regex("(H)") ^ Filters.photo'],
    *['(Filters.photo | Filters.text) & ~(Filters.command | Filters.regex("Yes"))', "Filters.chat_type.private & Filters.update.message"],
    *['Filters.photo & Filters.caption_regex("(cat)") & Filters.caption', "Filters.all & Filters.user(11) & ~Filters.via_bot(13)"],
]


def instances(filters: Any, prefix: str = "") -> Iterator[str]:
    """The names of all filters that are there without a call."""
    for name in dir(filters):
        each = getattr(filters, name)
        if name.startswith("_") or isinstance(each, type) or not callable(getattr(each, "filter", None)):
            continue
        yield f"{prefix}{name}"
        if name not in ("name", "f"):
            yield from instances(each, f"{prefix}{name}.")


def expressions(filters: Any) -> list[str]:
    """All filters, as Python."""
    named = [*instances(filters), *(f"sender_chat.{name}" for name in ("super_group", "channel"))]
    return [*(f"Filters.{name}" for name in [*named, *CALLED]), *JOINED]


def plain(found: Any) -> Any:
    """What a filter says, as JSON."""
    if isinstance(found, dict):
        return {name: [list(match.groups()) for match in values] for name, values in found.items()} or False
    return bool(found)


def table(filters: Any, decode: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """For each filter its name, and the messages for which it says yes, with its data."""
    updates = {name: decode({"update_id": 1, **update}) for name, update in UPDATES.items()}
    result: dict[str, Any] = {}
    for text in expressions(filters):
        chosen = eval(text, {"Filters": filters, "re": re})
        said = {name: _asked(chosen, update) for name, update in updates.items()}
        result[text] = {"name": repr(chosen), "yes": {name: each for name, each in said.items() if each}}
    return result


def _asked(chosen: Any, update: Any) -> Any:
    try:
        return plain(chosen(update))
    except AttributeError:  # the real ones ask a message without a sender for its language, and a file without a type for its type
        return False


def main() -> None:
    """What the real ones say."""
    from telegram import Update
    from telegram.ext import Filters

    print(json.dumps(table(Filters, lambda update: Update.de_json(update, None))))


if __name__ == "__main__":
    main()
