"""`syncbot outbox` in a terminal and as a process of its own, beside a bot that runs, and what it does with uncertain calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot import Bot, Outbox
from syncbot.storage import OutboxState
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, User

Command = Callable[..., Any]


@pytest.fixture
def outbox(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: BotApiServer) -> Outbox:
    """The outbox of the state file that the commands use."""
    monkeypatch.setenv("SYNCBOT_STATE", str(tmp_path / "bot.db"))
    return Outbox("auto", Bot(TEST_TOKEN, base_url=server.url, proxies=["direct"]))


def lose_one(outbox: Outbox, user: User, server: BotApiServer) -> int:
    """Queue a message whose answer is lost, after it was delivered."""
    server.script("sendMessage", Answer.normal().once_done().cut())
    return outbox.send_message(user.id, "lost")


@pytest.mark.parametrize(("how", "code", "left", "messages"), [("hold", 76, 1, 1), ("again", 76, 0, 2), ("drop", 76, 0, 1)])
def test_what_is_uncertain(command: Command, outbox: Outbox, user: User, server: BotApiServer, how: str, code: int, left: int, messages: int) -> None:
    """--uncertain says what follows when nobody knows; that it happened is told by 76 in any case."""
    lose_one(outbox, user, server)
    ended = command("outbox", "flush", "--uncertain", how, "--json")
    assert ended.code == code
    facts = json.loads(ended.out)
    assert (facts["uncertain"], facts["left"], facts["exit_code"]) == (1, 0, code)
    assert len(outbox.entries(OutboxState.UNCERTAIN)) == left
    assert server.count_text("lost") == messages


def test_another_word_for_uncertain_is_refused(command: Command, outbox: Outbox) -> None:
    """--uncertain knows three words."""
    outbox.counts()
    assert command("outbox", "flush", "--uncertain", "maybe").code == 2


def test_the_commands_in_a_terminal(terminal: Callable[..., Any], outbox: Outbox, user: User, server: BotApiServer) -> None:
    """List, flush, retry and drop work in a terminal, JSON is indented there, and Ctrl-C ends a flush that waits, which loses nothing."""
    id = lose_one(outbox, user, server)
    flush = terminal("outbox", "flush")
    assert flush.wait() == 76
    assert "0 delivered, 0 failed, 1 uncertain, 0 left" in flush.screen
    listed = terminal("outbox", "list", "--json")
    assert listed.wait() == 0
    assert f'\r\n    "id": {id},' in listed.screen
    assert terminal("outbox", "retry", str(id)).wait() == 0
    server.script("sendMessage", Answer.retry_after(600), times=None)
    waiting = terminal("outbox", "flush")
    server.wait_count("sendMessage", 2)
    waiting.type("\x03")
    assert waiting.wait() == 130
    [item] = outbox.entries()
    assert (item.id, item.state) == (id, OutboxState.QUEUED)
    assert terminal("outbox", "drop", str(id)).wait() == 0
    assert outbox.entries() == []


def test_the_commands_as_processes(process: Command, outbox: Outbox, user: User, server: BotApiServer) -> None:
    """In a pipe list is a line a call, without colours, and flush is silent when all is delivered."""
    outbox.send_message(user.id, "hello")
    ended = process("outbox", "list")
    assert ended.code == 0
    [line] = ended.out.splitlines()
    assert line.split("\t")[1] == "queued"
    assert "sendMessage" in line
    ended = process("outbox", "flush")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert server.count_text("hello") == 1


def test_a_flush_beside_a_running_bot(command: Command, outbox: Outbox, user: User, server: BotApiServer) -> None:
    """A flush while the bot delivers the same queue sends nothing twice."""
    from syncbot import Runtime

    with Bot(TEST_TOKEN, base_url=server.url, proxies=["direct"], limits=None) as bot, Runtime(bot, poll_wait=1) as app:
        for n in range(30):
            app.outbox.send_message(user.id, f"both {n}")
        assert command("outbox", "flush", "--seconds", "60").code == 0
        server.wait_until(lambda: all(server.count_text(f"both {n}") for n in range(30)), timeout=40.0)
    assert all(server.count_text(f"both {n}") == 1 for n in range(30))
    assert [message.text for message in server.sent] == [f"both {n}" for n in range(30)]
