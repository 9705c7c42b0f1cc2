"""Each fault of the proxy: what the client sees, and what the server carried out."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator

import pytest
from kits.proxy_kit import ANSWER, Certificates, Client, Failed, Origin, attempt, make_certificates, request

from syncbot.errors import Phase
from syncbot.testing import Fault, FaultProxy

BEFORE = [fault for fault in Fault.all() if fault.phase is Phase.NOT_SENT]
LATE = [fault for fault in Fault.all() if fault.phase is Phase.MAYBE_SENT and not fault.name.startswith("idle")]


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy(seed=1) as proxy:
        yield proxy


@pytest.mark.parametrize("protocol", ["http", "socks5"])
@pytest.mark.parametrize("fault", BEFORE, ids=lambda fault: fault.name)
def test_before_the_request_the_client_is_certain(fault: Fault, protocol: str, proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """A fault of the phase "not sent" ends the call before the client wrote a byte of its request, and the next call passes."""
    for timeout in (0.5, 8.0):  # on a busy machine a call may have run out of its time before it was struck
        proxy.script(fault)
        with pytest.raises(Failed) as failed:
            attempt(proxy, origin, protocol=protocol, context=certificates.client, timeout=timeout)
        assert failed.value.stage in ("connect", "proxy", "tls")
        if proxy.wait_for(lambda: proxy.struck, 1.0):
            break
    attempt(proxy, origin, protocol=protocol, context=certificates.client)
    assert origin.done == [request()]
    assert proxy.struck == {fault.name: 1}
    assert proxy.wait_for(lambda: proxy.open_now == 0)


@pytest.mark.parametrize("protocol", ["http", "socks5"])
@pytest.mark.parametrize("encrypted", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("fault", LATE, ids=lambda fault: fault.name)
def test_after_the_request_only_the_server_knows(fault: Fault, protocol: str, encrypted: bool, proxy: FaultProxy, certificates: Certificates) -> None:
    """A fault of the phase "maybe sent" strikes once the request is under way; all but the cut request was carried out, once."""
    for timeout in (0.5, 8.0):  # on a busy machine a call may have run out of its time before it was struck
        origin = Origin(certificates.server if encrypted else None)
        try:
            proxy.script(fault)
            with pytest.raises(Failed) as failed:
                attempt(proxy, origin, protocol=protocol, context=certificates.client if encrypted else None, timeout=timeout)
            struck = proxy.wait_for(lambda: proxy.struck, 1.0)
            assert proxy.wait_for(lambda: proxy.open_now == 0)
        finally:
            origin.close()
        if struck and failed.value.stage == "sent":
            break
    assert failed.value.stage == "sent"
    assert proxy.struck == {fault.name: 1}
    assert origin.done == ([] if fault.name == "cut_request" else [request()])


@pytest.mark.parametrize("tickets", [0, 1, 2, 4])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_late_cut_waits_for_the_answer_itself(version: ssl.TLSVersion, tickets: int, proxy: FaultProxy) -> None:
    """The cut before the answer is not fooled by session tickets: the server has the whole of a large request each time."""
    certificates = make_certificates()
    certificates.server.maximum_version = version
    certificates.server.num_tickets = tickets
    origin = Origin(certificates.server)
    big = request(b"b" * 1_000_000)
    try:
        proxy.script(Fault.cut_before_answer())
        with Client(proxy) as client:
            client.connect("localhost", origin.port)
            client.tls(certificates.client)
            with pytest.raises(OSError):
                client.ask(big)
        assert client.received == b""
        assert origin.done == [big]
    finally:
        origin.close()


def test_a_late_cut_in_a_resumed_session(proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """A resumed handshake brings one ticket instead of two, and the cut still falls on the answer."""
    with Client(proxy) as client:
        client.connect("localhost", origin.port)
        client.tls(certificates.client)
        client.ask()
        assert isinstance(client.sock, ssl.SSLSocket)
        session = client.sock.session
    proxy.script(Fault.cut_before_answer())
    with Client(proxy) as client:
        client.connect("localhost", origin.port)
        client.sock = certificates.client.wrap_socket(client.sock, server_hostname="localhost", session=session)
        assert client.sock.session_reused
        with pytest.raises(OSError):
            client.ask()
    assert origin.done == [request(), request()]


@pytest.mark.parametrize("after_bytes", [0, 1, 100, 300])
def test_a_request_is_cut_at_the_byte(after_bytes: int, proxy: FaultProxy) -> None:
    """Exactly so many bytes of the request reach the server."""
    origin = Origin(None)
    try:
        proxy.script(Fault.cut_request(after_bytes=after_bytes))
        with pytest.raises(Failed):
            attempt(proxy, origin, context=None)
        assert origin.wait_for(lambda: origin.broken or not after_bytes)
    finally:
        origin.close()
    assert origin.done == []
    assert b"".join(origin.broken) == request()[:after_bytes]
    assert proxy.bytes_up == after_bytes


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("after_bytes", [0, 1, 20, len(ANSWER) - 1])
def test_an_answer_is_cut_at_the_byte(after_bytes: int, reset: bool, proxy: FaultProxy) -> None:
    """Exactly so many bytes of the answer reach the client; then it sees the end of the stream, or a reset when asked for."""
    origin = Origin(None)
    try:
        proxy.script(Fault.cut_response(after_bytes=after_bytes, reset=reset))
        with Client(proxy) as client:
            client.connect("localhost", origin.port)
            client.sock.sendall(request())
            assert client.exactly(after_bytes) == ANSWER[:after_bytes]
            if reset:
                with pytest.raises(ConnectionResetError):
                    client.some()
            else:
                assert client.some() == b""
    finally:
        origin.close()


def test_a_cut_beyond_the_end_does_not_strike(proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """A fault that is meant for a tunnel but finds nothing to strike is drawn and not counted as struck."""
    proxy.script(Fault.cut_request(after_bytes=100_000))
    attempt(proxy, origin, context=certificates.client)
    assert proxy.drawn == {"cut_request": 1}
    assert proxy.struck == {}


@pytest.mark.parametrize("fault", [fault for fault in BEFORE if fault.name.startswith("tls")], ids=lambda fault: fault.name)
def test_tls_faults_leave_plain_tunnels_alone(fault: Fault, proxy: FaultProxy) -> None:
    """A fault of the TLS handshake does not strike a tunnel without TLS."""
    origin = Origin(None)
    try:
        proxy.script(fault)
        attempt(proxy, origin, context=None)
    finally:
        origin.close()
    assert proxy.struck == {}


def test_two_pieces_of_the_handshake(proxy: FaultProxy, origin: Origin) -> None:
    """The pieces of the server's flight come one by one, and then the end."""
    hello = ssl.MemoryBIO()
    machine = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        machine.do_handshake()
    said = hello.read()

    def came_one_by_one() -> bool:
        proxy.script(Fault.tls_chunks(chunks=2, chunk_bytes=7))
        with Client(proxy) as client:
            client.connect("localhost", origin.port)
            client.sock.sendall(said)
            first, rest = client.some(), client.rest()
        assert (first[0], len(first + rest)) == (22, 14)
        return len(first) == 7

    assert any(came_one_by_one() for _ in range(30)), "a client that is held up for a moment sees both as one"


