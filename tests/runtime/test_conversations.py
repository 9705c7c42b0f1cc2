"""Conversations in straight lines, whichever way the bot runs: threads, put aside at each question, one process for each answer, web requests."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, becomes, logged, own_threads, running

from syncbot import ContinuePropagation, filters
from syncbot.errors import AskTimeout, Cancelled
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.router import Router
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import BotApiServer
from syncbot.testing.people.people import User

MakeApp = Callable[..., Runtime]
Register = Callable[[Runtime], None]


class Talk:
    """A conversation of one user with a bot that runs in one of four ways.

    Args:
        way: "hold" and "unwind" run in threads, "once" is a process for each thing that the user does, and "inline" a web request.
        make_app: makes the runtimes.
        server: the server.
        register: puts the handlers on a runtime.
    """

    def __init__(self, way: str, make_app: MakeApp, server: BotApiServer, register: Register) -> None:
        self.user: User = server.user(id=42)
        self._way = way
        self._make_app = make_app
        self._register = register
        self._next = 0

    @contextlib.contextmanager
    def begun(self) -> Iterator[Talk]:
        """Within the block the bot runs, where it does so all the time."""
        if self._way in ("once", "inline"):
            yield self
            return
        with running(self.app()):
            yield self

    def app(self) -> Runtime:
        """A runtime with the handlers."""
        app = self._make_app(**({"asks": self._way} if self._way in ("hold", "unwind") else {}))
        self._register(app)
        return app

    def says(self, text: str) -> None:
        """The user writes something."""
        self.user.send(text)
        self.handle()

    def presses(self, text: str, button: str) -> None:
        """The user presses a button under a message."""
        self.user.press(next(message for message in self.user.messages if message.text == text), button)
        self.handle()

    def handle(self) -> None:
        """Where the bot does not run all the time, it runs once."""
        if self._way == "once":
            assert self.app().run_once().error == ""
        elif self._way == "inline":
            app = self.app()
            for update in app.bot.call("getUpdates", offset=self._next):
                self._next = update["update_id"] + 1
                assert app.handle(update).failed == 0

    def hears(self, text: str) -> None:
        """The bot has written this last."""
        self.user.wait_for(text, timeout=SECONDS)

    @property
    def texts(self) -> list[str]:
        """All that the bot has written."""
        return [message.text or "" for message in self.user.messages]


@pytest.fixture(params=["hold", "unwind", "once", "inline"])
def talk(request: pytest.FixtureRequest, make_app: MakeApp, server: BotApiServer) -> Callable[[Register], Talk]:
    """Makes a conversation of each kind."""
    return lambda register: Talk(request.param, make_app, server, register)


def test_questions_are_answered_one_after_the_other(talk: Callable[[Register], Talk]) -> None:
    """Straight-line code asks, does, asks again; each thing is done once, and nothing is left at the end."""
    done: list[str] = []

    def register(app: Runtime) -> None:
        @app.command("order")
        def order(update: Any, context: Context) -> None:
            context.reply("Hello")
            name = context.ask("Name?").text
            number = context.once("number", lambda: done.append(name) or len(done))
            if context.ask("Sure?").text == "yes":
                context.reply(f"{name} has number {number}")

    with (found := talk(register)).begun():
        for said, heard in (("/order", "Name?"), ("Ada", "Sure?"), ("yes", "Ada has number 1")):
            found.says(said)
            found.hears(heard)
    assert found.texts == ["Hello", "Name?", "Sure?", "Ada has number 1"]
    assert done == ["Ada"]


def test_commands_and_others_go_on_while_a_question_is_open(talk: Callable[[Register], Talk]) -> None:
    """A command, and what the filter does not want, goes to the other handlers; the question stays open, also over a restart."""

    def register(app: Runtime) -> None:
        @app.command("photo")
        def photo(update: Any, context: Context) -> None:
            found = context.ask("A contact, please", filters=filters.CONTACT | filters.LOCATION)
            context.reply(f"Thanks for {found.contact.phone_number}")

        @app.command("help")
        def help_(update: Any, context: Context) -> None:
            context.reply("Help")

        @app.message(filters.TEXT)
        def other(update: Any, context: Context) -> None:
            context.reply(f"You said {update.message.text}")

    with (found := talk(register)).begun():
        for said, heard in (("/photo", "A contact, please"), ("/help", "Help"), ("hm", "You said hm")):
            found.says(said)
            found.hears(heard)
        found.user.send_contact("123")
        found.handle()
        found.hears("Thanks for 123")


def test_an_answer_that_does_not_fit_is_asked_for_again(talk: Callable[[Register], Talk]) -> None:
    """What check returns is said to the user, and the next answer is waited for."""

    def register(app: Runtime) -> None:
        @app.command("age")
        def age(update: Any, context: Context) -> None:
            found = context.ask("Age?", check=lambda message: None if (message.text or "").isdigit() else "A number, please")
            context.reply(f"You are {found.text}")

    with (found := talk(register)).begun():
        for said, heard in (("/age", "Age?"), ("old", "A number, please"), ("36", "You are 36")):
            found.says(said)
            found.hears(heard)
    assert found.texts == ["Age?", "A number, please", "You are 36"]


def test_a_button_answers_and_the_keyboard_goes(talk: Callable[[Register], Talk]) -> None:
    """The option of the pressed button comes back, the button waits no more, and the keyboard is gone."""

    def register(app: Runtime) -> None:
        @app.command("size")
        def size(update: Any, context: Context) -> None:
            wanted = context.choose("Size?", ["S", "M", "L"], columns=3)
            days = context.choose("Days?", {"One": 1, "Seven": 7})
            context.reply(f"{wanted} for {days + 1}")

    with (found := talk(register)).begun():
        found.says("/size")
        found.hears("Size?")
        for button, heard in (("M", "Days?"), ("Seven", "M for 8")):
            press = found.user.press(found.user.messages[-1], button)
            found.handle()
            found.hears(heard)
            press.wait_answer(SECONDS)
    assert [message.data.get("reply_markup") for message in found.user.messages] == [None, None, None]


def test_cancel_takes_a_question_back(talk: Callable[[Register], Talk]) -> None:
    """/cancel raises Cancelled in the newest question's handler; what does not catch it ends without a failure, and its handler is told."""

    def register(app: Runtime) -> None:
        @app.command("ask")
        def ask(update: Any, context: Context) -> None:
            try:
                context.ask("Name?")
            except Cancelled:
                context.reply("As you like")
            context.user_data["half"] = 1
            context.ask("Again?")

        @app.error(Cancelled)
        def cancelled(update: Any, context: Context) -> None:
            context.reply("Cancelled")

    with (found := talk(register)).begun():
        for said, heard in (("/ask", "Name?"), ("/cancel", "Again?"), ("/cancel", "Cancelled")):
            found.says(said)
            found.hears(heard)
    assert found.texts == ["Name?", "As you like", "Again?", "Cancelled"]
    with open_store(found.app().state, None) as store:
        assert store.dead_letters.count() == 0
        assert store.data.load("user", 42) == {}  # type: ignore[arg-type]  # the scope is a StrEnum
        assert store.questions.entries() == []


