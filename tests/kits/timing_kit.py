"""Measuring promised times on a machine that is busy with other things."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence


def took(action: Callable[[], object]) -> float:
    """The seconds that an action takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def becomes(condition: Callable[[], object], seconds: float = 40.0) -> bool:
    """Whether something that nobody announces gets true within a time."""
    nobody, ends_at = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            return False
        nobody.wait(0.01)
    return True


def tried(attempt: Callable[[float], object], seconds: Sequence[float] = (0.4, 0.4, 0.4, 3.0, 3.0, 3.0)) -> None:
    """See that a promise about a time is kept: by one of some attempts, each of which fails an assertion where it was not.

    What does not keep its time fails each of them, while a busy machine holds up one or the other.

    Args:
        attempt: gets the time that what is looked at is given, and asserts what is promised.
        seconds: these times; the later ones are longer, for what has to come about within them.
    """
    for time_given in seconds[:-1]:
        try:
            attempt(time_given)
        except AssertionError:
            continue
        return
    attempt(seconds[-1])


def soon(seconds: float, attempt: Callable[[], float], tries: int = 8) -> bool:
    """Whether a promised time is kept: whether one of some attempts takes less.

    What is too slow is too slow each time, while a busy machine holds up one attempt or the other.

    Args:
        seconds: what is promised.
        attempt: does it once, and returns the seconds that it took.
        tries: how many attempts are made; none after the first that was quick enough.
    """
    return any(attempt() < seconds for _ in range(tries))
