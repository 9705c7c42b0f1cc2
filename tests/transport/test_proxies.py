"""Every kind of proxy, with and without credentials; the list of ways and its rests; what a proxy gets to see."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kits.ports_kit import free_port
from kits.transport_kit import OK, Line, Outcome, Peer, answering, send, socks5

from syncbot.client.client import Call, Client
from syncbot.client.encode import Encoded
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NetworkError, NotSent, ProxyAuthRequired
from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import OneShotTransport
from syncbot.transport.dialing.resolver import Address, Resolver
from syncbot.transport.ways import LONGEST_COOL_DOWN_SECONDS, Ways
from syncbot.types import DIRECT, Proxy, Request

HOST = "api.example"
KINDS = ["http", "https", "socks4", "socks5", "socks5h"]
PASSWORDS = ["simple", "p@ss:w/rd?#%25 &é€", ":", "'\"\\", "128 bytes and more " * 7, "é" * 127]


@pytest.fixture(scope="module")
def server(ca: TestCA) -> Iterator[BotApiServer]:
    """A Bot API server with a name that only our own look-up and the proxy know."""
    with BotApiServer(tls=True, ca=ca, hosts=(HOST, "127.0.0.1")) as server:
        yield server


class Names:
    """A look-up that knows `HOST`, and remembers what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses or ("127.0.0.1",)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int, family: int) -> list[Address]:
        self.asked.append((host, family))
        addresses = self.addresses if host == HOST else (host,)
        kinds = {address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses}
        return [(kind, (address, port)) for address, kind in kinds.items() if family in (socket.AF_UNSPEC, kind)]


def proxy_at(ca: TestCA, kind: str, server: BotApiServer, *, username: str = "", password: str = "") -> FaultProxy:
    """A proxy of this kind that knows `HOST`."""
    listens_as, tls = ("https", ca.server_context()) if kind == "https" else ("http", None)
    return FaultProxy(listens_as, tls=tls, resolve={HOST: f"127.0.0.1:{server.port}"}, username=username, password=password)


def get_me(server: BotApiServer, host: str = HOST) -> Request:
    return Request(f"https://{host}:{server.port}/bot{server.token}/getMe", "getMe", body=b"", timeout=20.0)


def through(ca: TestCA, proxies: list[str], request: Request, names: Names | None = None, **options: object) -> Outcome:
    """One attempt through these proxies."""
    ways = [Proxy.parse(proxy) for proxy in proxies]
    transport = OneShotTransport(ways, ca_file=Path(ca.ca_file), look_up=names or Names(), **options)  # type: ignore[arg-type]  # the names are the transport's
    try:
        return send(transport, request)
    finally:
        transport.close()


# --- Each kind.


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_passes_through_every_kind_of_proxy(kind: str, ca: TestCA, server: BotApiServer) -> None:
    """The answer comes, it names the proxy, and proxy and server have no connection left."""
    with proxy_at(ca, kind, server) as proxy:
        outcome = through(ca, [proxy.url_for(kind)], get_me(server))
        assert outcome.error is None
        assert outcome.answer is not None
        assert outcome.answer.status == 200
        assert outcome.answer.proxy == f"{kind}://127.0.0.1:{proxy.port}"
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        assert proxy.established == 1
        server.wait_closed()


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
def test_credentials_of_any_characters_arrive(kind: str, password: str, ca: TestCA, server: BotApiServer) -> None:
    """User and password reach the proxy as they are, whatever characters they have."""
    with proxy_at(ca, kind, server, username="us er@1", password=password) as proxy:
        outcome = through(ca, [proxy.url_for(kind)], get_me(server))
        assert outcome.error is None
        assert proxy.credential_failures == 0


def test_socks4_brings_the_user_name(ca: TestCA, server: BotApiServer) -> None:
    """SOCKS4 knows a name and no password."""
    with proxy_at(ca, "socks4", server, username="ann") as proxy:
        assert through(ca, [f"socks4://ann@127.0.0.1:{proxy.port}"], get_me(server)).error is None
        assert through(ca, [f"socks4://bob@127.0.0.1:{proxy.port}"], get_me(server)).error is not None


def test_without_a_proxy_the_server_is_reached_directly(ca: TestCA, server: BotApiServer) -> None:
    """ "direct", and an empty list, connect to the server itself."""
    for proxies in ([], ["direct"]):
        outcome = through(ca, proxies, get_me(server))
        assert outcome.answer is not None
        assert outcome.answer.proxy == "direct"