def test_a_cancel_command_of_the_bots_own_runs_too(talk: Callable[[Register], Talk]) -> None:
    """Where the bot has a handler for /cancel, it is called as well; without an open question it alone is."""

    def register(app: Runtime) -> None:
        @app.command("ask")
        def ask(update: Any, context: Context) -> None:
            try:
                context.ask("Name?")
            except Cancelled:
                context.reply("Taken back")

        @app.command("cancel")
        def cancel(update: Any, context: Context) -> None:
            context.user_data["cancelled"] = context.user_data.get("cancelled", 0) + 1

    with (found := talk(register)).begun():
        for said, heard in (("/ask", "Name?"), ("/cancel", "Taken back")):
            found.says(said)
            found.hears(heard)
        found.says("/cancel")
        assert becomes(lambda: _user_data(found.app()) == {"cancelled": 2})


def _user_data(app: Runtime) -> dict[str, Any]:
    with open_store(app.state, None) as store:
        return store.data.load("user", 42)  # type: ignore[arg-type]  # the scope is a StrEnum


def test_time_goes_on_while_nobody_runs(talk: Callable[[Register], Talk]) -> None:
    """A sleep and a question whose time is over go on without anybody writing; a time-out that nobody catches has its handler."""

    def register(app: Runtime) -> None:
        @app.command("wait")
        def wait(update: Any, context: Context) -> None:
            context.sleep(0.05)
            context.reply("Slept")
            try:
                context.ask("Name?", timeout=0.05)
            except AskTimeout:
                context.reply("Nobody")
            context.choose("Size?", ["S"], timeout=0.05)

        @app.error(AskTimeout)
        def late(update: Any, context: Context) -> None:
            context.reply("Too late")

        @app.error
        def failed(update: Any, context: Context) -> None:
            context.reply("Failed")

    with (found := talk(register)).begun():
        found.says("/wait")
        assert any(found.says("/other") or becomes(lambda: "Too late" in found.texts, 0.3) for _ in range(200))
    assert found.texts == ["Slept", "Name?", "Nobody", "Size?", "Too late"]
    assert found.user.messages[3].data.get("reply_markup") is None


