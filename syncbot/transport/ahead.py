"""Opened ahead: connections that stand ready for the next calls, each for exactly one.

A new connection costs two or three round trips before the request can leave. While calls follow each other, the connections of the next ones
are opened during the present one: as fast as a pool, and still no connection is ever used twice.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from syncbot.process import PerProcess
from syncbot.transport.dialing.dialer import Dialer, Target
from syncbot.transport.watchdog import Attempt, Watchdog
from syncbot.types import Proxy, Request

SPARE_SECONDS = 2.0
"""How long a connection may stand ready; calls that come further apart than this do not follow each other."""

_SCOPE = "opened ahead"
"""By which the opening of connections is aborted."""

_Key = tuple[Target, Proxy]


@dataclass(eq=False)
class _Spare:
    """A connection that stands ready, with the duplicates by which the watchdog ends it."""

    sock: socket.socket
    duplicates: list[socket.socket]
    until: float


@dataclass(eq=False)
class _Shelf:
    """The spares of one process, until they are closed as a whole; a forked child begins with a shelf of its own, and so does the process after a close."""

    lock: threading.Condition = field(default_factory=lambda: threading.Condition(threading.Lock()))
    ready: dict[_Key, list[_Spare]] = field(default_factory=dict)
    wanted: list[_Key] = field(default_factory=list)
    opening: int = 0
    threads: set[threading.Thread] = field(default_factory=set)
    idle: int = 0
    last_take: dict[_Key, float] = field(default_factory=dict)
    closed: bool = False


class Ahead:
    """Opens connections before they are needed.

    Args:
        number: how many may stand ready or be under way; 0 opens none.
        dialer: opens them.
        watchdog: bounds their opening.
        clock: seconds, never going backwards.
    """

    def __init__(self, number: int, dialer: Dialer, watchdog: Watchdog, clock: Callable[[], float] = time.monotonic) -> None:
        self._dialer = dialer
        self._watchdog = watchdog
        self._clock = clock
        self._shelves = PerProcess(_Shelf)
        self.failure: BaseException | None = None
        """What has last ended one of its threads."""
        self.number = number

    @property
    def number(self) -> int:
        """How many may stand ready or be under way. At 0 none is opened any more, and those that stand are closed."""
        return self._number

    @number.setter
    def number(self, number: int) -> None:
        if number < 0:
            raise ValueError(f"ahead is how many connections may stand ready, 0 or more, not {number}")
        self._number = number
        if number == 0:
            self.close()

    @property
    def standing(self) -> int:
        """How many stand ready now."""
        shelf = self._shelf()
        with shelf.lock:
            return sum(map(len, shelf.ready.values()))

    def take(self, target: Target, proxy: Proxy, attempt: Attempt) -> socket.socket | None:
        """A connection that stands ready and is alive, now the attempt's own; None when there is none. Has the next ones opened.

        A waiting poll is not one call among others that follow each other: it takes what is there, and has nothing opened.
        """
        if self._number == 0 or attempt.cut:  # an attempt that is over takes none: nothing of it may seem to have been sent
            return None
        shelf, key, now = self._shelf(), (target, proxy), self._clock()
        with shelf.lock:
            found = self._first_alive(shelf.ready.setdefault(key, []), now)
            if not attempt.request.wait:
                follows = now - shelf.last_take.get(key, -SPARE_SECONDS) < SPARE_SECONDS
                shelf.last_take[key] = now
                if follows and not shelf.closed:
                    self._order(shelf, key)
        if found is None:
            return None
        attempt.adopt(found.duplicates)
        return found.sock

    def drop(self, target: Target, proxy: Proxy) -> None:
        """Close what stands ready on a way on which an answer has just been lost: it may have gone dead in silence, and what stands on it too."""
        shelf = self._shelves.if_made
        if shelf is not None:
            with shelf.lock:
                for spare in shelf.ready.pop((target, proxy), []):
                    self._discard(spare)

    def close(self, join_seconds: float = 0.0) -> None:
        """Close all that stands ready or is being opened; a later call begins anew.

        Args:
            join_seconds: how long to wait for each thread to end; only a name look-up by the system keeps one.
        """
        shelf = self._shelves.take()
        if shelf is None:
            return
        with shelf.lock:
            shelf.closed = True
            shelf.wanted.clear()
            for spares in shelf.ready.values():
                for spare in spares:
                    self._discard(spare)
            shelf.ready.clear()
            threads = list(shelf.threads)
            shelf.lock.notify_all()
        # Closed first and aborted second: what is being opened is either found by this, or finds the shelf closed.
        self._watchdog.abort(_SCOPE)
        for thread in threads if join_seconds else ():
            thread.join(join_seconds)

    def _shelf(self) -> _Shelf:
        shelf = self._shelves.if_made
        if shelf is None:
            shelf = self._shelves.here
            for inherited in self._shelves.take_inherited():
                self._forget_inherited(inherited)
        return shelf

    def _forget_inherited(self, shelf: _Shelf) -> None:
        """Close the copies of the parent's connections, without a word to the peer."""
        for spare in [spare for spares in shelf.ready.values() for spare in spares]:
            spare.sock.close()
            for duplicate in spare.duplicates:
                duplicate.close()

    def _first_alive(self, spares: list[_Spare], now: float) -> _Spare | None:
        """Take the oldest spare that can be used, and discard those before it (the lock is held)."""
        while spares:
            spare = spares.pop(0)
            if spare.until > now and _is_alive(spare.sock):
                return spare
            self._discard(spare)
        return None

    def _order(self, shelf: _Shelf, key: _Key) -> None:
        """Have as many opened as are missing (the lock is held)."""
        missing = self._number - len(shelf.ready.get(key, [])) - shelf.opening - len(shelf.wanted)
        for _ in range(missing):
            shelf.wanted.append(key)
            if len(shelf.wanted) <= shelf.idle:
                shelf.lock.notify()
            elif len(shelf.threads) < self._number:
                self._start_thread(shelf)

    def _start_thread(self, shelf: _Shelf) -> None:
        thread = threading.Thread(target=self._run, args=(shelf,), name="syncbot-ahead", daemon=True)
        shelf.threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # no thread is left, or the interpreter is about to end: the calls go on without spares
            shelf.threads.discard(thread)
            shelf.wanted.clear()

    def _run(self, shelf: _Shelf) -> None:
        """Open what is wanted and close what has stood too long; end when there was nothing of either for a while, or the shelf is closed."""
        with shelf.lock:
            try:
                while not shelf.closed and self._turn(shelf):
                    pass
            except BaseException as error:
                self.failure = error
                shelf.wanted.clear()  # else it counts as about to be opened, and no thread is started for it
            finally:
                shelf.threads.discard(threading.current_thread())

    def _turn(self, shelf: _Shelf) -> bool:
        """Do the next thing that is to be done, or wait for it; False when there was none (the lock is held)."""
        now = self._clock()
        self._expire(shelf, now)
        if shelf.wanted:
            self._open(shelf, shelf.wanted.pop(0))
            return True
        ends = [spare.until for spares in shelf.ready.values() for spare in spares]
        shelf.idle += 1
        try:
            woken = shelf.lock.wait(max(0.0, min(ends) - now) if ends else SPARE_SECONDS)
        finally:
            shelf.idle -= 1
        return bool(woken or shelf.wanted or any(shelf.ready.values()))

    def _open(self, shelf: _Shelf, key: _Key) -> None:
        """Open one connection; the lock is held at the beginning and at the end, and not in between."""
        shelf.opening += 1
        shelf.lock.release()
        spare: _Spare | None = None
        try:
            spare = self._opened(shelf, *key)
        except Exception:  # noqa: S110  # the next call opens its own, and says what is wrong
            pass
        finally:
            shelf.lock.acquire()
            shelf.opening -= 1
            if spare is not None and not shelf.closed:
                shelf.ready.setdefault(key, []).append(spare)
            elif spare is not None:
                self._discard(spare)

    def _opened(self, shelf: _Shelf, target: Target, proxy: Proxy) -> _Spare | None:
        request = Request("", "the next call", scope=_SCOPE)
        with self._watchdog.watch(request, self._clock() + request.timeout) as attempt:
            if shelf.closed:
                return None
            sock = self._dialer.open(target, proxy, attempt, waited_for=False)
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
    sock.settimeout(0.0)
    try:
        if isinstance(sock, socket.socket) and not isinstance(sock, ssl.SSLSocket):
            sock.recv(1, socket.MSG_PEEK)
        else:  # TLS, or TLS within TLS, which is no socket.socket
            sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        sock.settimeout(timeout)
    return False  # the end of the stream, or bytes that nobody asked for
