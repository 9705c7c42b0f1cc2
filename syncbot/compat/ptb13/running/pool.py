"""The threads of `run_async`."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from syncbot.compat.ptb13.promise import Promise


class Pool:
    """Runs promises in threads of its own, which are there from the first one on.

    Args:
        number: how many threads.
        after: called after each promise, in its thread; it raises nothing.
    """

    def __init__(self, number: int, after: Callable[[Promise], None]) -> None:
        self._number = number
        self._after = after
        self._queue: queue.SimpleQueue[Promise | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def put(self, promise: Promise) -> None:
        """Have a promise kept by the next thread that is free.

        Raises:
            RuntimeError: the pool has no threads.
        """
        if self._number < 1:
            raise RuntimeError("run_async needs threads: make the Dispatcher or Updater with workers=4")
        self._queue.put(promise)
        with self._lock:
            if not self._threads:
                self._threads = [threading.Thread(target=self._work, name=f"syncbot-ptb13-async-{number}", daemon=True) for number in range(self._number)]
                for thread in self._threads:
                    thread.start()

    def stop(self, grace: float | None = None) -> None:
        """Begin no more than what has been put already, and wait for the end of it, `grace` seconds at most."""
        ends_at = None if grace is None else time.monotonic() + grace
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(None if ends_at is None else max(0.0, ends_at - time.monotonic()))

    def is_own(self, thread: threading.Thread) -> bool:
        """Whether a thread is one of these."""
        with self._lock:
            return thread in self._threads

    def _work(self) -> None:
        while (promise := self._queue.get()) is not None:
            promise.run()
            self._after(promise)
