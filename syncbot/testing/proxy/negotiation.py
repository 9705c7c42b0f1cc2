"""What a client and a proxy say to each other before the tunnel stands: HTTP CONNECT, absolute-form HTTP, SOCKS 4, 4a and 5."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from urllib.parse import urlsplit

Negotiation = Generator["int | bytes", bytes, "TunnelRequest"]
"""Yields how many bytes it needs, or the delimiter up to which it needs them, is sent those, and returns what the client asked for."""

_HEAD_LIMIT_BYTES = 65_536
_REASONS = {400: "Bad Request", 403: "Forbidden", 407: "Proxy Authentication Required", 502: "Bad Gateway"}
_SOCKS5_CODES = {403: 2, 407: 1, 502: 4}


@dataclass(frozen=True)
class TunnelRequest:
    """What a client asked its proxy for.

    `protocol` is "connect", "http", "socks4" or "socks5", or "relay" where nobody asked; `host` a name or an address, as the client gave it; `forward`
    the rewritten head of an absolute-form request.
    """

    protocol: str
    host: str
    port: int
    forward: bytes = b""

    def granted(self, filler_bytes: int = 0) -> bytes:
        """The answer that the tunnel stands; nothing for an absolute-form request and in a relay."""
        filler = b"." * filler_bytes
        if self.protocol == "socks5":
            name = filler[:255]
            return b"\x05\x00\x00" + (b"\x03" + bytes([len(name)]) + name if name else b"\x01\0\0\0\0") + b"\0\0"
        if self.protocol == "socks4":
            return b"\x00\x5a" + bytes(6)
        if self.protocol in ("http", "relay"):
            return b""
        return b"HTTP/1.1 200 Connection established\r\n" + (b"X-Filler: " + filler + b"\r\n" if filler else b"") + b"\r\n"

    def refused(self, status: int) -> bytes:
        """The answer that there will be no tunnel, for the HTTP status that says why."""
        if self.protocol == "socks5":
            return bytes([5, _SOCKS5_CODES.get(status, 1), 0, 1]) + bytes(6)
        if self.protocol == "socks4":
            return b"\x00\x5b" + bytes(6)
        return b"" if self.protocol == "relay" else http_refusal(status)


class Refusal(Exception):
    """The negotiation is over: send this answer and hang up."""

    def __init__(self, answer: bytes, *, credentials: bool = False) -> None:
        super().__init__(answer)
        self.answer = answer
        self.credentials = credentials


class Negotiator:
    """Holds one negotiation.

    Args:
        username, password: what the client must bring; both empty for a proxy that asks for none.
        deny: refuse the credentials whatever they are.
        reply: sends bytes to the client.
    """

    def __init__(self, *, username: str, password: str, deny: bool, reply: Callable[[bytes], None]) -> None:
        self._username, self._password, self._deny, self._reply = username.encode(), password.encode(), deny, reply
        self._wanted = bool(username or password) or deny

    def negotiate(self) -> Negotiation:
        """the whole negotiation, up to what the client asks for; raises `Refusal`."""
        first = yield 1
        if first == b"\x05":
            return (yield from self._socks5())
        if first == b"\x04":
            return (yield from self._socks4())
        return self._http(first + (yield b"\r\n\r\n"))

    def _accept(self, username: bytes, password: bytes) -> bool:
        same_name = secrets.compare_digest(username, self._username)
        return not self._deny and same_name and secrets.compare_digest(password, self._password)

    def _http(self, head: bytes) -> TunnelRequest:
        line, *lines = head[:-4].split(b"\r\n")
        verb, _, rest = line.partition(b" ")
        target, _, version = rest.rpartition(b" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (text.partition(b":") for text in lines)}
        if self._wanted and not self._basic(headers.get(b"proxy-authorization", b"")):
            raise Refusal(http_refusal(407), credentials=True)
        try:
            if verb == b"CONNECT":
                url = urlsplit("//" + target.decode("ascii"))
                return TunnelRequest("connect", url.hostname or "", url.port or 443)
            url = urlsplit(target.decode("ascii"))
            if url.scheme != "http" or not url.hostname:
                raise ValueError("not an absolute-form URL of the scheme http")
            return TunnelRequest("http", url.hostname, url.port or 80, _origin_form(verb, target, version, lines))
        except ValueError:
            raise Refusal(http_refusal(400)) from None

    def _basic(self, header: bytes) -> bool:
        scheme, _, coded = header.partition(b" ")
        try:
            username, _, password = base64.b64decode(coded, validate=True).partition(b":")
        except ValueError:
            return False
        return scheme.lower() == b"basic" and self._accept(username, password)

    def _socks5(self) -> Negotiation:
        methods = yield (yield 1)[0]
        method = 2 if self._wanted else 0
        if method not in methods:
            raise Refusal(b"\x05\xff", credentials=self._wanted)
        self._reply(bytes([5, method]))
        if method == 2:
            yield 1
            username = yield (yield 1)[0]
            password = yield (yield 1)[0]
            if not self._accept(username, password):
                raise Refusal(b"\x01\x01", credentials=True)
            self._reply(b"\x01\x00")
        command = yield 4
        host = yield from self._socks5_host(command[3])
        port = int.from_bytes((yield 2))
        asked = TunnelRequest("socks5", host, port)
        if command[1] != 1:
            raise Refusal(b"\x05\x07\x00\x01" + bytes(6))
        return asked

    def _socks5_host(self, kind: int) -> Generator[int | bytes, bytes, str]:
        if kind == 3:
            return (yield (yield 1)[0]).decode("utf-8", "replace")
        if kind not in (1, 4):
            raise Refusal(b"\x05\x08\x00\x01" + bytes(6))
        return str(ipaddress.ip_address((yield 4 if kind == 1 else 16)))

    def _socks4(self) -> Negotiation:
        command = (yield 1)[0]
        port = int.from_bytes((yield 2))
        address = yield 4
        username = (yield b"\0")[:-1]
        named = address[:3] == b"\0\0\0" and address[3] != 0
        host = (yield b"\0")[:-1].decode("utf-8", "replace") if named else str(ipaddress.ip_address(address))
        if self._wanted and not self._accept(username, self._password):  # SOCKS4 knows no password
            raise Refusal(b"\x00\x5d" + bytes(6), credentials=True)
        if command != 1:
            raise Refusal(b"\x00\x5b" + bytes(6))
        return TunnelRequest("socks4", host, port)


class NegotiationReader:
    """Feeds a negotiation with the bytes as they come, and knows what is left over."""

    def __init__(self, negotiation: Negotiation) -> None:
        self._negotiation = negotiation
        self._need = next(negotiation)
        self.rest = b""

    def feed(self, data: bytes) -> TunnelRequest | None:
        """Take bytes; returns what the client asked for, once it is known. Raises `Refusal`."""
        self.rest += data
        while (size := self._size()) is not None:
            piece, self.rest = self.rest[:size], self.rest[size:]
            try:
                self._need = self._negotiation.send(piece)
            except StopIteration as end:
                asked = end.value
                assert isinstance(asked, TunnelRequest)
                return asked
        if len(self.rest) > _HEAD_LIMIT_BYTES:
            raise Refusal(http_refusal(400))
        return None

    def _size(self) -> int | None:
        if isinstance(self._need, int):
            return self._need if len(self.rest) >= self._need else None
        found = self.rest.find(self._need)
        return found + len(self._need) if found >= 0 else None


def http_refusal(status: int) -> bytes:
    """An HTTP answer without a body that says why there will be no tunnel."""
    ask = 'Proxy-Authenticate: Basic realm="fault proxy"\r\n' if status == 407 else ""
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\n{ask}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")


def _origin_form(verb: bytes, target: bytes, version: bytes, lines: list[bytes]) -> bytes:
    """The head as the server gets it: origin form, without what is meant for the proxy, one request to a connection."""
    path = b"/" + target.split(b"/", 3)[3] if target.count(b"/") >= 3 else b"/"
    dropped = (b"proxy-", b"connection:", b"keep-alive:")
    kept = [line for line in lines if not line.lower().startswith(dropped)]
    return b"\r\n".join([b" ".join((verb, path, version)), *kept, b"Connection: close", b"", b""])
