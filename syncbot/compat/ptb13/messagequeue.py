"""`telegram.ext.messagequeue` of python-telegram-bot 13: calls that wait their turn, so many a second.

syncbot keeps Telegram's limits by itself (`Limits`); this is here for bots that were written with it, and does what it did then.
"""

from __future__ import annotations

import functools
import itertools
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from queue import Queue
from typing import Any

from syncbot.compat.ptb13.promise import Promise
from syncbot.compat.ptb13.utils.deprecate import TelegramDeprecationWarning

_numbers = itertools.count(1)


class DelayQueueError(RuntimeError):
    """The queue is stopped."""


class DelayQueue(threading.Thread):
    """A thread that makes the calls put into it, one after the other, and fewer than `burst_limit` of them in each `time_limit_ms`.

    Args:
        queue: where the calls wait; None for a queue of its own.
        burst_limit: how many calls there may be in that time.
        time_limit_ms: that time, in milliseconds.
        exc_route: called with what a call raised; by default that ends the thread.
        autostart: start the thread at once.
        name: the thread's.
    """

    def __init__(
        self,
        queue: Queue[Any] | None = None,
        burst_limit: int = 30,
        time_limit_ms: int = 1000,
        exc_route: Callable[[Exception], Any] | None = None,
        autostart: bool = True,
        name: str | None = None,
    ) -> None:
        _warn_of(DelayQueue)
        self._queue = queue if queue is not None else Queue()
        self.burst_limit = burst_limit
        self.time_limit = time_limit_ms / 1000
        self.exc_route = exc_route or self._default_exception_handler
        self._exit = threading.Event()
        super().__init__(name=name or f"{type(self).__name__}-{next(_numbers)}", daemon=False)
        if autostart:
            self.start()

    def run(self) -> None:
        """Make the calls; its thread does that."""
        times: deque[float] = deque(maxlen=max(1, self.burst_limit - 1))
        while True:
            item = self._queue.get()
            if self._exit.is_set() or (self._is_full(times) and self._exit.wait(times[0] + self.time_limit - time.monotonic())):
                return
            times.append(time.monotonic())
            function, args, kwargs = item
            try:
                function(*args, **kwargs)
            except Exception as error:
                self.exc_route(error)

    def _is_full(self, times: deque[float]) -> bool:
        return len(times) == times.maxlen and times[0] + self.time_limit > time.monotonic()

    def stop(self, timeout: float | None = None) -> None:
        """End the thread, and wait for it, `timeout` seconds at most; calls that wait are not made."""
        self._exit.set()
        self._queue.put(None)
        self.join(timeout)

    @staticmethod
    def _default_exception_handler(exc: Exception) -> None:
        raise exc

    def __call__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Put a call into the queue.

        Raises:
            DelayQueueError: the queue is stopped, or was not started.
        """
        if not self.is_alive() or self._exit.is_set():
            raise DelayQueueError("Could not process callback in stopped thread")
        self._queue.put((func, args, kwargs))


class MessageQueue:
    """Two queues: all calls pass the one, and those into groups pass the other before."""

    def __init__(
        self,
        all_burst_limit: int = 30,
        all_time_limit_ms: int = 1000,
        group_burst_limit: int = 20,
        group_time_limit_ms: int = 60000,
        exc_route: Callable[[Exception], Any] | None = None,
        autostart: bool = True,
    ) -> None:
        _warn_of(MessageQueue)
        self._all = DelayQueue(None, all_burst_limit, all_time_limit_ms, exc_route, autostart)
        self._group = DelayQueue(None, group_burst_limit, group_time_limit_ms, exc_route, autostart)

    def start(self) -> None:
        """Start both threads, where they were not started at once."""
        self._all.start()
        self._group.start()

    def stop(self, timeout: float | None = None) -> None:
        """End both threads; calls that wait are not made."""
        self._group.stop(timeout)
        self._all.stop(timeout)

    def __call__(self, promise: Callable[[], Any], is_group_msg: bool = False) -> Callable[[], Any]:
        """Put a call into the queues, and return it.

        Raises:
            DelayQueueError: they are stopped.
        """
        if is_group_msg:
            self._group(self._all, promise)
        else:
            self._all(promise)
        return promise


def queuedmessage(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a bot go through its `_msg_queue`, where it is called with `queued=True`, or the bot's `_is_messages_queued_default` says so.

    It then returns a `Promise`; `isgroup=True` says that it goes to a group.
    """

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_queued = kwargs.pop("queued", self._is_messages_queued_default)
        is_group = kwargs.pop("isgroup", False)
        if not is_queued:
            return method(self, *args, **kwargs)
        return self._msg_queue(Promise(method, (self, *args), kwargs), is_group)

    return wrapped


def _warn_of(kind: type) -> None:
    warnings.warn(
        f"{kind.__name__} was deprecated in python-telegram-bot 13; syncbot keeps Telegram's limits without it", TelegramDeprecationWarning, stacklevel=3
    )
