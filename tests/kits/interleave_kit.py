"""Two steps of two threads in every order that a lock has to rule out."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

_A_MOMENT_SECONDS = 0.015
"""So long the second step may run while the first one stands still; where a lock holds it up, it goes on afterwards."""
_MOST_LINES = 200


class Steps(NamedTuple):
    """Two steps that are made at once, and what has to hold afterwards."""

    first: Callable[[], object]
    second: Callable[[], object]
    check: Callable[[], object]


def at_every_line(make: Callable[[], Steps], module: str | tuple[str, ...]) -> int:
    """Make two steps, with the second one beginning before each line of the first in turn, and check each time.

    Args:
        make: makes what they work on anew.
        module: the end of the names of the files whose lines count.

    Returns:
        Before how many lines the second step was begun.
    """
    for number in range(_MOST_LINES):
        steps = make()
        if not _interrupted(steps, module, number):
            return number
        steps.check()
    raise AssertionError("the first step has no end")


def _interrupted(steps: Steps, module: str | tuple[str, ...], number: int) -> bool:
    """Whether the first step has so many lines."""
    problems: list[BaseException] = []
    other = threading.Thread(target=_kept, args=(steps.second, problems))
    left = number + 1

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(module):
            return None
        if event == "line" and left:
            left -= 1
            if not left:
                other.start()
                other.join(_A_MOMENT_SECONDS)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        steps.first()
    finally:
        sys.settrace(before)
    if left:
        return False
    other.join(20.0)
    assert not other.is_alive(), "the second step waits for ever"
    assert not problems, problems
    return True


def _kept(step: Callable[[], object], problems: list[BaseException]) -> None:
    try:
        step()
    except BaseException as problem:
        problems.append(problem)
