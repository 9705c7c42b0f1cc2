"""What a bot remembers: the state file and the memory store, behind the Protocols of `syncbot.storage.promises.parts`.

What an update costs in the file (measured on one machine; the pages are kept by tests):

| | transactions | fsyncs | pages of 4 KB to the log |
|---|---|---|---|
| a quiet bot: store one, hand it out, settle it | 3 | 1 | at most 6 |
| under load: batches of 100, settled and handed out in groups | 0.1 | 0.01 | below 2 |

PRAGMAs: journal_mode=WAL, synchronous=FULL for what is durable and NORMAL for the rest, wal_autocheckpoint=1000, journal_size_limit=4 MB,
auto_vacuum=INCREMENTAL, cache_size=512 KB, temp_store=MEMORY.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncbot.storage.address import DatabaseUrl, StatePlace, address_of
from syncbot.storage.promises.data import NO_CHANGES, Changes, DataChange, DataConflict, Scope, StateChange
from syncbot.storage.promises.dead_letters import DeadLetter
from syncbot.storage.promises.inbox import Claimed, Counts, End, Incoming, Recovery, Settled
from syncbot.storage.promises.jobs import JobEntry, JobStart, Missed
from syncbot.storage.promises.journal import JournalKey, JournalStep
from syncbot.storage.promises.outbox import OutboxCall, OutboxItem, OutboxState, Outlook
from syncbot.storage.promises.questions import Question, QuestionAnswer, QuestionOpening
from syncbot.storage.promises.store import StoreOptions

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Data, DeadLetters, JobEntries, Journal, Meta, QuestionStore, Store
    from syncbot.storage.promises.queues import Inbox, OutboxQueue

    Outbox = OutboxQueue
    """Its name of before."""

__all__ = [
    "NO_CHANGES",
    "Changes",
    "Claimed",
    "Counts",
    "Data",
    "DataChange",
    "DataConflict",
    "DatabaseUrl",
    "DeadLetter",
    "DeadLetters",
    "End",
    "Inbox",
    "Incoming",
    "JobEntries",
    "JobEntry",
    "JobStart",
    "Journal",
    "JournalKey",
    "JournalStep",
    "Meta",
    "Missed",
    "Outbox",
    "OutboxCall",
    "OutboxItem",
    "OutboxQueue",
    "OutboxState",
    "Outlook",
    "Question",
    "QuestionAnswer",
    "QuestionOpening",
    "QuestionStore",
    "Recovery",
    "Scope",
    "Settled",
    "StateChange",
    "StatePlace",
    "Store",
    "StoreOptions",
    "address_of",
    "open_store",
]


def __getattr__(name: str) -> Any:
    """The protocols are loaded when somebody asks for one (PEP 562): a bot that runs does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from syncbot.storage.promises import parts

    return getattr(parts, "OutboxQueue" if name == "Outbox" else name)


def open_store(
    path: str | os.PathLike[str] | DatabaseUrl | None,
    bot_id: int | None,
    *,
    now: Callable[[], float] = time.time,
    options: StoreOptions | None = None,
) -> Store:
    """Open the state file of a bot, making it where there is none; or its tables in a database; or a store in memory.

    Args:
        path: the state file, on a local disk; or the URL of a PostgreSQL database; None for a store that lives in memory only.
        bot_id: the bot's id; another bot's file is refused. None takes whichever bot the file belongs to, and there must be one
            (for tools that look at a state file).
        now: gives the time in seconds since 1970.
        options: how it behaves.

    Raises:
        StorageError: the file, or the database, cannot be used; the text says why and how to mend it, and nothing in it was touched.
        ConfigError: it is the URL of something that cannot be served.
    """
    chosen = options or StoreOptions()
    if path is None:
        from syncbot.storage.memory.store import MemoryStore

        return MemoryStore(bot_id or 0, now=now, options=chosen)
    address = address_of(path)
    del path
    if isinstance(address, DatabaseUrl):
        from syncbot.storage.postgres.store import PgStore  # psycopg is loaded only where there is a database

        return PgStore(address, bot_id, now=now, options=chosen)
    from syncbot.storage.sqlite.store import SqliteStore  # sqlite3 is loaded only where there is a file

    return SqliteStore(address, bot_id, now=now, options=chosen)
