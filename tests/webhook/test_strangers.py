"""Connections that bring nothing good: how long they stay, what a refusal does to them, and who gives way where too many come."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kits.webhook_kit import SECRET, body_of, call, eventually

from syncbot import Runtime
from syncbot.webhook.serving import Server

PLACES = 200


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def echo(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Answers with the status that its path says."""
    start_response(f"{environ['PATH_INFO'][1:]} as told", [("Content-Length", "0")])
    return []


@pytest.fixture
def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture
def port(clock: Clock) -> Iterator[int]:
    """A server of `echo`."""
    running = Server(echo, "127.0.0.1", 0, threads=2, clock=clock)
    running.start()
    yield running.port
    running.close()


@pytest.fixture
def connect(port: int) -> Iterator[Callable[[], socket.socket]]:
    """Connects."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30.0))


def ask(sock: socket.socket, status: int, version: str = "1.1") -> bytes:
    """Let it answer with a status; returns the answer's head."""
    sock.sendall(f"GET /{status} HTTP/{version}\r\nConnection: keep-alive\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = sock.recv(1000)
        assert piece, "it was closed"
        answer += piece
    assert answer.split()[1] == str(status).encode()
    return answer


def is_open(sock: socket.socket, witness: socket.socket) -> bool:
    """Whether a connection is still open after the server has looked: it has when it has answered another one twice."""
    for _ in range(2):
        ask(witness, 200)
    sock.setblocking(False)
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    finally:
        sock.settimeout(30.0)


def is_closed(sock: socket.socket) -> bool:
    """Whether it is closed, now or soon."""
    try:
        return sock.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (b"\r\n\r\n", b"\r\n\r\n"),
        (b"POST /200 HTTP/1.1\r\nX-Long: ", b"a"),
        (b"POST /200 HTTP/1.1\r\nContent-Length: 500\r\n\r\n", b"half a body"),
        (b"POST /200 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"POST /200 HTTP/1.1\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n", b"a"),
    ],
    ids=["silence", "empty lines", "pairs of them", "a head", "a body", "a body in chunks", "a body that was asked for"],
)
def test_ten_seconds_are_all_there_is(clock: Clock, connect: Callable[[], socket.socket], first: bytes, again: bytes) -> None:
    """A connection that brings no request is closed 10 s after it was opened, whatever it sends meanwhile."""
    witness, sock = connect(), connect()
    sock.sendall(first)
    for _ in range(3):
        ask(witness, 200)
        clock.seconds += 3.0
        sock.sendall(again)
    assert is_open(sock, witness)
    clock.seconds += 1.1
    with contextlib.suppress(OSError):
        sock.sendall(again)
    eventually(lambda: is_closed(sock))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 411, 413, 415, 500, 502])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_refusal_is_the_end(connect: Callable[[], socket.socket], status: int, version: str) -> None:
    """After a refusal the connection is closed, as its answer says, also where the client wants to keep it."""
    sock = connect()
    assert b"Connection: close" in ask(sock, status, version)
    assert is_closed(sock)


def test_requests_after_a_refused_one_are_not_looked_at(connect: Callable[[], socket.socket]) -> None:
    """Of a thousand requests that come at once the first one is refused, and no other is answered."""
    sock = connect()
    sock.sendall(b"GET /404 HTTP/1.1\r\n\r\n" * 1000)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(1000):
            answer += piece
    assert answer.count(b"HTTP/1.1") <= 1


@pytest.mark.parametrize("status", [200, 503])
def test_an_accepted_request_begins_the_time_anew(clock: Clock, connect: Callable[[], socket.socket], status: int) -> None:
    """A connection lives on while its requests are accepted, or are told to come again; it may rest, and the next request has 10 s again, not more."""
    witness, sock = connect(), connect()
    ask(witness, 200)
    for pause in (9.0, 9.0, 140.0, 9.0):
        assert b"close" not in ask(sock, status)
        clock.seconds += pause
        ask(witness, 200)
    sock.sendall(b"\r\n")
    for _ in range(3):
        assert is_open(sock, witness)
        clock.seconds += 3.0
        sock.sendall(b"\r\n")
    assert is_open(sock, witness)
    clock.seconds += 1.1
    eventually(lambda: is_closed(sock))


def test_a_connection_that_rests_too_long_is_closed(clock: Clock, connect: Callable[[], socket.socket]) -> None:
    """One that was good does not stay for ever."""
    sock = connect()
    ask(sock, 200)
    clock.seconds += 151.0
    assert is_closed(sock)


def test_the_oldest_stranger_gives_way(clock: Clock, connect: Callable[[], socket.socket]) -> None:
    """Where too many come, those without an accepted request go, the oldest of them first; a good one stays and a new good one is answered."""
    good = connect()
    ask(good, 200)
    strangers = []
    for _ in range(PLACES - 1):
        clock.seconds += 0.001
        strangers.append(connect())
    assert is_open(strangers[0], good)
    for number in range(PLACES + 50):
        clock.seconds += 0.001
        strangers.append(connect())
        assert is_closed(strangers[number])
    newcomer = connect()
    ask(newcomer, 200)
    assert is_open(good, newcomer)
    assert is_open(strangers[-1], good)


