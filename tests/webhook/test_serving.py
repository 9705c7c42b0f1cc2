"""`run_webhook`: setting, serving and removing the webhook, on waitress, with a Bot API server that delivers."""

from __future__ import annotations

import contextlib
import functools
import http.client
import itertools
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.ports_kit import free_port
from kits.timing_kit import soon
from kits.webhook_kit import ROOT, SECRET, Answer, Seen, Start, body_of, eventually, get, listen_to, post, post_on, wait_for_port
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from syncbot import BadRequest, Bot, ConfigError, NotSent, Runtime
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.testing import Answer as Scripted
from syncbot.transport import FakeTransport
from syncbot.webhook.serving import Connections, Server, bounded
from syncbot.webhook.serving import serve as set_up_webhook

Serve = Callable[..., int]


@pytest.fixture
def serve(app: Runtime) -> Iterator[Serve]:
    """Runs `run_webhook` in a thread; gives the port."""
    threads: list[threading.Thread] = []
    problems: list[BaseException] = []

    def start(port: int = 0, **options: Any) -> int:
        port = port or free_port()

        def run() -> None:
            try:
                app.run_webhook(f"http://127.0.0.1:{port}/hook", port=port, **options)
            except BaseException as problem:
                problems.append(problem)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        wait_for_port(port)
        return port

    yield start
    app.stop()
    for thread in threads:
        thread.join()
    assert not problems


def test_telegram_delivers_and_the_bot_answers(app: Runtime, serve: Serve, server: BotApiServer) -> None:
    """The webhook is set with its secret and the kinds there are handlers for, and what is delivered is answered, chat by chat in order."""
    app.message()(lambda update, context: context.reply(f"you said {update.message.text}"))
    serve(max_connections=7)
    eventually(lambda: server.engine.webhook.url, what="setting the webhook")
    sender = server.deliver_webhook()
    people = [server.user() for _ in range(3)]
    for number in range(5):
        for user in people:
            user.send(str(number))
    sender.wait_delivered(15)
    for user in people:
        user.wait_for("you said 4")
        assert [message.text for message in server.sent if message.chat_id == user.id] == [f"you said {number}" for number in range(5)]
    [request] = server.requests_for("setWebhook")
    assert (request.params["max_connections"], request.params["allowed_updates"]) == (7, ["message", "callback_query"])
    assert {delivery.status for delivery in sender.deliveries} == {200}


def test_the_secret_is_the_same_after_a_restart(app: Runtime, bot: Bot, server: BotApiServer, tmp_path: Path, serve: Serve) -> None:
    """A second start sets the webhook with the secret of the first one, so that nothing is refused between the two."""
    port = serve()
    first = eventually(lambda: server.engine.webhook.secret)
    app.stop()
    again = Runtime(bot, state=tmp_path / "bot.db")
    assert again.wsgi("/hook").secret_token == first
    assert len(first) == 64
    assert server.engine.webhook.url == f"http://127.0.0.1:{port}/hook"


