"""Handlers that wait for an answer (`context.ask`), by chat and user."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from syncbot.errors import AskTimeout, Stopped

MAX_WAITING = 256
"""How many handlers may wait for answers at once: each of them holds a thread."""


class Waiter:
    """One handler that waits."""

    def __init__(self, lock: threading.Condition) -> None:
        self.answer: dict[str, Any] | None = None
        self.stopped = False
        self.over = False
        self._lock = lock

    def wait(self, timeout: float) -> dict[str, Any]:
        """The answer.

        Raises:
            AskTimeout: none came within `timeout` seconds.
            Stopped: the runtime is stopping.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            while self.answer is None and not self.stopped:
                left_seconds = deadline - time.monotonic()
                if left_seconds <= 0:
                    self.over = True  # an answer that comes from now on is an ordinary message
                    raise AskTimeout(f"no answer came within {timeout:g} s")
                self._lock.wait(left_seconds)
            if self.answer is None:
                raise Stopped("the runtime is stopping; the question stays open")
            return self.answer


class Questions:
    """Which handler waits for whose answer. The newest question in a chat is answered first."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiters: dict[tuple[int, int], list[Waiter]] = {}
        self._number = 0
        self._stopped = False

    @property
    def number(self) -> int:
        """How many wait."""
        return self._number

    @contextlib.contextmanager
    def waiter(self, chat_id: int, user_id: int) -> Iterator[Waiter]:
        """Wait for a user in a chat from here to the end of the block.

        Raises:
            RuntimeError: too many handlers wait already.
        """
        with self._lock:
            if self._number >= MAX_WAITING:
                raise RuntimeError(f"{MAX_WAITING} handlers wait for answers already; keep a conversation's state in context.state instead")
            self._number += 1
            waiter = Waiter(self._lock)
            waiter.stopped = self._stopped
            self._waiters.setdefault((chat_id, user_id), []).append(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                self._number -= 1
                waiting = self._waiters[chat_id, user_id]
                waiting.remove(waiter)
                if not waiting:
                    del self._waiters[chat_id, user_id]

    def offer(self, chat_id: int, user_id: int, raw: dict[str, Any]) -> bool:
        """Give an update to the handler that waits for it; False when none does.

        Raises:
            Stopped: one has waited for it, and is asked again at the next start; the answer has to stay behind it.
        """
        with self._lock:
            for waiter in reversed(self._waiters.get((chat_id, user_id), [])):
                if waiter.stopped and waiter.answer is None:
                    raise Stopped("the runtime is stopping")
                if waiter.answer is None and not waiter.over:
                    waiter.answer = raw
                    self._lock.notify_all()
                    return True
        return False

    def stop(self) -> None:
        """End every waiting with `Stopped`."""
        with self._lock:
            self._stopped = True
            for waiting in self._waiters.values():
                for waiter in waiting:
                    waiter.stopped = True
            self._lock.notify_all()
