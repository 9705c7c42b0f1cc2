"""`syncbot monitor`: by the state file, by a log, once and live, with alerts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kits.storage_kit import bury

from syncbot.cli.monitor.alert import Alerts
from syncbot.cli.monitor.log_kinds import read_record
from syncbot.cli.monitor.log_watch import Follower, LogWatch
from syncbot.cli.monitor.look import Bounds, Look, span
from syncbot.cli.monitor.state_watch import StateWatch
from syncbot.runtime.session.health_note import FACTS
from syncbot.storage import Incoming, OutboxCall, Store, open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, User

Command = Callable[..., Any]
Terminal = Any

BOT_ID = int(TEST_TOKEN.partition(":")[0])


def word(**changes: Any) -> dict[str, Any]:
    """What a running bot has written about itself a moment ago."""
    now = time.time()
    said = {"ok": True, "running": True, "last_poll": now - 3, "polls": 12, "handled": 5, "failures": 1, "last_error": "", "every": 60.0}
    return {**said, "pid": os.getpid(), "host": socket.gethostname(), "started": now - 500, "at": now - 1, **changes}


@pytest.fixture
def state(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The state file that the commands use."""
    path = tmp_path / "bot.db"
    monkeypatch.setenv("SYNCBOT_STATE", str(path))
    return path


@pytest.fixture
def running(state: Path) -> Path:
    """The state file of a bot that is well."""
    write(state, lambda store: store.meta.set(FACTS, word()))
    return state


def write(state: Path, change: Callable[[Store], object], at: float | None = None) -> None:
    """Change a state file, as if at another time."""
    with open_store(state, BOT_ID, now=time.time if at is None else lambda: at) as store:
        change(store)


# ── by the state file ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bot_that_is_well(command: Command, running: Path) -> None:
    """One line says that all is well, and the exit code is 0."""
    ended = command("monitor", "--once")
    assert (ended.code, ended.err) == (0, "")
    [line] = ended.out.splitlines()
    assert " good last poll: " in line
    assert "lag: 0 s; queue: 0+0; handled: 5; dead letters: 0; outbox: 0 waiting, 0 uncertain, 0 failed; failures: 1" in line


@pytest.mark.parametrize(
    ("changes", "ago", "words"),
    [
        (None, 0, "no bot has run with this state yet"),
        ({"ok": False, "running": False}, 600, "the bot does not run: it was stopped 10 min ago"),
        ({}, 3600, "the bot has said nothing for 60 min: it hangs, or was killed"),
        ({"ok": False, "last_error": "the proxy is away"}, 1, "the bot is not well: the proxy is away"),
        ({"ok": False}, 1, "the bot is not well: handlers hang"),
    ],
    ids=["never", "stopped", "silent", "unwell", "hung"],
)
def test_a_bot_that_is_not_well(command: Command, state: Path, changes: dict[str, Any] | None, ago: float, words: str) -> None:
    """What the bot says about itself, or does not say any more, is told with the exit code 1."""
    said = None if changes is None else word(**changes, at=time.time() - ago)
    write(state, lambda store: store.meta.set(FACTS, said))
    ended = command("monitor", "--once")
    assert ended.code == 1
    assert f"| {words}" in ended.out
    assert " BAD " in ended.out


