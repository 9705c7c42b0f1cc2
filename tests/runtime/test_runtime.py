"""The runtime from its start to its stop."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, Seen, becomes, logged, make_bot, own_threads, program_arguments, running
from kits.timing_kit import soon, took
from kits.user_kit import as_ordinary_user

from syncbot.errors import AlreadyRunning, ConfigError, StorageError, Unauthorized
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import StoreOptions, open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer

MakeApp = Callable[..., Runtime]


def echo(app: Runtime, seen: Seen | None = None) -> Seen:
    """Let it say back what it is told."""
    found = seen or Seen()

    @app.message(filters.TEXT)
    def say_back(update: Any, context: Context) -> None:
        context.reply(update.message.text)
        found.add(update.message.text)

    return found


# ── the main job ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bot_answers_in_order_and_confirms(server: BotApiServer, make_app: MakeApp) -> None:
    """Messages are answered in the order in which they came, and confirmed."""
    app, user = make_app(), server.user(id=42)
    echo(app)
    with running(app):
        texts = [f"m{n}" for n in range(20)]
        last = [user.send(text) for text in texts][-1]
        user.wait_for("m19", timeout=SECONDS)
        server.wait_confirmed(last, timeout=SECONDS)
    assert [message.text for message in user.messages] == texts


def test_it_can_be_started_again_after_a_stop(server: BotApiServer, make_app: MakeApp) -> None:
    """After a stop, a start goes on where it stopped."""
    app, user = make_app(), server.user(id=42)
    echo(app)
    for n in range(3):
        user.send(f"before {n}")
        with running(app):
            user.wait_for(f"before {n}", timeout=SECONDS)
        assert not app.health()["running"]
    assert [message.text for message in user.messages] == ["before 0", "before 1", "before 2"]


def test_allowed_users_come_from_the_environment(server: BotApiServer, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """ALLOWED_TELEGRAM_USER_ID is honoured: anybody else goes nowhere, and is confirmed all the same."""
    monkeypatch.setenv("ALLOWED_TELEGRAM_USER_ID", "42,43")
    app = make_app()
    seen = echo(app)
    with running(app):
        server.user(id=7).send("from a stranger")
        server.user(id=43).send("from a friend")
        seen.wait("from a friend")
        assert becomes(lambda: not server.pending_updates)
        assert becomes(lambda: app.health()["handled"] == 2)
    assert seen.texts == ["from a friend"]
    assert [message.text for message in server.sent] == ["from a friend"]


def test_allowed_users_set_but_empty_is_refused(server: BotApiServer, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is set but empty would lock everybody out, or let everybody in: it is an error."""
    with pytest.raises(ConfigError, match="allowed_users"):
        make_app(allowed_users=())
    monkeypatch.setenv("ALLOWED_TELEGRAM_USER_ID", "")
    with pytest.raises(ConfigError, match="ALLOWED_TELEGRAM_USER_ID"):
        make_app()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"poll_wait": 0}, {"poll_wait": 51}, {"asks": "never"}, {"interrupted": "never"}])
def test_wrong_options_are_named(make_app: MakeApp, wrong: dict[str, Any]) -> None:
    """An option that cannot be is refused with its name."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        make_app(**wrong)


def test_the_state_file_is_found_by_its_setting(server: BotApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `state=` the file is SYNCBOT_STATE, else `<bot id>.db` in the user's state folder."""
    bot = make_bot(server)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app = Runtime(bot)
    assert app.state is not None
    assert app.state.name == f"{bot.id}.db"
    assert tmp_path in app.state.parents
    monkeypatch.setenv("SYNCBOT_STATE", str(tmp_path / "other.db"))
    assert Runtime(bot).state == tmp_path / "other.db"
    assert Runtime(bot, state=None).state is None


def test_the_state_file_is_private(make_app: MakeApp) -> None:
    """Nobody else may read the state file."""
    app = make_app()
    with running(app):
        assert app.state is not None
        assert stat.S_IMODE(app.state.stat().st_mode) == 0o600


# ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_start_is_refused(make_app: MakeApp) -> None:
    """A runtime that runs cannot be started again, and goes on unharmed."""
    app = make_app()
    with running(app):
        with pytest.raises(RuntimeError, match="already"):
            app.start()
        with pytest.raises(RuntimeError, match="already"):
            app.run_once()
        assert app.health()["running"]


