"""The outbox: calls that wait to be made, what became of each, and the promises of the queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


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


class OutboxQueue(Protocol):
    """A queue of Bot API calls. Several deliverers, in one process or many, share it; each has a name of its own (`owner`).

    A deliverer claims calls for a while (the lease), marks each as being sent before the first byte of its request leaves, and says how it
    ended. When it dies, its lease runs out, or somebody who knows it is dead says so with `abandon`: then what it had not begun to send is queued
    again, and what it had is uncertain. Every step checks that the claim still stands, and a deliverer whose claim is gone must not send.

    Order: the calls of one key are made in the order in which they were queued. One that waits for its next attempt holds up the later ones
    of its key; an uncertain or failed one does not.

    Writes (SQLite): queueing and the mark before sending are durable (an fsync each); the rest is not, and its loss in a power cut can only
    make a call uncertain.
    """

    def put(self, *calls: OutboxCall) -> list[int]:
        """Queue these, durable, in one transaction; returns their ids.

        Raises:
            TypeError, ValueError: a parameter is not JSON; nothing was queued.
        """
        ...

    def claim(self, owner: str, *, lease: float, limit: int = 1, again: bool = False) -> list[OutboxItem]:
        """Take up to `limit` calls whose time and turn has come, at most one a key, for `lease` seconds.

        Before that, calls whose lease has run out are recovered, and expired ones become failed. What this owner is sending stays its own: it lives, and
        its lease is renewed.

        Args:
            owner, lease, limit: as above.
            again: what another one may have sent whose lease has run out is queued again, in its old place; else it becomes uncertain.
        """
        ...

    def sending(self, id: int, owner: str, *, lease: float, further: bool = False) -> bool:
        """Mark it as being sent, durable, with a new lease. False when the claim is gone: do not send.

        Args:
            id, owner, lease: as above.
            further: it is being sent already, and this is another request for it.
        """
        ...

    def sent(self, id: int, owner: str) -> bool:
        """It was carried out: delete it. True also when it had become uncertain meanwhile; False when it is not this owner's any more."""
        ...

    def put_off(self, id: int, owner: str, *, until: float, reason: str = "") -> bool:
        """It was certainly not carried out (not sent, 429): queue it again in its old place, for another attempt at `until`."""
        ...

    def hold(self, id: int, owner: str, state: OutboxState, reason: str) -> bool:
        """It is uncertain, or failed: keep it for somebody to look at.

        Raises:
            ValueError: the state is neither UNCERTAIN nor FAILED.
        """
        ...

    def abandon(self, owner: str, *, again: bool = False) -> int:
        """This deliverer is dead: recover what it had, at once; returns how many.

        Args:
            again: queue what may have been sent again, in its old place, before anybody can take what is behind it; else it becomes uncertain.
        """
        ...

    def entries(self, *states: OutboxState, limit: int = 100, after: int = 0) -> list[OutboxItem]:
        """The oldest first, in these states (none: in all); `after` an id, to page on."""
        ...

    def get(self, id: int) -> OutboxItem | None:
        """One of them, or None."""
        ...

    def counts(self) -> dict[OutboxState, int]:
        """How many there are in each state, states without any included."""
        ...

    def outlook(self) -> Outlook:
        """When to look again, and who is at work, both as of one moment."""
        ...

    def retry(self, id: int, *, expires: float | None = None) -> bool:
        """Queue an uncertain or failed one again, with this expiry (None: without one); False if it is neither."""
        ...

    def drop(self, id: int) -> OutboxItem | None:
        """Delete it unless a deliverer has it now; returns what was deleted (its files are the caller's to remove), or None."""
        ...

    def purge(self, older_than: float) -> list[OutboxItem]:
        """Delete the uncertain and failed ones that were queued more than `older_than` seconds ago; returns them."""
        ...


class DelivererLock(Protocol):
    """The sign that a deliverer lives."""

    def release(self) -> None:
        """It delivers no more."""
        ...


class OutboxFiles(Protocol):
    """Copies of the files of queued calls, in a store that keeps them itself, and who delivers there; see `Store.outbox_files`."""

    def write(self, chunks: Iterable[bytes]) -> str:
        """Keep these bytes, durable; returns the name that a call names them by. They are never held in memory as a whole.

        Raises:
            StorageError: they are not kept.
        """
        ...

    def size(self, name: str) -> int | None:
        """How many bytes; None where there is no such copy."""
        ...

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes, from the first to the last; no transaction is open between two pieces."""
        ...

    def remove(self, names: tuple[str, ...]) -> None:
        """Delete these; those that are gone are passed over."""
        ...

    def sweep(self) -> None:
        """Delete what is older than a day and no call speaks of."""
        ...

    def lock(self, owner: str) -> DelivererLock:
        """Show that this deliverer lives, until the lock is released or the process dies.

        Raises:
            StorageError: it cannot be shown.
        """
        ...

    def is_dead(self, owner: str) -> bool:
        """Whether a deliverer has certainly died: nobody holds its lock."""
        ...