def test_a_killed_bot_is_noticed_at_once(command: Command, state: Path) -> None:
    """A process that is gone needs no waiting; one on another machine may be there."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write(state, lambda store: store.meta.set(FACTS, word(pid=gone.pid)))
    ended = command("monitor", "--once")
    assert ended.code == 1
    assert f"its process {gone.pid} ended without a word" in ended.out
    write(state, lambda store: store.meta.set(FACTS, word(pid=gone.pid, host="elsewhere")))
    assert command("monitor", "--once").code == 0


@pytest.mark.parametrize(("last", "words"), [({"running": False, "ok": False}, "it was stopped"), ({"pid": os.getpid()}, "")], ids=["stopped", "restarted"])
def test_a_bot_that_stops_while_it_is_looked_at_was_not_killed(running: Path, last: dict[str, Any], words: str) -> None:
    """Its process ends after its word was read: the word that it left, or that of the next process, counts."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    said = [word(pid=process.pid), word(**{"pid": process.pid, **last})]

    with open_store(running, None) as store:

        class Ending:
            """The state file of a bot that ends after its first word was read."""

            meta = SimpleNamespace(get=lambda name: said.pop(0) if len(said) > 1 else said[0])

            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

        troubles = StateWatch(cast(Store, Ending()), None, Bounds()).look(time.time()).troubles
    assert len(troubles) == bool(words)
    assert words in "".join(troubles)


def test_a_bot_that_cron_starts(command: Command, state: Path) -> None:
    """A bot that runs now and then is well between its runs; --max-silence says how long a run may be missing."""
    write(state, lambda store: store.meta.set(FACTS, word(ok=False, running=False, once=True, at=time.time() - 900)))
    assert command("monitor", "--once").code == 0
    ended = command("monitor", "--once", "--max-silence", "600")
    assert (ended.code, "the last run from cron ended 15 min ago" in ended.out) == (1, True)


def test_what_waits_too_long(command: Command, running: Path) -> None:
    """Updates that wait, a long queue and a stuck outbox are bad, each by its bound."""
    write(running, lambda store: store.inbox.store([Incoming(n, "a", b"{}") for n in range(3)]), at=time.time() - 100)
    write(running, lambda store: store.outbox.put(OutboxCall("sendMessage", {"chat_id": "1", "text": "a"}, "1")), at=time.time() - 1000)
    ended = command("monitor", "--once", "--max-queue", "2")
    assert ended.code == 1
    assert re.search(r"an update has been waiting for 1[0-2]\d s; 3 updates wait; a call in the outbox has been waiting for 17 min", ended.out), ended.out
    assert command("monitor", "--once", "--max-lag", "200").code == 0


def test_new_dead_letters_are_bad_for_a_while(command: Command, running: Path) -> None:
    """Handlers that have failed lately are bad; those of yesterday are only counted."""

    def bury_one(store: Store) -> None:
        store.inbox.recover()
        store.inbox.store([Incoming(1, "a", b"{}")])
        bury(store.inbox, store.inbox.claim()[0], "it failed")

    write(running, bury_one, at=time.time() - 86_400)
    ended = command("monitor", "--once")
    assert (ended.code, "dead letters: 1" in ended.out) == (0, True)
    write(running, lambda store: store.inbox.store([Incoming(2, "a", b"{}")]))

    def bury_now(store: Store) -> None:
        store.inbox.recover()
        bury(store.inbox, store.inbox.claim()[0], "it failed")

    write(running, bury_now)
    ended = command("monitor", "--once")
    assert (ended.code, "1 went to the dead letters in the last 5 min" in ended.out) == (1, True)


def test_the_heartbeat(command: Command, running: Path, tmp_path: Path) -> None:
    """A heartbeat that is old, or not there, is bad."""
    beat = tmp_path / "heartbeat"
    assert "no heartbeat: " in command("monitor", "--once", "--heartbeat", str(beat)).out
    beat.touch()
    assert command("monitor", "--once", "--heartbeat", str(beat)).code == 0
    os.utime(beat, (time.time() - 100, time.time() - 100))
    ended = command("monitor", "--once", "--heartbeat", str(beat))
    assert ended.code == 1
    assert re.search(r"no heartbeat for 1[0-2]\d s", ended.out), ended.out


def test_a_look_as_json(command: Command, running: Path) -> None:
    """--json tells everything in one object."""
    ended = command("monitor", "--once", "--json")
    look = json.loads(ended.out)
    assert (look["good"], look["troubles"], look["running"], look["queue"], look["dead_letters"]) == (True, [], True, 0, 0)
    assert look["said"]["polls"] == 12
    assert set(look["outbox"]) == {"queued", "claimed", "sending", "uncertain", "failed"}


