"""`syncbot chat-id`: the last writer, found without taking an update away from the bot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from syncbot.testing import Answer, BotApiServer, User

Command = Callable[..., Any]


def test_last_writer(command: Command, server: BotApiServer, user: User) -> None:
    """The id of the chat that wrote last stands alone on standard output, and every update still waits."""
    user.send("first")
    group = server.group("Friends", members=[user])
    waiting = len(server.pending_updates)
    group.send(user, "last")
    ended = command("chat-id")
    assert (ended.code, ended.out, ended.err) == (0, f"{group.id}\n", "")
    assert len(server.pending_updates) == waiting + 1


def test_all_chats(command: Command, server: BotApiServer, user: User) -> None:
    """--all lists every chat once, the latest first; --json tells the same to a program."""
    user.send("first")
    other = server.user(1002, "Bob", username="bobby")
    other.send("second")
    other.send("third")
    ended = command("chat-id", "--all")
    assert ended.out == "1002\tprivate\tBob @bobby\n1001\tprivate\tAnn\n"
    listed = json.loads(command("chat-id", "--json").out)
    assert [(chat["id"], chat["type"], chat["name"]) for chat in listed] == [(1002, "private", "Bob @bobby"), (1001, "private", "Ann")]


def test_button_press_counts(command: Command, server: BotApiServer, user: User) -> None:
    """Whoever pressed a button has been heard of too."""
    keyboard = '{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}'
    assert command("call", "sendMessage", "chat_id=1001", "text=x", f"reply_markup={keyboard}").code == 0
    user.press(user.wait_for("x"))
    assert command("chat-id").out == "1001\n"


def test_nobody_wrote(command: Command) -> None:
    """With nothing waiting the line says what to do, and the code that later may be better."""
    ended = command("chat-id")
    assert (ended.code, ended.out) == (75, "")
    assert "write to it in Telegram" in ended.err


def test_waiting_for_somebody(terminal: Callable[..., Any], server: BotApiServer, user: User) -> None:
    """--wait returns as soon as somebody writes; at a terminal the name is told too."""
    running = terminal("chat-id", "--wait", "60")
    server.wait_polled(timeout=30.0)
    user.send("hello")
    assert running.wait() == 0
    assert "1001" in running.screen
    assert "Ann (private)" in running.screen


def test_webhook_in_the_way(command: Command) -> None:
    """With a webhook set Telegram refuses, and the line says why."""
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    ended = command("chat-id")
    assert ended.code == 77
    assert "webhook" in ended.err


@pytest.mark.parametrize(
    "result",
    [
        None,
        True,
        {"update_id": 1},
        ["an update"],
        [{"update_id": "x", "message": {"chat": {"id": 1}}}],
        [{"message": {"chat": {"id": 1}}}],
        [{"update_id": 1, "message": {"chat": {"id": [1]}}}],
        [{"update_id": 1, "message": {"chat": {"id": 1}, "from": "Ann"}}],
        [{"update_id": 1, "message": {"chat": {"id": 1}, "date": [1]}}],
    ],
)
def test_server_answers_nonsense(command: Command, server: BotApiServer, result: object) -> None:
    """A result that is no list of updates ends the command with words and the code of a way that leads nowhere."""
    server.script("getUpdates", Answer.ok(result), times=None)
    ended = command("chat-id")
    assert (ended.code, ended.out) == (75, "")
    assert "what answers getUpdates is no Bot API server" in ended.err


def test_names_of_any_kind(command: Command, server: BotApiServer) -> None:
    """A name that is no text is shown as it is."""
    server.script("getUpdates", Answer.ok([{"update_id": 1, "message": {"chat": {"id": 7, "type": "private", "first_name": 5}}}]), times=None)
    assert command("chat-id", "--all").out == "7\tprivate\t5\n"
