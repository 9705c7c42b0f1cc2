"""Polling and a webhook exclude each other; several processes store, one handles, and another takes over from it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.timing_kit import becomes, soon
from kits.webhook_kit import SECRET, Program, Start, body_of, call, eventually, listen_to, update

from syncbot import AlreadyRunning, Bot, Runtime, StorageError
from syncbot.runtime.receiving.intake import incoming_from
from syncbot.runtime.session.lifecycle import Lifecycle
from syncbot.runtime.session.mode import join_in, write_mode
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.runtime.session.session import Session
from syncbot.storage import Scope, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.testing import BotApiServer

CHILD = """
import os, sys, threading
from syncbot import Bot, Runtime

mode, journal = sys.argv[1:]
log = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
app = Runtime(Bot.from_env())

@app.message()
def note(update, context):
    os.write(log, f"{os.getpid()} {update.message.text}\\n".encode())
    if update.message.text.startswith("hang"):
        threading.Event().wait()

if mode == "poll":
    app.run()
app.start(poll=False)
os.write(log, f"{os.getpid()} started\\n".encode())
app.join()
"""


class Journal:
    """What the children wrote: (process, text)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    @property
    def lines(self) -> list[tuple[int, str]]:
        """All lines so far."""
        return [(int(line.split()[0]), line.split()[1]) for line in self.path.read_text().splitlines()]

    def wait(self, text: str, timeout: float = 60.0) -> int:
        """Wait for a text, and return the process that wrote it."""
        return int(eventually(lambda: [process for process, line in self.lines if line == text], timeout, repr(text))[0])


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """The children's journal."""
    return Journal(tmp_path / "journal")


def child(start: Start, mode: str, journal: Journal) -> Program:
    """A process that polls or is fed by a webhook."""
    return start(sys.executable, "-c", CHILD, mode, str(journal.path))


@pytest.fixture
def second(bot: Bot, tmp_path: Path) -> Iterator[Runtime]:
    """Another runtime on the same state file."""
    app = Runtime(bot, state=tmp_path / "bot.db")
    yield app
    app.stop()


def test_polling_refuses_to_start_beside_a_webhook(app: Runtime, second: Runtime, bot: Bot, tmp_path: Path) -> None:
    """While one process handles what a webhook brings, another that would poll, at once or standing by, is refused with words."""
    app.start(poll=False)
    for other in (second, Runtime(bot, state=tmp_path / "bot.db", standby=True)):
        with pytest.raises(AlreadyRunning, match="polling and a webhook exclude each other"):
            other.start()
    app.stop()
    second.start()


def test_a_webhook_refuses_to_start_beside_polling(app: Runtime, second: Runtime) -> None:
    """While one process polls, another is refused that would be fed by a webhook; its requests are answered with 503 until the poller ends."""
    app.start()
    with pytest.raises(AlreadyRunning, match="another process polls"):
        second.start(poll=False)
    hook = second.wsgi("/hook", SECRET)
    assert call(hook, body_of(2)).status == 503
    app.stop()
    assert call(second.wsgi("/hook", SECRET), body_of(2)).status == 200
    assert second.health()["running"] is True


def test_the_mode_of_an_earlier_run_does_not_count(app: Runtime, second: Runtime) -> None:
    """Whoever takes the free lock may do either, whatever the last one did; and several for a webhook stand by for each other."""
    app.start()
    app.stop()
    app.start(poll=False)
    second.start(poll=False)
    assert (app.health()["running"], second.health()["standby"]) == (True, True)


def test_a_holder_is_given_time_to_say_what_it_does(bot: Bot, tmp_path: Path) -> None:
    """Who finds the lock taken, and in the state file what the run before did, looks again until the holder has written its own mode, and stands by then."""
    path = tmp_path / "mode.db"

    class Stop(threading.Event):
        """The holder writes its mode while the other one waits."""

        def wait(self, timeout: float | None = None) -> bool:
            write_mode(store, poll=True)
            return False

    def stands_by() -> bool:
        write_mode(store, poll=False)
        with contextlib.suppress(AlreadyRunning):  # the machine may have held it up for longer than the holder is given
            return not join_in(BotLock(holder.path), path, bot.id, Stop(), poll=True, standby=True)
        return False

    holder = BotLock(tmp_path / "mode.lock")
    assert holder.acquire()
    try:
        with open_store(path, bot.id) as store:
            assert any(stands_by() for _ in range(4))
    finally:
        holder.release()