def test_many_threads_that_start_at_once_start_one(make_app: MakeApp) -> None:
    """Of eight starts at the same moment one succeeds."""
    app, barrier = make_app(), threading.Barrier(8)
    outcomes = Seen()

    def start() -> None:
        barrier.wait()
        try:
            app.start()
        except RuntimeError:
            outcomes.add("refused")
        else:
            outcomes.add("started")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.texts) == ["refused"] * 7 + ["started"]
    assert len([name for name in own_threads() if name == "syncbot-poller"]) <= 1


def test_another_runtime_of_the_same_bot_is_refused(make_app: MakeApp) -> None:
    """Two runtimes of one bot in one process: the second says who is in its way, and the first goes on."""
    first, second = make_app(), make_app()
    with running(first):
        with pytest.raises(AlreadyRunning, match="stop it first"):
            second.start()
        with pytest.raises(AlreadyRunning):
            second.run_once()
        assert first.health()["running"]
    with running(second):
        assert second.health()["running"]


def _corrupt(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + os.urandom(8000))


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()


def _of_another_bot(path: Path) -> None:
    open_store(path, 1).close()


def _newer(path: Path) -> None:
    open_store(path, int(TEST_TOKEN.partition(":")[0])).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def _a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [_corrupt, _foreign, _of_another_bot, _newer, _a_folder])
@pytest.mark.parametrize("once", [False, True])
def test_a_file_that_cannot_be_used_is_told_before_the_first_poll(
    server: BotApiServer, make_app: MakeApp, tmp_path: Path, spoil: Callable[[Path], None], once: bool
) -> None:
    """A corrupt, foreign or newer file is a clear error; nothing was polled, and neither lock nor thread stays."""
    spoil(tmp_path / "bot.db")
    app = make_app()
    with pytest.raises(StorageError, match=r"bot\.db"):
        app.run_once() if once else app.start()
    assert server.count("getUpdates") == 0
    assert becomes(lambda: not own_threads())
    assert app.join(0.1), "a start that failed has ended"
    assert not app.health()["running"]
    (tmp_path / "bot.db").rename(tmp_path / "away")
    for leftover in tmp_path.glob("bot.db-*"):
        leftover.unlink()
    with running(app):
        assert app.health()["running"]


