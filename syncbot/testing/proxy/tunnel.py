"""One tunnel of a fault proxy, from the accepted connection to the last byte."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from syncbot.testing.proxy.counters import Stats, TunnelTarget
from syncbot.testing.proxy.fault_kinds import Fault
from syncbot.testing.proxy.loop import Conn, Loop, Timer
from syncbot.testing.proxy.negotiation import NegotiationReader, Negotiator, Refusal, TunnelRequest
from syncbot.testing.proxy.proxy_options import ProxyOptions, split_address
from syncbot.testing.proxy.secure_connection import SecureConn
from syncbot.testing.proxy.tls_scanner import TlsScanner

_LINGER_SECONDS = 2.0  # how long a client may take to close after the server did
_TICKETS_WITHIN_SECONDS = 2.0  # a server that sends session tickets does so by then
_TICKETS_APART_SECONDS = 0.02  # a further one follows at once
_SECOND_TICKET_SECONDS = 0.06  # but the second one may wait for the acknowledgement of the first, 40 ms where it cannot be hurried
_BUFFER_BYTES = 262_144
_BUFFER_BYTES_WITH_DELAY = 16_777_216  # what is under way during the delay must not slow the stream down


class Behaviour:
    """The hooks that a tunnel calls as it goes: here it works; each fault changes one or two."""

    scans = False
    """Whether handshake and application data are told apart; without it `client_bytes` and `server_bytes` are not called."""
    watches_answer = False
    """Whether `answer` must get the answer and nothing else, for which the request waits until the session tickets have passed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def accepted(self, tunnel: Tunnel) -> None:
        """The connection was accepted, and nothing was read."""

    def asked(self, tunnel: Tunnel) -> bool:
        """The client asked for its tunnel; True when that was answered here."""
        return False

    def granting(self, tunnel: Tunnel) -> None:
        """The answer that the tunnel stands is about to be written."""

    def standing(self, tunnel: Tunnel) -> None:
        """The tunnel stands."""

    def client_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        """Bytes came from the client."""
        tunnel.up(handshake + application)

    def server_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        """Bytes came from the server."""
        tunnel.down(handshake)
        if application:
            self.answer(tunnel, application)

    def answer(self, tunnel: Tunnel, application: bytes) -> None:
        """Bytes of the server's answer came."""
        tunnel.down(application)

    def server_ended(self, tunnel: Tunnel) -> None:
        """The server closed, or was lost."""
        tunnel.finish()


