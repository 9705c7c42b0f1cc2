"""`syncbot run` and `syncbot poll`: bots written in a module."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.fork_kit import Forked, Starter

from syncbot.testing import TEST_TOKEN, BotApiServer, User

Command = Callable[..., Any]

BOT = """
from syncbot import Bot, Runtime, filters

app = Runtime(Bot.from_env(), state="bot.db")

@app.message(filters.TEXT)
def echo(update, context):
    if update.message.text == "fail":
        raise ValueError("as asked")
    context.reply("you said " + update.message.text)

def make():
    return app

number = 42
"""


@pytest.fixture(autouse=True)
def bot_module(environment: dict[str, str]) -> None:
    """A bot in a module in the working folder."""
    Path("mybot.py").write_text(BOT)


@pytest.fixture
def running(environment: dict[str, str], starter: Starter) -> Iterator[Callable[..., Forked]]:
    """Starts command lines as processes that go on running."""
    started: list[Forked] = []

    def start(*argv: str) -> Forked:
        started.append(starter.start("syncbot.cli:main", ["-c", *argv]))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("target", ["mybot:app", "mybot", "mybot:make"])
def test_run_until_a_signal(running: Callable[..., Forked], server: BotApiServer, user: User, target: str) -> None:
    """The bot answers until SIGTERM, and then ends with 0 and a log on standard error."""
    process = running("run", target)
    user.send("hello")
    user.wait_for("you said hello", timeout=30.0)
    server.wait_confirmed(timeout=30.0)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out == ""
    assert "Traceback" not in err


def test_ctrl_c_at_a_terminal(terminal: Callable[..., Any], server: BotApiServer, user: User) -> None:
    """Ctrl-C is an ordinary end of a bot that runs."""
    process = terminal("run", "mybot:app")
    server.wait_polled(timeout=30.0)
    process.type("\x03")
    assert process.wait() == 0
    assert "Traceback" not in process.screen
    assert "The bot starts; Ctrl-C ends it." in process.screen


def test_log_file(running: Callable[..., Forked], server: BotApiServer) -> None:
    """--log-file and --log-json write the log as a program reads it, without the token."""
    process = running("run", "mybot:app", "--log-file", "bot.log", "--log-json", "--debug")
    server.wait_polled(timeout=30.0)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    lines = Path("bot.log").read_text().splitlines()
    assert all("message" in json.loads(line) for line in lines)
    assert lines
    assert TEST_TOKEN not in "".join(lines)


def test_env_file_for_the_module(process: Command, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of --env-file reach a module that reads its settings by itself."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    Path("my.env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\n")
    user.send("hello")
    ended = process("poll", "mybot:app", "--once", "--env-file", "my.env")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    user.wait_for("you said hello")


def test_the_file_of_the_module(process: Command, user: User) -> None:
    """The bot's file may be named as well as its module, wherever it is."""
    Path("elsewhere").mkdir()
    Path("mybot.py").rename("elsewhere/mybot.py")
    user.send("hello")
    assert process("poll", "elsewhere/mybot.py", "--once").code == 0
    user.wait_for("you said hello")


def test_poll_once(process: Command, server: BotApiServer, user: User) -> None:
    """What waits is handled in one go, in silence; with --json a program is told how much it was; nothing waiting is a success too."""
    for number in range(5):
        user.send(str(number))
    ended = process("poll", "mybot:app", "--once", "--json")
    assert (ended.code, ended.err) == (0, "")
    summary = json.loads(ended.out)
    assert (summary["received"], summary["handled"], summary["failed"], summary["left"], summary["exit_code"]) == (5, 5, 0, 0, 0)
    assert server.pending_updates == []
    ended = process("poll", "mybot:app", "--once")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_conversation_of_one_process_for_each_answer(process: Command, user: User) -> None:
    """`syncbot poll --once` alone drives a conversation: each process ends at once, and the next one goes on at the question with the answer."""
    Path("talk.py").write_text(
        BOT.replace("filters.TEXT", "~filters.COMMAND") + "@app.command('order')\n"
        "def order(update, context):\n"
        "    name = context.ask('Name?').text\n"
        "    size = context.choose('Size?', ['S', 'M'])\n"
        "    context.sleep(0.01)\n"
        "    context.reply(f'{name} {size}')\n"
    )
    for act, heard in ((lambda: user.send("/order"), "Name?"), (lambda: user.send("Ada"), "Size?"), (lambda: user.press("M"), "Ada M")):
        act()
        ended = process("poll", "talk:app", "--once")
        assert (ended.code, ended.out, ended.err) == (0, "", "")
        if heard == "Ada M" and user.messages[-1].text != heard:  # it sleeps
            assert process("poll", "talk:app", "--once").code == 0
        assert user.messages[-1].text == heard
    assert [message.text for message in user.messages] == ["Name?", "Size?", "Ada M"]


