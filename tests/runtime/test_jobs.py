"""Jobs: their times, where they run, and what becomes of their errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, becomes, logged, own_threads, running

from syncbot.runtime.handling.context import Context
from syncbot.runtime.jobs.rules import cron_rule, next_time
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]


def test_a_job_runs_again_and_again_on_a_worker(make_app: MakeApp) -> None:
    """`every` runs at its interval, in the workers' threads, with a context that has a bot and no update."""
    app, seen = make_app(), Seen()

    @app.every(0.05)
    def tidy(context: Context) -> None:
        assert context.raw is None
        assert context.bot is app.bot
        assert context.job == "tidy"
        seen.add(threading.current_thread().name)

    with running(app):
        seen.wait_number(3)
    assert all(name.startswith("syncbot-worker") for name in seen.texts)
    count = len(seen.texts)
    assert not [thread for thread in threading.enumerate() if "APScheduler" in thread.name]
    assert len(seen.texts) == count, "none is begun after the stop"


def test_jobs_go_on_after_a_restart(make_app: MakeApp) -> None:
    """What repeats is there again at the next start; what was to run once and has run is not."""
    app, seen = make_app(), Seen()
    app.every(0.05)(lambda context: seen.add("again"))
    app.later(0.05)(lambda context: seen.add("once"))
    with running(app):
        seen.wait("again", "once")
    seen.texts.clear()
    with running(app):
        seen.wait_number(4)
    assert set(seen.texts) == {"again"}


def test_a_job_that_was_not_begun_runs_after_the_next_start(make_app: MakeApp) -> None:
    """`later` counts from the start, and is kept by a runtime that was stopped too early for it."""
    seen = Seen()
    for seconds in (0.3, 2.0, 8.0):  # on a busy machine the time may have come before the stop
        app = make_app()
        app.later(seconds)(lambda context: seen.add("once"))
        seen.texts.clear()
        app.start()
        app.stop()
        if not seen.texts:
            break
    assert not seen.texts
    with running(app):
        seen.wait("once")


def test_later_works_while_the_bot_runs(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler can put something off, also where there was no job before."""
    app, seen, user = make_app(), Seen(), server.user(id=42)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        app.later(0.05, name="remind")(lambda job: job.bot.send_message(chat_id=42, text=f"you said {update.message.text}"))

    with running(app):
        user.send("tea")
        user.wait_for("you said tea", timeout=SECONDS)
        app.every(0.05)(lambda context: seen.add("added"))
        seen.wait("added")


def test_the_data_of_the_bot_is_kept(make_app: MakeApp) -> None:
    """What a job changes in bot_data is written when it returns."""
    app, seen = make_app(), Seen()

    @app.every(0.05)
    def count(context: Context) -> None:
        context.bot_data["runs"] = context.bot_data.get("runs", 0) + 1
        seen.add("run")

    with running(app):
        seen.wait_number(3)
    with open_store(app.state, None) as store:
        assert store.data.load("bot", 0)["runs"] == len(seen.texts)  # type: ignore[arg-type]  # the scope is a StrEnum


def test_there_is_nothing_to_ask(make_app: MakeApp) -> None:
    """context.ask is refused in a job."""
    app, seen = make_app(), Seen()

    @app.later(0.05)
    def job(context: Context) -> None:
        with pytest.raises(RuntimeError, match="not in jobs"):
            context.ask("Name?")
        seen.add("refused")

    with running(app):
        seen.wait("refused")


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt()])
def test_an_error_reaches_the_error_handlers(make_app: MakeApp, error: BaseException) -> None:
    """Whatever a job raises: the error handlers are told, nothing of its changes is kept, and it runs again."""
    app, seen = make_app(workers=1), Seen()

    @app.every(0.05)
    def job(context: Context) -> None:
        context.bot_data["half"] = "done"
        raise error

    @app.error
    def failed(update: Any, context: Context) -> None:
        assert update is None
        seen.add(f"{context.job}: {type(context.error).__name__}")

    with running(app):
        seen.wait_number(2)
        assert app.health()["dead_letters"] == 0
    assert set(seen.texts) == {f"job: {type(error).__name__}"}
    with open_store(app.state, None) as store:
        assert store.data.load("bot", 0) == {}  # type: ignore[arg-type]  # the scope is a StrEnum


def test_without_an_error_handler_the_error_is_logged(make_app: MakeApp) -> None:
    """An error that nobody handles stands in the log with the job's name."""
    app = make_app()

    @app.later(0.05, name="the report")
    def job(context: Context) -> None:
        raise ValueError("no numbers")

    with logged() as log, running(app):
        log.wait("the job the report failed")


def test_a_stop_waits_for_the_running_job(make_app: MakeApp) -> None:
    """The job that runs at a stop has its time, as a handler has."""
    app, seen, begun = make_app(), Seen(), threading.Event()

    @app.later(0.05)
    def job(context: Context) -> None:
        begun.set()
        threading.Event().wait(0.3)
        context.bot_data["ended"] = True
        seen.add("ended")

    with running(app):
        assert begun.wait(SECONDS)
    assert seen.texts == ["ended"]
    with open_store(app.state, None) as store:
        assert store.data.load("bot", 0) == {"ended": True}  # type: ignore[arg-type]  # the scope is a StrEnum


def test_a_hung_job_is_reported_and_left_behind(make_app: MakeApp) -> None:
    """A job that hangs is named in the log, and does not hold up the stop beyond its grace."""
    app, go_on = make_app(handler_warn_after=0.2), threading.Event()

    @app.later(0.05, name="endless")
    def job(context: Context) -> None:
        go_on.wait(3 * SECONDS)

    with logged() as log:
        app.start()
        log.wait("the handler of the job endless has been running")
        began = time.monotonic()
        app.stop(grace=0.1)
        assert time.monotonic() - began < 10.0, "the runtime's own grace is longer"
    go_on.set()
    assert becomes(lambda: not own_threads())
    assert app.join(0.1), "that the job has ended late is no error of the runtime"


def test_a_job_is_not_begun_while_it_runs(make_app: MakeApp) -> None:
    """A job that takes longer than its interval runs one at a time, and other jobs and updates go on."""
    app, seen, go_on = make_app(), Seen(), threading.Event()
    at_once: list[int] = []
    inside = threading.Semaphore(1)

    @app.every(0.05)
    def slow(context: Context) -> None:
        at_once.append(inside.acquire(blocking=False))
        go_on.wait(SECONDS)
        inside.release()

    app.every(0.05)(lambda context: seen.add("other"))
    with logged("apscheduler"), running(app):
        seen.wait_number(5)
        go_on.set()
        assert becomes(lambda: len(at_once) >= 3)
    assert all(at_once)


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "register",
    [
        lambda app: app.every(0),
        lambda app: app.every(-1),
        lambda app: app.later(float("nan")),
        lambda app: app.daily("9"),
        lambda app: app.daily("24:00"),
        lambda app: app.daily(datetime(2026, 1, 1, 9).time()),
        lambda app: app.daily(lambda context: None),
        lambda app: app.daily("09:60"),
        lambda app: app.daily("09:00", "Mars/Olympus"),
        lambda app: app.cron("* * * *"),
        lambda app: app.cron(lambda context: None),
        lambda app: app.cron("61 * * * *"),
        lambda app: app.cron("* * * * 8"),
        lambda app: app.cron("* * * * mon-"),
        lambda app: app.cron("* * * * */0"),
        lambda app: app.cron("* * * * never"),
    ],
)
def test_times_that_are_none_are_refused_where_they_are_written(make_app: MakeApp, register: Callable[[Runtime], object]) -> None:
    """A mistake in a time, or none as in `@app.cron` without parentheses, is a ValueError at the decorator, not at the start."""
    with pytest.raises(ValueError):
        register(make_app())


