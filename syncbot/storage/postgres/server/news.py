"""Processes tell each other that there is something to do: NOTIFY in a transaction of its own, so that no commit waits for another's, and not for each."""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import suppress

import psycopg

from syncbot.errors import StorageError
from syncbot.storage.postgres.server.pool import ConnectionPool

_TOGETHER_SECONDS = 0.01
"""What is told within this time of something told before, is told with the next."""
_LOOK_SECONDS = 0.25
"""How often a process looks that cannot be told."""


class PgNews:
    """What a process tells the others of its bot, and hears from them.

    Args:
        pool: connections to tell it by.
        bot: whose processes they are.
    """

    def __init__(self, pool: ConnectionPool, bot: int) -> None:
        self.channel = f"syncbot_{bot}"
        self._pool = pool
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._sender = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._has_word = False
        self._to_tell = threading.Event()
        self._heard = threading.Event()
        self._closed = threading.Event()
        self._has_changed = True
        self.listens = False
        """Whether somebody passes on what others tell."""

    def tell(self) -> None:
        """Others may have something to do; costs the caller no round trip."""
        if self._pid != os.getpid():
            self._begin()
        self._has_word = True
        self._to_tell.set()
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                thread = threading.Thread(target=self._run, name="syncbot-tell", daemon=True)
                thread.start()
                self._thread = thread

    def hear(self, sender: str) -> bool:
        """Somebody has told something; returns whether it was another one."""
        if is_another := sender != self._sender:
            self.look()
        return is_another

    def look(self) -> None:
        """There may be something to do."""
        self._has_changed = True
        self._heard.set()

    def wait(self) -> bool:
        """Wait until others may have written since the last call; False when closed."""
        self._heard.wait(None if self.listens else _LOOK_SECONDS)
        self._heard.clear()
        return not self._closed.is_set()

    def changed(self) -> bool:
        """Whether others may have written since the last call."""
        changed, self._has_changed = self._has_changed, False
        return changed

    def close(self) -> None:
        """End the waits of others, and the thread when it has told the last word."""
        self._closed.set()
        self._heard.set()
        self._to_tell.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread() and self._pid == os.getpid():
            thread.join(1.0)

    def _run(self) -> None:
        while True:
            self._to_tell.wait()
            self._to_tell.clear()
            if self._has_word:
                self._has_word = False
                self._write()
            elif self._closed.is_set():
                return
            if self._closed.wait(_TOGETHER_SECONDS):
                self._to_tell.set()  # the last look

    def _write(self) -> None:
        # A word that is lost does not matter: everybody looks now and then.
        with suppress(StorageError, psycopg.Error), self._pool.connection() as db:
            db.execute(f"BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_notify('{self.channel}', '{self._sender}'); COMMIT")
