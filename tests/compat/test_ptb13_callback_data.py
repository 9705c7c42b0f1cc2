"""Buttons that hold any object, as with python-telegram-bot 13: `CallbackDataCache`."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line
from telegram import CallbackQuery, Chat, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update, User

from syncbot.compat.ptb13.callback_data import CallbackDataCache, InvalidCallbackData

OWN, STRANGER, ANN = User(1, "Own", True), User(2, "Other", True), User(3, "Ann", False)


@pytest.fixture
def cache() -> CallbackDataCache:
    """A cache of the bot with id 1."""
    return CallbackDataCache(SimpleNamespace(id=1, defaults=None))


def keyboard(*held: Any) -> InlineKeyboardMarkup:
    """A keyboard with a button for each object, and one that leads elsewhere."""
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(str(each), callback_data=each) for each in held], [InlineKeyboardButton("web", url="https://a.example")]]
    )


def message(markup: InlineKeyboardMarkup | None, sender: User | None = OWN, **more: Any) -> Message:
    """A message with a keyboard, as Telegram sends it back."""
    copied = None if markup is None else InlineKeyboardMarkup.de_json(markup.to_dict(), None)
    return Message(5, datetime.now(UTC), Chat(3, "private"), from_user=sender, reply_markup=copied, **more)


def names(markup: InlineKeyboardMarkup) -> list[Any]:
    """What the buttons of the first row hold."""
    return [button.callback_data for button in markup.inline_keyboard[0]]


def test_telegram_sees_names_alone(cache: CallbackDataCache) -> None:
    """64 letters for each button; the keyboard that was given stays as it was, and a button without data is the same."""
    given = keyboard({"any": 1}, (2, 3))
    sent = cache.process_keyboard(given)
    assert [len(name) for name in names(sent)] == [64, 64]
    assert names(given) == [{"any": 1}, (2, 3)]
    assert sent.inline_keyboard[1][0] is given.inline_keyboard[1][0]
    assert cache.extract_uuids(names(sent)[0])[0] == names(sent)[1][:32]


def test_a_keyboard_that_holds_nothing_stays_the_same(cache: CallbackDataCache) -> None:
    """And takes no place in the cache."""
    given = InlineKeyboardMarkup([[InlineKeyboardButton("web", url="https://a.example")]])
    assert cache.process_keyboard(given) is given
    assert cache.persistence_data == ([], {})


def test_a_query_gets_the_object_back(cache: CallbackDataCache) -> None:
    """The pressed button's, and those of the buttons of its message."""
    held = [object(), object()]
    sent = cache.process_keyboard(keyboard(*held))
    query = CallbackQuery("q", ANN, "c", message=message(sent), data=names(sent)[1])
    cache.process_callback_query(query)
    assert query.data is held[1]
    assert isinstance(query.message, Message)
    assert names(query.message.reply_markup) == held  # type: ignore[arg-type]  # it has one


def test_what_is_not_known_says_so(cache: CallbackDataCache) -> None:
    """A name that was made up, or whose keyboard is gone; it is an error as telegram's are, and can be pickled."""
    query = CallbackQuery("q", ANN, "c", data="x" * 64)
    cache.process_callback_query(query)
    found: Any = query.data
    assert isinstance(found, InvalidCallbackData)
    assert found.callback_data == "x" * 64
    assert pickle.loads(pickle.dumps(found)).callback_data == "x" * 64
    with pytest.raises(KeyError, match="not found in cache"):
        cache.drop_data(query)


def test_dropped_data_are_gone(cache: CallbackDataCache) -> None:
    """With all buttons of the keyboard, once."""
    sent = cache.process_keyboard(keyboard("a", "b"))
    query = CallbackQuery("q", ANN, "c", data=names(sent)[0])
    cache.process_callback_query(query)
    cache.drop_data(query)
    another = CallbackQuery("r", ANN, "c", data=names(sent)[1])
    cache.process_callback_query(another)
    assert isinstance(another.data, InvalidCallbackData)
    with pytest.raises(KeyError):
        cache.drop_data(query)