def test_a_locked_file_is_told_before_the_first_poll(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """A file that another program holds locked is a clear error after the time that one may wait for it."""
    open_store(tmp_path / "bot.db", int(TEST_TOKEN.partition(":")[0])).close()
    holder = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        app = make_app(store_options=StoreOptions(busy_timeout=0.2))
        with pytest.raises(StorageError, match="locked by another program"):
            app.start()
        assert server.count("getUpdates") == 0
    finally:
        holder.close()
    with running(app):
        assert app.health()["running"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_cannot_be_written_is_told_before_the_first_poll(server: BotApiServer, what: str) -> None:
    """A read-only file, or a read-only folder, is a clear error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        open_store(folder / "bot.db", int(TEST_TOKEN.partition(":")[0])).close()
        (folder / "bot.db").chmod(0o444)
        folder.chmod(0o555 if what == "folder" else 0o777)
        app = Runtime(make_bot(server), state=folder / "bot.db")
        with as_ordinary_user(), pytest.raises(StorageError, match=r"bot\.db"):
            app.start()
        folder.chmod(0o755)
        assert becomes(lambda: not own_threads())
    assert server.count("getUpdates") == 0


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_ends_a_long_poll_at_once_and_lets_a_send_finish(server: BotApiServer, make_app: MakeApp) -> None:
    """stop() during a 50 s poll returns in under 0.5 s, and does not end a handler's send that is under way."""
    app, user = make_app(), server.user(id=42)
    outcome = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("slow")
        outcome.add("sent")

    def stop_in_a_poll() -> float:
        polls = server.count("getUpdates")
        app.start()
        server.wait_count("getUpdates", polls + 1)
        return took(app.stop)

    def stop_in_a_send() -> float:
        sent, polls = server.count("sendMessage"), server.count("getUpdates")
        server.script("sendMessage", Answer.normal().after(0.3))
        app.start()
        user.send("hi")
        server.wait_count("sendMessage", sent + 1)
        server.wait_count("getUpdates", polls + 2)
        seconds = took(app.stop)
        assert outcome.texts == ["sent"] * (sent + 1)
        assert len(user.messages) == sent + 1
        return seconds

    assert soon(0.5, stop_in_a_poll)
    assert soon(0.8, stop_in_a_send)
    assert app.run_once().handled == 0, "it was finished by then"


@pytest.mark.parametrize("times", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_two_hundred_starts_and_stops_with_traffic_lose_nothing(server: BotApiServer, make_app: MakeApp, times: int) -> None:
    """Stops at any moment: every message is handled, and answered once, for each handler was given its time."""
    app = make_app(workers=2)
    seen = echo(app)
    users = [server.user(id=100 + n) for n in range(5)]
    sent = 0
    for round_ in range(times):
        for user in users[: round_ % 4]:
            user.send(f"t{sent}")
            sent += 1
        app.start()
        if round_ % 3 == 1 and sent:
            seen.wait_number(max(1, sent - 3))
        if round_ % 5 == 0:
            app.stop(grace=SECONDS)
            app.stop()
        else:
            app.stop()
    with running(app):
        seen.wait_number(sent)
        assert becomes(lambda: not server.pending_updates)
        assert becomes(lambda: app.health()["queue"] + app.health()["in_flight"] == 0)
        assert app.health()["dead_letters"] == 0
    assert sorted(seen.texts) == sorted(f"t{n}" for n in range(sent))


def test_stops_from_many_threads_all_return(server: BotApiServer, make_app: MakeApp) -> None:
    """A stop from each of eight threads at once: all return after the end."""
    app = make_app()
    app.start()
    server.wait_polled()
    ended = Seen()

    def stop() -> None:
        app.stop()
        ended.add("open" if app.health()["running"] else "ended")

    threads = [threading.Thread(target=stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert ended.texts == ["ended"] * 8
    assert becomes(lambda: not own_threads())


def test_a_stop_in_a_handler_returns_and_ends_the_runtime(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler may stop the runtime: its own update is finished, and what comes after it waits."""
    app, user, seen = make_app(), server.user(id=42), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)
        app.stop()
        with pytest.raises(RuntimeError, match="cannot wait"):
            app.join()

    user.send("one")
    user.send("two")
    app.start()
    assert app.join(SECONDS)
    assert seen.texts == ["one"]
    assert app.run_once().received + 1 >= 1
    assert seen.texts[:2] == ["one", "two"]


def test_a_stop_from_a_thread_of_a_handler_waits_for_the_end(server: BotApiServer, make_app: MakeApp) -> None:
    """A thread that a handler has started is not the runtime's: its stop waits for the handler."""
    app, seen, go_on = make_app(), Seen(), threading.Event()

    def stop() -> None:
        app.stop()
        seen.add("stopped")

    @app.message()
    def handler(update: Any, context: Context) -> None:
        thread = threading.Thread(target=stop)
        thread.start()
        threads.append(thread)
        go_on.wait(SECONDS)
        seen.add("handled")

    threads: list[threading.Thread] = []
    server.user(id=42).send("hi")
    app.start()
    assert becomes(lambda: threads and app.health().get("ok") is False)
    go_on.set()
    threads[0].join(SECONDS)
    assert seen.texts == ["handled", "stopped"]


def test_one_runtime_stops_another_from_a_handler(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """A handler that stops another runtime waits for that one's end."""
    with BotApiServer("1234:other-token-of-some-length-here-xx", any_chat=True) as other_server:
        app, other = make_app(), Runtime(make_bot(other_server), state=tmp_path / "other.db")
        seen = Seen()

        @app.message()
        def handler(update: Any, context: Context) -> None:
            other.stop()
            seen.add(str(other.health()["running"]))

        other.start()
        with running(app):
            server.user(id=42).send("stop the other")
            seen.wait("False")
        other.bot.close()


def test_a_hung_handler_is_left_behind_and_its_update_handled_again(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler that outlives its grace is left behind; its update is handled again at each start, and that is no death."""
    app, hang, seen = make_app(grace=0.2), threading.Event(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)
        hang.wait()

    server.user(id=42).send("hi")
    for round_ in range(4):  # one more than the deaths after which an update is buried
        with logged() as log:
            app.start()
            seen.wait_number(round_ + 1)
            began = time.monotonic()
            app.stop()
            assert time.monotonic() - began < 15.0, "the handler would hang for ever"
            assert log.count("did not end in time") == 1
            assert log.count("last run ended") == 0
        assert own_threads() != [], "the hung handler's thread is still there"
    hang.set()
    assert becomes(lambda: not own_threads())
    summary = app.run_once()
    assert (summary.handled, summary.left) == (1, 0)
    with open_store(app.state, None) as store:
        assert store.dead_letters.count() == 0


def test_what_a_handler_left_behind_does_counts_no_more(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler that returns after it was given up neither ends the update's second handling nor harms the next session."""
    app, hang, seen = make_app(grace=0.1), threading.Event(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        first = not seen.texts
        seen.add(update.message.text)
        if first:
            hang.wait()
            context.chat_data["from"] = "the past"

    server.user(id=42).send("hi")
    app.start()
    seen.wait_number(1)
    app.stop()
    with running(app):
        seen.wait_number(2)
        hang.set()
        assert becomes(lambda: app.health()["handled"] == 1)
        assert becomes(lambda: len([name for name in own_threads() if "worker" in name]) == 4)
        assert app.health()["running"]
    with open_store(app.state, None) as store:
        assert store.data.load("chat", 42) == {}  # type: ignore[arg-type]  # the scope is a StrEnum
        assert store.dead_letters.count() == 0


def test_a_longer_grace_can_be_given(server: BotApiServer, make_app: MakeApp) -> None:
    """stop(grace) wins over the runtime's own grace, in both directions."""
    app, go_on, seen = make_app(grace=0.1), threading.Event(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add("begun")
        go_on.wait(3 * SECONDS)
        seen.add("ended")

    server.user(id=42).send("hi")
    app.start()
    seen.wait("begun")
    threading.Timer(0.6, go_on.set).start()
    app.stop(grace=2 * SECONDS)
    assert seen.texts == ["begun", "ended"]
    go_on.clear()
    server.user(id=42).send("again")
    app.start()
    seen.wait_number(3)
    began = time.monotonic()
    app.stop(grace=0.0)
    assert time.monotonic() - began < SECONDS
    go_on.set()


def test_with_runs_it_meanwhile(server: BotApiServer, make_app: MakeApp) -> None:
    """As a context manager a runtime runs to the end of the block."""
    with make_app() as app:
        server.wait_polled()
        assert app.store.bot_id == app.bot.id
    with pytest.raises(RuntimeError, match="does not run"):
        _ = app.store


def test_a_stop_that_was_never_started_does_nothing(make_app: MakeApp) -> None:
    """stop and join before any start return at once."""
    app = make_app()
    app.stop()
    assert app.join()
    assert app.health() == {"ok": False, "running": False, "standby": False}


# ── run and signals ──────────────────────────────────────────────────────────────────────────────────────────────────

_RUN = (
    PROGRAM
    + """
app = Runtime(bot, state=STATE, grace=30)
@app.message()
def handler(update, context):
    say("handling", update.message.text)
    if update.message.text == "hang":
        threading.Event().wait()
    context.reply("done")
app.run()
say("over", [t.name for t in threading.enumerate() if t.name.startswith("syncbot-") and t.name != "syncbot-watchdog"])
"""
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_run(server: BotApiServer, tmp_path: Path, number: int) -> None:
    """SIGINT and SIGTERM end `run` in order, and the program goes on after it."""
    with Process(_RUN, *program_arguments(server, tmp_path / "bot.db")) as process:
        server.wait_polled(SECONDS)
        process.signal(number)
        assert process.end() == (0, "over []\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 3), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_before_anything_has_begun_is_not_lost(server: BotApiServer, tmp_path: Path, number: int, code: int) -> None:
    """A signal that comes when `run` was called and has not begun ends the program as it would have before, and is not swallowed."""
    early = f"""
class Early(Bot):
    @property
    def types(self):
        signal.raise_signal({int(number)})
        return True
    @types.setter
    def types(self, value): pass
"""
    source = (
        f"{PROGRAM}\nimport signal\n{early}\nbot.__class__ = Early\n"
        + """
app = Runtime(bot, state=STATE)
threading.Timer(10.0, app.stop).start()
try:
    app.run()
except KeyboardInterrupt:
    os._exit(3)
"""
    )
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert process.end()[0] == code


def test_a_second_signal_forces(server: BotApiServer, tmp_path: Path) -> None:
    """A second signal does not wait for the grace of a handler that hangs."""
    server.user(id=42).send("hang")
    with Process(_RUN, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert process.line() == "handling hang"
        server.wait_polled(SECONDS)  # two signals that come before the program has looked are one: the end of this poll says that it has seen the first
        process.signal()
        server.wait_until(lambda: not server.is_polled, SECONDS)
        began = time.monotonic()
        process.signal()
        code, output, errors = process.end()
        assert time.monotonic() - began < 20.0, "its grace is longer"
        assert code == 0
        assert "over" in output
        assert "did not end in time" in errors


def test_a_second_signal_in_the_middle_of_the_first_hangs_nobody(server: BotApiServer, tmp_path: Path) -> None:
    """A second signal comes while the first one's event is being set, its lock held: the program ends."""
    source = (
        PROGRAM
        + """
import signal
def trace(frame, event, arg):
    caller = frame.f_back
    if frame.f_code.co_name == "__enter__" and caller.f_code.co_name == "set" and caller.f_back.f_code.co_name == "on_signal":
        return at_the_end
def at_the_end(frame, event, arg):
    if event == "return":
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGINT)
    return at_the_end
app = Runtime(bot, state=STATE)
sys.settrace(trace)
app.run()
say("over")
"""
    )
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        server.wait_polled(SECONDS)
        process.signal()
        code, output, errors = process.end()
    assert (code, output) == (0, "over\n"), errors


def test_a_signal_in_the_middle_of_the_start_is_not_lost(server: BotApiServer, tmp_path: Path) -> None:
    """A SIGTERM that comes while the state file is being opened ends the program."""
    source = (
        PROGRAM
        + """
import signal
def trace(frame, event, arg):
    if frame.f_code.co_name == "open" and frame.f_code.co_filename.endswith("session.py"):
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGTERM)
app = Runtime(bot, state=STATE)
sys.settrace(trace)
app.run()
say("over")
"""
    )
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        code, output, errors = process.end()
    assert (code, output) == (0, "over\n"), errors


def test_signals_are_put_back(server: BotApiServer, make_app: MakeApp) -> None:
    """`run` leaves the signals as they were, and `start` does not touch them."""
    app = make_app()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with running(app):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    def stop() -> None:
        assert becomes(lambda: app.health()["running"])
        app.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    app.run()
    thread.join()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_run_in_another_thread(server: BotApiServer, make_app: MakeApp) -> None:
    """`run` works in any thread, without signals there."""
    app = make_app()
    thread = threading.Thread(target=app.run)
    thread.start()
    server.wait_polled()
    app.stop()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_the_end_of_the_program_stops_a_started_runtime(server: BotApiServer, tmp_path: Path) -> None:
    """A program that ends without a stop ends its runtime in order: the running handler has its time."""
    source = (
        PROGRAM
        + """
app = Runtime(bot, state=STATE)
begun = threading.Event()
@app.message()
def handler(update, context):
    begun.set()
    threading.Event().wait(0.3)
    context.reply("done")
app.start()
begun.wait()
"""
    )
    user = server.user(id=42)
    user.send("hi")
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert process.end() == (0, "", "")
    assert user.wait_for("done").text == "done"
    with open_store(tmp_path / "bot.db", None) as store:
        assert store.inbox.counts().running == 0


# ── fatal errors ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_token_ends_the_program_with_clear_words(server: BotApiServer, tmp_path: Path) -> None:
    """Telegram's 401 stops the runtime: a clear line, and an exit code that is not 0."""
    url, _, state = program_arguments(server, tmp_path / "bot.db")
    with Process(_RUN, url, "123456789:WRONG-abcdefghijklmnopqrstuvwxyz012", state) as process:
        code, output, errors = process.end()
    assert code != 0
    assert output == ""
    assert "Telegram does not know the token" in errors
    assert "Unauthorized" in errors
    assert "WRONG" not in errors


def test_join_raises_what_ended_it(server: BotApiServer, make_app: MakeApp) -> None:
    """A runtime that ends by itself tells whoever joins it, again and again."""
    app = make_app()
    server.script("getUpdates", Answer.error(401, "Unauthorized"), times=None)
    app.start()
    for _ in range(2):
        with pytest.raises(Unauthorized):
            app.join(SECONDS)
    assert not app.health()["running"]
    assert becomes(lambda: not own_threads())
    server.clear_script()
    with running(app):
        server.wait_polled()


def test_a_state_file_that_vanishes_ends_it(server: BotApiServer, make_app: MakeApp) -> None:
    """A file that was deleted while in use ends the runtime before anything is confirmed that would be lost."""
    app = make_app()
    echo(app)
    app.start()
    server.wait_polled()
    assert app.state is not None
    app.state.unlink()
    server.user(id=42).send("hi")
    with pytest.raises(StorageError, match="deleted or replaced"):
        app.join(SECONDS)
    assert len(server.pending_updates) == 1


# ── a full disk ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_before_the_start_is_told(server: BotApiServer, tmp_path: Path) -> None:
    """Where there is no room even for an empty state file, it does not start, and says so."""
    source = PROGRAM + (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try:\n    Runtime(bot, state=STATE).start()\nexcept Exception as error:\n    say(type(error).__name__, error)\n"
        "say([t.name for t in threading.enumerate()])\n"
    )
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        code, output, errors = process.end()
    assert output.startswith("StorageError the"), (code, output, errors)
    assert output.endswith("['MainThread']\n")
    assert "Make room" in output or "make room" in output
    assert server.count("getUpdates") == 0


def test_on_a_full_disk_nothing_is_confirmed_and_it_goes_on_when_there_is_room(server: BotApiServer, make_app: MakeApp) -> None:
    """While polling: what cannot be stored is not confirmed, that is said once, and all is handled when there is room."""
    app = make_app()
    seen, user = echo(app), server.user(id=42)
    with logged() as log, running(app):
        server.wait_polled()
        store: Any = app.store
        store.limit_pages(1)
        texts = [f"{n} " + "x" * 4000 for n in range(30)]
        ids = [user.send(text) for text in texts]
        log.wait("updates cannot be stored, and are not confirmed")
        assert becomes(lambda: app.health()["failures"] >= 2)
        assert not app.health()["ok"]
        assert len(server.pending_updates) > 0
        store.limit_pages(None)
        seen.wait(*texts)
        server.wait_confirmed(ids[-1], timeout=SECONDS)
        assert becomes(lambda: app.health()["ok"])
        assert app.health()["dead_letters"] == 0
        assert log.count("updates cannot be stored") <= 2
    assert seen.texts == texts


def test_a_disk_that_fills_while_a_handler_ends_loses_nothing(server: BotApiServer, make_app: MakeApp) -> None:
    """While finishing: the worker waits for room, says so once, and the update is handled once."""
    app, user, seen, go_on = make_app(), server.user(id=42), Seen(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)
        go_on.wait(SECONDS)
        context.chat_data["long"] = "y" * 3_000_000

    with logged() as log, running(app):
        user.send("one")
        user.send("two")
        seen.wait("one")
        assert becomes(lambda: app.health()["queue"] == 1)
        store: Any = app.store
        store.limit_pages(1)
        go_on.set()
        log.wait("the state cannot be used")
        assert not app.health()["ok"]
        store.limit_pages(None)
        log.wait("the state can be used again")
        seen.wait("two")
        assert becomes(lambda: app.health()["handled"] == 2)
        assert log.count("the state cannot be used") == 1
        assert store.dead_letters.count() == 0
    assert seen.texts == ["one", "two"]


def test_a_stop_on_a_full_disk_ends(server: BotApiServer, make_app: MakeApp) -> None:
    """A stop while the disk is full ends in time; what was not recorded is handled again, and is not taken for deadly."""
    app, user, seen, go_on = make_app(), server.user(id=42), Seen(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)
        go_on.wait(SECONDS)
        context.chat_data["long"] = "y" * 3_000_000

    with logged() as log:
        user.send("one")
        app.start()
        seen.wait("one")
        store: Any = app.store
        store.limit_pages(1)
        go_on.set()
        log.wait("the state cannot be used")
        began = time.monotonic()
        app.stop()
        assert time.monotonic() - began < 15.0, "the grace is longer"
    assert app.run_once().handled == 1
    assert seen.texts == ["one", "one"]
