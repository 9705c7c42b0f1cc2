"""Fixtures of the runtime's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.dispatch_kit import Rig
from kits.runtime_kit import SECONDS, becomes, make_bot, own_threads

from syncbot.runtime.runtime import Runtime
from syncbot.testing import BotApiServer


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server without TLS, for tests that are not about the way to it."""
    with BotApiServer(any_chat=True, slow_same_offset=False, conflict_delay=0.2) as server:
        yield server


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A bot without a network, whose handlers are registered in the test."""
    made = Rig()
    yield made
    made.close()


MakeApp = Callable[..., Runtime]


@pytest.fixture
def make_app(server: BotApiServer, tmp_path: Path) -> Iterator[MakeApp]:
    """Makes runtimes of the server's bot, with a state file unless told otherwise; all are stopped at the end, and leave no thread."""
    made: list[Runtime] = []

    def make(*, bot_options: dict[str, Any] | None = None, **options: Any) -> Runtime:
        chosen: dict[str, Any] = {"state": tmp_path / "bot.db", "grace": SECONDS} | options
        app = Runtime(make_bot(server, **(bot_options or {})), **chosen)
        made.append(app)
        return app

    yield make
    for app in made:
        app.stop(grace=1.0)
        app.bot.close()
    assert becomes(lambda: not own_threads()), own_threads()
