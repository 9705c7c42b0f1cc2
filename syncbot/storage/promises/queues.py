"""The two queues of a bot, as protocols: updates that wait for their handlers, and calls that wait to be made; see `parts.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from syncbot.storage.promises.inbox import Claimed, Counts, End, Incoming, Recovery, Settled
from syncbot.storage.promises.outbox import OutboxCall, OutboxItem, OutboxState, Outlook
from syncbot.storage.promises.questions import QuestionOpening


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

    def counts(self) -> Counts:
        """How many wait and run."""
        ...


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
