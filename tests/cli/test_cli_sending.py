"""`syncbot send`: files from standard input and from patterns, messages that are kept up to date, and how progress is told."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from syncbot.cli.sending.keeping import _alone
from syncbot.errors import ConfigError
from syncbot.testing import Answer, BotApiServer, RecordedRequest, User

Command = Callable[..., Any]


def test_a_file_from_standard_input(command: Command, user: User, server: BotApiServer) -> None:
    """--file - sends what standard input brings, under the name that --name gives it, which says its kind too."""
    assert command("send", "--file", "-", "--name", "shop.sql.gz", "--caption", "tonight", stdin=b"\x1f\x8b bytes").code == 0
    [request] = server.requests_for("sendDocument")
    assert (request.files[0].name, request.files[0].sha256) == ("shop.sql.gz", sha256(b"\x1f\x8b bytes").hexdigest())
    assert request.params["caption"] == "tonight"
    assert command("send", "--file", "-", "--name", "chart.png", "look", stdin=b"picture").code == 0
    assert server.requests_for("sendPhoto")[0].files[0].name == "chart.png"
    assert command("send", "--file", "-", stdin=b"x").code == 0
    assert server.requests_for("sendDocument")[-1].files[0].name == "stdin"


def test_a_name_for_a_file(command: Command, user: User, server: BotApiServer) -> None:
    """--name is what a file of another name is called in the chat."""
    Path("tmp123").write_bytes(b"x")
    assert command("send", "--file", "tmp123", "--name", "report.pdf").code == 0
    assert server.requests_for("sendDocument")[0].files[0].name == "report.pdf"


@pytest.mark.parametrize(
    ("argv", "stdin", "words"),
    [
        (("--file", "-"), b"", "stdin is empty"),
        (("--file", "-", "--file", "a.jpg"), b"x", "with one file"),
        (("--file", "a.jpg", "b.jpg", "--name", "c.jpg"), b"", "with one file"),
        (("x", "--name", "c.jpg"), b"", "without --file there is none"),
        (("--file", "-", "-"), b"x", "cannot be the text too"),
        (("--file", "a.jpg", "b.jpg", "gone.jpg"), b"", "there is no file gone.jpg"),
        (("two", "words"), b"", "put it into quotes"),
        (("x", "--edit", "5", "--file", "a.jpg"), b"", "--edit goes with a text"),
        (("x", "--id-file", "f", "--queue"), b"", "--queue"),
        (("x", "--id-file", "f", "--edit", "5"), b"", "leave --edit out"),
        (("x", "--edit", "5", "--thread", "5"), b"", "stays where it is"),
        (("x", "--edit", "5", "--chat", "1", "--chat", "2"), b"", "one --chat"),
        (("x" * 5000, "--edit", "5"), b"", "longer than one message"),
    ],
)
def test_what_does_not_fit_a_file_or_an_edit(command: Command, server: BotApiServer, argv: tuple[str, ...], stdin: bytes, words: str) -> None:
    """What contradicts standard input, a name or an edited message is refused before anything is sent."""
    Path("a.jpg").write_bytes(b"a")
    Path("b.jpg").write_bytes(b"b")
    ended = command("send", *argv, stdin=stdin)
    assert ended.code == 2
    assert words in ended.err
    assert server.count() == 0


def test_the_further_files_of_a_pattern(command: Command, user: User, server: BotApiServer) -> None:
    """What the shell makes of --file *.jpg is an album of all files, and no name among them becomes a text."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        Path(name).write_bytes(b"x")
    assert command("send", "--file", "a.jpg", "b.jpg").code == 0
    assert command("send", "--file", "a.jpg", "b.jpg", "c.jpg", "--caption", "all").code == 0
    assert [len(request.params["media"]) for request in server.requests_for("sendMediaGroup")] == [2, 3]
    assert server.count("sendMessage") == 0


def test_no_preview(command: Command, user: User, server: BotApiServer) -> None:
    """--no-preview sends a link without a picture of where it leads."""
    assert command("send", "--no-preview", "https://example.com").code == 0
    assert server.requests_for("sendMessage")[0].params["link_preview_options"] == {"is_disabled": True}


def test_edit(command: Command, user: User, server: BotApiServer) -> None:
    """--edit changes the text of a message; a text that stands there already is as good as changed."""
    message_id = json.loads(command("send", "50 %", "--json").out)[0]["messages"][0]
    ended = command("send", "--edit", str(message_id), "--pre", "75 %", "--json")
    assert json.loads(ended.out) == [{"chat": 1001, "ok": True, "messages": [message_id], "error": ""}]
    assert server.requests_for("editMessageText")[0].params["entities"] == [{"type": "pre", "offset": 0, "length": 4}]
    again = command("send", "--edit", str(message_id), "--pre", "75 %")
    assert (again.code, again.err) == (0, "")
    assert server.count("sendMessage") == 1
    gone = command("send", "--edit", "99999", "x")
    assert gone.code == 77
    assert "not found" in gone.err