def test_no_state_file(command: Command, state: Path) -> None:
    """Where there is no state file none is made, and the line says how to name one."""
    ended = command("monitor", "--once")
    assert (ended.code, ended.out) == (78, "")
    assert "there is no state file" in ended.err
    assert not state.exists()


def test_a_real_bot(command: Command, state: Path, server: BotApiServer) -> None:
    """A runtime that runs is well, its polls are counted; when it was stopped it is not."""
    from syncbot import Bot, Runtime

    with Bot(TEST_TOKEN, base_url=server.url, proxies=["direct"]) as bot:
        with Runtime(bot, state=state, poll_wait=1):
            server.wait_polled()
            end = time.monotonic() + 60
            while '"running":true' not in (ended := command("monitor", "--once", "--json")).out and time.monotonic() < end:
                pass
            assert ended.code == 0
        ended = command("monitor", "--once")
        assert ended.code == 1
        assert re.search(r"the bot does not run: it was stopped \d+ s ago", ended.out), ended.out


# ── live ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_live_view(terminal: Callable[..., Terminal], running: Path) -> None:
    """On a terminal the picture is drawn over itself, shows what changes, and Ctrl-C ends it with 130."""
    view = terminal("monitor", "--interval", "0.2")
    view.wait_for("Ctrl-C ends the view")
    assert "\x1b[32m good \x1b[0m" in view.screen
    write(running, lambda store: store.meta.set(FACTS, word(ok=False, last_error="the proxy is away")))
    view.wait_for("\x1b[31m BAD \x1b[0m")
    view.wait_for("! the bot is not well: the proxy is away")
    assert "\x1b[10F" in view.screen or "\x1b[11F" in view.screen
    view.type("\x03")
    assert view.wait() == 130


def test_lines_in_a_pipe(environment: dict[str, str], running: Path) -> None:
    """In a pipe each look is one line without colours, as long as somebody reads; then it ends with 141."""
    program = [sys.executable, "-c", "from syncbot.cli import main; main()", "monitor", "--interval", "0.1"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert all(b" good last poll" in line and b"\x1b" not in line for line in lines)


def test_a_signal_ends_it(environment: dict[str, str], running: Path) -> None:
    """SIGINT in a pipe is 130, with a word and no traceback."""
    program = [sys.executable, "-c", "from syncbot.cli import main; main()", "monitor", "--json", "--interval", "0.1"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"syncbot: interrupted\n")


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stamp(ago: float = 0.0) -> str:
    """A time as logging writes it."""
    return datetime.fromtimestamp(time.time() - ago).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]


POOL = "telegram.error.TimedOut: Pool timeout: All connections in the connection pool are occupied. Request was *not* sent to Telegram."


def test_a_log_that_is_well(command: Command, tmp_path: Path, environment: dict[str, str]) -> None:
    """A log of polls that are answered is well, and they are counted."""
    log = tmp_path / "bot.log"
    polls = [f'{stamp(n)} - httpx - INFO - HTTP Request: POST https://api.telegram.org/bot1:x/getUpdates "HTTP/1.1 200 OK"\n' for n in range(10)]
    log.write_text("".join(reversed(polls)))
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, "polls: 2.0/min" in ended.out, "failures: none" in ended.out) == (0, True, True)


def test_pool_timeout_is_called_out(command: Command, tmp_path: Path, environment: dict[str, str]) -> None:
    """One "Pool timeout" of python-telegram-bot is bad: its slots do not come back. It counts once, traceback and all."""
    log = tmp_path / "bot.log"
    log.write_text(
        f"{stamp()} - telegram.ext.Updater - ERROR - Exception happened while polling for updates.\n"
        f'Traceback (most recent call last):\n  File "x.py", line 1\nhttpx.PoolTimeout\n\nThe above exception was the direct cause\n{POOL}\n'
    )
    ended = command("monitor", "--once", "--log-file", str(log), "--json")
    look = json.loads(ended.out)
    assert ended.code == 1
    assert look["failures_a_minute"] == {"pool timeout": 0.2}
    assert '"Pool timeout" (1 in 5 min)' in look["troubles"][0]


