"""Every attempt and every call is over in time, whatever the peer does, and a stop or a close ends what waits."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from kits.background_kit import Background
from kits.ports_kit import free_port
from kits.timing_kit import soon, tried
from kits.transport_kit import OK, TOLERANCE_SECONDS, Line, Peer, Script, answering, becomes, dead_addresses, send, socks5

from syncbot.client.client import Call, Client
from syncbot.client.limits import Limiter, Limits
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NotSent, Phase
from syncbot.testing import BotApiServer, TestCA
from syncbot.transport import OneShotTransport
from syncbot.transport.dialing.dialer import Dialer, Target
from syncbot.transport.dialing.resolver import Address, Resolver
from syncbot.transport.secure.tls import Tls
from syncbot.transport.watchdog import Watchdog
from syncbot.types import DIRECT, Proxy, Request

TIMEOUT_SECONDS = 0.4


@dataclass(frozen=True)
class Zeros:
    """A body of zeros that streams."""

    size: int

    def __iter__(self) -> Iterator[bytes]:
        for begin in range(0, self.size, 65_536):
            yield bytes(min(65_536, self.size - begin))


def request(peer: Peer | None = None, **fields: object) -> Request:
    """A request to a peer."""
    url = f"{peer.url}/botTOKEN/getMe" if peer else f"http://127.0.0.1:{free_port()}/"
    return replace(Request(url, "getMe", body=b"{}", timeout=TIMEOUT_SECONDS), **fields)  # type: ignore[arg-type]  # replace checks the names


# --- Each stage.


def silent(line: Line) -> None:
    line.hold()


def no_head(line: Line) -> None:
    line.request()
    line.hold()


def drips_connect(line: Line) -> None:
    line.head()
    line.drip(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 500)


def drips_socks4(line: Line) -> None:
    line.exactly(9)
    line.drip(b"\x00\x5a\x00\x00\x00\x00\x00\x00", 0.6)


def drips_socks5(line: Line) -> None:
    line.exactly(3)
    line.sock.sendall(b"\x05\x00")
    line.drip(b"\x05\x00\x00\x03\xff" + b"x" * 257)


def stalls_after_socks5(line: Line) -> None:
    socks5(line)
    line.hold()


def drips_handshake(line: Line) -> None:
    line.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + b"\x03" * 300)


def drips_status(line: Line) -> None:
    line.request()
    line.drip(OK, 0.1)


def drips_headers(line: Line) -> None:
    line.request()
    line.sock.sendall(b"HTTP/1.1 200 OK\r\n")
    line.drip(b"X-A: b\r\n" * 50)


def says_continue_for_ever(line: Line) -> None:
    line.request()
    line.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 20, 0.005)
    line.hold()


def drips_body(line: Line) -> None:
    line.request()
    line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
    line.drip(b" " * 200)


def drips_body_without_length(line: Line) -> None:
    line.request()
    line.sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"ok":true,"result":{}}')
    line.drip(b" " * 200)


def drips_chunks(line: Line) -> None:
    line.request()
    line.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.drip(b"1\r\n \r\n" * 50)


def never_reads(line: Line) -> None:
    line.head()
    line.hold()


@dataclass(frozen=True)
class Stage:
    """What the peer does, how the client gets there, and what has to be said of it."""

    script: Script
    stage: str
    proxy: str = ""
    peer_tls: bool = False
    target_tls: bool = False
    body_bytes: int = 0


STAGES = [
    Stage(drips_connect, "proxy", "http", target_tls=True),
    Stage(silent, "proxy", "http", target_tls=True),
    Stage(drips_handshake, "proxy", "https", target_tls=True),
    Stage(drips_socks4, "proxy", "socks4", target_tls=True),
    Stage(drips_socks5, "proxy", "socks5", target_tls=True),
    Stage(drips_socks5, "proxy", "socks5h", target_tls=True),
    Stage(stalls_after_socks5, "tls", "socks5h", target_tls=True),
    Stage(silent, "tls", target_tls=True),
    Stage(drips_handshake, "tls", target_tls=True),
    Stage(no_head, "receive"),
    Stage(drips_status, "receive"),
    Stage(drips_headers, "receive"),
    Stage(drips_headers, "receive", peer_tls=True, target_tls=True),
    Stage(says_continue_for_ever, "receive"),
    Stage(drips_body, "body"),
    Stage(drips_body_without_length, "body"),
    Stage(drips_body_without_length, "body", peer_tls=True, target_tls=True),
    Stage(drips_chunks, "body"),
    Stage(never_reads, "send", body_bytes=8_000_000),
    Stage(never_reads, "send", peer_tls=True, target_tls=True, body_bytes=8_000_000),
]


@pytest.mark.parametrize("case", STAGES, ids=lambda case: f"{case.script.__name__}-{case.proxy or 'direct'}-{'tls' if case.target_tls else 'plain'}")
def test_the_timeout_is_kept_in_every_stage(case: Stage, ca: TestCA) -> None:
    """A peer that drips or stalls ends the attempt at its timeout, and the error names the stage and the phase."""

    def attempt(timeout: float) -> None:
        with Peer(case.script, tls=ca.server_context() if case.peer_tls else None, receive_buffer_bytes=4096) as peer:
            proxy = Proxy(case.proxy, "127.0.0.1", peer.port) if case.proxy else DIRECT
            transport = OneShotTransport([proxy], ca_file=Path(ca.ca_file))
            target = f"{'https' if case.target_tls else 'http'}://127.0.0.1:{peer.port}/"
            body = Zeros(case.body_bytes) if case.body_bytes else b"{}"
            outcome = send(transport, request(url=target, body=body, min_rate=1e9, timeout=timeout))
            # The end of a client that wrote more than the peer reads does not reach it: it stands behind all that.
            assert case.body_bytes or peer.wait_for(lambda: peer.ended == peer.accepted == 1), "nothing is left open"
            transport.close()
        assert timeout - 0.1 <= outcome.seconds <= timeout + TOLERANCE_SECONDS
        failure = outcome.failure
        assert failure.stage == case.stage
        assert failure.phase is (Phase.MAYBE_SENT if case.stage in ("send", "receive", "body") else Phase.NOT_SENT)
        assert "took too long" in str(failure) or "in time" in str(failure)
        assert failure.retryable
        assert failure.elapsed == pytest.approx(outcome.seconds, abs=0.1)

    tried(attempt)


def test_several_dead_addresses_share_the_timeout() -> None:
    """Four addresses that never answer take one timeout together, and not one each."""

    def attempt(timeout: float) -> None:
        with dead_addresses(4) as addresses:
            transport = OneShotTransport(look_up=lambda host, port, family: addresses)
            outcome = send(transport, request(url="http://many.example/", timeout=timeout))
            transport.close()
        assert outcome.seconds <= timeout + TOLERANCE_SECONDS
        assert isinstance(outcome.error, NotSent)
        assert outcome.error.stage == "connect"
        assert str(outcome.error) == "connecting took too long"

    tried(attempt)


def test_a_live_address_behind_dead_ones_is_reached_within_the_timeout_and_tried_first_later() -> None:
    """Each address gets its share of the time; those that failed come last for a while."""

    def attempt(timeout: float) -> None:
        with dead_addresses(3) as dead, Peer(answering()) as peer:
            live: Address = (socket.AF_INET, ("127.0.0.1", peer.port))
            transport = OneShotTransport(look_up=lambda host, port, family: [*dead, live])
            first = send(transport, request(url="http://many.example/", timeout=timeout))
            second = send(transport, request(url="http://many.example/", timeout=timeout))
            transport.close()
        assert first.answer is not None
        assert 0.65 * timeout <= first.seconds <= timeout
        assert second.answer is not None
        assert second.seconds < 0.25 * timeout

    tried(attempt, (2.0, 2.0, 10.0))


def test_dead_proxies_behind_several_addresses_share_the_timeout_too() -> None:
    """A SOCKS proxy whose name has dead addresses is given up in time."""

    def attempt(timeout: float) -> None:
        with dead_addresses(3) as addresses:
            transport = OneShotTransport([Proxy("socks5h", "proxy.example", 1080)], look_up=lambda host, port, family: addresses)
            outcome = send(transport, request(url="http://target.example/", timeout=timeout))
            transport.close()
        assert outcome.seconds <= timeout + TOLERANCE_SECONDS
        assert isinstance(outcome.error, NotSent)

    tried(attempt)


def test_the_time_of_an_upload_grows_with_its_size(transport: OneShotTransport) -> None:
    """A large body gets its size divided by the least rate on top of the timeout, and no more."""

    def attempt(timeout: float) -> None:
        with Peer(never_reads, receive_buffer_bytes=4096) as peer:
            outcome = send(transport, request(peer, body=Zeros(8_000_000), min_rate=16_000_000, timeout=timeout))
        assert timeout + 0.4 <= outcome.seconds <= timeout + 0.5 + TOLERANCE_SECONDS
        assert outcome.failure.stage == "send"

    tried(attempt)


def test_a_download_below_the_least_rate_is_ended(transport: OneShotTransport) -> None:
    """A declared length extends the time by size divided by rate; who is slower than that is cut."""

    def slow(line: Line) -> None:
        line.request()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        line.drip(b"x" * 1000)

    def attempt(timeout: float) -> None:
        with Peer(slow) as peer:
            outcome = send(transport, request(peer, min_rate=2_000_000, timeout=timeout))
        assert timeout + 0.4 <= outcome.seconds <= timeout + 0.5 + TOLERANCE_SECONDS
        assert outcome.failure.phase is Phase.MAYBE_SENT

    tried(attempt)


def test_a_download_above_the_least_rate_may_take_longer_than_the_timeout(transport: OneShotTransport) -> None:
    """A large answer that keeps moving arrives whole."""
    piece = b"x" * 100_000

    def attempt(timeout: float) -> None:
        def steady(line: Line) -> None:
            line.request()
            line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 800000\r\n\r\n")
            for _ in range(8):
                line.sock.sendall(piece)
                line.over.wait(timeout / 4)

        with Peer(steady) as peer:
            outcome = send(transport, request(peer, min_rate=800_000 / (10 * timeout), timeout=timeout))
        assert outcome.answer is not None
        assert outcome.answer.body == piece * 8
        assert outcome.seconds > 1.5 * timeout

    tried(attempt)


@pytest.mark.parametrize("body", [b"{}", Zeros(8_000_000)], ids=["small", "large"])
def test_the_deadline_ends_an_attempt_whatever_else_is_allowed(body: bytes | Zeros, transport: OneShotTransport) -> None:
    """`deadline` counts more than the timeout, a poll's waiting and the time for a large body."""

    def attempt(seconds: float) -> None:
        with Peer(never_reads, receive_buffer_bytes=4096) as peer:
            deadline = time.monotonic() + seconds
            outcome = send(transport, request(peer, body=body, timeout=20.0, wait=20.0, min_rate=1000, deadline=deadline))
        assert seconds - 0.1 <= outcome.seconds <= seconds + TOLERANCE_SECONDS

    tried(attempt)