def test_poll_with_a_failure(process: Command, user: User) -> None:
    """A handler that fails is exit code 1 and says where the update went, with the command that shows it."""
    user.send("fail")
    ended = process("poll", "mybot:app", "--once", SYNCBOT_LOG_LEVEL="CRITICAL")
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("syncbot: received 1, handled 0, failed 1, left 0")
    shown = shlex.split(ended.err.partition("; syncbot ")[2].partition(" shows them")[0])
    listed = process(*shown)
    assert (listed.code, listed.out.count("\n")) == (0, 1)
    assert "ValueError: as asked" in listed.out


def test_poll_without_a_way(process: Command) -> None:
    """Where Telegram cannot be reached the exit code says to try later."""
    ended = process("poll", "mybot:app", "--once", "--max-seconds", "3", SYNCBOT_PROXY="http://127.0.0.1:9", SYNCBOT_LOG_LEVEL="CRITICAL")
    assert ended.code == 75
    assert ended.err.count("\n") == 1


def test_poll_that_overlaps(process: Command, running: Callable[..., Forked], server: BotApiServer, user: User) -> None:
    """Of two runs that overlap the second ends at once with 75 and one line that asks for nothing; the first is not disturbed."""
    os.mkfifo("gate")
    Path("slow.py").write_text(BOT.replace("    context.reply", "    open('gate').read()\n    context.reply"))
    user.send("hello")
    first = running("poll", "slow:app", "--once", "--max-seconds", "50")
    server.wait_confirmed(timeout=30.0)
    began = time.monotonic()
    second = process("poll", "slow:app", "--once", "--max-seconds", "50")
    assert time.monotonic() - began < 40  # most of it is the start of Python; it would be more than 50 if it waited
    assert (second.code, second.out, second.err.count("\n")) == (75, "", 1)
    assert second.err.startswith("syncbot: another process handles the updates of bot 123456789 (it holds ")
    assert second.err.endswith("bot.db.lock); this run leaves them to it, and to the next run\n")
    Path("gate").write_text("go on")
    assert first.communicate(timeout=60) == ("", "")
    assert first.returncode == 0
    assert [message.text for message in user.messages] == ["you said hello"]
    assert process("poll", "slow:app", "--once").code == 0


def test_poll_wants_once(command: Command) -> None:
    """Without --once the right command is named."""
    ended = command("poll", "mybot:app")
    assert ended.code == 2
    assert "syncbot run mybot:app" in ended.err


def test_wrong_token(process: Command) -> None:
    """A wrong token ends a bot with 77."""
    ended = process("run", "mybot:app", TELEGRAM_BOT_TOKEN="123456789:" + "x" * 35, SYNCBOT_LOG_LEVEL="CRITICAL")
    assert ended.code == 77
    assert "Unauthorized" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("nothere:app", 2, "no module 'nothere'"),
        ("mybot:other", 2, "has no other"),
        ("mybot:number", 2, "is a int, not a syncbot.Runtime"),
        ("broken:app", 1, "ZeroDivisionError: division by zero"),
        ("refused:app", 1, "it takes a Bot first, not a str; write Runtime(Bot.from_env()), or Runtime(Bot(token, proxies=…)) ("),
        ("makers:takes", 1, "makers:takes cannot be called: TypeError: takes() missing 1 required positional argument: 'bot'"),
        ("makers:fails", 1, "makers:fails cannot be called: ZeroDivisionError: division by zero ("),
        ("makers:forgets", 2, "makers:forgets returned nothing, where a syncbot.Runtime is needed; end it with: return app"),
        ("importer:app", 1, "No module named 'not_installed'"),
        ("syntax:app", 1, "SyntaxError"),
    ],
)
def test_targets_that_cannot_run(process: Command, target: str, code: int, words: str) -> None:
    """A target that cannot be loaded is one line that says why and where."""
    Path("broken.py").write_text("x = 1\ny = 1 / 0\n")
    Path("refused.py").write_text("from syncbot import Runtime\napp = Runtime('123:abc')\n")
    Path("makers.py").write_text("def fails(): 1 / 0\ndef takes(bot): ...\ndef forgets(): ...\n")
    Path("importer.py").write_text("import not_installed\n")
    Path("syntax.py").write_text("x = = 1\n")
    ended = process("run", target)
    assert ended.code == code
    assert words in ended.err
    assert ended.err.count("\n") == 1
    assert ("nor installed for" in ended.err) == target.startswith("importer")
    place = {"broken:app": "broken.py, line 2)", "refused:app": "refused.py, line 2)", "makers:fails": "makers.py, line 1)"}.get(target, "")
    assert place in ended.err
    if target.startswith("broken"):
        assert "Traceback" in process("run", target, "--debug").err


def test_module_without_its_settings(process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that misses its token ends with the code for a wrong configuration."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    ended = process("run", "mybot:app")
    assert ended.code == 78
    assert "TELEGRAM_BOT_TOKEN is not set" in ended.err


def test_ends_as_its_module_asks(process: Command) -> None:
    """What a bot's module wants done at exit is done."""
    Path("tidy.py").write_text(BOT + "\nimport atexit, pathlib\natexit.register(lambda: pathlib.Path('tidied').touch())\n")
    assert process("poll", "tidy:app", "--once").code == 0
    assert Path("tidied").exists()
