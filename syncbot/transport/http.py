"""One HTTP exchange with `requests`: a new session, an adapter that connects our way, and a URL without the token.

The token is part of every Bot API path, and requests, urllib3 and http.client put URLs into exceptions, reprs and log records; and what watches them,
as Sentry and OpenTelemetry do, puts them into events and spans. So they never get to see it: they work with a public URL, and the real request line,
with the proxy's credentials where it needs them, takes the place of theirs when the bytes are written. Only a mock that stands in for requests, so that
no byte is ever written, gets the URL itself: whoever tests with one expects the URL that the Bot API has.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection

from syncbot.secret import Secret
from syncbot.transport.mocks import is_of_mock
from syncbot.types import Request

_ONE_SEGMENT_BYTES = 16_384
"""Header and body are joined up to this size: two small segments cost 40 ms on a way with delayed acknowledgements."""


class Exchange(NamedTuple):
    """What one connection needs to know: how to open it, whom to tell when it stands, when the request is written and when an answer has begun, with which
    lines the request really begins, and which path the libraries are told."""

    open_socket: Callable[[], socket.socket]
    opened: Callable[[], object]
    written: Callable[[], None]
    answered: Callable[[], None]
    head: Secret[str]
    public_path: str
    host: str
    port: int
    default_port: int


def request_line(request: Request, origin: str = "") -> Secret[str]:
    """The request line, with its end.

    Args:
        request: what is asked for.
        origin: "http://host:port" for a proxy that takes the full URL.

    Raises:
        http.client.InvalidURL: the URL holds a character that cannot stand there.
    """
    target = Secret(urlunsplit(("", "", urlsplit(request.url).path or "/", urlsplit(request.url).query, "")))
    if not re.fullmatch("[!-~]+", target.reveal()):
        raise http.client.InvalidURL
    return Secret(f"{request.verb} {origin}{target.reveal()} HTTP/1.1\r\n")


class OneShotConnection(HTTPConnection):
    """A connection that opens its socket through the dialer and puts the real request line in the place of the public one."""

    debuglevel = 0  # whatever the program sets for all of http.client: that prints what comes back, which may repeat the URL

    def __init__(self, exchange: Exchange, timeout_seconds: float) -> None:
        super().__init__(exchange.host, exchange.port, timeout=timeout_seconds)
        self.default_port = exchange.default_port  # type: ignore[misc]  # the scheme's port is left out of the Host header
        self._exchange = exchange
        self._held = b""
        self._holding = True

    def connect(self) -> None:
        """Open the socket, TLS and proxy included."""
        self.sock = self._exchange.open_socket()
        self._exchange.opened()  # only now: what this raises closes the connection

    def send(self, data: Any) -> None:
        """Hold the header back until the body comes, and write both at once where the body is small."""
        if self._holding:
            self._holding, self._held = False, data.partition(b"\r\n")[2]
            return
        if self._held and isinstance(data, bytes) and len(data) <= _ONE_SEGMENT_BYTES:
            self._write_head(data)
            return
        self._write_head()
        super().send(data)

    def _write_head(self, body: bytes = b"") -> None:
        """Write the header with the real request line, unless that is done, and a body with it; as a memoryview, which shows nothing in a frame."""
        held, self._held = self._held, b""
        if held:
            if self.sock is None:
                self.connect()
            self.sock.sendall(memoryview(self._exchange.head.reveal().encode("ascii") + held + body))

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Write a whole request, and tell so."""
        super().request(*args, **kwargs)
        self._write_head()
        self._exchange.written()


class _LetThroughError(Exception):
    """A mock lets a request through to the network."""


class OneShotAdapter(HTTPAdapter):
    """Carries one request on one connection of its own, and never tries again by itself.

    It talks to the connection without a pool between them: urllib3's would look after a connection that is used again, and after retries.
    """

    def __init__(self, exchange: Exchange, timeout_seconds: float) -> None:
        super().__init__()
        self._connection = OneShotConnection(exchange, timeout_seconds)
        self._exchange = exchange

    def init_poolmanager(self, *_: Any, **__: Any) -> None:
        """Make no pools, which nobody would use."""

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> NoReturn:
        """Asked for by requests' own `send` alone, which a mock calls for what it lets through."""
        raise _LetThroughError

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Let a mock answer, or write the request and read the head of the answer; TLS, proxies and time limits are the dialer's business."""
        if is_of_mock(mock := HTTPAdapter.send):
            with contextlib.suppress(_LetThroughError):
                return mock(self, request, **options)
        connection, path = self._connection, self._exchange.public_path
        with contextlib.suppress(BrokenPipeError):  # whoever hangs up while the request is being written may have answered it already
            connection.request(request.method or "", path, body=request.body, headers=request.headers, preload_content=False, decode_content=False)
        answer = connection.getresponse()
        self._exchange.answered()
        # As far as it is used here: without cookies, and without the encoding of a text that nobody reads as one.
        response = requests.Response()
        response.status_code = answer.status
        response.headers = answer.headers  # type: ignore[assignment]  # it finds names in either case too
        response.reason = answer.reason or ""
        response.raw = answer
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Close the connection, which is all that is held."""
        self._connection.close()


class _NoCookies:
    """Takes no cookie: the session ends with its first answer."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


class CallSession(requests.Session):
    """A session for a single request; it reads no environment and follows no redirect."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = _NoCookies()  # type: ignore[assignment]  # all that is asked of them, and at no cost

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests would read a redirect's whole body to prepare a request that is never made."""
        return None


def prepare(verb: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None, size: int) -> requests.PreparedRequest:
    """A prepared request with just these headers, `Connection: close` and the body's length."""
    prepared = requests.PreparedRequest()
    prepared.method = verb
    prepared.url = url
    prepared.headers = CaseInsensitiveDict({"User-Agent": "syncbot", "Accept": "*/*", "Accept-Encoding": "identity", **headers})
    prepared.headers["Connection"] = "close"
    if body is not None or verb not in ("GET", "HEAD"):
        prepared.headers["Content-Length"] = str(size)
    prepared.body = body  # type: ignore[assignment]  # an iterable of bytes is what requests itself passes on
    prepared.hooks = default_hooks()
    return prepared
