"""What the tests of the bridges share."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def nothing_left(seconds: float = 20.0) -> Iterator[None]:
    """After the block there are as many descriptors and threads as before it, or soon are."""
    descriptors, threads = open_descriptors(), threading.active_count()
    yield
    assert becomes(lambda: open_descriptors() <= descriptors and threading.active_count() <= threads, seconds), (
        open_descriptors() - descriptors,
        threading.enumerate(),
    )


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))


def becomes(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something that nobody announces gets true within a time."""
    ends_at, nobody = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > ends_at:
            return False
        nobody.wait(0.01)
    return True


def all_texts(error: BaseException) -> str:
    """All that can be printed of an error and of what hangs on it."""
    waiting, seen, parts = [error], set[int](), []
    while waiting:
        link = waiting.pop()
        if id(link) not in seen:
            seen.add(id(link))
            parts += [str(link), repr(link), repr(link.args), repr(vars(link)), "".join(traceback.format_exception(link))]
            waiting += [other for other in (link.__cause__, link.__context__, *link.args) if isinstance(other, BaseException)]
    return "\n".join(parts)


def check_silent(token: str, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error nor any log record holds the token's secret half."""
    secret = token.partition(":")[2]
    assert secret not in all_texts(error)
    assert secret not in caplog.text
