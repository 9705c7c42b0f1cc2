"""Keeps every attempt to its time: one thread that shuts a socket down when its time is up.

`requests` bounds single socket operations, not a whole request: a peer that sends a byte now and then holds a call for ever. So every
socket is registered here before it connects, by a duplicate of its descriptor (TLS takes the original object over), and is shut down when
the attempt expires or is aborted. That ends connect, handshake, read and write alike; what the blocked thread then sees is an ordinary
error or an end of file, and `Attempt.cut` tells what it means.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator

from syncbot.errors import NotSent
from syncbot.process import PerProcess
from syncbot.transport.traffic import Traffic
from syncbot.types import Request

_log = logging.getLogger(__name__)

_RECUT_SECONDS = 0.05
"""A socket that was shut down between its registration and its `connect()` is not stopped by it: cut attempts are cut again this often."""


class Attempt:
    """One attempt under watch: how far it has come, and what ended it."""

    def __init__(self, request: Request, expires_at: float, lock: threading.Condition, let_go: Callable[[list[socket.socket]], None]) -> None:
        self.let_go = let_go
        """Ends connections that were detached."""
        self.stage = "resolve"
        self.cut = ""
        self.request = request
        self.expires_at = expires_at
        self.stood_seconds = 0.0
        """How long its connection had stood ready."""
        self.orders_next = False
        """Whether the next call's connection is to be ordered when its request is written."""
        self.written_at = 0.0
        self._lock = lock
        self._duplicates: list[socket.socket] = []

    def register(self, sock: socket.socket) -> None:
        """Put a socket under watch; call it before `connect()`."""
        duplicate = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))
        with self._lock:
            self._duplicates.append(duplicate)
            if self.cut:
                _shut(duplicate)

    def extend(self, seconds: float) -> None:
        """Allow more time, within the request's deadline, for a body whose size is known by now."""
        deadline = self.request.deadline
        with self._lock:
            self.expires_at = self.expires_at + seconds if deadline is None else min(self.expires_at + seconds, deadline)

    def shut_all(self) -> None:
        """End whatever the sockets are doing (the watchdog's lock is held)."""
        for duplicate in self._duplicates:
            _shut(duplicate)

    def count(self, traffic: Traffic) -> None:
        """Count what its connections have moved so far (the watchdog's lock is held)."""
        for duplicate in self._duplicates:
            traffic.add(duplicate)

    def detach(self) -> list[socket.socket]:
        """Hand the duplicates over: the connection outlives the attempt that opened it."""
        with self._lock:
            duplicates, self._duplicates = self._duplicates, []
        return duplicates

    def adopt(self, duplicates: list[socket.socket]) -> None:
        """Take over the duplicates of a connection that another attempt opened."""
        with self._lock:
            self._duplicates += duplicates
            if self.cut:
                self.shut_all()

    def close_inherited(self) -> None:
        """Close a forked child's copies without touching the parent's connections."""
        for duplicate in self._duplicates:
            duplicate.close()


class _Watch:
    """The attempts of one process; a forked child begins with a new one."""

    def __init__(self) -> None:
        self.lock = threading.Condition(threading.Lock())
        self.active: set[Attempt] = set()
        self.thread: threading.Thread | None = None
        self.wakes_at = 0.0
        self.closing = False
        self.failure: BaseException | None = None


