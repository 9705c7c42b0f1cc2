"""What a store promises: one Protocol for each of its parts. The values that go in and out stand in the modules beside this one.

```
Store ── inbox         updates between Telegram's confirmation and the end of their handler
      ├─ dead_letters  updates whose handler failed, to be looked at and handled again
      ├─ data          user_data, chat_data, bot_data and the states of conversations
      ├─ journal       what handlers have done that have not ended
      ├─ questions     what handlers wait for
      ├─ outbox        calls that wait to be made
      ├─ jobs          jobs that wait for their time
      └─ meta          small facts about the bot
```

Three implementations keep these promises, tested by one suite: the SQLite file, the memory store and PostgreSQL (`syncbot.storage.open_store` picks).
Every method may be called from any thread. Whatever touches the file can raise `StorageError`; with `retryable` set (disk full, locked by
another program) nothing of the call was written and the same call may be made again. All times are seconds since 1970, as floats.

Who only names these does so for type checkers (`TYPE_CHECKING`): a bot that runs loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from syncbot.storage.promises.data import Changes, DataConflict, Scope
from syncbot.storage.promises.dead_letters import DeadLetter
from syncbot.storage.promises.jobs import JobEntry, JobStart
from syncbot.storage.promises.journal import JournalKey, JournalStep
from syncbot.storage.promises.questions import Question, QuestionAnswer
from syncbot.storage.promises.queues import Inbox, OutboxFiles, OutboxQueue
from syncbot.storage.promises.turns import SharedTurns, TurnLimits


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
    def journal(self) -> Journal: ...

    @property
    def questions(self) -> QuestionStore: ...

    @property
    def outbox(self) -> OutboxQueue: ...

    @property
    def outbox_files(self) -> OutboxFiles | None:
        """The files of the outbox; None where they lie in a folder beside the state file."""
        ...

    @property
    def jobs(self) -> JobEntries: ...

    @property
    def meta(self) -> Meta: ...

    @property
    def members(self) -> Members | None:
        """The processes that handle at the same time; None where only one does at a time, which holds the bot's lock."""
        ...

    def shared_turns(self, limits: TurnLimits) -> SharedTurns | None:
        """The limits that all machines of the bot keep together; None where there is one. Whoever gets them closes them."""
        ...

    def changed_by_others(self) -> bool:
        """Whether another process (or another store object) has written since the last call; costs microseconds."""
        ...

    def wait_for_others(self) -> bool:
        """Wait until another process may have written since the last call, which goes for the first call too; for one thread.

        It is told within a quarter of a second. False when the store has been closed, and where there are no others (in memory).
        """
        ...

    def maintain(self) -> None:
        """Forget old ids, dead letters and states and give free space back; happens by itself every few thousand updates, and at a start."""
        ...

    def close(self) -> None:
        """Let go of the file; nothing is left open and no helper file stays unless another process uses it. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Meta(Protocol):
    """Small facts by name, as JSON values. The names that begin with "store." are the store's own."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        ...

    def set(self, name: str, value: Any) -> None:
        """Write it if it differs from what is there (so that repeating costs no write); None deletes it.

        Raises:
            TypeError, ValueError: the value is not JSON, or the name is the store's own, or holds a zero or half of a surrogate pair.
        """
        ...


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


class Data(Protocol):
    """The dicts of users, chats and the bot, and the states of conversations; everything is a JSON value.

    Values come back as JSON gives them: tuples as lists, keys of inner dicts as strings. Nothing is cached, so that what was loaded may be
    changed freely.
    """

    def load(self, scope: Scope, owner: int) -> dict[str, Any]:
        """All keys of one owner; empty where there are none."""
        ...

    def owners(self, scope: Scope, *, after: int | None = None, limit: int = 100) -> list[int]:
        """The owners of whom something is remembered, the lowest ids first; `after` an id, to page on."""
        ...

    def save(self, scope: Scope, owner: int, changed: Mapping[str, Any], removed: Iterable[str] = ()) -> None:
        """Write the changed keys and delete the removed ones, in one transaction; other keys stay as they are.

        Raises:
            TypeError, ValueError: a key is not a string or a value is not JSON (NaN is none); the text names the key; nothing was written.
        """
        ...

    def get_state(self, chat: int, user: int) -> Any:
        """The state of the conversation with this user in this chat; None where there is none. Looking keeps it from expiring."""
        ...

    def apply(self, changes: Changes) -> tuple[DataConflict, ...]:
        """Write all of these in one transaction; nothing where something else stands there than was expected, which is returned."""
        ...


