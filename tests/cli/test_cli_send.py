"""`syncbot send`: what arrives, what is refused, and what each failure looks like from a script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import Answer, BotApiServer, FaultProxy, User

Command = Callable[..., Any]

UTF8 = "Grüße, Ελλάς, 日本, 🚀"
NARROW = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_silent_on_success(command: Command, user: User, server: BotApiServer) -> None:
    """A message that was sent is exit code 0 and not a word."""
    ended = command("send", "Hello")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert user.wait_for("Hello").text == "Hello"
    assert server.count("sendMessage") == 1
    server.wait_closed()


@pytest.mark.parametrize("argv", [(), ("-",)])
def test_text_from_standard_input(command: Command, user: User, argv: tuple[str, ...]) -> None:
    """Without TEXT, or with "-", the text comes from standard input as UTF-8, less the newline at its end."""
    assert command("send", *argv, stdin=f"{UTF8}\nline 2\n".encode()).code == 0
    user.wait_for(f"{UTF8}\nline 2")


@pytest.mark.parametrize(("argv", "stdin"), [(("",), b""), (("  \n",), b""), ((), b""), (("-",), b"\n\n")])
def test_empty_text(command: Command, server: BotApiServer, argv: tuple[str, ...], stdin: bytes) -> None:
    """An empty text is refused with words before anything is sent."""
    ended = command("send", *argv, stdin=stdin)
    assert ended.code == 2
    assert "the text is empty" in ended.err
    assert server.count() == 0


def test_input_that_is_not_utf8(command: Command, server: BotApiServer) -> None:
    """Bytes that are not UTF-8 are refused, and the first of them is named."""
    ended = command("send", stdin=b"caf\xe9")
    assert ended.code == 2
    assert "not UTF-8 (byte 4 is 0xe9)" in ended.err
    assert server.count() == 0


def test_input_that_is_too_long(command: Command, server: BotApiServer) -> None:
    """A file put into standard input does not become hundreds of messages."""
    ended = command("send", stdin=b"x" * 300_000)
    assert ended.code == 2
    assert "--file" in ended.err
    assert server.count() == 0


def test_utf8_in_a_narrow_locale(process: Command, user: User) -> None:
    """Under LANG=C with Python's UTF-8 mode off, texts from an argument and from standard input arrive as they were written."""
    assert process("send", f"a {UTF8}".encode(), **NARROW).code == 0
    user.wait_for(f"a {UTF8}")
    assert process("send", stdin=f"b {UTF8}".encode(), **NARROW).code == 0
    user.wait_for(f"b {UTF8}")


def test_argument_that_is_not_utf8(process: Command, server: BotApiServer) -> None:
    """An argument that is not UTF-8 is refused in words."""
    ended = process("send", b"caf\xe9", **NARROW)
    assert ended.code == 2
    assert "the text is not UTF-8" in ended.err
    assert server.count() == 0


def test_complaint_in_a_narrow_locale(process: Command, server: BotApiServer, user: User) -> None:
    """What Telegram says is shown in UTF-8 also where the locale knows only ASCII."""
    server.script("sendMessage", Answer.error(400, "Bad Request: ü"))
    ended = process("send", "x", **NARROW)
    assert ended.code == 77
    assert "Bad Request: ü" in ended.err


def test_options_of_a_message(command: Command, user: User, server: BotApiServer) -> None:
    """Every option of a text message becomes the parameter that it stands for."""
    first = command("send", "first", "--json")
    message_id = json.loads(first.out)[0]["messages"][0]
    ended = command(
        "send", "<b>fat</b>", "--format", "html", "--silent", "--reply-to", str(message_id), "--button", "One=https://one.example", "--button", "Two=tg://two"
    )
    assert ended.code == 0
    sent = server.requests_for("sendMessage")[-1].params
    assert sent["parse_mode"] == "HTML"
    assert sent["disable_notification"] is True
    assert sent["reply_parameters"] == {"message_id": message_id}
    assert [button["text"] for button in user.wait_for("fat").buttons] == ["One", "Two"]