class Tunnel:
    """Negotiates with the client, connects to the server, and passes bytes on, as far as the fault's behaviour lets them pass.

    The methods without an underscore are what a behaviour uses.
    """

    def __init__(
        self, loop: Loop, sock: socket.socket, behaviour: Behaviour, *, options: ProxyOptions, stats: Stats, on_closed: Callable[[Tunnel], None]
    ) -> None:
        self.fault, self.loop, self.scanner = behaviour.fault, loop, TlsScanner()
        if options.tls is None:
            self.client = Conn(loop, sock, delay=0.0, pace=options.rate_limit_bytes, on_data=self._from_client, on_lost=self.close)
        else:
            self.client = SecureConn(loop, sock, options.tls, pace=options.rate_limit_bytes, on_data=self._from_client, on_lost=self.close)
        self.server: Conn | None = None
        self.closed = False
        self.options = options
        self._behaviour = behaviour
        self._stats, self._on_closed = stats, on_closed
        negotiator = Negotiator(username=options.username, password=options.password, deny=self.fault.name == "auth_required", reply=self.client.write)
        self._reader: NegotiationReader | None = NegotiationReader(negotiator.negotiate())
        self._asked: TunnelRequest | None = None
        self._early = b""
        self._reads = 0
        self._standing, self._dead = False, False
        self._struck: set[str] = set()
        self._ending = False
        self._held = b""
        self._hold: Timer | None = None
        self._tickets_at = 0.0
        self._moved_at = 0.0
        self._limit = _BUFFER_BYTES_WITH_DELAY if options.rtt else _BUFFER_BYTES

    def start(self) -> None:
        """Begin, unless the behaviour ends it here."""
        self._behaviour.accepted(self)
        if self.closed:
            return
        self.client.read(True)
        if self.options.target:
            self._ask(TunnelRequest("relay", *split_address(self.options.target)), b"")

    def close(self, *, reset: bool = False) -> None:
        """End both connections at once."""
        if self.closed:
            return
        self.closed = True
        if self._hold is not None:
            self._hold.cancel()
        self.client.close(reset=reset)
        if self.server is not None:
            self.server.close(reset=reset)
        self._on_closed(self)

    def strike(self, name: str = "") -> None:
        """Count the fault, once a tunnel."""
        name = name or self.fault.name
        if name not in self._struck:
            self._struck.add(name)
            self._stats.strike(name)

    def swallow(self) -> None:
        """From now on nothing passes in either direction, and only the client's end ends the tunnel."""
        self._dead = True
        self.client.read(True)
        if self.server is not None:
            self.server.read(True)

    def cut(self, last: Conn, *, reset: bool = False) -> None:
        """Nothing passes any more; end both connections when what is queued for the last one is written."""
        self.swallow()
        self._ending = True
        last.when_flushed(lambda: self.close(reset=reset))

    def refuse(self, status: int) -> None:
        """Tell the client that there will be no tunnel, and hang up."""
        assert self._asked is not None
        self._hang_up(self._asked.refused(status))

    def up(self, data: bytes) -> None:
        """Pass bytes on to the server."""
        if self.server is not None and data:
            self._stats.add(bytes_up=len(data))
            self.server.write(data)
            if self.server.queued > self._limit:
                self.client.read(False)

    def down(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        if self.server is not None and data:
            self._stats.add(bytes_down=len(data))
            self.client.write(data)
            if self.client.queued > self._limit:
                self.server.read(False)

    def finish(self) -> None:
        """The server is done: pass its end on, and wait a little for the client's."""
        self.client.when_flushed(self._linger)

    # The negotiation, up to the standing tunnel.

    def _from_client(self, data: bytes) -> None:
        if not data:
            self._client_ended()
        elif self._dead:
            pass
        elif self._standing:
            self._client_bytes(data)
        elif self._reader is None:
            self._early += b"" if self.options.drops_early else data
            self.client.read(len(self._early) < _BUFFER_BYTES)
        else:
            self._listen(self._reader, data)

    def _listen(self, reader: NegotiationReader, data: bytes) -> None:
        self._reads += 1
        try:
            asked = reader.feed(data)
        except Refusal as refusal:
            if self.fault.name == "auth_required":
                self.strike()
            elif refusal.credentials:
                self._stats.add(credential_failures=1)
            self._hang_up(refusal.answer)
            return
        if asked is None:
            return
        early = reader.rest
        if early and asked.protocol != "http":
            self._stats.add(came_early=1, came_in_one=int(self._reads == 1))
            early = b"" if self.options.drops_early else early
        self._ask(asked, asked.forward + early)

    def _ask(self, asked: TunnelRequest, early: bytes) -> None:
        self._reader, self._asked, self._early = None, asked, early
        self._stats.ask(TunnelTarget(asked.protocol, asked.host, asked.port))
        if not self._behaviour.asked(self):
            self._dial(asked)

    def _dial(self, asked: TunnelRequest) -> None:
        address = self.options.address(asked.host, asked.port)
        if address is None:
            self._stats.add(refused_targets=1)
            self.refuse(403)
            return
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        except OSError:  # no descriptor left, or no IPv6 here
            self.refuse(502)
            return
        pace, delay = self.options.rate_limit_bytes, self.options.rtt / 2
        self.server = Conn(self.loop, sock, delay=delay, pace=pace, on_data=self._from_server, on_lost=self._server_lost)
        self.server.on_drained = self._server_drained
        self.client.on_drained = self._client_drained
        self.server.dial(address, self._connected)

    def _connected(self, error: int) -> None:
        assert self._asked is not None
        if error:
            self.refuse(502)
            return
        granted = self._asked.granted(self.fault.filler_bytes)
        # The way to the server is the long one: a round trip for its TCP handshake, and half of one each way for what follows.
        if granted:
            self._behaviour.granting(self)
            self.client.write(granted, extra_delay=self.options.rtt)
            self.client.when_flushed(self._stand)
        else:
            self.loop.later(self.options.rtt, self._stand)

    def _stand(self) -> None:
        if self.closed:
            return
        assert self.server is not None
        self._standing = True
        self._moved_at = time.monotonic()
        self._stats.add(established=1)
        self.client.pace, self.client.delay = self.options.rate_limit_bytes, self.options.rtt / 2
        self.client.read(True)
        self.server.read(True)
        self._behaviour.standing(self)
        self._limit_silence()
        if self._early:
            early, self._early = self._early, b""
            self._client_bytes(early)

    def _hang_up(self, answer: bytes) -> None:
        self.client.write(answer)
        self.swallow()
        self.client.when_flushed(self._linger)

    def _linger(self) -> None:
        self.client.end()
        self.loop.later(_LINGER_SECONDS, self._linger_over)

    def _linger_over(self) -> None:
        if self._dead or time.monotonic() - self._moved_at >= _LINGER_SECONDS:
            self.close()
        elif not self.closed:
            self.loop.later(_LINGER_SECONDS, self._linger_over)

    # The standing tunnel.

    def _client_bytes(self, data: bytes) -> None:
        self._moved_at = time.monotonic()
        if not self._behaviour.scans:
            self.up(data)
            return
        handshake, application = self.scanner.client(data)
        if application and self._behaviour.watches_answer and self.scanner.tickets_follow and not self.scanner.request_sent:
            self._behaviour.client_bytes(self, handshake, b"")
            self._hold_back(application)
            return
        if application:
            self.scanner.request_sent = True
        self._behaviour.client_bytes(self, handshake, application)

    def _hold_back(self, application: bytes) -> None:
        """Keep the request until the session tickets are there: what comes from the server after it is then its answer, for certain."""
        self._held += application
        self.client.read(False)
        if self._hold is not None:
            self._hold.cancel()
        if self._tickets_at:
            apart = _TICKETS_APART_SECONDS if self.scanner.tickets > 1 else _SECOND_TICKET_SECONDS
            wait = self._tickets_at + apart - time.monotonic()
        else:
            wait = _TICKETS_WITHIN_SECONDS + self.options.rtt
        self._hold = self.loop.later(max(0.0, wait), self._let_go)

    def _let_go(self) -> None:
        self._hold = None
        held, self._held = self._held, b""
        self.scanner.request_sent = True
        self.client.read(True)
        if not self._dead:
            self._behaviour.client_bytes(self, b"", held)

    def _from_server(self, data: bytes) -> None:
        if self._dead:
            return
        if not data:
            self._behaviour.server_ended(self)
            return
        self._moved_at = time.monotonic()
        if not self._behaviour.scans:
            self.down(data)
            return
        handshake, application = self.scanner.server(data)
        if self.scanner.finished and not self.scanner.request_sent:
            self._ticket_came()
        self._behaviour.server_bytes(self, handshake, application)

    def _ticket_came(self) -> None:
        self._tickets_at = self._moved_at
        if self._hold is not None:
            self._hold_back(b"")

    def _client_ended(self) -> None:
        """A client that closes wants nothing more: what it wrote still reaches the server, then all ends."""
        if self.server is None or self.server.closed or self._dead or not self._standing:
            self.close()
        else:
            self.server.when_flushed(self.close)

    def _server_lost(self) -> None:
        assert self.server is not None
        self.server.close()
        if self._ending:
            self.close()
        elif not self._dead and not self.closed:
            self._behaviour.server_ended(self)

    def _server_drained(self) -> None:
        if self.server is not None and self._standing and self._hold is None and self.server.queued <= self._limit // 2:
            self.client.read(True)

    def _client_drained(self) -> None:
        if self.server is not None and self._standing and self.client.queued <= self._limit // 2:
            self.server.read(True)

    def _limit_silence(self) -> None:
        for seconds, name in ((self.options.idle_cut_after_seconds, "idle_cut"), (self.options.idle_dead_after_seconds, "idle_dead")):
            if seconds:
                self.after_silence(seconds, name, self.close if name == "idle_cut" else self.swallow)

    def after_silence(self, seconds: float, name: str, act: Callable[[], None]) -> None:
        """Strike and act when no byte has moved for so long."""

        def look() -> None:
            left = self._moved_at + seconds - time.monotonic()
            if self.closed or self._dead:
                return
            if left > 0:
                self.loop.later(left, look)
            else:
                self.strike(name)
                act()

        self.loop.later(seconds, look)
