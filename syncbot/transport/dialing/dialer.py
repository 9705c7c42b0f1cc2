"""Opens connections: look-up, TCP, proxy and TLS, each stage named, each socket under watch before it connects.

urllib3 and PySocks connect on their own and hand the socket over when it is too late to bound it, so every raw socket is made here.
"""

from __future__ import annotations

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
from syncbot.transport.dialing.early import SCHEMES, open_early
from syncbot.transport.dialing.resolver import Address, Resolver, is_numeric
from syncbot.transport.dialing.tunnel import TunnelRefused, connect_head, read_connect_answer
from syncbot.transport.learned import Learned
from syncbot.transport.secure.memory_tls import MemoryTls
from syncbot.transport.secure.tls import Tls, describe_tls_error, server_name
from syncbot.transport.watchdog import Attempt
from syncbot.types import Early, Proxy, Request

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
        return server_name(self.host, self.port)


def way_name(target: Target, proxy: Proxy) -> str:
    """By which a way is remembered: whether there are credentials makes another way of it, and none of them is in it."""
    return f"{proxy.scheme}://{'*@' if proxy.username or proxy.password else ''}{server_name(proxy.host, proxy.port)} {target}"


class Dialer:
    """Opens connections to targets through proxies, each within the time of its attempt.

    Args:
        tls: the shared context.
        resolver: the name look-up.
        clock: the watchdog's clock.
        early: whether the proxy's part and the beginning of TLS are written together: on ways that were seen to take it, never, or always.
        learned: which ways those are.
    """

    def __init__(
        self, tls: Tls, resolver: Resolver, clock: Callable[[], float] = time.monotonic, *, early: Early = "never", learned: Learned | None = None
    ) -> None:
        self.tls = tls
        self.resolver = resolver
        self.clock = clock
        self.early = early
        self.learned = learned or Learned()

    def open(self, target: Target, proxy: Proxy, attempt: Attempt, *, waited_for: bool = True) -> socket.socket:
        """A connected socket, ready for the first byte of the request.

        A plain-HTTP target behind an HTTP proxy is not tunnelled: the socket then ends at the proxy, which takes the full URL.

        Args:
            target: where to.
            proxy: by which way.
            attempt: watches over it.
            waited_for: a call waits for the connection, so that nothing new is tried on it.

        Raises:
            NotSent: with the stage that failed; nothing is left open.
        """
        with contextlib.ExitStack() as undo:
            opening = _Opening(self, target, proxy, attempt, undo)
            sock = opening.open(waited_for=waited_for)
            if isinstance(sock, MemoryTls):  # the handshake's end leaves with the request, if one follows at once
                opening.run("tls", sock.check if waited_for else sock.flush)
            undo.pop_all()
        return sock

    def remember(self, sock: socket.socket, target: Target) -> None:
        """Keep the TLS session of a connection on which an answer has begun, to be resumed by the next one."""
        if isinstance(sock, ssl.SSLSocket | MemoryTls):
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
        self._connected_at = 0.0

    def open(self, *, waited_for: bool) -> socket.socket:
        """Early where that is the way's habit, or may be tried; else step by step, and also where early did not succeed."""
        dialer, target, proxy = self._dialer, self._target, self._proxy
        if dialer.early == "never" or not target.tls or proxy.scheme not in SCHEMES:
            return self._step_by_step()
        way = way_name(target, proxy)
        if dialer.early == "always" or dialer.learned.begin_early(way, waited_for=waited_for):
            return self._early_or_beside(way)
        sock = self._step_by_step()
        dialer.learned.opened(way, dialer.clock() - self._connected_at)
        return sock

    def _early_or_beside(self, way: str) -> socket.socket:
        dialer, well, seconds = self._dialer, None, 0.0
        try:
            gate = self._reach_early()
            began = self._connected_at
            try:
                sock = self._open_early(gate, way)
            except Exception as error:  # a hostile proxy makes the libraries below raise what they never meant to
                failure = error
            else:
                well, seconds = True, dialer.clock() - began
                return sock
            self._check()
            if isinstance(failure, ssl.SSLCertVerificationError):  # the proxy took it, and the server's certificate gets no better
                raise self._failure(failure)
            sock, well = self._open_beside(gate, timed_out=isinstance(failure, TimeoutError))
            seconds = dialer.clock() - began
            return sock
        finally:
            dialer.learned.end_early(way, well, seconds)

    def _reach_early(self) -> socket.socket:
        """A connection to the proxy."""
        gate = self._reach()
        return self.run("proxy", lambda: self._wrap(gate, self._proxy.host, self._proxy.port)) if self._proxy.scheme == "https" else gate

    def _open_early(self, gate: socket.socket, way: str) -> socket.socket:
        """The rest, at once, with the patience that the way deserves: half of the time is kept for another opening."""
        dialer, attempt, (host, port) = self._dialer, self._attempt, (self._target.host, self._target.port)
        end = host
        if self._proxy.scheme == "socks5" and not is_numeric(host):
            end = str(self._look_up(host, port)[0][1][0])
        seconds = min(dialer.learned.way(way).patience_seconds, (attempt.expires_at - dialer.clock()) / 2)
        attempt.stage = "proxy"

        def tunnel_stands() -> None:
            attempt.stage = "tls"

        memory = open_early(gate, self._proxy, end, dialer.tls, (host, port), seconds=seconds, tunnel_stands=tunnel_stands, clock=dialer.clock)
        gate.settimeout(max(0.001, attempt.expires_at - dialer.clock()))
        self._check()
        return cast(socket.socket, memory)

    def _open_beside(self, gate: socket.socket, *, timed_out: bool) -> tuple[socket.socket, bool | None]:
        """Open step by step, beside an early opening that did not succeed; and what this says of the way: nothing, where that one is answered late."""
        with contextlib.ExitStack() as closing:
            closing.callback(self._attempt.let_go, self._attempt.detach())
            closing.callback(gate.close)
            if not timed_out:
                closing.close()  # it has ended, and is no use to anybody
            sock = self._step_by_step()
            return sock, None if timed_out and _has_answered(gate) else False

    def _step_by_step(self) -> socket.socket:
        target, proxy = self._target, self._proxy
        sock = self._reach_through_socks() if proxy.is_socks else self._reach()
        if proxy.scheme == "https":
            sock = self.run("proxy", lambda: self._wrap(sock, proxy.host, proxy.port))
        if proxy.scheme in ("http", "https") and target.tls:
            self.run("proxy", lambda: _ask_for_tunnel(sock, target, proxy))
        if target.tls:
            plain = sock
            sock = self.run("tls", lambda: self._wrap(plain, target.host, target.port))
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
        return self.run("resolve", lambda: self._dialer.resolver.look_up(host, port, ipv4=ipv4))

    def _try_each(self, ways: list[Any], connect: Callable[[Any], socket.socket]) -> socket.socket:
        """The first connection that succeeds; each gets an equal share of the time that is left."""
        for position, way in enumerate(ways[:-1]):
            self._ways_left = len(ways) - position
            try:
                return self.run("connect", functools.partial(connect, way))
            except ProxyAuthRequired:
                raise
            except NotSent:
                self._check()
        self._ways_left = 1
        return self.run("connect", functools.partial(connect, ways[-1]))

    def _connect(self, sock: socket.socket, address: Address, to: tuple[str, int] | None = None) -> socket.socket:
        """Connect a new socket to an address, or through the SOCKS proxy at that address `to` somewhere."""
        self._undo.callback(sock.close)
        self._attempt.register(sock)
        remaining_seconds = max(0.001, self._attempt.expires_at - self._dialer.clock())
        sock.settimeout(remaining_seconds / self._ways_left)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connected_at = self._dialer.clock()
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
        wrapped = self._dialer.tls.wrap(sock, host, port)
        self._undo.callback(wrapped.close)
        return cast(socket.socket, wrapped)

    def run(self, stage: str, step: Callable[[], _Result]) -> _Result:
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
        elif isinstance(error, TunnelRefused):
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


def _ask_for_tunnel(sock: socket.socket, target: Target, proxy: Proxy) -> None:
    # As a memoryview, which shows nothing in the frames of TLS's own Python code.
    sock.sendall(memoryview(connect_head(str(target), proxy).reveal()))
    if read_connect_answer(lambda: sock.recv(4096), proxy):
        raise TunnelRefused("the proxy sent something of its own into the tunnel")


def _has_answered(sock: socket.socket) -> bool:
    """Whether something has come meanwhile."""
    try:
        sock.settimeout(0.0)
        return bool(sock.recv(1))
    except OSError:
        return False


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
