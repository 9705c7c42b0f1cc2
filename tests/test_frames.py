"""The way in is short, and one: how many of our frames lie around a handler, and that every way in ends an update in the same way."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.runtime_kit import SECONDS, becomes, make_bot

import syncbot
from syncbot import Context, Router, Runtime
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN, BotApiServer

PACKAGE = str(Path(syncbot.__file__).parent)
MOST_FRAMES = 8
"""Ours, from the worker's loop to the handler, which is not counted."""


def ours_around() -> list[str]:
    """The functions of ours that are under way in this thread, from the worker's loop on."""
    names = [frame.f_code.co_qualname for frame, _ in traceback.walk_stack(None) if frame.f_code.co_filename.startswith(PACKAGE)]
    return names[names.index("Workers._run") :: -1]


def test_the_way_in_is_short(api: BotApiServer) -> None:
    """From the worker's loop to a handler there are at most eight frames of ours, which a handler that raises counts."""
    stacks: list[list[str]] = []
    with make_bot(api) as bot:
        app, part = Runtime(bot, state=None), Router()

        @part.message()
        def handler(update: object, context: Context) -> None:
            stacks.append(ours_around())
            raise ValueError("on purpose")

        app.error(lambda update, context: context.reply("told"))
        app.include(part)
        with app:
            api.user(7).send("hi")
            api.wait_for("told", timeout=SECONDS)
    [stack] = stacks
    assert stack[0] == "Workers._run"
    assert "run_update" in stack
    assert len(stack) <= MOST_FRAMES, stack


class Unlucky(type):
    """The type of a class of errors that raises when an error is compared with it."""

    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError(f"https://api.telegram.org/bot{TEST_TOKEN}/getMe")


class UnluckyError(Exception, metaclass=Unlucky):
    """See `Unlucky`."""


MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": False, "first_name": "A"}, "text": "hi"}


def app_has_failed(app: Runtime) -> None:
    """Wait until an update is buried."""
    assert becomes(lambda: app.health()["failed"] == 1)


def polled(app: Runtime, api: BotApiServer) -> None:
    """By a poll, and handled by a worker."""
    with app:
        api.user(7).send("hi")
        app_has_failed(app)


def processed(app: Runtime, api: BotApiServer) -> None:
    """Brought by hand, and handled by a worker."""
    app.start(poll=False)
    app.process({"update_id": 1, "message": MESSAGE})
    app_has_failed(app)
    app.stop()


def fetched_once(app: Runtime, api: BotApiServer) -> None:
    """As from cron."""
    api.user(7).send("hi")
    assert app.run_once(SECONDS).failed == 1


def handled_inline(app: Runtime, api: BotApiServer) -> None:
    """In the calling thread."""
    assert app.handle({"update_id": 1, "message": MESSAGE}).failed == 1


@pytest.mark.parametrize("way_in", [polled, processed, fetched_once, handled_inline])
def test_every_way_in_keeps_secrets_out_of_the_dead_letters(way_in: Callable[[Runtime, BotApiServer], None], api: BotApiServer, tmp_path: Path) -> None:
    """Whichever way an update came, what goes wrong beyond its handler stands redacted in its dead letter."""
    with make_bot(api) as bot:
        app = Runtime(bot, state=tmp_path / "bot.db")
        app.error(UnluckyError)(lambda update, context: None)

        @app.message()
        def handler(update: object, context: Context) -> None:
            raise ValueError("on purpose")

        way_in(app, api)
    with open_store(tmp_path / "bot.db", None) as store:
        [letter] = store.dead_letters.entries()
    assert "RuntimeError" in letter.reason
    assert TEST_TOKEN not in letter.reason
