"""`syncbot dead-letters`, `syncbot outbox`, and `syncbot send --queue`: what the state file holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.storage_kit import bury

from syncbot.storage import Incoming, open_store
from syncbot.testing import Answer, BotApiServer, User

Command = Callable[..., Any]

BOT_ID = 123456789


@pytest.fixture(autouse=True)
def state(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands use a state file in the working folder."""
    monkeypatch.setenv("SYNCBOT_STATE", str(Path("bot.db").absolute()))
    return Path("bot.db")


@pytest.fixture
def dead(state: Path) -> list[int]:
    """Two dead letters; their numbers."""
    with open_store(state, BOT_ID) as store:
        store.inbox.recover()
        for update_id in (1, 2):
            body = json.dumps({"update_id": update_id, "message": {"text": f"text {update_id}"}}).encode()
            store.inbox.store([Incoming(update_id, "1001", body)])
            [claimed] = store.inbox.claim()
            bury(store.inbox, claimed, f"Traceback (most recent call last):\nValueError: number {update_id}")
        return [letter.id for letter in store.dead_letters.entries()][::-1]


def test_dead_letters_are_listed(command: Command, dead: list[int]) -> None:
    """Each is a line with the last words of its traceback, the newest first; JSON tells everything."""
    ended = command("dead-letters", "list")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(dead[1]), str(dead[0])]
    assert lines[0].endswith("chat 1001\t1 tries\tValueError: number 2")
    facts = json.loads(command("dead-letters", "list", "--json").out)
    assert facts[0]["update"]["message"]["text"] == "text 2"


def test_dead_letter_is_shown(command: Command, dead: list[int]) -> None:
    """One is shown with its update and its traceback."""
    ended = command("dead-letters", "show", str(dead[0]))
    assert ended.code == 0
    assert '"text": "text 1"' in ended.out
    assert ended.out.endswith("ValueError: number 1\n")


def test_dead_letters_are_retried_and_dropped(command: Command, dead: list[int], state: Path) -> None:
    """One that is retried waits in the inbox again, one that is dropped is gone."""
    assert command("dead-letters", "retry", str(dead[0])).code == 0
    assert command("dead-letters", "drop", "--all").code == 0
    assert command("dead-letters", "list").out == ""
    with open_store(state, BOT_ID) as store:
        assert store.inbox.counts().waiting == 1


@pytest.mark.parametrize("group", ["dead-letters", "outbox"])
def test_numbers_that_are_not_there(command: Command, dead: list[int], group: str) -> None:
    """A number that is not there is named; no number at all is a wrong command line."""
    ended = command(group, "drop", "99")
    assert ended.code == 2
    assert "99" in ended.err
    assert command(group, "retry").code == 2
    assert command(group, "retry", "1", "--all").code == 2
    assert command("dead-letters", "show", "99").code == 2


@pytest.mark.parametrize("argv", [("dead-letters", "list"), ("outbox", "list"), ("outbox", "flush")])
def test_no_state_file(command: Command, state: Path, argv: tuple[str, ...]) -> None:
    """Where there is no state file none is made, and the line says how to name one."""
    ended = command(*argv)
    assert ended.code == 78
    assert "--state" in ended.err
    assert not state.exists()


def test_file_that_is_no_state_file(command: Command, state: Path) -> None:
    """A file of another kind is refused and left as it was."""
    state.write_text("something else entirely, and long enough to be taken for a file" * 20)
    before = state.read_bytes()
    ended = command("dead-letters", "list")
    assert ended.code == 78
    assert ended.err.count("\n") == 1
    assert state.read_bytes() == before


