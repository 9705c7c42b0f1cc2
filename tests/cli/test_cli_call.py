"""`syncbot call`: values on their way in, JSON on its way out, failures for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import Answer, BotApiServer, User

Command = Callable[..., Any]


def test_result_is_json(command: Command) -> None:
    """The result stands on standard output as JSON in one line, and nothing else."""
    ended = command("call", "getMe")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["username"] == "test_bot"
    assert ended.out.count("\n") == 1


def test_pretty_on_a_terminal(terminal: Callable[..., Any]) -> None:
    """Somebody at a terminal gets the JSON indented."""
    running = terminal("call", "getMe")
    assert running.wait() == 0
    assert '\r\n  "is_bot": true' in running.screen


@pytest.mark.parametrize("name", ["getMe", "getme", "get_me"])
def test_spellings_of_a_method(command: Command, name: str) -> None:
    """A method is known in Telegram's spelling, in any case, and in Python's."""
    assert command("call", name).code == 0


@pytest.mark.parametrize("text", ["1.50", "007", "1e5", "null", "true", '"quoted"', "[x]", "{a}", "a=b", "@home", "line\nbreak", "-5", "ü"])
def test_texts_arrive_as_they_are(command: Command, user: User, server: BotApiServer, text: str) -> None:
    """A text that looks like JSON, a number or a file is sent as it was written."""
    assert command("call", "sendMessage", "chat_id=1001", f"text={text}").code == 0
    user.wait_for(text)


def test_kinds_of_values(command: Command, user: User, server: BotApiServer) -> None:
    """Numbers, true and false, lists and objects become what they are."""
    markup = '{"inline_keyboard":[[{"text":"A","url":"https://a.example"}]]}'
    assert command("call", "sendMessage", "chat_id=1001", "text=x", "disable_notification=true", f"reply_markup={markup}").code == 0
    sent = server.requests_for("sendMessage")[0].params
    assert sent["disable_notification"] is True
    assert sent["reply_markup"] == json.loads(markup)


def test_uploads(command: Command, user: User, server: BotApiServer) -> None:
    """@PATH uploads where a parameter takes a file, also within JSON, and is a name elsewhere."""
    Path("a.jpg").write_bytes(b"aaa")
    assert command("call", "sendPhoto", "chat_id=1001", "photo=@a.jpg").code == 0
    assert server.requests_for("sendPhoto")[0].file("photo").sha256 == sha256(b"aaa").hexdigest()
    media = '[{"type":"photo","media":"@a.jpg"},{"type":"photo","media":"@a.jpg"}]'
    assert command("call", "sendMediaGroup", "chat_id=1001", f"media={media}").code == 0
    assert len(server.requests_for("sendMediaGroup")[0].files) == 2
    ended = command("call", "sendMessage", "chat_id=@nobody_here", "text=x")
    assert ended.code == 77
    assert server.requests_for("sendMessage")[0].params["chat_id"] == "@nobody_here"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("getMee",), "no method 'getMee'; did you mean 'getMe'?"),
        (("sendMessage", "chat_id=1", "txt=x"), "did you mean 'text'?"),
        (("sendMessage", "chat_id=1"), "needs text"),
        (("sendMessage", "text"), "is not KEY=VALUE"),
        (("sendMessage", "chat_id=1", "text=x", "timeout=3"), "--timeout"),
        (("setMyCommands", "commands=[{]"), "commands: this is not JSON"),
        (("sendPhoto", "chat_id=1", "photo=@none.jpg"), "none.jpg"),
    ],
)
def test_wrong_calls(command: Command, server: BotApiServer, argv: tuple[str, ...], words: str) -> None:
    """A mistyped method, parameter or file is refused before anything is sent, and the right name is offered."""
    ended = command("call", *argv)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert server.count() == 0


def test_no_check(command: Command, user: User, server: BotApiServer) -> None:
    """--no-check lets newer parameters and methods pass."""
    assert command("call", "--no-check", "sendMessage", "chat_id=1001", "text=x", "brand_new=[1]").code == 0
    assert server.requests_for("sendMessage")[0].params["brand_new"] == [1]
    ended = command("call", "--no-check", "brandNewMethod", "a=1")
    assert ended.code == 77
    assert "method not found (404)" in ended.err


def test_failures_in_json(command: Command, server: BotApiServer) -> None:
    """With --json a refusal and a failure of the network are objects that a program can read."""
    ended = command("call", "--json", "sendMessage", "chat_id=4004", "text=x")
    facts = json.loads(ended.out)
    assert ended.code == facts["exit_code"] == 77
    assert (facts["ok"], facts["error"], facts["error_code"], facts["description"]) == (False, "BadRequest", 400, "Bad Request: chat not found")
    server.script("sendMessage", Answer.normal().once_done().cut())
    ended = command("call", "--json", "sendMessage", "chat_id=4004", "text=x")
    facts = json.loads(ended.out)
    assert ended.code == facts["exit_code"] == 76
    assert (facts["error"], facts["phase"], facts["stage"]) == ("DeliveryUncertain", "maybe sent", "receive")


def test_failures_for_people(command: Command, server: BotApiServer) -> None:
    """Without --json a refusal is one line, and standard output stays empty."""
    ended = command("call", "sendMessage", "chat_id=4004", "text=x")
    assert (ended.code, ended.out) == (77, "")
    assert ended.err == "syncbot: refused by Telegram: Bad Request: chat not found (400); is the id right, and has the user written to the bot before?\n"
