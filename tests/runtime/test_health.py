"""What the runtime tells of itself, and the memory mode's promises."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, becomes, logged, running
from kits.timing_kit import soon, took

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import Answer, BotApiServer

MakeApp = Callable[..., Runtime]


def collects(app: Runtime) -> Seen:
    """Let it note what it is told, fail at "fail", and hang at "hang" until `release`."""
    seen = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        text = update.message.text
        if text == "fail":
            raise ValueError(text)
        if text.startswith("hang"):
            seen.add(f"{text} begins")
            hang.wait(SECONDS)
        seen.add(text)

    hang = threading.Event()
    seen.release = hang.set  # type: ignore[attr-defined]  # ends the hanging
    return seen


def test_health_is_plain_and_counts(server: BotApiServer, make_app: MakeApp) -> None:
    """All is well: plain values that JSON can hold, with what was counted."""
    app = make_app()
    seen = collects(app)
    before = time.time()
    with logged(), running(app):
        for text in ("a", "fail", "b"):
            server.user(id=1).send(text)
        seen.wait("b")
        expected = {"ok": True, "running": True, "received": 3, "handled": 2, "failed": 1, "dead_letters": 1, "queue": 0, "in_flight": 0, "hung": 0, "lag": 0.0}
        becomes(lambda: expected.items() <= app.health().items() and app.health()["last_poll"])
        health = app.health()
        assert json.loads(json.dumps(health)) == health
        assert {name: health[name] for name in expected} == expected
        assert before <= health["last_poll"] <= time.time()
        assert health["bytes_a_day"] > 0
    assert app.health() == {"ok": False, "running": False, "standby": False}


def test_bytes_a_day_are_reckoned_over_whole_polls(server: BotApiServer, make_app: MakeApp) -> None:
    """From the first seconds on: what the poll under way has moved is there, and is reckoned for the 50 s that it lasts; so is what comes by the way."""
    app = make_app()
    seen = collects(app)

    def most() -> float:
        moved = app.bot.transport.traffic  # type: ignore[attr-defined]  # of the transport that counts
        return (moved.sent_bytes + moved.received_bytes) * 86_400 / 50

    with running(app):
        server.wait_polled()
        assert 0 < app.health()["bytes_a_day"] <= most()
        server.user(id=1).send("a")
        seen.wait("a")
        server.wait_confirmed()
        assert 0 < app.health()["bytes_a_day"] <= most()


def test_it_may_be_asked_at_any_moment(make_app: MakeApp) -> None:
    """While it starts and stops fifteen times, health never raises."""
    app, over, problems = make_app(), threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            try:
                app.health()
            except Exception as error:
                problems.append(error)
                return

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(15):
        app.start()
        app.stop()
    over.set()
    thread.join()
    assert not problems


def test_waiting_updates_show_as_queue_and_lag(server: BotApiServer, make_app: MakeApp) -> None:
    """What waits behind a slow handler is counted, with the age of the oldest."""
    app = make_app(workers=1)
    seen = collects(app)
    with running(app):
        server.user(id=1).send("hang")
        seen.wait("hang begins")
        server.user(id=1).send("a")
        assert becomes(lambda: app.health()["queue"] == 1)
        assert becomes(lambda: app.health()["lag"] > 0.1)
        assert app.health()["in_flight"] == 1
        seen.release()  # type: ignore[attr-defined]  # see collects
        seen.wait("a")


def test_when_all_workers_hang_health_is_bad(server: BotApiServer, make_app: MakeApp) -> None:
    """One hung worker of two is reported; two of two are bad; and it recovers."""
    app = make_app(workers=2, handler_warn_after=0.2)
    seen = collects(app)
    with logged(), running(app):
        server.user(id=1).send("hang")
        assert becomes(lambda: app.health()["hung"] == 1)
        assert app.health()["ok"]
        server.user(id=2).send("hang")
        assert becomes(lambda: app.health()["hung"] == 2)
        assert not app.health()["ok"]
        seen.release()  # type: ignore[attr-defined]  # see collects
        assert becomes(lambda: app.health()["ok"])


def test_when_no_poll_is_answered_for_long_health_is_bad(server: BotApiServer, make_app: MakeApp) -> None:
    """Longer than a poll and two timeouts without an answer is not well; the first answer mends it."""
    app = make_app(poll_wait=1, bot_options={"timeout": 2.0})
    collects(app)
    with logged(), running(app):
        server.wait_polled()
        assert becomes(lambda: app.health()["ok"])
        server.script("getUpdates", Answer.gateway(), times=None)
        assert becomes(lambda: not app.health()["ok"] and "502" in app.health()["last_error"])
        server.clear_script()
        assert becomes(lambda: app.health()["ok"])


def test_too_many_waiting_are_no_illness(server: BotApiServer, make_app: MakeApp) -> None:
    """A poller that is held back because much waits is well, however long it takes."""
    app = make_app(poll_wait=1, workers=1, most_waiting=1, bot_options={"timeout": 1.0})
    seen = collects(app)
    for n in range(110):
        server.user(id=n + 1).send("hang" if n == 0 else str(n))
    with running(app):
        seen.wait("hang begins")
        polls = app.health()["polls"]
        threading.Event().wait(3.2)  # longer than a poll and two timeouts: nothing may happen here
        assert app.health()["polls"] == polls
        assert app.health()["ok"]
        seen.release()  # type: ignore[attr-defined]  # see collects
        seen.wait("109")


def test_the_heartbeat_beats_only_while_all_is_well(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """The file is touched about once a second, not while all workers hang, and again afterwards."""
    file = tmp_path / "heartbeat"
    app = make_app(workers=1, handler_warn_after=0.1, heartbeat_file=file)
    seen = collects(app)

    def beat() -> float:
        return file.stat().st_mtime_ns if file.exists() else 0

    def seconds_to_the_next() -> float:
        last = beat()
        return took(lambda: becomes(lambda: beat() > last))

    with logged(), running(app):
        assert becomes(lambda: beat() > 0)
        assert soon(3.0, seconds_to_the_next)
        server.user(id=1).send("hang")
        assert becomes(lambda: not app.health()["ok"])
        for _ in range(3):  # a beat may have been on its way; one a second would be seen each time
            still = beat()
            threading.Event().wait(1.8)  # nothing may happen here
            if beat() == still:
                break
        assert beat() == still
        seen.release()  # type: ignore[attr-defined]  # see collects
        assert becomes(lambda: beat() > still)


def test_a_heartbeat_that_cannot_be_written_is_told_once(make_app: MakeApp, tmp_path: Path) -> None:
    """A missing folder is an error in the log, once, and harms nothing."""
    app = make_app(heartbeat_file=tmp_path / "missing" / "heartbeat")
    with logged() as log, running(app):
        log.wait("heartbeat")
        threading.Event().wait(1.3)  # a second beat is due
        assert app.health()["ok"]
        assert log.count("heartbeat", "ERROR") == 1


# ── without a state file ─────────────────────────────────────────────────────────────────────────────────────────────


def test_memory_confirms_only_what_was_handled(server: BotApiServer, make_app: MakeApp) -> None:
    """While a handler runs, its update stays at Telegram; when it has returned, it is confirmed."""
    app = make_app(state=None)
    seen = collects(app)
    with running(app):
        server.user(id=1).send("hang")
        seen.wait("hang begins")
        assert len(server.pending_updates) == 1
        seen.release()  # type: ignore[attr-defined]  # see collects
        assert becomes(lambda: not server.pending_updates)


def test_memory_confirms_at_the_stop(server: BotApiServer, make_app: MakeApp) -> None:
    """What was handled just before the stop is confirmed with it, and not handled again by the next start."""
    app = make_app(state=None)
    seen = collects(app)
    for n in range(20):
        server.user(id=1).send(str(n))
        app.start()
        seen.wait(str(n))
        app.stop()
    assert not server.pending_updates
    assert seen.texts == [str(n) for n in range(20)]


@pytest.mark.parametrize("number", [10, 300])
def test_memory_a_hung_handler_holds_up_only_itself(server: BotApiServer, make_app: MakeApp, number: int) -> None:
    """Others are handled while one hangs, also when they are more than Telegram gives at once."""
    app = make_app(state=None, workers=2)
    seen = collects(app)
    with logged(), running(app):
        server.user(id=1).send("hang")
        seen.wait("hang begins")
        for n in range(number):
            server.user(id=2 + n % 3).send(str(n))
        seen.wait(*(str(n) for n in range(number)), seconds=40.0)
        seen.release()  # type: ignore[attr-defined]  # see collects
        seen.wait("hang")
        assert becomes(lambda: not server.pending_updates)
    assert len(seen.texts) == number + 2


def test_memory_a_kill_loses_nothing(server: BotApiServer, tmp_path: Path) -> None:
    """A process without a state file is killed in its handler: the next one handles the update."""
    from kits.runtime_kit import PROGRAM, Process, program_arguments

    source = PROGRAM + (
        "app = Runtime(bot, state=None, types=False)\n"
        "@app.message()\n"
        "def handler(update, context):\n"
        "    say('handling', update.message.text)\n"
        "    sys.stdin.readline()\n"
        "    say('done')\n"
        "app.run()\n"
    )
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    server.user(id=1).send("hi")
    for _ in range(2):
        with Process(source, *program_arguments(server, "-"), environment=environment) as process:
            assert process.line() == "handling hi"
    with Process(source, *program_arguments(server, "-"), environment=environment) as process:
        assert process.line() == "handling hi"
        process.say("go on")
        assert process.line() == "done"
        assert becomes(lambda: not server.pending_updates)