@pytest.mark.parametrize(
    ("kind", "host", "looked_up"),
    [
        ("http", HOST, []),
        ("https", HOST, []),
        ("socks5h", HOST, []),
        ("socks5", "127.0.0.1", [(HOST, socket.AF_UNSPEC)]),
        ("socks4", "127.0.0.1", [(HOST, socket.AF_INET)]),
    ],
)
def test_who_looks_the_name_up(kind: str, host: str, looked_up: list[tuple[str, int]], ca: TestCA, server: BotApiServer) -> None:
    """HTTP proxies and socks5h get the name, which is not looked up here; socks5 and socks4 get an address."""
    names = Names()
    with proxy_at(ca, kind, server) as proxy:
        assert through(ca, [proxy.url_for(kind)], get_me(server), names).error is None
        assert [target.host for target in proxy.targets] == [host]
    assert [asked for asked in names.asked if asked[0] == HOST] == looked_up


@pytest.mark.parametrize("kind", ["socks5", "socks4"])
def test_socks_tries_one_address_after_the_other(kind: str, ca: TestCA, server: BotApiServer) -> None:
    """Where a proxy cannot reach the first address of a name, it is asked for the next."""
    names = Names("127.0.0.9", "127.0.0.1")
    with proxy_at(ca, kind, server) as proxy:
        assert through(ca, [proxy.url_for(kind)], get_me(server), names).error is None
        assert [target.host for target in proxy.targets] == ["127.0.0.9", "127.0.0.1"]


@pytest.mark.parametrize("kind", ["direct", "socks5"])
def test_ipv4_only_reaches_every_look_up(kind: str, ca: TestCA, server: BotApiServer) -> None:
    """With `ipv4`, no IPv6 address is ever asked for, of the server or of a proxy, for SOCKS either."""
    names = Names("::1", "127.0.0.1")
    with proxy_at(ca, "socks5", server) as proxy:
        url = "direct" if kind == "direct" else proxy.url_for(kind)
        assert through(ca, [url], get_me(server), names, ipv4=True).error is None
    assert names.asked
    assert {family for _, family in names.asked} == {socket.AF_INET}


def test_an_ipv6_server_is_reached_directly_and_through_socks(ca: TestCA) -> None:
    """A bracketed address is a target like any other; SOCKS5 gets it as an IPv6 address."""
    with Peer(answering(), host="::1", tls=ca.server_context("::1")) as peer, FaultProxy() as proxy:
        for url in ("direct", proxy.url, proxy.url_for("socks5"), proxy.url_for("socks5h")):
            outcome = through(ca, [url], Request(f"{peer.url}/botTOKEN/getMe", "getMe", body=b""))
            assert outcome.error is None, url
        assert [(target.protocol, target.host, target.port) for target in proxy.targets] == [
            ("connect", "::1", peer.port),
            ("socks5", "::1", peer.port),
            ("socks5", "::1", peer.port),
        ]


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_an_ipv6_proxy_is_reached(kind: str, ca: TestCA) -> None:
    """A proxy may have a bracketed address."""
    asked: list[object] = []

    def serve(line: Line) -> None:
        asked.append(line.head().partition(b"\r\n")[0] if kind == "http" else socks5(line))
        if kind == "http":
            line.exactly(2)
        else:
            line.request()
        line.sock.sendall(OK)

    with Peer(serve, host="::1") as peer:
        request = Request("http://api.example:81/botTOKEN/getMe", "getMe", body=b"{}", timeout=20.0)
        outcome = through(ca, [f"{kind}://[::1]:{peer.port}"], request)
        assert outcome.error is None
        assert outcome.answer is not None
        assert outcome.answer.proxy == f"{kind}://[::1]:{peer.port}"
    assert asked == [b"POST http://api.example:81/botTOKEN/getMe HTTP/1.1" if kind == "http" else (b"api.example", 81)]


def test_tls_within_tls_carries_large_bodies_both_ways(ca: TestCA, server: BotApiServer) -> None:
    """Through an HTTPS proxy, whose TLS holds the server's, bodies of many records arrive whole."""
    text = "x" * 4096
    with proxy_at(ca, "https", server) as proxy:
        chat = server.user().id
        body = b"chat_id=%d&text=%s&padding=%s" % (chat, text.encode(), b"y" * 300_000)
        request = Request(
            f"https://{HOST}:{server.port}/bot{server.token}/sendMessage",
            "sendMessage",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=body,
            timeout=10.0,
        )
        outcome = through(ca, [proxy.url], request)
    assert outcome.answer is not None
    assert outcome.answer.status == 200
    assert text.encode() in outcome.answer.body


