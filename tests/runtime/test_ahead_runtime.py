"""A runtime that has connections opened ahead of its answers: while somebody talks by itself, and otherwise as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, becomes, make_bot, running
from kits.timing_kit import took, tried

from syncbot.client.bot import Bot
from syncbot.errors import ConfigError
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.types import AheadAuto

POLLS = 4


def answering(app: Runtime) -> Runtime:
    """A runtime that answers each text with the same text."""

    @app.message(filters.TEXT)
    def answer(update: Any, context: Context) -> None:
        context.reply(f"re: {update.message.text}")

    return app


def openers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "syncbot-ahead"]


def test_a_quiet_bot_makes_as_many_connections_as_polls(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """By default nothing is opened ahead while nobody talks, and no thread for it is there."""
    app = answering(make_app(poll_wait=1))
    with running(app):
        server.wait_until(lambda: server.count("getUpdates") >= POLLS)
        assert openers() == []
    server.wait_closed()
    assert server.max_requests_per_connection == 1
    assert server.connections_total == len(server.requests)


def test_a_run_for_cron_that_finds_nothing_makes_none(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """`run_once` makes as many connections as calls where nothing waits."""
    answering(make_app()).run_once(5.0)
    server.wait_closed()
    assert server.connections_total == len(server.requests)


def test_after_an_answer_one_stands(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """By default a connection stands ready from the first message on, up to as many as there are workers, and none is left after the stop."""
    app, user = answering(make_app(workers=3)), server.user(id=42)
    with running(app):
        assert app.bot.ahead == AheadAuto(most=3)
        user.send("a")
        user.wait_for("re: a", timeout=SECONDS)
        assert becomes(lambda: sum(record.closed is None and record.requests == 0 for record in server.connections) >= 1)
    assert app.bot.ahead == 0
    server.wait_closed()
    assert server.max_requests_per_connection == 1


def test_updates_of_a_webhook_have_one_opened_too(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """A bot that does not poll has a connection stand ready from an update on, by whichever process it was stored, also where its handler sends nothing."""
    app = make_app(ahead=AheadAuto(seconds=1.0))
    handled = threading.Semaphore(0)

    @app.message(filters.TEXT)
    def quiet(update: Any, context: Context) -> None:
        handled.release()

    app.start(poll=False)
    app.bot.call("getMe")
    assert becomes(lambda: server.connections_total >= 2)
    assert becomes(lambda: all(record.closed is not None for record in server.connections))
    before = server.connections_total
    app.process({"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"}, "text": "a"}})
    assert handled.acquire(timeout=SECONDS)
    assert becomes(lambda: server.connections_total == before + 1)


def test_what_was_learned_of_the_way_is_kept_in_the_state_file(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """The next run knows how long a connection may stand, and that one has died in silence there."""
    first = make_app()
    transport = first.bot.transport
    assert isinstance(transport, OneShotTransport)
    with running(first):
        transport.idle_limits.poll_passed("one", 50.0)
        transport.idle_limits.spare_lost("two", 30.0, silent=True)
    later = make_app()
    transport = later.bot.transport
    assert isinstance(transport, OneShotTransport)
    with running(later):
        assert (transport.idle_limits.stand_seconds("one"), transport.idle_limits.stand_seconds("two")) == (40.0, 2.0)


def test_in_conversation_an_answer_takes_little_more_than_a_round_trip(server: BotApiServer, tmp_path: Path) -> None:
    """From a user's message to the answer at the server it is the half of the way that the poll has left, and the half that the answer takes."""

    def attempt(rtt: float) -> None:
        with FaultProxy("relay", target=server.url.partition("//")[2], rtt=rtt) as relay:
            bot = make_bot(server, base_url=relay.url_for("http"), timeout=60.0)
            user = server.user(id=42)
            with bot, running(answering(Runtime(bot, state=tmp_path / f"{rtt}.db"))):
                texts = [f"{rtt} {number}" for number in range(3)]
                seconds = []
                for text in texts:
                    server.wait_polled()
                    seconds.append(took(lambda text=text: (user.send(text), user.wait_for(f"re: {text}", timeout=SECONDS))))  # type: ignore[misc]  # text is bound
                    assert becomes(lambda: sum(record.closed is None and record.requests == 0 for record in server.connections) >= 1)
                assert min(seconds[1:]) < 1.5 * rtt

    tried(attempt, (0.2, 0.4, 0.8, 2.0))


def test_while_it_runs_and_no_longer(server: BotApiServer, make_app: Callable[..., Runtime]) -> None:
    """A number holds from start to stop, its connections serve one call each, and the bot has its own number again afterwards."""
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


@pytest.mark.parametrize("options", [{}, {"ahead": "auto"}, {"ahead": None}], ids=["default", "auto", "None"])
def test_a_bot_keeps_its_own_number(options: Any, make_app: Callable[..., Runtime]) -> None:
    """What the bot was made with holds, unless the runtime is given a number."""
    app = make_app(bot_options={"ahead": 2}, **options)
    with running(app):
        assert app.bot.ahead == 2


@pytest.mark.parametrize(("given", "holds"), [(0, 0), (None, 0), (AheadAuto(60.0), AheadAuto(60.0, 4)), (AheadAuto(most=1), AheadAuto(most=1)), (2, 2)])
def test_what_is_given_holds(given: Any, holds: Any, make_app: Callable[..., Runtime]) -> None:
    """0 and None open none where the bot opens none; other numbers of the automatic mode are kept, and the workers bound it where nothing else does."""
    app = make_app(ahead=given)
    with running(app):
        assert app.bot.ahead == holds


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
