"""The store in memory: the same promises, for as long as the process lives. Loads no sqlite3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from syncbot.errors import StorageError
from syncbot.process import forks
from syncbot.storage.codec import EncodedChanges, check_meta_name, decode, encode
from syncbot.storage.memory.data import MemoryData
from syncbot.storage.memory.inbox import MemoryDeadLetters, MemoryInbox
from syncbot.storage.memory.jobs import MemoryJobs
from syncbot.storage.memory.journal import MemoryJournal
from syncbot.storage.memory.outbox import MemoryOutbox
from syncbot.storage.memory.questions import MemoryQuestions
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.promises.turns import TurnLimits


class StoreGuard:
    """The lock that all parts of one store share, and whether the store is open."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._closed = False
        forks().add(self)

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._closed:
            self._lock.release()
            raise StorageError("the store in memory has been closed")

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def close(self) -> None:
        """Refuse everything from now on."""
        with self._lock:
            self._closed = True
        forks().remove(self)

    def before_fork(self) -> None:
        """Nobody is in the middle of a change while the process forks."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """The child has a copy of everything, and a lock of its own."""
        self._lock = threading.RLock()


class MemoryMeta:
    """`syncbot.storage.promises.parts.Meta` in memory."""

    def __init__(self, guard: StoreGuard) -> None:
        self._guard = guard
        self._facts: dict[str, str] = {}

    def get(self, name: str, default: Any = None) -> Any:
        with self._guard:
            text = self._facts.get(name)
        return default if text is None else decode(text)

    def set(self, name: str, value: Any) -> None:
        check_meta_name(name)
        text = None if value is None else encode(value, f"the fact {name!r}")
        with self._guard:
            if text is None:
                self._facts.pop(name, None)
            else:
                self._facts[name] = text


class MemoryStore:
    """`syncbot.storage.promises.parts.Store` in memory; see `syncbot.storage.open_store` for the arguments."""

    persistent = False
    outbox_files = None
    members = None
    path: str | None = None

    def __init__(self, bot_id: int, *, now: Callable[[], float], options: StoreOptions) -> None:
        self.bot_id = bot_id
        self._guard = StoreGuard()
        self.data = MemoryData(self._guard, now, options)
        self.dead_letters = MemoryDeadLetters(self._guard, now, options)
        self.journal = MemoryJournal(self._guard)
        self.questions = MemoryQuestions(self._guard)
        self.outbox = MemoryOutbox(self._guard, now)
        self.inbox = MemoryInbox(self._guard, now, options, self.dead_letters, self.data, self.journal, self.questions, self.outbox)
        self.questions.on_answer, self.questions.has_unhandled = self.inbox.answered, self.inbox.has_unhandled
        self.data.write_others = self._write_others
        self.journal.is_held = self.inbox.is_held
        self.dead_letters.inbox = self.inbox
        self.jobs = MemoryJobs(self._guard, self.inbox)
        self.meta = MemoryMeta(self._guard)

    def _write_others(self, changes: EncodedChanges) -> None:
        self.outbox.put(*(queued.call for queued in changes.calls))  # first: all of it is queued, or nothing
        self.questions.close(changes.answers)

    def shared_turns(self, limits: TurnLimits) -> None:
        return None  # one process sends

    def changed_by_others(self) -> bool:
        with self._guard:
            return False

    def wait_for_others(self) -> bool:
        return False

    def maintain(self) -> None:
        with self._guard:
            self.inbox.prune()

    def close(self) -> None:
        self._guard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
