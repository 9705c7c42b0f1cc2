"""What comes over the wire: HTTP answers, and the answers of proxies."""

from __future__ import annotations

from typing import Any, ClassVar

from fuzzing.findings import PASSWORD, TOKEN
from fuzzing.mutation import mutate_message
from fuzzing.peer import Peer
from fuzzing.target import Target
from fuzzing.targets.envelope import look_at
from syncbot import Bot
from syncbot.errors import ApiError, NetworkError, NotSent
from syncbot.types import Early

_URLLIB3 = ("urllib3.connection",)
"""Says so where a header cannot be parsed; the request goes on."""
_OK = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"B"}}'
_HEADERS = (
    *(b"Content-Length: 0", b"Content-Length: 99999999999", b"Content-Length: -1", b"Content-Length: \xb2", b"Content-Length: " + b"9" * 400),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: deflate"),
    *(b"Content-Range: bytes 0-3/4", b"Location: http://127.0.0.1:1/", b"Set-Cookie: a=b", b"Connection: keep-alive", b"Content-Type: text/html; charset=x"),
    *(b"Trailer: X", b" folded", b"X" * 300 + b": y", b"Keep-Alive: timeout=9", b"Retry-After: 99999999999999999999", b'ETag: W/"x"'),
)


def _answer(head: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 " + head + b"\r\n\r\n" + body


class HttpAnswers(Target):
    """Through the real transport, a call and, where the answer could be a file, a download."""

    about = "HTTP answers, head and body, through the real transport: a call, and a download"
    shape = staticmethod(mutate_message)
    spare = 2
    may_log_errors = _URLLIB3
    longest = 8192
    words: ClassVar = (
        *_HEADERS,
        b"HTTP/1.1 ",
        b"HTTP/1.0 200 OK\r\n",
        b"100 Continue\r\n\r\n",
        b"\r\n\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"-1",
        b"ffffffffffffffff\r\n",
        TOKEN.encode(),
        _OK,
    )
    seeds: ClassVar = (
        _answer(b"200 OK\r\nContent-Type: application/json\r\nContent-Length: 60", _OK),
        _answer(b"200 OK\r\nContent-Type: application/json", b'{"ok":true,"result":[1,2]}'),
        _answer(b"200 OK\r\nTransfer-Encoding: chunked", b"3c\r\n" + _OK + b"\r\n0\r\nX: y\r\n\r\n"),
        _answer(b"200 OK\r\nContent-Encoding: gzip", bytes.fromhex("1f8b08000000000000ffab56cacf56b22a292a4dd5512a4a2d2ecd2951b2323236aa0500f3f5b6cd16000000")),
        _answer(b"206 Partial Content\r\nContent-Range: bytes 0-3/4\r\nETag: \"a\"\r\nContent-Length: 4", b"abcd"),
        _answer(b"100 Continue", _answer(b"302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0", b"")),
        _answer(b"429 Too Many Requests\r\nContent-Length: 90", b'{"ok":false,"error_code":429,"description":"Too Many","parameters":{"retry_after":5000000}}'),
        _answer(b"404 Not Found\r\nContent-Type: text/html", b"<p>/bot" + TOKEN.encode() + b"/getMe is not here</p>"),
        _answer(b"404 Not Found\r\nX: 1", b'{"ok":false,"error_code":404,"description":"no /bot' + TOKEN.encode() + b'/getMe"}'),
        b"SSH-2.0-OpenSSH_9.9\r\n",
    )  # fmt: skip

    def open(self) -> None:
        """A bot whose server is the peer."""
        self.peer = Peer()
        self.bot = Bot(TOKEN, base_url=f"http://127.0.0.1:{self.peer.port}", proxies="direct", retry=None, limits=None, timeout=15.0)

    def close(self) -> None:
        """Close both."""
        self.bot.close()
        self.peer.close()

    def run(self, data: bytes) -> None:
        """One answer."""
        self.peer.answer = data
        self.attempt(lambda: look_at(self.bot.call, "getMe"), NetworkError, ApiError)
        if b" 20" in data[:16]:
            self.attempt(lambda: self.bot.download_bytes({"file_path": "photos/a.jpg"}), NetworkError, ApiError)

    def plant(self, value: Any) -> bool:
        """A bug for a list of more than two with a negative number in it."""
        return bool(
            isinstance(value, list)
            and len(value) > 2
            and any(isinstance(item, int) and item < 0 for item in value)
        )  # fmt: skip


class _Proxied(Target):
    """A call through a proxy that answers with the input."""

    shape = staticmethod(mutate_message)
    spare = 2
    may_log_errors = _URLLIB3
    ways: ClassVar[tuple[str, ...]] = ()
    early: ClassVar[tuple[str, ...]] = ()
    """Further ways, opened in one flight."""
    server = "https://127.0.0.2"

    def open(self) -> None:
        """A bot for each kind of proxy."""
        self.peer = Peer()
        ways: list[tuple[str, Early]] = [*((way, "never") for way in self.ways), *((way, "always") for way in self.early)]
        self.bots = [
            Bot(TOKEN, base_url=self.server, proxies=[way.format(f"127.0.0.1:{self.peer.port}")], retry=None, limits=None, timeout=15.0, early=early)
            for way, early in ways
        ]

    def close(self) -> None:
        """Close all."""
        for bot in self.bots:
            bot.close()
        self.peer.close()

    def run(self, data: bytes) -> None:
        """The first byte chooses the proxy, the rest is what it answers."""
        self.peer.answer = data[1:]
        bot = self.bots[data[0] % len(self.bots)] if data else self.bots[0]
        try:
            self.attempt(lambda: look_at(bot.call, "getMe"), ApiError)
        except NetworkError as error:
            self.guard.failed(error)
            if not isinstance(error, NotSent):
                self.must(error.stage in ("send", "receive", "body"), f"{error.stage} is said to be maybe sent")
            self.planted((error, data))


class ConnectAnswers(_Proxied):
    """Answers to CONNECT."""

    about = "answers of an HTTP proxy to CONNECT, with and without a password, and of HTTP and SOCKS5 proxies to an opening in one flight"
    ways = ("http://{}", f"http://user:{PASSWORD}@{{}}")
    early = ("http://{}", f"socks5h://user:{PASSWORD}@{{}}")
    words: ClassVar = (
        *_HEADERS, b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.0 ", b" 502 Bad Gateway\r\n", b"407 Proxy Authentication Required\r\n",
        b"\r\n\r\n", b"Via: 1.1 proxy\r\n", b"\x16\x03\x03\x00\x2a", PASSWORD.encode(),
    )  # fmt: skip
    seeds: ClassVar = (
        b"0HTTP/1.1 200 Connection established\r\n\r\n",
        b"0HTTP/1.0 200 OK\r\nVia: 1.1 proxy\r\n\r\n",
        b"1HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        b"1HTTP/1.1 403 Forbidden\r\n\r\nuser:" + PASSWORD.encode(),
        b"0HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03\x00\x02\x02\x28",
        b"0\x05\x00",
        b"2HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03\x00\x30\x02\x00\x00\x2c\x03\x03" + bytes(34) + b"\x13\x01\x00\x00\x06\x00\x33\x00\x02\x00\x1d",
        b"2HTTP/1.1 200 OK\r\n\r\n\x15\x03\x03\x00\x02\x02\x28",
        b"3\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00\x15\x03\x03\x00\x02\x02\x28",
        b"3\x05\x02\x01\x00\x05\x00\x00\x03\x04host\x00\x00\x16\x03\x03\x40\x00",
        b"3\x05\x02\x01\x01",
    )

    def plant(self, value: Any) -> bool:
        """A bug for a proxy that refuses, and speaks of itself in HTTP/1.0."""
        return bool(
            isinstance(value, tuple)
            and value[0].stage == "proxy"
            and "status 5" in str(value[0])
            and value[1][1:].startswith(b"HTTP/1.0")
            and b"\r\nVia: " in value[1]
        )  # fmt: skip


class SocksAnswers(_Proxied):
    """Answers of SOCKS proxies, and what comes through them."""

    about = "answers of SOCKS4 and SOCKS5 proxies, with and without a password, and an answer through them"
    ways = ("socks4://{}", "socks5://{}", f"socks5h://user:{PASSWORD}@{{}}")
    server = "http://127.0.0.2"
    words: ClassVar = (
        b"\x00\x5a\x00\x00\x00\x00\x00\x00", b"\x05\x00", b"\x05\x02\x01\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x00\x03\x04host\x00\x00", b"\x05\x00\x00\x04", b"\x05\x01\x00\x01", b"HTTP/1.1 200 OK\r\n\r\n", _OK, PASSWORD.encode(),
    )  # fmt: skip
    seeds: ClassVar = (
        b"\x00\x00\x5a\x00\x00\x00\x00\x00\x00" + _answer(b"200 OK\r\nX: y", _OK),
        b"\x00\x00\x5b\x00\x00\x00\x00\x00\x00",
        b"\x01\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00" + _answer(b"200 OK\r\nX: y", _OK),
        b"\x01\x05\x00\x05\x00\x00\x03\x04host\x00\x00" + _answer(b"200 OK\r\nX: y", _OK),
        b"\x01\x05\xff",
        b"\x02\x05\x02\x01\x00\x05\x00\x00\x04" + bytes(18) + _answer(b"200 OK\r\nX: y", _OK),
        b"\x02\x05\x02\x01\x01",
        b"\x01HTTP/1.1 400 Bad Request\r\n\r\n",
    )

    def plant(self, value: Any) -> bool:
        """A bug for an answer that is a list."""
        return isinstance(value, list)