def test_many_connection_errors_are_bad(command: Command, tmp_path: Path, environment: dict[str, str]) -> None:
    """More failures a minute than allowed are bad, and the kind is named; old ones do not count; the token is not shown."""
    log = tmp_path / "bot.log"
    error = (
        "(__init__.py:1121 MainThread) ERROR - TeleBot: \"Infinity polling exception: HTTPSConnectionPool(host='api.telegram.org', port=443): "
        f"Max retries exceeded with url: /bot{TEST_TOKEN}/getUpdates (Caused by ProxyError('Unable to connect to proxy'))\""
    )
    old = "".join(f"{stamp(2000)} {error}\n" for _ in range(500))
    log.write_text(old + f"{stamp()} {error}\n")
    assert command("monitor", "--once", "--log-file", str(log)).code == 0
    log.write_text(old + f"{stamp()} {error}\n" * 40)
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, "8.0 failures a minute, most of them: connection (40 in 5 min)" in ended.out) == (1, True)
    assert TEST_TOKEN not in ended.out
    assert command("monitor", "--once", "--log-file", str(log), "--max-failures", "10").code == 0
    ended = command("monitor", "--once", "--log-file", str(log), "--minutes", "60")
    assert "9.0 failures a minute" in ended.out


def test_a_log_file_that_is_missing_or_silent(command: Command, tmp_path: Path, environment: dict[str, str]) -> None:
    """A log that is not there is bad, and so is one that has been silent for longer than allowed."""
    log = tmp_path / "bot.log"
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, f"there is no log file {log}" in ended.out) == (1, True)
    log.write_text(f"{stamp(600)} INFO syncbot: started\n")
    assert command("monitor", "--once", "--log-file", str(log)).code == 0
    ended = command("monitor", "--once", "--log-file", str(log), "--max-silence", "300")
    assert (ended.code, "the log has been silent for 10 min" in ended.out) == (1, True)
    assert command("monitor", "--once", "--log-file", str(tmp_path)).code == 2
    assert command("monitor", "--once", "--log-file", str(log), "--state", str(log)).code == 2


_LOGS_ITS_HEALTH = """
import sys
from contextlib import closing
from syncbot.storage import open_store
from syncbot.logs import setup_logging
from syncbot.runtime.session.health_note import FactsNote
_, log, json, well = sys.argv
setup_logging(file=log, json=json == "json")
with closing(open_store(None, 1)) as store:
    FactsNote(store.meta, lambda: {"ok": well == "well", "polls": 12, "lag": 4.0, "queue": 7}).tick()
"""


@pytest.mark.parametrize(
    ("form", "word", "shown"), [("json", "well", "polls: 12; lag: 4 s; queue: 7; failures: none"), ("text", "unwell", "polls: -; lag: -; queue: -")]
)
def test_syncbots_own_log_tells_polls_lag_and_queue(command: Command, tmp_path: Path, environment: dict[str, str], form: str, word: str, shown: str) -> None:
    """What a runtime logs about itself is read where it stands as JSON, and no sentence is taken for it."""
    log = tmp_path / "bot.log"
    subprocess.run([sys.executable, "-c", _LOGS_ITS_HEALTH, str(log), form, word], check=True, capture_output=True)
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, shown in ended.out) == (0, True)


def test_syncbots_own_log_tells_that_it_is_not_well(command: Command, tmp_path: Path, environment: dict[str, str]) -> None:
    """A runtime that logs that it is not well is bad."""
    log = tmp_path / "bot.log"
    subprocess.run([sys.executable, "-c", _LOGS_ITS_HEALTH, str(log), "json", "unwell"], check=True, capture_output=True)
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, "the bot says that it is not well" in ended.out) == (1, True)


