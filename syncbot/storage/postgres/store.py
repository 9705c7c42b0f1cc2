"""The store in a PostgreSQL database: wiring only."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from syncbot.errors import StorageError
from syncbot.storage.address import DatabaseUrl
from syncbot.storage.postgres.data import PgData, PgMeta
from syncbot.storage.postgres.dead_letters import PgDeadLetters
from syncbot.storage.postgres.inbox import PgInbox
from syncbot.storage.postgres.jobs import PgJobs
from syncbot.storage.postgres.journal import PgJournal
from syncbot.storage.postgres.members.holding import Holding
from syncbot.storage.postgres.questions import PgQuestions
from syncbot.storage.postgres.sending.outbox import PgOutbox
from syncbot.storage.postgres.sending.outbox_files import PgOutboxFiles
from syncbot.storage.postgres.sending.turns import PgTurns
from syncbot.storage.postgres.server.database import PgDatabase
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.promises.turns import TurnLimits


class PgStore:
    """`syncbot.storage.promises.parts.Store` in a PostgreSQL database; see `syncbot.storage.open_store` for the arguments."""

    persistent = True

    def __init__(self, url: DatabaseUrl, bot_id: int | None, *, now: Callable[[], float], options: StoreOptions) -> None:
        self._database = PgDatabase(url, bot_id, options)
        tell = self._database.news.tell
        self.questions = PgQuestions(self._database)
        self.members = Holding(self._database, now, self.questions)
        self.inbox = PgInbox(self._database, now, options, self.members)
        self.dead_letters = PgDeadLetters(self._database, now, tell)
        self.data = PgData(self._database, now, options)
        self.meta = PgMeta(self._database)
        self.outbox_files = PgOutboxFiles(self._database)
        self.outbox = PgOutbox(self._database, now, (lambda: None) if now is time.time else now, self.outbox_files)
        self.journal = PgJournal(self._database, lambda key: self.members.has(key.row, key.ticket))
        self.inbox.before_leaving, self.inbox.on_ended = self.journal.flush, self.journal.forget
        self.jobs = PgJobs(self._database, now)

    @property
    def bot_id(self) -> int:
        return self._database.bot

    @property
    def path(self) -> str:
        return self._database.place

    def shared_turns(self, limits: TurnLimits) -> PgTurns:
        return PgTurns(self._database, limits, lambda: self.members.member is not None)

    def changed_by_others(self) -> bool:
        return self._database.news.changed()

    def wait_for_others(self) -> bool:
        return self._database.news.wait()

    def maintain(self) -> None:
        self.inbox.maintain()

    def close(self) -> None:
        self.journal.close()
        with suppress(StorageError):  # others find out
            self.members.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
