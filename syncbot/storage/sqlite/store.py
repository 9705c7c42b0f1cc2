"""The store in a state file: wiring only."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from syncbot.errors import StorageError
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.data import SqlData, SqlMeta
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.dead_letters import SqlDeadLetters
from syncbot.storage.sqlite.inbox import SqlInbox
from syncbot.storage.sqlite.jobs import SqlJobs
from syncbot.storage.sqlite.journal import SqlJournal, SqlQuestions
from syncbot.storage.sqlite.outbox import SqlOutbox

if TYPE_CHECKING:
    from syncbot.storage.promises.turns import TurnLimits


class SqliteStore:
    """`syncbot.storage.promises.parts.Store` in one SQLite file; see `syncbot.storage.open_store` for the arguments."""

    persistent = True
    outbox_files = None
    members = None

    def __init__(self, path: str | os.PathLike[str], bot_id: int | None, *, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = Database(path, bot_id, options)
        self.inbox = SqlInbox(self._database, now, options)
        self.dead_letters = SqlDeadLetters(self._database, now)
        self.data = SqlData(self._database, now, options)
        self.outbox = SqlOutbox(self._database, now)
        self.journal = SqlJournal(self._database)
        self.questions = SqlQuestions(self._database)
        self.jobs = SqlJobs(self._database, now)
        self.meta = SqlMeta(self._database)

    @property
    def bot_id(self) -> int:
        return self._database.bot_id

    @property
    def path(self) -> str:
        return str(self._database.path)

    def shared_turns(self, limits: TurnLimits) -> None:
        return None  # one process sends

    def changed_by_others(self) -> bool:
        return self._database.changed_by_others()

    def wait_for_others(self) -> bool:
        return self._database.news.wait()

    def limit_pages(self, pages: int | None) -> None:
        """Set the ceiling of `StoreOptions.max_pages` anew while the store is open; None takes it away."""
        self._database.limit_pages(pages)

    def maintain(self) -> None:
        self.inbox.maintain()
        self._database.give_back_space()

    def close(self) -> None:
        with suppress(StorageError):  # what stays is swept at the next start
            self.inbox.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