def test_an_https_proxy_has_to_show_a_certificate_for_its_own_name(ca: TestCA, server: BotApiServer) -> None:
    """The proxy's certificate is checked like the server's."""
    with FaultProxy("https", tls=ca.server_context(kind="wrong_host")) as proxy:
        outcome = through(ca, [proxy.url], get_me(server))
        assert isinstance(outcome.error, NotSent)
        assert outcome.error.stage == "proxy"
        assert "certificate" in str(outcome.error)
        assert proxy.established == 0


# --- What proxies say no with.


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreachable_proxy_is_not_sent(kind: str, ca: TestCA, server: BotApiServer) -> None:
    """Nobody at the proxy's port: nothing was sent, it says where it failed, and trying again may help."""
    outcome = through(ca, [f"{kind}://user:secret@127.0.0.1:{free_port()}"], get_me(server))
    assert isinstance(outcome.error, NotSent)
    assert outcome.error.retryable
    assert outcome.error.stage in ("connect", "proxy")
    assert "refused" in str(outcome.error).lower()
    assert "secret" not in repr(vars(outcome.error))


@pytest.mark.parametrize("kind", ["http", "socks5h"])
@pytest.mark.parametrize("credentials", ["", "user:wrong@"])
def test_a_proxy_that_wants_other_credentials(kind: str, credentials: str, ca: TestCA, server: BotApiServer) -> None:
    """It is ProxyAuthRequired, says what to do, and is not tried again: only a change of settings helps."""
    with proxy_at(ca, kind, server, username="user", password="right") as proxy:
        transport = OneShotTransport([Proxy.parse(f"{kind}://{credentials}127.0.0.1:{proxy.port}")], ca_file=Path(ca.ca_file))
        with pytest.raises(ProxyAuthRequired) as caught:
            client_of(transport, server).call(Call("getMe", repeatable=True))
        transport.close()
        assert proxy.opened == 1
    assert caught.value.attempts == 1
    assert not caught.value.retryable
    assert "user and" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_proxy_that_says_unauthorized_wants_other_credentials_too(ca: TestCA) -> None:
    """tinyproxy answers a wrong password with 401 instead of 407: it is ProxyAuthRequired all the same."""

    def serve(line: Line) -> None:
        line.head()
        line.sock.sendall(b"HTTP/1.1 401 Unauthorized\r\n\r\n")

    with Peer(serve) as peer:
        outcome = through(ca, [f"http://user:wrong@127.0.0.1:{peer.port}"], Request("https://api.example/x", "getMe", body=b"", timeout=20.0))
    assert isinstance(outcome.error, ProxyAuthRequired)
    assert "(401); it refused this user and password" in str(outcome.error)


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_a_proxy_that_took_the_credentials_before_is_tried_again(kind: str, ca: TestCA, server: BotApiServer) -> None:
    """A 407 from a proxy that has worked with the same credentials is a passing trouble."""
    with proxy_at(ca, kind, server, username="user", password="right") as proxy:
        transport = OneShotTransport([Proxy.parse(proxy.url_for(kind))], ca_file=Path(ca.ca_file))
        client = client_of(transport, server)
        call = Call("getMe", repeatable=True)
        client.call(call)
        proxy.script(Fault.auth_required(), Fault.auth_required())
        assert client.call(call)["is_bot"] is True
        assert proxy.struck["auth_required"] == 2
        transport.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "status 403"),
        (b"HTTP/1.0 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nabc", "status 502"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n", "status 302"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1\r\n\r\n", "status"),
        (b"HTTP/1.1 200 OK\r\n\r\nwelcome", "something of its own"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000, "no end"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nX: y", "closed the connection"),
    ],
)
def test_odd_answers_to_connect(answer: bytes, words: str, ca: TestCA) -> None:
    """Whatever a proxy says to CONNECT that is no tunnel: nothing was sent, and the error says what it was."""

    def serve(line: Line) -> None:
        line.head()
        line.sock.sendall(answer)
        line.sock.shutdown(socket.SHUT_WR)
        line.hold()

    with Peer(serve) as peer:
        outcome = through(ca, [f"http://127.0.0.1:{peer.port}"], Request("https://api.example/x", "getMe", body=b"", timeout=20.0))
    assert isinstance(outcome.error, NotSent)
    assert not isinstance(outcome.error, ProxyAuthRequired)
    assert outcome.error.stage == "proxy"
    assert words in str(outcome.error)