class Journal(Protocol):
    """The steps of what is being handled, so that another run goes on where the first one died.

    The steps of an update go with its end, in the transaction of `Inbox.settle`. They stay when it is released, and when the process dies.

    Writes (SQLite): each verb is a transaction without an fsync, and a page of 4 KB for a step of usual size. A `kill -9` undoes none; a power cut
    can undo what was written since the last durable transaction.
    """

    def steps(self, key: JournalKey) -> Sequence[JournalStep]:
        """What was written, in order; it ends before the first step that is damaged.

        Raises:
            StorageError: the file cannot be used.
        """
        ...

    def write(self, key: JournalKey, step: JournalStep) -> None:
        """Write a step, in the place of one of the same number.

        Raises:
            StorageError: it was not written; not retryable where the claim is gone, and then nothing more may be done for this key.
            ValueError: the run has too many steps.
        """
        ...

    def together(self, *, durable: bool) -> AbstractContextManager[object]:
        """What the calling thread writes into the store within the block is one transaction: all of it stands there behind it, or nothing. Others wait.

        Args:
            durable: it outlives a power cut, as a write of the outbox does.

        Raises:
            StorageError: nothing was written.
        """
        ...

    def cut(self, key: JournalKey, number: int) -> None:
        """Forget the step of this number and all behind it.

        Raises:
            StorageError: as for `write`.
        """
        ...


class QuestionStore(Protocol):
    """The questions that are open.

    `Inbox.yield_turn` opens one, and writes its step into the journal, without an outcome. `Inbox.settle` takes answers with the end of the update that
    brought them (`Changes.answers`), in its transaction; `close` does so for what nobody answers. Either puts the outcome into the journal and closes the
    question, and an update that nobody holds any more waits for a worker again. What comes for a question that is not open is passed over.
    """

    def entries(self) -> list[Question]:
        """All that are open, in the order in which they were asked; those with damaged rows are left out, or fit nothing and end in time."""
        ...

    def may_be_answered(self, row: int) -> bool:
        """Whether something that was stored up to this row of the inbox has not been handled: it may be an answer."""
        ...

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        """These are over, in one transaction."""
        ...

    def note(self, question: Question) -> None:
        """Write anew what an open question wants; one that is not open is passed over."""
        ...


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


class Members(Protocol):
    """The calling process among those that handle, from `Inbox.recover` on. One of them polls.

    One that is killed, frozen or cut off is found out by the others, which take over what it has. Whoever comes back begins anew by itself.
    """

    on_polling_lost: Callable[[], object]
    """Told at once when this process is not certain any more that it is the one that polls."""

    on_news: Callable[[], object]
    """Told at once, and not more than a hundred times a second, when another process may have stored what is to be handled."""
    number: int
    """How many there are, this one included, as was seen some seconds ago."""
    longest_seconds: float
    """For how long another program has had a transaction open: while it has, nothing can be cleared away, and claims get slower."""

    @property
    def questions(self) -> SharedQuestions:
        """What handlers wait for in any of the processes."""
        ...

    def join(self, mode: str) -> str:
        """Say what this process does ("polling", "webhook"); returns what another one does that does something else, "" where none does.

        Raises:
            StorageError: the database cannot be used.
        """
        ...

    def take_polling(self) -> bool:
        """Become the one that polls, unless another one is.

        Raises:
            StorageError: the database cannot be used.
        """
        ...

    def wait_for_polling(self, seconds: float) -> None:
        """Wait until another one may have ceased to poll, for so long at most."""
        ...

    @property
    def may_poll(self) -> bool:
        """Whether this process is the one that polls, and certain of it."""
        ...

    def has(self, row: int, ticket: int) -> bool:
        """Whether the claim of a row with this ticket stands, as far as can be told without asking the database."""
        ...


class SharedQuestions(Protocol):
    """The questions that are open, as one of several processes sees them that handle at the same time: each may bring an answer, or close one."""

    def asked(self, chat: int, user: int) -> list[Question]:
        """Those that are open in this chat, to this user, in the order in which they were asked."""
        ...

    def of(self, rows: Sequence[int]) -> list[Question]:
        """Those that are open of the handlers of these updates."""
        ...

    def overdue(self, at: float, limit: int = 100) -> list[Question]:
        """Those that are open, and were over before this time."""
        ...

    def outcomes(self, questions: Sequence[Question]) -> list[QuestionAnswer]:
        """What came of those of these that are open no more."""
        ...
