"""A function that runs in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Background:
    """Runs a function in a thread, and hands over what it returned or raised."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._value: Any = None
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as problem:
            self._problem = problem

    @property
    def is_running(self) -> bool:
        """Whether the function has not ended."""
        return self._thread.is_alive()

    def result(self, timeout: float = 30.0) -> Any:
        """What the function returned; raises what it raised."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "it did not end in time"
        if self._problem is not None:
            raise self._problem
        return self._value
