"""What is done for one update, and ends with it: the functions of its `run_async`, and what of the state file it changes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from telegram import Update

from syncbot.compat.ptb13.promise import Promise
from syncbot.errors import Stopped
from syncbot.storage import Scope

Owner = tuple[Scope, int]
_HERE: ContextVar[Work | None] = ContextVar("syncbot_ptb13_work", default=None)


class Work:
    """The work on one update.

    Args:
        update: it.
        holds: whether what a `PicklePersistence` is to write waits for its end.
    """

    def __init__(self, update: Any, holds: bool = False) -> None:
        self.owners = owners_of(update)
        """Whose data it may be changing."""
        self.holds = holds
        self.rows: dict[Owner, dict[str, float]] = {}
        """What is to be written with its end, by names: what stands there then is asked for then, as others may change it too. With each, when it was
        noticed, by `time.monotonic()`. Whose data was given, and had not changed, has none."""
        self.began = math.inf
        """When its handlers were asked, by the same clock."""
        self._begun: list[tuple[Promise, threading.Event]] = []

    @contextmanager
    def here(self) -> Iterator[None]:
        """Within the block the calling thread, and what it runs in the threads of `run_async`, works on it."""
        token = _HERE.set(self)
        try:
            yield
        finally:
            _HERE.reset(token)

    @property
    def has_begun(self) -> bool:
        """Whether anything of it runs in a thread of its own, or did."""
        return bool(self._begun)

    def begin(self, promise: Promise) -> Callable[[], None]:
        """A function of it is to run in a thread of its own; returns what is to be called once that, and what follows it, is over."""
        over = threading.Event()
        self._begun.append((promise, over))
        return over.set

    def wait(self) -> None:
        """Wait for these functions, and for those that they begin themselves.

        Raises:
            Stopped: one was cut short by the end of it all.
        """
        for promise, over in self._begun:  # it grows meanwhile: what one begins is there before that one is over
            over.wait()
            if isinstance(promise.exception, Stopped):
                raise promise.exception


def work_here() -> Work | None:
    """The update that the calling thread works on; None where it is none."""
    return _HERE.get()


def owners_of(update: Any) -> frozenset[Owner]:
    """The user and the chat of an update."""
    if not isinstance(update, Update):
        return frozenset()
    found = ((Scope.CHAT, update.effective_chat), (Scope.USER, update.effective_user))
    return frozenset((scope, one.id) for scope, one in found if one is not None)
