"""What there is once for each process, and what a fork does to it; what makes a name in a folder last, and how time passes.

No lock and no connection is carried into a child. SQLite notes its file locks in the process's memory: a child made by fork would believe that it holds
the locks of its parent, which the kernel does not give it, and the parent could then clear away the log that the child writes to. So every store lets go
of its connection just before a fork, and both sides connect anew when they need it.
"""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One of a kind for each process: a forked child begins with one of its own.

    Args:
        make: makes it, when it is first asked for.
    """

    __slots__ = ("_by_process", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._by_process: dict[int, T] = {}

    @property
    def here(self) -> T:
        """The object of this process."""
        found = self.if_made
        # Of several threads that come first at once one puts its own there, and all use that.
        return self._by_process.setdefault(os.getpid(), self._make()) if found is None else found

    @property
    def if_made(self) -> T | None:
        """This process's; None before it was asked for."""
        return self._by_process.get(os.getpid())

    def take(self) -> T | None:
        """This process's, which is forgotten; None where there is none."""
        return self._by_process.pop(os.getpid(), None)

    def take_inherited(self) -> list[T]:
        """Those of the processes that this one was forked from, which are forgotten here."""
        inherited = [process for process in list(self._by_process) if process != os.getpid()]
        return [self._by_process.pop(process) for process in inherited if process in self._by_process]


class ForkSafeLock(PerProcess[threading.Lock]):
    """A lock for short steps, one for each process: `with lock.here:`. Entered by Python's own code, it is given back whenever an interrupt comes.

    A child that is forked while another thread of the parent holds an ordinary lock would wait for it for ever, since that thread does not live in
    the child; no deadline ends that. What the lock guards is then as the parent's thread left it, so the steps must bear being done by half.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(threading.Lock)


def sync_folder(path: Path) -> None:
    """Have the names in a folder survive a power cut, as the contents of its files do.

    Raises:
        OSError: some file systems cannot do it.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if TYPE_CHECKING:

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
        """Tell it of no further fork."""
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


def elapsed_seconds() -> float:
    """Seconds that pass whatever the machine's clock is set to, and while it sleeps too, where the system counts them (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
