"""A runtime that has connections opened ahead of its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, make_bot, running

from syncbot.client.bot import Bot
from syncbot.errors import ConfigError
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport


def test_while_it_runs_and_no_longer(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """The option holds from start to stop, its connections serve one call each, and the bot has its own number again afterwards."""
    app, user = make_app(bot_options={"ahead": 1}, ahead=3), server.user(id=42)
    bot = app.bot

    @app.message(filters.TEXT)
    def answer(update: Any, context: Context) -> None:
        for number in range(10):
            context.reply(f"{update.message.text} {number}")

    assert bot.ahead == 1
    with running(app):
        assert bot.ahead == 3
        user.send("a")
        user.wait_for("a 9", timeout=SECONDS)
        user.send("b")
        user.wait_for("b 9", timeout=SECONDS)
    assert bot.ahead == 1
    bot.close()
    server.wait_closed()
    assert server.count("sendMessage") == 20
    assert server.max_requests_per_connection == 1
    assert any(record.requests == 0 for record in server.connections), "some were opened ahead, and were left over at the end"


def test_without_the_option_the_bot_keeps_its_number(make_app: Callable[..., Runtime]) -> None:
    """None leaves it at what the bot was made with."""
    app = make_app(bot_options={"ahead": 2})
    with running(app):
        assert app.bot.ahead == 2


def test_a_transport_that_opens_none_ahead() -> None:
    """Another transport is left alone."""
    bot = Bot(TEST_TOKEN, transport=FakeTransport())
    bot.ahead = 3
    assert bot.ahead == 0


def test_a_negative_number_is_refused(server: BotApiServer) -> None:
    """It is a ConfigError, with an example of a right one."""
    bot = make_bot(server)
    with pytest.raises(ConfigError, match="ahead=3"):
        Runtime(bot, state=None, ahead=-1)
    bot.close()
