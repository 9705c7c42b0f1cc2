"""Bytes on a connection as strict HTTP/1.1: the head of a request, its body in pieces, and the head of an answer."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

MAX_HEAD = 1 << 18
"""Bytes that the head of a request may have."""
MAX_HEADERS = 200
"""Lines that the head of a request may have."""
PIECE = 65_536
"""Bytes that are read from a socket at once."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x1f]*)?")


class HttpProblem(Exception):
    """The peer broke the rules of HTTP; it is told `status`, and the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class PeerGone(Exception):
    """The peer hung up in the middle of something, or the server is closing."""


@dataclass(frozen=True)
class RequestHead:
    """The request line and the headers, names in lower case; repeated headers are joined with a comma."""

    verb: str
    target: str
    minor: int
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to go on with this connection."""
        tokens = [token.strip() for token in self.headers.get("connection", "").lower().split(",")]
        return "keep-alive" in tokens if self.minor == 0 else "close" not in tokens


def is_from_a_page(head: RequestHead) -> bool:
    """Whether a web browser sent this for a page: no bot has an origin, and a page of a stranger must not speak to a server of tests."""
    return "origin" in head.headers or head.headers.get("sec-fetch-site", "none") != "none"


@dataclass(frozen=True)
class WireTimes:
    """Seconds that a peer gets: to begin a request, to complete its head, and between two pieces of a body."""

    idle: float = 120.0
    head: float = 30.0
    piece: float = 30.0


def parse_head(raw: bytes) -> RequestHead:
    """Read the head of a request (without its closing empty line); raises `HttpProblem` for whatever is not strictly HTTP/1.x."""
    first, *lines = raw.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise HttpProblem(400, "broken request line")
    if len(lines) > MAX_HEADERS:
        raise HttpProblem(431, "too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise HttpProblem(400, "broken header")
        name, value = found[1].decode("ascii").lower(), found[2].strip(b" \t").decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return RequestHead(match[1].decode("ascii"), match[2].decode("ascii"), int(match[3]), headers)


class Wire:
    """One connected socket, read with a buffer and bounded in time and size."""

    def __init__(self, sock: socket.socket, times: WireTimes) -> None:
        self.sock = sock
        self._times = times
        self._buffer = bytearray()

    @property
    def buffered(self) -> int:
        """Bytes that were read and not yet used."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes that somebody else read from the socket."""
        self._buffer += data

    def read_head(self) -> RequestHead | None:
        """Wait for the next request; None where the peer is done or stays silent for too long."""
        if not self._buffer and not self._begin():
            return None
        deadline = time.monotonic() + self._times.head
        searched = 0
        while True:
            if self._buffer.startswith(b"\r\n"):
                del self._buffer[:2]  # an empty line before the request is allowed, and some clients send one
                continue
            end = self._buffer.find(b"\r\n\r\n", max(0, searched - 3))
            if end >= 0:
                raw = bytes(self._buffer[:end])
                del self._buffer[: end + 4]
                if len(raw) > MAX_HEAD:
                    raise HttpProblem(431, "the head of the request is too large")
                return parse_head(raw)
            searched = len(self._buffer)
            if searched > MAX_HEAD:
                raise HttpProblem(431, "the head of the request is too large")
            if b"\n" in self._buffer and b"\r\n" not in self._buffer:
                raise HttpProblem(400, "broken request line")
            self._fill(deadline - time.monotonic())

    def body(self, head: RequestHead, limit: int) -> Iterator[bytes]:
        """The body of a request in pieces; raises `HttpProblem` where its framing is broken or it is larger than `limit` bytes."""
        coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
        if coding is not None:
            if length is not None or coding.lower() != "chunked" or head.minor == 0:
                raise HttpProblem(400, "broken body framing")
            return self._chunked(limit)
        if length is None:
            return iter(())
        if not (length.isascii() and length.isdigit()) or len(length) > 18:
            raise HttpProblem(400, "broken Content-Length")
        if int(length) > limit:
            raise HttpProblem(413, "Request Entity Too Large")
        return self._counted(int(length))

    def _counted(self, left: int) -> Iterator[bytes]:
        while left:
            if not self._buffer:
                self._fill(self._times.piece)
            piece = bytes(self._buffer[:left])
            del self._buffer[: len(piece)]
            left -= len(piece)
            yield piece

    def _chunked(self, limit: int) -> Iterator[bytes]:
        total = 0
        while True:
            found = _CHUNK_SIZE.fullmatch(self._line())
            if found is None:
                raise HttpProblem(400, "broken chunk")
            size = int(found[1], 16)
            if size == 0:
                break
            total += size
            if total > limit:
                raise HttpProblem(413, "Request Entity Too Large")
            yield from self._counted(size)
            if b"".join(self._counted(2)) != b"\r\n":
                raise HttpProblem(400, "broken chunk")
        for _ in range(MAX_HEADERS):
            if not self._line():
                return
        raise HttpProblem(431, "too many trailers")

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > 4096:
                raise HttpProblem(400, "broken chunk")
            self._fill(self._times.piece)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _begin(self) -> bool:
        self.sock.settimeout(self._times.idle)
        try:
            data = self.sock.recv(PIECE)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def _fill(self, seconds: float) -> None:
        if seconds <= 0:
            raise HttpProblem(408, "too slow")
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(PIECE)
        except TimeoutError:
            raise HttpProblem(408, "too slow") from None
        except OSError as problem:
            raise PeerGone(str(problem)) from problem
        if not data:
            raise PeerGone("the peer closed the connection in the middle of a request")
        self._buffer += data


def head_bytes(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of an answer, its closing empty line included."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
