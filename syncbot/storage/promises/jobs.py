"""Jobs that wait for their time: the values, and the promises of the place where they stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

MOST_BEGUN = 100
"""So many runs of jobs stand in the inbox at most, so that updates do not wait behind thousands of jobs that are due at once."""


class Missed(StrEnum):
    """What becomes of times that passed while nothing ran."""

    ONCE = "once"
    """One run for all of them."""
    ALL = "all"
    """A run for each of them, one after the other."""
    NONE = "none"
    """None."""


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job with its times.

    Args:
        key: what it is known by; there is one of each.
        name: the name of its function.
        rule: its times, as JSON; what it means is not the store's affair.
        next_time: when it is due, in seconds since 1970.
        chat_id: the chat that it is about.
        user_id: the user whom it is about.
        data: any JSON value.
        missed: what becomes of times that passed while nothing ran.
        paused: it is not begun.
        declared: it stands in the program (a decorator), and is gone when the program does not have it any more.
    """

    key: str
    name: str
    rule: Mapping[str, Any]
    next_time: float
    chat_id: int | None = None
    user_id: int | None = None
    data: Any = None
    missed: Missed = Missed.ONCE
    paused: bool = False
    declared: bool = False


@dataclass(frozen=True, slots=True)
class JobStart:
    """One time of a job has come.

    Args:
        entry: the job as `Jobs.due` gave it.
        following: when it is due next; None when this was its last time.
        order: what its run is kept in order by in the inbox.
        body: what its run is in the inbox, as JSON; None where the time is passed over.
    """

    entry: JobEntry
    following: float | None
    order: str = ""
    body: bytes | None = field(default=None, repr=False)


class JobEntries(Protocol):
    """Jobs that wait for their time.

    When it has come, `begin` puts a run of the job into the inbox and writes down the next time, in one transaction: what is due is begun once, whatever
    dies, and however many processes look. From there on a run is handled as an update is, with an `update_id` below 0 that no update has.
    """

    def put(self, *entries: JobEntry) -> None:
        """Write these in one durable transaction, each in the place of the one with its key; with the same rule it keeps the next time, and stays paused.

        Raises:
            TypeError, ValueError: what it holds is not JSON, or does not fit; nothing was written.
        """
        ...

    def declare(self, entries: Sequence[JobEntry]) -> None:
        """As `put`, and take out every declared one that is not among these."""
        ...

    def entries(self) -> list[JobEntry]:
        """All of them, the next one first; those with damaged rows are left out."""
        ...

    def get(self, key: str) -> JobEntry | None:
        """The one with this key."""
        ...

    def remove(self, key: str) -> bool:
        """Take it out; False if there is none. A run that has begun goes on."""
        ...

    def change(self, key: str, *, paused: bool | None = None, next_time: float | None = None) -> bool:
        """Pause it or let it go on, or set when it is due next; False if there is none."""
        ...

    def due(self, now: float, names: Collection[str]) -> list[JobEntry]:
        """Those whose time has come, the earliest first: none that is paused, none whose last run is still in the inbox, only those of functions with
        these names, and no more than there may be runs in the inbox (`MOST_BEGUN`)."""
        ...

    def begin(self, starts: Sequence[JobStart]) -> int:
        """Put their runs into the inbox, and write down when they are due next. What has changed since `due` is passed over; returns how many runs there
        are now that were not before."""
        ...

    def next_time(self, names: Collection[str]) -> float | None:
        """When the next one is due of those that `due` would give; None where there is none, and while there are as many runs as there may be."""
        ...
