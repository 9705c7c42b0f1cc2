"""Peers that misbehave to order, and what the tests of the transport share."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from syncbot.errors import NetworkError
from syncbot.types import Request, Response, Transport

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{"ok":true,"result":{}}'
"""An answer in Telegram's envelope."""

TOLERANCE_SECONDS = 0.5
"""How much later than told a call may end."""


class Line:
    """One connection that a `Peer` accepted: `sock`, and what a script needs to act on it. Everything ends when the peer closes."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.over = over

    def head(self) -> bytes:
        """The head of the next request, without a byte of what follows it."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += self.exactly(1)
        return data

    def request(self) -> bytes:
        """A whole request: its head, and a body of the length that it tells."""
        head = self.head()
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return head + self.exactly(int(length or b"0"))

    def exactly(self, size: int) -> bytes:
        """So many bytes; raises ConnectionError where the stream ends before."""
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise ConnectionError("the client hung up")
            data += piece
        return data

    def drip(self, data: bytes, pause_seconds: float = 0.05) -> None:
        """Send byte by byte, for as long as there is somebody to take it."""
        for position in range(len(data)):
            self.sock.sendall(data[position : position + 1])
            if self.over.wait(pause_seconds):
                return

    def hold(self) -> None:
        """Stay silent, and read nothing, until the client hangs up or the peer closes."""
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)  # an error or a full hang-up is always told
        poll.poll(30_000)


Script = Callable[[Line], object]


class Peer:
    """A server on a loopback address that does with each connection what a function says.

    Args:
        script: gets the connection; it ends when the function returns.
        host: the address to listen on; "::1" makes it an IPv6 server.
        tls: speak TLS with this context.
        receive_buffer_bytes: of the connections, so that a client that sends much has to wait soon; 0 leaves it to the system.
    """

    def __init__(self, script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, receive_buffer_bytes: int = 0) -> None:
        self._script = script
        self._tls = tls
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(self._family, socket.SOCK_STREAM)
        if receive_buffer_bytes:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.changed = threading.Condition()
        self.accepted = 0
        self.ended = 0
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The base URL, where it is taken for a Bot API server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def wait_for(self, predicate: Callable[[], object], timeout: float = 40.0) -> bool:
        """Wait until something about the counters is true."""
        with self.changed:
            return bool(self.changed.wait_for(predicate, timeout))

    def close(self) -> None:
        """End all connections and threads."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        with self.changed:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self.changed:
                self.accepted += 1
                self._open.add(sock)
                self.changed.notify_all()
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, raw: socket.socket) -> None:
        sock = raw
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(raw, server_side=True)
                with self.changed:
                    self._open.discard(raw)
                    self._open.add(sock)
            self._script(Line(sock, self._over))
        except OSError:
            pass  # the client hung up, which ends the script
        finally:
            with self.changed:
                self.ended += 1
                self._open.discard(sock)
                self.changed.notify_all()
            sock.close()


def answering(answer: bytes = OK) -> Script:
    """A script that takes one whole request and gives this answer."""

    def serve(line: Line) -> None:
        line.request()
        line.sock.sendall(answer)

    return serve


def socks5(line: Line, code: int = 0) -> tuple[bytes, int]:
    """The proxy's half of SOCKS5 without a password, up to an answer; returns the target's host as it was given and its port."""
    line.exactly(line.exactly(2)[1])
    line.sock.sendall(b"\x05\x00")
    kind = line.exactly(4)[3]
    host = line.exactly({1: 4, 4: 16}.get(kind) or line.exactly(1)[0])
    port = struct.unpack(">H", line.exactly(2))[0]
    line.sock.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
    return host, port


@contextlib.contextmanager
def dead_addresses(count: int) -> Iterator[list[tuple[socket.AddressFamily, tuple[Any, ...]]]]:
    """Addresses that never answer a SYN: listeners whose queue is full."""
    with contextlib.ExitStack() as stack:
        found: list[tuple[socket.AddressFamily, tuple[Any, ...]]] = []
        for number in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((f"127.0.0.{number + 2}", 0))
            listener.listen(0)
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            found.append((socket.AF_INET, listener.getsockname()))
        yield found


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with an answer or an error, and after how long."""

    answer: Response | None
    error: BaseException | None
    seconds: float

    @property
    def failure(self) -> NetworkError:
        """The error, which has to be a `NetworkError`."""
        assert isinstance(self.error, NetworkError), (self.error, self.answer)
        return self.error


def send(transport: Transport, request: Request) -> Outcome:
    """Make one attempt and time it."""
    started = time.monotonic()
    answer: Response | None = None
    error: BaseException | None = None
    try:
        answer = transport.send(request)
    except Exception as problem:
        error = problem
    return Outcome(answer, error, time.monotonic() - started)


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))


def becomes(condition: Callable[[], bool], seconds: float = 40.0) -> bool:
    """Whether something that nobody announces, such as a count of descriptors, gets true within a time."""
    deadline = time.monotonic() + seconds
    nobody = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        nobody.wait(0.01)
    return True


def everything_about(error: BaseException) -> str:
    """All that can be printed of an error: text, repr, arguments, attributes, traceback, and the same for its whole chain."""
    parts = ["".join(traceback.format_exception(error))]
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        parts += [str(link), repr(link), repr(link.args), repr(vars(link)), "".join(traceback.format_exception(link, chain=False))]
        waiting += [other for other in (link.__cause__, link.__context__, *link.args, *vars(link).values()) if isinstance(other, BaseException)]
    return "\n".join(parts)


class LogTexts(logging.Handler):
    """Keeps every record, as it is and as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self._formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)

    @property
    def text(self) -> str:
        """All records with all that hangs on them: message, arguments, tracebacks, further fields."""
        return "\n".join(f"{self._formatter.format(record)} {record.args!r} {vars(record)!r}" for record in self.records)