def test_other_bots_buttons_are_left_alone(cache: CallbackDataCache) -> None:
    """What this bot has sent itself, or by way of an inline query, is its own; so is a channel's, which has no sender."""
    sent = cache.process_keyboard(keyboard("a"))
    foreign = message(keyboard("theirs"), STRANGER)
    own, inline, channel = message(sent), message(sent, ANN, via_bot=OWN), message(sent, None)
    cache.process_message(foreign)
    assert names(foreign.reply_markup) == ["theirs"]  # type: ignore[arg-type]  # it has one
    for each in (own, inline, channel):
        cache.process_message(each)
        assert names(each.reply_markup) == ["a"]  # type: ignore[arg-type]  # as above


def test_an_update_gets_them_wherever_they_may_be(cache: CallbackDataCache) -> None:
    """In a message that is replied to, or was pinned; and of a query those of its message."""
    first, second = (cache.process_keyboard(keyboard(word)) for word in ("a", "b"))
    update = Update(1, message=message(None, ANN, reply_to_message=message(first), pinned_message=message(second)))
    cache.process_update(update)
    assert update.message is not None
    assert names(update.message.reply_to_message.reply_markup) == ["a"]  # type: ignore[union-attr,arg-type]  # as above
    assert names(update.message.pinned_message.reply_markup) == ["b"]  # type: ignore[union-attr,arg-type]  # as above
    query = CallbackQuery("q", ANN, "c", message=message(first), data=names(second)[0])
    cache.process_update(Update(2, callback_query=query))
    assert query.data == "b"


def test_the_last_ones_are_kept(cache: CallbackDataCache) -> None:
    """As many as there is room for; one that is used counts as new."""
    small = CallbackDataCache(cache.bot, maxsize=2)
    first, second = (small.process_keyboard(keyboard(word)) for word in ("a", "b"))
    small.process_callback_query(CallbackQuery("q", ANN, "c", data=names(first)[0]))
    small.process_keyboard(keyboard("c"))
    seen = []
    for number, sent in enumerate((first, second)):
        query = CallbackQuery(str(number), ANN, "c", data=names(sent)[0])
        small.process_callback_query(query)
        seen.append(query.data)
    assert seen[0] == "a"
    assert isinstance(seen[1], InvalidCallbackData)
    assert len(small.persistence_data[0]) == 2


def test_all_or_what_is_old_can_be_forgotten(cache: CallbackDataCache) -> None:
    """By the time of the last use; queries by themselves."""
    sent = cache.process_keyboard(keyboard("a"))
    cache.process_callback_query(CallbackQuery("q", ANN, "c", data=names(sent)[0]))
    at = cache.persistence_data[0][0][1]
    cache.clear_callback_data(at - 1)
    assert len(cache.persistence_data[0]) == 1
    cache.clear_callback_data(datetime.fromtimestamp(at + 1, UTC))
    assert cache.persistence_data[0] == []
    assert cache.persistence_data[1] != {}
    cache.clear_callback_queries()
    assert cache.persistence_data == ([], {})
    cache.process_keyboard(keyboard("b"))
    cache.clear_callback_data()
    assert cache.persistence_data == ([], {})


def test_what_is_kept_makes_the_same_again(cache: CallbackDataCache) -> None:
    """After a restart, by way of a persistence."""
    sent = cache.process_keyboard(keyboard("a"))
    query = CallbackQuery("q", ANN, "c", data=names(sent)[0])
    cache.process_callback_query(query)
    again = CallbackDataCache(cache.bot, persistent_data=cache.persistence_data)
    assert again.persistence_data == cache.persistence_data
    another = CallbackQuery("r", ANN, "c", data=names(sent)[0])
    again.process_callback_query(another)
    assert another.data == "a"
    again.drop_data(query)


def test_a_keyboard_is_dropped_once(cache: CallbackDataCache) -> None:
    """By one of two threads; the other one is told that it is gone."""

    def make() -> Steps:
        again = CallbackDataCache(cache.bot)
        query = CallbackQuery("q", ANN, "c", data=names(again.process_keyboard(keyboard("a")))[0])
        again.process_callback_query(query)
        said: list[str] = []

        def drop() -> None:
            try:
                again.drop_data(query)
            except KeyError:
                said.append("gone")

        def check() -> None:
            assert said == ["gone"]
            assert again.persistence_data == ([], {})

        return Steps(drop, drop, check)

    assert at_every_line(make, "ptb13/callback_data.py") > 2
