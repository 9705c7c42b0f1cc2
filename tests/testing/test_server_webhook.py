"""The fake server's webhook side, and the server from the shell."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kits.background_kit import Background
from kits.server_kit import Client, client_of, multipart

from syncbot.testing import BotApiServer, TestCA
from syncbot.testing.world.update_methods import WebhookState, set_webhook


class Hook:
    """A webhook of a bot: collects what comes and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[float, int, str]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 RUF100  (the name is http.server's)
                update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.append((time.monotonic(), update["update_id"], self.headers.get("X-Telegram-Bot-Api-Secret-Token", "")))
                status, headers, body = hook.answers.pop(0) if hook.answers else (200, {}, b"")
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    running = Hook()
    yield running
    running.close()


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def test_a_webhook_and_polling_exclude_each_other(server: BotApiServer, client: Client) -> None:
    """Setting a webhook ends a waiting poll with 409 and refuses the next; deleting it lets polling go on."""
    with client_of(server) as other:
        poll = Background(lambda: other.call("getUpdates", timeout=50))
        server.wait_polled()
        client.ok("setWebhook", url="https://bot.example/hook", secret_token="abc", allowed_updates=["message"], max_connections=7)
        assert poll.result()["description"] == "Conflict: terminated by setWebhook request"
    refused = client.refused("getUpdates")
    assert refused == "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    server.user(42).send("x")
    info = client.ok("getWebhookInfo")
    assert (info["url"], info["pending_update_count"], info["max_connections"], info["allowed_updates"]) == ("https://bot.example/hook", 1, 7, ["message"])
    client.ok("deleteWebhook", drop_pending_updates=True)
    assert client.ok("getUpdates") == []
    assert client.ok("getWebhookInfo") == {"url": "", "has_custom_certificate": False, "pending_update_count": 0, "allowed_updates": ["message"]}


def test_set_webhook_is_refused_when_it_is_wrong_or_too_quick(client: Client) -> None:
    """A bad URL, a bad secret, and a second call within a second."""
    assert client.refused("setWebhook", url="nonsense") == "Bad Request: bad webhook: URL is invalid"
    assert client.refused("setWebhook", url="https://x.example", secret_token="a b") == "Bad Request: secret token contains unallowed characters"
    client.ok("setWebhook", url="https://x.example")
    for _ in range(4):  # a busy machine may take a second for the next call
        again = client.call("setWebhook", url="https://x.example")
        if not again["ok"]:
            break
    assert (again.get("error_code"), again.get("parameters")) == (429, {"retry_after": 1})


@pytest.mark.parametrize("given", [{}, {"url": ""}])
def test_set_webhook_without_a_url_takes_it_away(client: Client, given: dict[str, str]) -> None:
    """As at Telegram, and as telebot's `remove_webhook` does it; another one may be set right behind it."""
    client.ok("setWebhook", **given)
    client.ok("setWebhook", url="https://x.example")
    client.ok("setWebhook", **given)
    assert client.ok("getWebhookInfo")["url"] == ""


@pytest.mark.parametrize(("url", "reason"), [("http://x.example", "An HTTPS URL must be provided"), ("https://x.example:99", "only on ports 80, 88, 443")])
def test_telegrams_rules_for_webhook_urls(url: str, reason: str) -> None:
    """With webhook_rules=True plain HTTP and odd ports are refused."""
    with BotApiServer(webhook_rules=True) as server, client_of(server) as client:
        assert reason in client.refused("setWebhook", url=url)
        client.ok("setWebhook", url="https://x.example:8443/hook")


def test_a_hanging_webhook_does_not_hold_up_the_end() -> None:
    """A POST that is never answered is cut when the server closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener, BotApiServer() as server, client_of(server) as client:
        client.ok("setWebhook", url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        server.user(42).send("x")
        server.deliver_webhook()
        with listener.accept()[0] as accepted:
            accepted.recv(10)
            begin = time.monotonic()
            server.close()
            assert time.monotonic() - begin < 8, "a POST may take ten seconds"


def test_a_post_that_only_connects_when_the_server_closes_is_cut_too(server: BotApiServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the server comes before a POST has its socket: it does not wait for an answer that never comes."""
    connect, connecting, go_on = socket.create_connection, threading.Event(), threading.Event()

    def slow_connect(*values: Any, **options: Any) -> socket.socket:
        sock = connect(*values, **options)
        if threading.current_thread().name.startswith("syncbot-webhook"):
            connecting.set()
            go_on.wait(20.0)
        return sock

    monkeypatch.setattr(socket, "create_connection", slow_connect)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client.ok("setWebhook", url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        server.user(42).send("x")
        sender = server.deliver_webhook(timeout=40.0)
        assert connecting.wait(20.0)
        stopping = Background(sender.stop)
        while not sender._stopping:
            go_on.wait(0.01)
        go_on.set()
        stopping.result(20.0)


def test_a_webhook_that_is_set_late_gets_what_waits(server: BotApiServer, hook: Hook) -> None:
    """Delivery begins when the webhook is set, though nothing else happens then."""
    sender = server.deliver_webhook(connections=1)
    looked = threading.Event()
    server.user(42).send("waiting")

    class Looked(WebhookState):
        """The webhook's state, which tells when the sender has found it empty."""

        def __getattribute__(self, name: str) -> Any:
            if name == "url":
                looked.set()
            return super().__getattribute__(name)

    with server.world.changed:
        server.engine.webhook = Looked()
        server.world.changed.notify_all()
    assert looked.wait(20.0)
    with server.world.changed:  # which the sender holds until it waits
        set_webhook(server.queue, server.engine.webhook, {"url": hook.url}, has_certificate=False, any_url=True)
    sender.wait_delivered(1)


def test_what_is_dropped_while_it_is_posted_ends_no_delivery(server: BotApiServer, client: Client, hook: Hook) -> None:
    """An update is dropped between its POST and the answer: the next one is delivered."""
    dropped: list[int] = []

    class Dropping(list[Any]):
        """In the place of what the hook has got: drops what waits when the first update comes."""

        def append(self, got: Any) -> None:
            super().append(got)
            if not dropped:
                dropped.append(server.queue.drop())

    hook.got = Dropping()
    client.ok("setWebhook", url=hook.url)
    sender = server.deliver_webhook(connections=1)
    user = server.user(42)
    user.send("dropped")
    sender.wait_delivered(1)
    user.send("next")
    sender.wait_delivered(2)
    assert dropped == [1]


def test_updates_are_posted_with_the_secret(server: BotApiServer, client: Client, hook: Hook) -> None:
    """What waits and what comes later is delivered, with the secret, and counts as confirmed."""
    user = server.user(42)
    first = user.send("waiting")
    client.ok("setWebhook", url=hook.url, secret_token="s3cret")
    sender = server.deliver_webhook()
    second = user.send("later")
    sender.wait_delivered(2)
    assert [(number, secret) for _, number, secret in hook.got] == [(first, "s3cret"), (second, "s3cret")]
    server.wait_confirmed()
    assert server.confirmed_updates == 2


def test_a_failed_delivery_is_repeated_in_order(server: BotApiServer, client: Client, hook: Hook) -> None:
    """After a failure the chat waits and then goes on in order, while another chat is served at once; the failure stands in getWebhookInfo."""
    ann, bob = server.user(42), server.user(43)
    hook.answers = [(503, {}, b"")]
    client.ok("setWebhook", url=hook.url)
    numbers = [ann.send("a1"), ann.send("a2"), bob.send("b1")]
    sender = server.deliver_webhook(first_delay=3.0, connections=1)  # longer than a busy machine takes for the other chat
    sender.wait_delivered(1)
    assert "503" in client.ok("getWebhookInfo")["last_error_message"]
    sender.wait_delivered(3)
    assert [number for _, number, _ in hook.got] == [numbers[0], numbers[2], numbers[0], numbers[1]]
    assert hook.got[2][0] - hook.got[0][0] >= 3.0


def test_retry_after_is_honoured(server: BotApiServer, client: Client, hook: Hook) -> None:
    """A Retry-After of one second outweighs the delay."""
    user = server.user(42)
    hook.answers = [(429, {"Retry-After": "1"}, b"")]
    client.ok("setWebhook", url=hook.url)
    user.send("x")
    server.deliver_webhook(first_delay=0.01).wait_delivered(1)
    assert hook.got[1][0] - hook.got[0][0] >= 1.0


def test_a_2xx_answer_may_name_a_method(server: BotApiServer, client: Client, hook: Hook) -> None:
    """sendMessage in the answer is carried out, getMe and nonsense are not."""
    user = server.user(42)
    as_json = {"Content-Type": "application/json"}
    hook.answers = [
        (200, as_json, b'{"method":"getMe"}'),
        (200, as_json, b"nonsense"),
        (201, as_json, b'{"method":"sendMessage","chat_id":42,"text":"by the answer"}'),
    ]
    client.ok("setWebhook", url=hook.url)
    for n in range(3):
        user.send(str(n))
    server.deliver_webhook()
    user.wait_for("by the answer")
    assert server.count("getMe") == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"method":"sendMessage","chat_id":42,"text":"by the answer"}'),
        ("application/x-www-form-urlencoded", b"method=sendMessage&chat_id=42&text=by+the+answer"),
        (
            "multipart/form-data; boundary=b",
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"
                for name, value in ((b"method", b"sendMessage"), (b"chat_id", b"42"), (b"text", b"by the answer"))
            )
            + b"--b--\r\n",
        ),
    ],
)
def test_an_answer_names_its_method_in_any_form(server: BotApiServer, client: Client, hook: Hook, content_type: str, body: bytes) -> None:
    """JSON, a form and multipart are read alike, and a text that is delivered so is counted."""
    user = server.user(42)
    hook.answers = [(200, {"Content-Type": content_type}, body)]
    client.ok("setWebhook", url=hook.url)
    user.send("x")
    server.deliver_webhook()
    user.wait_for("by the answer")
    assert server.count_text("by the answer") == 1


