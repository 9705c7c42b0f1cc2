"""What the tests of webhooks share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.webhook_kit import SECRET, Start, programs

from syncbot import Bot, Runtime
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.webhook.edge import WebhookApp


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server without TLS."""
    with BotApiServer(any_chat=True, slow_same_offset=False) as running:
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[Bot]:
    """A bot that talks to it."""
    with Bot(TEST_TOKEN, base_url=server.url, proxies="direct") as bot:
        yield bot


@pytest.fixture
def app(bot: Bot, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime with a state file."""
    app = Runtime(bot, state=tmp_path / "bot.db")
    yield app
    app.stop()


@pytest.fixture
def hook(app: Runtime) -> WebhookApp:
    """Its WSGI application."""
    return app.wsgi("/hook", SECRET)


@pytest.fixture
def environment(server: BotApiServer, tmp_path: Path) -> dict[str, str]:
    """The environment of programs under test."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY") and not name.startswith(("SYNCBOT_", "XDG_"))}
    return {
        **kept,
        "HOME": str(tmp_path),
        "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
        "SYNCBOT_BASE_URL": server.url,
        "SYNCBOT_PROXY": "direct",
        "SYNCBOT_STATE": str(tmp_path / "bot.db"),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts programs."""
    with programs(tmp_path, environment) as start:
        yield start
