"""Measuring promised times on a machine that is busy with other things."""

from __future__ import annotations

import time
from collections.abc import Callable


def took(action: Callable[[], object]) -> float:
    """The seconds that an action takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def soon(seconds: float, attempt: Callable[[], float], tries: int = 4) -> bool:
    """Whether a promised time is kept: whether one of some attempts takes less.

    What is too slow is too slow each time, while a busy machine holds up one attempt or the other.

    Args:
        seconds: what is promised.
        attempt: does it once, and returns the seconds that it took.
        tries: how many attempts are made; none after the first that was quick enough.
    """
    return any(attempt() < seconds for _ in range(tries))