def test_an_answer_brings_files(server: BotApiServer, client: Client, hook: Hook) -> None:
    """A document in a multipart answer arrives, and what is broken or lacks something is passed over."""
    user = server.user(42)
    kind = {"Content-Type": "multipart/form-data; boundary=the=boundary"}
    hook.answers = [
        (200, {"Content-Type": "application/json"}, b'{"method":"sendMessage","chat_id":42}'),
        (200, {"Content-Type": "multipart/form-data"}, b"broken"),
        (200, kind, multipart({"document": ("d.txt", b"content")}, {"method": "sendDocument", "chat_id": "42"})),
    ]
    client.ok("setWebhook", url=hook.url)
    for n in range(3):
        user.send(str(n))
    server.deliver_webhook()
    assert user.wait_for(lambda message: "document" in message.data).data["document"]["file_size"] == 7
    assert server.problems == ["sendMessage, called by a webhook's answer: Bad Request: text is missing"]


def test_a_dead_webhook_keeps_its_updates(server: BotApiServer, client: Client, hook: Hook) -> None:
    """Where nothing listens, the update waits and the reason is told; the threads end with the server."""
    url = hook.url.replace("127.0.0.1", "127.0.0.2")
    client.ok("setWebhook", url=url)
    server.user(42).send("x")
    server.deliver_webhook(first_delay=30)
    server.wait_until(lambda: bool(server.engine.webhook.last_error))
    assert client.ok("getWebhookInfo")["last_error_message"].startswith("Connection failed")
    assert len(server.pending_updates) == 1


