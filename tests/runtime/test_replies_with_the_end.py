"""Answers that go out with the end of their handler: all of them, or none."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, becomes, make_bot, running

from syncbot.client.bot import Bot
from syncbot.errors import AskTimeout, Cancelled, ConfigError
from syncbot.runtime.durable.queued import Queued
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]
WITH_THE_END: dict[str, Any] = {"replies": "with the end"}


def test_answers_go_out_with_the_end_in_order(server: BotApiServer, make_app: MakeApp) -> None:
    """While the handler runs nothing is sent; when it has returned, all is, in order, and its data is written."""
    app, user, seen = make_app(**WITH_THE_END), server.user(id=42), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        for number in range(5):
            assert isinstance(context.reply(str(number)), Queued)
        context.user_data["sent"] = context.bot.get_me().id
        seen.add(f"{len(user.messages)} messages so far")

    with running(app):
        user.send("hi")
        user.wait_for("4", timeout=SECONDS)
    assert seen.texts == ["0 messages so far"]
    assert [message.text for message in user.messages] == ["0", "1", "2", "3", "4"]
    with open_store(app.state, None) as store:
        assert store.data.load("user", 42) == {"sent": app.bot.id}  # type: ignore[arg-type]  # the scope is a StrEnum
        assert store.outbox.entries() == []


@pytest.mark.goes_on_after("failed")
def test_a_handler_that_raises_sends_nothing(server: BotApiServer, make_app: MakeApp) -> None:
    """What it had queued is forgotten, a file among it; what the error handler says goes out."""
    app, user = make_app(**WITH_THE_END), server.user(id=42)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        context.reply_document(b"a file")
        raise ValueError("no")

    @app.error(ValueError)
    def failed(update: Any, context: Context) -> None:
        context.reply("Sorry")

    with running(app):
        user.send("hi")
        user.wait_for("Sorry", timeout=SECONDS)
        assert becomes(lambda: app.health()["dead_letters"] == 1)
        assert app.state is not None
        assert not list(app.state.parent.glob("*outbox*/*.copy"))
    assert [message.text for message in user.messages] == ["Sorry"]


def test_what_cannot_be_sent_is_told_where_it_is_queued(server: BotApiServer, make_app: MakeApp) -> None:
    """Half of a surrogate pair fails in the handler's own line, which can answer otherwise, and not when it is too late for that."""
    app, user = make_app(**WITH_THE_END), server.user(id=42)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        try:
            context.reply("\ud800")
        except ValueError as error:
            context.reply(f"told: {error}")

    with running(app):
        user.send("hi")
        user.wait_for(re.compile("told: .*surrogate"), timeout=SECONDS)
    assert len(user.messages) == 1


def test_what_is_queued_has_no_result_and_says_so(server: BotApiServer, make_app: MakeApp) -> None:
    """An attribute or an item of a queued call raises with words that name the option."""
    app, user, seen = make_app(), server.user(id=42), Seen()

    @app.message(replies="with the end")
    def handler(update: Any, context: Context) -> None:
        for look in (lambda queued: queued.message_id, lambda queued: queued["message_id"]):
            try:
                look(context.reply("x"))
            except (AttributeError, LookupError) as error:
                seen.add(str(error))

    with running(app):
        user.send("hi")
        seen.wait_number(2)
    assert all("message_id" in text and "replies='with the end'" in text for text in seen.texts)


@pytest.mark.parametrize("asks", ["hold", "unwind"])
def test_the_question_goes_out_when_the_waiting_is_recorded(server: BotApiServer, make_app: MakeApp, asks: str) -> None:
    """What was queued before a question goes out with it, once, also where the handler is put aside; what follows goes out with the end."""
    app, user = make_app(**WITH_THE_END, asks=asks), server.user(id=42)

    @app.command("go")
    def go(update: Any, context: Context) -> None:
        context.reply("Hello")
        name = context.ask("Name?").text
        size = context.choose("Size?", ["S", "M"])
        context.sleep(0.01)
        context.reply(f"{name} {size}")

    with running(app):
        user.send("/go")
        user.wait_for("Name?", timeout=SECONDS)
        user.send("Ada")
        user.wait_for("Size?", timeout=SECONDS)
        user.press(user.messages[-1], "M").wait_answer(SECONDS)
        user.wait_for("Ada M", timeout=SECONDS)
    assert [message.text for message in user.messages] == ["Hello", "Name?", "Size?", "Ada M"]


