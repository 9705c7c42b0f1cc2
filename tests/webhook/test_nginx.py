"""The nginx example in front of `run_webhook`: TLS at the edge, updates through it, and nothing lost while the bot restarts."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.ports_kit import free_port
from kits.webhook_kit import ROOT, SECRET, body_of, eventually, post_on, wait_for_port

from syncbot import Bot, Runtime
from syncbot.testing import BotApiServer
from syncbot.webhook.edge import SECRET_HEADER

pytestmark = pytest.mark.programs("nginx")


class Edge:
    """A running nginx with the example's configuration, and the port where a bot will listen behind it."""

    def __init__(self, nginx: Any, bot_port: int) -> None:
        self.port = nginx.port
        self.bot_port = bot_port
        self.ca_file = nginx.ca_file
        self._context = nginx.context

    @property
    def url(self) -> str:
        """The webhook's URL as Telegram sees it."""
        return f"https://127.0.0.1:{self.port}/hook"

    def connect(self) -> http.client.HTTPSConnection:
        """A connection of a client that trusts its certificate."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30.0, context=self._context)

    def half_a_body(self, address: str) -> ssl.SSLSocket:
        """A connection from an address that has sent the head of a request, and a part of its body."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=30.0, source_address=(address, 0))
        wrapped = self._context.wrap_socket(sock, server_hostname="127.0.0.1")
        wrapped.sendall(f"POST /hook HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: guessed\r\nContent-Length: 100\r\n\r\n{{".encode())
        return wrapped


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """nginx in front of a port where a bot will listen."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "campaigns"))
    from campaign_nginx import Nginx

    folder = tmp_path / "nginx"
    folder.mkdir()
    bot_port = free_port()
    with Nginx(folder, free_port(), bot_port) as nginx:
        wait_for_port(nginx.port)
        yield Edge(nginx, bot_port)


def serving(app: Runtime, edge: Edge) -> threading.Thread:
    """Run the webhook behind nginx."""
    thread = threading.Thread(target=app.run_webhook, args=(edge.url,), kwargs={"port": edge.bot_port, "secret_token": SECRET})
    thread.start()
    wait_for_port(edge.bot_port)
    return thread


def test_updates_come_through_and_a_restart_loses_none(edge: Edge, bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """What Telegram sends over TLS is answered; what it sends while the bot is down is answered when it is back, in order."""
    user = server.user()
    sender = server.deliver_webhook(first_delay=0.1, max_delay=0.2, ca_file=edge.ca_file)
    for number in range(2):
        app = Runtime(bot, state=tmp_path / "bot.db")
        app.message()(lambda update, context: context.reply(f"got {update.message.text}"))
        thread = serving(app, edge)
        try:
            eventually(lambda: server.engine.webhook.url == edge.url)
            user.send(f"up {number}")
            if number:
                user.wait_for("got down", timeout=40)
            user.wait_for(f"got up {number}", timeout=40)
        finally:
            app.stop()
            thread.join()
        if not number:
            user.send("down")
            eventually(lambda: any(delivery.status == 502 for delivery in sender.deliveries), what="a 502")
    assert [message.text for message in user.messages] == ["got up 0", "got down", "got up 1"]


def test_nginx_refuses_what_the_bot_would(edge: Edge, app: Runtime) -> None:
    """A body over a megabyte, another path and a request without a secret do not get past nginx; a wrong secret is refused by the bot behind it."""
    thread = serving(app, edge)
    connection = edge.connect()
    try:
        assert post_on(connection, body_of(1)).status == 200
        assert post_on(connection, body_of(2), secret="wrong").status == 403
        assert post_on(connection, body_of(2), secret=None).status == 403
        assert post_on(connection, body_of(2), path="/other").status == 404
        assert post_on(connection, b" " * ((1 << 20) + 1)).status == 413
    finally:
        connection.close()
        app.stop()
        thread.join()


def test_nginx_bounds_the_requests_of_one_address(edge: Edge, app: Runtime) -> None:
    """Of an address that has a hundred requests under way a further one is refused, while another address is served."""
    thread = serving(app, edge)
    connection = edge.connect()
    try:
        refused = b""
        for _ in range(4):  # on a busy machine the first of a hundred may have run out of time before the last one comes
            with contextlib.ExitStack() as stack:
                for _ in range(100):
                    stack.enter_context(edge.half_a_body("127.0.0.2"))
                refused = stack.enter_context(edge.half_a_body("127.0.0.2")).recv(1000)
                assert post_on(connection, body_of(1)).status == 200
            if b" 503 " in refused:
                break
        assert b" 503 " in refused
    finally:
        connection.close()
        app.stop()
        thread.join()
