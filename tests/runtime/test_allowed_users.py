"""`allowed_users` is looked at when it is given: it is taken rightly, or refused with the way to write it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from kits.runtime_kit import Seen, becomes, running

from syncbot import Bot, Settings
from syncbot.errors import ConfigError
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.dispatcher import Dispatcher
from syncbot.runtime.handling.router import Router
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport.fake import FakeTransport

MakeApp = Callable[..., Runtime]


class Index:
    """A number as numpy has them: no int, but one that tells which int it stands for."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __index__(self) -> int:
        return self._number


class Staff(enum.IntEnum):
    """Ids that have names."""

    ANN = 42


class LooksLikeOne(int):
    """An int that says that it equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7


@pytest.mark.parametrize(
    "given",
    [{42}, frozenset({42}), [42, 42], (42,), range(42, 43), {42: "Ann"}.keys(), (n for n in (42,)), iter([42]), [Index(42)], [Staff.ANN], [LooksLikeOne(42)]],
)
def test_what_holds_ids_is_taken(server: BotApiServer, make_app: MakeApp, given: Iterable[Any]) -> None:
    """Ids in any collection, from a generator that is gone through once, as numbers that are no ints: these users are heard, after a restart too."""
    app, seen = make_app(allowed_users=given), Seen()

    @app.on("message", "poll")
    def note(update: Any, context: Context) -> None:
        seen.add(update.message.text if update.message else "without a user")

    for word in ("first", "second"):
        with running(app):
            server.user(id=7).send(f"from a stranger, {word}")
            server.user(id=42).send(word)
            seen.wait(word)
            assert becomes(lambda: not server.pending_updates)
    assert seen.texts == ["first", "second"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (42, "a value of type int is no list of ids"),
        (True, "a value of type bool is no list of ids"),
        (4.2, "a value of type float is no list of ids"),
        ("42", "a value of type str is no list of ids"),
        ("42,43", "a value of type str is no list of ids"),
        (b"42", "a value of type bytes is no list of ids"),
        (bytearray(b"42"), "a value of type bytearray is no list of ids"),
        ({42: "Ann"}, "a value of type dict is no list of ids"),
        ([None, 42], "it holds a value of type NoneType"),
        ([None], "it holds a value of type NoneType"),
        (["42"], "it holds a value of type str"),
        ([42, "@ann"], "it holds a value of type str"),
        ([True], "it holds a value of type bool"),
        ([42.0], "it holds a value of type float"),
        ([[42]], "it holds a value of type list"),
        ([int], "it holds a value of type type"),
        ([object()], "it holds a value of type object"),
        ([-1001234567890], "'-1001234567890' is not the id of a user, a whole number above 0; a number below zero is a group's"),
        ([0], "'0' is not the id of a user"),
        ([10**400], "the value is not the id of a user"),
        ((n for n in ()), "the list is empty"),
        ({}.keys(), "the list is empty"),
        (set(), "the list is empty"),
    ],
)
def test_what_holds_none_is_refused(given: Any, says: str) -> None:
    """Anything else is an error before the bot runs, which says what it is and how to write it."""
    with Bot(TEST_TOKEN, transport=FakeTransport()) as bot, pytest.raises(ConfigError) as refused:
        Runtime(bot, state=None, allowed_users=given)
    assert str(refused.value).startswith(f"allowed_users: {says}")
    assert "{42}" in str(refused.value)


@pytest.mark.parametrize("given", [frozenset(), frozenset({None, 42}), frozenset({"42"})])
def test_settings_that_a_program_made_are_looked_at_too(given: Any) -> None:
    """Settings that did not come from a text are no way around it."""
    settings = replace(Settings(TEST_TOKEN), allowed_users=given)
    with Bot.from_settings(settings) as bot, pytest.raises(ConfigError, match=r"^allowed_users: "):
        Runtime(bot, state=None)


@pytest.mark.parametrize("text", ["None", "42,None", "4.2", "-42", "0", "@ann", "true", "'42'", "[42]", ",", "٤٢"])
def test_the_setting_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A text in the environment that is no list of ids is refused, and opens nothing."""
    monkeypatch.setenv("ALLOWED_TELEGRAM_USER_ID", text)
    with Bot(TEST_TOKEN, transport=FakeTransport()) as bot, pytest.raises(ConfigError, match="ALLOWED_TELEGRAM_USER_ID in the environment"):
        Runtime(bot, state=None)


@pytest.mark.parametrize("raw", [{"update_id": 1, "poll": {"id": "1"}}, {"update_id": 1, "message": {"from": {"id": None}}}, {"update_id": 1}, {}, None])
def test_nobody_is_on_no_list(raw: Any) -> None:
    """An update without a user is refused even where somebody has put None on the list."""
    with Bot(TEST_TOKEN, transport=FakeTransport()) as bot, open_store(None, bot.id) as store:
        allowed: Any = frozenset({None, 42})
        assert not Dispatcher(Router().routes, bot, store.data, allowed_users=allowed).allows(raw)