def test_middleware_routers_and_generators_stand_around_questions(talk: Callable[[Register], Talk]) -> None:
    """A question may be asked from within middleware, a router's middleware, generators and other functions."""

    def questions(context: Context) -> Iterator[str]:
        for name in ("One?", "Two?"):
            yield context.ask(name).text or ""

    def register(app: Runtime) -> None:
        inner = Router()

        @app.use
        def outer(update: Any, context: Context, following: Callable[[], None]) -> None:
            following()
            if update.message.text == "/go":
                context.reply("outer")

        @inner.use
        def around(update: Any, context: Context, following: Callable[[], None]) -> None:
            context.ask("Password?")
            following()
            context.reply("around")

        @inner.command("go")
        def go(update: Any, context: Context) -> None:
            context.reply(" ".join(questions(context)))

        app.include(inner)

    with (found := talk(register)).begun():
        for said, heard in (("/go", "Password?"), ("secret", "One?"), ("1", "Two?"), ("2", "outer")):
            found.says(said)
            found.hears(heard)
    assert found.texts == ["Password?", "One?", "Two?", "1 2", "around", "outer"]


def test_chains_of_handlers_and_routers_stand_around_questions(talk: Callable[[Register], Talk]) -> None:
    """Handlers of several groups and of routers within routers ask one after the other, and each goes on to the next, whoever has asked before."""

    def register(app: Runtime) -> None:
        outer, inner = Router(), Router()

        @app.command("go", group=0)
        def first(update: Any, context: Context) -> None:
            context.user_data["said"] = [context.ask("One?").text]
            raise ContinuePropagation

        @inner.command("go", group=1)
        def second(update: Any, context: Context) -> None:
            context.user_data["said"] = [*context.user_data["said"], context.ask("Two?").text]

        @app.message(group=2)
        def third(update: Any, context: Context) -> None:
            if context.user_data.get("said"):
                context.reply(" ".join([*context.user_data["said"], context.choose("Three?", ["x"])]))

        outer.include(inner)
        app.include(outer)

    with (found := talk(register)).begun():
        for said, heard in (("/go", "One?"), ("1", "Two?"), ("2", "Three?")):
            found.says(said)
            found.hears(heard)
        found.presses("Three?", "x")
        found.hears("1 2 x")
    assert found.texts == ["One?", "Two?", "Three?", "1 2 x"]


