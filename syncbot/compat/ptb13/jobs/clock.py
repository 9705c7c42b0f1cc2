"""Who calls jobs when their time has come: one thread that waits for the next one, and up to ten that run them."""

from __future__ import annotations

import datetime as dtm
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)

_MOST_AT_ONCE = 10
_LONGEST_WAIT_SECONDS = 30.0
"""The machine may sleep, or its clock be set, and a wait notices neither."""
_STOP_SECONDS = 10.0


class TriggerClock:
    """Keeps jobs, and has each called at its times, never twice at once beyond its `max_instances`.

    Args:
        call: calls a job; what it raises is logged.
    """

    def __init__(self, call: Callable[[Any], None]) -> None:
        self._call = call
        self._changed = threading.Condition()
        self._jobs: dict[str, Any] = {}
        self._ready: deque[Any] = deque()
        self._runners: set[threading.Thread] = set()
        self._thread: threading.Thread | None = None

    def jobs(self) -> list[Any]:
        """All that are kept, by their next time; those that have none at the end."""
        with self._changed:
            return sorted(self._jobs.values(), key=lambda job: (job.next_run_time is None, job.next_run_time or 0))

    def add(self, job: Any, replace: bool = False) -> None:
        """Keep a job.

        Raises:
            ValueError: there is one with its id, and it is not to be replaced.
        """
        with self._changed:
            if job.id in self._jobs and not replace:
                raise ValueError(f"Job identifier ({job.id}) conflicts with an existing job")
            self._jobs[job.id] = job
            self._plan(job, _now())

    def plan(self, job: Any) -> None:
        """Find its next time anew, after it was switched on or off."""
        with self._changed:
            if self._is_kept(job):
                self._plan(job, _now())

    def remove(self, job: Any) -> bool:
        """Keep it no longer; False where it is not kept."""
        with self._changed:
            if not self._is_kept(job):
                return False
            del self._jobs[job.id]
            self._changed.notify_all()
            return True

    def start(self) -> None:
        """Begin, where it has not begun."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="syncbot-ptb13-jobs", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End, and wait for what runs, ten seconds at most; a job may call it."""
        with self._changed:
            thread, self._thread = self._thread, None
            while self._ready:
                self._ready.popleft().running -= 1
            self._changed.notify_all()
            threads = [*self._runners, *([thread] if thread else [])]
        ends_at = _now() + dtm.timedelta(seconds=_STOP_SECONDS)
        for each in threads:
            if each is not threading.current_thread():
                each.join(max(0.0, (ends_at - _now()).total_seconds()))

    def _is_kept(self, job: Any) -> bool:
        return self._jobs.get(job.id) is job

    def _plan(self, job: Any, now: dtm.datetime) -> None:
        job.next_run_time = job.trigger.get_next_fire_time(None, now) if job.enabled else None
        if job.enabled and job.next_run_time is None:
            del self._jobs[job.id]
        elif job.enabled and job.misfire_grace_time is not None and (now - job.next_run_time).total_seconds() > job.misfire_grace_time:
            _log.warning("the job %r was to be called at %s, which had passed when it was put: it is not called", job.name, job.next_run_time)
            del self._jobs[job.id]
        self._changed.notify_all()

    def _run(self) -> None:
        """The thread that waits."""
        me = threading.current_thread()
        with self._changed:
            while self._thread is me:
                now = _now()
                for job in [job for job in self._jobs.values() if job.next_run_time is not None and job.next_run_time <= now]:
                    self._begin(job, now)
                times = [job.next_run_time for job in self._jobs.values() if job.next_run_time is not None]
                wait = (min(times) - _now()).total_seconds() if times else None
                self._changed.wait(None if wait is None else max(0.0, min(wait, _LONGEST_WAIT_SECONDS)))

    def _begin(self, job: Any, now: dtm.datetime) -> None:
        """Put a job to those that are to run, and find its next time; times that have passed meanwhile are one run."""
        at = job.next_run_time
        try:
            while at is not None and at <= now:
                at = job.trigger.get_next_fire_time(at, now)
        except Exception:  # a trigger of the program's own
            _log.exception("the times of the job %r cannot be told any more: this is its last one", job.name)
            at = None
        job.next_run_time = at
        if at is None:
            del self._jobs[job.id]
        if job.running >= job.max_instances:
            _log.warning("the job %r is due and still runs: this time is left out", job.name)
            return
        job.running += 1
        self._ready.append(job)
        if len(self._runners) < _MOST_AT_ONCE:
            runner = threading.Thread(target=self._work, name="syncbot-ptb13-job", daemon=True)
            self._runners.add(runner)
            try:
                runner.start()
            except RuntimeError:  # no more threads now: the next job's runs this one too
                self._runners.discard(runner)
                _log.exception("the job %r waits for a thread", job.name)

    def _work(self) -> None:
        """A thread that runs what is ready, and ends when nothing is."""
        while True:
            with self._changed:
                if not self._ready:
                    self._runners.discard(threading.current_thread())
                    return
                job = self._ready.popleft()
            try:
                self._call(job)
            except Exception:
                _log.exception("what follows the job %r failed", job.name)
            finally:
                with self._changed:
                    job.running -= 1


def _now() -> dtm.datetime:
    return dtm.datetime.now(dtm.UTC)
