"""Jobs: functions that run at times, by APScheduler's clock, on the workers' threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from syncbot.bounds import wrong_number
from syncbot.errors import ConfigError, Stopped
from syncbot.runtime.handling.dispatcher import Dispatcher, HandlerFailed
from syncbot.runtime.work.tasks import JobRun
from syncbot.runtime.work.workers import Workers
from syncbot.storage.promises.data import Data

if TYPE_CHECKING:
    from syncbot import plain as _plain
    from syncbot.runtime.handling.context import Context

_SHORTEST_SECONDS = 0.001
_LONGEST_SECONDS = 1e9
"""Some thirty years, and less than what a `timedelta` can hold."""

JobFunction: TypeAlias = "Callable[[Context], object] | Callable[[_plain.Context], object]"
J = TypeVar("J", bound=JobFunction)


class JobDecorator(Protocol):
    """Takes the function of a job and gives it back."""

    def __call__(self, function: J, /) -> J: ...


@dataclass(frozen=True, eq=False)
class Job:
    """A function and its times.

    Args:
        function: what is run; it gets a `Context` without an update.
        name: what it is called in the log, and `context.job`.
        make_trigger: makes APScheduler's trigger; asked at each start, since some times count from there.
        once: it runs one time only.
    """

    function: JobFunction
    name: str
    make_trigger: Callable[[], Any]
    once: bool = False


class Clock:
    """One run of APScheduler: hands the jobs that are due to the workers.

    Args:
        workers: run them.
        dispatcher: gives them their context, and their errors to the error handlers.
        data: where their changes are written.
        on_begun: told of each job that is about to run.
    """

    def __init__(self, workers: Workers, dispatcher: Dispatcher, data: Data, on_begun: Callable[[Job], None]) -> None:
        self._workers = workers
        self._dispatcher = dispatcher
        self._data = data
        self._on_begun = on_begun
        # One that still runs, or waits for a worker, when it is due again, runs once for all the times that it has missed.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        from apscheduler.schedulers.background import BackgroundScheduler  # deferred: an extra

        self._scheduler = BackgroundScheduler(executors={"default": _executor(self._submit)}, job_defaults=defaults, timezone=UTC)
        self._scheduler.start()

    def add(self, job: Job) -> None:
        """Run it at its times."""
        self._scheduler.add_job(_nothing, job.make_trigger(), args=[job], name=job.name)

    def stop(self) -> None:
        """Begin no more."""
        self._scheduler.shutdown(wait=False)

    def _submit(self, job: Job, on_end: Callable[[], None]) -> None:
        def work() -> None:
            try:
                self._run(job)
            finally:
                on_end()

        self._workers.submit(JobRun(job.name, work))

    def _run(self, job: Job) -> None:
        self._on_begun(job)
        try:
            changes = self._dispatcher.run(job.function, job.name)
        except (HandlerFailed, Stopped):
            return  # the error handlers know
        self._workers.retry.until_stop(lambda: self._data.apply(changes))


def _executor(submit: Callable[[Job, Callable[[], None]], None]) -> Any:
    """What APScheduler calls when a job is due."""
    from apscheduler.executors.base import BaseExecutor  # deferred: an extra

    class ToWorkers(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
        def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
            submit(job.args[0], lambda: self._run_job_success(job.id, []))

    return ToWorkers()


def _nothing(job: Job) -> None:
    """What APScheduler takes for the job; our executor runs the real one."""


class Jobs:
    """Functions that run at times, and the clock for them while the runtime runs: `Runtime.jobs`. Needs the extra `jobs`.

    ```python
    @app.daily("09:00", tz="Europe/Berlin")
    def greet(context):
        context.bot.send_message(chat_id=42, text="Good morning")
    ```

    A job runs on a worker, with a `Context` that has no update: `context.bot`, `context.bot_data` and `context.job` (its name), and no `ask`. What
    it raises goes to the error handlers. While it still runs it is not begun a second time. Jobs live in the process that polls, from `start` to
    `stop`, and not in `run_once`; times that passed while nothing ran are not made up for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._make_clock: Callable[[], Clock] | None = None
        self._clock: Clock | None = None

    def every(self, seconds: float, *, name: str = "") -> JobDecorator:
        """Run again and again, the first time `seconds` after the start."""
        _check_seconds("every", seconds)

        def make_trigger() -> Any:
            from apscheduler.triggers.interval import IntervalTrigger  # deferred: an extra

            return IntervalTrigger(seconds=seconds, timezone=UTC)  # type: ignore[arg-type,unused-ignore]  # parts of seconds are fine

        return self._job(make_trigger, name)

    def daily(self, time: str, tz: str | tzinfo | None = None, *, name: str = "") -> JobDecorator:
        """Run once a day.

        Args:
            time: "09:00" or "09:00:30".
            tz: the time zone, as "Europe/Berlin"; None for the machine's.
            name: what it is called in the log; the function's name by default.

        Raises:
            ValueError: there is no such time or zone.
        """
        hour, minute, second = _time_of_day(time)

        def make_trigger() -> Any:
            from apscheduler.triggers.cron import CronTrigger  # deferred: an extra

            return CronTrigger(hour=hour, minute=minute, second=second, timezone=tz)

        return self._job(make_trigger, name)

    def cron(self, times: str, tz: str | tzinfo | None = None, *, name: str = "") -> JobDecorator:
        """Run at the times of a crontab: "*/5 * * * *".

        Args:
            times: "minute hour day month weekday", as in a crontab: 0 and 7 are Sunday, and a day and a weekday are alternatives.
            tz: the time zone; None for the machine's.
            name: what it is called in the log; the function's name by default.

        Raises:
            ValueError: they are no times, or there is no such zone.
        """

        def make_trigger() -> Any:
            from syncbot.runtime.work.crontab import crontab_trigger  # deferred: it needs an extra

            return crontab_trigger(times, tz)

        return self._job(make_trigger, name)

    def later(self, seconds: float, *, name: str = "") -> JobDecorator:
        """Run once, `seconds` after the start, or from now where the runtime runs: `app.later(30)(function)`.

        It is kept in memory only: a process that ends takes it along.
        """
        _check_seconds("later", seconds)

        def make_trigger() -> Any:
            from apscheduler.triggers.date import DateTrigger  # deferred: an extra

            return DateTrigger(datetime.now(UTC) + timedelta(seconds=seconds), timezone=UTC)

        return self._job(make_trigger, name, once=True)

    def _job(self, make_trigger: Callable[[], Any], name: str, *, once: bool = False) -> JobDecorator:
        try:
            make_trigger()  # a mistake is told where it was made
        except ImportError as problem:
            raise ConfigError(f"jobs need APScheduler ({problem}); install it with: pip install 'syncbot[jobs]'") from None
        except (ValueError, KeyError) as problem:
            raise ValueError(f"these are no times for a job: {problem}") from None

        def take(function: J) -> J:
            self._add(Job(function, name or getattr(function, "__name__", repr(function)), make_trigger, once))
            return function

        return take

    def _add(self, job: Job) -> None:
        """Take a job: while the runtime runs its time begins now, else with the start."""
        with self._lock:
            self._jobs.append(job)
            if self._make_clock is not None:
                self._clock = self._clock or self._make_clock()
                self._clock.add(job)

    def start(self, workers: Workers, dispatcher: Dispatcher, data: Data) -> None:
        """The runtime has started. Without jobs there is no clock, and no thread of it."""
        with self._lock:
            self._make_clock = lambda: Clock(workers, dispatcher, data, self._forget_if_once)
            if self._jobs:
                self._clock = self._make_clock()
                for job in self._jobs:
                    self._clock.add(job)

    def stop(self) -> None:
        """The runtime stops: begin no more. A job that was to run once and has not begun is kept for the next start."""
        with self._lock:
            clock, self._clock, self._make_clock = self._clock, None, None
        if clock is not None:
            clock.stop()

    def _forget_if_once(self, job: Job) -> None:
        if job.once:
            with self._lock:
                self._jobs.remove(job)


def _check_seconds(method: str, seconds: float) -> None:
    if problem := wrong_number(seconds, least=_SHORTEST_SECONDS, most=_LONGEST_SECONDS):
        raise ValueError(f"{method}: {problem}; give seconds, for example app.{method}(60)")


def _time_of_day(text: str) -> tuple[int, int, int]:
    parts = text.split(":")
    if len(parts) in (2, 3) and all(part.isdecimal() and len(part) <= 2 for part in parts):
        hour, minute, second = (int(part) for part in (*parts, "0")[:3])
        if hour < 24 and minute < 60 and second < 60:
            return hour, minute, second
    raise ValueError(f'daily: {text!r} is no time of day; for example app.daily("09:00")')
