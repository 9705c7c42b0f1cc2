"""The outbox: calls that wait to be made, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from syncbot.storage.promises.store import PLAUSIBLE_TIME


class OutboxState(StrEnum):
    """Where a queued call stands."""

    QUEUED = "queued"
    """Waits for its time and its turn."""
    CLAIMED = "claimed"
    """A deliverer has it; nothing has been sent."""
    SENDING = "sending"
    """A deliverer has it, and its request may have left."""
    UNCERTAIN = "uncertain"
    """It may have been carried out, nobody knows; held until somebody retries or drops it."""
    FAILED = "failed"
    """Refused or expired; held until somebody retries or drops it."""


EXPIRED = "its time ran out before it could be made"
"""The reason of a call that failed so."""
LONGEST_PUT_OFF_SECONDS = 3700.0
"""No attempt waits longer for its next one, since no pause that Telegram asks for counts for more than an hour: more is by a clock that was set back since."""
LEASE_RAN_OUT = "its deliverer ended, or fell silent, while it was being sent"
"""The reason of a call that became uncertain so."""


def check_held_state(state: OutboxState) -> OutboxState:
    """The same state, if it is one in which a call is kept for somebody to look at.

    Raises:
        ValueError: it is another one.
    """
    if state in (OutboxState.UNCERTAIN, OutboxState.FAILED):
        return state
    raise ValueError(f"a call is held as uncertain or failed, not as {state}")


@dataclass(frozen=True, slots=True)
class OutboxCall:
    """A call to be queued.

    Args:
        method: the Bot API method ("sendMessage").
        params: its parameters as JSON values.
        key: calls of one key are made one after the other (the chat's id as text); "" for one that needs no order.
        files: paths of the copies of files to upload.
        not_before: earliest time of the first attempt; 0 for at once.
        expires: after this time it is not attempted any more; None for never.
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    key: str = ""
    files: tuple[str, ...] = ()
    not_before: float = 0.0
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A queued call, and where it stands.

    Args:
        id: its number, never used twice.
        call: what is to be called; its `not_before` is the time of the next attempt.
        state: where it stands.
        attempts: how often sending it was begun.
        created: when it was queued.
        reason: why it was put off, is uncertain or failed.
        owner: the deliverer that has it, or had it last; "" for none.
        lease_until: when the claim ends by itself.
    """

    id: int
    call: OutboxCall
    state: OutboxState = OutboxState.QUEUED
    attempts: int = 0
    created: float = 0.0
    reason: str = ""
    owner: str = ""
    lease_until: float = 0.0


def aged_since(now: float) -> float:
    """What was queued before has its times from a clock that was not set yet: it is neither over nor forgotten for its age."""
    return PLAUSIBLE_TIME if now > PLAUSIBLE_TIME else 0.0


def is_over(item: OutboxItem, now: float) -> bool:
    """Whether the time of a call is over."""
    return item.call.expires is not None and item.call.expires <= now and item.created >= aged_since(now)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a queue has to come.

    Args:
        next_time: the earliest time at which `claim` may find something new (a next attempt, an end of a lease); None where nothing is queued.
            Where somebody has something, there may be something new at any moment.
        owners: the deliverers that have something now.
    """

    next_time: float | None = None
    owners: tuple[str, ...] = ()
