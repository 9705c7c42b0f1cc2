"""Updates of messages of text are made when somebody looks at them."""

from __future__ import annotations

import copy
import functools
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
import telegram

from syncbot.client.ptb.decode import decode_update

CHAT = {"id": 7, "type": "private", "first_name": "Zoë"}
USER = {"id": 7, "is_bot": False, "first_name": "Zoë", "language_code": "en"}
MESSAGE = {"message_id": 1, "date": 1_700_000_000, "chat": CHAT, "from": USER, "text": "/go", "entities": [{"type": "bot_command", "offset": 0, "length": 3}]}
RAW: dict[str, Any] = {"update_id": 5, "message": MESSAGE}


class Bot:
    """What is attached."""

    defaults = None


def plain() -> telegram.Update:
    """What telegram itself makes of it."""
    return telegram.Update.de_json(RAW, None)


def is_decoded(update: telegram.Update) -> bool:
    """Whether somebody has looked at it."""
    return type(update) is telegram.Update


def test_a_message_of_text_waits() -> None:
    """It is a telegram.Update from the start, is made by the first look at it, and is of exactly that class from then on."""
    update = decode_update(RAW)
    assert isinstance(update, telegram.Update)
    assert not is_decoded(update)
    assert update.message is not None
    assert update.message.text == "/go"
    assert is_decoded(update)
    assert update.to_dict() == plain().to_dict()


LOOKS: dict[str, Callable[[telegram.Update], object]] = {
    "its id": lambda update: update.update_id,
    "a kind that it is not": lambda update: update.callback_query,
    "a property": lambda update: update.effective_user,
    "repr": repr,
    "hash": hash,
    "api_kwargs": lambda update: update.api_kwargs,
    "to_json": lambda update: update.to_json(),
    "comparing it": lambda update: update == plain(),
    "comparing with it": lambda update: plain() == update,
    "pickle": pickle.dumps,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "its class": lambda update: update.__class__,
    "a match by its class": lambda update: functools.singledispatch(type)(update),
    "an index": lambda update: update["update_id"],
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_every_look_decodes(look: Callable[[telegram.Update], object]) -> None:
    """Whatever is done with it first gives what telegram's own object gives."""
    update = decode_update(RAW)
    found = look(update)
    assert is_decoded(update)
    assert found == look(plain())
    assert update == plain()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda update: pickle.loads(pickle.dumps(update))], ids=["copy", "deepcopy", "pickle"])
def test_copies_are_telegrams_own(again: Callable[[telegram.Update], telegram.Update]) -> None:
    """A copy of one that nobody has looked at is an ordinary telegram.Update."""
    twin = again(decode_update(RAW))
    assert type(twin) is telegram.Update
    assert twin.to_dict() == plain().to_dict()


def test_it_makes_telegrams_own() -> None:
    """What is made by way of its class is what telegram's class makes, whether anybody has looked at it or not."""
    assert decode_update(RAW).de_json(RAW | {"new": 1}, None).api_kwargs == {"new": 1}
    assert type(decode_update(RAW).de_list([RAW])[0]) is telegram.Update
    assert type(type(decode_update(RAW))(7)) is telegram.Update


def test_it_finds_itself_in_a_set() -> None:
    """It is the same key as telegram's own object."""
    assert decode_update(RAW) in {plain()}
    assert plain() in {decode_update(RAW)}


def test_the_bot_is_attached_and_can_be_changed() -> None:
    """The bot that was given is the one of the object and of its parts; another one can be set before anybody has looked."""
    first: Any = Bot()
    second: Any = Bot()
    update = decode_update(RAW, first)
    assert update.get_bot() is first
    assert update.message is not None
    assert update.message.get_bot() is first  # type: ignore[comparison-overlap]  # any object is a bot here
    other = decode_update(RAW)
    other.set_bot(second)
    assert other.get_bot() is second


def test_several_threads_may_look_at_once() -> None:
    """Every thread sees the whole update, whoever is first."""
    for _ in range(50):
        update = decode_update(RAW, Bot())
        barrier = threading.Barrier(4)
        seen: list[object] = []

        def look(update: telegram.Update = update, barrier: threading.Barrier = barrier, seen: list[object] = seen) -> None:
            barrier.wait()
            seen.append((update.message.text if update.message else "", update == plain(), hash(update) == hash(plain())))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [("/go", True, True)] * 4