def test_what_returns_something_that_is_needed_goes_at_once(server: BotApiServer, make_app: MakeApp) -> None:
    """Getting, downloading and what is called for its result are not queued."""
    app, user, seen = make_app(**WITH_THE_END), server.user(id=42), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(f"{type(context.bot.get_me()).__name__} {type(context.bot.get_chat(42)).__name__}")

    with running(app):
        user.send("hi")
        seen.wait_number(1)
    assert "Queued" not in seen.texts[0]


def test_by_webhook_within_the_request(server: BotApiServer, make_app: MakeApp) -> None:
    """An update that is handled inline has its answers sent before the request ends."""
    app, user = make_app(**WITH_THE_END), server.user(id=42)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        context.reply("two")

    user.send("hi")
    [update] = app.bot.call("getUpdates")
    assert app.handle(update).handled == 1
    assert [message.text for message in user.messages] == ["one", "two"]


@pytest.mark.parametrize("options", [{"state": None}, {"durable": False}, {"replies": "later"}])
def test_what_cannot_be_is_refused(server: BotApiServer, options: dict[str, Any]) -> None:
    """Without a state file or a durable handler nothing can be queued, and the words say so."""
    bot: Bot = make_bot(server)
    with pytest.raises(ConfigError, match="replies"):
        Runtime(bot, **(WITH_THE_END | {"state": "bot.db"} | options))
    bot.close()


def test_a_handler_that_is_not_durable_is_refused(server: BotApiServer, make_app: MakeApp) -> None:
    """The decorator says what is wrong."""
    app = make_app()
    with pytest.raises(ValueError, match="durable"):
        app.message(durable=False, replies="with the end")(lambda update, context: None)


@pytest.mark.parametrize("asks", ["hold", "unwind"])
@pytest.mark.parametrize("ends", ["time", "/cancel"])
def test_the_buttons_of_a_question_that_is_over_are_taken_away(server: BotApiServer, make_app: MakeApp, asks: str, ends: str) -> None:
    """The question has gone out by the outbox, so that its handler never had its message: the keyboard goes all the same, in order, over a restart too."""
    user, chosen = server.user(id=42), Seen()

    def app_of() -> Runtime:
        app = make_app(asks=asks, poll_wait=1, **WITH_THE_END)

        @app.command("start")
        def start(update: Any, context: Context) -> None:
            context.choose("Size?", ["S", "M"], timeout=3600.0)

        @app.error(AskTimeout, Cancelled)
        def over(update: Any, context: Context) -> None:
            context.reply("Never mind")
            chosen.add(type(context.error).__name__)

        return app

    app = app_of()
    with running(app):
        user.send("/start")
        question = user.wait_for("Size?", timeout=SECONDS)
        assert becomes(lambda: app.store is not None and app.store.questions.entries()[0].wants.get("message_id") == question.message_id)
    assert question.buttons
    if ends == "time":
        with sqlite3.connect(app.state or "") as db:
            db.execute("UPDATE question SET until = 1.0")
        db.close()
    again = app_of()
    with running(again):
        if ends == "/cancel":
            user.send("/cancel")
        user.wait_for("Never mind", timeout=SECONDS)
    assert chosen.texts == ["AskTimeout" if ends == "time" else "Cancelled"]
    [asked] = [message for message in user.messages if message.text == "Size?"]
    assert not asked.buttons


def test_a_question_that_comes_when_it_is_over_loses_its_buttons(server: BotApiServer, make_app: MakeApp) -> None:
    """Telegram could not be reached for longer than the question's time: what is delivered then has no buttons that nobody waits for."""
    app, user = make_app(**WITH_THE_END), server.user(id=42)

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        context.choose("Size?", ["S", "M"], timeout=0.0)

    with running(app):
        user.send("/start")
        user.wait_for(lambda message: message.text == "Size?" and not message.buttons, timeout=SECONDS)
