"""`run_once`, for cron."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, Seen, becomes, logged, own_threads, program_arguments, running
from kits.timing_kit import soon, took

from syncbot.errors import AlreadyRunning, Unauthorized
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.session.summary import Summary
from syncbot.testing import Answer, BotApiServer

MakeApp = Callable[..., Runtime]


def collects(app: Runtime) -> Seen:
    """Let it note what it is told, fail at "fail" and hang at "hang"."""
    seen = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        text = update.message.text
        if text == "fail":
            raise ValueError(text)
        if text == "hang":
            hang.wait(SECONDS)
        seen.add(text)

    hang = threading.Event()
    seen.go_on = hang.set  # type: ignore[attr-defined]  # ends the hanging
    return seen


@pytest.mark.parametrize("state", [True, False], ids=["file", "memory"])
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_all_that_waits_is_handled_and_confirmed(server: BotApiServer, make_app: MakeApp, number: int, state: bool) -> None:
    """Fetch, handle, confirm, repeat until empty; exit code 0, and nothing is left at Telegram."""
    app = make_app() if state else make_app(state=None)
    seen = collects(app)
    for n in range(number):
        server.user(id=n % 7 + 1).send(str(n))
    summary = app.run_once()
    assert (summary.received, summary.handled, summary.failed, summary.left, summary.error) == (number, number, 0, 0, "")
    assert summary.exit_code == 0
    assert sorted(seen.texts) == sorted(str(n) for n in range(number))
    assert not server.pending_updates
    assert becomes(lambda: not own_threads())
    assert app.run_once().received == 0


def test_an_empty_run_is_one_poll(server: BotApiServer, make_app: MakeApp) -> None:
    """Where nothing waits, one short poll is all that is made."""
    app = make_app()
    collects(app)
    app.run_once()
    assert server.count() == 1
    assert not server.requests[0].params.get("timeout")


def test_a_run_is_quick_where_telegram_slows_down_repeated_polls(make_app: MakeApp, tmp_path: Path) -> None:
    """Telegram holds a poll that repeats its offset: a run does not run into that."""
    from kits.runtime_kit import make_bot

    with BotApiServer(any_chat=True, same_offset_delay=30.0) as slow:
        app = Runtime(make_bot(slow, timeout=40.0, deadline=40.0), state=tmp_path / "slow.db")
        collects(app)
        for n in range(5):
            slow.user(id=1).send(str(n))
        began = time.monotonic()
        assert app.run_once().handled == 5
        assert time.monotonic() - began < 20.0
        app.bot.close()


def test_known_updates_do_not_end_the_run(server: BotApiServer, make_app: MakeApp) -> None:
    """A batch that was stored before but not confirmed is confirmed, and what waits behind it is fetched."""
    app = make_app()
    seen = collects(app)
    for n in range(150):
        server.user(id=1).send(str(n))
    first = server.pending_updates[:100]
    app.run_once()
    for each in first:
        server.queue.pending.appendleft(each)
    server.queue.pending.extend([])
    server.user(id=1).send("behind")
    ordered = sorted(server.queue.pending, key=lambda each: int(each["update_id"]))
    server.queue.pending.clear()
    server.queue.pending.extend(ordered)
    assert app.run_once().received == 1
    assert seen.texts[-1] == "behind"
    assert not server.pending_updates


def test_a_handler_that_fails_is_told_in_the_exit_code(server: BotApiServer, make_app: MakeApp) -> None:
    """1 when handlers failed and all else is done."""
    app = make_app()
    collects(app)
    for text in ("a", "fail", "b"):
        server.user(id=1).send(text)
    with logged():
        summary = app.run_once()
    assert (summary.handled, summary.failed, summary.exit_code) == (2, 1, 1)
    assert "failed 1" in str(summary)


def test_a_hanging_handler_holds_up_only_itself(server: BotApiServer, make_app: MakeApp) -> None:
    """What waits behind a hanging handler is handled all the same; at the end of the time the run ends with 75, and the next goes on."""
    app = make_app(grace=0.1)
    seen = collects(app)
    server.user(id=1).send("hang")
    for n in range(120):  # more than a poll brings at once
        server.user(id=2 + n % 5).send(str(n))
    with logged():
        summary = app.run_once(max_seconds=10.0)
    assert (summary.received, summary.handled, summary.left) == (121, 120, 1)
    assert summary.exit_code == 75
    assert summary.error == "the time was up"
    assert summary.seconds < 20.0
    seen.go_on()  # type: ignore[attr-defined]  # see collects
    assert app.run_once().handled == 1
    assert seen.texts[-1] == "hang"


def test_a_handler_that_ends_within_the_grace_is_not_left(server: BotApiServer, make_app: MakeApp) -> None:
    """The figures are those of the end: a handler that goes on when the time is up, and ends soon after, has handled its update."""
    app = make_app()

    @app.message()
    def waits(update: Any, context: Context) -> None:
        app.bot.stop_event.wait(60.0)

    server.user(id=1).send("slow")
    summary = app.run_once(max_seconds=3.0)
    assert (summary.received, summary.handled, summary.left) == (1, 1, 0)
    assert (summary.error, summary.exit_code) == ("the time was up", 75)
    assert app.run_once().handled == 0


def test_a_way_that_is_cut_is_tried_some_times(server: BotApiServer, make_app: MakeApp) -> None:
    """Failures of single polls cost nothing; where all fail, the run ends with the reason and 75."""
    app = make_app()
    collects(app)
    server.user(id=1).send("a")
    server.script("getUpdates", Answer.gateway(), times=2)
    with logged():
        assert app.run_once().handled == 1
        server.script("getUpdates", Answer.gateway(), times=None)
        summary = app.run_once()
    assert summary.exit_code == 75
    assert "502" in summary.error
    assert summary.seconds < 20.0


def test_a_wrong_token_is_raised(server: BotApiServer, make_app: MakeApp) -> None:
    """Telegram's 401 is no case for trying later."""
    app = make_app()
    server.script("getUpdates", Answer.error(401, "Unauthorized"))
    with pytest.raises(Unauthorized):
        app.run_once()
    assert becomes(lambda: not own_threads())