# ---------------------------------------------------------------------- from the shell


def serve(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "syncbot.testing.serve", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_server_from_the_shell(tmp_path: Any) -> None:
    """One line says where it is, commands are obeyed, and the statistics come at the end of standard input."""
    import ssl
    from http.client import HTTPSConnection

    with serve("--tls", "--updates", "3", "--chats", "2", "--stats") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        facts = json.loads(process.stdout.readline())
        port = int(re.fullmatch(r"https://127\.0\.0\.1:(\d+)", facts["url"])[1])  # type: ignore[index]  # a failing test is the check
        connection = HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=facts["ca_file"]), timeout=30)
        connection.request("GET", f"/bot{facts['token']}/getUpdates")
        updates = json.loads(connection.getresponse().read())["result"]
        connection.close()
        assert [(u["message"]["from"]["id"], u["message"]["text"]) for u in updates] == [(1001, "message 0"), (1002, "message 1"), (1001, "message 2")]
        process.stdin.write("updates 4\nnonsense\nstats\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"updates_pending": 7}
        assert "unknown command" in json.loads(process.stdout.readline())["error"]
        assert json.loads(process.stdout.readline())["methods"] == {"getUpdates": 1}
        process.stdin.close()
        last = json.loads(process.stdout.readline())
        assert (last["requests"], last["connections_total"], last["updates_pending"]) == (1, 1, 7)
    assert process.returncode == 0
    assert not os.path.exists(facts["ca_file"])


def test_the_server_from_the_shell_ends_with_a_signal() -> None:
    """SIGTERM ends it with exit code 0, also where standard input is left alone."""
    with serve("--ignore-stdin") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ca_file"] is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_without_trustme_the_error_gives_the_command() -> None:
    """TLS without the extra is an ImportError that says what to install; plain HTTP needs nothing."""
    code = (
        "import sys; sys.modules['trustme'] = None\n"
        "from syncbot.testing import BotApiServer\n"
        "with BotApiServer(): pass\n"
        "try:\n    BotApiServer(tls=True).start()\n"
        "except ImportError as problem: print(problem)\n"
    )
    said = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert 'python -m pip install "syncbot[testing]"' in said.stdout


def test_the_package_is_lazy() -> None:
    """Importing syncbot.testing loads neither trustme nor a server, and knows its names."""
    code = (
        "import sys, syncbot.testing as t\n"
        "loaded = sorted(n for n in sys.modules if n.startswith('syncbot.testing.') or n in ('trustme', 'ssl'))\n"
        "print(loaded, 'BotApiServer' in dir(t), 'FaultProxy' in t.__all__)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[] True True"


def test_every_public_name_can_be_had() -> None:
    """Each name in __all__ exists; another is an AttributeError."""
    import syncbot.testing

    for name in syncbot.testing.__all__:
        assert getattr(syncbot.testing, name)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = syncbot.testing.Nonsense


def test_a_kind_of_certificate_that_does_not_exist() -> None:
    """A wrong kind is a ValueError that names the right ones."""
    with TestCA() as ca, pytest.raises(ValueError, match="not_yet_valid"):
        ca.server_context(kind="odd")  # type: ignore[arg-type]  # that is the point
