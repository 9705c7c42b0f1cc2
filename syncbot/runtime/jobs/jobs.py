"""Jobs with their times, put, listed and cancelled by a program while it runs or not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from syncbot.client.recording import Recorders
from syncbot.runtime.durable.run import DurableRun
from syncbot.runtime.durable.seam import run_with_step
from syncbot.runtime.jobs.functions import JobFunctions, MissedWord
from syncbot.runtime.jobs.rules import Rule, at_rule, cron_rule, daily_rule, first_time, seconds_rule
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.promises.jobs import JobEntry, Missed

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import JobEntries, Journal


@dataclass(frozen=True)
class OpenJobs:
    """Jobs whose store is open.

    Args:
        entries: the jobs.
        journal: of the same store.
        notify: says that one was put or changed.
        is_live: whether they run in this process, so that all their functions are known.
    """

    entries: JobEntries
    journal: Journal
    notify: Callable[[], None] = lambda: None
    is_live: bool = False


class Jobs:
    """Jobs in the state file: `Runtime.jobs`.

    ```python
    @app.job("remind")
    def remind(context):
        context.reply(f"You wanted to be reminded: {context.job.data}")

    app.jobs.at(timedelta(hours=2), "remind", chat_id=42, data="tea")
    app.jobs.daily("09:00", "remind", tz="Europe/Berlin", chat_id=42, data="stand-up")
    ```

    A job is on the disk when these return, and runs in the process that handles the bot's updates, at its time or as soon as that process runs again. Each
    has a `key`, and one with the same key takes its place: so a program may put the same jobs at each start. Without a key, what repeats is known by the
    names of its function, chat and user, and what runs once by a key that is made for it.

    Where the runtime does not run in this process, the state file is opened for each call.

    Args:
        path: the state file; None in memory.
        bot_id: whose it is.
        functions: what they do.
        recorders: those of its bot, where the runs of handlers are.
        live: gives the open jobs while the runtime runs.
    """

    def __init__(self, path: StatePlace | None, bot_id: int, functions: JobFunctions, recorders: Recorders, live: Callable[[], OpenJobs | None]) -> None:
        self._recorders = recorders
        self._path = path
        self._bot_id = bot_id
        self._functions = functions
        self._live = live

    def at(
        self,
        when: datetime | timedelta | float,
        job: str,
        *,
        key: str | None = None,
        chat_id: int | None = None,
        user_id: int | None = None,
        data: Any = None,
        missed: MissedWord = "once",
    ) -> JobEntry:
        """Run a job once.

        Args:
            when: a time (without a zone in the machine's), a span from now, or seconds since 1970.
            job: the name that `@app.job` gave to its function.
            key: what it is known by; None makes one.
            chat_id: the chat that it is about: `context.reply` answers there, and it runs in order with the chat's updates.
            user_id: the user whom it is about, for `context.user_data`; that of a private chat is its chat's.
            data: any JSON value, for `context.job.data`.
            missed: "none" passes it over when it could not be begun within five minutes.

        Returns:
            The job as it is stored.

        Raises:
            ValueError, TypeError: something is wrong; nothing was stored.
            StorageError: the state file cannot be used.
        """
        rule = at_rule(when, time.time())
        return self._put(rule, job, key or f"{job}-{self._chance():08x}", chat_id, user_id, data, missed)

    def every(
        self,
        seconds: float,
        job: str,
        *,
        key: str | None = None,
        chat_id: int | None = None,
        user_id: int | None = None,
        data: Any = None,
        missed: MissedWord = "once",
    ) -> JobEntry:
        """Run a job again and again, the first time in `seconds`; all else as for `at`."""
        return self._put(seconds_rule("every", seconds), job, key, chat_id, user_id, data, missed)

    def daily(
        self,
        time: str,
        job: str,
        *,
        tz: str | tzinfo | None = None,
        key: str | None = None,
        chat_id: int | None = None,
        user_id: int | None = None,
        data: Any = None,
        missed: MissedWord = "once",
    ) -> JobEntry:
        """Run a job once a day, at "09:00" or "09:00:30" in a time zone (None: the machine's); all else as for `at`."""
        return self._put(daily_rule(time, tz), job, key, chat_id, user_id, data, missed)

    def cron(
        self,
        times: str,
        job: str,
        *,
        tz: str | tzinfo | None = None,
        key: str | None = None,
        chat_id: int | None = None,
        user_id: int | None = None,
        data: Any = None,
        missed: MissedWord = "once",
    ) -> JobEntry:
        """Run a job at the times of a crontab, "minute hour day month weekday", in a time zone (None: the machine's); all else as for `at`."""
        return self._put(cron_rule(times, tz), job, key, chat_id, user_id, data, missed)

    def entries(self, job: str | None = None, *, chat_id: int | None = None, user_id: int | None = None) -> list[JobEntry]:
        """The jobs that wait, the next one first: all, or those of a function, a chat, a user."""
        with self._opened() as opened:
            found = opened.entries.entries()
        return [entry for entry in found if job in (None, entry.name) and chat_id in (None, entry.chat_id) and user_id in (None, entry.user_id)]

    def get(self, key: str) -> JobEntry | None:
        """The job with this key."""
        with self._opened() as opened:
            return opened.entries.get(key)

    def cancel(self, key: str) -> bool:
        """Take a job out; False if there is none. A run of it that has begun goes on."""
        return self._change(lambda entries: entries.remove(key))

    def pause(self, key: str) -> bool:
        """Keep a job from running until `resume`; False if there is none."""
        return self._change(lambda entries: entries.change(key, paused=True))

    def resume(self, key: str) -> bool:
        """Let a paused job run again; times that passed meanwhile are passed over, but for one that runs once. False if there is none."""
        return self._change(lambda entries: resume(entries, key, time.time()))

    def run(self, key: str) -> bool:
        """Run a job now; False if there is none, or it is paused.

        Times of day (`daily`, `cron`) stay; `every` counts on from now; what was to run once has run then.
        """
        return self._change(lambda entries: run_now(entries, key, time.time()))

    def _put(self, rule: Rule, job: str, key: str | None, chat_id: int | None, user_id: int | None, data: Any, missed: MissedWord) -> JobEntry:
        self._check(job, key, chat_id, user_id)
        known_by = key or ":".join(str(part) for part in (job, chat_id, user_id) if part is not None)
        entry = JobEntry(known_by, job, rule, first_time(rule, time.time()), chat_id, user_id, data, Missed(missed))
        run = run_with_step(self._recorders)
        if run is None:
            self._store(entry)
        else:  # a step of the handler's, which another run of it does not do again
            run.value("job", job, partial(self._store, entry, run), "the job")
        return self.get(known_by) or entry

    def _store(self, entry: JobEntry, run: DurableRun | None = None) -> None:
        with self._opened() as opened:
            if opened.is_live and self._functions.find(entry.name) is None:
                from difflib import get_close_matches  # a misspelt name is the exception: a right one must not pay for the import

                close, job = get_close_matches(entry.name, self._functions.names(), 1), entry.name
                raise ValueError(f"there is no job {job!r}{f'; did you mean {close[0]!r}?' if close else ''}; @app.job({job!r}) gives a function this name")
            put = partial(opened.entries.put, entry)
            put() if run is None else run.keep(put, opened.journal, durable=True)
            opened.notify()

    def _chance(self) -> int:
        """For a key that is made here; the same in each run of a handler, so that a process that dies right behind the job leaves no second one."""
        run = run_with_step(self._recorders)
        return secrets.randbits(32) if run is None else run.random.getrandbits(32)

    def _change(self, change: Callable[[JobEntries], bool]) -> bool:
        with self._opened() as opened:
            changed = change(opened.entries)
            opened.notify()
            return changed

    @staticmethod
    def _check(job: object, key: object, *ids: object) -> None:
        if not isinstance(job, str) or not job:
            raise TypeError(f'a job is known by the name of its function, and {job!r} is none; for example app.jobs.at(when, "remind")')
        if key is not None and (not isinstance(key, str) or key.startswith("@")):
            raise ValueError(f'key: {key!r} is no key; give a text that does not begin with "@", which those of decorators do')
        for one in ids:
            if one is not None and type(one) is not int:
                raise TypeError(f"chat_id and user_id are whole numbers, and {one!r} is none")

    @contextmanager
    def _opened(self) -> Iterator[OpenJobs]:
        if (opened := self._live()) is not None:
            yield opened
        elif self._path is None:
            raise RuntimeError(
                "without a state file jobs can be put only while the runtime runs; give Runtime(state=…) a file, or declare them: @app.every(60)"
            )
        else:
            with open_store(self._path, self._bot_id, options=StoreOptions(check=False)) as store:
                yield OpenJobs(store.jobs, store.journal)


def resume(entries: JobEntries, key: str, now: float) -> bool:
    """Let a paused job run again."""
    entry = entries.get(key)
    if entry is None:
        return False
    repeats = "at" not in entry.rule and "later" not in entry.rule
    return entries.change(key, paused=False, next_time=first_time(entry.rule, now) if repeats and entry.next_time < now else None)


def run_now(entries: JobEntries, key: str, now: float) -> bool:
    """Have a job run now."""
    entry = entries.get(key)
    return entry is not None and not entry.paused and entries.change(key, next_time=min(entry.next_time, now))
