"""`syncbot init`: from a token to an env file, at a terminal and without one."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot.cli.setup.pairing import new_code
from syncbot.config.envfile import read_env_file
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, User

Command = Callable[..., Any]
WRONG = "123456789:" + "x" * 35
HOME_FILE = Path(".config/syncbot/env")


@pytest.fixture(autouse=True)
def nothing_set(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a token nor a chat is set yet."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    monkeypatch.delenv("SYNCBOT_CHAT")


def test_without_a_terminal(command: Command) -> None:
    """With the token on standard input it is checked and written, for nobody else to read, and the token is shown nowhere."""
    ended = command("init", stdin=f"{TEST_TOKEN}\n".encode())
    assert (ended.code, ended.err) == (0, "")
    assert read_env_file(HOME_FILE) == {"TELEGRAM_BOT_TOKEN": TEST_TOKEN}
    assert stat.S_IMODE(HOME_FILE.stat().st_mode) == 0o600
    assert "Bot: @test_bot" in ended.out
    assert "Way: direct: works" in ended.out
    assert TEST_TOKEN not in ended.out
    assert command("call", "getMe").code == 0


def test_token_from_the_environment(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in the environment is taken, and standard input left alone."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TEST_TOKEN)
    assert command("init", stdin=b"something else\n").code == 0
    assert read_env_file(HOME_FILE)["TELEGRAM_BOT_TOKEN"] == TEST_TOKEN


def test_token_is_no_argument(command: Command) -> None:
    """There is no way to give the token as an argument, where ps would show it."""
    for argv in ((TEST_TOKEN,), ("--token", TEST_TOKEN)):
        ended = command("init", *argv)
        assert ended.code == 2
    assert not HOME_FILE.exists()


def test_writes_a_new_file(command: Command) -> None:
    """An env file that is named and does not exist yet is made, with mode 600."""
    assert command("init", "--env-file", "new.env", stdin=TEST_TOKEN.encode()).code == 0
    assert Path("new.env").stat().st_mode & 0o777 == 0o600
    assert command("call", "getMe", "--env-file", "new.env").code == 0


def test_keeps_what_was_there(command: Command) -> None:
    """An env file keeps its comments, its order and its other settings; --chat and --user are written."""
    Path("bot.env").write_text("# my bot\nSYNCBOT_TIMEOUT=7\nTELEGRAM_BOT_TOKEN=999:oldoldoldoldoldoldoldoldoldoldoldold\nMINE='a b'\n")
    ended = command("init", "--env-file", "bot.env", "--no-pair", "--chat", "-1001", "--user", "5,6", stdin=TEST_TOKEN.encode())
    assert ended.code == 0
    lines = Path("bot.env").read_text().splitlines()
    assert lines == [
        "# my bot",
        "SYNCBOT_TIMEOUT=7",
        f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}",
        "MINE='a b'",
        "SYNCBOT_CHAT=-1001",
        "ALLOWED_TELEGRAM_USER_ID=5,6",
    ]


def test_writes_to_the_file_that_was_read(command: Command) -> None:
    """Without --env-file the file that the settings came from is the one that is written."""
    Path(".env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\n")
    ended = command("init", "--chat", "42")
    assert ended.code == 0
    assert "Token: from" in ended.out
    assert read_env_file(".env")["SYNCBOT_CHAT"] == "42"
    assert not HOME_FILE.exists()


@pytest.mark.parametrize(
    ("stdin", "code", "words"),
    [
        (b"", 78, "no token"),
        (b"12345\n", 78, "not a bot token"),
        (f"bot{TEST_TOKEN}\n".encode(), 78, 'leave out the word "bot"'),
        (WRONG.encode(), 77, "Telegram does not know this token"),
    ],
)
def test_wrong_token(command: Command, stdin: bytes, code: int, words: str) -> None:
    """Each way in which a token can be wrong has its own words, and nothing is written."""
    ended = command("init", stdin=stdin)
    assert ended.code == code
    assert words in ended.err
    assert not HOME_FILE.exists()


@pytest.mark.parametrize(("option", "value"), [("--chat", "nobody"), ("--user", "@ann")])
def test_wrong_options(command: Command, option: str, value: str) -> None:
    """A chat or user that cannot be one is refused before anything is written."""
    ended = command("init", option, value, stdin=TEST_TOKEN.encode())
    assert ended.code == 2
    assert not HOME_FILE.exists()


def test_finds_the_proxy(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment that works is written down, with its credentials, for programs that do not have this environment."""
    with FaultProxy(username="us er", password="p@ss:word") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        ended = command("init", stdin=TEST_TOKEN.encode())
        assert ended.code == 0
        assert f"Way: http://127.0.0.1:{proxy.port}: works" in ended.out
        assert "p%40ss" not in ended.out
        monkeypatch.delenv("HTTPS_PROXY")
        assert command("call", "getMe").code == 0
        assert proxy.opened == 2
    assert read_env_file(HOME_FILE)["SYNCBOT_PROXY"] == proxy.url


