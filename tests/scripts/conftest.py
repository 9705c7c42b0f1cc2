"""What the tests of the scripts share: a checkout of their own, whose virtual environment is set up already, and an empty home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.scripts_kit import Checkout, make_checkout

from syncbot.testing import TEST_TOKEN, BotApiServer


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the scripts beside syncbot itself, with the tests' own Python as its virtual environment."""
    return make_checkout(tmp_path)


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server without TLS."""
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture
def settings(server: BotApiServer) -> dict[str, str]:
    """The settings of a bot at that server."""
    return {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url}