def test_what_began_a_conversation_answers_no_question_of_another_one(talk: Callable[[Register], Talk]) -> None:
    """A message whose handler was put aside is handled again when that may go on; it is no answer to what another handler asks its user by then."""

    def register(app: Runtime) -> None:
        @app.command("other")
        def other(update: Any, context: Context) -> None:
            context.reply(f"Hello {context.ask('Name?').text}")

        @app.message()
        def first(update: Any, context: Context) -> None:
            context.reply(f"{update.message.text}: {context.choose('Sure?', ['yes'])}")

    with (found := talk(register)).begun():
        for said, heard in (("go", "Sure?"), ("/other", "Name?")):
            found.says(said)
            found.hears(heard)
        found.presses("Sure?", "yes")
        found.hears("go: yes")
        found.says("Ada")
        found.hears("Hello Ada")
    assert found.texts == ["Sure?", "Name?", "go: yes", "Hello Ada"]


def test_questions_within_questions_are_answered_from_the_inside(talk: Callable[[Register], Talk]) -> None:
    """Two conversations of one user: the newer question is answered first, and then the older one."""

    def register(app: Runtime) -> None:
        @app.command("a", "b")
        def ask(update: Any, context: Context) -> None:
            name = update.message.text
            context.reply(f"{name} got {context.ask(f'{name}?').text}")

    with (found := talk(register)).begun():
        for said, heard in (("/a", "/a?"), ("/b", "/b?"), ("1", "/b got 1"), ("2", "/a got 2")):
            found.says(said)
            found.hears(heard)


def test_except_exception_does_not_catch_a_question(talk: Callable[[Register], Talk]) -> None:
    """A handler that catches every Exception around its question goes on with the answer."""

    def register(app: Runtime) -> None:
        @app.command("go")
        def go(update: Any, context: Context) -> None:
            try:
                answer = context.ask("Name?").text
            except Exception:
                answer = "nothing"
            context.reply(f"Got {answer}")

    with (found := talk(register)).begun():
        for said, heard in (("/go", "Name?"), ("Ada", "Got Ada")):
            found.says(said)
            found.hears(heard)


@pytest.mark.parametrize("way", ["unwind", "once", "inline"])
def test_a_handler_that_swallows_its_unwinding_leaves_nothing_behind(way: str, make_app: MakeApp, server: BotApiServer) -> None:
    """Once put aside, every call, question, side effect and change raises again; the handler is put back, is told once, and goes on with the answer."""
    tried: list[str] = []

    def register(app: Runtime) -> None:
        @app.command("go")
        def go(update: Any, context: Context) -> None:
            for _ in range(2):
                try:
                    answer = context.ask("Name?").text
                except BaseException:
                    for step in (
                        lambda: context.reply("leaked"),
                        lambda: context.ask("leaked?"),
                        lambda: context.once("leak", lambda: 1),
                        lambda: context.user_data.update(leaked=1),
                        context.now,
                    ):
                        with pytest.raises(BaseException, match="put aside"):
                            step()
                    tried.append("swallowed")
                    return
            context.reply(f"Got {answer}")

    found = Talk(way, make_app, server, register)
    with logged() as records, found.begun():
        for number, (said, heard) in enumerate((("/go", "Name?"), ("Ada", "Name?"), ("Bob", "Got Bob")), 1):
            found.says(said)
            assert becomes(lambda: len(found.texts) == number and found.texts[-1] == heard)  # noqa: B023  # it is looked for within the loop
            assert becomes(lambda: "?" not in heard or len(tried) >= number)  # noqa: B023
    assert found.texts == ["Name?", "Name?", "Got Bob"]
    if way == "unwind":
        assert records.count("has caught what puts it aside") == 1
    with open_store(found.app().state, None) as store:
        assert store.data.load("user", 42) == {}  # type: ignore[arg-type]  # the scope is a StrEnum


def test_a_function_is_no_filter_for_an_answer(talk: Callable[[Register], Talk]) -> None:
    """A filter that cannot be kept over a restart is refused before anything is sent, in words that name check=."""
    seen = Seen()

    def register(app: Runtime) -> None:
        @app.command("go")
        def go(update: Any, context: Context) -> None:
            try:
                context.ask("Name?", filters=filters.TEXT & (lambda update: True))
            except TypeError as error:
                seen.add(str(error))

    with (found := talk(register)).begun():
        found.says("/go")
        seen.wait_number(1)
    assert "check=" in seen.texts[0]
    assert found.texts == []