def test_the_tunnel_is_asked_for_as_the_rules_have_it(ca: TestCA) -> None:
    """CONNECT with host and port, a Host header, and the credentials in UTF-8; nothing else, the bot's token least of all."""
    heads: list[bytes] = []

    def serve(line: Line) -> None:
        heads.append(line.head())

    with Peer(serve) as peer:
        through(ca, [f"http://us%C3%A9r:p%40ss@127.0.0.1:{peer.port}"], Request("https://api.example/botTOKEN/x", "x", body=b"", timeout=20.0))
    credentials = base64.b64encode("usér:p@ss".encode())
    assert heads == [b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nProxy-Authorization: Basic " + credentials + b"\r\n\r\n"]


@pytest.mark.parametrize("code", range(1, 9))
def test_refusals_of_socks5(code: int, ca: TestCA) -> None:
    """A SOCKS5 proxy that cannot reach the target: nothing was sent, and its reason is told."""
    with Peer(lambda line: socks5(line, code)) as peer:
        outcome = through(ca, [f"socks5h://127.0.0.1:{peer.port}"], Request("https://api.example/x", "getMe", body=b"", timeout=20.0))
    assert isinstance(outcome.error, NotSent)
    assert not isinstance(outcome.error, ProxyAuthRequired)
    assert outcome.error.retryable
    assert "SOCKS" in str(outcome.error)
    assert f"{code:#04x}" in str(outcome.error)


# --- Plain HTTP, as to a Bot API server in one's own network.


def test_plain_http_through_an_http_proxy_takes_the_full_url(ca: TestCA) -> None:
    """Without TLS there is no tunnel: the proxy gets the absolute URL, its credentials and the server's Host header."""
    heads: list[bytes] = []

    def serve(line: Line) -> None:
        heads.append(line.request())
        line.sock.sendall(OK)

    with Peer(serve) as peer:
        request = Request("http://api.example:8081/botTOKEN/getMe?a=b", "getMe", body=b"{}")
        assert through(ca, [f"http://user:pass@127.0.0.1:{peer.port}"], request).error is None
    lines = heads[0].split(b"\r\n")
    assert lines[0] == b"POST http://api.example:8081/botTOKEN/getMe?a=b HTTP/1.1"
    assert b"Host: api.example:8081" in lines
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"user:pass") in lines


@pytest.mark.parametrize("kind", ["http", "https", "socks4", "socks5", "socks5h"])
def test_plain_http_passes_through_every_kind_of_proxy(kind: str, ca: TestCA) -> None:
    """A base URL with http:// works through all of them, and the server never sees the proxy's credentials."""
    with BotApiServer() as server, proxy_at(ca, kind, server, username="user", password="" if kind == "socks4" else "secret") as proxy:
        request = Request(f"http://{HOST}:{server.port}/bot{server.token}/getMe", "getMe", body=b"")
        outcome = through(ca, [proxy.url_for(kind)], request)
        assert outcome.error is None
        assert outcome.answer is not None
        assert outcome.answer.status == 200
        assert "proxy-authorization" not in server.requests[-1].headers


def test_407_to_plain_http_is_a_matter_of_credentials_too(ca: TestCA) -> None:
    """Also where the proxy answers the request itself, it is the proxy that refuses, and nothing was sent."""
    with BotApiServer() as server, proxy_at(ca, "http", server, username="user", password="right") as proxy:
        request = Request(f"{server.url}/bot{server.token}/getMe", "getMe", body=b"")
        outcome = through(ca, [f"http://user:wrong@127.0.0.1:{proxy.port}"], request)
        assert isinstance(outcome.error, ProxyAuthRequired)
        assert server.count() == 0


# --- NO_PROXY.


@pytest.mark.parametrize(("no_proxy", "opened"), [("127.0.0.1", 0), ("127.0.0.0/8", 0), ("*", 0), ("127.0.0.1:1", 1), ("example.org", 1), ("", 1)])
def test_no_proxy_exempts_the_server(no_proxy: str, opened: int, ca: TestCA, server: BotApiServer) -> None:
    """A server that NO_PROXY names is reached directly, any other through the proxy."""
    with proxy_at(ca, "http", server) as proxy:
        outcome = through(ca, [proxy.url], get_me(server, "127.0.0.1"), no_proxy=no_proxy)
        assert outcome.answer is not None
        assert proxy.opened == opened
        assert (outcome.answer.proxy == "direct") is (opened == 0)


