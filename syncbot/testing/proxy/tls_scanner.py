"""Tells handshake from application data in a stream that the proxy cannot read, by the headers, sizes and order of TLS records."""

from __future__ import annotations

from collections.abc import Callable

_HANDSHAKE, _APPLICATION = 22, 23
_HEADER_BYTES = 5
_ALERT_BYTES = 19  # an encrypted TLS 1.3 alert: two bytes, the inner type, the tag
_SUPPORTED_VERSIONS = b"\x00\x2b\x00\x02"


class TlsScanner:
    """Splits both directions of one tunnel into what belongs to the TLS handshake, session tickets included, and application data.

    In TLS 1.3 the first encrypted record of a client is its Finished (client certificates are not reckoned with), and what follows is its request. The server's
    tickets look like an answer; so the tunnel holds the request back until the tickets are there, and sets `request_sent` when it lets it go.
    Without TLS everything is application data.
    """

    def __init__(self) -> None:
        self.tls: bool | None = None
        """Whether the tunnel carries TLS; None before the client's first byte."""
        self.finished = False
        """The client's Finished was seen (TLS 1.3)."""
        self.request_sent = False
        """From now on the server's application records are its answer."""
        self.tickets = 0
        """Records of the server between the client's Finished and its request."""
        self._client, self._server = _Records(), _Records()
        self._hello = b""
        self._version_13: bool | None = None

    @property
    def tickets_follow(self) -> bool:
        """The server may send session tickets that look like an answer."""
        return self._version_13 is True

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """Split bytes from the client into handshake and application data."""
        if self.tls is None:
            self.tls = data[0] == _HANDSHAKE
        return self._client.split(data, self._is_request) if self.tls else (b"", data)

    def server(self, data: bytes) -> tuple[bytes, bytes]:
        """Split bytes from the server into handshake and application data."""
        if not self.tls:
            return b"", data
        if self._version_13 is None:
            self._hello += data
            self._look_at_hello()
        return self._server.split(data, self._is_answer)

    def _is_request(self, kind: int, length: int) -> bool:
        if kind != _APPLICATION:
            return False
        if self._version_13 and not self.finished:
            self.finished = True
            return False
        return not (self._version_13 and length == _ALERT_BYTES)

    def _is_answer(self, kind: int, length: int) -> bool:
        if not self.request_sent:
            self.tickets += self.finished
            return False
        return kind == _APPLICATION and not (self._version_13 and length == _ALERT_BYTES)

    def _look_at_hello(self) -> None:
        """Find the version in the server's first record: the extension supported_versions holds 0x0304, or is not there."""
        if len(self._hello) < _HEADER_BYTES:
            return
        end = _HEADER_BYTES + int.from_bytes(self._hello[3:5])
        if len(self._hello) < end:
            return
        session = _HEADER_BYTES + 4 + 2 + 32  # after the record's and the message's header, the version and the random bytes
        at = session + 1 + self._hello[session] + 2 + 1 + 2 if session < end else end
        self._version_13 = False
        while at + 4 <= end:
            if self._hello[at : at + 4] == _SUPPORTED_VERSIONS:
                self._version_13 = self._hello[at + 4 : at + 6] == b"\x03\x04"
            at += 4 + int.from_bytes(self._hello[at + 2 : at + 4])
        self._hello = b""


class _Records:
    """Follows the records of one direction; an incomplete header is held back until it can be judged."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._application = False

    def split(self, data: bytes, is_application: Callable[[int, int], bool]) -> tuple[bytes, bytes]:
        """Cut the stream once, before its first application record."""
        if self._application:
            return b"", data
        data, self._head = self._head + data, b""
        at = 0
        while True:
            step = min(self._left, len(data) - at)
            at += step
            self._left -= step
            if self._left:
                return data, b""
            header = data[at : at + _HEADER_BYTES]
            if len(header) < _HEADER_BYTES:
                self._head = header
                return data[:at], b""
            length = int.from_bytes(header[3:5])
            if is_application(header[0], length):
                self._application = True
                return data[:at], data[at:]
            at += _HEADER_BYTES
            self._left = length