def test_two_starts_in_one_process_are_refused(app: Runtime) -> None:
    """A second start of the same runtime is a RuntimeError with words, in either mode."""
    app.start(poll=False)
    for poll in (True, False):
        with pytest.raises(RuntimeError, match="started already"):
            app.start(poll=poll)


def test_a_start_that_fails_leaves_a_later_one_alone(app: Runtime, second: Runtime, bot: Bot) -> None:
    """While one thread's start fails, another thread starts the same runtime: that one runs on, and can be stopped."""
    ends: list[threading.Event] = []

    class Ended(threading.Event):
        """In the place of the first session's `done`: the other thread starts as soon as it is set."""

        def set(self) -> None:
            super().set()
            if not ends:
                ends.append(self)
                second.stop()
                late.start()

    class Late(Lifecycle):
        """A runtime's lifecycle whose sessions tell of their end."""

        def make_session(self, notifier: ServiceNotifier, *, poll: bool) -> Session:
            session = super().make_session(notifier, poll=poll)
            session.done = Ended()
            return session

    late = Late(bot, app.routes, app.job_functions, app._lifecycle.options)
    second.start(poll=False)
    with pytest.raises(AlreadyRunning):
        late.start()
    session = late.session
    assert session is not None
    assert session.health()["running"]
    late.stop()
    assert not session.health()["running"]


def test_a_webhook_at_telegram_is_said_to_a_poller(app: Runtime, bot: Bot, server: BotApiServer, caplog: pytest.LogCaptureFixture) -> None:
    """Where a webhook is set and nobody serves it here, a poller says so, and goes on as soon as it is removed."""
    bot.call("setWebhook", url="https://elsewhere.example/hook")
    seen = listen_to(app)
    app.start()
    eventually(lambda: "a webhook is set" in caplog.text + app.health()["last_error"])
    bot.call("deleteWebhook")
    server.user().send("polled")
    assert seen.wait(1, timeout=20) == ["polled"]


def test_what_others_store_is_handled_within_a_fifth_of_a_second(app: Runtime, start: Start, journal: Journal) -> None:
    """An update that one process takes is handled by the process that holds the lock, within 0.2 s in the middle of several tries."""
    holder = child(start, "webhook", journal)
    journal.wait("started")
    hook = app.wsgi("/hook", SECRET, start=False)
    numbers = itertools.count(1)

    def middle_of_nine() -> float:
        delays = []
        for number in itertools.islice(numbers, 9):
            assert call(hook, body_of(number, f"n{number}")).status == 200
            began = time.monotonic()
            assert journal.wait(f"n{number}") == holder.process.pid
            delays.append(time.monotonic() - began)
        return sorted(delays)[4]

    assert soon(0.2, middle_of_nine)


def test_another_process_takes_over_from_a_killed_one(bot: Bot, tmp_path: Path, start: Start, journal: Journal) -> None:
    """When the holder is killed in a handler, another process handles that update again and goes on in the chat's order, in less than 5 s."""
    numbers = itertools.count(1)

    def take_over() -> float:
        first = child(start, "webhook", journal)
        eventually(lambda: (first.process.pid, "started") in journal.lines)
        app = Runtime(bot, state=tmp_path / "bot.db")
        hook = app.wsgi("/hook", SECRET)
        second = listen_to(app)
        hang = f"hang{first.process.pid}"
        try:
            for text in ("one", hang, "three"):
                assert call(hook, body_of(next(numbers), text)).status == 200
            journal.wait(hang)
            assert second.texts == []
            began = time.monotonic()
            first.send(signal.SIGKILL)
            assert second.wait(2) == [hang, "three"]
            assert app.health()["running"] is True
            return time.monotonic() - began
        finally:
            app.stop()

    assert soon(5.0, take_over)


def test_a_poller_that_stands_by_takes_over(start: Start, journal: Journal, server: BotApiServer, bot: Bot, tmp_path: Path) -> None:
    """Several pollers beside each other: exactly one polls, and the one that stands by goes on when it is killed, in less than 5 s."""
    user = server.user()

    def take_over() -> float:
        first = child(start, "poll", journal)
        user.send("one")
        eventually(lambda: (first.process.pid, "one") in journal.lines)
        standing_by = Runtime(bot, state=tmp_path / "bot.db", standby=True)
        seen = listen_to(standing_by)
        standing_by.start()
        try:
            assert standing_by.health()["standby"] is True
            first.send(signal.SIGKILL)
            began = time.monotonic()
            user.send("two")
            assert seen.wait(1)[-1] == "two"
            return time.monotonic() - began
        finally:
            standing_by.stop()

    assert soon(5.0, take_over)


