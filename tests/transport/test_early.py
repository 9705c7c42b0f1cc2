"""The early opening: learned on connections that no call waits for, kept as a habit, given up where a way does not take it; and never a call lost by it."""

from __future__ import annotations

import hashlib
import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from kits.timing_kit import soon
from kits.transport_kit import TOLERANCE_SECONDS, Line, Peer, becomes, open_descriptors, send

from syncbot.errors import NotSent, Phase
from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA
from syncbot.testing.certs import CertificateKind
from syncbot.transport import OneShotTransport
from syncbot.transport.learned import Learned
from syncbot.types import Early, Proxy, Request

USERNAME, PASSWORD = "us er@1", "s3cret:word/é"
WAYS = ["http", "https", "socks5", "socks5h", "http with a password", "socks5h with a password"]
PATIENCE_SECONDS = 0.5
"""The least that an early opening is waited for."""
QUICK_SECONDS, SLOW_SECONDS = 0.01, 20.0
"""How long openings take on a way that is waited for so, and on one that is waited for as long as there is time."""


def a_proxy(way: str, ca: TestCA, **options: bool) -> FaultProxy:
    kind, _, password = way.partition(" ")
    credentials = (USERNAME, PASSWORD) if password else ("", "")
    tls = ca.server_context() if kind == "https" else None
    return FaultProxy(kind, tls=tls, username=credentials[0], password=credentials[1], **options)


def through(proxy_url: str, ca: TestCA, early: Early = "learn") -> OneShotTransport:
    return OneShotTransport([Proxy.parse(proxy_url)], ca_file=Path(ca.ca_file), early=early)


def get_me(server: BotApiServer, *, wait: float = 0.0, **options: object) -> Request:
    """A call; with `wait` a poll, which nobody waits for so much."""
    return Request(f"{server.url}/bot{server.token}/getMe", "getMe", body=b"", wait=wait, **{"timeout": 20.0, **options})  # type: ignore[arg-type]  # the names are its own


def call(transport: OneShotTransport, request: Request, times: int = 1) -> None:
    for _ in range(times):
        outcome = send(transport, request)
        assert outcome.error is None, outcome.error


def name_of_way(proxy_url: str, server_port: int) -> str:
    proxy = Proxy.parse(proxy_url)
    return f"{proxy.scheme}://{'*@' if proxy.username else ''}{proxy.host}:{proxy.port} 127.0.0.1:{server_port}"


def with_habit(proxy_url: str, server_port: int, ca: TestCA, seconds: float = SLOW_SECONDS) -> OneShotTransport:
    """A transport that has learned before that the way takes it, and how many seconds an opening takes there."""
    transport = through(proxy_url, ca)
    transport.learned.take({"ways": {name_of_way(proxy_url, server_port): {"recent": "www", "seconds": seconds, "not_before": 0.0}}})
    return transport


def be_patient(transport: OneShotTransport, proxy: FaultProxy, server: BotApiServer) -> None:
    """The ordinary opening before took long, as far as the transport knows: an early one that a busy machine holds up is waited for."""
    transport.learned.opened(name_of_way(proxy.url, server.port), SLOW_SECONDS)


# ---------------------------------------------------------------------- learning


@pytest.mark.parametrize("way", WAYS)
def test_three_trials_make_a_habit(way: str, ca: TestCA, api: BotApiServer) -> None:
    """Polls try it from the second one on, once at a time; after three that went well calls are opened so too, each in one piece, with resumed sessions."""
    with a_proxy(way, ca) as proxy, closing(through(proxy.url, ca)) as transport:
        call(transport, get_me(api))
        assert proxy.came_early == 0
        be_patient(transport, proxy, api)
        call(transport, get_me(api, wait=1.0), times=2)
        call(transport, get_me(api))
        assert proxy.came_early == 2, "the habit of calls begins with the third one that went well"
        be_patient(transport, proxy, api)
        call(transport, get_me(api, wait=1.0))
        call(transport, get_me(api), times=3)
        assert (proxy.came_early, proxy.came_in_one) == (6, 6)
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        api.wait_closed()
        assert (api.count("getMe"), api.max_requests_per_connection) == (8, 1)


@pytest.mark.parametrize("way", ["http", "socks5h with a password"])
def test_calls_alone_try_nothing(way: str, ca: TestCA, api: BotApiServer) -> None:
    """What a call waits for is opened step by step, however many there are, as long as nobody has learned the way."""
    with a_proxy(way, ca) as proxy, closing(through(proxy.url, ca)) as transport:
        call(transport, get_me(api), times=12)
        assert proxy.came_early == 0


