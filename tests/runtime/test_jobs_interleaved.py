"""The locks of jobs: what they guard is right although another thread's step begins in the middle of one."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line
from kits.storage_kit import BOT

from syncbot.errors import StorageError
from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import JobEntry, open_store
from syncbot.storage.promises.jobs import JobStart
from syncbot.storage.promises.questions import Question


def functions() -> JobFunctions:
    """One that has the job "note"."""
    made = JobFunctions()
    made.job("note")(lambda context: None)
    return made


def job(key: str = "tea") -> JobEntry:
    """One that is due."""
    return JobEntry(key, "note", {"at": 0.0}, 0.0)


def test_two_that_look_at_once_begin_each_job_once(tmp_path: Path) -> None:
    """Two clocks on one file, as while one process takes over from another."""
    with open_store(tmp_path / "bot.db", BOT) as one, open_store(tmp_path / "bot.db", BOT) as two:

        def make() -> Steps:
            for row in one.jobs.entries():
                one.jobs.remove(row.key)
            before = one.inbox.counts().waiting
            one.jobs.put(job("a"), job("b"))
            clocks = [Clock(store.jobs, functions(), StorageRetry(threading.Event()), lambda number: None) for store in (one, two)]

            def check() -> None:
                assert (one.inbox.counts().waiting - before, one.jobs.entries()) == (2, [])

            return Steps(clocks[0].begin_due, clocks[1].begin_due, check)

        assert at_every_line(make, ("jobs/clock.py", "sqlite/jobs.py")) > 30


def test_no_job_is_slept_through() -> None:
    """Whenever a job is put while the clock looks, or is about to sleep, it is begun at once."""

    def make() -> Steps:
        store, stop, begun = open_store(None, BOT), threading.Event(), threading.Event()

        def begin(number: int) -> None:
            begun.set()
            stop.set()

        clock = Clock(store.jobs, functions(), StorageRetry(stop), begin)

        def give_up() -> None:
            stop.set()
            clock.notify()

        timer = threading.Timer(1.5, give_up)
        ended: list[bool] = []

        def put() -> None:
            ended.append(stop.is_set())  # nobody had put anything, so that it slept until it was told to end
            store.jobs.put(job())
            clock.notify()

        def run() -> None:
            timer.start()
            clock.run(stop)
            timer.cancel()

        def check() -> None:
            store.close()
            assert begun.is_set() or ended == [True]

        return Steps(run, put, check)

    assert at_every_line(make, "jobs/clock.py") > 10


def test_the_clock_wakes_by_itself_when_a_time_comes() -> None:
    """Nobody has to say anything: its own thread begins what gets due while it sleeps."""
    store, stop, begun = open_store(None, BOT), threading.Event(), threading.Event()
    store.jobs.put(JobEntry("tea", "note", {"at": 0.0}, time.time() + 0.2))
    clock = Clock(store.jobs, functions(), StorageRetry(stop), lambda number: begun.set())
    thread = threading.Thread(target=clock.run, args=(stop,))
    thread.start()
    try:
        assert begun.wait(20.0)
    finally:
        stop.set()
        clock.notify()
        thread.join()
    store.close()


def test_two_that_are_declared_at_once_are_both_there() -> None:
    """Two functions of one name have keys of their own, and each is told of."""

    def make() -> Steps:
        made, told = JobFunctions(), list[str]()
        made.follow(lambda entry: told.append(entry.key))

        def declare() -> None:
            made.every(60, name="tidy")(lambda context: None)

        def check() -> None:
            assert sorted(told) == sorted(made.names()) == ["@tidy", "@tidy#2"]
            assert len(made.declared(0.0)) == 2

        return Steps(declare, declare, check)

    assert at_every_line(make, "jobs/functions.py") > 10


def test_a_job_that_ends_while_it_is_begun_leaves_nothing() -> None:
    """A worker may have run a job before the clock comes back from having begun it: its function is gone all the same, and it is not put again."""
    made, store = JobFunctions(), open_store(None, BOT)
    made.later(1)(lambda context: None)
    store.inbox.recover()

    class Quick:
        """The jobs of a store, whose runs have ended as soon as they are begun."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.jobs, name)

        def begin(self, starts: Sequence[JobStart]) -> int:
            number = store.jobs.begin(starts)
            for claimed in store.inbox.claim(10):
                clock.ended(claimed.body)
            return number

    now = count(1_000_000_000)
    clock = Clock(Quick(), made, StorageRetry(threading.Event()), lambda number: None, lambda: float(next(now)))
    clock.declare()
    assert clock.begin_due() == 1
    assert (made.names(), made.declared(0.0)) == ([], [])


def test_a_job_that_cannot_be_begun_is_put_again() -> None:
    """A state file that cannot be written keeps a job that runs once from being begun; it is there at the next start."""
    made, store = JobFunctions(), open_store(None, BOT)
    made.later(1)(lambda context: None)

    class Full:
        """The jobs of a store on a full disk."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.jobs, name)

        def begin(self, starts: Sequence[JobStart]) -> int:
            raise StorageError("the disk is full", retryable=True)

    now = count(1_000_000_000)
    clock = Clock(Full(), made, StorageRetry(threading.Event()), lambda number: None, lambda: float(next(now)))
    clock.declare()
    with pytest.raises(StorageError):
        clock.begin_due()
    assert [entry.key for entry in made.declared(0.0)] == made.names()


def test_a_clock_that_is_set_is_seen_once() -> None:
    """Two that look at once, as a request that is handled inline and the thread: a question that waits goes on for its own time, not for twice the jump."""

    def make() -> Steps:
        store, now = open_store(None, BOT), [2e9]
        questions = Questions(now=lambda: now[0], passing=lambda: 7.0)
        clock = Clock(store.jobs, functions(), StorageRetry(threading.Event()), lambda number: None, lambda: now[0], questions, passing=lambda: 7.0)
        questions.opened(questions.ask(Question(1, 0, "ask", 7, 7, {}, 2e9, 2e9 + 300), is_recorded=False, may_hold=True))
        now[0] += 86_400.0

        def check() -> None:
            assert questions.next_time() == now[0] + 300

        return Steps(clock.begin_due, clock.begin_due, check)

    assert at_every_line(make, ("jobs/clock.py", "work/questions.py")) > 20


def test_a_question_that_is_asked_while_the_clock_is_seen_to_be_set_has_its_time() -> None:
    """Whichever comes first, by the clock as it is from then on: it is neither over at once nor open for a day."""

    def make() -> Steps:
        now = [2e9]
        questions = Questions(now=lambda: now[0], passing=lambda: 7.0)
        now[0] -= 86_400.0

        def ask() -> None:
            questions.opened(questions.ask(Question(1, 0, "ask", 7, 7, {}, 2e9, 2e9 + 300), is_recorded=False, may_hold=True))

        def check() -> None:
            assert questions.next_time() == now[0] + 300

        return Steps(questions.clock_was_set, ask, check)

    assert at_every_line(make, "work/questions.py") > 5
