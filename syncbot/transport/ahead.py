"""Opened ahead: connections that stand ready for the next calls, each for exactly one.

A new connection costs two or three round trips before the request can leave. While calls follow each other, the connections of the next ones
are opened during the present one: as fast as a pool, and still no connection is ever used twice.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from syncbot.errors import SyncBotError
from syncbot.transport.dialer import Dialer, Target
from syncbot.transport.watchdog import Attempt, Watchdog
from syncbot.types import Proxy, Request

SPARE_SECONDS = 2.0
"""How long a connection may stand ready; calls that come further apart than this do not follow each other."""

_Key = tuple[Target, Proxy]


@dataclass(eq=False)
class _Spare:
    """A connection that stands ready, with the duplicates by which the watchdog ends it."""

    sock: socket.socket
    duplicates: list[socket.socket]
    until: float


@dataclass
class _Shelf:
    """The spares of one process; a forked child begins with an empty one."""

    lock: threading.Condition = field(default_factory=threading.Condition)
    ready: dict[_Key, list[_Spare]] = field(default_factory=dict)
    wanted: list[_Key] = field(default_factory=list)
    opening: int = 0
    threads: int = 0
    idle: int = 0
    last_take: dict[_Key, float] = field(default_factory=dict)
    generation: int = 0


class Ahead:
    """Opens connections before they are needed.

    Args:
        number: how many may stand ready or be under way; 0 opens none.
        dialer: opens them.
        watchdog: bounds their opening.
        clock: seconds, never going backwards.
    """

    def __init__(self, number: int, dialer: Dialer, watchdog: Watchdog, clock: Callable[[], float] = time.monotonic) -> None:
        self._number = number
        self._dialer = dialer
        self._watchdog = watchdog
        self._clock = clock
        self._by_process: dict[int, _Shelf] = {}

    def take(self, target: Target, proxy: Proxy, attempt: Attempt) -> socket.socket | None:
        """A connection that stands ready and is alive, now the attempt's own; None when there is none. Has the next ones opened.

        A waiting poll is not one call among others that follow each other: it takes what is there, and has nothing opened.
        """
        if self._number == 0:
            return None
        shelf, key, now = self._shelf(), (target, proxy), self._clock()
        found: _Spare | None = None
        with shelf.lock:
            spares = shelf.ready.setdefault(key, [])
            while found is None and spares:
                spare = spares.pop(0)
                if spare.until > now and _is_alive(spare.sock):
                    found = spare
                else:
                    self._discard(spare)
            if not attempt.request.wait:
                follows = now - shelf.last_take.get(key, -SPARE_SECONDS) < SPARE_SECONDS
                shelf.last_take[key] = now
                if follows:
                    self._order(shelf, key)
        if found is None:
            return None
        attempt.adopt(found.duplicates)
        return found.sock

    def close(self) -> None:
        """Close all that stands ready; what is being opened is closed when it is open."""
        shelf = self._shelf()
        with shelf.lock:
            shelf.generation += 1
            shelf.wanted.clear()
            for spares in shelf.ready.values():
                for spare in spares:
                    self._discard(spare)
            shelf.ready.clear()
            shelf.lock.notify_all()

    def _shelf(self) -> _Shelf:
        process = os.getpid()
        shelf = self._by_process.get(process)
        if shelf is None:
            inherited = [other for pid, other in list(self._by_process.items()) if pid != process]
            shelf = self._by_process.setdefault(process, _Shelf())
            for other in inherited:  # the parent's: closed here without a word to the peer
                for spare in [spare for spares in other.ready.values() for spare in spares]:
                    spare.sock.close()
                    for duplicate in spare.duplicates:
                        duplicate.close()
                other.ready.clear()
        return shelf

    def _order(self, shelf: _Shelf, key: _Key) -> None:
        """Have as many opened as are missing (the lock is held)."""
        missing = self._number - len(shelf.ready[key]) - shelf.opening - len(shelf.wanted)
        for _ in range(missing):
            shelf.wanted.append(key)
            if shelf.idle:
                shelf.lock.notify()
            elif shelf.threads < self._number:
                shelf.threads += 1
                threading.Thread(target=self._run, args=(shelf,), name="syncbot-ahead", daemon=True).start()

    def _run(self, shelf: _Shelf) -> None:
        """Open what is wanted and close what has stood too long; end when there is nothing of either."""
        with shelf.lock:
            while True:
                now = self._clock()
                self._expire(shelf, now)
                if shelf.wanted:
                    self._open(shelf, shelf.wanted.pop(0))
                    continue
                ends = [spare.until for spares in shelf.ready.values() for spare in spares]
                shelf.idle += 1
                notified = shelf.lock.wait(max(0.0, min(ends) - now) if ends else SPARE_SECONDS)
                shelf.idle -= 1
                if not notified and not shelf.wanted and not any(shelf.ready.values()):
                    break
            shelf.threads -= 1

    def _open(self, shelf: _Shelf, key: _Key) -> None:
        """Open one connection; the lock is held at the beginning and at the end, and not in between."""
        shelf.opening += 1
        generation = shelf.generation
        shelf.lock.release()
        spare: _Spare | None = None
        try:
            spare = self._opened(*key)
        except (SyncBotError, OSError):
            pass  # the next call opens its own, and says what is wrong
        finally:
            shelf.lock.acquire()
            shelf.opening -= 1
            if spare is not None and generation == shelf.generation:
                shelf.ready.setdefault(key, []).append(spare)
            elif spare is not None:
                self._discard(spare)

    def _opened(self, target: Target, proxy: Proxy) -> _Spare:
        request = Request("", "the next call")
        with self._watchdog.watch(request, self._clock() + request.timeout) as attempt:
            sock = self._dialer.open(target, proxy, attempt)
            return _Spare(sock, attempt.detach(), self._clock() + SPARE_SECONDS)

    def _expire(self, shelf: _Shelf, now: float) -> None:
        for spares in shelf.ready.values():
            while spares and spares[0].until <= now:
                self._discard(spares.pop(0))

    def _discard(self, spare: _Spare) -> None:
        self._watchdog.let_go(spare.duplicates)
        spare.sock.close()


def _is_alive(sock: socket.socket) -> bool:
    """Whether a waiting connection can be used: nobody closed it, and nothing but session tickets came.

    A TLS 1.3 server sends its tickets right after the handshake, so being readable means nothing: a read has to say.
    """
    timeout = sock.gettimeout()
    sock.setblocking(False)
    try:
        if not isinstance(sock, ssl.SSLSocket):
            sock.recv(1, socket.MSG_PEEK)
        else:
            sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        sock.settimeout(timeout)
    return False  # the end of the stream, or bytes that nobody asked for