def test_spares_try_it(ca: TestCA, api: BotApiServer) -> None:
    """Connections that are opened ahead try it, and what they learn serves the calls that find none."""
    with FaultProxy() as proxy:
        transport = OneShotTransport([Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file), ahead=3)
        with closing(transport):
            assert becomes(lambda: send(transport, get_me(api)).error is None and "www" in json.dumps(transport.learned.facts()))
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        assert 3 <= proxy.came_early == proxy.came_in_one


@pytest.mark.parametrize("way", ["http", "https", "socks5h", "socks5h with a password"])
def test_a_way_that_drops_it_is_tried_twice_a_day(way: str, ca: TestCA, api: BotApiServer) -> None:
    """Two trials fail, each beside an opening that succeeds; then no more is tried, no call has met one, and none has failed."""
    with a_proxy(way, ca, drops_early=True) as proxy, closing(through(proxy.url, ca)) as transport:
        for _ in range(4):
            call(transport, get_me(api, wait=1.0))
            call(transport, get_me(api), times=2)
        assert proxy.came_early == 2
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        api.wait_closed()
        assert (api.count("getMe"), api.max_requests_per_connection) == (12, 1)


@pytest.mark.parametrize("way", ["http", "https", "socks5h with a password"])
def test_a_way_that_changes_its_mind_costs_no_call(way: str, ca: TestCA, api: BotApiServer) -> None:
    """A proxy that takes it no more, in the middle: two calls wait for a moment, are opened beside it and succeed, and the habit is over."""
    with a_proxy(way, ca) as proxy, closing(with_habit(proxy.url, api.port, ca, QUICK_SECONDS)) as transport:
        proxy.drops_early = True
        descriptors = open_descriptors()
        started = time.monotonic()
        call(transport, get_me(api), times=6)
        assert proxy.came_early == 2
        assert time.monotonic() - started >= 2 * PATIENCE_SECONDS
        assert proxy.wait_for(lambda: proxy.open_now == 0), "what was given up is closed, and not kept until the end of a poll"
        api.wait_closed()
        assert api.count("getMe") == 6
        assert becomes(lambda: open_descriptors() <= descriptors)


@pytest.mark.parametrize("calls", [120, pytest.param(300, marks=pytest.mark.slow)])
def test_eight_threads_lose_nothing_when_it_changes_its_mind(ca: TestCA, api: BotApiServer, calls: int) -> None:
    """In the middle of many calls, with connections standing ready for them: each of them is answered, and carried out once."""
    with FaultProxy(username=USERNAME, password=PASSWORD) as proxy:
        transport = OneShotTransport([Proxy.parse(proxy.url_for("socks5h"))], ca_file=Path(ca.ca_file), ahead="auto")
        with closing(transport):
            call(transport, get_me(api, wait=1.0), times=4)

            def one(number: int) -> BaseException | None:
                if number == calls // 3:
                    proxy.drops_early = True
                return send(transport, get_me(api)).error

            with ThreadPoolExecutor(8) as pool:
                assert [error for error in pool.map(one, range(calls)) if error is not None] == []
            before = proxy.came_early
            call(transport, get_me(api), times=5)
            assert proxy.came_early == before, "the habit is over"
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        api.wait_closed()
        assert (api.count("getMe"), api.max_requests_per_connection) == (calls + 9, 1)


def test_what_is_given_up_is_closed_while_the_poll_goes_on(ca: TestCA, api: BotApiServer) -> None:
    """An early opening that was not answered does not stand beside the poll that was opened instead of it."""
    with FaultProxy(drops_early=True) as proxy, closing(through(proxy.url, ca)) as transport:
        call(transport, get_me(api))
        poll = Request(f"{api.url}/bot{api.token}/getUpdates?timeout=30", "getUpdates", body=b"", wait=30.0)
        thread = threading.Thread(target=send, args=(transport, poll))
        thread.start()
        api.wait_polled()
        assert proxy.came_early == 1
        assert proxy.wait_for(lambda: proxy.open_now == 1)
        transport.close()
        thread.join(20.0)


@pytest.mark.parametrize("fault", [Fault.tls_drop(), Fault.tls_garbage(), Fault.bad_gateway(), Fault.drop_connect(reset=True)], ids=lambda fault: fault.name)
def test_a_failure_counts_only_where_another_opening_succeeds(fault: Fault, ca: TestCA, api: BotApiServer) -> None:
    """Where an ordinary opening fails right after it too, nothing is learned from that; where it succeeds, a call has not failed."""
    with FaultProxy() as proxy, closing(with_habit(proxy.url, api.port, ca)) as transport:
        for _ in range(3):
            proxy.script(fault, fault)
            assert isinstance(send(transport, get_me(api)).error, NotSent)
        assert [(facts["recent"], facts["seconds"]) for facts in transport.learned.facts()["ways"].values()] == [("www", SLOW_SECONDS)]
        proxy.script(fault)
        call(transport, get_me(api))
        assert '"wwwb"' in json.dumps(transport.learned.facts())
        call(transport, get_me(api))
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        assert api.count("getMe") == 2


