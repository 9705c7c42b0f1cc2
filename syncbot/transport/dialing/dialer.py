"""Opens connections: look-up, TCP, proxy and TLS, each stage named, each socket under watch before it connects.

urllib3 and PySocks connect on their own and hand the socket over when it is too late to bound it, so every raw socket is made here.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from syncbot.errors import NotSent, ProxyAuthRequired, SyncBotError
from syncbot.secret import Secret
from syncbot.transport.dialing.resolver import Address, Resolver, is_numeric
from syncbot.transport.tls import Tls, describe_tls_error
from syncbot.transport.watchdog import Attempt
from syncbot.types import Proxy, Request

_MAX_PROXY_HEAD_BYTES = 16_384

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Target:
    """Where a connection ends: a host, a port, and whether it speaks TLS."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, request: Request) -> Self:
        """Where a request goes."""
        tls = urlsplit(request.url).scheme == "https"  # split anew each time, since a variable would show the token; the standard library keeps the result
        return cls(urlsplit(request.url).hostname or "", urlsplit(request.url).port or (443 if tls else 80), tls)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Dialer:
    """Opens connections to targets through proxies, each within the time of its attempt.

    Args:
        tls: the shared context.
        resolver: the name look-up.
        clock: the watchdog's clock.
    """

    def __init__(self, tls: Tls, resolver: Resolver, clock: Callable[[], float] = time.monotonic) -> None:
        self.tls = tls
        self.resolver = resolver
        self.clock = clock

    def open(self, target: Target, proxy: Proxy, attempt: Attempt) -> socket.socket:
        """A connected socket, ready for the first byte of the request.

        A plain-HTTP target behind an HTTP proxy is not tunnelled: the socket then ends at the proxy, which takes the full URL.

        Raises:
            NotSent: with the stage that failed; nothing is left open.
        """
        with contextlib.ExitStack() as undo:
            sock = _Opening(self, target, proxy, attempt, undo).open()
            undo.pop_all()
        return sock

    def remember(self, sock: socket.socket, target: Target) -> None:
        """Keep the TLS session of a connection on which an answer has begun, to be resumed by the next one."""
        if isinstance(sock, ssl.SSLSocket):
            self.tls.remember(sock, target.host, target.port)


