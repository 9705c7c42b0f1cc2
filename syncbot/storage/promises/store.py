"""What a store holds and promises: the values that go in and out, and one Protocol for each part of it.

```
Store ── inbox         updates between Telegram's confirmation and the end of their handler
      ├─ dead_letters  updates whose handler failed, to be looked at and handled again
      ├─ data          user_data, chat_data, bot_data and the states of conversations
      ├─ outbox        calls that wait to be made
      └─ meta          small facts about the bot
```

Two implementations keep these promises, tested by one suite: the SQLite file and the memory store (`syncbot.storage.open_store` picks).
Every method may be called from any thread. Whatever touches the file can raise `StorageError`; with `retryable` set (disk full, locked by
another program) nothing of the call was written and the same call may be made again. All times are seconds since 1970, as floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from syncbot.storage.promises.data import NO_CHANGES, Changes, Data
from syncbot.storage.promises.outbox import Outbox

DEATHS_ALONE = 3
"""How many deaths of the process an update may be found alone in its handler at before it goes to the dead letters."""
DIED_ALONE = f"the process died {DEATHS_ALONE} times while this update alone was in its handler"
"""The reason given to such a dead letter."""
PLAUSIBLE_TIME = 1_577_836_800.0
"""Nothing is forgotten for its age that carries a time before 2020: a router's clock begins anywhere and jumps when the network comes up."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store behaves.

    Args:
        busy_timeout: seconds to wait for a lock that another process holds before the call fails (retryable).
        window_ids: how many update ids are remembered at most, to know a repeated one.
        window_seconds: for how long an id is remembered. Telegram offers an update for a day, and restarts its ids only after a week.
        dead_limit: how many dead letters are kept; the oldest go first.
        dead_seconds: for how long a dead letter is kept.
        check: look through the whole file at opening (about 3 ms a megabyte) so that damage is found before the first poll.
        max_pages: a ceiling for the file, in pages of 4096 bytes; above it, the file behaves as on a full disk. None for none.
    """

    busy_timeout: float = 5.0
    window_ids: int = 20_000
    window_seconds: float = 2 * 86_400.0
    dead_limit: int = 1_000
    dead_seconds: float = 90 * 86_400.0
    check: bool = True
    max_pages: int | None = None


# ── inbox ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Incoming:
    """An update as it came from Telegram.

    Args:
        update_id: Telegram's id; fits 64 bits.
        key: updates of one key are handled one after the other (the chat's id as text); "" for one that needs no order.
        body: the update as JSON text in UTF-8, stored as it is.
    """

    update_id: int
    key: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that has been handed out to a handler of this process and is to be finished, buried or released.

    Args:
        row: its place in the inbox; grows in the order of arrival, and is never used twice.
        update_id: Telegram's id.
        key: its ordering key.
        body: its JSON text.
        attempt: 1 the first time; deaths of the process and second chances after the dead letters count.
        stored: when it was stored.
        alone: it was handed out under suspicion: nothing else is handed out until it is finished, buried, released or yields its turn.
        ticket: tells this handing out from every other one of the same update.
    """

    row: int
    update_id: int
    key: str
    body: bytes = field(repr=False)
    attempt: int = 1
    stored: float = 0.0
    alone: bool = False
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Recovery:
    """What `Inbox.recover` found.

    Args:
        waiting: how many updates wait, those of the earlier run included.
        interrupted: the ids of those that were in a handler, or waiting for an answer, when the earlier run ended without releasing them.
        suspects: how many will be handed out one at a time.
        buried: the ids (of dead letters) that were alone in their handler at too many deaths.
    """

    waiting: int = 0
    interrupted: tuple[int, ...] = ()
    suspects: int = 0
    buried: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How full the inbox is.

    Args:
        waiting: stored and not handed out.
        running: handed out and not finished (those that yielded their turn included).
        oldest: when the oldest waiting one was stored; None where none waits.
    """

    waiting: int = 0
    running: int = 0
    oldest: float | None = None


class Inbox(Protocol):
    """Updates between their confirmation to Telegram and the end of their handler.

    An update is *waiting*, then *running* (claimed, in a handler), then *done* (gone; its id is remembered for a while) or a *dead letter*.
    Any process may `store`. One process at a time handles, the holder of the bot's lock; it calls `recover` once before its first `claim`,
    and from then on an earlier handling process is refused.

    Order: updates of one key are handed out in the order in which they were stored, the next one only when the earlier one is no longer
    running; different keys are independent. "" is no key: such updates wait for nothing.

    Suspects: an update that was in a handler when the process died may have killed it. `recover` marks what was running then as suspects, and
    `claim` hands them out first, one at a time, with nothing else running. A suspect that is finished or buried was harmless. If the process
    dies again while exactly one update is in a handler, that one is found out: one more death *alone* is written to it, at `DEATHS_ALONE`
    it goes to the dead letters, below that it stays the only suspect; all others are cleared. A release (at stop) is no death, and neither is
    waiting with a yielded turn.

    Writes (SQLite): a batch is one transaction and one fsync (two more when SQLite moves its log into the file, every 1000 pages of it).
    Handing out and finishing are noted in the turn log, and settled with the next batch, or in a transaction without an fsync after 64 of them,
    after 0.2 s, or when there is nothing more to hand out; finishing with changes is a transaction of its own, with those of the data that it
    changed. In pages of 4 KB that go to the log: a quiet bot's single update costs at most 4 to store and 1 to finish; under load it is less than
    2 an update in all. A kill -9 of the process cannot undo any of it; a power cut can undo what was finished since the last batch, which is then
    handled again.
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
        """Become the process that handles: put back what an earlier run left unfinished, as the suspects' rules above say."""
        ...

    def claim(self, limit: int = 1) -> list[Claimed]:
        """Hand out up to `limit` waiting updates, the oldest first, at most one a key and none of a key that is running.

        Empty when nothing may run now: none waits, all keys are busy, or a suspect runs alone.

        Raises:
            RuntimeError: `recover` was not called.
            StorageError: also when another process has become the one that handles.
        """
        ...

    def finish(self, claimed: Claimed, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        """The handler has returned: take the update out, write its changes, and hand out up to `claim` others, in one transaction.

        Raises:
            TypeError, ValueError: a changed value is not JSON; the text names its key; nothing was written.
            StorageError: nothing was written, the update is still running. When the text says that another process took over, forget it.
        """
        ...

    def bury(self, claimed: Claimed, reason: str, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
        """The handler has failed: move the update to the dead letters; otherwise as `finish`.

        Args:
            claimed: what failed.
            reason: why, for a reader (a redacted traceback); what is beyond 20,000 characters is cut out of its middle.
            changes: what is to be written all the same.
            claim: how many others to hand out in the same transaction.
        """
        ...

    def release(self, *claimed: Claimed) -> None:
        """Put these back untouched (at a stop): they wait again in their old places, and no death is counted. A claim that is gone is passed over."""
        ...

    def yield_turn(self, claimed: Claimed) -> None:
        """The handler waits for something from outside: let its key (and, for a suspect, everybody) go on meanwhile.

        The update stays unfinished: after a death it is handled again, but not suspected.

        Raises:
            StorageError: the claim is gone (as for `finish`).
        """
        ...

    def take_turn(self, claimed: Claimed) -> bool:
        """End `yield_turn`. False when its key is busy or a suspect runs alone: ask again after the next one is finished.

        Raises:
            StorageError: the claim is gone (as for `finish`).
        """
        ...

    def counts(self) -> Counts:
        """How many wait and run."""
        ...


# ── dead letters ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An update whose handler failed.

    Args:
        id: its number among the dead letters, never used twice.
        update_id: Telegram's id.
        key: its ordering key.
        body: its JSON text.
        reason: the redacted traceback, or a sentence.
        attempts: how often it was handed to a handler.
        stored: when it came.
        died: when it went to the dead letters.
    """

    id: int
    update_id: int
    key: str
    body: bytes = field(repr=False)
    reason: str = ""
    attempts: int = 1
    stored: float = 0.0
    died: float = 0.0


class DeadLetters(Protocol):
    """Updates whose handler failed, bounded by number and age (`StoreOptions`). Any process may use them at any time."""

    def entries(self, limit: int = 100, *, before: int | None = None) -> list[DeadLetter]:
        """The newest first; `before` an id, to page on."""
        ...

    def get(self, id: int) -> DeadLetter | None:
        """One of them, or None."""
        ...

    def count(self) -> int:
        """How many there are."""
        ...

    def requeue(self, id: int) -> bool:
        """Put it behind all that wait in the inbox, to be handled again; durable. False if there is none."""
        ...

    def drop(self, id: int) -> bool:
        """Delete it. False if there is none."""
        ...


# ── meta and the whole ───────────────────────────────────────────────────────────────────────────────────────────────


class Meta(Protocol):
    """Small facts by name, as JSON values. The names that begin with "store." are the store's own."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        ...

    def set(self, name: str, value: Any) -> None:
        """Write it if it differs from what is there (so that repeating costs no write); None deletes it.

        Raises:
            TypeError, ValueError: the value is not JSON, or the name is the store's own.
        """
        ...


class Store(Protocol):
    """Everything a bot remembers. A context manager that closes itself."""

    @property
    def bot_id(self) -> int:
        """Whose it is."""
        ...

    @property
    def path(self) -> str | None:
        """The state file; None in memory."""
        ...

    @property
    def persistent(self) -> bool:
        """Whether what is stored survives the process, so that a batch may be confirmed as soon as it is stored."""
        ...

    @property
    def inbox(self) -> Inbox: ...

    @property
    def dead_letters(self) -> DeadLetters: ...

    @property
    def data(self) -> Data: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def meta(self) -> Meta: ...

    def changed_by_others(self) -> bool:
        """Whether another process (or another store object) has written since the last call; costs microseconds, so ask several times a second."""
        ...

    def maintain(self) -> None:
        """Forget old ids and dead letters and give free space back; happens by itself every few thousand updates, and at opening."""
        ...

    def close(self) -> None:
        """Let go of the file; nothing is left open and no helper file stays unless another process uses it. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