def test_id_file(command: Command, user: User, server: BotApiServer) -> None:
    """--id-file sends a message once, edits it from then on, and sends a new one where it was deleted."""
    for text in ("one", "two", "two", "three"):
        ended = command("send", "--id-file", "status.id", text)
        assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (server.count("sendMessage"), server.count("editMessageText")) == (1, 3)
    chat, message_id = Path("status.id").read_text().split()
    assert chat == "1001"
    assert command("call", "deleteMessage", "chat_id=1001", f"message_id={message_id}").code == 0
    assert command("send", "--id-file", "status.id", "four").code == 0
    assert server.count("sendMessage") == 2
    assert Path("status.id").read_text() != f"1001 {message_id}\n"


def test_two_commands_at_one_id_file(process: Command, user: User, server: BotApiServer) -> None:
    """Of two that cron starts at once one sends the message, and the other one edits it, when its turn has come."""
    second = threading.Event()

    def first_is_held(request: RecordedRequest) -> bool:
        if server.count("sendMessage") > 1:
            second.set()
        else:
            second.wait(3)  # time enough for the other one to send its own
        return False

    server.script("sendMessage", Answer.ok(True), when=first_is_held, times=None)
    ended: list[Any] = []
    both = [threading.Thread(target=lambda text=text: ended.append(process("send", "--id-file", "status.id", text))) for text in ("one", "two")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert [one.code for one in ended] == [0, 0], ended
    assert (server.count("sendMessage"), server.count("editMessageText")) == (1, 1)
    assert len([message for message in user.messages if message.kind != "edited"]) == 1


def test_an_id_file_that_somebody_else_holds(environment: dict[str, str], user: User, server: BotApiServer) -> None:
    """The lock is free again when its holder dies, and is no file of another user's; a folder in its place is told."""
    Path("status.id.lock").mkdir()
    with pytest.raises(ConfigError, match="the lock beside it cannot be made"), _alone("status.id"):
        pass
    Path("status.id.lock").rmdir()
    with _alone("status.id"):
        assert stat.S_IMODE(os.stat("status.id.lock").st_mode) == 0o600
    with _alone("status.id"):
        pass


def test_id_file_of_several_chats(command: Command, user: User, server: BotApiServer) -> None:
    """Each chat has its own message in the file of ids."""
    server.user(1002, "Bob")
    for text in ("one", "two"):
        assert command("send", "--id-file", "status.id", "--chat", "1001", "--chat", "1002", text).code == 0
    assert (server.count("sendMessage"), server.count("editMessageText")) == (2, 2)
    assert [line.split()[0] for line in Path("status.id").read_text().splitlines()] == ["1001", "1002"]


@pytest.mark.parametrize(("content", "words"), [("no id", "no file of message ids"), (None, "cannot be written")])
def test_an_id_file_that_cannot_be_used(command: Command, server: BotApiServer, content: str | None, words: str) -> None:
    """What is no file of ids, or cannot be written, is said before anything is sent: else each run would send another message."""
    path = Path("ids") if content is not None else Path("no-folder/ids")
    if content is not None:
        path.write_text(content)
    ended = command("send", "--id-file", str(path), "x")
    assert ended.code == 78
    assert words in ended.err
    assert server.count() == 0


def test_progress_where_no_terminal_is(command: Command, terminal: Callable[..., Any], user: User) -> None:
    """--progress tells in lines how an upload goes where nothing can be drawn, and --no-progress draws nothing on a terminal."""
    Path("big.pdf").write_bytes(b"x" * 3_000_000)
    ended = command("send", "--file", "big.pdf", "--progress")
    assert (ended.code, ended.out) == (0, "")
    assert "100% of 3.0 MB\n" in ended.err
    assert "\x1b" not in ended.err
    running = terminal("send", "--file", "big.pdf", "--no-progress")
    assert running.wait() == 0
    assert running.screen == ""


def test_a_dumb_terminal(terminal: Callable[..., Any], user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that takes lines alone no bar is drawn."""
    Path("big.pdf").write_bytes(b"x" * 3_000_000)
    monkeypatch.setenv("TERM", "dumb")
    running = terminal("send", "--file", "big.pdf")
    assert running.wait() == 0
    assert running.screen == ""