class _Opening:
    """One connection while it is being opened; `undo` closes what was opened so far."""

    def __init__(self, dialer: Dialer, target: Target, proxy: Proxy, attempt: Attempt, undo: contextlib.ExitStack) -> None:
        self._dialer = dialer
        self._target = target
        self._proxy = proxy
        self._attempt = attempt
        self._undo = undo
        self._ways_left = 1

    def open(self) -> socket.socket:
        target, proxy = self._target, self._proxy
        sock = self._reach_through_socks() if proxy.is_socks else self._reach()
        if proxy.scheme == "https":
            sock = self._run("proxy", lambda: self._wrap(sock, proxy.host, proxy.port))
        if proxy.scheme in ("http", "https") and target.tls:
            self._run("proxy", lambda: _ask_for_tunnel(sock, target, proxy))
        if target.tls:
            plain = sock
            sock = self._run("tls", lambda: self._wrap(plain, target.host, target.port))
        self._check()
        return sock

    def _reach(self) -> socket.socket:
        """A raw connection to the target or to its HTTP proxy."""
        host, port = (self._target.host, self._target.port) if self._proxy.is_direct else (self._proxy.host, self._proxy.port)

        def connect(address: Address) -> socket.socket:
            return self._connect(socket.socket(address[0], socket.SOCK_STREAM), address)

        return self._try_each(self._look_up(host, port), connect)

    def _reach_through_socks(self) -> socket.socket:
        """A raw connection to the target through a SOCKS proxy, which gets the target's name (socks5h) or its addresses."""
        target, proxy = self._target, self._proxy
        gates = self._look_up(proxy.host, proxy.port)
        ends = [target.host]
        if proxy.scheme == "socks4" or (proxy.scheme == "socks5" and not is_numeric(target.host)):
            ends = [str(address[0]) for _, address in self._look_up(target.host, target.port, ipv4=proxy.scheme == "socks4")]

        def connect(way: tuple[Address, str]) -> socket.socket:
            gate, end = way
            return self._connect(_socks_socket(proxy, gate), gate, to=(end, target.port))

        return self._try_each([(gate, end) for gate in gates for end in ends], connect)

    def _look_up(self, host: str, port: int, *, ipv4: bool = False) -> list[Address]:
        return self._run("resolve", lambda: self._dialer.resolver.look_up(host, port, ipv4=ipv4))

    def _try_each(self, ways: list[Any], connect: Callable[[Any], socket.socket]) -> socket.socket:
        """The first connection that succeeds; each gets an equal share of the time that is left."""
        for position, way in enumerate(ways[:-1]):
            self._ways_left = len(ways) - position
            try:
                return self._run("connect", functools.partial(connect, way))
            except ProxyAuthRequired:
                raise
            except NotSent:
                self._check()
        self._ways_left = 1
        return self._run("connect", functools.partial(connect, ways[-1]))

    def _connect(self, sock: socket.socket, address: Address, to: tuple[str, int] | None = None) -> socket.socket:
        """Connect a new socket to an address, or through the SOCKS proxy at that address `to` somewhere."""
        self._undo.callback(sock.close)
        self._attempt.register(sock)
        remaining_seconds = max(0.001, self._attempt.expires_at - self._dialer.clock())
        sock.settimeout(remaining_seconds / self._ways_left)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if to is not None:
            self._attempt.stage = "proxy"
        try:
            sock.connect(address[1] if to is None else to)
        except OSError:
            sock.close()  # now, and not only where opening fails as a whole: another address may succeed
            self._dialer.resolver.failed(address)
            raise
        sock.settimeout(remaining_seconds)
        return sock

    def _wrap(self, sock: socket.socket, host: str, port: int) -> socket.socket:
        wrapped: Any
        if isinstance(sock, ssl.SSLSocket):
            from urllib3.util.ssltransport import SSLTransport  # deferred: TLS within TLS is rare

            wrapped = SSLTransport(sock, self._dialer.tls.context(), host.rstrip("."))
        else:
            wrapped = self._dialer.tls.wrap(sock, host, port)
        self._undo.callback(wrapped.close)
        return cast(socket.socket, wrapped)

    def _run(self, stage: str, step: Callable[[], _Result]) -> _Result:
        """Run one stage; whatever fails in it was not sent."""
        self._attempt.stage = stage
        self._check()
        try:
            result = step()
        except SyncBotError:
            raise
        except Exception as error:  # a hostile proxy makes the libraries below raise what they never meant to
            failure = self._failure(error)
        else:
            return result
        raise failure

    def _check(self) -> None:
        # The clock too: the watchdog's thread may not have had its turn yet, and what is too late must not be sent.
        if self._attempt.cut or self._dialer.clock() >= self._attempt.expires_at:
            raise self._failure(TimeoutError())

    def _failure(self, error: BaseException) -> NotSent:
        attempt, proxy = self._attempt, self._proxy
        kind: type[NotSent] = NotSent
        retryable = True
        while isinstance(getattr(error, "socket_err", None), OSError):  # PySocks wraps errors, also its own
            error = error.socket_err  # type: ignore[attr-defined]  # tested in the line above
        timed_out = attempt.cut != "abort" and (bool(attempt.cut) or isinstance(error, TimeoutError))
        if attempt.cut == "abort":
            text = "aborted"
        elif timed_out:
            text = _WHILE[attempt.stage] + " took too long"
        elif isinstance(error, _TunnelRefused):
            text, kind = str(error), ProxyAuthRequired if error.wants_credentials else NotSent
        elif isinstance(error, ssl.SSLError) or attempt.stage == "tls":
            text, retryable = describe_tls_error(error)
        elif attempt.stage == "proxy" and proxy.is_socks:
            text, kind = _describe_socks_error(error)
        else:
            text = f"{_WHILE[attempt.stage]} failed ({_reason(error)})"
        facts: dict[str, Any] = {"stage": attempt.stage, "proxy": str(proxy), "method": attempt.request.method}
        if kind is ProxyAuthRequired:
            return ProxyAuthRequired(text, **facts)
        return NotSent(text, retryable=retryable, timed_out=timed_out, verify_code=getattr(error, "verify_code", 0), **facts)


