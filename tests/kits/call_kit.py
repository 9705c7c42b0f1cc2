"""Time that a test moves, and what the tests of a call's way share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from syncbot.client.api.table import MethodSpec, find_method


class FakeTime:
    """A clock that stands still until it is moved, or until somebody waits on one of its events."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeStop(threading.Event):
    """A stop event on which waiting takes no time: the clock moves on instead.

    Args:
        clock: what moves.
        moves: False lets the clock stand, as if all who wait did so in the same moment.
        during: called in each wait with its seconds; may set the event, as a stop during the wait would.
    """

    def __init__(self, clock: FakeTime, *, moves: bool = True, during: Callable[[float], None] | None = None) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._clock = clock
        self._moves = moves
        self.during = during

    def wait(self, timeout: float | None = None) -> bool:
        """Note the wait, and move the clock."""
        assert timeout is not None
        self.waits.append(timeout)
        if self.during is not None:
            self.during(timeout)
        if self.is_set():
            return True
        if self._moves:
            self._clock.now += timeout
        return False


def spec_of(name: str) -> MethodSpec:
    """What the table says of a method that it has."""
    spec = find_method(name)
    assert spec is not None
    return spec
