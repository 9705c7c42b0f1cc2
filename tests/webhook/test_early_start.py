"""A web application's bot with jobs begins with its application, not with its first request."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.timing_kit import becomes
from kits.webhook_kit import SECRET, Program, Start, eventually

from syncbot import Bot, Outbox, Runtime
from syncbot.runtime.session.early_start import EarlyStart
from syncbot.runtime.session.waiting_work import WaitingWork
from syncbot.storage import Incoming, open_store
from syncbot.testing import BotApiServer

FORKING = """
import os, sys, time
from syncbot import Bot, Runtime

journal = sys.argv[1]
log = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
app = Runtime(Bot.from_env())

@app.every(0.1)
def note(context):
    os.write(log, f"{os.getpid()}\\n".encode())

hook = app.wsgi("/hook", "secret")
child = os.fork()
os.write(log, f"{'parent' if child else 'child'} {os.getpid()}\\n".encode())
if child:
    os.waitpid(child, 0)
else:
    time.sleep(60)
"""


OF_OTHERS: list[object] = []
"""What earlier tests of this process have left to be started in its time; it looks again and again, each time in another thread."""


@pytest.fixture(autouse=True)
def _others() -> Iterator[None]:
    OF_OTHERS[:] = [owner for _, owner in timers()]
    yield
    OF_OTHERS.clear()


def timers() -> list[tuple[threading.Thread, object]]:
    """The threads that are about to start something, and what each belongs to."""
    waiting = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and thread.name == "syncbot-start"]
    return [(timer, timer.function.__self__) for timer in waiting]  # type: ignore[attr-defined]  # a method


def waiting_to_start() -> list[threading.Thread]:
    """The threads that are about to start something, but for those of other tests."""
    return [timer for timer, owner in timers() if owner not in OF_OTHERS]


def test_jobs_run_before_the_first_request(app: Runtime) -> None:
    """An application that nobody asks anything runs its jobs, soon after it was made."""
    ran = threading.Event()
    app.later(0.05)(lambda context: ran.set())
    app.wsgi("/hook", SECRET)
    assert ran.wait(20)
    app.stop()


@pytest.mark.parametrize("options", [{"start": False}, {"inline": True}])
def test_who_is_not_to_start_does_not(app: Runtime, options: dict[str, bool]) -> None:
    """An application that only stores, or handles within its requests, starts nothing."""
    app.later(0.05)(lambda context: None)
    app.wsgi("/hook", SECRET, **options)
    assert waiting_to_start() == []


def test_a_stop_comes_first(app: Runtime) -> None:
    """A runtime that was stopped before its time came is not started."""
    app.later(0.05)(lambda context: None)
    app.wsgi("/hook", SECRET)
    [timer] = waiting_to_start()
    app.stop()
    timer.join(20)
    assert not timer.is_alive()
    assert app.health()["running"] is False


def test_a_bot_with_nothing_to_do_waits_for_its_first_request(app: Runtime) -> None:
    """Loading an application takes no lock, makes no file and starts no bot where there is nothing to do yet; it looks again."""
    app.wsgi("/hook", SECRET)
    [timer] = waiting_to_start()
    timer.join(20)
    assert becomes(lambda: bool(waiting_to_start()))
    assert app.health()["running"] is False
    assert app.state is not None
    assert not app.state.exists()


def test_a_call_that_waits_from_before_is_delivered(app: Runtime, server: BotApiServer) -> None:
    """What stands in the outbox when the application is loaded goes out without a request."""
    app.outbox.send_message(chat_id=7, text="from before")
    app.wsgi("/hook", SECRET)
    server.wait_count("sendMessage", 1, 20)


def test_a_call_that_is_queued_later_is_delivered(app: Runtime, server: BotApiServer) -> None:
    """What the application, or another process, queues before the first request goes out too."""
    app.wsgi("/hook", SECRET)
    [timer] = waiting_to_start()
    timer.join(20)
    app.outbox.send_message(chat_id=7, text="from the application itself")
    server.wait_count("sendMessage", 1, 20)
    assert becomes(lambda: app.health()["running"])
    assert waiting_to_start() == []


def test_a_file_that_nobody_has_written_to_is_not_opened_again(bot: Bot, tmp_path: Path) -> None:
    """What was looked at and held nothing costs a look at its time alone; one that cannot be read is left to whoever starts."""
    path = tmp_path / "bot.db"
    waiting = WaitingWork(path)
    assert not waiting.is_there()
    with open_store(path, bot.id) as store:
        store.inbox.recover()
    assert not waiting.is_there()
    path.write_bytes(b"no database" * 1000)
    assert waiting.is_there()
    assert not waiting.is_there(), "the same bytes are not looked at again"
    with_call = tmp_path / "other.db"
    Outbox(with_call, bot).send_message(chat_id=7, text="hello")
    assert WaitingWork(with_call).is_there()


def test_what_stands_in_the_log_alone_is_seen_by_the_name_of_a_link_too(bot: Bot, tmp_path: Path) -> None:
    """The log lies beside the file itself."""
    path, link = tmp_path / "bot.db", tmp_path / "elsewhere"
    link.symlink_to(path)
    with open_store(path, bot.id) as store:
        waiting = WaitingWork(link)
        assert not waiting.is_there()
        store.inbox.store([Incoming(1, "7", b"{}")])
        assert waiting.is_there()


def test_what_keeps_it_from_starting_is_logged(bot: Bot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Another process that polls, say: the application goes on, and tries it again with its first request."""
    holder, app = Runtime(bot, state=tmp_path / "bot.db"), Runtime(bot, state=tmp_path / "bot.db")
    app.later(0.05)(lambda context: None)
    with holder:
        app.wsgi("/hook", SECRET)
        assert becomes(lambda: "could not be started with its application" in caplog.text)
    app.stop()


def test_a_server_that_forks_leaves_it_to_its_workers(start: Start, tmp_path: Path) -> None:
    """Where the application is loaded once and forked then, the child runs the jobs, and the parent, which serves nothing, does not."""
    journal = tmp_path / "journal"
    program: Program = start(sys.executable, "-c", FORKING, str(journal))

    def lines() -> list[str]:
        return journal.read_text().split("\n") if journal.exists() else []

    eventually(lambda: len([line for line in lines() if line.isdecimal()]) >= 3)
    [child] = [line.split()[1] for line in lines() if line.startswith("child")]
    assert {line for line in lines() if line.isdecimal()} == {child}
    os.kill(int(child), 9)
    program.process.wait(20)


def test_it_is_cancelled_at_the_last_moment() -> None:
    """A cancel that comes while the thread begins leaves nothing started."""
    started: list[float] = []
    early = EarlyStart(lambda: started.append(time.monotonic()), lambda: True)
    early.begin()
    [timer] = waiting_to_start()
    early._timer = None  # what cancel() does first
    timer.join(20)
    assert started == []
    early.cancel()