_WHILE = {
    "resolve": "the name look-up",
    "connect": "connecting",
    "proxy": "the proxy's part",
    "tls": "the TLS handshake",
}


class _TunnelRefused(OSError):
    """The proxy answered CONNECT with something else than 200."""

    def __init__(self, text: str, *, wants_credentials: bool = False) -> None:
        super().__init__(text)
        self.wants_credentials = wants_credentials


def authorization_line(proxy: Proxy) -> Secret[str]:
    """The line of the Proxy-Authorization header (RFC 7617, UTF-8), with its end; empty without credentials."""
    if not proxy.username:
        return Secret("")
    return Secret(f"Proxy-Authorization: Basic {base64.b64encode(f'{proxy.username}:{proxy.password}'.encode()).decode('ascii')}\r\n")


def _ask_for_tunnel(sock: socket.socket, target: Target, proxy: Proxy) -> None:
    """CONNECT, as RFC 9110 section 9.3.6 has it."""
    # As a memoryview, which shows nothing in the frames of TLS's own Python code.
    sock.sendall(memoryview(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization_line(proxy).reveal()}\r\n".encode("ascii")))
    head, rest = _read_head(sock)
    version, _, status = head.partition(b"\r\n")[0].partition(b" ")
    code = status[:3].decode("ascii", "replace")
    if not version.startswith(b"HTTP/1."):
        raise _TunnelRefused("the proxy's answer to CONNECT is not HTTP; is it a proxy of this kind?")
    if code in ("407", "401"):  # tinyproxy answers 401 to credentials that are wrong, 407 to none
        hint = "it refused this user and password" if proxy.username else "write them into its URL: http://user:password@host:port"
        raise _TunnelRefused(f"the proxy wants a user and a password ({code}); {hint}", wants_credentials=True)
    if not code.startswith("2"):
        raise _TunnelRefused(f"the proxy refused the tunnel with status {code}")
    if rest:
        raise _TunnelRefused("the proxy sent something of its own into the tunnel")


def _read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    """The header of the answer to CONNECT, and what came after it."""
    data = b""
    while len(data) < _MAX_PROXY_HEAD_BYTES:
        chunk = sock.recv(4096)
        if not chunk:
            raise _TunnelRefused("the proxy closed the connection instead of answering CONNECT")
        data += chunk
        head, end, rest = data.partition(b"\r\n\r\n")
        if end:
            return head, rest
    raise _TunnelRefused("the proxy's answer to CONNECT has no end")


def _socks_socket(proxy: Proxy, gate: Address) -> socket.socket:
    import socks  # deferred: only those who use a SOCKS proxy pay for it

    from syncbot.transport.dialing.socks_socket import SocksSocket

    family, address = gate
    sock = SocksSocket(family, socket.SOCK_STREAM)
    kind = socks.SOCKS4 if proxy.scheme == "socks4" else socks.SOCKS5
    # rdns: the end is an address already, or a name that the proxy shall look up (socks5h).
    sock.set_proxy(kind, address[0], address[1], rdns=True)
    sock.log_in(proxy)
    return cast(socket.socket, sock)


def _describe_socks_error(error: BaseException) -> tuple[str, type[NotSent]]:
    import socks  # loaded by now

    if isinstance(error, socks.SOCKS5AuthError):
        return "the proxy refused the user and password, or wants some (SOCKS5 authentication)", ProxyAuthRequired
    return f"the proxy's part of SOCKS failed ({_reason(error)})", NotSent


def _reason(error: BaseException) -> str:
    """What the system says of an error, which never holds more than host and port."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