def test_the_webhook_stays_at_a_stop_unless_told_otherwise(app: Runtime, bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """A stop leaves the webhook, so that Telegram keeps what comes; with remove_on_stop it is gone."""
    for remove in (False, True):
        port = free_port()
        runtime = Runtime(bot, state=tmp_path / "bot.db")
        thread = threading.Thread(target=runtime.run_webhook, args=(f"http://127.0.0.1:{port}/hook",), kwargs={"port": port, "remove_on_stop": remove})
        thread.start()
        eventually(functools.partial(lambda port: str(port) in server.engine.webhook.url, port))
        runtime.stop()
        thread.join()
        assert bool(server.engine.webhook.url) is not remove


def test_it_serves_while_there_is_no_way_to_telegram(app: Runtime, serve: Serve, server: BotApiServer) -> None:
    """The webhook is set as soon as that can be done; until then what an earlier setting brings is taken."""
    server.script("setWebhook", Scripted.gateway(), times=None)
    port = serve(secret_token=SECRET)
    seen = listen_to(app)
    assert post(port, body_of(1, "early")).status == 200
    assert seen.wait(1) == ["early"]
    assert not server.engine.webhook.url
    server.clear_script("setWebhook")
    eventually(lambda: server.engine.webhook.url, what="setting the webhook")


def test_between_two_tries_to_set_the_webhook_it_pauses(bot: Bot, server: BotApiServer) -> None:
    """While there is no way to Telegram it tries again after a pause that grows from a second on, and a stop ends the pause."""

    class Stop(threading.Event):
        """Lets no time pass; comes with the twelfth pause."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            if len(pauses) == 12:
                self.set()
            return self.is_set()

    class Listening:
        """A server that listens."""

        port = 1

        def start(self) -> None:
            """Nothing comes."""

    pauses: list[float] = []
    listening: Any = Listening()
    transport = FakeTransport(setWebhook=NotSent("no route"))
    set_up_webhook(listening, Bot(TEST_TOKEN, transport=transport, retry=None), {"url": "https://bot.example/hook"}, Stop())
    assert len(pauses) == len(transport.calls) == 12
    assert all(min(30.0, 2.0**n) / 2 <= pause <= min(30.0, 2.0**n) for n, pause in enumerate(pauses))


def test_a_webhook_that_telegram_refuses_is_an_error(app: Runtime, server: BotApiServer) -> None:
    """Telegram's own refusal of the URL ends run_webhook with its words, and nothing is left running."""
    server.script("setWebhook", Scripted.error(400, "Bad Request: bad webhook: HTTPS url must be provided for webhook"))
    port = free_port()
    with pytest.raises(BadRequest, match="HTTPS url must be provided"):
        app.run_webhook("http://bot.example/hook", port=port)
    assert app.health()["running"] is False
    with pytest.raises(ConnectionRefusedError):
        post(port, body_of(1))


def test_what_cannot_be_served_is_said_at_once(app: Runtime) -> None:
    """A port that is taken, and a URL that is none, are ConfigErrors before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot be listened on"):
        app.run_webhook("https://bot.example/hook", port=taken.getsockname()[1])
    with pytest.raises(ConfigError, match="not the URL of a webhook"):
        app.run_webhook("bot.example/hook")


def test_a_signal_ends_the_program(start: Start, server: BotApiServer, tmp_path: Path) -> None:
    """SIGTERM in the main thread ends run_webhook, the process exits with 0, and what was answered with 200 was handled or waits."""
    journal = tmp_path / "journal"
    port = free_port()
    program = start(sys.executable, str(ROOT / "scripts" / "campaigns" / "campaign_webhook_bot.py"), str(port), JOURNAL=str(journal), PYTHONPATH=str(ROOT))
    eventually(lambda: str(port) in server.engine.webhook.url, what="setting the webhook")
    assert post(port, body_of(1), secret="the-secret_of-the-campaign").status == 200
    eventually(lambda: "end" in journal.read_text())
    assert program.end(signal.SIGTERM) == 0
    assert "Traceback" not in program.output


# ── hostile requests, on a real server ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def seen(app: Runtime) -> Seen:
    """What the handlers saw."""
    return listen_to(app)


@pytest.fixture
def port(app: Runtime, seen: Seen) -> Iterator[int]:
    """A server whose requests have to be complete within three seconds, which a good one is on a busy machine too."""
    running = Server(app.wsgi("/hook", SECRET), "127.0.0.1", 0, threads=4, request_seconds=3)
    running.start()
    yield running.port
    running.close()


def raw(port: int, data: bytes) -> socket.socket:
    """Send bytes, and leave the connection open."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30.0)
    sock.sendall(data)
    return sock


def head(length: int, secret: str = SECRET) -> bytes:
    """The head of a request with a body of so many bytes."""
    lines = ("POST /hook HTTP/1.1", "Host: x", "Content-Type: application/json", f"X-Telegram-Bot-Api-Secret-Token: {secret}", f"Content-Length: {length}")
    return "\r\n".join((*lines, "", "")).encode()


def check_next_good_request(port: int, number: int) -> None:
    """The next good request is answered within 50 ms, or one of those that follow: other programs run on the machine too."""
    numbers = itertools.count(number)

    def post_one() -> float:
        began = time.monotonic()
        assert post(port, body_of(next(numbers))).status == 200
        return time.monotonic() - began

    assert soon(0.05, post_one, tries=50)


def test_each_refusal_leaves_the_server_well(port: int, seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    """After each kind of bad request the next good one is answered within 50 ms; there is no traceback, and memory does not grow."""
    post(port, body_of(1))
    seen.wait(1)
    refusals: list[tuple[int, Callable[[], Answer]]] = [
        (403, lambda: post(port, body_of(2), secret=None)),
        (403, lambda: post(port, body_of(2), secret="wrong")),
        (405, lambda: get(port, "/hook")),
        (404, lambda: post(port, body_of(2), path="/other")),
        (415, lambda: post(port, body_of(2), content_type="text/plain")),
        (413, lambda: too_large(port)),
        (400, lambda: post(port, b'{"update_id":2,"x":"\xff"}')),
        (400, lambda: post(port, b"[" * 100_000 + b"]" * 100_000)),
        (400, lambda: post(port, b'{"update_id":2')),
    ]
    for _ in range(10):  # each of the server's threads has its own memory to begin with
        for _, request in refusals:
            request()
    for attempt in range(1, 4):  # the memory is that of all threads of this process
        before = resident_bytes()
        for number, (status, request) in enumerate(refusals):
            for _ in range(20):
                assert request().status == status
            check_next_good_request(port, 1000 * attempt + 100 * number)
        if (grown := resident_bytes() - before) < 5_000_000:
            break
    assert grown < 5_000_000
    assert not [record for record in caplog.records if record.exc_info or "Traceback" in record.getMessage()]
    assert seen.wait(1 + 9)


def too_large(port: int) -> Answer:
    """The answer to a request with a byte more than a megabyte. It comes before the body has been sent."""
    with raw(port, head((1 << 20) + 1)) as sock:
        return Answer(int(sock.recv(1000).split()[1]))


def resident_bytes() -> int:
    """How much memory this process has."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def test_a_body_that_stalls_is_cut(port: int) -> None:
    """A request whose body stops coming is ended when its time is up."""
    with raw(port, head(500) + b'{"update_id":1') as sock:
        began = time.monotonic()
        assert sock.recv(100) == b""
        assert 1.5 < time.monotonic() - began < 20.0
    check_next_good_request(port, 1)


def test_a_body_that_drips_is_cut(port: int) -> None:
    """A request whose bytes come one by one for ever is ended when its time is up, not kept alive by its bytes."""
    with raw(port, head(100_000)) as sock:
        began, pause = time.monotonic(), threading.Event()
        with pytest.raises(OSError):  # noqa: PT012  # broken pipe or reset, whichever comes first
            while time.monotonic() - began < 40.0:
                sock.sendall(b" ")
                pause.wait(0.1)
        assert time.monotonic() - began < 20.0
    check_next_good_request(port, 1)


def test_a_head_that_never_ends_is_cut(port: int) -> None:
    """The same for the head of a request."""
    with raw(port, b"POST /hook HTTP/1.1\r\nX-") as sock:
        assert sock.recv(100) == b""
    check_next_good_request(port, 1)


def test_an_endless_body_is_refused_by_its_length(port: int) -> None:
    """A body that announces a terabyte is refused before it is read."""
    with raw(port, head(1 << 40)) as sock:
        assert b" 413 " in sock.recv(1000)


def test_slow_connections_do_not_keep_others_out(port: int, seen: Seen) -> None:
    """With 50 connections that send nothing, a good request is answered as ever."""
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(raw(port, head(500)))
        check_next_good_request(port, 1)
    assert seen.wait(1)


def test_connections_are_kept_alive(port: int, seen: Seen) -> None:
    """Many updates come on one connection, as Telegram sends them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)
    with contextlib.closing(connection):
        assert [post_on(connection, body_of(number, str(number))).status for number in range(1, 51)] == [200] * 50
    assert seen.wait(50) == [str(number) for number in range(1, 51)]


def test_who_does_not_wait_for_his_refusal_writes_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger who is gone before he is refused leaves no error of the server's in the log: waitress names the path, which a refused request lacks."""
    here, there = socket.socketpair()
    nobody = ThreadedTaskDispatcher()  # without threads: else one of them might take the request while it stands here
    with here, there, contextlib.closing(create_server(lambda environ, start: [], listen="127.0.0.1:0", _start=False, _dispatcher=nobody)) as server:
        connection = bounded(HTTPChannel, Connections({}, 10.0, time.monotonic))(server, here, "", server.adj, map={})
        connection.received(b"POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nx")
        connection.connected = False
        connection.service()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_many_requests_at_once_write_no_log(port: int, caplog: pytest.LogCaptureFixture) -> None:
    """More requests than threads are nothing to warn of."""

    def post_some(first: int) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)) as connection:
            for number in range(first, first + 20):
                assert post_on(connection, body_of(number)).status == 200

    threads = [threading.Thread(target=post_some, args=(1000 * n,)) for n in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caplog.records == []


def test_close_leaves_nothing(app: Runtime) -> None:
    """A server that was closed has no thread and no descriptor left, with a client still connected."""
    before = set(os.listdir("/proc/self/fd"))
    running = Server(app.wsgi("/hook", SECRET, start=False), "127.0.0.1", 0, threads=3)
    running.start()
    with raw(running.port, head(10)):
        running.close()
    eventually(lambda: set(os.listdir("/proc/self/fd")) <= before)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("waitress")])
