"""The values and seams that the layers share: what a transport sends and returns, how a proxy is written, what a body is."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable
from urllib.parse import SplitResult, unquote, urlsplit

from syncbot.bounds import MOST_SECONDS, check_numbers
from syncbot.errors import ConfigError
from syncbot.secret import Hidden, Secret

DEFAULT_BASE_URL = "https://api.telegram.org"
"""The official Bot API server."""
DEFAULT_TIMEOUT = 20.0
"""Seconds one attempt may take in all."""
DEFAULT_DEADLINE = 60.0
"""Seconds one call may take in all, its retries and waits included."""
Early = Literal["learn", "never", "always"]
"""Whether the proxy's part of an opening and the beginning of TLS are written together: on ways that were seen to take it, never, or always."""
DEFAULT_MIN_RATE = 16_384.0
"""Bytes a second below which moving a large body counts as stuck."""

_PROXY_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}
_PROXY_EXAMPLE = 'for example "http://user:password@proxy.example:3128", "socks5h://127.0.0.1:1080" or "direct"'


@dataclass(frozen=True)
class Proxy:
    """One way to Telegram: a proxy, or no proxy at all (`scheme` "direct").

    `str()` and `repr()` leave the credentials out, and it holds them as `syncbot.secret.Secret`.
    """

    scheme: str
    host: str = ""
    port: int = 0
    username: Hidden = field(default=Hidden(""), repr=False)
    password: Hidden = field(default=Hidden(""), repr=False)

    @classmethod
    def parse(cls, text: str | Secret[str], *, setting: str = "proxy") -> Proxy:
        """Read a proxy URL; a bare `host:port` means an HTTP proxy.

        Args:
            text: a URL with the scheme http, https, socks4, socks5 (names are looked up here) or socks5h (names are looked up by the proxy),
                credentials percent-encoded where they hold special characters; or "direct".
            setting: the name that an error gives to the setting.

        Raises:
            ConfigError: the text is not a proxy; the text of the error never repeats credentials.
        """
        text = Secret(Secret(text).reveal().strip())
        if text.reveal().lower() == "direct":
            return DIRECT
        proxy, reason = cls._read(text if "://" in text.reveal() else Secret(f"http://{text.reveal()}"))
        if proxy is not None:
            return proxy
        # What stands after the last @ is shown, where that is a host and a port for certain: anything else may be a part of the credentials.
        shown = "".join(map(repr, re.findall(r"@([\w.-]+(?::\d{1,5})?)\Z", text.reveal()))) or "the value"
        raise ConfigError(f"{setting}: {shown} is not a proxy URL ({reason}); write it like this: {_PROXY_EXAMPLE}")

    @classmethod
    def _read(cls, text: Secret[str]) -> tuple[Proxy | None, str]:
        """The proxy, or None and what is wrong."""

        def url() -> SplitResult:  # split anew each time, since a variable would show the credentials; the standard library keeps the result
            return urlsplit(text.reveal())

        try:
            scheme, host, port = url().scheme.lower(), url().hostname or "", url().port
        except ValueError:
            return None, "the host or the port is malformed"
        if scheme not in _PROXY_PORTS:
            known = re.fullmatch(r"[a-z0-9]{1,8}", scheme)
            return None, f"unknown scheme {scheme!r}; use http, https, socks4, socks5 or socks5h" if known else "the scheme is malformed"
        if not host:
            return None, "the host is missing"
        if port == 0:
            return None, "the port is malformed"
        if re.search(r"\s", text.reveal()) or url().path not in ("", "/") or url().query or url().fragment:
            return None, "something follows the port, or a character does not belong there"
        user, password = Secret(unquote(url().username or "")), Secret(unquote(url().password or ""))
        if scheme in ("socks5", "socks5h") and max(len(user.reveal().encode()), len(password.reveal().encode())) > 255:  # RFC 1929
            return None, "SOCKS5 takes a user and a password of 255 bytes at most"
        return cls(scheme, host, port or _PROXY_PORTS[scheme], user, password), ""

    @property
    def is_direct(self) -> bool:
        """No proxy at all."""
        return self.scheme == "direct"

    @property
    def is_socks(self) -> bool:
        """One of the SOCKS protocols."""
        return self.scheme.startswith("socks")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return "direct" if self.is_direct else f"{self.scheme}://{host}:{self.port}"


