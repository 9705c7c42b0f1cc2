"""`syncbot try`: in a terminal and as a page, and what it refuses."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from kits.page_kit import SHOP, write_bot
from kits.timing_kit import becomes

from syncbot.cli.console.frame import run
from syncbot.storage.bot_lock import BotLock

TRY = [sys.executable, "-m", "syncbot.cli", "try"]


def test_in_a_terminal(tmp_path: Path) -> None:
    """A bot is tried by lines: what it says is printed, and the end of the input ends the trial and the bot."""
    with subprocess.Popen([*TRY, write_bot(tmp_path, SHOP), "--terminal"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("/start\n")
        process.stdin.flush()
        assert any("What may it be?" in line for line in process.stdout)
        process.stdin.write("@quit\n")
        process.stdin.close()
        process.stdout.read()
        assert process.wait(30) == 0


def test_lines_from_a_pipe(tmp_path: Path) -> None:
    """Lines that come all at once are a conversation too: each waits until the bot has answered the one before, and the end of the input until all is said."""
    lines = "/start\n[Tea]\n@faults\n@faults 0\nand milk\n@calls\n"
    done = subprocess.run([*TRY, write_bot(tmp_path, SHOP), "--terminal"], input=lines, capture_output=True, text=True, timeout=120, check=True)
    places = [done.stdout.find(words) for words in ("Ann │ /start", "bot │ What may it be?", "Ann │ [Tea]", "One Tea", "percent", "0%", "You said: and milk")]
    assert -1 not in places, done.stdout
    assert places == sorted(places), done.stdout
    assert "answerCallbackQuery: done, " in done.stdout


def test_as_a_page(tmp_path: Path) -> None:
    """The address is printed and serves the page; Ctrl-C ends it all with exit code 0."""
    with subprocess.Popen([*TRY, write_bot(tmp_path, SHOP), "--no-browser"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Talk to your bot: http://127.0.0.1:")
        assert "<title>Try your bot</title>" in requests.get(line.split()[-1], timeout=20).text
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(30) == 0


_TELLS_ITS_PROCESS = """
import os
from pathlib import Path
from syncbot import Bot, Runtime
app = Runtime(Bot.from_env())
@app.message()
def answer(update, context):
    context.reply(f"process {os.getpid()} in {os.environ['SYNCBOT_STATE']}")
app.run()
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whoever_ends_it_ends_the_bot_too(tmp_path: Path, how: signal.Signals) -> None:
    """An editor's stop, a terminal that is closed, and a kill leave no bot behind that nobody knows of; but for the kill no folder either."""
    target = tmp_path / "bot.py"
    target.write_text(_TELLS_ITS_PROCESS, encoding="utf-8")
    heeds = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"  # under nohup too
    command = [sys.executable, "-c", heeds, *TRY[1:], str(target), "--terminal"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello\n")
        process.stdin.flush()
        found = next(match for line in process.stdout if (match := re.search(r"process (\d+) in (\S+)", line)))
        process.send_signal(how)
        process.wait(30)
    state = Path(found[2])
    lock = BotLock(state.with_name(f"{state.name}.lock"))  # which the system frees when its holder dies
    assert becomes(lambda: not state.parent.exists() or lock.acquire())
    lock.release()
    assert how is signal.SIGKILL or not state.parent.exists()
    shutil.rmtree(state.parent, ignore_errors=True)


@pytest.mark.parametrize("library", ["ptb", "telebot"])
def test_bots_of_other_libraries(tmp_path: Path, library: str) -> None:
    """The echo bots of python-telegram-bot and pyTelegramBotAPI need the base URL and the token alone."""
    target = tmp_path / "their_bot.py"
    target.write_text(_THEIRS[library], encoding="utf-8")
    with subprocess.Popen([*TRY, "--http", str(target), "--terminal"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello there\n")
        process.stdin.flush()
        assert any("│ hello there" in line for line in process.stdout)
        process.stdin.close()
        process.stdout.read()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no_such.py"], "there is no file"),
        (["no_such:app"], "there is no module 'no_such'"),
        (["text:=[1"], "there is no module 'text'"),
        ([":app"], "there is no module ''"),
        (["bot.py", "--faults", "200"], "--faults"),
        (["bot.py", "--user-id", "0"], "--user-id"),
    ],
)
def test_what_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there and a number out of bounds end with exit code 2 and a reason."""
    assert run(["try", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody listens on the port already: exit code 2, and what to do instead."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["try", write_bot(tmp_path, SHOP), "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "leave --port out" in capsys.readouterr().err


def test_the_settings_of_an_env_file_reach_the_bot(tmp_path: Path) -> None:
    """--env-file gives the tried bot its own settings, and the trial still decides where it calls."""
    (tmp_path / "my.env").write_text("GREETING=from the file\nTELEGRAM_BOT_TOKEN=1:the-real-token-of-the-bot-xxxxxxx\n", encoding="utf-8")
    bot = "import os\n@app.message()\ndef greet(update, context):\n    context.reply(os.environ['GREETING'])\n"
    command = [*TRY, write_bot(tmp_path, bot), "--terminal", "--env-file", str(tmp_path / "my.env")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert any("│ from the file" in line for line in process.stdout)
        process.stdin.close()
        process.stdout.read()


_THEIRS = {
    "ptb": """
import os
from telegram.ext import Application, MessageHandler, filters

async def echo(update, context):
    await update.message.reply_text(update.message.text)

URL = os.environ["SYNCBOT_BASE_URL"]
builder = Application.builder().token(os.environ["TELEGRAM_BOT_TOKEN"]).base_url(URL + "/bot").base_file_url(URL + "/file/bot")
application = builder.build()
application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, echo))
application.run_polling()
""",
    "telebot": """
import os
import telebot

telebot.apihelper.API_URL = os.environ["SYNCBOT_BASE_URL"] + "/bot{0}/{1}"
bot = telebot.TeleBot(os.environ["TELEGRAM_BOT_TOKEN"])

@bot.message_handler(func=lambda message: True)
def echo_all(message):
    bot.reply_to(message, message.text)

bot.infinity_polling()
""",
}
