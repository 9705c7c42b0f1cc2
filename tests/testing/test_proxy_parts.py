"""What the proxy reads: TLS records and what its clients negotiate, cut in any pieces, and nonsense."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kits.proxy_kit import make_certificates

from syncbot.testing.proxy.negotiation import NegotiationReader, Negotiator, Refusal, TunnelRequest
from syncbot.testing.proxy.tls_scanner import TlsScanner


@dataclass(frozen=True)
class Recording:
    """The flights of one TLS connection, in order: (from the client?, bytes, application bytes that end them)."""

    flights: list[tuple[bool, bytes, int]]


def record(version: ssl.TLSVersion) -> Recording:
    """Make a TLS connection in memory, with a request of two records and an answer."""
    certificates = make_certificates()
    certificates.server.maximum_version = version
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = certificates.client.wrap_bio(down, up, server_hostname="localhost")
    server = certificates.server.wrap_bio(up, down, server_side=True)
    flights = []
    for _ in range(2):
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        flights.append((True, up.read(), 0))
        up.write(flights[-1][1])
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        flights.append((False, down.read(), 0))
        down.write(flights[-1][1])
    client.do_handshake()
    for side, wire, pieces in ((client, up, (b"head", b"body")), (server, down, (b"answer",))):
        data = b""
        for piece in pieces:
            side.write(piece)
        data = wire.read()
        flights.append((side is client, data, len(data)))
    return Recording(flights)


@pytest.fixture(scope="module")
def recordings() -> dict[ssl.TLSVersion, Recording]:
    return {version: record(version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@given(sizes=st.lists(st.integers(1, 3000), min_size=1))
def test_records_in_any_pieces(version: ssl.TLSVersion, recordings: dict[ssl.TLSVersion, Recording], sizes: list[int]) -> None:
    """However the stream is cut, exactly the application records are told from handshake and tickets, and no byte is lost."""
    scanner = TlsScanner()
    turn = 0
    for upward, flight, application_bytes in recordings[version].flights:
        if application_bytes and not upward:
            scanner.request_sent = True
        handshake = application = b""
        rest = flight
        while rest:
            size = sizes[turn % len(sizes)]
            turn += 1
            first, second = (scanner.client if upward else scanner.server)(rest[:size])
            handshake, application, rest = handshake + first, application + second, rest[size:]
        assert application == flight[len(flight) - application_bytes :]
        assert handshake + application == flight
    assert scanner.tls is True
    assert scanner.tickets_follow is (version is ssl.TLSVersion.TLSv1_3)
    assert scanner.tickets == (2 if version is ssl.TLSVersion.TLSv1_3 else 0)


@given(pieces=st.lists(st.tuples(st.booleans(), st.binary(min_size=1))))
def test_no_stream_is_too_strange(pieces: list[tuple[bool, bytes]]) -> None:
    """Any bytes, TLS or not, come out as they went in, but for the beginning of a header that is held back."""
    scanner = TlsScanner()
    scanner.request_sent = True
    came = {True: b"", False: b""}
    went = {True: b"\x16", False: b""}
    came[True] += b"".join(scanner.client(b"\x16"))
    for upward, data in pieces:
        came[upward] += b"".join((scanner.client if upward else scanner.server)(data))
        went[upward] += data
    for upward in (True, False):
        assert went[upward].startswith(came[upward])
        assert len(went[upward]) - len(came[upward]) < 5


def read(data: bytes, sizes: list[int], **settings: str) -> tuple[TunnelRequest | None, bytes, bytes]:
    """Feed a negotiation in pieces; what was asked, what was replied, what is left."""
    replies = bytearray()
    reader = NegotiationReader(
        Negotiator(username=settings.get("username", ""), password=settings.get("password", ""), deny=False, reply=replies.extend).negotiate()
    )
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        turn += 1
        piece, data = data[:size], data[size:]
        if (asked := reader.feed(piece)) is not None:
            return asked, bytes(replies), reader.rest + data
    return None, bytes(replies), reader.rest


TALKS = {
    b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: x\r\n\r\n": TunnelRequest("connect", "::1", 8443),
    b"\x05\x01\x00\x05\x01\x00\x03\x04name\x01\xbb": TunnelRequest("socks5", "name", 443),
    b"\x05\x02\x00\x02\x05\x01\x00\x04" + bytes(15) + b"\x01\x01\xbb": TunnelRequest("socks5", "::1", 443),
    b"\x04\x01\x01\xbb\x7f\x00\x00\x01user\x00": TunnelRequest("socks4", "127.0.0.1", 443),
    b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00name\x00": TunnelRequest("socks4", "name", 443),
}


@pytest.mark.parametrize("talk", TALKS)
@given(sizes=st.lists(st.integers(1, 20), min_size=1), rest=st.binary(max_size=50))
def test_talks_in_any_pieces(talk: bytes, sizes: list[int], rest: bytes) -> None:
    """However the talk is cut, the target is understood, and what follows the talk is kept."""
    asked, _, left = read(talk + rest, sizes)
    assert (asked, left) == (TALKS[talk], rest)


@given(data=st.binary(max_size=600), first=st.sampled_from([b"", b"\x05", b"\x04", b"CONNECT ", b"\x05\x01\x02\x01"]), secret=st.sampled_from(["", "secret"]))
def test_nonsense_is_refused_in_words(data: bytes, first: bytes, secret: str) -> None:
    """Any bytes are understood, waited on or refused with an answer; nothing else happens."""
    with contextlib.suppress(Refusal):
        read(first + data + b"\r\n\r\n", [1000], username=secret, password=secret)
