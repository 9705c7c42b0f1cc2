"""The threads of `run_async`."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context

from syncbot.compat.ptb13.promise import Promise
from syncbot.compat.ptb13.work import work_here
from syncbot.errors import Stopped

_Task = tuple[Promise, Context, Callable[[], object]]
"""A promise, for whose update it is kept, and what is called at the end."""


class Pool:
    """Runs promises in threads of its own, which are there from the first one on.

    Args:
        number: how many threads.
        after: called after each promise, in its thread; it raises nothing but Stopped, which then is what became of the promise.
    """

    def __init__(self, number: int, after: Callable[[Promise], None]) -> None:
        self._number = number
        self._after = after
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def put(self, promise: Promise) -> None:
        """Have a promise kept by the next thread that is free.

        Raises:
            RuntimeError: the pool has no threads.
        """
        if self._number < 1:
            raise RuntimeError("run_async needs threads: make the Dispatcher or Updater with workers=4")
        work = work_here()
        with self._lock:
            if not self._threads:
                self._begin()
            self._queue.put((promise, copy_context(), work.begin(promise) if work is not None else lambda: None))

    def stop(self, grace: float | None = None) -> None:
        """Begin no more than what has been put already, and wait for the end of it, `grace` seconds at most; what is put later begins anew."""
        ends_at = None if grace is None else time.monotonic() + grace
        with self._lock:
            threads, self._threads = self._threads, []
            for _ in threads:
                self._queue.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(None if ends_at is None else max(0.0, ends_at - time.monotonic()))

    def _begin(self) -> None:
        """Start the threads, with a queue of their own: one that is still at its last promise takes its end from the one before."""
        self._queue = queue.SimpleQueue()
        names = [f"syncbot-ptb13-async-{number}" for number in range(self._number)]
        self._threads = [threading.Thread(target=self._work, args=(self._queue,), name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def _work(self, tasks: queue.SimpleQueue[_Task | None]) -> None:
        while (task := tasks.get()) is not None:
            promise, context, over = task
            try:
                context.run(self._keep, promise)
            finally:
                over()

    def _keep(self, promise: Promise) -> None:
        promise.run()
        try:
            self._after(promise)
        except Stopped as error:
            promise.cut_short(error)