def test_process_takes_what_others_have_parsed(app: Runtime) -> None:
    """`process` takes a mapping, text and bytes; what is no update is a ValueError; twice the same is handled once."""
    seen = listen_to(app)
    app.start(poll=False)
    app.process(update(1, "mapping"))
    app.process(body_of(2, "text").decode())
    app.process(body_of(3, "bytes"))
    app.process(update(1, "mapping"))
    app.process(update(4, "last"))
    assert seen.wait(4) == ["mapping", "text", "bytes", "last"]
    for wrong in ({}, {"update_id": "1"}, {"update_id": 1, "x": float("nan")}, {"update_id": 1, "x": object()}, "\udc80", b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            app.process(wrong)


def test_what_comes_as_the_runtime_ends_is_taken(app: Runtime, tmp_path: Path) -> None:
    """The runtime ends between two steps of taking an update: it is stored, and whoever brought it hears of no failure."""
    app.start(poll=False)
    session = app._lifecycle.session
    assert session is not None

    class EndsMeanwhile(threading.Event):
        """In the place of the session's `done`: the session ends right after somebody has seen that it goes on."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks > 1

    done, session.done = session.done, EndsMeanwhile()
    app.process(update(1))
    session.done = done
    app.stop()
    with open_store(tmp_path / "bot.db", app.bot.id) as store:
        assert store.inbox.store([incoming_from(update(1))]) == 0  # it is known


def test_what_comes_while_a_failed_runtime_ends_is_taken(app: Runtime) -> None:
    """An error has ended the runtime, and a handler keeps it from having ended: updates are stored meanwhile, and it is started anew afterwards."""
    go_on, seen = threading.Event(), threading.Event()

    @app.message()
    def hang(update: object, context: object) -> None:
        seen.set()
        go_on.wait(30.0)

    hook = app.wsgi("/hook", SECRET)
    assert call(hook, body_of(1)).status == 200
    assert seen.wait(30.0)
    session = app._lifecycle.session
    assert session is not None
    session.fail(StorageError("the disk is gone"))
    app.ensure_started()
    app.process(update(2))
    assert not session.done.is_set()
    go_on.set()
    assert session.done.wait(30.0)
    app.ensure_started()
    assert app.health()["running"]


def test_strangers_reach_no_handler(bot: Bot, tmp_path: Path) -> None:
    """With allowed users set, what others send is acknowledged and goes nowhere, in threads and within the request."""
    app = Runtime(bot, state=tmp_path / "bot.db", allowed_users={42})
    seen = listen_to(app)
    assert app.handle(update(1, "stranger", chat=7)).exit_code == 0
    app.start(poll=False)
    app.process(update(2, "stranger", chat=7))
    app.process({"update_id": 3, "poll": {"id": "1"}})
    app.process(update(4, "owner", chat=42))
    try:
        assert seen.wait(1) == ["owner"]
        eventually(lambda: app.health()["handled"] == 3)
    finally:
        app.stop()
    assert seen.texts == ["owner"]


def test_what_a_webhook_brings_is_counted(app: Runtime, second: Runtime) -> None:
    """The runtime that handles counts what it received since its start, in this process and in others; a repeated update is none."""
    listen_to(app)
    app.process(update(1))
    app.start(poll=False)
    second.start(poll=False)
    assert call(app.wsgi("/hook", SECRET, start=False), body_of(2)).status == 200
    for number in (2, 3, 4):
        second.process(update(number))
    eventually(lambda: app.health()["handled"] == 4)
    assert app.health()["received"] == 3
    assert second.health()["standby"] is True


def test_a_forked_process_begins_anew(app: Runtime, tmp_path: Path) -> None:
    """A child forked from a process that handles shares nothing with it: what it takes is stored, and handled by the parent."""
    seen = listen_to(app)
    hook = app.wsgi("/hook", SECRET)
    call(hook, body_of(1, "parent"))
    seen.wait(1)
    child_id = os.fork()
    if child_id == 0:
        status = 1
        try:
            status = 0 if call(hook, body_of(2, "child")).status == 200 and app.health()["running"] is False else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child_id, 0)[1]) == 0
    assert seen.wait(2) == ["parent", "child"]


def test_a_damaged_state_file_is_said_and_nothing_is_acknowledged(bot: Bot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the state file cannot be used, requests are answered with 503, and the log says once how to mend it."""
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 1000)
    app = Runtime(bot, state=tmp_path / "broken.db")
    hook = app.wsgi("/hook", SECRET)
    assert [call(hook, body_of(number)).status for number in (1, 2, 3)] == [503] * 3
    assert len([record for record in caplog.records if "updates cannot be taken" in record.getMessage()]) == 1
    with pytest.raises(StorageError):
        app.process(update(1))


