"""What a bot uses up while it waits, and after it has worked: next to nothing, and no more each time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import Seen, becomes, running
from kits.timing_kit import tried

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import Answer, BotApiServer

MakeApp = Callable[..., Runtime]


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _rests(app: Runtime, server: BotApiServer) -> bool:
    health = app.health()
    return bool(health["ok"]) and health["queue"] + health["in_flight"] == 0 and server.queue.is_polled


@pytest.mark.parametrize("in_memory", [False, True], ids=["file", "memory"])
def test_a_bot_that_waits_uses_no_processor(server: BotApiServer, make_app: MakeApp, in_memory: bool) -> None:
    """A second of waiting costs a few milliseconds in all its threads together, whether or not it has handled something; no thread spins."""
    app = make_app(workers=2, **({"state": None} if in_memory else {}))
    seen = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    def attempt(seconds: float) -> None:
        assert becomes(lambda: _rests(app, server))
        before, began = time.process_time(), time.monotonic()
        threading.Event().wait(seconds)
        assert time.process_time() - before < 0.15 * (time.monotonic() - began)

    with running(app):
        tried(attempt, (1.0,) * 4)
        server.user(id=1).send("hi")
        seen.wait("hi")
        tried(attempt, (1.0,) * 4)


def test_a_bot_that_has_worked_holds_no_more_than_before(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """After a hundred updates, half of them buried, it has the threads, descriptors and rows that it had after the first ones."""
    app = make_app(workers=3)
    seen = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("yes")
        seen.add(update.message.text)
        if "fail" in update.message.text:
            raise ValueError(update.message.text)

    @app.error()
    def quiet(update: Any, context: Context) -> None:
        """It is meant to be so."""

    def work(first: int, last: int) -> tuple[int, int]:
        for number in range(first, last):
            server.user(id=number % 7 + 1).send(f"fail {number}" if number % 2 else f"{number}")
        seen.wait_number(last)
        assert becomes(lambda: _rests(app, server))
        return threading.active_count(), _descriptors()

    with running(app):
        threads, descriptors = work(0, 20)
        assert becomes(lambda: work_is_within(threads, descriptors))
        work(20, 100)
        assert becomes(lambda: work_is_within(threads, descriptors))
        with sqlite3.connect(tmp_path / "bot.db") as db:
            assert db.execute("SELECT count(*) FROM inbox").fetchone()[0] <= 64
            assert db.execute("SELECT count(*) FROM dead_letter").fetchone()[0] == 50
        db.close()


def work_is_within(threads: int, descriptors: int) -> bool:
    """Whether no more is held than this, with a connection or two that come and go."""
    return threading.active_count() <= threads + 2 and _descriptors() <= descriptors + 4


def test_no_thread_of_a_bot_keeps_a_program_alive(server: BotApiServer, make_app: MakeApp) -> None:
    """A program whose main thread has ended ends, whatever hangs in a handler, a poll, or a call of the outbox."""
    app = make_app(workers=2)
    begun, go_on = threading.Event(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        app.outbox.send_message(chat_id=1, text="queued")
        begun.set()
        go_on.wait(20.0)

    before = set(threading.enumerate())
    seen: dict[str, bool] = {}

    def note() -> bool:
        seen.update((thread.name, thread.daemon) for thread in set(threading.enumerate()) - before if thread.name.startswith("syncbot-"))
        return any(name.startswith("syncbot-deliverer") for name in seen)

    server.script("sendMessage", Answer.normal().after(2.0))
    with running(app):
        server.user(id=1).send("hi")
        assert begun.wait(20.0)
        assert becomes(note)
        go_on.set()
    kinds = {"syncbot-supervisor", "syncbot-poller", "syncbot-worker-1", "syncbot-feeder", "syncbot-watchdog", "syncbot-deliverer-1"}
    assert kinds <= seen.keys()
    assert all(seen.values()), seen