def test_what_becomes_of_missed_times_is_one_of_three_words(make_app: MakeApp) -> None:
    """Another word is told with those that there are."""
    with pytest.raises(ValueError, match='missed: \'never\' is none of "once", "all" and "none"'):
        make_app().every(5, missed="never")  # type: ignore[arg-type]  # wrong on purpose


MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("*/5 * * * *", ["23 12:05", "23 12:10", "23 12:15"]),
        ("0 9 * * *", ["24 09:00", "25 09:00", "26 09:00"]),
        ("0 9 * * 1", ["30 09:00", "07 09:00", "14 09:00"]),
        ("0 9 * * 0", ["29 09:00", "06 09:00", "13 09:00"]),
        ("0 9 * * 7", ["29 09:00", "06 09:00", "13 09:00"]),
        ("0 9 * * sun", ["29 09:00", "06 09:00", "13 09:00"]),
        ("0 9 * * 1-5", ["24 09:00", "25 09:00", "26 09:00"]),
        ("0 9 * * 5-7", ["27 09:00", "28 09:00", "29 09:00"]),
        ("0 9 * * fri-mon", ["27 09:00", "28 09:00", "29 09:00"]),
        ("0 9 * * 1,3", ["25 09:00", "30 09:00", "02 09:00"]),
        ("0 9 * * */3", ["25 09:00", "28 09:00", "29 09:00"]),
        ("0 9 1 * 3", ["25 09:00", "01 09:00", "02 09:00"]),
        ("30 8 1 1 *", ["01 08:30", "01 08:30", "01 08:30"]),
    ],
)
def test_a_crontab_is_read_as_cron_reads_it(times: str, expected: list[str]) -> None:
    """Sunday is 0 and 7, a week may go round its end, and a day and a weekday are alternatives."""
    found, now = [], MONDAY.timestamp()
    for _ in expected:
        following = next_time(cron_rule(times, "UTC"), now)
        assert following is not None
        now = following
        found.append(datetime.fromtimestamp(now, UTC).strftime("%d %H:%M"))
    assert found == expected
