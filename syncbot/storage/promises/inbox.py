"""Updates between their confirmation to Telegram and the end of their handler, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from syncbot.storage.promises.data import NO_CHANGES, Changes, DataConflict

DEATHS_ALONE = 3
"""How many deaths of the process an update may be found alone in its handler at before it goes to the dead letters."""
DIED_ALONE = f"the process died {DEATHS_ALONE} times while this update alone was in its handler"
"""The reason given to such a dead letter."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An update as it came from Telegram.

    Args:
        update_id: Telegram's id; fits 64 bits.
        key: updates of one key are handled one after the other (the chat's id as text); "" for one that needs no order.
        body: the update as JSON text in UTF-8, stored as it is.
        album: the album of which it brings a message; "" for none. The messages of one album that come close together, half a second after each other and
            two seconds in all, become one update, which is handed out then (see `syncbot.storage.albums`).
    """

    update_id: int
    key: str
    body: bytes = field(repr=False)
    album: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that has been handed out to this process and is to be settled or released.

    Args:
        row: its place in the inbox; grows in the order of arrival, and is never used twice.
        update_id: Telegram's id.
        key: its ordering key.
        body: its JSON text.
        attempt: 1 the first time; deaths of the process and second chances after the dead letters count.
        stored: when it was stored.
        alone: it was handed out under suspicion: nothing else is handed out until it is settled, released or yields its turn.
        ticket: tells this claim from every other one of the same update; what comes with an old one is passed over.
        is_awaited: a question is open in its chat, asked perhaps by another process; told by stores that know several.
        has_steps: whether its journal holds what earlier runs have done; False spares looking there.
    """

    row: int
    update_id: int
    key: str
    body: bytes = field(repr=False)
    attempt: int = 1
    stored: float = 0.0
    alone: bool = False
    ticket: int = 0
    is_awaited: bool = False
    has_steps: bool = True


class End(NamedTuple):
    """How the handling of an update has ended.

    Args:
        claimed: the update.
        changes: what is written with it.
        reason: why it failed, for a reader (a redacted traceback), and goes to the dead letters; what is beyond 20,000 characters is cut out of its
            middle. None when its handler has returned.
        keep: whether what failed goes to the dead letters; a job that repeats does not.
    """

    claimed: Claimed
    changes: Changes = NO_CHANGES
    reason: str | None = None
    keep: bool = True


class Settled(NamedTuple):
    """What `Inbox.settle` has done.

    Args:
        claimed: what was handed out in the same transaction.
        lost: what was not ours to end any more (it was released, or ended, or claimed anew since): nothing of it was written.
        refused: what did not find in the data what it expected, and where: nothing of it was written, and it is still running.
        album_seconds: where less was handed out than asked for: in how many seconds the next album is complete that is still collected; None where there is
            none.
    """

    claimed: list[Claimed]
    lost: tuple[Claimed, ...] = ()
    refused: tuple[tuple[Claimed, tuple[DataConflict, ...]], ...] = ()
    album_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """What `Inbox.recover` found.

    Args:
        waiting: how many updates wait, those of the earlier run included.
        interrupted: the ids of those that were in a handler, or waiting for an answer, when the earlier run ended without releasing them.
        suspects: how many will be handed out one at a time.
        buried: the ids (of dead letters) that were alone in their handler at too many deaths.
        member: the number of the calling process from now on, as one that handles; never used twice.
    """

    waiting: int = 0
    interrupted: tuple[int, ...] = ()
    suspects: int = 0
    buried: tuple[int, ...] = ()
    member: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Counts:
    """How full the inbox is.

    Args:
        waiting: stored and not handed out.
        running: handed out and not settled (those that yielded their turn included).
        oldest: when the oldest waiting one was stored; None where none waits.
        newest: the number of the newest one ever stored, counted from 1; one that is put back from the dead letters has another.
    """

    waiting: int = 0
    running: int = 0
    oldest: float | None = None
    newest: int = field(default=0, compare=False)
