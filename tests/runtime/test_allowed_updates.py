"""`allowed_updates` is looked at when it is given: updates of a kind that is none never come, and nobody says so."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Update

from syncbot import Bot
from syncbot.errors import ConfigError
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN
from syncbot.transport.fake import FakeTransport


def asked(given: Any) -> tuple[str, ...]:
    """What a runtime asks for."""
    with Bot(TEST_TOKEN, transport=FakeTransport()) as bot:
        return tuple(Runtime(bot, state=None, allowed_updates=given).kinds_asked_for())


@pytest.mark.parametrize("given", ["message", [1], ["message", None]])
def test_what_is_no_list_of_names_is_refused(given: Any) -> None:
    """A text is a list of letters to Python, and so a runtime would ask for the kind "m"."""
    with pytest.raises(ConfigError, match=r"for example allowed_updates=\['message', 'callback_query'\]"):
        asked(given)


def test_a_misspelt_kind_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """With the one that was probably meant; one that is like no other may be newer, and nothing is said."""
    assert asked(["poll", "mesage", "something_quite_new"]) == ("poll", "mesage", "something_quite_new")
    assert caplog.messages == ["allowed_updates: there is no kind of update 'mesage'; did you mean 'message'?"]


def test_whatever_gives_names_is_taken() -> None:
    """A set, a generator, python-telegram-bot's own list, and an empty one."""
    assert set(asked({"message", "poll"})) == {"message", "poll"}
    assert asked(kind for kind in ("poll",)) == ("poll",)
    assert "message" in asked(Update.ALL_TYPES)
    assert asked([]) == ()
