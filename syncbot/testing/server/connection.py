"""One connection of a client: TLS, requests one after the other, answers in any shape, and a peaceful end."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from syncbot.testing.server.answers import Answer, error_envelope
from syncbot.testing.server.records import ConnectionRecord
from syncbot.testing.server.wire import PIECE, HttpProblem, PeerGone, RequestHead, Wire, WireTimes, head_bytes

LINGER = 2.0
"""Seconds that a closed connection waits for the client to close its side too."""
_MAX_PIPELINED = 1 << 20
_MAX_DRAIN = 16 << 20


@dataclass(frozen=True)
class HttpReply:
    """What goes back to the client: a status, headers, a body in one piece or in several of a known total size."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    size: int = 0


class Connection:
    """Serves one accepted socket; `run` is the loop of its thread.

    Args:
        sock: the accepted socket; owned from here on.
        context: for TLS; None speaks plain HTTP.
        record: kept up to date.
        handle: takes a request (its body not read yet) and returns the reply, or None to end the connection without one.
        times: what the client gets.
    """

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext | None,
        record: ConnectionRecord,
        handle: Callable[[Connection, RequestHead], tuple[HttpReply, Answer | None] | None],
        times: WireTimes,
    ) -> None:
        self.record = record
        self._sock = sock
        self._context = context
        self._handle = handle
        self._times = times
        self._lock = threading.Lock()
        self._is_closed = False
        self._stopping = False
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._wire = Wire(sock, times)

    def run(self) -> None:
        """Serve until the client is done, breaks the rules, or the server stops."""
        try:
            self._serve()
        except HttpProblem as problem:
            self.record.trouble = problem.reason
            body = error_envelope(problem.status, problem.reason, {})
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
            with contextlib.suppress(PeerGone):
                self._send(head_bytes(problem.status, headers) + body)
        except (PeerGone, OSError) as problem:
            self.record.trouble = self.record.trouble or str(problem)
        finally:
            self._finish()

    def stop(self, *, hard: bool = False) -> None:
        """End it from another thread: reads come to an end at once, a write that is under way only with `hard`."""
        with self._lock:
            self._stopping = True
            if not self._is_closed:
                with contextlib.suppress(OSError):
                    # not the method of SSLSocket, which would take its TLS state away under the feet of its own thread
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR if hard else socket.SHUT_RD)

    def body(self, head: RequestHead, limit: int) -> Iterator[bytes]:
        """The body of the present request."""
        if head.headers.get("expect", "").lower() == "100-continue" and not self._wire.buffered:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self._wire.body(head, limit)

    # ------------------------------------------------------------------ waiting

    def wake(self) -> None:
        """End the present or the next `pause` at once; from any thread."""
        with self._lock:
            if self._bell is not None and not self._is_closed:
                with contextlib.suppress(BlockingIOError):
                    self._bell[1].send(b"!")

    def pause(self, seconds: float) -> None:
        """Sleep, but notice `wake`, a client that hangs up, and the end of the server (both raise `PeerGone`)."""
        bell = self._bell_ready()
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            self._look()
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        if self._wire.buffered < _MAX_PIPELINED:
            poll.register(self._sock, select.POLLIN)
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            ready = {fd for fd, _ in poll.poll(max(0.0, left) * 1000)}
            if self._sock.fileno() in ready:
                self._look()
            if bell.fileno() in ready:
                with contextlib.suppress(BlockingIOError):
                    bell.recv(4096)
                return
            if left <= 0:
                return

    def prepare_wait(self) -> None:
        """Make `wake` heard from now on, also before the first `pause`."""
        self._bell_ready()

    def _bell_ready(self) -> socket.socket:
        with self._lock:
            if self._bell is None:
                self._bell = socket.socketpair()
                for end in self._bell:
                    end.setblocking(False)
            return self._bell[0]

    def _look(self) -> None:
        """Read what there is without waiting."""
        self._sock.settimeout(0)
        try:
            data = self._sock.recv(PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as problem:
            raise PeerGone(str(problem)) from problem
        if not data:
            raise PeerGone("the server is closing" if self._stopping else "the client hung up while it waited")
        self._wire.feed(data)

    # ------------------------------------------------------------------ serving

    def _serve(self) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            self._start_tls(self._context)
        while not self._stopping:
            head = self._wire.read_head()
            if head is None:
                return
            outcome = self._handle(self, head)
            if outcome is None or not self._answer(head, *outcome):
                return

    def _start_tls(self, context: ssl.SSLContext) -> None:
        self._sock.settimeout(self._times.head)
        try:
            wrapped = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._sock = wrapped
            self._wire = Wire(wrapped, self._times)
            wrapped.do_handshake()
        except OSError as problem:
            raise PeerGone(f"tls: {problem}") from problem

    def _answer(self, head: RequestHead, reply: HttpReply, answer: Answer | None) -> bool:
        """Send a reply in the shape that was ordered; False ends the connection."""
        if answer is not None and answer.delay:
            self._sleep(answer.delay)
        if answer is not None and answer.silent:
            self._sleep(float("inf"))
        if answer is not None and answer.headers_without_end:
            self._endless_headers()
        keep = head.keep_alive and not self._stopping
        no_body = head.verb == "HEAD" or reply.status in (204, 304)
        size = reply.size if reply.pieces is not None else len(reply.body)
        headers = {"Server": "nginx/1.18.0", "Content-Type": "application/json", "Content-Length": str(size), "Connection": "keep-alive" if keep else "close"}
        first = head_bytes(reply.status, {**headers, **reply.headers})
        pieces: Iterable[bytes] = () if no_body else reply.pieces if reply.pieces is not None else (reply.body,)
        self._sock.settimeout(self._times.piece)
        if answer is not None and (answer.drip or answer.cut_at is not None):
            return self._shaped(first, pieces, answer) and keep
        if reply.pieces is None or no_body:
            self._send(first + b"".join(pieces))
            return keep
        self._send(first)
        for piece in pieces:
            self._send(piece)
        return keep

    def _shaped(self, first: bytes, pieces: Iterable[bytes], answer: Answer) -> bool:
        """Drip or cut an answer; False where it was cut."""
        left = answer.cut_at

        def all_pieces() -> Iterator[bytes]:
            yield first
            yield from pieces

        for piece in all_pieces():
            part = piece if left is None else piece[:left]
            if answer.drip:
                for at in range(len(part)):
                    self._send(part[at : at + 1])
                    self._sleep(answer.drip)
            elif part:
                self._send(part)
            if left is not None:
                left -= len(part)
                if left <= 0:
                    self._cut(answer.reset)
                    return False
        return True

    def _cut(self, reset: bool) -> None:
        """End the connection as a broken line does: without close_notify, with FIN or RST."""
        with self._lock:
            if reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
            self._is_closed = True
            self._sock.close()
        raise PeerGone("cut on purpose")

    def _endless_headers(self) -> None:
        self._sock.settimeout(self._times.piece)
        self._send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        line = b"".join(b"X-Filler-%d: %s\r\n" % (n, b"f" * 80) for n in range(100))
        while not self._stopping:
            self._send(line)
        raise PeerGone("the server is closing")

    def _sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.pause(min(left, 3600.0))

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError as problem:
            raise PeerGone(str(problem)) from problem

    # ------------------------------------------------------------------ the end

    def _finish(self) -> None:
        """close_notify, FIN, wait (bounded) for the client's side, close: so that no RST cuts off what is still on its way."""
        try:
            with self._lock:
                if self._is_closed:
                    return
            if isinstance(self._sock, ssl.SSLSocket):
                self._sock.settimeout(0)
                with contextlib.suppress(OSError, ValueError):
                    self._sock.unwrap()  # without blocking: sends our close_notify, and does not wait for the other one
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._sock, socket.SHUT_WR)
                self._drain()
        finally:
            with self._lock:
                self._is_closed = True
                self._sock.close()
                for end in self._bell or ():
                    end.close()

    def _drain(self) -> None:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        deadline, read = time.monotonic() + LINGER, 0
        while not self._stopping and read < _MAX_DRAIN and (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
            # the bytes mean nothing any more, so TLS is left out
            piece = socket.socket.recv(self._sock, PIECE, socket.MSG_DONTWAIT)
            if not piece:
                return
            read += len(piece)