class Watchdog:
    """Watches attempts from one daemon thread, which starts with the first of them and ends when there was none for a while.

    Args:
        idle_seconds: how long the thread stays when the time of the last attempt has run out; waking it earlier would cost every call a little.
        clock: seconds, never going backwards.
    """

    def __init__(self, idle_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._ended = Traffic()
        self._watches = PerProcess(_Watch)

    @contextlib.contextmanager
    def watch(self, request: Request, expires_at: float) -> Iterator[Attempt]:
        """Watch one attempt from here to the end of the block; its sockets are shut down at `expires_at` at the latest."""
        watch = self._watch()
        attempt = Attempt(request, expires_at, watch.lock, self.let_go)
        with watch.lock:
            watch.active.add(attempt)
            if watch.thread is None:
                self._start(watch, attempt)
            elif expires_at < watch.wakes_at:
                watch.lock.notify()
            # A stop sets its event first and aborts second: seen from here, one of the two always hits.
            if request.stop is not None and request.stop.is_set():
                attempt.cut = "abort"
        try:
            yield attempt
        finally:
            with watch.lock:
                watch.active.discard(attempt)
            self.let_go(attempt.detach())

    def _start(self, watch: _Watch, attempt: Attempt) -> None:
        """Start the thread (the lock is held); without it nothing is begun, since nothing would end it."""
        thread = threading.Thread(target=_run, args=(watch, self._idle_seconds, self._clock), name="syncbot-watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            problem = str(error)
        else:
            watch.thread = thread
            return
        watch.active.discard(attempt)
        raise NotSent(f"no thread can be started to watch over it ({problem})", method=attempt.request.method, stage=attempt.stage)

    @property
    def traffic(self) -> Traffic:
        """The bytes on the wire so far, those of the attempts under way included."""
        watch, total = self._watch(), self._ended.copy()  # copied first: an attempt that ends now is missing for a moment, and never counted twice
        with watch.lock:
            for attempt in watch.active:
                attempt.count(total)
        return total

    @property
    def failure(self) -> BaseException | None:
        """What has last ended the thread of this process; None where nothing ever has."""
        return self._watch().failure

    def let_go(self, duplicates: list[socket.socket]) -> None:
        """End connections. They are shut down before they are closed, so that a child forked meanwhile cannot keep them open."""
        for duplicate in duplicates:
            self._ended.add(duplicate)
            _shut(duplicate)
            duplicate.close()

    def abort(self, scope: str | None) -> int:
        """Cut every attempt of this scope (None: all of them); returns how many there were."""
        watch = self._watch()
        with watch.lock:
            hit = [attempt for attempt in watch.active if scope is None or attempt.request.scope == scope]
            for attempt in hit:
                attempt.cut = attempt.cut or "abort"
                attempt.shut_all()
            if hit:
                watch.lock.notify()
        return len(hit)

    def close(self) -> None:
        """Cut what is under way and end the thread."""
        watch = self._watch()
        self.abort(None)
        with watch.lock:
            thread = watch.thread
            watch.closing = thread is not None
            watch.lock.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)

    def _watch(self) -> _Watch:
        watch = self._watches.if_made
        if watch is None:
            watch = self._watches.here
            weakref.finalize(self, _abandon, watch).atexit = False
            for other in self._watches.take_inherited():
                for attempt in list(other.active):
                    attempt.close_inherited()
        return watch


# The thread knows the watch and not the watchdog: one that nobody has any more, and nobody has closed, can so be let go of, and its thread with it.


def _run(watch: _Watch, idle_seconds: float, clock: Callable[[], float]) -> None:
    failure: BaseException | None = None
    with watch.lock:
        try:
            _watch_over(watch, idle_seconds, clock)
        except BaseException as error:  # whatever it is, nothing may go on without a bound
            watch.failure = failure = error
            for attempt in watch.active:
                attempt.cut = attempt.cut or "abort"
                attempt.shut_all()
        watch.thread = None
        watch.closing = False
    if failure is not None:
        _log.error("the watchdog of the connections has ended with %s, and begins anew with the next call", type(failure).__name__, exc_info=failure)


def _watch_over(watch: _Watch, idle_seconds: float, clock: Callable[[], float]) -> None:
    """Cut what is due until there is nothing more to watch (the lock is held)."""
    # Looked at before each wait: a close that comes before the first one notifies nobody.
    while watch.active or not watch.closing:
        now = clock()
        pause_seconds = max(0.0, _cut_due(watch, now, idle_seconds) - now)
        watch.wakes_at = now + pause_seconds
        if not watch.lock.wait(pause_seconds) and not watch.active:
            break


def _cut_due(watch: _Watch, now: float, idle_seconds: float) -> float:
    """Cut what is due; returns when to look again (the lock is held)."""
    look_again = now + idle_seconds if not watch.active else now + 3600.0
    for attempt in watch.active:
        if not attempt.cut and attempt.expires_at <= now:
            attempt.cut = "timeout"
        if attempt.cut:
            attempt.shut_all()
        look_again = min(look_again, now + _RECUT_SECONDS if attempt.cut else attempt.expires_at)
    return look_again


def _abandon(watch: _Watch) -> None:
    """End the thread of a watchdog that is no more."""
    watch.closing = watch.thread is not None
    # This may run in any thread at any moment, even in one that holds the lock, and in a forked child, where nobody frees it: never wait for it.
    if watch.lock.acquire(blocking=False):
        watch.lock.notify()
        watch.lock.release()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected yet, or gone already
        sock.shutdown(socket.SHUT_RDWR)