DIRECT = Proxy("direct")
"""Connect without a proxy."""


HiddenWays = list[Proxy | Secret[str] | type]
"""Ways to Telegram as they were given, before they are checked: texts as secrets, and the type of what is no way."""


def hidden_ways(ways: Any) -> HiddenWays:
    """Ways to Telegram as somebody gave them, one or several, so that no frame shows them: a text as a `Secret`, what is none by its type alone."""
    is_list = isinstance(ways, Iterable) and not isinstance(ways, str | bytes | Mapping)
    return [Secret(way) if isinstance(way, str) else way if isinstance(way, Proxy | Secret | type) else type(way) for way in (ways if is_list else [ways])]


class Body(Protocol):
    """A request body that is streamed; it can be iterated anew for every attempt."""

    @property
    def size(self) -> int:
        """The exact length in bytes."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...


class Sink(Protocol):
    """Where a download goes."""

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Look at the head of the answer; True takes the body, False leaves it to be collected as an ordinary answer."""
        ...

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        ...


@dataclass(frozen=True)
class Request:
    """One HTTP request, to be made once.

    Args:
        url: the full URL, token and all; kept as a `syncbot.secret.Secret`, and out of `repr()`.
        method: the Bot API method for texts and errors ("sendMessage"), or any word that says what is done.
        verb: the HTTP method.
        headers: HTTP headers by name; Host, Connection and Content-Length are the transport's own.
        body: bytes, or a `Body` that streams.
        timeout: seconds that the whole attempt may take.
        connect_timeout: seconds of `timeout` that getting a connection may take (look-up, TCP, proxy, TLS); None for all of them.
        wait: seconds that the server is asked to wait before it answers (a long poll); on top of `timeout`.
        min_rate: bytes a second; large bodies get their size divided by this on top of `timeout`.
        deadline: `time.monotonic()` at which the attempt ends whatever the other bounds allow; None for none.
        scope: a name that `Transport.abort` ends requests by, such as "poll".
        stop: when set, the request is not begun, or is aborted as soon as it is registered; closes the gap between a stop and an abort.
        sink: takes the body of the answer as it arrives.
        sending: called when the connection stands and nothing is written yet; what it raises ends the attempt, and comes out of it.
    """

    url: Hidden = field(default=Hidden(), repr=False)
    method: str = "request"
    verb: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Body | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    connect_timeout: float | None = None
    wait: float = 0.0
    min_rate: float = DEFAULT_MIN_RATE
    deadline: float | None = None
    scope: str = ""
    stop: threading.Event | None = field(default=None, repr=False)
    sink: Sink | None = field(default=None, repr=False)
    sending: Callable[[], object] | None = field(default=None, repr=False)

    @property
    def is_poll(self) -> bool:
        """Whether it waits for updates, rather than being one of the calls that follow each other."""
        return self.wait > 0 or self.method == "getUpdates"