def test_the_wait_of_a_poll_comes_on_top_of_the_timeout(transport: OneShotTransport) -> None:
    """An answer that comes within the waiting time and after the timeout is taken; silence beyond both is cut."""

    def attempt(timeout: float) -> None:
        def late(line: Line) -> None:
            line.request()
            line.over.wait(1.5 * timeout)
            line.sock.sendall(OK)

        with Peer(late) as peer:
            assert send(transport, request(peer, wait=2.5 * timeout, timeout=timeout)).answer is not None
        with Peer(no_head) as peer:
            outcome = send(transport, request(peer, wait=0.3, timeout=timeout))
        assert timeout + 0.2 <= outcome.seconds <= timeout + 0.3 + TOLERANCE_SECONDS

    tried(attempt)


# --- The deadline of a call.


def client_of(transport: OneShotTransport, base_url: str, **fields: object) -> Client:
    settings = {"timeout": 0.2, "deadline": 0.8, "retry": RetryPolicy(attempts=1000, first_wait=0.05), "limiter": None, **fields}
    return Client("1:TOKEN", transport, base_url=base_url, **settings)  # type: ignore[arg-type]  # the names are those of Client


def timed_failure(call: Callable[[], object]) -> tuple[NotSent, float]:
    """The `NotSent` that a call ends with, and its seconds."""
    started = time.monotonic()
    with pytest.raises(NotSent) as caught:
        call()
    return caught.value, time.monotonic() - started


