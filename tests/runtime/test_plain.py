"""Bots on plain updates, `Runtime(bot, types=False)`: all works as with telegram's types, and telegram is never loaded."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.dispatch_kit import GROUP, SAMPLES, TOKEN, Rig, Turn, message, update
from kits.runtime_kit import SECONDS, Seen, make_bot
from telegram.ext import filters as ptb

from syncbot import Bot, Runtime, filters, plain
from syncbot.client.plain_bot import PlainBot
from syncbot.runtime.handling.handlers import PlainDecorator
from syncbot.runtime.keywords import RuntimeOptions
from syncbot.runtime.runtime import Runtime as RuntimeClass
from syncbot.testing import BotApiServer
from syncbot.transport import FakeTransport


class PlainRig(Rig):
    """A rig whose bot is a plain one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.bot = PlainBot.of(self.bot)


@pytest.fixture
def rig() -> Iterator[Any]:
    made = PlainRig()
    yield made
    made.close()


def plain_app(**options: Any) -> Runtime[PlainDecorator]:
    """A runtime without a network."""
    return Runtime(Bot(TOKEN, transport=FakeTransport(), limits=None), types=False, state=None, **options)


@pytest.mark.parametrize("kind", SAMPLES)
def test_handlers_of_every_kind_get_the_json(rig: Any, kind: str) -> None:
    """A handler of each kind, its filters and its context get the update as Telegram sent it, as a plain.Update; the JSON itself is left alone."""
    seen: list[Any] = []

    def wanted(update: Any, context: Any) -> bool:
        seen.append(update)
        return True

    @rig.app.on(kind, filters=wanted)
    def handler(update: Any, context: Any) -> None:
        seen.extend([update, context.update, context.raw])

    rig.handle(raw := update(SAMPLES[kind], kind))
    assert [type(one) for one in seen] == [plain.Update, plain.Update, plain.Update, dict]
    assert seen[0] is seen[1] is seen[2]
    assert seen[0] == raw
    assert getattr(seen[0], kind) == SAMPLES[kind]


def test_patterns_and_commands(rig: Any) -> None:
    """Commands with their words, and patterns with their match, are found in plain updates."""
    seen: list[Any] = []
    rig.app.command("buy")(lambda update, context: seen.append(context.args))
    rig.app.callback_query(r"buy:(\d+)")(lambda update, context: seen.append((context.match[1], context.message.message_id)))
    rig.app.message(filters.regex("h.") & filters.PRIVATE & filters.user("@Anna"))(lambda update, context: seen.append(context.match[0]))
    rig.send("/buy@TheBot two cats")
    rig.handle(update(SAMPLES["callback_query"], "callback_query"))
    rig.send("hello")
    assert seen == [["two", "cats"], ("12", 21), "he"]


def test_replies_edits_and_states(rig: Any) -> None:
    """context.reply returns a plain message, context.edit finds it again, and states and data are kept."""

    @rig.app.message(state=None)
    def first(update: Any, context: Any) -> None:
        sent = context.reply("hello", quote=True)
        assert type(sent) is plain.Message
        context.state = {"at": sent.message_id}
        context.user_data["name"] = update.message.from_user.first_name

    @rig.app.message(filters.state({"at": 99}))
    def second(update: Any, context: Any) -> None:
        context.reply(context.user_data["name"])

    rig.send()
    rig.send()
    assert [call.parameters["text"] for call in rig.calls] == ["hello", "Anna"]


def test_an_album_that_was_sent_can_be_edited() -> None:
    """What a call returned in a list is what edit() goes by."""
    rig: Any = PlainRig()
    rig.transport = FakeTransport(sendMediaGroup=[[message(message_id=50)]], editMessageCaption=message(), sendMessage=message())
    rig.bot = PlainBot.of(Bot(TOKEN, transport=rig.transport, limits=None))

    @rig.app.message()
    def handler(update: Any, context: Any) -> None:
        sent = context.reply_media_group([{"type": "photo", "media": "F"}, {"type": "photo", "media": "G"}])
        assert [type(one) for one in sent] == [plain.Message]
        context.edit_caption("new")

    rig.send()
    assert rig.calls[1].parameters["message_id"] == 50
    rig.close()


def test_a_question_is_answered_with_a_plain_message(rig: Any) -> None:
    """context.ask returns the answer as a plain message."""
    seen: list[Any] = []
    rig.app.message()(lambda update, context: seen.append(context.ask("Your name?")))
    rig.handle(update(), Turn(update(text="Bob")))
    assert [(type(answer), answer.text) for answer in seen] == [(plain.Message, "Bob")]


def test_a_message_under_an_old_button_is_told(rig: Any) -> None:
    """context.message says in words that the message under the button cannot be seen any more."""
    seen: list[str] = []

    @rig.app.callback_query()
    def handler(update: Any, context: Any) -> None:
        with pytest.raises(RuntimeError, match="not accessible any more") as caught:
            _ = context.message
        seen.append(str(caught.value))

    rig.handle(update(SAMPLES["callback_query"] | {"message": {"chat": GROUP, "message_id": 5, "date": 0}}, "callback_query"))
    assert len(seen) == 1


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", [ptb.TEXT, filters.TEXT & ptb.TEXT, ptb.TEXT & filters.TEXT, ~filters.as_filter(ptb.TEXT), filters.PHOTO | ptb.TEXT])
def test_filters_of_python_telegram_bot_are_refused_at_the_start(wanted: Any) -> None:
    """A runtime does not start with one of them, however it is combined, and names it, its handler and what to use; also in an included router."""
    app = plain_app()

    @app.message(wanted)
    def greet(update: plain.Update, context: plain.Context) -> None: ...

    with pytest.raises(TypeError, match=r"greet.*filters\.TEXT.* is a filter of python-telegram-bot's.*types=False.*use syncbot\.filters"):
        app.start()
    outer = plain_app()
    outer.include(app)
    with pytest.raises(TypeError, match="python-telegram-bot's"):
        outer.run_once()