@pytest.mark.parametrize("health", [None, 7, [], {"ok": "no", "lag": "long", "queue": [1]}])
def test_a_log_with_another_health(command: Command, tmp_path: Path, environment: dict[str, str], health: object) -> None:
    """Another program's field of the same name says nothing."""
    log = tmp_path / "bot.log"
    log.write_text(json.dumps({"time": datetime.now().astimezone().isoformat(), "level": "INFO", "message": "x", "health": health}) + "\n")
    ended = command("monitor", "--once", "--log-file", str(log))
    assert (ended.code, "lag: -; queue: -" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("2026-01-01 10:00:00,123 - telegram.ext.Updater - ERROR - x\n" + POOL, "pool timeout"),
        (
            "2026-01-01 10:00:00,123 - telegram.ext.Updater - ERROR - telegram.error.NetworkError: httpx.ConnectError: All connection attempts failed",
            "connection",
        ),
        ("2026-01-01 10:00:00,123 - telegram.ext.Updater - ERROR - telegram.error.TimedOut: Timed out", "timeout"),
        ("2026-01-01 10:00:00,123 ERROR x: telegram.error.Conflict: Conflict: terminated by other getUpdates request", "second poller"),
        ("2026-01-01 10:00:00,123 ERROR x: telegram.error.RetryAfter: Flood control exceeded. Retry in 5 seconds", "rate limit"),
        ("2026-01-01 10:00:00,123 ERROR x: telegram.error.InvalidToken: The token was rejected", "wrong token"),
        ("2026-01-01 10:00:00,123 ERROR x: Bad Gateway", "server"),
        ("2026-01-01 10:00:00,123 - telegram.ext.Application - ERROR - No error handlers are registered, logging exception.", "handler"),
        (
            "2026-01-01 10:00:00,123 WARNING syncbot.runtime.receiving.poller: polling fails (3 in a row): x (not sent, proxy, by way of http://p:1)",
            "connection",
        ),
        ("2026-01-01T10:00:00.123+02:00 CRITICAL syncbot.runtime.session.session: the runtime stops: x", "critical"),
        ("2026-01-01T10:00:00.123+02:00 CRITICAL x: Telegram does not know the token", "wrong token"),
        ("2026-01-01T10:00:00Z ERROR syncbot.runtime.work.workers: the state file cannot be written: the disk is full", "storage"),
        ("2026-01-01T10:00:00Z ERROR syncbot.runtime.work.storage_retry: the state cannot be used: the server is busy", "storage"),
        ("2026-01-01T10:00:00Z INFO x: a process is left out: the database postgresql://bot@db/bot cannot be reached", ""),
        ("2026-01-01T10:00:00Z ERROR x: the database postgresql://bot@db/bot cannot be reached (connection refused)", "storage"),
        ("2026-01-01 10:00:00,123 ERROR my.module: something else", "error"),
        ("2026-01-01 10:00:00,123 INFO x: the connection was reset, and works again", ""),
        ("2026-01-01 10:00:00,123 WARNING x: the cat is away", ""),
        ("2026-01-01 10:00:00 the handler of nothing in particular", ""),
        (
            '{"time": "2026-01-01T10:00:00+00:00", "level": "ERROR", "logger": "x", "message": "m", "exception": "requests.exceptions.ProxyError: y"}',
            "connection",
        ),
    ],
)
def test_kinds_of_failures(line: str, kind: str) -> None:
    """Lines of syncbot, python-telegram-bot and telebot are told apart by what has failed."""
    first, *more = line.split("\n")
    record = read_record(first)
    assert record is not None
    for each in more:
        record.add(each)
    assert record.failure == kind


