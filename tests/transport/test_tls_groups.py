"""Which keys a handshake offers: all of them, until an authenticated handshake has shown that the server takes the one that everybody has.

OpenSSL offers a post-quantum key from 3.5 on, which is what these tests are about.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kits.transport_kit import OK, Line, Peer, send

from syncbot.client.bot import Bot
from syncbot.errors import ConfigError, NotSent
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, TestCA
from syncbot.transport import OneShotTransport
from syncbot.transport.learned import Learned
from syncbot.transport.secure.hello import X25519, chosen_group
from syncbot.transport.secure.tls import Tls
from syncbot.types import Early, Proxy, Request

HYBRID = 0x11EC
ONE_SEGMENT_BYTES = 1460
DAY_SECONDS = 86_400


class Watched:
    """A server that tells the size of each ClientHello that it has met."""

    def __init__(self, ca: TestCA, group: str) -> None:
        self.context = ca.server_context()
        if group:
            self.context.set_ecdh_curve(group)
        self.hellos: list[int] = []

    def __call__(self, line: Line) -> None:
        head = line.exactly(5)
        size = int.from_bytes(head[3:])
        self.hellos.append(5 + size)
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(ours, theirs, server_side=True)
        ours.write(head + line.exactly(size))
        answered = False
        while True:
            try:
                if not answered:
                    tls.do_handshake()
                if b"\r\n\r\n" in tls.read():
                    answered = True
                    tls.write(OK)
                    line.sock.sendall(theirs.read())
                    return
            except ssl.SSLWantReadError:
                line.sock.sendall(theirs.read())
                if not (data := line.sock.recv(65_536)):
                    return
                ours.write(data)


@pytest.fixture
def taker(ca: TestCA) -> Iterator[tuple[Watched, Peer]]:
    """A server that takes X25519 although more is offered."""
    watched = Watched(ca, "X25519")
    with Peer(watched) as peer:
        yield watched, peer


def call(transport: OneShotTransport, peer: Peer, times: int = 1) -> None:
    for _ in range(times):
        outcome = send(transport, Request(f"https://127.0.0.1:{peer.port}/x", "getMe", body=b"", timeout=20.0))
        assert outcome.error is None, outcome.error


@pytest.mark.parametrize("way", ["direct", "http", "early"])
def test_a_server_that_takes_one_key_is_offered_one(way: str, ca: TestCA, taker: tuple[Watched, Peer]) -> None:
    """The first handshake offers all, and later ones what the server chose: they fit one segment."""
    watched, peer = taker
    with FaultProxy() as proxy:
        ways = [] if way == "direct" else [Proxy.parse(proxy.url)]
        with closing(OneShotTransport(ways, ca_file=Path(ca.ca_file), early="always" if way == "early" else "never")) as transport:
            call(transport, peer, times=3)
    assert watched.hellos[0] > ONE_SEGMENT_BYTES
    assert max(watched.hellos[1:]) < 700


def test_a_server_that_takes_the_post_quantum_key_goes_on_with_it(ca: TestCA) -> None:
    """Where the server takes it, it stays."""
    watched = Watched(ca, "")
    with Peer(watched) as peer, closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        call(transport, peer, times=4)
    assert min(watched.hellos) > ONE_SEGMENT_BYTES


def test_a_server_without_tls_1_3_is_offered_all(ca: TestCA) -> None:
    """Its choice is not told in its first message: nothing is offered less, and for a day nobody looks again."""
    watched = Watched(ca, "X25519")
    watched.context.minimum_version = watched.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Peer(watched) as peer, closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        call(transport, peer, times=3)
        assert [facts["lean"] for facts in transport.learned.facts()["servers"].values()] == [False]
    assert min(watched.hellos) > ONE_SEGMENT_BYTES


@pytest.mark.parametrize(("groups", "first", "second"), [("default", True, True), ("X25519", False, False), ("learn", True, False)])
def test_the_switch(groups: str, first: bool, second: bool, ca: TestCA, taker: tuple[Watched, Peer]) -> None:
    """ "default" offers all for ever, a name offers that alone from the beginning."""
    watched, peer = taker
    with closing(OneShotTransport(ca_file=Path(ca.ca_file), tls_groups=groups)) as transport:
        call(transport, peer, times=2)
    assert [size > ONE_SEGMENT_BYTES for size in watched.hellos] == [first, second]


@pytest.mark.parametrize("name", ["X25520", "no-such-group"])
def test_a_group_that_there_is_not_is_a_wrong_setting(name: str) -> None:
    """It is told when the bot is made, with what could stand there."""
    with pytest.raises(ConfigError, match=f"tls_groups: '{name}' is no group .* \"X25519\""):
        Bot(TEST_TOKEN, proxies="direct", tls_groups=name)


def test_once_a_day_all_is_offered_again(ca: TestCA, taker: tuple[Watched, Peer]) -> None:
    """A server that begins to take the post-quantum key gets it within a day."""
    watched, peer = taker
    now = [1000.0]
    tls = Tls(Path(ca.ca_file), "learn", Learned(clock=lambda: now[0]))

    def shake() -> None:
        with socket.create_connection(("127.0.0.1", peer.port), 20.0) as sock:
            tls.wrap(sock, "127.0.0.1", peer.port).close()

    for step in (0, 1, DAY_SECONDS - 2, 2, 1):
        now[0] += step
        shake()
    assert [size > ONE_SEGMENT_BYTES for size in watched.hellos] == [True, False, False, True, False]


def test_after_a_failure_all_is_offered_again(ca: TestCA, taker: tuple[Watched, Peer]) -> None:
    """A server that wants another key from today on is lost for one connection: the next one offers all."""
    watched, peer = taker
    with closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        call(transport, peer, times=2)
        watched.context.set_ecdh_curve("prime256v1")
        outcome = send(transport, Request(f"https://127.0.0.1:{peer.port}/x", "getMe", body=b"", timeout=20.0))
        assert isinstance(outcome.error, NotSent)
        assert outcome.error.stage == "tls"
        call(transport, peer)
    assert [size > ONE_SEGMENT_BYTES for size in watched.hellos] == [True, False, False, True]


def test_a_handshake_that_is_not_authenticated_teaches_nothing(ca: TestCA) -> None:
    """Whoever stands in the server's place, and cannot prove that he is it, does not choose what is offered later."""
    with TestCA() as other:
        watched = Watched(other, "X25519")
    with Peer(watched) as peer, closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        for _ in range(3):
            assert isinstance(send(transport, Request(f"https://127.0.0.1:{peer.port}/x", "getMe", body=b"", timeout=20.0)).error, NotSent)
        assert transport.learned.facts()["servers"] == {}
    assert min(watched.hellos) > ONE_SEGMENT_BYTES