def test_proxy_that_does_not_work(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the proxy that is set does not work, a way without one is reported and not taken unasked."""
    with FaultProxy() as proxy, proxy.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        ended = command("init", stdin=TEST_TOKEN.encode())
    assert ended.code == 75
    assert "does not work" in ended.out
    assert "Way: direct: works" in ended.out
    assert "SYNCBOT_PROXY=direct" in ended.err
    assert not HOME_FILE.exists()


def test_one_of_two_proxies_works(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list that has one way that works, the whole list is kept: the other one may come back."""
    with FaultProxy() as good, FaultProxy() as dead, dead.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", f"{dead.url},{good.url}")
        assert command("init", stdin=TEST_TOKEN.encode()).code == 0
    assert read_env_file(HOME_FILE)["SYNCBOT_PROXY"] == f"{dead.url},{good.url}"


def test_at_a_terminal(terminal: Callable[..., Any], server: BotApiServer, user: User) -> None:
    """At a terminal the token is asked for without being shown, and the chat is paired by a code that goes to the bot."""
    running = terminal("init")
    running.wait_for("not shown): ")  # the last space comes when the echo is off
    running.type("nonsense\n")
    running.wait_for("not shown): ", times=2)
    assert "not a bot token" in running.screen
    running.type(f"{TEST_TOKEN}\n")
    running.wait_for("press Start")
    code = re.search(r"send (\d{6}) to @test_bot", running.screen)
    assert code is not None
    assert f"https://t.me/test_bot?start={code[1]}" in running.screen
    stranger = server.user(1002, "Eve")
    stranger.send("123")
    stranger.send("/start 000000")
    user.send(f"/start {code[1]}")
    assert running.wait() == 0
    assert TEST_TOKEN not in running.screen
    assert "Paired with Ann" in running.screen
    user.wait_for(re.compile("Paired"))
    found = read_env_file(HOME_FILE)
    assert (found["SYNCBOT_CHAT"], found["ALLOWED_TELEGRAM_USER_ID"]) == ("1001", "1001")
    assert len(server.pending_updates) == 3  # what others wrote is the bot's


def test_pairing_without_a_terminal(process: Command, server: BotApiServer, user: User) -> None:
    """--pair waits for the code without a terminal too, for no longer than --wait, and what is known by then is written."""
    ended = process("init", "--pair", "--wait", "1", stdin=TEST_TOKEN.encode())
    assert ended.code == 75
    assert "no code came within 1 s" in ended.err
    assert read_env_file(HOME_FILE) == {"TELEGRAM_BOT_TOKEN": TEST_TOKEN}


def test_pairing_with_a_webhook(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a webhook set pairing cannot be, and says why."""
    assert command("init", stdin=TEST_TOKEN.encode()).code == 0
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    ended = command("init", "--pair")
    assert ended.code == 77
    assert "webhook" in ended.err


def test_pairing_behind_a_backlog(command: Command, user: User) -> None:
    """Where a hundred updates wait, a new message cannot be seen without taking them away: that is said, and nothing is taken."""
    for number in range(100):
        user.send(str(number))
    ended = command("init", "--pair", stdin=TEST_TOKEN.encode())
    assert ended.code == 78
    assert "100 updates wait" in ended.err


def test_pairing_keeps_other_users(terminal: Callable[..., Any], user: User) -> None:
    """Pairing adds a user to those who are allowed already."""
    Path(".env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nALLOWED_TELEGRAM_USER_ID=7\n")
    running = terminal("init")
    running.wait_for("press Start")
    code = re.search(r"send (\d{6}) ", running.screen)
    assert code is not None
    user.send(code[1])
    assert running.wait() == 0
    assert read_env_file(".env")["ALLOWED_TELEGRAM_USER_ID"] == "7,1001"


def test_asks_for_a_proxy(terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no way works, a terminal asks for one, and takes the one that works."""
    with FaultProxy() as dead, FaultProxy() as good, dead.refuse_connections():
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TEST_TOKEN)
        monkeypatch.setenv("SYNCBOT_PROXY", dead.url)
        running = terminal("init", "--no-pair")
        running.wait_for("Go without a proxy?")
        running.type("n\n")
        running.wait_for("A proxy to try")
        running.type("nonsense://x\n")
        running.wait_for("is not a proxy URL")
        running.type(f"{good.url}\n")
        assert running.wait() == 0
    assert read_env_file(HOME_FILE)["SYNCBOT_PROXY"] == good.url


def test_codes_are_six_digits() -> None:
    """Codes have six digits and are not the same twice."""
    codes = {new_code() for _ in range(50)}
    assert all(re.fullmatch(r"[1-9][0-9]{5}", code) for code in codes)
    assert len(codes) > 40