def test_zones_are_read() -> None:
    """A time with a zone is that moment; one without is this machine's."""
    moments = [read_record(f"2026-01-01T10:00:00{zone} INFO x") for zone in ("+02:00", "Z", "+0000", "")]
    assert [record.at - 1_767_261_600 for record in moments[:3] if record is not None] == [-7200, 0, 0]
    assert moments[3] is not None
    assert moments[3].at == datetime(2026, 1, 1, 10).timestamp()


def test_the_follower_survives_rotation(tmp_path: Path) -> None:
    """What is written before and after a rename, a cut and a new beginning is read once, whole lines only."""
    log = tmp_path / "bot.log"
    follower = Follower(log)
    assert list(follower.lines()) == []
    log.write_text("one\ntwo\nhal")
    assert list(follower.lines()) == ["one", "two"]
    with log.open("a") as file:
        file.write("f\nlast of the old\n")
    log.rename(tmp_path / "bot.log.1")
    log.write_text("first of the new\n")
    assert list(follower.lines()) == ["half", "last of the old", "first of the new"]
    log.write_text("cut\n")
    assert list(follower.lines()) == ["cut"]
    log.unlink()
    assert list(follower.lines()) == []
    log.write_text("back\n")
    assert list(follower.lines()) == ["back"]
    follower.close()


def test_a_first_look_reads_the_rotated_part_too(tmp_path: Path) -> None:
    """A log that was rotated a moment ago is not taken for an empty one; of a long one only the end is read."""
    log = tmp_path / "bot.log"
    (tmp_path / "bot.log.1").write_text("".join(f"old {n}\n" for n in range(100)))
    log.write_text("new\n")
    follower = Follower(log, tail_bytes=50)
    lines = list(follower.lines())
    assert lines[-2:] == ["old 99", "new"]
    assert len(lines) < 10
    follower.close()


def test_a_rotation_during_the_first_look_loses_nothing(tmp_path: Path) -> None:
    """The log is rotated once more while the older part is read: all three parts are read."""
    log = tmp_path / "bot.log"
    (tmp_path / "bot.log.1").write_text("one\ntwo\n")
    log.write_text("three\n")
    follower = Follower(log)
    lines = follower.lines()
    assert next(lines) == "one"
    (tmp_path / "bot.log.1").rename(tmp_path / "bot.log.2")
    log.rename(tmp_path / "bot.log.1")
    log.write_text("four\n")
    assert list(lines) == ["two", "three", "four"]
    follower.close()


def test_what_is_written_right_before_a_rotation_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last line is written, and the log rotated, after all there was has been read and before anybody looks whether it was rotated."""
    log = tmp_path / "bot.log"
    log.write_text("one\n")
    follower = Follower(log)
    assert list(follower.lines()) == ["one"]
    stat, looks = Path.stat, list[Path]()

    def late_stat(path: Path, **options: Any) -> os.stat_result:
        if path == log and not looks:
            looks.append(path)
            with log.open("a") as file:
                file.write("two\n")
            log.rename(tmp_path / "bot.log.1")
            log.write_text("three\n")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", late_stat)
    assert list(follower.lines()) == ["two", "three"]
    follower.close()


def test_an_older_part_that_is_rotated_away_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older part is gone between two looks at it: the present one is read."""
    log, older = tmp_path / "bot.log", tmp_path / "bot.log.1"
    log.write_text("new\n")
    older.write_text("old\n")
    is_file = Path.is_file

    def late_is_file(path: Path) -> bool:
        found = is_file(path)
        if path == older:
            older.unlink()
        return found

    monkeypatch.setattr(Path, "is_file", late_is_file)
    follower = Follower(log)
    assert list(follower.lines()) == ["new"]
    follower.close()


def test_a_log_without_times(tmp_path: Path) -> None:
    """Lines without times are as old as their file, each one for itself, a traceback as one."""
    log = tmp_path / "bot.log"
    log.write_text('hello\nTraceback (most recent call last):\n  File "x"\nrequests.exceptions.ConnectionError: x\nhello again\n')
    watch = LogWatch(log, Bounds())
    assert watch.look(time.time()).facts["failures_a_minute"] == {"connection": 0.2}
    watch.close()
    os.utime(log, (1, 1))
    watch = LogWatch(log, Bounds())
    assert watch.look(time.time()).facts["failures_a_minute"] == {}
    watch.close()


