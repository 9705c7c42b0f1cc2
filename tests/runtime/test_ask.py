"""`context.ask` from end to end."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, Seen, becomes, logged, own_threads, program_arguments, running

from syncbot.errors import AskTimeout
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]


def conversation(app: Runtime, timeout: float = SECONDS) -> Seen:
    """A bot that asks for a name and an age, and notes all else."""
    seen = Seen()

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        name = context.ask("Name?", timeout=timeout).text
        age = context.ask("Age?", timeout=timeout).text
        context.reply(f"{name}, {age}")

    @app.message()
    def other(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    return seen


def test_a_conversation_in_straight_lines(server: BotApiServer, make_app: MakeApp) -> None:
    """Two questions in a row are answered by the user's next two messages, which go to no other handler."""
    app, user = make_app(), server.user(id=42)
    seen = conversation(app)
    with running(app):
        user.send("/start")
        user.wait_for("Name?", timeout=SECONDS)
        user.send("Ada")
        user.wait_for("Age?", timeout=SECONDS)
        user.send("36")
        user.wait_for("Ada, 36", timeout=SECONDS)
        user.send("later")
        seen.wait("later")
    assert seen.texts == ["later"]


def test_a_question_frees_the_chats_turn_and_takes_no_worker(server: BotApiServer, make_app: MakeApp) -> None:
    """With one worker and ten open questions, the same chats' other users and other chats are served."""
    app = make_app(workers=1)
    seen = conversation(app)
    users = [server.user(id=n) for n in range(1, 11)]
    group = server.group(members=[*users, server.user(id=99)])
    with running(app):
        for user in users:
            group.send(user, "/start")
        assert becomes(lambda: sum(message.text == "Name?" for message in group.messages) == 10)
        group.send(server.user(id=99), "from somebody else in the same chat")
        server.user(id=77).send("from another chat")
        seen.wait("from somebody else in the same chat", "from another chat")
        assert app.health()["hung"] == 0
        for user in users:
            group.send(user, f"name {user.id}")
        assert becomes(lambda: sum(message.text == "Age?" for message in group.messages) == 10)
        for user in users:
            group.send(user, f"age {user.id}")
        assert becomes(lambda: {message.text for message in group.messages} >= {f"name {n}, age {n}" for n in range(1, 11)})
        assert becomes(lambda: len([name for name in own_threads() if "worker" in name]) == 1)


