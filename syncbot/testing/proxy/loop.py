"""One thread that moves bytes between sockets: a selector, a heap of timers, and connections with bounded, delayed and paced output."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import heapq
import selectors
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import TypeVar

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_CHUNK_BYTES = 262_144
_SMALL_BYTES = 16_384
_T = TypeVar("_T")


class Timer:
    """Something to be done later by the loop; `cancel` before it is due, and it is not."""

    def __init__(self, due: float, action: Callable[[], None]) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Let the time pass without doing anything."""
        self.action = None


class Loop:
    """A selector loop in a thread of its own. All but `call` and `stop` belongs to that thread."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._calls: deque[Callable[[], None]] = deque()
        self._stopping = False
        self.problem: Exception | None = None
        """The first exception that a reaction or a timer raised, if any did; the loop goes on."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.watch(self._inside, _READ, self._awake)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, wait for it, and let go of what the loop itself holds."""
        self._calls.append(self._stop)
        self._wake()
        self._thread.join()
        self._selector.close()
        self._inside.close()
        self._outside.close()

    def call(self, action: Callable[[], _T]) -> _T:
        """Do this in the loop's thread; from any other thread; wait, and return or raise what came out."""
        done: Future[_T] = Future()

        def act() -> None:
            try:
                done.set_result(action())
            except BaseException as problem:  # it belongs to the caller, who waits for it
                done.set_exception(problem)

        self._calls.append(act)
        self._wake()
        return done.result()

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do this after so many seconds."""
        timer = Timer(time.monotonic() + seconds, action)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def watch(self, sock: socket.socket, events: int, react: Callable[[int], None]) -> None:
        """Call `react` with the events that came, from now on; no events means no longer."""
        known = sock.fileno() in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(sock)
        elif known:
            self._selector.modify(sock, events, react)
        else:
            self._selector.register(sock, events, react)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full means that it is awake already
            self._outside.send(b"\0")

    def _awake(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._inside.recv(4096)
        while self._calls:
            self._calls.popleft()()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select(self._until_next()):
                if self._selector.get_map().get(key.fd) is key:  # an earlier reaction may have closed it
                    self._guard(key.data, events)
            self._fire()

    def _guard(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            act(*arguments)
        except Exception as problem:  # one tunnel's trouble must not stop the others; whoever closes the loop hears of it
            self.problem = self.problem or problem

    def _until_next(self) -> float | None:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _fire(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.action is not None:
                self._guard(timer.action)


class Conn:
    """A connected, or connecting, socket in a loop.

    Output is queued, may be delayed by a fixed time and may be paced; whoever fills the queue looks at `queued` and at `on_drained`.

    Args:
        delay: seconds that every byte waits before it is written.
        pace: bytes a second that are written at most; 0 for no limit. May be changed at any time.
        on_data: takes bytes that came; b"" is the end of the stream.
        on_lost: the connection broke.
    """

    def __init__(self, loop: Loop, sock: socket.socket, *, delay: float, pace: float, on_data: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # some systems refuse it where the peer has gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dripped byte must leave at once
        self.delay, self.pace = delay, pace
        self.queued = 0
        self.on_drained: Callable[[], None] | None = None
        self.closed = False
        self._loop, self._sock = loop, sock
        self._on_data, self._on_lost = on_data, on_lost
        self._queue: deque[tuple[float, memoryview]] = deque()
        self._flushed: list[Callable[[], None]] = []
        self._timer: Timer | None = None
        self._not_before = 0.0
        self._events = 0
        self._reading, self._ended = False, False
        self._blocked = False
        self._on_connected: Callable[[int], None] | None = None

    def dial(self, address: tuple[str, int], on_connected: Callable[[int], None]) -> None:
        """Connect; `on_connected` gets the error number, 0 when it stands."""
        error = self._sock.connect_ex(address)
        if error in (0, errno.EINPROGRESS):
            self._on_connected = on_connected
            self._watch()
        else:
            on_connected(error)

    def read(self, on: bool) -> None:
        """Take bytes from the peer, or let them wait in the system's buffers."""
        self._reading = on
        self._watch()

    def write(self, data: bytes | memoryview, *, extra_delay: float = 0.0) -> None:
        """Queue bytes; what can be written at once is."""
        if self.closed or not data:
            return
        due = time.monotonic() + self.delay + extra_delay if self.delay or extra_delay else 0.0
        if self._queue:
            due = max(due, self._queue[-1][0])  # an extra delay holds up what follows too
        self._queue.append((due, memoryview(data)))
        self.queued += len(data)
        if not self._blocked and self._timer is None:
            self._pump()

    def when_flushed(self, action: Callable[[], None]) -> None:
        """Do this when nothing is queued any more."""
        if self._queue:
            self._flushed.append(action)
        elif not self.closed:
            action()

    def end(self) -> None:
        """Write the end of the stream after what is queued."""
        self.when_flushed(self._shut)

    def close(self, *, reset: bool = False) -> None:
        """Close at once, whatever is queued; with FIN where it can be, with RST when asked."""
        if self.closed:
            return
        self.closed = True
        self._watch()
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(OSError):
            if reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif not self._ended:
                self._sock.recv(_CHUNK_BYTES)  # closing with bytes unread would send RST
        self._sock.close()
        self._queue.clear()
        self._flushed.clear()

    def _acknowledge(self) -> None:
        """Acknowledge at once: a peer that gathers small writes (Nagle) would hold its next one back for 40 ms, and the proxy is to add nothing of its own."""
        if hasattr(socket, "TCP_QUICKACK"):
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def unacknowledged(self) -> int:
        """How many written bytes the peer's system has not taken yet."""
        return int(struct.unpack("i", fcntl.ioctl(self._sock, termios.TIOCOUTQ, b"\0\0\0\0"))[0])

    def _watch(self) -> None:
        events = 0
        if not self.closed:
            events = _WRITE if self._on_connected or self._blocked else 0
            if self._reading and not self._ended and not self._on_connected:
                events |= _READ
        if events != self._events:
            self._events = events
            self._loop.watch(self._sock, events, self._react)

    def _react(self, events: int) -> None:
        if self._on_connected is not None:
            on_connected, self._on_connected = self._on_connected, None
            self._watch()
            on_connected(self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return
        if events & _WRITE:
            self._blocked = False
            self._pump()
        if events & _READ and self._reading and not self.closed:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._sock.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._on_lost()
            return
        if not data:
            self._ended = True
            self._watch()
        elif len(data) < _SMALL_BYTES:
            self._acknowledge()
        self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        self._on_data(data)

    def _pump(self) -> None:
        try:
            while self._queue and self._write_some():
                pass
        except BlockingIOError:
            self._blocked = True
        except OSError:
            self._on_lost()
            return
        self._watch()
        if self.on_drained is not None:
            self.on_drained()
        while self._flushed and not self._queue:
            self._flushed.pop(0)()

    def _write_some(self) -> bool:
        """Write from the head of the queue; False when its time has not come."""
        due, data = self._queue[0]
        wait = max(due, self._not_before) - time.monotonic() if due or self._not_before else 0.0
        if wait > 0:
            self._timer = self._loop.later(wait, self._timed)
            return False
        if self.pace:
            data = data[: max(1, int(self.pace / 50))]
        sent = self._sock.send(data)
        if self.pace:
            self._not_before = max(self._not_before, time.monotonic() - 0.05) + sent / self.pace
        self.queued -= sent
        rest = self._queue[0][1][sent:]
        if rest:
            self._queue[0] = (due, rest)
        else:
            self._queue.popleft()
        return True

    def _timed(self) -> None:
        self._timer = None
        self._pump()

    def _shut(self) -> None:
        with contextlib.suppress(OSError):  # it may be gone already
            self._sock.shutdown(socket.SHUT_WR)
