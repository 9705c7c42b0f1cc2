"""Two processes for one bot: one polls, the other stands by."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, Seen, becomes, logged, program_arguments
from kits.timing_kit import soon, took

from syncbot.errors import StorageError
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]

SOURCE = (
    PROGRAM
    + """
app = Runtime(bot, state=STATE if STATE != "-" else None, standby=True)
@app.message()
def handler(update, context):
    context.reply(f"{os.getpid()}")
app.start()
say("started", app.health()["running"])
app.join()
"""
)


@pytest.mark.parametrize("state", ["file", "memory"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_second_polls_within_five_seconds_of_the_firsts_death(server: BotApiServer, tmp_path: Path, state: str, number: int) -> None:
    """The one that polls is killed after it was seen to poll; the other polls within 5 s, with one 409 at most. A stopped process is not dead."""
    arguments = program_arguments(server, tmp_path / "bot.db" if state == "file" else "-")
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    user = server.user(id=42)

    def take_over() -> float:
        conflicts = server.queue.conflicts
        with Process(SOURCE, *arguments, environment=environment) as first:
            assert first.line() == "started True"
            user.send("who?")
            assert user.wait_for(str(first.process.pid), timeout=SECONDS)
            with Process(SOURCE, *arguments, environment=environment) as second:
                assert second.line() == "started False"
                server.wait_confirmed(timeout=SECONDS)
                polls = server.count("getUpdates")
                server.wait_polled(SECONDS)
                first.signal(number)
                killed = time.monotonic()
                if number == signal.SIGSTOP:
                    assert not becomes(lambda: server.count("getUpdates") > polls + 2, 1.5), "it took over from a process that lives"
                    return 0.0
                server.wait_until(lambda: any(request.time > killed for request in server.requests_for("getUpdates")), SECONDS)
                seconds = time.monotonic() - killed
                user.send("who now?")
                assert user.wait_for(str(second.process.pid), timeout=SECONDS)
                return seconds if server.queue.conflicts - conflicts <= 1 else float("inf")

    assert soon(5.0, take_over)


def test_a_standby_that_is_stopped_ends_at_once(server: BotApiServer, make_app: MakeApp) -> None:
    """stop() ends the standing by, and leaves the other one alone."""
    first, second = make_app(), make_app(standby=True)
    seen = Seen()

    @first.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    first.start()
    with logged():
        second.start()
    assert second.health() == {"ok": False, "running": False, "standby": True}
    with pytest.raises(RuntimeError, match="does not run"):
        _ = second.store

    def stop_again() -> float:
        if not second.health()["standby"]:
            second.start()
        return took(second.stop)

    assert soon(0.5, stop_again)
    assert second.join(0.1)
    server.user(id=1).send("hi")
    seen.wait("hi")


def test_a_standby_takes_over_after_an_orderly_stop(server: BotApiServer, make_app: MakeApp) -> None:
    """When the first stops, the second goes on with what waits; what the first had handled is not handled again."""
    first, second = make_app(), make_app(standby=True)
    seen = Seen()
    for name, app in (("first", first), ("second", second)):

        @app.message()
        def handler(update: Any, context: Context, name: str = name) -> None:
            seen.add(f"{name} {update.message.text}")

    first.start()
    server.user(id=1).send("a")
    seen.wait("first a")
    with logged():
        second.start()
        first.stop()
        server.user(id=1).send("b")
        seen.wait("second b")
    assert seen.texts == ["first a", "second b"]
    assert second.health()["running"]


def test_a_standby_that_cannot_use_the_file_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    """A file that is damaged when it is to be taken over ends the standby with the reason."""
    holder, app = BotLock(tmp_path / "bot.db.lock"), make_app(standby=True)
    assert holder.acquire()
    with logged():
        app.start()
        (tmp_path / "bot.db").write_bytes(b"no database at all" * 500)
        holder.release()
        with pytest.raises(StorageError, match="damaged"):
            app.join(SECONDS)
    assert not app.health()["running"]


def test_a_standby_waits_for_a_file_that_is_locked_for_a_while(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """Another program that holds the file at the moment of the takeover delays it, and does not end it."""
    holder = BotLock(tmp_path / "bot.db.lock")
    app = make_app(standby=True, store_options=StoreOptions(busy_timeout=0.1))
    assert holder.acquire()
    open_store(tmp_path / "bot.db", app.bot.id).close()
    program = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    with logged() as log:
        app.start()
        program.execute("BEGIN EXCLUSIVE")
        holder.release()
        log.wait("cannot be taken over yet")
        program.close()
        server.wait_polled(SECONDS)
    assert app.health()["running"]