def test_state_file_named_without_a_token(command: Command, dead: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """--state is enough to look at dead letters; whose file it is does not matter."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    monkeypatch.delenv("SYNCBOT_STATE")
    assert command("dead-letters", "list").code == 78
    assert command("dead-letters", "list", "--state", "bot.db").code == 0


def test_queue_delivers_at_once(command: Command, user: User, server: BotApiServer) -> None:
    """--queue delivers at once where it can, in silence, and leaves nothing behind."""
    Path("a.pdf").write_bytes(b"x")
    ended = command("send", "--queue", "first", "--file", "a.pdf")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    user.wait_for("first")
    assert [request.method for request in server.requests] == ["sendMessage", "sendDocument"]
    assert command("outbox", "list").out == ""


def test_queue_keeps_what_cannot_be_delivered(command: Command, user: User, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a way the message is kept, which is a success; a flush says 75 until there is a way, and then delivers."""
    with monkeypatch.context() as patch:
        patch.setenv("SYNCBOT_PROXY", "http://127.0.0.1:9")
        ended = command("send", "--queue", "--timeout", "2", "--json", "later")
        assert (ended.code, ended.err) == (0, "")
        (result,) = json.loads(ended.out)
        assert (result["ok"], len(result["queued"])) == (True, 1)
        listed = command("outbox", "list")
        assert "\tqueued\t" in listed.out
        assert "sendMessage chat 1001" in listed.out
        ended = command("outbox", "flush", "--seconds", "1")
        assert ended.code == 75
        assert ended.err.startswith("syncbot: 0 delivered, 0 failed, 0 uncertain, 1 left")
    assert server.count() == 0
    ended = command("outbox", "flush", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["delivered"] == 1
    user.wait_for("later")


def test_queue_says_what_waits(process: Command, user: User, server: BotApiServer) -> None:
    """A message that waits is told in one line, also where an earlier one of its chat is in its way; the exit code is that of a success."""
    ended = process("send", "--queue", "--timeout", "4", "first", SYNCBOT_PROXY="http://127.0.0.1:9")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "syncbot: not sent yet, and waits in the outbox: connecting failed (Connection refused)\n"
    ended = process("send", "--queue", "--timeout", "2", "second", SYNCBOT_PROXY="http://127.0.0.1:9")
    assert (ended.code, ended.out, ended.err.count("\n")) == (0, "", 1)
    assert ended.err.startswith("syncbot: not sent yet, and waits in the outbox")
    assert server.count() == 0


def test_queue_with_a_time_to_live(command: Command, user: User, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --ttl a message waits so long and no longer: then it is not sent any more, which is told with 77, and the outbox says why."""
    with monkeypatch.context() as patch:
        patch.setenv("SYNCBOT_PROXY", "http://127.0.0.1:9")
        assert command("send", "--queue", "--timeout", "1", "--ttl", "3600", "in time").code == 0
    (item,) = json.loads(command("outbox", "list", "--json").out)
    assert item["expires"] - item["created"] == pytest.approx(3600, abs=60)
    ended = command("send", "--queue", "--ttl", "0.001", "too late")
    assert ended.code == 77
    assert "its time ran out" in ended.err
    assert [message.text for message in server.sent] == ["in time"]
    (item,) = json.loads(command("outbox", "list", "--json").out)
    assert (item["state"], item["params"]["text"]) == ("failed", "too late")


@pytest.mark.parametrize("options", [["--ttl", "60"], ["--queue", "--ttl", "0"], ["--queue", "--ttl", "soon"]])
def test_time_to_live_that_cannot_be(command: Command, server: BotApiServer, options: list[str]) -> None:
    """--ttl goes with --queue, and is a number of seconds above 0; nothing is queued or sent."""
    ended = command("send", *options, "x")
    assert ended.code == 2
    assert "--ttl" in ended.err
    assert server.count() == 0
    assert not Path("bot.db").exists()


def test_queue_with_a_refusal(command: Command, user: User) -> None:
    """A message that Telegram refuses is held, told with 77, and can be dropped."""
    ended = command("send", "--queue", "--chat", "4004", "--chat", "1001", "x")
    assert ended.code == 77
    assert "chat 4004: refused:" in ended.err
    user.wait_for("x")
    (item,) = json.loads(command("outbox", "list", "--json").out)
    assert (item["state"], item["method"], item["key"]) == ("failed", "sendMessage", "4004")
    assert command("outbox", "drop", str(item["id"])).code == 0
    assert command("outbox", "list").out == ""


def test_queue_with_an_uncertain_delivery(command: Command, user: User, server: BotApiServer) -> None:
    """A message of which nobody knows is held and told with 76; retry sends it again."""
    server.script("sendMessage", Answer.normal().once_done().cut())
    ended = command("send", "--queue", "x")
    assert ended.code == 76
    assert "delivery uncertain:" in ended.err
    assert command("outbox", "retry", "--all").code == 0
    assert command("outbox", "flush").code == 0
    assert server.count_text("x") == 2


def test_running_commands_do_not_meddle(command: Command, user: User, server: BotApiServer) -> None:
    """A message sent without --queue touches no state file."""
    assert command("send", "x").code == 0
    assert not Path("bot.db").exists()


@pytest.mark.parametrize("argv", [("dead-letters", "list"), ("dead-letters", "retry", "--all"), ("outbox", "list"), ("outbox", "flush")])
def test_at_a_terminal(terminal: Callable[..., Any], dead: list[int], argv: tuple[str, ...]) -> None:
    """The commands do the same in front of somebody as in a pipe."""
    running = terminal(*argv)
    assert running.wait() == 0
    assert ("ValueError: number 2" in running.screen) is (argv == ("dead-letters", "list"))
