"""The pages for those who come from elsewhere: both programs of each pair hold the same conversation, and each line of the shell does what it says."""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.adapters_kit import becomes
from kits.docs_kit import ROOT, blocks

from syncbot.cli import run
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, TestCA

PAIRS = {
    "from-telebot.md": [("/start", "What is your name?"), ("Ann", "Hello, Ann!")],
    "from-python-telegram-bot.md": [("/start", "Hello! Tell me something."), ("hi", "1: hi"), ("again", "2: again")],
    "from-aiogram.md": [("/start", "What is your name?"), ("Ann", "Hello, Ann!")],
}
TELEBOT_ECHO = """

@bot.message_handler(func=lambda message: True)
def echo(message):
    bot.send_message(message.chat.id, message.text)


bot.infinity_polling()
"""
PTB_ECHO = """
from telegram.ext import MessageHandler, filters


async def echo(update, context):
    await update.message.reply_text(update.message.text)


application.add_handler(MessageHandler(filters.TEXT, echo))
application.run_polling()
"""
FEW_LINES = {
    "from-telebot.md": ("One line", TELEBOT_ECHO, [("hi", "hi"), ("again", "again")]),
    "from-python-telegram-bot.md": ("Two lines", PTB_ECHO, [("hi", "hi"), ("again", "again")]),
    "from-aiogram.md": ("One argument", "", [("/start", "Hello!")]),
}
"""By page: the section whose program is taken, what a bot needs beside it, and what is said to it."""
SHELL_GUIDES = ("from-telegram-send.md", "from-apprise.md")


def same_bot(guide: str) -> list[str]:
    """The two programs of a guide's section of this name: theirs and ours."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    section = text[text.index("## The same bot") :]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[:2]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["theirs", "ours"])
@pytest.mark.parametrize("guide", PAIRS)
def test_both_programs_hold_the_same_conversation(guide: str, which: str, ca: TestCA, tmp_path: Path) -> None:
    """As they stand there, with nothing but the environment to lead them to the test server."""
    # In telebot by itself, an answer that comes before the next step is registered is nobody's: there the same program runs as it is told to.
    own = ["-c", "from syncbot.cli import main; main()", "run-telebot"] if (guide, which) == ("from-telebot.md", "theirs") else []
    converse(tmp_path, ca, same_bot(guide)[which == "ours"], PAIRS[guide], *own)


@pytest.mark.slow
@pytest.mark.parametrize("guide", FEW_LINES)
def test_the_lines_that_change_are_all_that_has_to(guide: str, ca: TestCA, tmp_path: Path) -> None:
    """The first program of a page, and what there is of such a bot beside it: it answers, and each call has a connection of its own."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    section, rest, said = FEW_LINES[guide]
    found = re.search(r"^```python\n(.*?)^```$", text[text.index(f"## {section}\n") :], re.MULTILINE | re.DOTALL)
    assert found is not None
    assert converse(tmp_path, ca, found[1] + rest, said) == 1


def converse(tmp_path: Path, ca: TestCA, program: str, pairs: list[tuple[str, str]], *own: str) -> int:
    """Run a program, and talk with it; returns how many requests there were on one connection at most."""
    (tmp_path / "program.py").write_text(program)
    with (
        BotApiServer(tls=True, ca=ca, hosts=["api.telegram.org"], slow_same_offset=False) as api,
        FaultProxy(resolve={"api.telegram.org:443": f"127.0.0.1:{api.port}"}) as proxy,
    ):
        authorities = dict.fromkeys(("SYNCBOT_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(api.ca_file))
        environ = {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "HTTPS_PROXY": proxy.url, "HOME": str(tmp_path), "PYTHONPATH": ":".join(filter(None, sys.path))}
        process = subprocess.Popen(
            [sys.executable, *own, "program.py"], cwd=tmp_path, env=environ | authorities, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            user = api.user()
            assert becomes(lambda: api.is_polled or process.poll() is not None, 60.0), "it does not poll"
            assert process.poll() is None, process.communicate()[0]
            for said, answer in pairs:
                user.send(said)
                user.wait_for(answer, 40.0)
            process.send_signal(signal.SIGINT)
            process.wait(60)
        finally:
            process.kill()
            process.communicate()
        return api.recorder.max_requests_per_connection


@pytest.fixture
def telegram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotApiServer]:
    """Telegram as far as the commands can tell, some messages in the chats, and a folder with the files that are sent."""
    with BotApiServer(any_chat=True) as server:
        values = {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url, "SYNCBOT_CHAT": "1001", "HOME": str(tmp_path)}
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        for name in ("plan.pdf", "a.jpg", "b.jpg", "v.mp4", "s.mp3", "g.gif", "s.webp"):
            Path(name).write_bytes(b"content of " + name.encode())
        for name in ("other.env", "admins.env"):
            Path(name).write_text("SYNCBOT_CHAT=1001\n")
        for _ in range(5):
            assert run(["send", "before"]) == 0
        yield server


def shell_lines() -> list[tuple[str, str]]:
    """The commands on the right of the tables, with their guides."""
    found = []
    for guide in SHELL_GUIDES:
        for line in (ROOT / "docs" / guide).read_text(encoding="utf-8").splitlines():
            if line.startswith("| `"):
                right = re.split(r"(?<!\\) \| ", line.strip("| "))[1]
                found += [(guide, code.replace("\\|", "|")) for code in re.findall(r"`([^`]+)`", right)]
    return found


@pytest.mark.parametrize(("guide", "command"), [pair for pair in shell_lines() if pair[1] != "syncbot init"])
def test_each_line_of_the_shell_is_carried_out(telegram: BotApiServer, tmp_path: Path, guide: str, command: str) -> None:
    """It ends with 0, and Telegram has had one call more, at least."""
    before = len(telegram.requests)
    if "|" in command:
        program = tmp_path / "syncbot"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "from syncbot.cli import main; main()" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": ":".join(filter(None, sys.path))}
        assert subprocess.run(["/bin/sh", "-c", command], env=environ, capture_output=True, timeout=60).returncode == 0
    else:
        assert run(shlex.split(command)[1:]) == 0
    assert len(telegram.requests) > before


def test_there_are_such_lines() -> None:
    """Both guides have a table of them."""
    assert all(sum(guide == name for guide, _ in shell_lines()) >= 9 for name in SHELL_GUIDES)


def test_the_configuration_of_telegram_send_becomes_an_env_file(tmp_path: Path, telegram: BotApiServer) -> None:
    """The guide's program writes one that only its owner can read, and `syncbot send` finds its way with it."""
    [program] = [block.text for block in blocks("python") if block.guide.name == "from-telegram-send.md" and "configparser" in block.text]
    conf = tmp_path / ".config" / "telegram-send.conf"
    conf.parent.mkdir()
    conf.write_text(f"[telegram]\ntoken = {TEST_TOKEN}\nchat_id = 1001\n")
    exec(program, {})
    made = tmp_path / ".config" / "syncbot" / "env"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.read_text() == f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nSYNCBOT_CHAT=1001\n"
