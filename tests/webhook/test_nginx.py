"""The nginx example in front of `run_webhook`: TLS at the edge, updates through it, and nothing lost while the bot restarts."""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from ports_kit import free_port
from webhook_kit import ROOT, SECRET, body_of, eventually, post_on, wait_for_port

from syncbot import Bot, Runtime
from syncbot.testing import BotApiServer

AROUND = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/example.conf;
}}
"""


class Edge:
    """A running nginx with the example's configuration."""

    def __init__(self, folder: Path, bot_port: int) -> None:
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert program, "nginx is missing; install it (apt-get install nginx-light), or run scripts/test, which does that as root"
        self.port = free_port()
        self.bot_port = bot_port
        self.ca_file = str(folder / "ca.pem")
        ca = trustme.CA()
        ca.cert_pem.write_to_path(self.ca_file)
        certificate = ca.issue_cert("127.0.0.1")
        for number, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(str(folder / "fullchain.pem"), append=number > 0)
        certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
        example = (ROOT / "examples" / "nginx.conf").read_text()
        for ours, theirs in (
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("/etc/letsencrypt/live/bot.example", str(folder)),
            ("127.0.0.1:8080", f"127.0.0.1:{bot_port}"),
        ):
            assert ours in example
            example = example.replace(ours, theirs)
        (folder / "example.conf").write_text(example)
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user="user root;" if os.getuid() == 0 else ""))
        self.process = subprocess.Popen([program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
        wait_for_port(self.port)

    @property
    def url(self) -> str:
        """The webhook's URL as Telegram sees it."""
        return f"https://127.0.0.1:{self.port}/hook"

    def connect(self) -> http.client.HTTPSConnection:
        """A connection of a client that trusts its certificate."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30.0, context=ssl.create_default_context(cafile=self.ca_file))


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    """nginx in front of a port where a bot will listen."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    edge = Edge(folder, free_port())
    yield edge
    edge.process.terminate()
    edge.process.wait(40)


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
    """A body over a megabyte, another path and plain HTTP do not get past nginx; a wrong secret is refused by the bot behind it."""
    thread = serving(app, edge)
    connection = edge.connect()
    try:
        assert post_on(connection, body_of(1)).status == 200
        assert post_on(connection, body_of(2), secret="wrong").status == 403
        assert post_on(connection, body_of(2), path="/other").status == 404
        assert post_on(connection, b" " * ((1 << 20) + 1)).status == 413
    finally:
        connection.close()
        app.stop()
        thread.join()