def test_thread(command: Command, server: BotApiServer) -> None:
    """--thread chooses the topic."""
    group = server.group(is_forum=True)
    assert command("send", "x", "--chat", str(group.id), "--thread", "7").code in (0, 77)  # whether the server knows the topic is not the point
    assert server.requests_for("sendMessage")[-1].params["message_thread_id"] == 7


def test_markdown(command: Command, user: User, server: BotApiServer) -> None:
    """--format markdown is Telegram's newer Markdown."""
    assert command("send", "*fat*", "--format", "markdown").code == 0
    assert server.requests_for("sendMessage")[-1].params["parse_mode"] == "MarkdownV2"


def test_pre(command: Command, user: User) -> None:
    """--pre shows the text in one monospaced block, whatever characters it holds."""
    assert command("send", "--pre", stdin=b"<a> & \xf0\x9f\x9a\x80\nb").code == 0
    message = user.wait_for("<a> & 🚀\nb")
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in message.entities] == [("pre", 0, 10)]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("x", "--pre", "--format", "html"), "--pre"),
        (("x", "--caption", "c"), "--file"),
        (("x", "--button", "Open"), "is not a label and a link"),
        (("x", "--file", "none.jpg"), "none.jpg cannot be read"),
        (("x", "--file", "empty.jpg"), "is empty"),
        (("--file", "a.jpg", "--file", "b.jpg", "--button", "A=https://a.example"), "an album can have no buttons"),
    ],
)
def test_options_that_do_not_fit(command: Command, server: BotApiServer, argv: tuple[str, ...], words: str) -> None:
    """Options that contradict each other are refused before anything is sent."""
    Path("empty.jpg").touch()
    Path("a.jpg").write_bytes(b"a")
    Path("b.jpg").write_bytes(b"b")
    ended = command("send", *argv)
    assert ended.code == 2
    assert words in ended.err
    assert server.count() == 0


