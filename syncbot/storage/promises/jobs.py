"""Jobs that wait for their time, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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

    @classmethod
    def _missing_(cls, value: object) -> Missed:
        raise ValueError(f'missed: {value!r} is none of "once", "all" and "none"; for example missed="once"')


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
