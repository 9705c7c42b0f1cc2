"""Jobs by the real `JobQueue` and by syncbot's: what is called, in which order, with what, and what the jobs say of themselves. Standard library alone."""

from __future__ import annotations

import datetime as dt
import json
import threading
from types import SimpleNamespace
from typing import Any

try:
    from pytz import utc as UTC
except ImportError:  # APScheduler knows no other zones, and syncbot's jobs need none of these
    UTC = dt.UTC


class Recorder:
    """A dispatcher, as far as a job queue needs one, which notes what it is told."""

    def __init__(self, zone: Any, use_context: bool) -> None:
        self.use_context = use_context
        self.user_data = None
        self.bot = SimpleNamespace(defaults=None)
        self.context_types = SimpleNamespace(context=SimpleNamespace(from_job=lambda job, dispatcher: SimpleNamespace(job=job)))
        self.told: list[str] = []
        self.errors: list[str] = []

    def dispatch_error(self, update: Any, error: Exception) -> None:
        """An error in a job."""
        self.errors.append(f"{update} {type(error).__name__}")

    def update_persistence(self, update: Any = None) -> None:
        """After a job."""
        self.told.append("kept")


def times(jobs: Any) -> dict[str, Any]:
    """The times of jobs that begin far ahead, so that the moment of asking does not count."""

    def nothing(context: Any) -> None:
        """Never called."""

    def shown(job: Any) -> Any:
        at = job.next_t
        return at and at.astimezone(UTC).strftime("%d %H:%M:%S")

    at = dt.datetime(2099, 5, 17, 9, 30, tzinfo=UTC)
    found = {
        "once at": jobs.run_once(nothing, at),
        "once, no zone": jobs.run_once(nothing, dt.datetime(2099, 5, 17, 9, 30)),
        "repeating from": jobs.run_repeating(nothing, 60, first=at),
        "repeating, a timedelta": jobs.run_repeating(nothing, dt.timedelta(days=1), first=at, last=at + dt.timedelta(days=9)),
        "custom date": jobs.run_custom(nothing, {"trigger": "date", "run_date": at}),
        "custom interval": jobs.run_custom(nothing, {"trigger": "interval", "hours": 2, "start_date": at}),
        "custom cron": jobs.run_custom(nothing, {"trigger": "cron", "year": 2040, "month": "may", "day": "3rd thu", "hour": "9-17/4", "minute": 30}),
        "custom cron, last": jobs.run_custom(nothing, {"trigger": "cron", "year": 2039, "month": 2, "day": "last"}),
        "custom cron, weekdays": jobs.run_custom(nothing, {"trigger": "cron", "year": 2040, "week": 20, "day_of_week": "fri,mon", "hour": 1}),
        "custom cron, finest": jobs.run_custom(nothing, {"trigger": "cron", "year": 2040, "month": 3, "second": "*/20"}),
    }
    result = {name: shown(job) for name, job in found.items()}
    daily, monthly = jobs.run_daily(nothing, dt.time(3, 4, 5), days=(0, 1, 2)), jobs.run_monthly(nothing, dt.time(3, 4, 5), 12)
    result["daily"] = daily.next_t.strftime("%H:%M:%S") + str(daily.next_t.weekday() in (0, 1, 2))
    result["monthly"] = monthly.next_t.strftime("%d %H:%M:%S")
    return result


def order(jobs: Any, recorder: Recorder) -> list[Any]:
    """What is called, and what is not; nothing in it depends on how fast the machine is."""
    called: list[Any] = []
    twice = threading.Semaphore(0)

    def note(context: Any) -> None:
        called.append([context.job.name, context.job.context])
        if context.job.name == "again":
            twice.release()

    def fail(context: Any) -> None:
        called.append(["fail", None])
        raise ZeroDivisionError

    jobs.run_once(note, 0.1, context={"a": 1}, name="now")
    jobs.run_once(fail, 0.2)
    jobs.run_once(note, -5, name="long over")
    jobs.run_once(note, 0.5, name="gone").schedule_removal()
    off = jobs.run_once(note, 0.3, name="off")
    off.enabled = False
    again = jobs.run_repeating(note, 0.4, first=0.8, name="again")
    jobs.start()
    begun = [twice.acquire(timeout=20) for _ in range(2)]
    again.schedule_removal()
    names = sorted(job.name for job in jobs.jobs())
    facts = [off.enabled, off.removed, off.next_t, again.removed, len(jobs.get_jobs_by_name("off"))]
    try:
        again.schedule_removal()
    except LookupError as error:
        facts.append(isinstance(error, KeyError))
    jobs.stop()
    return [begun, sorted({json.dumps(each) for each in called}), names, facts, recorder.errors, len(recorder.told) >= 4]


def main() -> None:
    """What they do."""
    from telegram.ext import JobQueue

    result = {}
    for name, ask in (("times", lambda jobs, _: times(jobs)), ("order", order)):
        recorder, jobs = Recorder(None, True), JobQueue()
        jobs.set_dispatcher(recorder)
        if name == "times":
            jobs.start()
        result[name] = ask(jobs, recorder)
        jobs.stop()
    jobs = JobQueue()
    jobs.set_dispatcher(Recorder(None, True))
    at = dt.datetime(2099, 1, 1, tzinfo=UTC)
    try:
        jobs.run_repeating(print, 1, first=at, last=at - dt.timedelta(1))
    except ValueError as error:
        result["last before first"] = str(error)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
