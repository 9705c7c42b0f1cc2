"""The last flight of a handshake over memory buffers: with the request where one follows, at once where none does."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import BotApiServer, FaultProxy, TestCA
from syncbot.transport.dialing.dialer import Dialer, Target
from syncbot.transport.dialing.resolver import Resolver
from syncbot.transport.secure.memory_tls import MemoryTls
from syncbot.transport.secure.tls import Tls
from syncbot.transport.watchdog import Watchdog
from syncbot.types import Proxy, Request


class Counting(socket.socket):
    """A socket that counts how often something is written to it."""

    writes = 0

    def sendall(self, *arguments: Any) -> None:
        self.writes += 1
        super().sendall(*arguments)


def test_the_request_leaves_with_the_end_of_the_handshake(ca: TestCA) -> None:
    """A call writes twice, the ClientHello and all the rest: a relay that gathers small writes has no second one to hold back."""
    with BotApiServer(tls=True, ca=ca) as server, Counting() as sock:
        sock.settimeout(20.0)
        sock.connect(("127.0.0.1", server.port))
        memory = MemoryTls(sock, Tls(Path(ca.ca_file)).context(), "127.0.0.1")
        while not memory.advance():
            memory.feed(sock.recv(65_536))
        assert sock.writes == 1
        memory.sendall(f"POST /bot{server.token}/getMe HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        assert sock.writes == 2
        assert memory.recv(12) == b"HTTP/1.1 200"


def test_whoever_reads_first_has_said_everything(ca: TestCA) -> None:
    """A reader does not wait for a server that waits for the end of the handshake."""
    with BotApiServer(tls=True, ca=ca) as server, Counting() as sock:
        sock.settimeout(20.0)
        sock.connect(("127.0.0.1", server.port))
        memory = MemoryTls(sock, Tls(Path(ca.ca_file)).context(), "127.0.0.1")
        while not memory.advance():
            memory.feed(sock.recv(65_536))
        sock.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            memory.recv(1)
        assert sock.writes == 2


def test_a_connection_that_broke_meanwhile_is_known_before_the_request(ca: TestCA) -> None:
    """A reset after the server's flight is seen before the first byte of the request, so that the call was not sent."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy("relay", target=f"127.0.0.1:{server.port}") as proxy, Counting() as sock:
        sock.settimeout(20.0)
        sock.connect(("127.0.0.1", proxy.port))
        memory = MemoryTls(sock, Tls(Path(ca.ca_file)).context(), "127.0.0.1")
        while not memory.advance():
            memory.feed(sock.recv(65_536))
        memory.check()
        proxy.cut_all(reset=True)
        assert select.select([sock], [], [], 20.0)[0]
        with pytest.raises(ConnectionResetError):
            memory.check()
        assert sock.writes == 1


def test_a_server_hears_why_its_certificate_is_refused(ca: TestCA) -> None:
    """The alert that names the reason leaves before the connection is closed: it stands in the server's log then."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    here, there = socket.socketpair()
    with TestCA() as other, here, there:
        server = other.server_context().wrap_bio(incoming, outgoing, server_side=True)
        memory = MemoryTls(here, Tls(Path(ca.ca_file)).context(), "127.0.0.1")
        assert not memory.advance()
        incoming.write(there.recv(65_536))
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        memory.feed(outgoing.read())
        with pytest.raises(ssl.SSLCertVerificationError):
            memory.advance()
        memory.close()
        incoming.write(there.recv(65_536))
        with pytest.raises(ssl.SSLError, match=r"(?i)unknown.ca"):
            server.do_handshake()


def test_a_connection_that_nobody_waits_for_is_complete(ca: TestCA) -> None:
    """Its handshake ends at the server although nothing is written on it: the session's tickets come, and the server does not give it up."""
    watchdog = Watchdog()
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy() as proxy, watchdog.watch(Request(server.url, "x"), time.monotonic() + 60.0) as attempt:
        dialer = Dialer(Tls(Path(ca.ca_file)), Resolver(), early="always")
        with closing(dialer.open(Target("127.0.0.1", server.port, True), Proxy.parse(proxy.url), attempt, waited_for=False)) as sock:
            assert select.select([sock], [], [], 20.0)[0]
    watchdog.close()