def test_no_chat(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a chat the line says where to set one."""
    monkeypatch.delenv("SYNCBOT_CHAT")
    ended = command("send", "x")
    assert ended.code == 78
    assert "SYNCBOT_CHAT" in ended.err


def test_several_chats(command: Command, server: BotApiServer, user: User) -> None:
    """With several chats each gets its message, each failure is a line that names its chat, and the worst outcome counts."""
    other = server.user(1002, "Bob")
    ended = command("send", "--chat", "1001", "--chat", "4004", "--chat", "1002", "--chat", "1001", "x")
    assert ended.code == 77
    assert ended.err.count("\n") == 1
    assert "chat 4004: refused by Telegram: Bad Request: chat not found (400)" in ended.err
    assert server.count_text("x") == 2
    other.wait_for("x")


def test_json(command: Command, server: BotApiServer, user: User) -> None:
    """--json tells per chat what became of it, in one line."""
    ended = command("send", "--json", "--chat", "1001", "--chat", "4004", "x")
    good, bad = json.loads(ended.out)
    assert good == {"chat": 1001, "ok": True, "messages": [user.wait_for("x").message_id], "error": ""}
    assert (bad["chat"], bad["ok"], bad["messages"]) == (4004, False, [])
    assert ended.out.count("\n") == 1


def test_kinds_of_files(command: Command, user: User, server: BotApiServer) -> None:
    """Each file goes by the method for its kind, --as overrides it, and the caption stands below the first."""
    names = {"a.jpg": "sendPhoto", "b.mp4": "sendVideo", "c.mp3": "sendAudio", "d.ogg": "sendVoice", "e.gif": "sendAnimation", "f.pdf": "sendDocument"}
    for name, method in names.items():
        Path(name).write_bytes(b"content of " + name.encode())
        assert command("send", "--file", name, "--caption", f"this is {name}").code == 0
        assert server.requests_for(method)[-1].params["caption"] == f"this is {name}"
        assert server.requests_for(method)[-1].files[0].sha256 == sha256(b"content of " + name.encode()).hexdigest()
    assert command("send", "--file", "a.jpg", "--as", "document").code == 0
    assert server.count("sendDocument") == 2


def test_text_and_file(command: Command, user: User, server: BotApiServer) -> None:
    """A text beside a file is a message of its own, before the file."""
    Path("f.pdf").write_bytes(b"x")
    assert command("send", "look", "--file", "f.pdf").code == 0
    assert [request.method for request in server.requests] == ["sendMessage", "sendDocument"]


def test_album(command: Command, user: User, server: BotApiServer) -> None:
    """Neighbours that fit together become albums of at most ten, and none of one."""
    for number in range(11):
        Path(f"{number}.jpg").write_bytes(b"x")
    Path("a.pdf").write_bytes(b"x")
    files = [argument for number in range(11) for argument in ("--file", f"{number}.jpg")]
    assert command("send", *files, "--file", "a.pdf", "--caption", "all").code == 0
    albums = [request.params["media"] for request in server.requests_for("sendMediaGroup")]
    assert [len(album) for album in albums] == [5, 6]
    assert albums[0][0]["caption"] == "all"
    assert "caption" not in albums[1][0]
    assert server.count("sendDocument") == 1


def test_file_name_in_a_narrow_locale(process: Command, user: User, server: BotApiServer) -> None:
    """A file with a name beyond ASCII is found and keeps its name under LANG=C."""
    Path("Füße.pdf").write_bytes(b"x")
    ended = process("send", "--file", "Füße.pdf".encode(), **NARROW)
    assert (ended.code, ended.err) == (0, "")
    assert server.requests_for("sendDocument")[0].files[0].name == "Füße.pdf"


def test_progress_bar_only_on_a_terminal(command: Command, terminal: Callable[..., Any], user: User) -> None:
    """An upload shows a bar to somebody at a terminal, and nothing in a pipe."""
    Path("big.pdf").write_bytes(b"x" * 3_000_000)
    running = terminal("send", "--file", "big.pdf")
    assert running.wait() == 0
    assert "big.pdf  [" in running.screen
    assert "100% of 3.0 MB" in running.screen
    ended = command("send", "--file", "big.pdf")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_typing_at_a_terminal(terminal: Callable[..., Any], user: User) -> None:
    """At a terminal the text can be typed; a line says how to end it."""
    running = terminal("send")
    running.wait_for("Ctrl-D")
    running.type("typed by hand\n\x04")
    assert running.wait() == 0
    user.wait_for("typed by hand")


def test_wrong_token(command: Command, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that Telegram does not know ends with 77 and names the setting."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456789:" + "x" * 35)
    ended = command("send", "x")
    assert ended.code == 77
    assert "Unauthorized (401); TELEGRAM_BOT_TOKEN" in ended.err
    assert "x" * 35 not in ended.err


def test_no_token(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token the exit code is 78."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    ended = command("send", "x")
    assert (ended.code, ended.err.count("\n")) == (78, 1)


def test_malformed_proxy(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy URL that is none ends with 78, and its password is not repeated."""
    monkeypatch.setenv("SYNCBOT_PROXY", "htp://user:topsecret@host")
    ended = command("send", "x")
    assert ended.code == 78
    assert "SYNCBOT_PROXY" in ended.err
    assert "topsecret" not in ended.err


def test_unreachable_proxy(command: Command, server: BotApiServer, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that does not answer ends with 75: nothing was sent, and the line names the proxy."""
    with FaultProxy() as proxy, proxy.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        ended = command("send", "--timeout", "3", "x")
        assert ended.code == 75
        assert ended.err.startswith("syncbot: not sent:")
        assert f"127.0.0.1:{proxy.port}" in ended.err
    assert server.count() == 0


def test_proxy_that_wants_a_password(command: Command, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong proxy password is a wrong configuration, since trying later does not help; the password is not shown."""
    with FaultProxy("socks5", username="u", password="right-one") as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", f"socks5://u:wrong-one@127.0.0.1:{proxy.port}")
        ended = command("send", "x")
    assert ended.code == 78
    assert "refused the user and password" in ended.err
    assert "wrong-one" not in ended.err


def test_answer_that_never_comes(command: Command, server: BotApiServer, user: User) -> None:
    """A message whose answer is lost ends with 76, once, within --timeout."""
    server.script("sendMessage", Answer.normal().once_done().cut())
    ended = command("send", "--timeout", "20", "x")
    assert ended.code == 76
    assert ended.err.startswith("syncbot: delivery uncertain:")
    assert server.count_text("x") == 1


def test_flood(command: Command, server: BotApiServer, user: User) -> None:
    """A 429 that asks for more than the time that is left ends with 75."""
    server.script("sendMessage", Answer.retry_after(1000), times=None)
    ended = command("send", "--timeout", "20", "x")
    assert ended.code == 75
    assert "asks to wait 1000 s" in ended.err


def test_server_error(command: Command, server: BotApiServer, user: User) -> None:
    """Where Telegram's server fails over a message nobody knows whether it was sent: 76, as the outbox has it, after one attempt."""
    server.script("sendMessage", Answer.server_error(), times=None)
    ended = command("send", "--timeout", "20", "x")
    assert ended.code == 76
    assert ended.err.startswith("syncbot: delivery uncertain: Telegram's server failed:")
    assert server.count("sendMessage") == 1
    assert command("send", "--queue", "x").code == 76


def test_success_path_loads_little(environment: dict[str, str], user: User) -> None:
    """A message from the shell loads neither telegram nor asyncio nor anything else that it does not need."""
    code = (
        "import sys, os\n"
        "from syncbot.cli import run\n"
        "assert run(['send', 'light']) == 0\n"
        "heavy = {'telegram', 'httpx', 'httpcore', 'asyncio', 'tenacity', 'sqlite3', 'dotenv',\n"
        "         'syncbot.runtime', 'syncbot.storage', 'syncbot.testing', 'syncbot.client.ptb.decode', 'syncbot.client.api.signatures', 'difflib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
    user.wait_for("light")


def test_long_text_is_split(command: Command, user: User, server: BotApiServer) -> None:
    """A text beyond Telegram's limit arrives whole, as several messages; a reply and buttons belong to the first and the last."""
    text = "\n".join(f"line {number} " + "ä🚀" * 20 for number in range(200))
    assert command("send", "--pre", "--button", "A=https://a.example", stdin=text.encode()).code == 0
    sent = [request.params for request in server.requests_for("sendMessage")]
    assert len(sent) > 2
    assert "\n".join(params["text"].strip("\n") for params in sent) == text
    assert ["reply_markup" in params for params in sent] == [False] * (len(sent) - 1) + [True]
    assert all(len(params["text"].encode("utf-16-le")) // 2 == params["entities"][0]["length"] for params in sent)
    assert all(len(params["text"]) <= 4096 for params in sent)
    assert len(sent[0]["text"]) > 4000  # characters count, not UTF-16 units


def test_failure_within_a_long_text(command: Command, user: User, server: BotApiServer) -> None:
    """The first piece that fails stops the rest; the line says how many were sent, and the code no longer promises that nothing was."""
    server.script("sendMessage", Answer.normal(), Answer.retry_after(1000))
    ended = command("send", "--timeout", "20", stdin=("x" * 80 + "\n").encode() * 150)
    assert ended.code == 76
    assert "1 of 3 messages were sent before" in ended.err
    assert server.count("sendMessage") == 2


def test_broken_markup_in_a_long_text(command: Command, server: BotApiServer) -> None:
    """Markup that cannot be split is refused before anything is sent."""
    ended = command("send", "--format", "html", stdin=b"<b>" + b"word " * 2000)
    assert ended.code == 2
    assert server.count() == 0
