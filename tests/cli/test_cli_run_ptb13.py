"""`syncbot run-ptb13`: programs that were written for python-telegram-bot 13. What they do then is tests/compat's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_a_program_gets_its_arguments_and_what_it_needs(process: Command, environment: dict[str, str]) -> None:
    """Options before the file are the command's, those behind it the program's; its end is the command's, and the state file is the one that was named."""
    Path("bot.py").write_text(
        "import os, sys\nfrom telegram.ext import Updater\nprint(sys.argv, __name__, Updater.__module__, os.environ['SYNCBOT_STATE'])\nsys.exit(7)\n"
    )
    ended = process("run-ptb13", "--state", "kept.db", "bot.py", "--state", "x", "y")
    assert (ended.code, ended.out, ended.err) == (7, "['bot.py', '--state', 'x', 'y'] __main__ syncbot.compat.ptb13.running.updater kept.db\n", "")


def test_a_program_that_fails_shows_where(process: Command, environment: dict[str, str]) -> None:
    """As Python does it, with exit code 1, and without the token."""
    Path("bot.py").write_text("from telegram.ext import Updater\nupdater = Updater('123456789:" + "a" * 35 + "')\nraise ValueError(updater.bot.token)\n")
    ended = process("run-ptb13", "bot.py")
    assert ended.code == 1
    assert "bot.py" in ended.err
    assert "ValueError" in ended.err
    assert "aaaa" not in ended.err
    assert ended.err.endswith("\nsyncbot: bot.py has ended with an error: ValueError\n")


def test_a_program_that_cannot_be_carried_over_is_told_where_to_look(process: Command, environment: dict[str, str]) -> None:
    """What 13 did not have, or nobody has here, ends as a name that is missing: the last line names what finds all of these at once."""
    Path("bot.py").write_text("from telegram.ext import ApplicationBuilder\n")
    ended = process("run-ptb13", "bot.py")
    assert ended.code == 1
    assert ended.err.endswith("has ended with an error: ImportError; what cannot be carried over tells: syncbot run-ptb13 --check bot.py\n")
    assert "is of python-telegram-bot 20 and later" in process("run-ptb13", "--check", "bot.py").out


def test_a_token_that_is_none_is_told(process: Command, environment: dict[str, str]) -> None:
    """In the words of InvalidToken, which 13's programs know."""
    Path("bot.py").write_text("from telegram.ext import Updater\nUpdater('TOKEN')\n")
    ended = process("run-ptb13", "bot.py")
    assert ended.code == 1
    assert "InvalidToken: the token is none" in ended.err


def test_a_file_that_is_not_there_is_told(command: Command) -> None:
    """The command line is wrong then."""
    ended = command("run-ptb13", "nobot.py")
    assert ended.code == 2
    assert "there is no file nobot.py" in ended.err