@pytest.mark.parametrize("kind", ["expired", "wrong_host"])
def test_a_certificate_is_checked_as_ever(kind: CertificateKind, ca: TestCA, api: BotApiServer) -> None:
    """A certificate that is not right ends an early opening as it ends any other, at once and without a second connection."""
    api.use_certificate(kind)
    with FaultProxy() as proxy, closing(with_habit(proxy.url, api.port, ca)) as transport:
        outcome = send(transport, get_me(api))
        assert isinstance(outcome.error, NotSent)
        assert (outcome.error.stage, outcome.error.retryable, proxy.opened, api.count()) == ("tls", False, 1, 0)


def test_the_switch(ca: TestCA, api: BotApiServer) -> None:
    """ "never" tries nothing, polls or not; "always" asks nobody, and goes on in the ordinary way where it has to."""
    with FaultProxy() as proxy:
        with closing(through(proxy.url, ca, "never")) as transport:
            call(transport, get_me(api, wait=1.0), times=6)
            assert proxy.came_early == 0
        with closing(through(proxy.url, ca, "always")) as transport:
            call(transport, get_me(api), times=2)
            assert proxy.came_early == 2
            proxy.drops_early = True
            call(transport, get_me(api))
            assert proxy.came_early == 3


@pytest.mark.parametrize("url", ["socks4://127.0.0.1:{}", "direct"])
def test_other_ways_have_none(url: str, ca: TestCA, api: BotApiServer) -> None:
    """SOCKS4 and a direct way are opened as ever, whatever is asked for, and so is a way to a server without TLS."""
    with FaultProxy() as proxy, closing(through(url.format(proxy.port), ca, "always")) as transport:
        call(transport, get_me(api, wait=1.0), times=2)
        assert proxy.came_early == 0


def test_a_plain_server_has_none(ca: TestCA) -> None:
    """Without TLS there is nothing to write early."""
    with BotApiServer() as server, FaultProxy() as proxy, closing(through(proxy.url_for("socks5h"), ca, "always")) as transport:
        call(transport, get_me(server, wait=1.0), times=2)
        assert proxy.came_early == 0


# ---------------------------------------------------------------------- time, in every state


def silent(line: Line) -> None:
    line.hold()


def dripping_answer(line: Line) -> None:
    line.head()
    line.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: abc\r\n" * 500)


def silent_in_tls(line: Line) -> None:
    line.head()
    line.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    line.hold()


def dripping_tls(line: Line) -> None:
    line.head()
    line.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    line.exactly(5)
    line.drip(b"\x16\x03\x03\x40\x00" + bytes(16_384))


STATES: list[Callable[[Line], None]] = [silent, dripping_answer, silent_in_tls, dripping_tls]


@pytest.mark.parametrize("state", STATES)
def test_a_deadline_holds_in_every_state(state: Callable[[Line], None], ca: TestCA) -> None:
    """Wherever an early opening and the one beside it are held up: the attempt ends when it was told to, is NotSent, and leaves nothing open."""

    def in_time() -> float:
        with Peer(state) as peer, closing(with_habit(f"http://127.0.0.1:{peer.port}", 443, ca, QUICK_SECONDS)) as transport:
            descriptors = open_descriptors()
            outcome = send(transport, Request("https://127.0.0.1/", "getMe", body=b"", timeout=2.0))
            assert isinstance(outcome.error, NotSent)
            assert outcome.error.timed_out
            assert peer.accepted == 2, "the second one beside the first"
            assert becomes(lambda: open_descriptors() <= descriptors)
        return outcome.seconds - 2.0

    assert soon(TOLERANCE_SECONDS, in_time)


@pytest.mark.parametrize("state", STATES)
def test_an_abort_ends_it_in_every_state(state: Callable[[Line], None], ca: TestCA) -> None:
    """From another thread it is ended at once, and no other opening is begun instead."""
    reached = threading.Semaphore(0)

    def serve(line: Line) -> None:
        reached.release()
        state(line)

    with Peer(serve) as peer, closing(with_habit(f"http://127.0.0.1:{peer.port}", 443, ca)) as transport:
        found: list[object] = []
        request = Request("https://127.0.0.1/", "getMe", body=b"", timeout=60.0, scope="poll")
        thread = threading.Thread(target=lambda: found.append(send(transport, request).error))
        thread.start()
        assert reached.acquire(timeout=20.0)
        assert becomes(lambda: transport.abort("poll") == 1)
        thread.join(20.0)
        assert [str(error) for error in found] == ["aborted"]
        assert peer.accepted == 1


