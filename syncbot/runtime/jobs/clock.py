"""Who begins jobs, and ends questions, when their time has come: one thread of the process that handles, or whoever runs once."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from syncbot.process import elapsed_seconds
from syncbot.runtime.job import job_body, job_of, job_order
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.jobs.rules import first_time, following, is_of_another_clock, is_passed_over, longest_wait
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage.promises.jobs import JobEntry, JobStart
from syncbot.storage.promises.store import PLAUSIBLE_TIME

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import JobEntries

_log = logging.getLogger(__name__)

_LONGEST_WAIT_SECONDS = 3600.0
_LOOK_AGAIN_SECONDS = 0.5
_SET_SECONDS = 30.0
"""A machine's clock that has gone so much further than time has, or less far, was set."""
_YOUNG_SECONDS = 3600.0
"""A clock that is set within so much of a start was wrong at the start; later it may have been a virtual machine that stood still."""


class Clock:
    """Puts a run of each job that is due into the inbox, where workers find it.

    Args:
        entries: the jobs.
        functions: what they do; jobs of other functions are left alone.
        retry: what to do when the state file cannot be used.
        notify: told how many runs were put into the inbox.
        now: seconds since 1970.
        questions: those that are open, whose time may come to an end; None for none.
        has_caught_up: whether what came while nothing ran is handled by now; else an answer may be among it, and the thread leaves the questions that were
            asked before its start. It is asked when the time of one is over.
        is_alone: whether no other process can give jobs their times, by another clock.
        passing: seconds that pass, whatever the machine's clock is set to.
    """

    def __init__(
        self,
        entries: JobEntries,
        functions: JobFunctions,
        retry: StorageRetry,
        notify: Callable[[int], None],
        now: Callable[[], float] = time.time,
        questions: Questions | None = None,
        has_caught_up: Callable[[], bool] = lambda: True,
        is_alone: bool = True,
        passing: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._entries = entries
        self._functions = functions
        self._retry = retry
        self._notify = notify
        self._now = now
        self._declaring = threading.Lock()
        self._questions = questions or Questions()
        self._has_caught_up = has_caught_up
        self._asked_since = 0.0
        self._is_alone = is_alone
        self._passing = passing
        self._began = passing()
        self._offset = now() - self._began
        self._timed: dict[str, float | None] = {}  # the jobs that were given a time in this life, and the one that they had before
        self._changed = threading.Condition()
        self._news = True
        self._next_time: float | None = None

    def declare(self) -> None:
        """Put the jobs whose times stand in the program, from now on also those that come later, and take out those that do not stand there any more.

        Raises:
            StorageError: the state file cannot be used.
        """
        now = self._asked_since = self._now()
        with self._declaring:  # who declares a job meanwhile puts it afterwards: else it would be taken out here
            self._functions.follow(self.add)
            declared = self._functions.declared(now)
            self._timed = dict.fromkeys({entry.key for entry in declared}.difference(entry.key for entry in self._entries.entries()))
            self._entries.declare(declared)
            entries = self._entries.entries()
            for entry in entries:
                if is_of_another_clock(entry, now) and (self._is_alone or now > PLAUSIBLE_TIME):  # or it is this one that is not set yet
                    self._time_anew(entry, now)
        self._tell_of_strangers({entry.name for entry in entries})

    def add(self, declared: JobEntry) -> None:
        """One more whose time stands in the program."""
        now = self._now()
        with self._declaring:
            self._timed.setdefault(declared.key)
            is_put = self._retry.until_stop(lambda: self._entries.put(replace(declared, next_time=first_time(declared.rule, now))))
        if is_put:
            self.notify()

    def begin_due(self, *, asked_since: float = 0.0) -> int:
        """Begin what is due, as much of it as may be, and end the questions whose time is over; returns how many handlers have to run for that.

        Args:
            asked_since: leave the questions that were asked before; an answer may still wait at Telegram. Seconds since 1970.

        Raises:
            StorageError: the state file cannot be used.
        """
        self._see_clock()
        now = self._now()
        due = self._entries.due(now, self._functions.names())
        starts = [start for entry in due if (start := self._start(entry, now)) is not None]
        last = [start.entry for start in starts if start.following is None and start.entry.declared]
        self._functions.begun(last)  # before they can have ended
        try:
            begun = self._entries.begin(starts)
        except BaseException:
            self._functions.not_begun(last)
            raise
        begun += self._questions.end_due(asked_since=asked_since)
        if begun:
            self._notify(begun)
        return begun

    def ended(self, body: bytes) -> None:
        """The end of a run is recorded: of a job that was to run once nothing is left.

        Args:
            body: what `job_body` made.
        """
        with suppress(ValueError, LookupError, TypeError, OverflowError):  # a damaged one is told of where it is handled
            job = job_of(json.loads(body))
            if job is not None and job.declared and not job.repeats:
                self._functions.ended(job.key)
        self.notify()

    def notify(self) -> None:
        """Say that a job was put or changed, that a run of one has ended, or that the stop event was set."""
        with self._changed:
            self._news = True
            self._changed.notify()

    def tick(self) -> None:
        """Look whether a time has come that the thread is still waiting for, because the machine's clock was set, or slept."""
        next_time = self._next_time
        if (next_time is not None and self._now() >= next_time) or self._was_set_by():
            self.notify()

    def run(self, stop: threading.Event) -> None:
        """The thread: begin what is due until the stop; who sets that calls `notify`.

        Raises:
            StorageError: the state file cannot be used any more.
        """
        while not stop.is_set():
            with self._changed:
                self._news = False  # before looking: what is told from here on is looked at again
            if not self._retry.until_stop(self._look):
                break
            with self._changed:
                self._changed.wait_for(lambda: self._news or stop.is_set(), self._wait_seconds())

    def _look(self) -> None:
        self.begin_due(asked_since=self._asked_since)
        next_end = self._questions.next_time()
        if self._asked_since and next_end is not None and next_end <= self._now():
            if self._has_caught_up():
                self._asked_since = 0.0
            else:
                next_end = self._now() + _LOOK_AGAIN_SECONDS
        times = self._entries.next_time(self._functions.names()), next_end
        self._next_time = min((time for time in times if time is not None), default=None)

    def _was_set_by(self) -> float:
        """By how many seconds the machine's clock was set ahead since that was looked after last; below 0.0 back, 0.0 for not at all."""
        ahead = self._now() - self._passing() - self._offset
        return ahead if abs(ahead) >= _SET_SECONDS else 0.0

    def _see_clock(self) -> None:
        """Once the machine's clock was set: what has been given a time by the wrong one is due in its time."""
        if not self._was_set_by():
            return
        with self._declaring:
            if not (ahead := self._was_set_by()):
                return
            now = self._now()
            for entry in self._entries.entries() if self._is_alone else ():  # by others' clocks their times may be right
                if is_of_another_clock(entry, now) or self._is_jumped_over(entry, now, ahead):
                    self._time_anew(entry, now)
            self._questions.clock_was_set()
            self._asked_since += ahead if self._asked_since else 0.0
            self._offset += ahead
            _log.warning("the machine's clock was set by %+.0f s", ahead)

    def _time_anew(self, entry: JobEntry, now: float) -> None:
        """Give a job that repeats its time by the clock as it is now: the one that it had before where that is right again."""
        with suppress(ValueError):  # another release has written its rule, which is told when it is due
            if self._has_right_time_before(entry, now):
                self._entries.change(entry.key, next_time=self._timed[entry.key])
                del self._timed[entry.key]
                return
            self._entries.change(entry.key, next_time=first_time(entry.rule, now))
            if entry.next_time > now:  # which of the two clocks is wrong is known when one is set again
                self._timed[entry.key] = entry.next_time

    def _has_right_time_before(self, entry: JobEntry, now: float) -> bool:
        before = self._timed.get(entry.key)
        return before is not None and not is_of_another_clock(replace(entry, next_time=before), now)

    def _is_jumped_over(self, entry: JobEntry, now: float, ahead: float) -> bool:
        """Whether the wrong clock has given a job its time, and it has passed only because the clock was set: nobody has missed it."""
        wait = longest_wait(entry.rule, entry.next_time)
        if ahead <= wait or not now - ahead - wait < entry.next_time <= now:
            return False
        is_new = entry.key in self._timed and self._timed[entry.key] is None and self._passing() - self._began < _YOUNG_SECONDS
        return self._has_right_time_before(entry, now) or (is_new and entry.next_time < now - wait)  # several times have passed at once

    def _wait_seconds(self) -> float | None:
        if self._next_time is None:
            return None
        return max(0.0, min(self._next_time - self._now(), _LONGEST_WAIT_SECONDS))

    def _start(self, entry: JobEntry, now: float) -> JobStart | None:
        try:
            after = following(entry, now)
        except ValueError as problem:  # another release has written it
            _log.error("the job %r is paused: %s", entry.key, problem)
            self._entries.change(entry.key, paused=True)
            return None
        if is_passed_over(entry, now):
            _log.info("the job %s was due %.0f s ago, and is passed over", entry.key, now - entry.next_time)
            return JobStart(entry, after)
        return JobStart(entry, after, job_order(entry), job_body(entry, repeats=after is not None))

    def _tell_of_strangers(self, names: set[str]) -> None:
        """Say which jobs will not run because nobody has their functions."""
        if strangers := sorted(names.difference(self._functions.names())):
            _log.warning(
                "jobs wait for functions that this program does not have (%s): name them with @app.job(…), or cancel the jobs; syncbot jobs list shows them",
                ", ".join(strangers),
            )