# ── one update, here and now ─────────────────────────────────────────────────────────────────────────────────────────


def test_handle_returns_when_it_is_done_and_leaves_no_thread(app: Runtime) -> None:
    """`handle` runs the handler in the calling thread, starts no other, and leaves the lock and the file free."""
    ran: list[threading.Thread] = []
    app.message()(lambda update, context: ran.append(threading.current_thread()))
    before = set(threading.enumerate())
    summary = app.handle(update(1))
    assert ran == [threading.current_thread()]
    assert (summary.received, summary.handled, summary.failed, summary.left, summary.exit_code) == (1, 1, 0, 0, 0)
    assert becomes(lambda: set(threading.enumerate()) <= before)
    assert app.handle(update(1)).handled == 0
    assert app.handle(body_of(2)).handled == 1


def test_handle_remembers_between_calls(app: Runtime) -> None:
    """Data and states live in the state file from one call to the next."""

    @app.message()
    def count(update: object, context: object) -> None:
        context.chat_data["n"] = context.chat_data.get("n", 0) + 1  # type: ignore[attr-defined]  # a Context

    for number in range(1, 4):
        app.handle(update(number))
    with open_store(app.state, None) as store:
        assert store.data.load(Scope.CHAT, 7) == {"n": 3}


def test_handle_buries_what_fails(app: Runtime) -> None:
    """A handler that raises sends its update to the dead letters and not to the caller; so does one that asks and cannot be put aside."""
    app.message(durable=False)(lambda update, context: context.ask("?"))
    assert app.handle(update(1)).failed == 1
    with open_store(app.state, None) as store:
        [letter] = store.dead_letters.entries()
    assert "use context.state" in letter.reason


def test_handle_goes_on_with_what_a_killed_call_left(app: Runtime) -> None:
    """What an earlier call stored and did not handle is handled first."""
    seen = listen_to(app)
    app.process(update(1, "left behind"))
    assert app.handle(update(2, "new")).handled == 2
    assert seen.texts == ["left behind", "new"]


def test_handle_stops_at_its_time_and_leaves_the_rest(app: Runtime) -> None:
    """When the time is up no other update is begun, and the summary says what is left."""
    seen = listen_to(app)
    for number in range(1, 4):
        app.process(update(number, str(number)))
    summary = app.handle(update(4, "4"), max_seconds=0.0)
    assert (summary.handled, summary.left, summary.exit_code) == (1, 3, 75)
    assert app.handle(update(4, "4")).handled == 3
    assert seen.texts == ["1", "2", "3", "4"]


def test_handle_beside_a_process_that_handles(app: Runtime, second: Runtime) -> None:
    """Where another process holds the lock, the update is stored, that process handles it, and `handle` returns when it has."""
    seen = listen_to(app)
    app.start(poll=False)
    summary = second.handle(update(1, "by the other"))
    assert seen.wait(1) == ["by the other"]
    assert (summary.handled, summary.error != "") == (0, True)
    with pytest.raises(RuntimeError, match="process"):
        app.handle(update(2))


def test_calls_of_handle_at_once_take_turns(app: Runtime) -> None:
    """Several calls at the same time handle everything once, one after the other."""
    running, most = [0], [0]
    lock = threading.Lock()
    seen = []

    def note(update: object, context: object) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        seen.append(context.chat_id)  # type: ignore[attr-defined]  # a Context
        with lock:
            running[0] -= 1

    app.message()(note)
    threads = [threading.Thread(target=app.handle, args=(update(number, chat=number),)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 9))
    assert most == [1]


def test_handle_in_memory(bot: Bot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a state file an update is handled all the same; nothing is remembered."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app = Runtime(bot, state=None)
    seen = listen_to(app)
    assert app.handle(update(1, "once")).handled == 1
    assert seen.texts == ["once"]
