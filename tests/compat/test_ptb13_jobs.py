"""`JobQueue` and `Job` of python-telegram-bot 13: what is called, when, and with what."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kits.interleave_kit import Steps, at_every_line
from kits.ptb13.programs import Starter
from kits.ptb13.reference import ask_reference
from kits.timing_kit import becomes

from syncbot.compat.ptb13.jobs import Job, JobQueue
from syncbot.compat.ptb13.jobs.jobqueue import JobLookupError
from syncbot.compat.ptb13.jobs.triggers import Every

SECONDS = 20.0
RECORDED = Path(__file__).with_name("ptb13_jobs.json")


def test_jobs_are_called_as_with_13_15(starter: Starter) -> None:
    """The same times, the same calls, the same answers of the jobs themselves."""
    assert starter.ask("ptb13.job_table") == json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.programs("python3.11")
def test_the_record_is_what_13_15_does() -> None:
    """Asked again."""
    assert ask_reference("ptb13.job_table") == json.loads(RECORDED.read_text(encoding="utf-8"))


class Dispatcher:
    """What a job queue needs of a dispatcher."""

    def __init__(self, use_context: bool = True, zone: Any = None) -> None:
        self.use_context = use_context
        self.bot = SimpleNamespace(defaults=SimpleNamespace(tzinfo=zone) if zone else None)
        self.context_types = SimpleNamespace(context=SimpleNamespace(from_job=lambda job, dispatcher: SimpleNamespace(job=job, dispatcher=dispatcher)))
        self.errors: queue.Queue[Exception] = queue.Queue()
        self.kept: queue.Queue[None] = queue.Queue()

    def dispatch_error(self, update: object, error: Exception) -> None:
        """Told of errors."""
        assert update is None
        self.errors.put(error)

    def update_persistence(self) -> None:
        """Told after each job."""
        self.kept.put(None)


@pytest.fixture
def dispatcher() -> Dispatcher:
    """A dispatcher."""
    return Dispatcher()


@pytest.fixture
def jobs(dispatcher: Dispatcher) -> Iterator[JobQueue]:
    """A job queue that runs."""
    found = JobQueue()
    found.set_dispatcher(dispatcher)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def called() -> queue.Queue[Any]:
    """What callbacks were called with."""
    return queue.Queue()


def test_once(jobs: JobQueue, called: queue.Queue[Any], dispatcher: Dispatcher) -> None:
    """A callback gets a context with its job, and the job has what was given; afterwards it is gone, and the data are kept."""
    given = jobs.run_once(called.put, 0.01, context={"chat": 42}, name="tea")
    context = called.get(timeout=SECONDS)
    assert context.job is given
    assert (context.job.context, context.job.name, context.job.job_queue) == ({"chat": 42}, "tea", jobs)
    dispatcher.kept.get(timeout=SECONDS)
    assert jobs.jobs() == ()
    assert (given.next_t, given.removed) == (None, False)


def test_old_style(called: queue.Queue[Any]) -> None:
    """With use_context=False a callback gets the bot and the job."""
    dispatcher = Dispatcher(use_context=False)
    jobs = JobQueue()
    jobs.set_dispatcher(dispatcher)
    given = jobs.run_once(lambda bot, job: called.put((bot, job)), 0)
    jobs.start()
    assert called.get(timeout=SECONDS) == (dispatcher.bot, given)
    jobs.stop()


def test_again_and_again(jobs: JobQueue, called: queue.Queue[Any]) -> None:
    """Each interval, until it is taken out; taking it out again is an error."""
    given = jobs.run_repeating(called.put, 0.02, name="beat")
    assert [called.get(timeout=SECONDS).job for _ in range(3)] == [given] * 3
    given.schedule_removal()
    assert given.removed
    assert jobs.get_jobs_by_name("beat") == ()
    with pytest.raises(JobLookupError, match="No job by the id"):
        given.schedule_removal()


def test_until_the_last_time(jobs: JobQueue, called: queue.Queue[Any]) -> None:
    """No run begins for a time after `last`; a `last` before `first` is refused."""
    given = jobs.run_repeating(called.put, 0.2, first=0.2, last=0.5)
    called.get(timeout=SECONDS)
    assert becomes(lambda: given not in jobs.jobs())
    jobs.stop()
    assert called.qsize() <= 1  # of the two times; on a busy machine they may be one run
    with pytest.raises(ValueError, match="must not be before"):
        jobs.run_repeating(called.put, 1, first=5, last=2)


def test_switched_off_and_on(jobs: JobQueue, called: queue.Queue[Any]) -> None:
    """What is switched off stays in the queue, and is not called until it is switched on."""
    given = jobs.run_repeating(called.put, 0.02)
    given.enabled = False
    assert (given.enabled, given.next_t) == (False, None)
    while not called.empty():
        called.get()
    assert given in jobs.jobs()
    given.enabled = True
    assert called.get(timeout=SECONDS).job is given


def test_found_by_name(jobs: JobQueue) -> None:
    """All with a name, the next one first; the name is the callback's where none is given."""

    def remind(context: Any) -> None:
        """Never called here."""

    later, sooner = jobs.run_once(remind, 200), jobs.run_once(remind, 100)
    other = jobs.run_once(remind, 50, name="42")
    assert jobs.get_jobs_by_name("remind") == (sooner, later)
    assert jobs.jobs() == (other, sooner, later)


