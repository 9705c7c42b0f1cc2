"""Updates between their confirmation to Telegram and the end of their handler: the values, and the promises of the place where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from syncbot.storage.promises.data import NO_CHANGES, Changes, DataConflict
from syncbot.storage.promises.questions import QuestionOpening

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
    """

    claimed: list[Claimed]
    lost: tuple[Claimed, ...] = ()
    refused: tuple[tuple[Claimed, tuple[DataConflict, ...]], ...] = ()


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


class Inbox(Protocol):
    """Updates between their confirmation to Telegram and the end of their handler.

    An update is *waiting*, then *running* (claimed, for a handler), then *done* (gone; its id is remembered for a while) or a *dead letter*.
    Any process may `store`. A member handles: it calls `recover` once before its first `claim`, and what it claims is its own until it settles or
    releases that, or is found to be gone. A store that knows several members renews their leases by itself while it is open, and `recover` takes back
    only what belongs to members that are gone. With a file or in memory there is one member at a time, the holder of the bot's lock: another `recover`
    ends it. A member that is gone is refused from then on (its ends are `Settled.lost`, or a StorageError), so that it writes nothing: the ticket of a
    claim tells it from the next one of the same update.

    Order: updates of one key are handed out in the order in which they were stored, and only when no earlier one of the key is running; different keys
    are independent. "" is no key: such updates wait for nothing. Where each claim is a trip over a network, `per_key` takes several of one key at once
    (a run): whoever claimed them handles them one after the other, and puts back the rest of the run with the one that it puts back. When a process
    dies, what it has handled of a run and not settled is handled again, the whole run: so the feeder of one process on a file takes them singly.

    Suspects: an update that was running when the process died may have killed it. `recover` marks what was running then as suspects, and
    `claim` hands them out first, one at a time, with nothing else running in this member. A suspect that is settled was harmless. If the process
    dies again while exactly one update is running, one more death *alone* is counted for that one: at `DEATHS_ALONE`
    it goes to the dead letters, below that it stays the only suspect; all others are cleared. A release (at stop) is no death, and neither is
    waiting with a yielded turn.

    Writes (SQLite): a batch is one transaction and one fsync (two more when SQLite moves its log into the file, every 1000 pages of it). Every other
    verb is a transaction without an fsync. In pages of 4 KB that go to the log: a quiet bot's single update costs at most 4 to store, 1 to hand out
    and 1 to settle; under load it is less than 2 an update in all, since ends that come together are settled together. A kill -9 of the process
    cannot undo any of it; a power cut can undo what was settled since the last batch, which is then handled again.
    """

    def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
        """Store a batch in one durable transaction: when this returns, the batch may be confirmed to Telegram.

        An id that is remembered, or still in the inbox, is passed over in silence; a lower id than before is an ordinary one.

        Args:
            updates: in Telegram's order.
            next_offset: remember this with the batch (see `next_offset`); costs one page more.

        Returns: how many were new.

        Raises:
            ValueError: an id does not fit 64 bits; nothing was stored.
            StorageError: nothing of the batch was stored.
        """
        ...

    def next_offset(self) -> int | None:
        """The offset that was last given to `store`. Not needed for safety: Telegram repeats what is not confirmed, and repeated ids are known."""
        ...

    def recover(self) -> Recovery:
        """Become the member that handles: put back what an earlier one left unfinished, as the suspects' rules above say."""
        ...

    def claim(self, limit: int = 1, *, per_key: int = 1) -> list[Claimed]:
        """Hand out what waits, of up to `limit` keys that have nothing running, the oldest first; of each key up to `per_key` updates, in their order.

        Each update without a key counts as a key of its own. Empty when nothing may run now: none waits, all keys are busy, or a suspect runs alone.

        Raises:
            RuntimeError: `recover` was not called.
            StorageError: also when another process has become the one that handles.
        """
        ...

    def settle(self, ends: Sequence[End], *, claim: int = 0, per_key: int = 1) -> Settled:
        """These updates have been handled: take them out, bury those that failed, write what they changed, and claim what is next, in one transaction.

        Args:
            ends: how each has ended, in their order.
            claim: of how many keys to hand out others.
            per_key: how many of each, as `claim` takes it.

        Raises:
            TypeError, ValueError: a changed value is not JSON; the text names its key; nothing was written.
            StorageError: nothing was written, and all are still running. When the text says that another process took over, forget them.
        """
        ...

    def release(self, *claimed: Claimed) -> None:
        """Put these back untouched (at a stop): they wait again in their old places, and no death is counted. A claim that is gone is passed over.

        One whose question is open waits for its answer, and is handed out again when that has come.
        """
        ...

    def yield_turn(self, claimed: Claimed, opening: QuestionOpening | None = None) -> None:
        """The handler waits for something from outside: let its key (and, for a suspect, everybody) go on meanwhile.

        The update stays unfinished: after a death it is handled again, but not suspected.

        Args:
            claimed: the update.
            opening: what it waits for, written in the same transaction. Such an update is *asking*, neither waiting nor running, once it is released or
                its process has died: until its question is answered, or closed.

        Raises:
            StorageError: the claim is gone.
        """
        ...

    def take_turn(self, claimed: Claimed) -> bool:
        """End `yield_turn`. False when its key is busy or a suspect runs alone: ask again after the next one is settled.

        Raises:
            StorageError: the claim is gone.
        """
        ...

    def album_seconds(self) -> float | None:
        """In how many seconds the next album is complete that the last claim has left to be collected; 0 where it is by now, None where there is none."""
        ...

    def counts(self) -> Counts:
        """How many wait and run."""
        ...
