"""Messages of text are made without python-telegram-bot's decoder, and are what it makes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import telegram
from hypothesis import given
from hypothesis import strategies as st

from syncbot.client.ptb.decode import DecodeError, decode, decode_update
from syncbot.client.ptb.plain import plain_message, plain_update

CHAT = {"id": 7, "type": "private", "first_name": "Zoë"}
USER = {"id": 7, "is_bot": False, "first_name": "Zoë", "language_code": "en"}
MESSAGE = {"message_id": 1, "date": 1_700_000_000, "chat": CHAT, "from": USER, "text": "/go", "entities": [{"type": "bot_command", "offset": 0, "length": 3}]}
RAW: dict[str, Any] = {"update_id": 5, "message": MESSAGE}


def everything(value: Any) -> Any:
    """A value with all that it is made of: an object of telegram's is equal to another where their ids are."""
    if isinstance(value, tuple):
        return tuple(everything(part) for part in value)
    if not isinstance(value, telegram.TelegramObject):
        return type(value), repr(value)
    names = [name for each in type(value).__mro__ for name in getattr(each, "__slots__", ())]
    return type(value), {name: everything(getattr(value, name)) for name in names}


def telegrams(raw: dict[str, Any], bot: Any = None) -> telegram.Update:
    """What telegram itself makes of it."""
    return telegram.Update.de_json(copy.deepcopy(raw), bot)


@pytest.mark.parametrize("kind", ["message", "edited_message", "channel_post", "edited_channel_post"])
def test_it_is_made_without_the_decoder(kind: str) -> None:
    """The four kinds of messages of text do not go through telegram's decoder, and are the same in every field, down to the bot that is attached."""
    raw = {"update_id": 5, kind: MESSAGE | {"edit_date": 1_700_000_009, "message_thread_id": 3}}
    bot: Any = SimpleNamespace(defaults=None)
    assert everything(plain_update(raw, bot)) == everything(telegrams(raw, bot))
    update = decode_update(raw, bot)
    assert everything(update) == everything(telegrams(raw, bot))
    message = getattr(update, kind)
    assert all(each.get_bot() is bot for each in (update, message, message.chat, message.from_user, message.entities[0]))


def test_the_message_that_was_sent_too() -> None:
    """The result of a call that is a message of text is made so too."""
    bot: Any = SimpleNamespace(defaults=None)
    expected = everything(telegram.Message.de_json(MESSAGE, bot))
    assert everything(plain_message(MESSAGE, bot)) == expected
    assert everything(decode(("Message", "Boolean"), MESSAGE, bot)) == expected