def test_what_has_passed_is_not_called(jobs: JobQueue, called: queue.Queue[Any], caplog: pytest.LogCaptureFixture) -> None:
    """A moment that was over by more than a second when it was given: the log says so; with a grace time it is called."""
    past = datetime.now(UTC) - timedelta(minutes=5)
    with caplog.at_level(logging.WARNING):
        jobs.run_once(called.put, past, name="late")
    assert "'late'" in caplog.text
    assert jobs.jobs() == ()
    jobs.run_once(called.put, past, name="late", job_kwargs={"misfire_grace_time": 3600})
    assert called.get(timeout=SECONDS).job.name == "late"
    assert called.empty()


def test_times_of_day(jobs: JobQueue) -> None:
    """A time of day that is over today comes tomorrow; weekdays begin with Monday; a month without the day is left out, or its last day taken."""
    now = datetime.now(UTC)
    over = (now - timedelta(minutes=5)).time()
    once = jobs.run_once(print, over)
    assert once.next_t is not None
    assert timedelta(hours=23) < once.next_t - now < timedelta(hours=24)
    daily = jobs.run_daily(print, time(9), days=(0, 2))
    assert daily.next_t is not None
    assert daily.next_t.weekday() in (0, 2)
    strict, lenient = jobs.run_monthly(print, time(9), 31), jobs.run_monthly(print, time(9), 31, day_is_strict=False)
    assert strict.next_t is not None
    assert lenient.next_t is not None
    assert strict.next_t.day == 31
    assert lenient.next_t <= strict.next_t
    assert (lenient.next_t + timedelta(days=1)).day == 1


def test_a_clock_that_is_set_from_1970_is_one_beat() -> None:
    """All those between have passed, and are not gone through one by one; the beat is kept, and its end too."""
    begun, now = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2026, 11, 27, 15, 0, 10, 500, tzinfo=UTC)
    beat = Every(timedelta(seconds=20), begun)
    assert beat.get_next_fire_time(begun, now) == datetime(2026, 11, 27, 15, 0, 30, tzinfo=UTC)
    assert beat.get_next_fire_time(now, begun) == now + timedelta(seconds=20)
    assert Every(timedelta(seconds=20), begun, last=now).get_next_fire_time(begun, now) is None


def test_a_month_in_which_the_day_is_missing() -> None:
    """The last day of each shorter month, and of none twice: with 30, February; with 31, the short ones too."""
    found = JobQueue()
    found.set_dispatcher(Dispatcher())
    for day, wanted in ((30, ["01-30", "02-28", "03-30", "04-30", "05-30"]), (29, ["01-29", "02-28", "03-29"]), (31, ["01-31", "02-28", "03-31", "04-30"])):
        trigger = found.run_monthly(print, time(9), day, day_is_strict=False).trigger
        assert trigger is not None
        at = datetime(2026, 1, 1, tzinfo=UTC)
        seen = []
        for _ in wanted:
            following = trigger.get_next_fire_time(at, at)
            assert following is not None
            seen.append(following.strftime("%m-%d"))
            at = following
        assert seen == wanted


def test_the_zone_of_the_bots_defaults() -> None:
    """Times without a zone are in it; a time of day with one is in its own."""
    tokyo = ZoneInfo("Asia/Tokyo")
    found = JobQueue()
    found.set_dispatcher(Dispatcher(zone=tokyo))
    assert found.run_daily(print, time(9)).next_t.astimezone(UTC).hour == 0  # type: ignore[union-attr]  # it has one
    assert found.run_daily(print, time(9, tzinfo=UTC)).next_t.astimezone(UTC).hour == 9  # type: ignore[union-attr]  # as above
    assert found.run_once(print, datetime(2100, 1, 1, 9)).next_t == datetime(2100, 1, 1, 0, tzinfo=UTC)