# --- The list.


def client_of(transport: OneShotTransport, server: BotApiServer, retry: RetryPolicy | None = None, clock: Callable[[], float] = time.monotonic) -> Client:
    policy = retry or RetryPolicy(first_wait=0.01)
    return Client(server.token, transport, base_url=server.url, timeout=20.0, deadline=40.0, retry=policy, limiter=None, clock=clock)


class ShiftedClock:
    """The system's clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def test_the_next_proxy_serves_while_the_preferred_one_rests(ca: TestCA, server: BotApiServer) -> None:
    """A failing proxy is left at once, without a wait, until its rest is over; then the calls come back to it."""
    clock = ShiftedClock()
    with proxy_at(ca, "http", server) as first, proxy_at(ca, "http", server) as second:
        ways = [Proxy.parse(first.url), Proxy.parse(second.url_for("socks5h"))]
        transport = OneShotTransport(ways, ca_file=Path(ca.ca_file), cool_down=300.0, clock=clock)
        client = client_of(transport, server, RetryPolicy(first_wait=1000.0, longest_wait=1000.0), clock)
        call = Call("getMe", repeatable=True)
        client.call(call)
        assert (first.opened, second.opened) == (1, 0)
        with first.refuse_connections():
            for _ in range(3):
                client.call(call)
        assert (first.opened, second.opened) == (1, 3)
        clock.ahead = 250.0
        client.call(call)
        assert (first.opened, second.opened) == (1, 4)
        clock.ahead = 310.0
        client.call(call)
        assert (first.opened, second.opened) == (2, 4)
        transport.close()


def test_wrong_credentials_of_one_proxy_do_not_stop_the_next(ca: TestCA, server: BotApiServer) -> None:
    """With another way at hand, a 407 is not the end."""
    with proxy_at(ca, "http", server, username="user", password="right") as first, proxy_at(ca, "http", server) as second:
        transport = OneShotTransport([Proxy.parse(first.url_for("http", credentials=False)), Proxy.parse(second.url)], ca_file=Path(ca.ca_file))
        assert client_of(transport, server).call(Call("getMe", repeatable=True))["is_bot"]
        assert (first.opened, second.opened) == (1, 1)
        transport.close()


def test_when_every_way_fails_the_call_ends_with_the_last_error(ca: TestCA, server: BotApiServer) -> None:
    """All proxies down: NotSent, after as many attempts as are allowed, each way tried."""
    ports = [free_port(), free_port()]
    transport = OneShotTransport([Proxy("http", "127.0.0.1", port) for port in ports], ca_file=Path(ca.ca_file))
    with pytest.raises(NotSent) as caught:
        client_of(transport, server, RetryPolicy(attempts=4, first_wait=0.01)).call(Call("sendMessage"))
    transport.close()
    assert caught.value.attempts == 4


def test_a_message_is_not_repeated_through_another_proxy_once_it_may_have_been_carried_out(ca: TestCA, server: BotApiServer) -> None:
    """Fail-over obeys the phase: after the first byte of the request the next proxy does not get the same message."""
    with proxy_at(ca, "http", server) as first, proxy_at(ca, "http", server) as second:
        first.script(Fault.cut_before_answer())
        transport = OneShotTransport([Proxy.parse(first.url), Proxy.parse(second.url)], ca_file=Path(ca.ca_file))
        server.user(id=77)
        message = Encoded({"chat_id": "77", "text": "only once"})
        with pytest.raises(NetworkError):
            client_of(transport, server).call(Call("sendMessage", message))
        assert server.count_text("only once") == 1
        assert second.opened == 0
        client_of(transport, server).call(Call("getMe"))
        assert second.opened == 1, "the proxy that cut rests all the same"
        transport.close()


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


A, B, C = (Proxy("http", name, 1) for name in "abc")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_ways_rest_and_come_back_in_order_of_preference(clock: FakeClock) -> None:
    """The first one awake serves; with all at rest, the one that wakes first."""
    ways = Ways([A, B, C], 30.0, clock)
    assert ways.pick() == A
    assert ways.failed(A) is True
    assert ways.pick() == B
    clock.now += 1
    assert ways.failed(B) is True
    assert ways.pick() == C
    clock.now += 1
    assert ways.failed(C) is False
    assert ways.pick() == A, "it wakes in 28 s, the others later"
    ways.worked(C)
    assert ways.pick() == C
    clock.now += 29.0
    assert ways.pick() == A


def test_each_failure_in_a_row_doubles_the_rest_up_to_a_bound(clock: FakeClock) -> None:
    """30 s, 60 s, 120 s, … 600 s; one success and it begins anew."""
    ways = Ways([A, B], 30.0, clock)

    def rest() -> float:
        ways.failed(A)
        begin = clock.now
        while ways.pick() == B:
            clock.now += 0.5
        return clock.now - begin

    assert [rest() for _ in range(7)] == [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, LONGEST_COOL_DOWN_SECONDS]
    ways.worked(A)
    assert rest() == 30.0


def test_calls_that_fail_together_count_once(clock: FakeClock) -> None:
    """Eight threads that hit the same dead proxy do not make it rest for an hour."""
    ways = Ways([A, B], 30.0, clock)
    for _ in range(8):
        ways.failed(A)
    clock.now += 30.0
    assert ways.pick() == A


def test_a_way_that_works_again_while_it_rests_is_preferred_at_once(clock: FakeClock) -> None:
    """A call that began before the failure and succeeds ends the rest."""
    ways = Ways([A, B], 30.0, clock)
    ways.failed(A)
    ways.worked(A)
    assert ways.pick() == A


def test_a_single_way_never_rests_and_doubles_are_dropped(clock: FakeClock) -> None:
    """With one way there is nothing to choose; the same proxy twice is one way."""
    ways = Ways([A, A], 30.0, clock)
    assert ways.proxies == (A,)
    assert ways.failed(A) is False
    assert ways.pick() == A
    assert Ways().proxies == (DIRECT,)


# --- The look-up.


def counting(addresses: list[Address]) -> tuple[list[str], Callable[[str, int, int], list[Address]]]:
    asked: list[str] = []

    def look_up(host: str, port: int, family: int) -> list[Address]:
        asked.append(host)
        return addresses

    return asked, look_up


ONE: list[Address] = [(socket.AF_INET, ("127.0.0.1", 1))]
TWO: list[Address] = [*ONE, (socket.AF_INET, ("127.0.0.2", 1))]


def test_nothing_is_cached_unless_it_is_asked_for(clock: FakeClock) -> None:
    """Each look-up asks anew; with `cache_seconds` an answer is kept so long, by host and port."""
    asked, look_up = counting(ONE)
    plain = Resolver(clock=clock, look_up=look_up)
    assert plain.look_up("a", 1) == plain.look_up("a", 1) == ONE
    assert asked == ["a", "a"]
    asked.clear()
    caching = Resolver(clock=clock, look_up=look_up, cache_seconds=60.0)
    for host, port in (("a", 1), ("a", 1), ("b", 1), ("a", 2)):
        caching.look_up(host, port)
    assert asked == ["a", "b", "a"]
    clock.now += 61.0
    caching.look_up("a", 1)
    assert asked == ["a", "b", "a", "a"]


def test_what_the_caller_does_with_the_addresses_does_not_reach_the_cache(clock: FakeClock) -> None:
    """Each caller gets a list of its own."""
    _, look_up = counting(ONE)
    resolver = Resolver(clock=clock, look_up=look_up, cache_seconds=60.0)
    resolver.look_up("a", 1).clear()
    assert resolver.look_up("a", 1) == ONE


def test_addresses_that_failed_come_last_for_a_while(clock: FakeClock) -> None:
    """The order of the system returns when five minutes are over."""
    resolver = Resolver(clock=clock, look_up=counting(TWO)[1])
    resolver.failed(TWO[0])
    assert resolver.look_up("a", 1) == TWO[::-1]
    clock.now += 301.0
    assert resolver.look_up("a", 1) == TWO


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "under..dots"])
def test_a_name_that_cannot_be_looked_up_is_not_sent(host: str) -> None:
    """An unknown or impossible name fails as NotSent in the look-up."""
    transport = OneShotTransport()
    outcome = send(transport, Request(f"http://{host}/", "getMe", timeout=20.0))
    transport.close()
    assert isinstance(outcome.error, NotSent)
    assert outcome.error.stage == "resolve"
    assert "name look-up failed" in str(outcome.error)


def test_the_systems_own_look_up_knows_families() -> None:
    """Without a look-up of one's own the system is asked, for IPv4 alone where that is wanted."""
    assert (socket.AF_INET, ("127.0.0.1", 5)) in Resolver().look_up("localhost", 5)
    assert Resolver(ipv4=True).look_up("localhost", 5) == [(socket.AF_INET, ("127.0.0.1", 5))]