def test_run_once_takes_an_answer_that_came_while_nothing_ran(make_app: MakeApp, server: BotApiServer) -> None:
    """From cron, what was answered since the last run is an answer, though the question's time has passed by now; one that nobody answers ends."""

    found = Talk("once", make_app, server, _greets)
    found.says("/go")
    _let_the_time_pass(found.app())
    found.says("Ada")
    found.says("/go")
    _let_the_time_pass(found.app())
    found.handle()
    assert found.texts == ["Name?", "Hello Ada", "Name?", "Too late"]


def test_an_answer_that_came_while_a_polling_bot_was_down_is_one(make_app: MakeApp, server: BotApiServer) -> None:
    """What was written before the start is handled before questions end whose time has passed by then; one that nobody answers ends after it."""
    found = Talk("once", make_app, server, _greets)
    for answer, end in (("Ada", "Hello Ada"), ("", "Too late")):
        found.says("/go")
        _let_the_time_pass(found.app())
        if answer:
            found.user.send(answer)
        app = make_app(poll_wait=1)
        _greets(app)
        with running(app):
            found.hears(end)


def test_an_answer_that_waits_behind_another_update_is_one(make_app: MakeApp, server: BotApiServer) -> None:
    """While the bot was down its user has written two things, of which the first one takes long: the second one is an answer still."""
    found = Talk("once", make_app, server, _greets)
    found.says("/go")
    _let_the_time_pass(found.app())
    found.user.send("/slow")
    found.user.send("Ada")
    app = make_app(poll_wait=1)
    _greets(app)

    @app.command("slow")
    def slow(update: Any, context: Context) -> None:
        threading.Event().wait(1.5)  # while it is looked for questions whose time has passed

    with running(app):
        found.hears("Hello Ada")
    assert found.texts == ["Name?", "Hello Ada"]


def _greets(app: Runtime) -> None:
    @app.command("go")
    def go(update: Any, context: Context) -> None:
        context.reply(f"Hello {context.ask('Name?').text}")

    @app.error(AskTimeout)
    def late(update: Any, context: Context) -> None:
        context.reply("Too late")


def _let_the_time_pass(app: Runtime) -> None:
    """The time of its question is over, in the state file."""
    with contextlib.closing(sqlite3.connect(str(app.state))) as db:
        assert db.execute("UPDATE question SET until = 1.0").rowcount == 1
        db.commit()


@pytest.mark.parametrize("questions", [320, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_thousand_open_questions(make_app: MakeApp, server: BotApiServer, questions: int) -> None:
    """A thousand conversations at once with four workers: at most three hundred threads, each question once, each answer where it belongs."""
    app = make_app(workers=4, types=False, bot_options={"limits": None})

    @app.command("go")
    def go(update: Any, context: Context) -> None:
        answer = context.ask("Name?").text
        context.reply(f"{context.user_id} is {answer}")

    users = [server.user(id=number) for number in range(1, questions + 1)]
    most = 0
    with running(app):
        for user in users:
            user.send("/go")
        server.wait_count("sendMessage", questions, 50.0)
        assert becomes(lambda: app.health()["questions"] == questions, 50.0)
        most = max(most, len(own_threads()))
        assert app.health()["queue"] == 0
        for user in users:
            user.send(f"n{user.id}")
        server.wait_count("sendMessage", 2 * questions, 50.0)
        assert becomes(lambda: all(len(user.messages) == 2 for user in users), 50.0)
        most = max(most, len(own_threads()))
        assert becomes(lambda: app.health()["in_flight"] == 0)
    assert [[message.text for message in user.messages] for user in users] == [["Name?", f"{user.id} is n{user.id}"] for user in users]
    assert most <= 300