def test_errors_go_to_the_error_handlers(jobs: JobQueue, dispatcher: Dispatcher, called: queue.Queue[Any]) -> None:
    """And the job goes on."""

    def fail(context: Any) -> None:
        called.put(context)
        raise ZeroDivisionError("in a job")

    jobs.run_repeating(fail, 0.02)
    assert isinstance(dispatcher.errors.get(timeout=SECONDS), ZeroDivisionError)
    called.get(timeout=SECONDS)
    called.get(timeout=SECONDS)


def test_a_job_may_be_called_by_hand(jobs: JobQueue, dispatcher: Dispatcher, called: queue.Queue[Any]) -> None:
    """In the thread that calls it; its time stays."""
    given = jobs.run_once(lambda context: called.put(threading.current_thread()), 100)
    given.run(dispatcher)
    assert called.get(timeout=0) is threading.current_thread()
    assert given in jobs.jobs()


def test_none_is_begun_twice_at_once(jobs: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    """A time that comes while the job still runs is left out, and the log says so."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(context: Any) -> None:
        begun.release()
        go_on.wait(SECONDS)

    given = jobs.run_repeating(slow, 0.02, name="slow")
    assert begun.acquire(timeout=SECONDS)
    assert becomes(lambda: "'slow'" in caplog.text)
    assert not begun.acquire(blocking=False)
    given.schedule_removal()
    go_on.set()


def test_others_run_meanwhile(jobs: JobQueue, called: queue.Queue[Any]) -> None:
    """One that takes its time holds up no other."""
    go_on = threading.Event()
    jobs.run_once(lambda context: go_on.wait(SECONDS), 0)
    jobs.run_once(called.put, 0.01)
    called.get(timeout=SECONDS)
    go_on.set()


def test_a_stop_ends_everything(dispatcher: Dispatcher, called: queue.Queue[Any]) -> None:
    """It waits for what runs; nothing is begun afterwards, until a new start. A job may call it."""
    jobs = JobQueue()
    jobs.set_dispatcher(dispatcher)
    jobs.start()
    jobs.run_once(lambda context: (jobs.stop(), called.put("stopped")), 0)
    assert called.get(timeout=SECONDS) == "stopped"
    jobs.run_once(called.put, 0)
    jobs.stop()
    assert called.empty()
    jobs.start()
    called.get(timeout=SECONDS)
    jobs.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "syncbot-ptb13-jobs"]


def test_ids(jobs: JobQueue) -> None:
    """One id, one job, unless it is to take the other's place."""
    first = jobs.run_once(print, 100, job_kwargs={"id": "one"})
    with pytest.raises(ValueError, match="conflicts"):
        jobs.run_once(print, 100, job_kwargs={"id": "one"})
    second = jobs.run_once(print, 100, job_kwargs={"id": "one", "replace_existing": True})
    assert jobs.jobs() == (second,)
    assert first is not second


def test_run_custom(jobs: JobQueue, called: queue.Queue[Any]) -> None:
    """Whatever APScheduler's words say."""
    given = jobs.run_custom(called.put, {"trigger": "interval", "seconds": 0.02}, context=7, name="own")
    assert called.get(timeout=SECONDS).job.context == 7
    given.remove()
    assert isinstance(given, Job)
    assert given.job is given


def test_a_job_is_taken_out_once(dispatcher: Dispatcher) -> None:
    """By one of two threads; the other one is told; and what is put meanwhile is there."""

    def make() -> Steps:
        jobs = JobQueue()
        jobs.set_dispatcher(dispatcher)
        given = jobs.run_once(print, 1000)
        said: list[Any] = []

        def take_out() -> None:
            try:
                given.schedule_removal()
            except JobLookupError:
                said.append("gone")

        def both() -> None:
            said.append(jobs.run_once(print, 1000, name="other"))
            take_out()

        def check() -> None:
            assert "gone" in said
            assert [job.name for job in jobs.jobs()] == ["other"]

        return Steps(take_out, both, check)

    assert at_every_line(make, ("jobs/clock.py", "jobs/jobqueue.py")) > 4


def test_a_trigger_that_fails_ends_its_own_job_alone(jobs: JobQueue, called: queue.Queue[Any], caplog: pytest.LogCaptureFixture) -> None:
    """Its time that has come is called, the log has the error, and other jobs go on."""

    class Failing:
        """Tells one time, and fails when asked for another."""

        def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
            if previous is not None:
                raise ZeroDivisionError
            return now

    jobs.run_custom(called.put, {"trigger": Failing()}, name="failing")
    assert called.get(timeout=SECONDS).job.name == "failing"
    jobs.run_once(called.put, 0, name="other")
    assert called.get(timeout=SECONDS).job.name == "other"
    assert jobs.jobs() == ()
    assert "'failing'" in caplog.text
