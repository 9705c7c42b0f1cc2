"""The result of a function that runs in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

_log = logging.getLogger(__name__)


class Promise:
    """What a handler with `run_async=True` returns, and `Dispatcher.run_async` too.

    Args:
        pooled_function: what is called.
        args: its values.
        kwargs: those with names.
        update: what it is about, for error handlers.
        error_handling: whether the dispatcher's error handlers are told when it fails.
    """

    def __init__(
        self, pooled_function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], update: object = None, error_handling: bool = True
    ) -> None:
        self.pooled_function = pooled_function
        self.args = args
        self.kwargs = kwargs
        self.update = update
        self.error_handling = error_handling
        self.done = threading.Event()
        self._lock = threading.Lock()
        self._result: Any = None
        self._error: BaseException | None = None
        self._callback: Callable[[Any], Any] | None = None

    def run(self) -> None:
        """Call the function, and keep what comes of it."""
        try:
            self._result = self.pooled_function(*self.args, **self.kwargs)
        except BaseException as error:  # its thread serves others too
            self._error = error
        with self._lock:
            self.done.set()
            callback = self._callback
        if callback is not None and self._error is None:
            self._call(callback)

    def cut_short(self, error: BaseException) -> None:
        """What follows it did not come to its end: its update is to be handled again."""
        self._error = error

    def __call__(self) -> None:
        self.run()

    def __await__(self) -> Generator[None, None, Promise]:
        """The promise itself, at once: telegram's own `reply_text` awaits what a bot's `send_message` returns, and hands it on."""
        return self
        yield

    def result(self, timeout: float | None = None) -> Any:
        """What the function returned; None when `timeout` seconds pass first. Raises what it raised."""
        self.done.wait(timeout)
        if self._error is not None:
            raise self._error
        return self._result

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """Call this with the result once there is one; at once where there is already."""
        with self._lock:
            self._callback = callback
            is_over = self.done.is_set()
        if is_over and self._error is None:
            self._call(callback)

    @property
    def exception(self) -> BaseException | None:
        """What the function raised."""
        return self._error

    def _call(self, callback: Callable[[Any], Any]) -> None:
        try:
            callback(self._result)
        except Exception:
            _log.exception("what was to follow %r failed", self.pooled_function)