def test_sessions_are_resumed_with_what_was_learned(ca: TestCA, api: BotApiServer) -> None:
    """Another offer is another context, which has sessions of its own: after one full handshake they are resumed again."""
    with FaultProxy("relay", target=f"127.0.0.1:{api.port}") as relay, closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        transport.learned.chose(f"127.0.0.1:{relay.port}", lean=True)
        sizes = []
        for _ in range(3):
            before = relay.bytes_down
            outcome = send(transport, Request(f"{relay.url_for('https')}/bot{api.token}/getMe", "getMe", body=b"", timeout=20.0))
            assert outcome.error is None
            assert relay.wait_for(lambda: relay.open_now == 0)
            sizes.append(relay.bytes_down - before)
    assert max(sizes[1:]) < sizes[0] - 300


@pytest.mark.parametrize("early", ["never", "always"])
@pytest.mark.parametrize("known", ["server", "proxy", "both", "neither"])
def test_a_proxy_that_is_reached_by_tls_is_a_server_of_its_own(known: str, early: Early, ca: TestCA, api: BotApiServer) -> None:
    """What is known of one of the two says nothing of the other, and TLS runs within TLS whatever is known."""
    with (
        FaultProxy("https", tls=ca.server_context()) as proxy,
        closing(OneShotTransport([Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file), early=early)) as transport,
    ):
        for name, port in (("server", api.port), ("proxy", proxy.port)):
            if known in (name, "both"):
                transport.learned.chose(f"127.0.0.1:{port}", lean=True)
        for _ in range(3):
            outcome = send(transport, Request(f"{api.url}/bot{api.token}/getMe", "getMe", body=b"", timeout=20.0))
            assert outcome.error is None, outcome.error
        assert sorted(transport.learned.facts()["servers"]) == sorted([f"127.0.0.1:{api.port}", f"127.0.0.1:{proxy.port}"])


def test_it_is_remembered(ca: TestCA, taker: tuple[Watched, Peer]) -> None:
    """A later process offers one key from its first connection on."""
    watched, peer = taker
    with closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        call(transport, peer)
        kept = json.dumps(transport.learned.facts())
    with closing(OneShotTransport(ca_file=Path(ca.ca_file))) as transport:
        transport.learned.take(json.loads(kept))
        call(transport, peer)
    assert [size > ONE_SEGMENT_BYTES for size in watched.hellos] == [True, False]


# ---------------------------------------------------------------------- the ServerHello


def server_hello(extensions: bytes, session: bytes = b"s" * 32) -> bytes:
    body = b"\x03\x03" + bytes(32) + bytes([len(session)]) + session + b"\x13\x01\x00" + len(extensions).to_bytes(2) + extensions
    message = b"\x02" + len(body).to_bytes(3) + body
    return b"\x16\x03\x03" + len(message).to_bytes(2) + message


VERSIONS = b"\x00\x2b\x00\x02\x03\x04"


def key_share(group: int, size: int) -> bytes:
    share = group.to_bytes(2) + (size.to_bytes(2) + bytes(size) if size else b"")
    return b"\x00\x33" + len(share).to_bytes(2) + share


@pytest.mark.parametrize(
    ("flight", "group"),
    [
        (server_hello(VERSIONS + key_share(X25519, 32)), X25519),
        (server_hello(key_share(HYBRID, 1120) + VERSIONS)[:512], HYBRID),
        (server_hello(VERSIONS + key_share(23, 0), b""), 23),  # a HelloRetryRequest, which names the group alone
        (server_hello(VERSIONS), None),
        (server_hello(b""), None),
        (server_hello(VERSIONS + key_share(X25519, 32))[:80], None),
        (b"", None),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4, None),
        (b"\x15\x03\x03\x00\x02\x02\x28", None),
    ],
)
def test_the_servers_choice(flight: bytes, group: int | None) -> None:
    """It is read from the beginning of what the server sends, and nothing is made out of anything else."""
    assert chosen_group(flight) == group


def test_no_flight_is_too_odd() -> None:
    """Cut or changed anywhere, it is read or it is not, and nothing is raised."""
    flight = server_hello(VERSIONS + key_share(X25519, 32))
    for place in range(len(flight)):
        chosen_group(flight[:place])
        for byte in (0, 1, 0x33, 0xFF):
            chosen_group(flight[:place] + bytes([byte]) + flight[place + 1 :])
