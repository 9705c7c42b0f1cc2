"""What a store holds and promises: the values that go in and out, and one Protocol for each part of it.

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

Two implementations keep these promises, tested by one suite: the SQLite file and the memory store (`syncbot.storage.open_store` picks).
Every method may be called from any thread. Whatever touches the file can raise `StorageError`; with `retryable` set (disk full, locked by
another program) nothing of the call was written and the same call may be made again. All times are seconds since 1970, as floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from syncbot.bounds import MOST_SECONDS, check_numbers

if TYPE_CHECKING:
    from syncbot.storage.promises.data import Data
    from syncbot.storage.promises.dead_letters import DeadLetters
    from syncbot.storage.promises.inbox import Inbox
    from syncbot.storage.promises.jobs import JobEntries
    from syncbot.storage.promises.journal import Journal
    from syncbot.storage.promises.members import Members
    from syncbot.storage.promises.outbox import OutboxFiles, OutboxQueue
    from syncbot.storage.promises.questions import QuestionStore
    from syncbot.storage.promises.turns import SharedTurns, TurnLimits

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
        state_seconds: for how long the state of a conversation is kept after its last update: counted anew when it is set, and when an update of the
            conversation looks at it (noted to a hundredth of this time); what is over is forgotten once an hour. `math.inf` keeps it for ever.
        check: look through the whole file at opening (about 3 ms a megabyte) so that damage is found before the first poll.
        max_pages: a ceiling for the file, in pages of 4096 bytes; above it, the file behaves as on a full disk. None for none.
        lease_seconds: (PostgreSQL) after so long without a word from a process that handles, others take over what it has.
        connections: (PostgreSQL) how many connections this process opens at most, beside one that each process that handles keeps.

    Raises:
        ConfigError: a number is wrong.
    """

    busy_timeout: float = 5.0
    window_ids: int = 20_000
    window_seconds: float = 2 * 86_400.0
    dead_limit: int = 1_000
    dead_seconds: float = 90 * 86_400.0
    state_seconds: float = 30 * 86_400.0
    check: bool = True
    max_pages: int | None = None
    lease_seconds: float = 15.0
    connections: int = 8

    def __post_init__(self) -> None:
        endless = float("inf")
        check_numbers(
            ("busy_timeout", self.busy_timeout, 0, MOST_SECONDS, False, "5.0"),
            ("window_ids", self.window_ids, 1, endless, True, "20_000"),
            ("window_seconds", self.window_seconds, 1, endless, False, "2 * 86_400"),
            ("dead_limit", self.dead_limit, 0, endless, True, "1_000"),
            ("dead_seconds", self.dead_seconds, 0, endless, False, "90 * 86_400"),
            ("state_seconds", self.state_seconds, 1, endless, False, "30 * 86_400"),
            ("max_pages", 1 if self.max_pages is None else self.max_pages, 1, endless, True, "100_000"),
            ("lease_seconds", self.lease_seconds, 1, MOST_SECONDS, False, "15.0"),
            ("connections", self.connections, 2, 1000, True, "8"),
        )

    def is_fading(self, at: float, now: float) -> bool:
        """Whether a state that was last noted at this time is to be noted anew when it is looked at."""
        return at < now - self.state_seconds / 100


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