@pytest.mark.parametrize("fault", [Fault.refuse(), Fault.refuse(reset=False)], ids=["rst", "fin"])
def test_refused_before_a_word(fault: Fault, proxy: FaultProxy) -> None:
    """The connection is accepted, and ends with a reset or the end of the stream though the client said nothing."""
    proxy.script(fault)
    if fault.reset:
        with pytest.raises(ConnectionResetError), Client(proxy) as client:  # the reset may come as early as in connect()
            client.some()
    else:
        with Client(proxy) as client:
            assert client.some() == b""


@pytest.mark.parametrize("protocol", ["http", "socks5"])
def test_a_dripped_grant_is_good_in_the_end(protocol: str, proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """The answer to CONNECT and SOCKS comes byte by byte, its filler included, and the tunnel works after it."""
    proxy.script(Fault.drip_connect(bytes_per_second=500, filler_bytes=100))
    began = time.monotonic()
    attempt(proxy, origin, protocol=protocol, context=certificates.client)
    assert time.monotonic() - began > 0.15
    assert proxy.struck == {"drip_connect": 1}


def test_a_dripped_answer_is_good_in_the_end(proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """The answer comes slowly and whole."""
    proxy.script(Fault.drip_response(bytes_per_second=2000))
    began = time.monotonic()
    client = attempt(proxy, origin, context=certificates.client)
    assert client.received == ANSWER
    assert time.monotonic() - began > 0.1


def test_a_half_closed_tunnel_still_carries_the_client(proxy: FaultProxy) -> None:
    """The client sees the end of the stream, and what it writes after that reaches the server."""
    origin = Origin(None)
    try:
        proxy.script(Fault.half_close(after_bytes=5))
        with Client(proxy) as client:
            client.connect("localhost", origin.port)
            client.sock.sendall(request())
            assert client.rest() == ANSWER[:5]
            client.sock.sendall(request())
            assert origin.wait_for(lambda: len(origin.done) == 2)
    finally:
        origin.close()


@pytest.mark.parametrize("fault", [Fault.close_after_response(), Fault.reset_after_response()], ids=lambda fault: fault.name)
def test_the_tunnel_ends_after_the_answer(fault: Fault, proxy: FaultProxy, certificates: Certificates) -> None:
    """The client gets its whole answer, and then the end of the stream or a reset."""
    origin = Origin(None)
    try:
        proxy.script(fault)
        with Client(proxy) as client:
            client.connect("localhost", origin.port)
            assert client.ask() == ANSWER
            if fault.reset:
                with pytest.raises(ConnectionResetError):
                    client.some()
            else:
                assert client.some() == b""
        assert proxy.struck == {fault.name: 1}
    finally:
        origin.close()


@pytest.mark.parametrize("make", [Fault.close_after_response, Fault.reset_after_response], ids=lambda make: make.__name__)
def test_faults_after_the_answer_do_not_harm_one_call(make: Callable[..., Fault], proxy: FaultProxy, certificates: Certificates) -> None:
    """With a server that hangs up after its answer the fault strikes at once, and a call on a connection of its own has its answer."""
    origin = Origin(certificates.server, hang_up=True)
    try:
        for _ in range(20):
            proxy.script(make(after_seconds=20.0))
            assert attempt(proxy, origin, context=certificates.client).received == ANSWER
    finally:
        origin.close()
    assert len(origin.done) == 20
    assert proxy.wait_for(lambda: proxy.open_now == 0)


@pytest.mark.parametrize("name", ["idle_cut", "idle_dead"])
@pytest.mark.parametrize("by_setting", [True, False], ids=["setting", "fault"])
def test_an_idle_tunnel_is_lost(name: str, by_setting: bool, certificates: Certificates) -> None:
    """A call that waits longer than the idle limit of the way was carried out, and is cut or hears nothing more; one that does not wait passes."""
    wanted = ("sent", name == "idle_dead", 2, {name: 1})
    for seconds in (0.1, 1.0, 5.0):  # on a busy machine a tunnel may be idle for longer than it should be, or its client gives up too soon
        origin = Origin(certificates.server)
        settings = {f"{name}_after_seconds": seconds} if by_setting else {}
        try:
            with FaultProxy(**settings) as proxy:  # type: ignore[arg-type]  # mypy cannot see that only floats are given
                fault = Fault.NONE if by_setting else Fault(name, after_seconds=seconds)
                stage, to_the_end = _one_idle_call(proxy, origin, certificates.client, fault, 3 * seconds + 0.3)
        finally:
            origin.close()
        if (found := (stage, to_the_end, len(origin.done), dict(proxy.struck))) == wanted:
            break
    assert found == wanted
    assert proxy.open_now == 0


def _one_idle_call(proxy: FaultProxy, origin: Origin, context: ssl.SSLContext, fault: Fault, timeout: float) -> tuple[str, bool]:
    """After a call that passes, one that the server does not answer: how far it comes, and whether its own time ended it."""
    try:
        attempt(proxy, origin, context=context, timeout=6.0)
    except Failed:
        return "too early", False
    proxy.script(fault)
    origin.gate.clear()
    began = time.monotonic()
    with pytest.raises(Failed) as failed:
        attempt(proxy, origin, context=context, timeout=timeout)
    return failed.value.stage, time.monotonic() - began >= timeout


def test_every_fault_says_its_phase() -> None:
    """Each fault has a constructor of its name, a phase, and one sentence on what a client sees; its text form gives it back."""
    faults = Fault.all()
    assert len({fault.name for fault in faults}) == len(faults) == 19
    for fault in faults:
        assert "client" in (getattr(Fault, fault.name).__doc__ or "")
        assert Fault.parse(fault.name) == fault
        assert fault.before_request is (fault.phase is Phase.NOT_SENT)
    assert Fault.parse("cut_request:after_bytes=7,reset=1") == Fault.cut_request(after_bytes=7, reset=True)
    assert Fault.parse("none") == Fault.NONE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "all",
        "phase",
        "cut_request:bytes=1",
        "cut_request:name=x",
        "cut_request:after_bytes=x",
        "cut_request:after_bytes=-1",
        "drip_response:bytes_per_second=0",
    ],
)
def test_a_wrong_fault_is_refused(text: str) -> None:
    """A name or argument that does not exist is a ValueError."""
    with pytest.raises(ValueError):
        Fault.parse(text)