@dataclass(frozen=True)
class Response:
    """A complete HTTP answer.

    `repr()` shows neither headers nor body, which may repeat the URL.
    `body` is empty where a `Sink` took it; `proxy` is the way it came, without credentials.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    proxy: str = "direct"


class Transport(Protocol):
    """Bytes out, bytes in. Implementations: `syncbot.transport.OneShotTransport`, `syncbot.transport.FakeTransport`.

    What a transport may have beside these: `OpensAhead`, `CountsBytes`, `HasThreads`.
    """

    def send(self, request: Request) -> Response:
        """Make one attempt on one new connection, and call the request's `sending` when its first byte is about to be written.

        Raises:
            NotSent: it never left.
            NetworkError: (`phase` MAYBE_SENT) it left, and no complete answer came back.
        """
        ...

    def abort(self, scope: str) -> int:
        """End every request of this scope at once, from any thread; returns how many there were."""
        ...

    def close(self) -> None:
        """End everything that is under way, and let go of all that is held."""
        ...


@dataclass(frozen=True)
class AheadAuto:
    """Connections are opened ahead while somebody talks: `ahead="auto"`, with other numbers than its own.

    Args:
        seconds: for how long after the last update or call one stands ready.
        most: how many calls run at once, so that as many may stand ready, and twice as many while such calls begin; None for 8, and in a runtime for
            as many as it has workers.

    Raises:
        ConfigError: a number is wrong.
    """

    seconds: float = 300.0
    most: int | None = None

    def __post_init__(self) -> None:
        check_numbers(("seconds", self.seconds, 0, MOST_SECONDS, False, "300.0"), ("most", 1 if self.most is None else self.most, 1, 1000, True, "4"))

    @staticmethod
    def of(given: AheadMode) -> int | AheadAuto:
        """What was given for `ahead`, looked at.

        Raises:
            ConfigError: it is neither a number, nor "auto", nor an `AheadAuto`.
        """
        if isinstance(given, str) and given != "auto":
            raise ConfigError(f'ahead: {given!r} is neither "auto" nor a number; for example ahead=3, or ahead="auto"')
        if not isinstance(given, str | AheadAuto):
            check_numbers(("ahead", given, 0, float("inf"), True, "3"))
            return given
        return AheadAuto() if isinstance(given, str) else given


AheadMode = int | Literal["auto"] | AheadAuto
"""What is opened ahead: so many connections while calls follow each other, or what `AheadAuto` says; 0 for none."""


@runtime_checkable
class OpensAhead(Protocol):
    """A transport that opens connections before they are needed."""

    @property
    def ahead(self) -> int | AheadAuto:
        """How many may stand ready; may be changed at any time, and 0 closes those that stand."""
        ...

    @ahead.setter
    def ahead(self, mode: AheadMode) -> None: ...

    def expect_calls(self) -> None:
        """Somebody talks, and has been heard of by another way than a poll, as by a webhook."""
        ...

    def in_a_row(self) -> AbstractContextManager[None]:
        """Open them meanwhile, also where `ahead` is 0, since calls follow each other."""
        ...


class MovedBytes(Protocol):
    """Bytes on the wire so far."""

    sent_bytes: int
    received_bytes: int


@runtime_checkable
class CountsBytes(Protocol):
    """A transport that counts what it moves."""

    @property
    def traffic(self) -> MovedBytes:
        """What it has moved so far."""
        ...


class Lessons(Protocol):
    """What connections have taught."""

    @property
    def changes(self) -> int:
        """Grows with each change that is worth keeping."""
        ...

    def facts(self) -> JSON:
        """All of it as JSON values, without credentials."""
        ...

    def take(self, facts: object) -> None:
        """Take what `facts` gave, here or in an earlier process; what makes no sense is left out."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A transport that learns from its connections."""

    @property
    def learned(self) -> Lessons:
        """What it has learned so far."""
        ...


@runtime_checkable
class HasThreads(Protocol):
    """A transport that has threads of its own."""

    @property
    def failure(self) -> BaseException | None:
        """What has last ended one of them; None where nothing ever has."""
        ...


def stated_size(text: str) -> int | None:
    """The bytes that a Content-Length states; None where it states none. A size that nothing has counts as one of 10**15 bytes."""
    if not (text.isascii() and text.isdecimal()):
        return None
    return int(text) if len(text) <= 15 else 10**15


JSON = dict[str, Any]
"""A JSON object as Python values."""
