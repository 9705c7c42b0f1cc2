"""What jobs do: their functions by name, and those whose times stand in the program beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import tzinfo
from itertools import count
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from syncbot.runtime.durable.options import HandlerOptions, check_options
from syncbot.runtime.handling.handlers import check_function
from syncbot.runtime.job import JobWork
from syncbot.runtime.jobs.rules import Rule, cron_rule, daily_rule, first_time, seconds_rule
from syncbot.storage.promises.jobs import JobEntry, Missed

if TYPE_CHECKING:
    from typing import Unpack

    from syncbot import plain as _plain
    from syncbot.runtime.handling.context import Context, QueuedContext

JobFunction: TypeAlias = "Callable[[Context], object] | Callable[[QueuedContext], object] | Callable[[_plain.Context], object]"
J = TypeVar("J", bound=JobFunction)
MissedWord: TypeAlias = Literal["once", "all", "none"]
"""What becomes of times that passed while nothing ran: one run for all of them, one for each, or none."""


class JobDecorator(Protocol):
    """Takes the function of a job and gives it back."""

    def __call__(self, function: J, /) -> J: ...


class JobFunctions:
    """The functions of jobs; a `Runtime` has their decorators.

    ```python
    @app.job("remind")
    def remind(context):
        context.reply(f"You wanted to be reminded: {context.job.data}")

    @app.daily("09:00", tz="Europe/Berlin")
    def greet(context):
        context.bot.send_message(chat_id=42, text="Good morning")
    ```

    A job runs on a worker, with a `Context` that has no update: `context.bot`, `context.bot_data` and `context.job`; with a chat or a user also `reply`,
    `user_data` and the like. What it raises goes to the error handlers. While it still runs it is not begun a second time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._functions: dict[str, JobWork] = {}
        self._declared: dict[str, JobEntry] = {}
        self._told: Callable[[JobEntry], None] | None = None
        self._numbers = count(1)

    def job(self, name: str, **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Name a function, for jobs that `app.jobs` puts.

        Args:
            name: the name.
            options: `durable` and `interrupted`, as a handler has them.

        Raises:
            ValueError: the name is none, or there is another function with this name.
        """
        if not isinstance(name, str) or not name or name.startswith("@"):
            raise ValueError(f'job: {name!r} is no name for a job; for example @app.job("remind")')

        work = _work(options)

        def take(function: J) -> J:
            with self._lock:
                if self._functions.setdefault(name, work(function)).function is not function:
                    raise ValueError(f"there is another job {name!r} already; give this one another name")
            return function

        return take

    def every(self, seconds: float, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Run again and again, the first time `seconds` after the first start.

        Args:
            seconds: between two times.
            name: what it is called in the log; the function's name by default.
            missed: what becomes of times that passed while nothing ran.
            options: `durable` and `interrupted`, as a handler has them.

        Raises:
            ValueError: these are no seconds.
        """
        return self._declaring(seconds_rule("every", seconds), name, missed, options)

    def daily(
        self, time: str, tz: str | tzinfo | None = None, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]
    ) -> JobDecorator:
        """Run once a day.

        Args:
            time: "09:00" or "09:00:30".
            tz: the time zone, as "Europe/Berlin"; None for the machine's.
            name: what it is called in the log; the function's name by default.
            missed: what becomes of times that passed while nothing ran.
            options: `durable` and `interrupted`, as a handler has them.

        Raises:
            ValueError: there is no such time or zone.
        """
        return self._declaring(daily_rule(time, tz), name, missed, options)

    def cron(
        self, times: str, tz: str | tzinfo | None = None, *, name: str = "", missed: MissedWord = "once", **options: Unpack[HandlerOptions]
    ) -> JobDecorator:
        """Run at the times of a crontab: "*/5 * * * *".

        Args:
            times: "minute hour day month weekday", as in a crontab: 0 and 7 are Sunday, and a day and a weekday are alternatives.
            tz: the time zone; None for the machine's.
            name: what it is called in the log; the function's name by default.
            missed: what becomes of times that passed while nothing ran.
            options: `durable` and `interrupted`, as a handler has them.

        Raises:
            ValueError: they are no times, or there is no such zone.
        """
        return self._declaring(cron_rule(times, tz), name, missed, options)

    def later(self, seconds: float, *, name: str = "", **options: Unpack[HandlerOptions]) -> JobDecorator:
        """Run once, `seconds` after the start, or from now where the runtime runs: `app.later(30)(function)`.

        The function is known to this process only, which takes it along when it ends; `app.jobs.at(timedelta(seconds=30), "name")` outlives it.
        """
        return self._declaring(seconds_rule("later", seconds), name, "once", options)

    def _declaring(self, rule: Rule, name: str, missed: MissedWord, options: HandlerOptions) -> JobDecorator:
        how, work = Missed(missed), _work(options)

        def take(function: J) -> J:
            done = work(function)
            shown = name or getattr(function, "__name__", repr(function))
            with self._lock:
                # In the same order at each start, so that the same job has the same key again.
                numbers = self._numbers if "later" in rule else count(1)
                key = next(key for number in numbers if (key := f"@{shown}" + f"#{number}" * (number > 1)) not in self._functions)
                self._functions[key] = done
                entry = self._declared[key] = JobEntry(key, key, rule, 0.0, missed=how, declared=True)
                told = self._told
            if told is not None:
                told(entry)
            return function

        return take

    # ── for the session ──────────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, told: Callable[[JobEntry], None] | None) -> None:
        """Tell this one of each that is declared from now on; None tells nobody."""
        with self._lock:
            self._told = told

    def find(self, name: str) -> JobWork | None:
        """What the job with this name does."""
        with self._lock:
            return self._functions.get(name)

    def names(self) -> list[str]:
        """The names that functions have."""
        with self._lock:
            return list(self._functions)

    def declared(self, now: float) -> list[JobEntry]:
        """Those whose times stand in the program, as they are put at a start."""
        with self._lock:
            return [replace(entry, next_time=first_time(entry.rule, now)) for entry in self._declared.values()]

    def begun(self, entries: Iterable[JobEntry]) -> None:
        """These, which are to run once, are put into the inbox: they are not put again at the next start."""
        with self._lock:
            for entry in entries:
                self._declared.pop(entry.key, None)

    def not_begun(self, entries: Iterable[JobEntry]) -> None:
        """These could not be put there."""
        with self._lock:
            self._declared |= {entry.key: entry for entry in entries}

    def ended(self, key: str) -> None:
        """The end of a job that was to run once is recorded."""
        with self._lock:
            if key not in self._declared:
                self._functions.pop(key, None)


def _work(options: HandlerOptions) -> Callable[[JobFunction], JobWork]:
    """What makes a job's work of its function.

    Raises:
        ValueError, TypeError: an option is wrong.
    """
    check_options(options, "a job")

    def make(function: JobFunction) -> JobWork:
        check_function(function, 1, "the job")
        return JobWork(function, options)

    return make