def test_pending_updates_are_dropped_where_that_is_wanted(server: BotApiServer, make_app: MakeApp) -> None:
    """drop_pending_updates counts for run_once too."""
    app = make_app(drop_pending_updates=True)
    seen = collects(app)
    server.user(id=1).send("old")
    assert app.run_once().received == 0
    assert not server.pending_updates
    assert not seen.texts


def test_runs_that_overlap(server: BotApiServer, make_app: MakeApp) -> None:
    """The second run gives way at once with AlreadyRunning, and the first is not disturbed."""
    first, second = make_app(), make_app()
    seen = collects(first)
    server.user(id=1).send("hang")
    found: list[Summary] = []
    thread = threading.Thread(target=lambda: found.append(first.run_once()))
    thread.start()
    server.wait_confirmed(timeout=SECONDS)

    def give_way() -> None:
        with pytest.raises(AlreadyRunning, match="another process handles the updates"):
            second.run_once()

    assert soon(0.5, lambda: took(give_way))
    seen.go_on()  # type: ignore[attr-defined]  # see collects
    thread.join(SECONDS)
    assert found[0].handled == 1


def test_a_runtime_that_runs_cannot_run_once(make_app: MakeApp) -> None:
    """The same runtime is refused too."""
    app = make_app()
    with running(app), pytest.raises(RuntimeError, match="already"):
        app.run_once()


def test_it_can_be_stopped(server: BotApiServer, make_app: MakeApp) -> None:
    """stop() from another thread ends a run in order, with 75."""
    app = make_app()
    collects(app)
    server.script("getUpdates", Answer.gateway(), times=None)
    found: list[Summary] = []
    with logged():
        thread = threading.Thread(target=lambda: found.append(app.run_once()))
        thread.start()
        server.wait_count("getUpdates", 1)
        app.stop()
        thread.join(SECONDS)
    assert found[0].exit_code == 75


def test_what_ends_after_the_stop_counts_as_handled(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler that returns within the grace, however long after the stop, is handled in the summary, too."""
    app, begun = make_app(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        begun.set()
        app.bot.stop_event.wait(SECONDS)
        threading.Event().wait(1.5)

    server.user(id=1).send("a")
    found: list[Summary] = []
    thread = threading.Thread(target=lambda: found.append(app.run_once()))
    thread.start()
    assert begun.wait(SECONDS)
    app.stop()
    thread.join(SECONDS)
    assert (found[0].handled, found[0].left, found[0].error) == (1, 0, "it was stopped")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(server: BotApiServer, tmp_path: Path, number: int) -> None:
    """SIGTERM lets the running handler end; what is left stays for the next run."""
    source = PROGRAM + (
        "app = Runtime(bot, state=STATE, workers=1, types=False)\n"
        "@app.message()\n"
        "def handler(update, context):\n"
        "    say('handling', update.message.text)\n"
        "    bot.stop_event.wait(20)\n"  # the signal, however late it comes
        "summary = app.run_once()\n"
        "say(summary.handled, summary.left, summary.error)\n"
        "sys.exit(summary.exit_code)\n"
    )
    for n in range(3):
        server.user(id=1).send(str(n))
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert process.line() == "handling 0"
        process.signal(number)
        code, output, errors = process.end()
    assert (code, output, errors) == (75, "1 2 it was stopped\n", "")


def test_memory_confirms_what_was_handled_when_the_time_is_up(server: BotApiServer, make_app: MakeApp) -> None:
    """Without a state file, what was handled is confirmed even when the run ends early, and the rest is not."""
    app = make_app(state=None, grace=0.1, workers=1)
    seen = collects(app)
    for text in ("a", "b", "hang", "c"):
        server.user(id=1).send(text)
    with logged():
        summary = app.run_once(max_seconds=6.0)
    assert (summary.handled, summary.left) == (2, 2)
    assert [update["message"]["text"] for update in server.pending_updates] == ["hang", "c"]
    seen.go_on()  # type: ignore[attr-defined]  # see collects