def test_the_deadline_of_a_call_bounds_retries_and_their_waits(transport: OneShotTransport) -> None:
    """However many attempts are allowed, the call ends at its deadline, and tells how many there were."""

    def attempt(deadline: float) -> None:
        client = client_of(transport, f"http://127.0.0.1:{free_port()}", deadline=deadline)
        error, seconds = timed_failure(lambda: client.call(Call("sendMessage")))
        assert seconds <= deadline + TOLERANCE_SECONDS
        assert error.attempts > 2
        assert error.elapsed == pytest.approx(seconds, abs=0.1)

    tried(attempt, (0.8, 0.8, 0.8, 5.0, 5.0))


def test_the_deadline_of_a_call_bounds_attempts_that_stall(transport: OneShotTransport) -> None:
    """The last attempt is cut at the deadline even where its timeout would allow more."""

    def attempt(deadline: float) -> None:
        with Peer(silent) as peer:
            client = client_of(transport, f"https://127.0.0.1:{peer.port}", timeout=0.75 * deadline, deadline=deadline)
            error, seconds = timed_failure(lambda: client.call(Call("sendMessage")))
        assert seconds <= deadline + TOLERANCE_SECONDS
        assert error.stage == "tls"

    tried(attempt, (0.8, 0.8, 0.8, 5.0, 5.0))