def test_a_log_is_followed_live(environment: dict[str, str], terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """The live view of a log shows a new failure, also after a rotation."""
    log = tmp_path / "bot.log"
    log.write_text(f"{stamp()} INFO x: started\n")
    view = terminal("monitor", "--log-file", str(log), "--interval", "0.1")
    view.wait_for("Ctrl-C ends the view")
    log.rename(tmp_path / "bot.log.1")
    log.write_text(f"{stamp()} ERROR x: {POOL}\n")
    view.wait_for('! "Pool timeout" (1 in 5 min)')
    view.type("\x03")
    assert view.wait() == 130


# ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sender(sent: list[str]) -> Callable[[str], bool]:
    """Sends alerts into a list."""

    def send(text: str) -> bool:
        sent.append(text)
        return True

    return send


def test_alerts_from_cron(command: Command, running: Path, server: BotApiServer, user: User) -> None:
    """A message when it turns bad, one when it is good again, none in between; what was told is remembered between runs."""
    look = ("monitor", "--once", "--alert", str(user.id))
    assert command(*look).code == 0
    assert server.count("sendMessage") == 0
    write(running, lambda store: store.meta.set(FACTS, word(ok=False, last_error="the proxy is away")))
    assert [command(*look).code for _ in range(3)] == [1, 1, 1]
    write(running, lambda store: store.meta.set(FACTS, word()))
    assert [command(*look).code for _ in range(2)] == [0, 0]
    bad, good = [request.params["text"] for request in server.requests_for("sendMessage")]
    assert "bot.db is in trouble: the bot is not well: the proxy is away." in bad
    assert "bot.db is well again, after " in good


def test_an_alert_that_cannot_be_sent_is_tried_again(command: Command, state: Path, server: BotApiServer, user: User) -> None:
    """An alert that failed is told in a line, and comes with the next look."""
    write(state, lambda store: store.meta.set(FACTS, word(running=False)))
    server.script("sendMessage", Answer.error(403, "Forbidden: bot was blocked by the user"))
    ended = command("monitor", "--once", "--alert", str(user.id))
    assert ended.code == 1
    assert "the alert was not sent, and is tried again at the next look" in ended.err
    assert command("monitor", "--once", "--alert", str(user.id)).err == ""
    assert server.count("sendMessage") == 2


def test_a_wrong_chat_is_a_wrong_command_line(command: Command, running: Path) -> None:
    """--alert wants a chat."""
    ended = command("monitor", "--once", "--alert", "nobody at all")
    assert (ended.code, "--alert" in ended.err) == (2, True)


def test_a_single_bad_moment_alerts_nobody(tmp_path: Path) -> None:
    """In the live view a turn is told when it still stands at the next look."""
    sent: list[str] = []
    alerts = Alerts("bot", sender(sent), tmp_path / "memory.json", steady=2)
    for troubles in ((), ("a",), (), ("b",), ("b",), ("b",), (), ()):
        alerts.take(Look(time.time(), troubles))
    assert [text.partition(" ")[2].rstrip(".") for text in sent[:1]] == ["bot is in trouble: b"]
    assert "well again" in sent[1]
    assert len(sent) == 2


def test_a_memory_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where nothing can be remembered the alert goes out all the same, and a line says so."""
    sent: list[str] = []
    (tmp_path / "file").touch()
    Alerts("bot", sender(sent), tmp_path / "file" / "memory.json").take(Look(time.time(), ("a",)))
    assert len(sent) == 1
    assert "cannot be remembered" in capfd.readouterr().err


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 days")])
def test_spans(seconds: float, words: str) -> None:
    """Time spans are short."""
    assert span(seconds) == words