LOOKS: dict[str, Callable[[telegram.Update], object]] = {
    "properties": lambda update: (update.effective_user, update.effective_chat, update.effective_message, update.effective_sender),
    "of the message": lambda update: update.message and (update.message.text_html, update.message.link, update.message.parse_entities()),
    "attachment": lambda update: update.message and update.message.effective_attachment,
    "of the user": lambda update: update.effective_user and (update.effective_user.mention_html(), update.effective_user.full_name),
    "repr": repr,
    "hash": hash,
    "to_json": lambda update: update.to_json(),
    "pickle": lambda update: everything(pickle.loads(pickle.dumps(update))),
    "deepcopy": lambda update: everything(copy.deepcopy(update)),
    "copy": lambda update: everything(copy.copy(update)),
    "equality": lambda update: update == telegrams(RAW),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_it_is_used_as_any_other(look: Callable[[telegram.Update], object]) -> None:
    """Properties, copies and comparisons come out as those of telegram's own."""
    assert look(decode_update(RAW)) == look(telegrams(RAW))


def test_each_is_an_object_of_its_own() -> None:
    """What one finds out and keeps, another does not see."""
    first, second = decode_update(RAW), decode_update({"update_id": 6, "message": MESSAGE | {"chat": CHAT | {"id": 8}}})
    assert first.effective_chat is not None
    assert second.effective_chat is not None
    assert (first.effective_chat.id, second.effective_chat.id) == (7, 8)
    assert decode_update({"update_id": 7, "message": {name: MESSAGE[name] for name in ("message_id", "date", "chat", "text")}}).effective_user is None


@pytest.mark.parametrize("kind", ["update", "message"])
def test_it_is_what_came(kind: str) -> None:
    """A handler that changes the JSON, as to keep a text out of a log, does not change the object."""
    raw = copy.deepcopy(RAW)
    message: dict[str, Any] = raw["message"]
    found: Any = decode_update(raw) if kind == "update" else decode(("Message",), message)
    message["text"] = "***"
    del message["chat"]["type"], message["from"]["id"], message["entities"][0]["offset"]
    message["entities"].clear()
    assert found.to_dict() == (telegrams(RAW).to_dict() if kind == "update" else telegrams(RAW).to_dict()["message"])


def test_it_stays_frozen() -> None:
    """Its fields can be set and deleted as little as those of telegram's own."""
    with pytest.raises(AttributeError, match="can't be set"):
        decode_update(RAW).update_id = 6
    with pytest.raises(AttributeError, match="can't be deleted"):
        del decode_update(RAW).update_id


def test_the_time_zone_of_a_bot_is_respected() -> None:
    """A bot with defaults of python-telegram-bot's gets its times from telegram's decoder."""
    from datetime import timedelta, timezone

    zone = timezone(timedelta(hours=3))
    bot: Any = SimpleNamespace(defaults=SimpleNamespace(tzinfo=zone))
    message = decode_update(RAW, bot).message
    assert message is not None
    assert message.date.tzinfo is zone
    assert decode(("Message",), MESSAGE, bot).date.tzinfo is zone


OTHER_VERSION = """
import sys
import telegram
from syncbot.client.ptb.decode import decode_update

made = telegram.User.de_json.__func__
telegram.User.de_json = classmethod(lambda cls, data, bot=None: made(cls, data | {"first_name": "another"}, bot))
user = {"id": 7, "is_bot": False, "first_name": "Ann"}
raw = {"update_id": 5, "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": user, "text": "a"}}
print(decode_update(raw).message.from_user.first_name)
"""


def test_another_version_is_followed() -> None:
    """Where telegram's decoder makes something else than what would be made here, the decoder is used."""
    done = subprocess.run([sys.executable, "-c", OTHER_VERSION], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("another\n", "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner, max_size=2),
)
PLACES = [("message", name) for name in [*MESSAGE, "edit_date", "message_thread_id", "sticker"]] + [
    ("message", outer, name) for outer in ("chat", "from") for name in ("id", "type", "is_bot", "first_name", "title", "is_forum", "x")
]


def decodes_as_telegram_does(raw: dict[str, Any]) -> None:
    """What telegram can decode comes out the same, and what it cannot is refused."""
    try:
        expected = telegrams(raw)
    except Exception:
        with pytest.raises(DecodeError):
            decode_update(raw)
    else:
        assert everything(decode_update(raw)) == everything(expected)


@given(place=st.sampled_from(PLACES), value=ANYTHING, gone=st.booleans())
def test_whatever_stands_in_a_field(place: tuple[str, ...], value: Any, gone: bool) -> None:
    """Whatever stands in whichever field, or is missing: it comes out as telegram decodes it, or is refused as telegram refuses it."""
    raw = copy.deepcopy(RAW)
    inner = raw
    for step in place[:-1]:
        inner = inner[step]
    inner.pop(place[-1], None)
    if not gone:
        inner[place[-1]] = value
    decodes_as_telegram_does(raw)


@given(entity=st.dictionaries(st.sampled_from(["type", "offset", "length", "url", "user", "x"]), ANYTHING))
def test_whatever_stands_in_an_entity(entity: dict[str, Any]) -> None:
    """The same for what stands in the list of entities."""
    decodes_as_telegram_does({"update_id": 1, "message": MESSAGE | {"entities": [entity]}})


CHARACTERS = st.text(min_size=1, max_size=20)
USERS = st.fixed_dictionaries(
    {"id": st.integers(1, 2**52), "is_bot": st.booleans(), "first_name": CHARACTERS},
    optional={"last_name": CHARACTERS, "username": CHARACTERS, "language_code": CHARACTERS, "is_premium": st.booleans()},
)
CHATS = st.fixed_dictionaries(
    {"id": st.integers(-(2**52), -1), "type": st.sampled_from(["private", "group", "supergroup", "channel", "newer"])},
    optional={"title": CHARACTERS, "username": CHARACTERS, "first_name": CHARACTERS, "last_name": CHARACTERS, "is_forum": st.booleans()},
)
ENTITIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["bold", "url", "text_link", "pre", "newer"]), "offset": st.integers(0, 9), "length": st.integers(0, 9)},
    optional={"url": CHARACTERS, "language": CHARACTERS},
)
MESSAGES = st.fixed_dictionaries(
    {"message_id": st.integers(1, 2**40), "date": st.integers(0, 2**35 - 1), "chat": CHATS, "text": CHARACTERS},
    optional={"from": USERS, "edit_date": st.integers(0, 2**35 - 1), "entities": st.lists(ENTITIES, max_size=3), "message_thread_id": st.integers()},
)


@given(message=MESSAGES)
def test_messages_of_every_shape(message: dict[str, Any]) -> None:
    """Whatever a message of text says, it is made here, and telegram's decoder makes the same."""
    raw = {"update_id": 1, "message": message}
    assert everything(plain_update(raw, None)) == everything(telegrams(raw))