def test_the_deadline_of_a_call_bounds_its_wait_for_the_rate_limits(transport: OneShotTransport) -> None:
    """A turn that would come too late is refused at once, without a connection."""
    with Peer(answering()) as peer:
        client = client_of(transport, peer.url, timeout=20.0, deadline=40.0, limiter=Limiter(Limits(chat_burst=1, chat_interval=600.0)))
        call = Call("sendMessage", chat=42)
        client.call(call)
        error, seconds = timed_failure(lambda: client.call(call))
        assert peer.accepted == 1
    assert seconds < 15.0, "it does not wait until the deadline"
    assert error.stage == "limit"


# --- The watchdog.


def watchdog_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "syncbot-watchdog"]


def test_the_watchdog_rests_when_there_is_nothing_to_watch_and_comes_back() -> None:
    """Its thread serves all attempts, ends a while after the time of the last one, and starts anew with the next."""
    watchdog = Watchdog(idle_seconds=0.05)
    before = watchdog_threads()
    for _ in range(2):
        expires = time.monotonic() + 2.0
        with watchdog.watch(Request("http://x/"), expires), watchdog.watch(Request("http://x/"), expires):
            (thread,) = (thread for thread in watchdog_threads() if thread not in before)
            assert thread.daemon
        thread.join(20.0)
        assert not thread.is_alive()


class Looks:
    """A clock that notes when the watchdog looks at it: whoever gets the watchdog's lock afterwards finds its thread asleep."""

    def __init__(self) -> None:
        self.times = 0
        self.looked = threading.Event()

    def __call__(self) -> float:
        if threading.current_thread().name == "syncbot-watchdog":
            self.times += 1
            self.looked.set()
        return time.monotonic()


def test_an_earlier_expiry_wakes_the_watchdog_from_a_long_sleep() -> None:
    """An attempt that has to end before those that are watched already ends on time, also where the watchdog sleeps until theirs."""

    def attempt(seconds: float) -> None:
        clock = Looks()
        watchdog = Watchdog(clock=clock)
        ours, theirs = socket.socketpair()
        ours.settimeout(10.0)
        with ours, theirs, watchdog.watch(Request("http://x/"), time.monotonic() + 60.0):
            assert clock.looked.wait(20.0)
            ends_at = time.monotonic() + seconds
            with watchdog.watch(Request("http://x/"), ends_at) as watched:
                watched.register(ours)
                assert ours.recv(1) == b""
                late = time.monotonic() - ends_at
                assert watched.cut == "timeout"
        watchdog.close()
        assert late < TOLERANCE_SECONDS

    tried(attempt, (0.2,) * 8)


def test_the_watchdog_sleeps_while_it_watches() -> None:
    """It looks when an attempt begins and when one has to end, and not all the time between: it costs no processor."""
    clock = Looks()
    watchdog = Watchdog(clock=clock)
    ours, theirs = socket.socketpair()
    with ours, theirs, watchdog.watch(Request("http://x/"), time.monotonic() + 0.4) as watched:
        watched.register(ours)
        assert ours.recv(1) == b""
        assert clock.times <= 5
    watchdog.close()


