"""Opens a connection as the bot would, with the transport's own dialer, and takes the time of each stage."""

from __future__ import annotations

import contextlib
import itertools
import select
import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import urlsplit

from syncbot.config import Settings
from syncbot.config.learned_file import read_learned, write_learned
from syncbot.errors import NotSent
from syncbot.transport.dialing.dialer import Dialer, Target, way_name
from syncbot.transport.dialing.early import SCHEMES
from syncbot.transport.dialing.resolver import Resolver
from syncbot.transport.learned import Learned
from syncbot.transport.secure.tls import Tls
from syncbot.transport.watchdog import Attempt, Watchdog
from syncbot.transport.ways import bypasses_proxy
from syncbot.types import DIRECT, Proxy, Request

_TRIES = 4
"""One opening step by step, which tells how long it takes, and three early ones."""
_TICKETS_WITHIN_SECONDS = 1.0
"""A server sends its session tickets after the handshake, if it has any."""
_STANDS_SECONDS = 0.1
"""Until then the last of them is acknowledged."""


@dataclass(frozen=True)
class OpenedConnection:
    """What became of one connection.

    Args:
        seconds: how long each stage took that was begun, by its name.
        failure: why it could not be opened, or None.
        certificate: the server's, as `ssl` gives it; None without TLS.
        protocol: the version of TLS, or "".
    """

    seconds: dict[str, float] = field(default_factory=dict)
    failure: NotSent | None = None
    certificate: dict[str, Any] | None = None
    protocol: str = ""

    @property
    def total_seconds(self) -> float:
        """How long it took in all."""
        return sum(self.seconds.values())


class _Timed:
    """Stands in for an `Attempt`, and notes when each stage begins."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._marks = [("", time.monotonic())]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._attempt, name)

    @property
    def stage(self) -> str:
        return self._attempt.stage

    @stage.setter
    def stage(self, name: str) -> None:
        self._attempt.stage = name
        self._marks.append((name, time.monotonic()))

    def seconds(self) -> dict[str, float]:
        """How long each stage took, the last one until now."""
        marks = [*self._marks, ("", time.monotonic())]
        found: dict[str, float] = {}
        for (name, began), (_, ended) in itertools.pairwise(marks):
            if name:
                found[name] = found.get(name, 0.0) + ended - began
        return found


class Probe:
    """Opens connections with the bot's settings.

    Args:
        settings: the bot's.
    """

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.base_url)
        tls = url.scheme == "https"
        self.settings = settings
        self.target = Target(url.hostname or "", url.port or (443 if tls else 80), tls)
        self.resolver = Resolver(ipv4=settings.ipv4)
        self.learned = Learned()
        self._tls = Tls(settings.ca_file, settings.tls_groups, self.learned)
        self._watchdog = Watchdog()

    @property
    def ways(self) -> tuple[Proxy, ...]:
        """The ways to Telegram that the settings name, in their order."""
        exempt = bypasses_proxy(self.target.host, self.target.port, self.settings.no_proxy)
        return (DIRECT,) if exempt else self.settings.proxies or (DIRECT,)

    def open(self, target: Target, proxy: Proxy) -> OpenedConnection:
        """Open one connection and close it at once.

        Raises:
            ConfigError: the file of certificates cannot be used.
        """
        with self._watched() as attempt, contextlib.ExitStack() as closing:
            timed = _Timed(attempt)
            try:
                sock = Dialer(self._tls, self.resolver).open(target, proxy, cast(Attempt, timed))
            except NotSent as error:
                return OpenedConnection(timed.seconds(), error.with_traceback(None))
            closing.callback(sock.close)
            seconds = timed.seconds()
            if not target.tls:
                return OpenedConnection(seconds)
            secure = cast(ssl.SSLSocket, sock)
            return OpenedConnection(seconds, None, cast("dict[str, Any]", secure.getpeercert()), secure.version() or "")

    def learn_early(self, way: Proxy) -> bool | None:
        """Find out whether a way that works takes an early opening, on connections of which nothing depends; None where none is made on such a way.

        Raises:
            ConfigError: the file of certificates cannot be used.
        """
        if not self.target.tls or way.scheme not in SCHEMES or self.settings.early != "learn":
            return None
        dialer = Dialer(self._tls, self.resolver, early="learn", learned=self.learned)
        name = way_name(self.target, way)
        for _ in range(_TRIES):
            with self._watched() as attempt:
                try:
                    dialer.open(self.target, way, attempt, waited_for=False).close()
                except NotSent:
                    return None
        return self.learned.way(name).is_habit

    def keep(self) -> None:
        """Keep what was learned for other commands, and for the bot itself."""
        if self.learned.changes:
            self.learned.take(read_learned())
            write_learned(self.learned.facts())

    def first_byte(self, proxy: Proxy, *, stands: bool) -> float:
        """Seconds from a request to the first byte of its answer, on a connection of its own.

        Args:
            proxy: the way.
            stands: let the connection stand for a moment before it is used, so that all that comes with its opening is behind it.

        Raises:
            NetworkError, OSError: there was none.
        """
        with self._watched() as attempt, contextlib.ExitStack() as closing:
            sock = Dialer(self._tls, self.resolver).open(self.target, proxy, attempt)
            closing.callback(sock.close)
            if stands:
                select.select([sock], [], [], _TICKETS_WITHIN_SECONDS)
                threading.Event().wait(_STANDS_SECONDS)
            began = time.monotonic()
            sock.sendall(memoryview(f"GET / HTTP/1.1\r\nHost: {self.target}\r\nConnection: close\r\n\r\n".encode("ascii")))
            if not sock.recv(1):
                raise ConnectionResetError("the connection was closed")
            return time.monotonic() - began

    def check_ca_file(self) -> None:
        """Load the certificates to trust.

        Raises:
            ConfigError: they cannot be used.
        """
        self._tls.context()

    def close(self) -> None:
        """End the watchdog's thread."""
        self._watchdog.close()

    def _watched(self) -> contextlib.AbstractContextManager[Attempt]:
        """An attempt that has the time of one of the bot's."""
        timeout = self.settings.timeout
        return self._watchdog.watch(Request("", "doctor", timeout=timeout), time.monotonic() + timeout)


def only(settings: Settings, way: Proxy) -> Settings:
    """The same settings with one way only."""
    return replace(settings, proxies=(way,), no_proxy="")