def test_a_question_ends_after_its_time(server: BotApiServer, make_app: MakeApp) -> None:
    """AskTimeout is raised in the handler, and the next message is an ordinary one."""
    app, user, seen = make_app(), server.user(id=42), Seen()

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        with pytest.raises(AskTimeout):
            context.ask("Name?", timeout=0.1)
        seen.add("nobody answered")

    @app.message()
    def other(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    with running(app):
        user.send("/start")
        seen.wait("nobody answered")
        user.send("Ada")
        seen.wait("Ada")


def test_a_question_stays_open_over_stops(server: BotApiServer, make_app: MakeApp) -> None:
    """A stop while a question is open: it is not asked anew after the restart, is answered once, and nothing is a death."""
    app, user = make_app(), server.user(id=42)
    conversation(app)
    user.send("/start")
    for _ in range(4):
        with running(app):
            assert becomes(lambda: bool(user.messages) and app.health()["questions"] == 1)
            assert (app.health()["queue"], app.health()["in_flight"] in (0, 1)) == (0, True)
    with running(app):
        user.send("Ada")
        user.wait_for("Age?", timeout=SECONDS)
        assert [message.text for message in user.messages].count("Name?") == 1
        user.send("36")
        user.wait_for("Ada, 36", timeout=SECONDS)
        assert becomes(lambda: app.health()["in_flight"] == 0)
        assert app.health()["dead_letters"] == 0


def test_an_answer_that_came_while_stopped_follows_the_question(server: BotApiServer, make_app: MakeApp) -> None:
    """What the user wrote between stop and start answers the question that is still open."""
    app, user = make_app(), server.user(id=42)
    conversation(app)
    with running(app):
        user.send("/start")
        user.wait_for("Name?", timeout=SECONDS)
    user.send("Ada")
    with running(app):
        user.wait_for("Age?", timeout=SECONDS)


def test_a_killed_process_goes_on_at_its_question(server: BotApiServer, tmp_path: Path) -> None:
    """kill -9 while a question is open: it is not asked anew, its handler does not run before the answer comes, and its update is no suspect."""
    source = PROGRAM + (
        "app = Runtime(bot, state=STATE, workers=2, types=False)\n"
        "@app.command('start')\n"
        "def start(update, context):\n"
        "    say('asking')\n"
        "    context.reply('Hello ' + context.ask('Name?').text)\n"
        "@app.command('ping')\n"
        "def ping(update, context):\n"
        "    context.reply('pong')\n"
        "app.run()\n"
    )
    user = server.user(id=42)
    user.send("/start")
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert process.line() == "asking"
        assert becomes(lambda: _question_is_open(tmp_path / "bot.db"))
    for _ in range(2):
        with Process(source, *program_arguments(server, tmp_path / "bot.db")):
            user.send("/ping")
            user.wait_for("pong", timeout=SECONDS)
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        user.send("Ada")
        user.wait_for("Hello Ada", timeout=SECONDS)
        assert process.line() == "asking"
    texts = [message.text for message in user.messages]  # a kill may catch a pong under way, which is then there twice
    assert (texts.count("Name?"), texts.count("Hello Ada")) == (1, 1)
    with open_store(tmp_path / "bot.db", None) as store:
        assert store.dead_letters.count() == 0


def _question_is_open(path: Path) -> bool:
    with open_store(path, None) as store:
        return bool(store.questions.entries())


def test_without_a_state_file_it_is_refused(server: BotApiServer, make_app: MakeApp) -> None:
    """In memory an update is confirmed when it is handled, so nothing may wait; the error says what to use instead."""
    app, seen = make_app(state=None), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        try:
            context.ask("Name?")
        except RuntimeError as error:
            seen.add(str(error))

    user = server.user(id=42)
    with running(app):
        user.send("hi")
        seen.wait_number(1)
    assert "context.state" in seen.texts[0]
    assert not user.messages


@pytest.mark.parametrize("seconds", [-1, math.nan, "60", True, None])
def test_a_time_that_is_none_is_refused_before_anything_is_sent(server: BotApiServer, make_app: MakeApp, seconds: Any) -> None:
    """A question, a choice and a sleep say what is wrong with their time where it is given; an endless question and a time of 0 are right."""
    app, seen = make_app(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        for wait in (
            lambda: context.ask("Name?", timeout=seconds),
            lambda: context.choose("Size?", ["S"], timeout=seconds),
            lambda: context.sleep(seconds),
        ):
            with pytest.raises((TypeError, ValueError), match=r"(timeout|seconds): .* \(seconds\)"):
                wait()
        context.sleep(0)
        seen.add(context.ask("Go on?", timeout=math.inf).text)

    user = server.user(id=42)
    with running(app):
        user.send("hi")
        user.wait_for("Go on?", timeout=SECONDS)
        user.send("yes")
        seen.wait("yes")
    assert [message.text for message in user.messages] == ["Go on?"]


def test_data_of_others_is_seen_after_the_answer(server: BotApiServer, make_app: MakeApp) -> None:
    """What other handlers of the chat wrote while a question was open is there after the answer, and nothing is overwritten."""
    app, user = make_app(), server.user(id=42)
    group = server.group(members=[user, server.user(id=43)])

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        context.chat_data["mine"] = 1
        context.ask("Name?")
        context.reply(f"{sorted(context.chat_data)}")

    @app.message()
    def other(update: Any, context: Context) -> None:
        context.chat_data["theirs"] = 2

    with running(app):
        group.send(user, "/start")
        assert becomes(lambda: group.messages)
        group.send(server.user(id=43), "hi")
        assert becomes(lambda: app.health()["handled"] == 1)
        group.send(user, "Ada")
        assert becomes(lambda: group.messages[-1].text == "['mine', 'theirs']")
        assert becomes(lambda: app.health()["in_flight"] == 0)
    with open_store(app.state, None) as store:
        assert store.data.load("chat", group.id) == {"mine": 1, "theirs": 2}  # type: ignore[arg-type]  # the scope is a StrEnum


def test_a_full_disk_while_asking_waits(server: BotApiServer, make_app: MakeApp) -> None:
    """A question that cannot be written down for want of room waits for it, instead of failing."""
    app, user, ready = make_app(), server.user(id=42), threading.Event()

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        ready.wait(SECONDS)
        context.reply(f"Hello {context.ask('Name?').text}")

    with running(app):
        user.send("/start")
        assert becomes(lambda: app.health()["in_flight"] == 1)
        store: Any = app.store
        store.limit_pages(1)
        ready.set()
        user.wait_for("Name?", timeout=SECONDS)
        store.limit_pages(None)
        user.send("Ada")
        user.wait_for("Hello Ada", timeout=SECONDS)
        assert app.health()["dead_letters"] == 0


def test_one_trouble_with_the_state_file_is_said_once(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler that cannot write its step has the same trouble as what cannot record an end: the log says so once, and once that it is over."""
    app, may_write, may_end = make_app(workers=2), threading.Event(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        if update.message.text == "ends":
            context.user_data["a"] = "x" * 20_000
            may_end.wait(SECONDS)
        else:
            may_write.wait(SECONDS)
            context.once("step", lambda: "x" * 20_000)

    with running(app), logged() as log:
        for id, text in ((42, "ends"), (43, "writes")):
            server.user(id=id).send(text)
        assert becomes(lambda: app.health()["in_flight"] == 2)
        store: Any = app.store
        store.limit_pages(1)
        may_write.set()
        assert becomes(lambda: log.count("the state cannot be used") == 1)
        may_end.set()
        assert becomes(lambda: not app.health()["ok"])
        store.limit_pages(None)
        assert becomes(lambda: app.health()["in_flight"] == 0)
        log.wait("can be used again")  # an end is recorded first
    assert (log.count("the state cannot be used"), log.count("can be used again")) == (1, 1)
