"""Connections that stand ready, and the lanes on which they stand: one for the calls of each way, and one for its polls."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from syncbot.transport.dialing.dialer import Target, way_name
from syncbot.types import Proxy

FIRST_PATIENCE_SECONDS = 1.0
_PATIENCE_PART, _LEAST_PATIENCE_SECONDS, _MOST_PATIENCE_SECONDS = 3.0, 0.1, 5.0
_MOST_LANES = 64
"""From here on those on which nothing is are forgotten: a transport may serve many hosts."""
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPALIVE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3}
"""Seconds until the first probe (the second name is macOS's), between probes, and how many go unanswered."""


def _slept_seconds() -> float:
    """How long the machine has slept since its start, where the system tells: the clock that the others go by stands still meanwhile."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC) if hasattr(time, "CLOCK_BOOTTIME") else 0.0


@dataclass(eq=False)
class Spare:
    """A connection that stands ready, with the duplicates by which the watchdog ends it; when it was opened, and until when it may stand alone."""

    sock: socket.socket
    duplicates: list[socket.socket]
    opened: float
    until: float
    slept_before: float = field(default_factory=_slept_seconds)

    @property
    def overslept(self) -> bool:
        """Whether the machine has slept since it was opened: nobody knows what has become of it."""
        return _slept_seconds() - self.slept_before > 1.0

    def stand(self) -> None:
        """It is only looked at from now on, and the kernel probes it while nothing moves: so a NAT on the way keeps it, and one that is dead is seen."""
        self.sock.settimeout(0.0)
        for duplicate in self.duplicates:
            with contextlib.suppress(OSError):  # a socket that was tried before this one, or a system that knows less
                duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for name, value in _KEEPALIVE.items():
                    if hasattr(socket, name):
                        duplicate.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def is_alive(self) -> bool:
        """Whether it can be used: nobody closed it, and nothing but session tickets came.

        A TLS 1.3 server sends its tickets right after the handshake, so being readable means nothing: a read has to say.
        """
        sock = self.sock
        try:
            if isinstance(sock, socket.socket) and not isinstance(sock, ssl.SSLSocket):
                sock.recv(1, socket.MSG_PEEK)
            else:  # TLS, or TLS within TLS, which is no socket.socket
                sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False  # the end of the stream, or bytes that nobody asked for

    def close_inherited(self) -> None:
        """Close a forked child's copies, without a word to the peer."""
        self.sock.close()
        for duplicate in self.duplicates:
            duplicate.close()


@dataclass(eq=False)
class Opening:
    """One that is to be opened, or is being opened.

    Args:
        lane: for what.
        ordered: when it was asked for.
        at_leisure: no call is to wait for it, so that something new may be tried on it.
    """

    lane: Lane
    ordered: float
    at_leisure: bool


@dataclass(eq=False)
class Lane:
    """What stands ready, is being opened and is waited for, for the calls of one way or for its polls (the shelf's lock guards it).

    Args:
        target, proxy: the way.
        poll: it is that of the polls.
        arrived: notified when an opening has ended while somebody waits for it.
    """

    target: Target
    proxy: Proxy
    poll: bool
    arrived: threading.Condition
    ready: list[Spare] = field(default_factory=list)
    under_way: list[Opening] = field(default_factory=list)
    waiting: int = 0
    size: int = 0
    """How many there are to be, standing or under way."""
    last_use: float = float("-inf")
    rests_until: float = float("-inf")
    """None is opened in the place of one that could not be opened, or was closed by the other end, before this."""
    opening_seconds: float | None = None

    def __post_init__(self) -> None:
        self.way = way_name(self.target, self.proxy)
        """Its name, without credentials."""

    def promising(self, now: float) -> int:
        """How many are under way that are worth waiting for: what takes much longer than others will hardly come about."""
        return sum(not opening.at_leisure and now - opening.ordered < self.patience_seconds for opening in self.under_way)

    @property
    def missing(self) -> int:
        """How many are to be opened."""
        return self.size - len(self.under_way) - len(self.ready)

    @property
    def patience_seconds(self) -> float:
        """How long a call waits for one that is under way before it opens its own."""
        if self.opening_seconds is None:
            return FIRST_PATIENCE_SECONDS
        return min(max(_LEAST_PATIENCE_SECONDS, _PATIENCE_PART * self.opening_seconds), _MOST_PATIENCE_SECONDS)

    def took(self, seconds: float) -> None:
        """One was opened in so many seconds."""
        self.opening_seconds = seconds if self.opening_seconds is None else (self.opening_seconds + seconds) / 2


@dataclass(eq=False)
class Shelf:
    """The spares of one process, until they are closed as a whole; a forked child begins with a shelf of its own, and so does the process after a close."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    lanes: dict[tuple[Target, Proxy, bool], Lane] = field(default_factory=dict)
    wanted: deque[Opening] = field(default_factory=deque)
    threads: set[threading.Thread] = field(default_factory=set)
    idle: int = 0
    look_at: float = float("-inf")
    closed: bool = False

    def __post_init__(self) -> None:
        self.lock = threading.Condition(self.guard)
        """Notified of what is to be opened."""

    def lane(self, target: Target, proxy: Proxy, *, poll: bool) -> Lane:
        """The lane of the calls, or of the polls, on a way."""
        key = (target, proxy, poll)
        if key not in self.lanes:
            if len(self.lanes) >= _MOST_LANES:
                self.lanes = {key: lane for key, lane in self.lanes.items() if lane.ready or lane.under_way or lane.waiting}
            self.lanes[key] = Lane(target, proxy, poll, threading.Condition(self.guard))
        return self.lanes[key]

    @property
    def spares(self) -> Iterator[Spare]:
        """All that stand."""
        return (spare for lane in self.lanes.values() for spare in lane.ready)

    def want_none(self) -> None:
        """Nothing is to be opened any more: whoever waits opens its own."""
        while self.wanted:
            opening = self.wanted.popleft()
            opening.lane.under_way.remove(opening)
        for lane in self.lanes.values():
            lane.arrived.notify_all()
