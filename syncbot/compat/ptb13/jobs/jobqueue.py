"""`JobQueue` and `Job`: functions that are called at their times, in threads of their own, as long as the process lives."""

from __future__ import annotations

import datetime as dtm
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncbot.compat.ptb13.jobs.clock import TriggerClock
from syncbot.compat.ptb13.jobs.options import custom_trigger, own_options
from syncbot.compat.ptb13.jobs.triggers import Every, FirstOf, Once, Trigger, crontab
from syncbot.compat.ptb13.utils.helpers import UTC, localize

_log = logging.getLogger(__name__)

Callback = Callable[..., Any]
When = float | dtm.timedelta | dtm.datetime | dtm.time
ALL_DAYS = (0, 1, 2, 3, 4, 5, 6)


class Job:
    """A function and its times. Those of a queue are made by its `run_…` methods.

    Args:
        callback: what is called: with a context, whose `job` is this, or old style with the bot and this.
        context: anything, for the callback.
        name: what it is found by; the callback's by default.
        job_queue: whose job it is.
    """

    def __init__(self, callback: Callback, context: Any = None, name: str | None = None, job_queue: JobQueue | None = None) -> None:
        self.callback = callback
        self.context = context
        self.name = name or getattr(callback, "__name__", type(callback).__name__)
        self.job_queue = job_queue
        self.id = uuid.uuid4().hex
        self.trigger: Trigger | None = None
        self.next_run_time: dtm.datetime | None = None
        self.misfire_grace_time: float | None = None
        self.max_instances = 1
        self.running = 0
        self._removed = False
        self._enabled = True

    @property
    def job(self) -> Job:
        """Itself: there is no other library's job behind it."""
        return self

    @property
    def next_t(self) -> dtm.datetime | None:
        """When it is called next; None where it is switched off, or has had its last time."""
        return self.next_run_time

    @property
    def removed(self) -> bool:
        """Whether it was taken out."""
        return self._removed

    @property
    def enabled(self) -> bool:
        """Whether it is called; it may be switched off and on."""
        return self._enabled

    @enabled.setter
    def enabled(self, status: bool) -> None:
        self._enabled = bool(status)
        if self.job_queue is not None:
            self.job_queue.clock.plan(self)

    def pause(self) -> None:
        """Switch it off."""
        self.enabled = False

    def resume(self) -> None:
        """Switch it on; times that have passed meanwhile are gone."""
        self.enabled = True

    def schedule_removal(self) -> None:
        """Take it out: it is not called any more. It may be done once.

        Raises:
            LookupError: it is out already, or has had its last time.
        """
        if self.job_queue is None or not self.job_queue.clock.remove(self):
            raise JobLookupError(self.id)
        self._removed = True

    remove = schedule_removal

    def run(self, dispatcher: Any) -> None:
        """Call it now, in this thread; what it raises goes to the dispatcher's error handlers."""
        try:
            if dispatcher.use_context:
                self.callback(dispatcher.context_types.context.from_job(self, dispatcher))
            else:
                self.callback(dispatcher.bot, self)
        except Exception as error:
            try:
                dispatcher.dispatch_error(None, error)
            except Exception:
                _log.exception("the job %r failed, and so did the error handler", self.name)

    def __lt__(self, other: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<Job {self.name!r}, next {self.next_run_time}>"


class JobLookupError(KeyError):
    """There is no such job in its queue."""

    def __str__(self) -> str:
        return f"No job by the id of {self.args[0]} was found"


class JobQueue:
    """Calls functions at their times. In memory, as it was: what is to outlive the process is a job of syncbot's own (docs/jobs.md)."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("JobQueue")
        self._dispatcher: Any = None
        self.timezone: dtm.tzinfo = UTC
        self.clock = TriggerClock(self._call)

    def set_dispatcher(self, dispatcher: Any) -> None:
        """Say whose bot, contexts and error handlers it uses; the zone of times without one is that of the bot's defaults, else UTC."""
        self._dispatcher = dispatcher
        defaults = getattr(dispatcher.bot, "defaults", None)
        self.timezone = getattr(defaults, "tzinfo", None) or UTC

    def start(self) -> None:
        """Begin; what was put before is called from now on. `Updater` does that."""
        self.clock.start()

    def stop(self) -> None:
        """End, after the jobs that run; none is called any more. `Updater` does that."""
        self.clock.stop()

    def jobs(self) -> tuple[Job, ...]:
        """All that are still to be called, also those that are switched off; the next one first."""
        return tuple(self.clock.jobs())

    def get_jobs_by_name(self, name: str) -> tuple[Job, ...]:
        """Those with this name."""
        return tuple(job for job in self.jobs() if job.name == name)

    def run_once(self, callback: Callback, when: When, context: Any = None, name: str | None = None, job_kwargs: Mapping[str, Any] | None = None) -> Job:
        """Call it once: in so many seconds, after a timedelta, at a datetime, or at the next such time of day.

        One that passed more than a second ago is not called (`job_kwargs={"misfire_grace_time": None}` calls it whenever).
        """
        return self._put(callback, context, name, Once(self._moment(when, next_day=True)), job_kwargs)

    def run_repeating(
        self,
        callback: Callback,
        interval: float | dtm.timedelta,
        first: When | None = None,
        last: When | None = None,
        context: Any = None,
        name: str | None = None,
        job_kwargs: Mapping[str, Any] | None = None,
    ) -> Job:
        """Call it each `interval` (seconds, or a timedelta), at first after one, or at `first`; not after `last`. A first time that has passed gives the beat.

        Raises:
            ValueError: the last time is before the first one.
        """
        span = (interval if isinstance(interval, dtm.timedelta) else dtm.timedelta(seconds=interval)) or dtm.timedelta(seconds=1)
        begin = None if first is None else self._moment(first)
        end = None if last is None else self._moment(last)
        if begin and end and end < begin:
            raise ValueError("'last' must not be before 'first'!")
        return self._put(callback, context, name, Every(span, begin or self._now() + span, end), job_kwargs)

    def run_daily(
        self,
        callback: Callback,
        time: dtm.time,
        days: Sequence[int] = ALL_DAYS,
        context: Any = None,
        name: str | None = None,
        job_kwargs: Mapping[str, Any] | None = None,
    ) -> Job:
        """Call it at a time of day, on these weekdays: 0 is Monday."""
        trigger = crontab(self._zone(time), day_of_week=",".join(str(day) for day in days), hour=time.hour, minute=time.minute, second=time.second)
        return self._put(callback, context, name, trigger, job_kwargs)

    def run_monthly(
        self,
        callback: Callback,
        when: dtm.time,
        day: int,
        context: Any = None,
        name: str | None = None,
        day_is_strict: bool = True,
        job_kwargs: Mapping[str, Any] | None = None,
    ) -> Job:
        """Call it on a day of each month that has it; with `day_is_strict=False` on the last day of those that do not."""
        at: dict[str, Any] = {"hour": when.hour, "minute": when.minute, "second": when.second}
        trigger: Trigger = crontab(self._zone(when), day=day, **at)
        if not day_is_strict and day > 28:
            shorter = [crontab(self._zone(when), month=months, day="last", **at) for months, days in _SHORT_MONTHS if days < day]
            trigger = FirstOf((trigger, *shorter))
        return self._put(callback, context, name, trigger, job_kwargs)

    def run_custom(self, callback: Callback, job_kwargs: Mapping[str, Any], context: Any = None, name: str | None = None) -> Job:
        """Call it as APScheduler's `add_job` would: `trigger` is "date", "interval" or "cron" with their options, or anything with `get_next_fire_time`.

        Raises:
            ValueError: an option is unknown, or cannot be read.
        """
        trigger, rest = custom_trigger(job_kwargs, self.timezone, self._now())
        return self._put(callback, context, name, trigger, rest)

    def _put(self, callback: Callback, context: Any, name: str | None, trigger: Trigger, job_kwargs: Mapping[str, Any] | None) -> Job:
        options = own_options(job_kwargs or {})
        job = Job(callback, context, name, self)
        job.trigger = trigger
        job.id = options.id or job.id
        job.misfire_grace_time = options.misfire_grace_time
        job.max_instances = options.max_instances
        self.clock.add(job, replace=options.replace_existing)
        return job

    def _call(self, job: Job) -> None:
        job.run(self._dispatcher)
        self._dispatcher.update_persistence()

    def _now(self) -> dtm.datetime:
        return dtm.datetime.now(UTC)

    def _zone(self, time: dtm.time) -> dtm.tzinfo:
        return time.tzinfo or self.timezone

    def _moment(self, when: When, next_day: bool = False) -> dtm.datetime:
        if isinstance(when, dtm.datetime):
            return when if when.tzinfo else localize(when, self.timezone)
        if isinstance(when, dtm.time):
            zone = self._zone(when)
            at = localize(dtm.datetime.combine(dtm.datetime.now(zone).date(), when.replace(tzinfo=None)), zone)
            return at + dtm.timedelta(days=1) if next_day and at <= self._now() else at
        return self._now() + (when if isinstance(when, dtm.timedelta) else dtm.timedelta(seconds=when))


# February has one day more now and then: a date that it lacks is asked for by its last day in either case, and by the 29th where it has one.
_SHORT_MONTHS = (("2", 28), ("4,6,9,11", 30))