def test_other_objects_with_check_update_are_taken(rig: Any) -> None:
    """Whatever else has check_update is a filter as ever, and gets the plain update."""

    class Long:
        def check_update(self, update: Any) -> bool:
            return len(update.message.text) > 3

    seen: list[str] = []
    handler = rig.app.message(Long())
    handler(lambda update, context: seen.append(update.message.text))
    rig.app.routes.refuse_types()
    rig.send("hi")
    rig.send("hello")
    assert seen == ["hello"]


def test_async_handlers_are_refused_at_the_start() -> None:
    """An `async def` handler, which needs telegram's objects, keeps the runtime from starting."""
    app: Any = plain_app()

    async def greet(update: Any, context: Any) -> None: ...

    app.message()(greet)
    with pytest.raises(TypeError, match=r"greet.*async def.*types=False.*write def"):
        app.start()


def test_a_coroutine_that_a_handler_returns_is_refused(rig: Any) -> None:
    """Also where only the call shows that it is one: the update fails with that text."""

    async def inner() -> None: ...

    told: list[str] = []
    rig.app.error(lambda update, context: told.append(f"{type(update).__name__}: {context.error}"))
    rig.app.message()(lambda update, context: inner())
    with pytest.raises(Exception, match="async def function"):
        rig.send()
    assert told[0].startswith("Update: ")


# ── whole bots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_given_bot_stays_as_it_is() -> None:
    """The runtime's own bot is a plain view of the given one; with types it is the given one itself."""
    bot = Bot(TOKEN, transport=FakeTransport(), limits=None)
    app = Runtime(bot, types=False, state=None)
    assert (app.bot.types, bot.types, app.bot.transport is bot.transport) == (False, True, True)
    assert Runtime(bot, state=None).bot is bot


def test_the_options_that_checkers_see_are_all() -> None:
    """The overloads of Runtime name every option that it takes."""
    assert set(RuntimeOptions.__annotations__) == set(inspect.signature(RuntimeClass.__init__).parameters) - {"self", "bot", "types", "unknown"}


def test_a_job_gets_plain_results(tmp_path: Path) -> None:
    """The bot of a job's context is the plain one."""
    with BotApiServer(any_chat=True) as server:
        app = Runtime(make_bot(server), types=False, state=tmp_path / "bot.db")
        done = threading.Event()
        seen: list[object] = []

        @app.later(0.01)
        def job(context: plain.Context) -> None:
            seen.append(type(context.bot.get_me()))
            done.set()

        with app:
            assert done.wait(SECONDS)
    assert seen == [plain.User]


def test_posted_updates_are_plain(tmp_path: Path) -> None:
    """An update that is handed to app.handle comes as a plain one too."""
    seen = Seen()
    app: Any = Runtime(Bot(TOKEN, transport=FakeTransport(), limits=None), types=False, state=tmp_path / "bot.db")
    app.message()(lambda update, context: seen.add(f"{type(update).__name__} {update.message.from_user.first_name} {type(update) is plain.Update}"))
    app.handle(update(text="a"))
    seen.wait("Update Anna True")


CHILD = """
import sys
from syncbot import Bot, Runtime, filters, plain

url, token, state = sys.argv[1:]
app = Runtime(Bot(token, base_url=url, limits=None), types=False, state=state)

@app.command("ask", filters=filters.PRIVATE)
def ask(update: plain.Update, context: plain.Context) -> None:
    answer = context.ask("Your name?", timeout=60)
    sent = context.reply("Hello " + answer.text)
    context.bot.edit_message_text("Hello again", sent.chat.id, sent.message_id)
    context.user_data["name"] = answer.text

@app.message(filters.TEXT & ~filters.COMMAND & ~filters.text("fail"))
def loaded(update: plain.Update, context: plain.Context) -> None:
    context.bot.get_me()
    names = [name for name in ("telegram", "httpx", "asyncio", "httpcore") if name in sys.modules]
    context.reply(f"loaded: {names}, {update['message']['from']['first_name']}, {context.user_data['name']}")

@app.message(filters.text("fail"))
def fail(update: plain.Update, context: plain.Context) -> None:
    update.message.txt

@app.error
def failed(update: plain.Update, context: plain.Context) -> None:
    context.reply(f"{context.error}, {'telegram' in sys.modules}")

app.run()
"""


def test_a_whole_bot_never_loads_telegram(tmp_path: Path) -> None:
    """A bot in a process of its own polls, asks, replies, edits, keeps data and tells of an error, with no telegram, httpx or asyncio in it."""
    with BotApiServer(any_chat=True) as server:
        user = server.user(id=7, first_name="Anna")
        command = [sys.executable, "-c", CHILD, server.url, server.token, str(tmp_path / "bot.db")]
        with subprocess.Popen(command) as process:
            try:
                user.send("/ask")
                user.wait_for("Your name?", timeout=2 * SECONDS)
                user.send("Bob")
                user.wait_for("Hello Bob", timeout=SECONDS)
                user.wait_for("Hello again", timeout=SECONDS)
                user.send("look")
                user.wait_for("loaded: [], Anna, Bob", timeout=SECONDS)
                user.send("fail")
                user.wait_for("Message has no field 'txt'; did you mean 'text'?, False", timeout=SECONDS)
            finally:
                process.terminate()
                process.wait(SECONDS)
    assert process.returncode == 0