def test_a_watchdog_that_is_closed_at_rest_ends_at_once() -> None:
    """With nothing to watch its thread would stay for a while: closing does not wait for that."""
    clock = Looks()
    watchdog = Watchdog(idle_seconds=3600.0, clock=clock)
    before = watchdog_threads()
    with watchdog.watch(Request("http://x/"), time.monotonic() + 60.0):
        assert clock.looked.wait(20.0)
        [thread] = (thread for thread in watchdog_threads() if thread not in before)
    watchdog.close()
    thread.join(5.0)
    assert not thread.is_alive()


def test_time_that_is_up_when_the_connection_is_open_sends_nothing(api: BotApiServer, ca: TestCA) -> None:
    """What ends its attempt in the last moment before the first byte is certainly not sent."""
    now = [1000.0]

    class Slow(Tls):
        """Its handshake succeeds, and takes long."""

        def wrap(self, sock: socket.socket, host: str, port: int) -> ssl.SSLSocket:
            wrapped = super().wrap(sock, host, port)
            now[0] += 100.0
            return wrapped

    dialer = Dialer(Slow(Path(ca.ca_file)), Resolver(), clock=lambda: now[0])
    watchdog = Watchdog(clock=lambda: 0.0)
    before = len(os.listdir("/proc/self/fd"))
    request = Request(api.url, "getMe")
    with watchdog.watch(request, now[0] + 50.0) as attempt, pytest.raises(NotSent, match="took too long"):
        dialer.open(Target.of(request), DIRECT, attempt)
    watchdog.close()
    assert becomes(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_a_socket_that_is_registered_after_the_cut_is_cut_too() -> None:
    """Whatever an attempt opens after it was ended cannot be used."""
    watchdog = Watchdog()
    ours, theirs = socket.socketpair()
    with ours, theirs, watchdog.watch(Request("http://x/", scope="poll"), time.monotonic() + 60.0) as attempt:
        assert watchdog.abort("poll") == 1
        attempt.register(ours)
        assert ours.recv(1) == b""
    watchdog.close()


def test_an_attempt_leaves_no_descriptor_behind() -> None:
    """The duplicates that the watchdog holds go with the attempt."""
    watchdog = Watchdog()
    before = len(os.listdir("/proc/self/fd"))
    ours, theirs = socket.socketpair()
    with ours, theirs, watchdog.watch(Request("http://x/"), time.monotonic() + 60.0) as attempt:
        attempt.register(ours)
    assert becomes(lambda: len(os.listdir("/proc/self/fd")) <= before)
    watchdog.close()


def test_close_ends_what_is_under_way_and_a_later_call_works(transport: OneShotTransport) -> None:
    """Closing a transport ends its calls and its thread at once; it may be used again."""
    before = watchdog_threads()

    def close_once() -> float:
        with Peer(no_head) as peer:
            waiting = Background(lambda: send(transport, request(peer, timeout=60.0)))
            assert peer.wait_for(lambda: peer.accepted == 1)
            started = time.monotonic()
            transport.close()
            outcome = waiting.result()
            seconds = time.monotonic() - started
            assert str(outcome.error) == "aborted"
            assert becomes(lambda: set(watchdog_threads()) <= set(before))
        return seconds

    assert soon(0.5, close_once)
    with Peer(answering()) as peer:
        assert send(transport, request(peer, timeout=20.0)).answer is not None


def test_close_of_an_unused_transport_does_nothing() -> None:
    """A transport that never sent anything can be closed, also twice."""
    transport = OneShotTransport()
    transport.close()
    transport.close()


def test_close_right_after_the_first_call_does_not_wait() -> None:
    """A transport that is closed before its watchdog has come to rest is closed at once."""
    for _ in range(20):
        transport = OneShotTransport()
        send(transport, request(url=f"http://127.0.0.1:{free_port()}/"))
        started = time.monotonic()
        transport.close()
        assert time.monotonic() - started < 4.0, "the watchdog would rest for five seconds"


def test_abort_ends_the_waiting_poll_at_once_and_no_send_with_it(transport: OneShotTransport) -> None:
    """Only the attempts of the scope end, within half a second; a message that is under way is let finish."""

    def abort_once() -> float:
        release = threading.Event()
        polling = threading.Event()

        def serve(line: Line) -> None:
            if b"getUpdates" in line.request():
                polling.set()
                line.hold()
            else:
                release.wait(30)
                line.sock.sendall(OK)

        with Peer(serve) as peer:
            poll = Background(lambda: send(transport, request(peer, url=f"{peer.url}/getUpdates", wait=50.0, timeout=20.0, scope="poll")))
            message = Background(lambda: send(transport, request(peer, url=f"{peer.url}/sendMessage", timeout=40.0)))
            assert polling.wait(20)
            assert peer.wait_for(lambda: peer.accepted == 2)
            started = time.monotonic()
            assert transport.abort("poll") == 1
            outcome = poll.result()
            seconds = time.monotonic() - started
            assert str(outcome.error) == "aborted"
            assert message.is_running
            release.set()
            assert message.result().answer is not None
            assert transport.abort("poll") == 0
        return seconds

    assert soon(0.5, abort_once)


def test_abort_ends_a_poll_that_is_still_connecting(transport: OneShotTransport) -> None:
    """A stop does not wait for a connection that hangs."""

    def abort_once() -> float:
        with Peer(silent) as peer:
            poll = Background(lambda: send(transport, request(url=f"https://127.0.0.1:{peer.port}/", timeout=60.0, scope="poll")))
            assert peer.wait_for(lambda: peer.accepted == 1)
            started = time.monotonic()
            transport.abort("poll")
            outcome = poll.result()
            seconds = time.monotonic() - started
        assert isinstance(outcome.error, NotSent)
        assert str(outcome.error) == "aborted"
        return seconds

    assert soon(0.5, abort_once)


def test_a_stop_that_was_set_before_is_not_missed(transport: OneShotTransport) -> None:
    """An attempt whose stop event is set already makes no connection, though nobody aborts it any more."""
    stop = threading.Event()
    stop.set()
    with Peer(answering()) as peer:
        outcome = send(transport, request(peer, stop=stop, scope="poll"))
        assert peer.accepted == 0
    assert isinstance(outcome.error, NotSent)
    assert str(outcome.error) == "aborted"


_FORK = """
import os, sys, threading, time
from pathlib import Path
from syncbot.errors import NetworkError
from syncbot.transport import OneShotTransport
from syncbot.types import Request

base, ca_file, silent_url = sys.argv[1:]
transport = OneShotTransport(ca_file=Path(ca_file))
answers = []
json = {"Content-Type": "application/json"}
request = Request(base + "/getUpdates", "getUpdates", headers=json, body=b'{"timeout": 50}', wait=50.0)
poll = threading.Thread(target=lambda: answers.append(transport.send(request)))
poll.start()
sys.stdin.readline()  # the poll waits at the server
child = os.fork()
if child == 0:
    try:
        assert transport.send(Request(base + "/getMe", "getMe", body=b"", timeout=20.0)).status == 200
        for _ in range(4):  # one is in time, where a busy machine holds up the others
            started = time.monotonic()
            try:
                transport.send(Request(silent_url, "getMe", body=b"", timeout=0.4))
            except NetworkError as error:
                words = str(error)
            seconds = time.monotonic() - started
            if "in time" in words and seconds < 0.9:
                break
        assert "in time" in words, words
        assert 0.3 < seconds < 0.9
        transport.close()
        os._exit(0)
    finally:
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert poll.is_alive(), "the child ended its parent's call"
print("forked", flush=True)
poll.join()
sys.stdout.write(answers[0].body.decode())
"""


def test_a_fork_starts_the_watch_anew_and_leaves_the_parents_call_alone(api: BotApiServer) -> None:
    """A forked child's calls work and are bounded, its close included, while the call that the parent has under way goes on."""
    with Peer(no_head) as peer:
        command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", _FORK, f"{api.url}/bot{api.token}", api.ca_file, peer.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            api.wait_polled(30.0)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "forked\n"
            api.user(id=42).send("an update for the parent")
            assert "an update for the parent" in process.stdout.read()
        assert process.returncode == 0


def test_an_interrupt_leaves_nothing_open(transport: OneShotTransport) -> None:
    """An exception that nobody expects, such as KeyboardInterrupt, passes, and the connection is closed."""

    class Interrupting:
        def begin(self, status: int, headers: object) -> bool:
            raise KeyboardInterrupt

        def write(self, chunk: bytes) -> None:
            raise AssertionError

    with Peer(answering()) as peer:
        with pytest.raises(KeyboardInterrupt):
            transport.send(request(peer, sink=Interrupting()))
        assert peer.wait_for(lambda: peer.ended == 1)
