"""The store in a PostgreSQL database: wiring only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from syncbot.errors import StorageError
from syncbot.storage.address import DatabaseUrl
from syncbot.storage.postgres.data import PgData, PgMeta
from syncbot.storage.postgres.database import Database
from syncbot.storage.postgres.dead_letters import PgDeadLetters
from syncbot.storage.postgres.inbox import PgInbox
from syncbot.storage.promises.jobs import JobEntries
from syncbot.storage.promises.journal import Journal
from syncbot.storage.promises.outbox import OutboxFiles, OutboxQueue
from syncbot.storage.promises.questions import QuestionStore
from syncbot.storage.promises.store import StoreOptions


class PgStore:
    """`syncbot.storage.promises.store.Store` in a PostgreSQL database; see `syncbot.storage.open_store` for the arguments."""

    persistent = True
    outbox: OutboxQueue
    outbox_files: OutboxFiles | None
    journal: Journal
    questions: QuestionStore
    jobs: JobEntries

    def __init__(self, url: DatabaseUrl, bot_id: int | None, *, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = Database(url, bot_id, options)
        tell = self._database.news.tell
        self.inbox = PgInbox(self._database, now, options)
        self.dead_letters = PgDeadLetters(self._database, now, tell)
        self.data = PgData(self._database, now, options)
        self.meta = PgMeta(self._database)

    @property
    def bot_id(self) -> int:
        return self._database.bot

    @property
    def path(self) -> str:
        return self._database.place

    def changed_by_others(self) -> bool:
        return self._database.news.changed()

    def wait_for_others(self) -> bool:
        return self._database.news.wait()

    def maintain(self) -> None:
        self.inbox.prune()

    def close(self) -> None:
        with suppress(StorageError):  # others find out
            self.inbox.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
