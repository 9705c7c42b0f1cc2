"""The programs of docs/functions.md, driven as their platforms drive them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.docs_kit import ROOT, blocks
from kits.function_events import gateway_http, gateway_rest, lambda_url
from kits.webhook_kit import body_of

from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.webhook.edge import SECRET_HEADER, derived_secret

HEADERS = {"Content-Type": "application/json", SECRET_HEADER: derived_secret(TEST_TOKEN)}
BOT, AWS, GOOGLE, AZURE, CGI, IN_ANSWER = [block.text for block in blocks("python") if block.guide == ROOT / "docs" / "functions.md"]


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """Telegram, as far as the programs can tell."""
    with BotApiServer(any_chat=True) as running:
        yield running


@pytest.fixture
def given(server: BotApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guide's bot, where a program can import it."""
    (tmp_path / "bot.py").write_text(BOT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TEST_TOKEN)
    monkeypatch.setenv("SYNCBOT_BASE_URL", server.url)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    del sys.modules["bot"]


def run(code: str) -> dict[str, Any]:
    """The names that a program makes."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(code, names)
    return names


@pytest.mark.usefixtures("given")
def test_the_function_of_aws(server: BotApiServer) -> None:
    """It answers events of a function URL and of both kinds of API Gateway."""
    handler = run(AWS)["handler"]
    for number, shape in enumerate((lambda_url, gateway_http, gateway_rest), 1):
        assert handler(shape(body_of(number, f"event {number}"), HEADERS), None)["statusCode"] == 200
    assert [message.text for message in server.sent] == ["event 1", "event 2", "event 3"]


@pytest.mark.usefixtures("given")
def test_the_function_of_google(server: BotApiServer) -> None:
    """It answers a request of Flask's."""
    import flask  # where it is needed: every process collects all tests

    function = run(GOOGLE)["bot"]
    with flask.Flask("functions").test_request_context("/", method="POST", data=body_of(1), headers=HEADERS):
        assert function(flask.request)[1] == 200
    assert [message.text for message in server.sent] == ["hi"]


@pytest.mark.usefixtures("given")
def test_the_function_of_azure(server: BotApiServer) -> None:
    """It answers a request of Azure's library."""
    from azure.functions import HttpRequest

    main = run(AZURE)["main"]
    assert main(HttpRequest(method="POST", url="https://bot.azurewebsites.net/api/hook", headers=HEADERS, body=body_of(1))).status_code == 200
    assert [message.text for message in server.sent] == ["hi"]


@pytest.mark.usefixtures("given")
def test_the_one_without_any_connection(server: BotApiServer) -> None:
    """The message stands in its answer, and nothing has connected."""
    answer = run(IN_ANSWER)["handler"](lambda_url(body_of(1, "hi there"), HEADERS), None)
    assert json.loads(answer["body"])["text"] == "hi there"
    assert server.recorder.connections_total == 0


def test_the_cgi_program(server: BotApiServer, tmp_path: Path) -> None:
    """Two requests are two processes, and the second one knows of the first."""
    for number in (1, 2):
        body = body_of(number, "hi")
        environ = {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": server.url,
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": HEADERS[SECRET_HEADER],
            "SERVER_NAME": "bot.example",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(filter(None, sys.path)),
        }
        done = subprocess.run([sys.executable, "-c", CGI], env=environ, cwd=tmp_path, input=body, capture_output=True, timeout=60)
        assert done.stdout.startswith(b"Status: 200 OK"), done.stderr
    assert [message.text for message in server.sent] == ["1: hi", "2: hi"]