def test_one_that_comes_late_is_no_failure(ca: TestCA, api: BotApiServer) -> None:
    """A way that has become slow is not taken for one that drops: the next opening is given more time."""
    opened, answered = threading.Event(), threading.Event()

    def serve(line: Line) -> None:
        line.exactly(3)
        if peer.accepted == 1:
            assert opened.wait(20.0)
            line.sock.sendall(b"\x05\x00")
            answered.set()
            line.hold()
        else:
            opened.set()
            assert answered.wait(20.0)
            line.sock.sendall(b"\x05\x00")
            line.exactly(10)
            line.sock.sendall(b"\x05\x00\x00\x01" + bytes(6))
            relay_to(line, api.port)

    url = "socks5h://127.0.0.1:{}"
    with Peer(serve) as peer, closing(with_habit(url.format(peer.port), api.port, ca, QUICK_SECONDS)) as transport:
        way = name_of_way(url.format(peer.port), api.port)
        call(transport, get_me(api))
        assert transport.learned.way(way).recent == "www"
        assert transport.learned.way(way).patience_seconds >= 3 * PATIENCE_SECONDS


def relay_to(line: Line, port: int) -> None:
    """Pass bytes on to a server until one side ends."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        pairs = {line.sock: server, server: line.sock}
        while not line.over.is_set():
            for sock in select.select(list(pairs), [], [], 1.0)[0]:
                if not (data := sock.recv(65_536)):
                    return
                pairs[sock].sendall(data)


# ---------------------------------------------------------------------- what is carried


@pytest.mark.parametrize("way", ["http", "https", "socks5h with a password"])
def test_large_bodies_pass_both_ways(way: str, ca: TestCA, api: BotApiServer) -> None:
    """Megabytes go up and come down over memory buffers as they are."""
    content = bytes(range(256)) * 20_000
    with a_proxy(way, ca) as proxy, closing(through(proxy.url, ca, "always")) as transport:
        head = b'--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n42\r\n--b\r\n'
        head += b'Content-Disposition: form-data; name="document"; filename="a.bin"\r\n\r\n'
        request = Request(
            f"{api.url}/bot{api.token}/sendDocument",
            "sendDocument",
            headers={"Content-Type": "multipart/form-data; boundary=b"},
            body=head + content + b"\r\n--b--\r\n",
        )
        api.user(id=42)
        outcome = send(transport, request)
        assert outcome.error is None, outcome.error
        assert outcome.answer is not None
        assert api.requests_for("sendDocument")[0].file("document").sha256 == hashlib.sha256(content).hexdigest()
        path = json.loads(send(transport, Request(f"{api.url}/bot{api.token}/getFile?file_id={file_id(outcome.answer.body)}", "getFile", body=b"")).answer.body)  # type: ignore[union-attr]  # else the test fails
        loaded = send(transport, Request(f"{api.url}/file/bot{api.token}/{path['result']['file_path']}", "download", "GET"))
        assert loaded.answer is not None
        assert loaded.answer.body == content
        assert proxy.came_early == 3


def file_id(body: bytes) -> str:
    return str(json.loads(body)["result"]["document"]["file_id"])


def test_sessions_are_resumed(ca: TestCA, api: BotApiServer) -> None:
    """The second early opening brings no certificates any more."""
    with FaultProxy() as proxy, closing(through(proxy.url, ca, "always")) as transport:
        sizes = []
        for _ in range(2):
            before = proxy.bytes_down
            be_patient(transport, proxy, api)
            call(transport, get_me(api))
            assert proxy.wait_for(lambda: proxy.open_now == 0)
            sizes.append(proxy.bytes_down - before)
        assert sizes[1] < sizes[0] - 300


@pytest.mark.parametrize("fault", [Fault.cut_response(), Fault.never_answer()], ids=lambda fault: fault.name)
def test_what_follows_the_request_may_have_been_sent(fault: Fault, ca: TestCA, api: BotApiServer) -> None:
    """From the first byte of the request on a failure is no longer NotSent, over memory buffers too."""
    with FaultProxy() as proxy, closing(with_habit(proxy.url, api.port, ca)) as transport:
        proxy.script(fault)
        outcome = send(transport, get_me(api, timeout=2.0))
        assert outcome.failure.phase is Phase.MAYBE_SENT
        assert proxy.opened == 1


# ---------------------------------------------------------------------- what is remembered


@pytest.fixture
def learned() -> Learned:
    return Learned(clock=lambda: 1000.0)


def test_what_was_learned_holds_no_credentials(ca: TestCA, api: BotApiServer) -> None:
    """The name of a way says that there are some, and no more."""
    with a_proxy("socks5h with a password", ca) as proxy, closing(through(proxy.url, ca)) as transport:
        call(transport, get_me(api, wait=1.0), times=4)
        facts = json.dumps(transport.learned.facts())
        assert f"socks5h://*@127.0.0.1:{proxy.port} 127.0.0.1:{api.port}" in facts
        assert [secret for secret in ("s3cret", "us er", "us%20er") if secret in facts] == []


def test_a_later_process_goes_on_with_it(ca: TestCA, api: BotApiServer) -> None:
    """What one transport has learned, by way of JSON, serves another one at its first call."""
    with FaultProxy() as proxy:
        with closing(through(proxy.url, ca)) as transport:
            call(transport, get_me(api, wait=1.0))
            be_patient(transport, proxy, api)
            call(transport, get_me(api, wait=1.0), times=3)
            kept = json.dumps(transport.learned.facts())
        before = proxy.came_early
        with closing(through(proxy.url, ca)) as transport:
            transport.learned.take(json.loads(kept))
            call(transport, get_me(api))
        assert proxy.came_early == before + 1


def test_a_day_without(learned: Learned) -> None:
    """Two failures of the last ten end it for a day, in which nothing is tried; then it is learned anew, with three that go well."""
    now = [1000.0]
    learned = Learned(clock=lambda: now[0])
    learned.opened("way", 0.1)
    for well in (True, True, True, False, True, True, False):
        assert learned.begin_early("way", waited_for=False)
        learned.end_early("way", well, 0.1)
    assert not learned.begin_early("way", waited_for=True)
    now[0] += 86_399
    assert not learned.begin_early("way", waited_for=False)
    now[0] += 2
    assert learned.begin_early("way", waited_for=False)
    assert not learned.begin_early("way", waited_for=False), "one trial at a time"
    learned.end_early("way", True, 0.1)
    assert not learned.begin_early("way", waited_for=True)


def test_failures_far_apart_do_not_end_it(learned: Learned) -> None:
    """One failure in ten is an accident."""
    learned.opened("way", 0.1)
    for number in range(60):
        assert learned.begin_early("way", waited_for=number > 2)
        learned.end_early("way", number % 10 != 5, 0.1)


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        [],
        "x",
        {"ways": [], "servers": 5},
        {"ways": {"w": 5, "v": {"recent": "wwwx", "seconds": 1, "not_before": 0}, "u": {"recent": "w" * 11, "seconds": 1, "not_before": 0}}},
        {"ways": {"w": {"recent": "www", "seconds": float("nan"), "not_before": 0}, "v": {"recent": "www", "seconds": 1, "not_before": -1}}},
        {"ways": {"w": {"recent": "www", "seconds": True, "not_before": 10**400}}, "servers": {"s": {"lean": 1, "until": 5}, "t": {"lean": True}}},
    ],
)
def test_what_makes_no_sense_is_left_out(nonsense: object, learned: Learned) -> None:
    """Whatever stands in the file of an earlier process, or was put there: nothing is taken for known that cannot be."""
    learned.take(nonsense)
    assert learned.facts() == {"ways": {}, "servers": {}}


def test_a_clock_that_was_put_back_keeps_nothing_for_years(learned: Learned) -> None:
    """A day is a day, whatever the file says."""
    learned.take({"ways": {"w": {"recent": "", "seconds": 1, "not_before": 1e11}}, "servers": {"s": {"lean": True, "until": 1e11}}})
    assert learned.facts()["ways"]["w"]["not_before"] == 1000.0 + 86_400
    assert learned.facts()["servers"]["s"]["until"] == 1000.0 + 86_400


def test_no_tls_that_is_not_checked(ca: TestCA, api: BotApiServer) -> None:
    """A proxy that puts itself in the server's place with a certificate of another authority is refused."""
    with TestCA() as other:
        context: ssl.SSLContext = other.server_context()

    def serve(line: Line) -> None:
        line.head()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        context.wrap_socket(line.sock, server_side=True)

    with Peer(serve) as peer, closing(with_habit(f"http://127.0.0.1:{peer.port}", api.port, ca)) as transport:
        outcome = send(transport, get_me(api))
        assert isinstance(outcome.error, NotSent)
        assert "certificate is not accepted" in str(outcome.error)
