"""Safety across fork: no lock and no connection is carried into a child.

SQLite notes its file locks in the process's memory. A child made by fork would believe that it holds the locks of its parent, which the
kernel does not give it, and the parent could then clear away the log that the child writes to. So every store lets go of its connection just
before a fork, and both sides connect anew when they need it.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What wants to be told of forks."""

    def before_fork(self) -> None:
        """Take the own lock and let go of the connection."""
        ...

    def after_fork_in_parent(self) -> None:
        """Give the lock back."""
        ...

    def after_fork_in_child(self) -> None:
        """Make a new lock."""
        ...


class Forks:
    """All open stores of this process, held weakly."""

    def __init__(self) -> None:
        self._members: weakref.WeakSet[Forkable] = weakref.WeakSet()
        self._told: list[Forkable] = []
        self._lock = threading.Lock()
        os.register_at_fork(before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child)

    def add(self, member: Forkable) -> None:
        """Tell this one from now on."""
        with self._lock:
            self._members.add(member)

    def remove(self, member: Forkable) -> None:
        """Tell it no more."""
        with self._lock:
            self._members.discard(member)

    def _before(self) -> None:
        self._lock.acquire()
        self._told = list(self._members)
        for member in self._told:
            member.before_fork()

    def _after_in_parent(self) -> None:
        told, self._told = self._told, []
        for member in told:
            member.after_fork_in_parent()
        self._lock.release()

    def _after_in_child(self) -> None:
        told, self._told = self._told, []
        self._lock = threading.Lock()
        for member in told:
            member.after_fork_in_child()


@functools.cache
def forks() -> Forks:
    """The one register of the process; there is only one because the interpreter cannot forget what was registered with it."""
    return Forks()