def test_the_one_that_rests_longest_gives_way_among_good_ones(clock: Clock, connect: Callable[[], socket.socket]) -> None:
    """With good connections alone the one goes whose last accepted request is the longest ago; a crowd of strangers costs no more than that one."""
    good = [connect() for _ in range(PLACES)]
    for sock in [*good, good[0]]:
        clock.seconds += 0.001
        ask(sock, 200)
    strangers = [connect() for _ in range(10)]
    assert is_closed(good[1])
    assert all(is_closed(stranger) for stranger in strangers[:-1])
    for sock in [good[0], *good[2:]]:
        ask(sock, 200)


def test_what_is_being_answered_does_not_give_way() -> None:
    """A connection whose request is worked on gets its answer, however many strangers come meanwhile."""
    worked_on, go_on = threading.Event(), threading.Event()

    def wait(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        worked_on.set()
        go_on.wait(30.0)
        return echo(environ, start_response)

    running = Server(wait, "127.0.0.1", 0, threads=1)
    running.start()
    try:
        with contextlib.ExitStack() as stack:
            connections = []
            for _ in range(2 * PLACES):
                connections.append(stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=30.0)))
                if len(connections) == 1:
                    connections[0].sendall(b"GET /200 HTTP/1.1\r\n\r\n")
                    assert worked_on.wait(30.0)
            assert is_closed(connections[PLACES - 1])
            go_on.set()
            assert b" 200 " in connections[0].recv(1000)
    finally:
        go_on.set()
        running.close()


@pytest.mark.parametrize(
    "head",
    [b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000, b"GET http://[ HTTP/1.1", b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 20_000],
    ids=["a length of 5000 digits", "half an address", "a head of 20 kB"],
)
def test_a_head_that_makes_no_sense_writes_no_log(connect: Callable[[], socket.socket], caplog: pytest.LogCaptureFixture, head: bytes) -> None:
    """Heads that cannot be read end the connection, and nothing is written that could fill a disk."""
    caplog.set_level(logging.INFO)
    sock = connect()
    sock.sendall(head + b"\r\n\r\n")
    eventually(lambda: is_closed(sock))
    ask(connect(), 200)
    assert caplog.records == []


def test_strangers_do_not_fill_the_log(app: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    """A hundred requests with wrong secrets are said once."""
    caplog.set_level(logging.INFO, "syncbot.webhook.edge")
    hook = app.wsgi("/hook", SECRET, start=False)
    for number in range(100):
        assert call(hook, body_of(1), HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN=str(number)).status == 403
    assert len(caplog.records) == 1


def test_waitress_is_what_serving_builds_on() -> None:
    """What serving takes from waitress beside its documented arguments is there, and does what is expected; the tests above fail where it does not."""
    from waitress.adjustments import Adjustments
    from waitress.channel import HTTPChannel
    from waitress.server import BaseWSGIServer
    from waitress.task import Task

    assert tuple(int(part) for part in importlib.metadata.version("waitress").split(".")[:3]) >= (3, 0, 2)
    assert BaseWSGIServer.channel_class is HTTPChannel
    assert issubclass(HTTPChannel.task_class, Task)
    assert {"build_response_header"} <= vars(Task).keys()
    assert {"build_response_header"}.isdisjoint(vars(HTTPChannel.task_class))
    assert {"handle_read", "handle_close", "add_channel", "service", "readable"} <= vars(HTTPChannel).keys()
    # While a request is worked on, its connection is not read: `since` and `rests` have one writer at a time.
    assert Adjustments.channel_request_lookahead == 0
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = type("Server", (), {"active_channels": {}})()
        channel = HTTPChannel(server, ours, ("127.0.0.1", 1), Adjustments(), map={})
        assert server.active_channels == {ours.fileno(): channel}
        assert channel.requests == []
        assert channel.readable()
        channel.requests.append(object())
        assert not channel.readable()
        with channel.requests_lock:  # no thread that answers is between two requests meanwhile
            channel.handle_close()
        assert server.active_channels == {}


def test_what_ends_the_serving_thread_is_told() -> None:
    """A server that takes nothing any more is not left to look alive: whoever runs it is told why."""
    told: list[BaseException] = []
    ended = threading.Event()

    def broken() -> float:
        raise OverflowError("no such time")

    def failed(error: BaseException) -> None:
        told.append(error)
        ended.set()

    server = Server(echo, "127.0.0.1", 0, threads=1, clock=broken, on_failure=failed)
    server.start()
    try:
        assert ended.wait(20.0)
        assert isinstance(told[0], OverflowError)
    finally:
        server.close()
