"""The locks of jobs: what they guard is right although another thread's step begins in the middle of one."""

from __future__ import annotations

import threading
from pathlib import Path

from kits.interleave_kit import Steps, at_every_line
from kits.storage_kit import BOT

from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import JobEntry, open_store


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
