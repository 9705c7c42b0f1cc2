"""The frame: version, help, wrong command lines, interruption, and closed or narrow streams."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest

from syncbot.cli import run
from syncbot.cli.console.frame import COMMANDS
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, User

Command = Callable[..., Any]


def test_a_secret_on_a_wrong_command_line_is_not_repeated(command: Command) -> None:
    """A token or a proxy's password that was given where none belongs is not written to the terminal or into cron's mail."""
    token, proxy = "987654321:AAOther-Token_that_nobody_has_set_here", "http://user:its-password@proxy.example:3128"
    ended = command("init", "--no-pair", token, proxy)
    assert (ended.code, ended.out) == (2, "")
    assert "unexpected extra arguments" in ended.err
    assert token.partition(":")[2] not in ended.err
    assert "its-password" not in ended.err


@pytest.mark.parametrize(("option", "setting"), [("--token", "TELEGRAM_BOT_TOKEN"), ("--proxy", "SYNCBOT_PROXY")])
def test_options_of_other_programs(command: Command, option: str, setting: str) -> None:
    """Token and proxy are no options here: the words name the setting, and not what is given."""
    ended = command("send", option, "987654321:AAOther-Token_that_nobody_has_set_here", "hello")
    assert ended.code == 2
    assert f"there is no option {option}: " in ended.err
    assert f"set {setting}" in ended.err
    assert "AAOther" not in ended.err


_LONG = "a" * 300


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("monitor", "--once", "--state", _LONG), 78),
        (("monitor", "--once", "--log-file", _LONG), 1),
        (("check-state", _LONG), 78),
        (("check-state", "whole.db", "--salvage-into", _LONG), 78),
        (("outbox", "list", "--state", _LONG), 78),
        (("dead-letters", "list", "--state", _LONG), 78),
        (("webhook", "set", "https://x/", "--certificate", _LONG), 2),
        (("send", "--file", _LONG), 2),
        (("download", "x", _LONG), 2),
        (("download", ""), 2),
    ],
    ids=lambda value: value[0] + value[-1][:3] if isinstance(value, tuple) else None,
)
def test_a_name_that_no_file_can_have_is_no_mistake_of_the_program(command: Command, server: BotApiServer, argv: tuple[str, ...], code: int) -> None:
    """A file name that is too long, or an empty id, is told as what it is, and the exit code is that of a missing file."""
    with open_store("whole.db", 1):
        pass
    ended = command(*argv)
    assert "a mistake in the program" not in ended.err
    assert ended.code == code, ended.err


@pytest.mark.parametrize("argv", [("webhook", "set", "https://x/\udcb0"), ("send", "hi", "--button", "A=https://x/\udcf2"), ("send", "\udcff")])
def test_an_argument_that_is_no_utf8_is_a_wrong_command_line(command: Command, server: BotApiServer, argv: tuple[str, ...]) -> None:
    """What cannot be sent as text is a mistake of the command line, and none of the program."""
    ended = command(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert "a mistake in the program" not in ended.err
    assert server.count("sendMessage") + server.count("setWebhook") == 0


def test_version(command: Command) -> None:
    """--version prints the program's name and version."""
    ended = command("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"syncbot {version('syncbot')}\n", "")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_with_examples(command: Command, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command explains itself, with an example, in whole sentences on a terminal as wide as most, and --help needs no settings."""
    monkeypatch.setenv("COLUMNS", "80")
    ended = command(name, "--help")
    assert ended.code == 0
    assert f"syncbot {name}" in ended.out
    assert "Example" in ended.out
    assert ended.err == ""
    assert "..." not in ended.out.replace("]...", ""), "a sentence about one of its commands is too long for its line"


def test_help_lists_every_command(command: Command) -> None:
    """The help of the program names all its commands and its exit codes."""
    ended = command("--help")
    assert ended.code == 0
    assert all(name in ended.out for name in COMMANDS)
    assert all(code in ended.out for code in ("75", "76", "77", "78"))


@pytest.mark.parametrize("environ", [{}, {"_SYNCBOT_COMPLETE": "bash_complete", "COMP_WORDS": "syncbot ", "COMP_CWORD": "1"}], ids=["help", "completion"])
def test_the_list_of_commands_loads_none(environment: dict[str, str], environ: dict[str, str]) -> None:
    """Neither the help of the program nor a shell that asks which commands there are loads one of their modules, and each is listed with a sentence."""
    program = [sys.executable, "-X", "importtime", "-m", "syncbot.cli", "--help"]
    ended = subprocess.run(program, env=environment | environ, capture_output=True, text=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert all(name in ended.stdout for name in COMMANDS)
    assert all(does.endswith(".") for _, does in COMMANDS.values())
    assert "syncbot.cli.console.frame" in loaded
    assert {f"syncbot.cli.{module}" for module, _ in COMMANDS.values()}.isdisjoint(loaded)


def test_no_command_shows_help(command: Command) -> None:
    """Without a command the help is shown, and the exit code says that nothing was done."""
    ended = command()
    assert ended.code == 2
    assert "Usage" in ended.out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("sned", "x"), "there is no command 'sned'; did you mean 'send'?"),
        (("send", "--chta", "1", "x"), "--chta"),
        (("send", "--timeout", "soon", "x"), "'soon' is not a number of seconds"),
        (("send", "--chat", "nobody", "x"), "'nobody' is neither the id of a chat"),
        (("send", "one", "two"), "two"),
        (("outbox",), "Missing command"),
        (("dead-letters", "lst"), "list"),
    ],
)
def test_wrong_command_line(command: Command, argv: tuple[str, ...], words: str) -> None:
    """A wrong command line ends with 2 and one line that says what is wrong and where help is."""
    ended = command(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "--help" in ended.err
    assert ended.err.count("\n") == 1


def test_env_file_before_and_after_the_command(command: Command, server: BotApiServer, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """--env-file may stand before or after the name of the command."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    with open("bot.env", "w") as file:
        file.write(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\n")
    assert command("--env-file", "bot.env", "send", "before").code == 0
    assert command("send", "--env-file", "bot.env", "after").code == 0
    assert [message.text for message in server.sent] == ["before", "after"]


def test_missing_env_file(command: Command) -> None:
    """An env file that was named and is not there is a wrong configuration."""
    ended = command("send", "--env-file", "no.env", "x")
    assert ended.code == 78
    assert "no.env cannot be read" in ended.err


def test_a_mistake_in_the_program_is_one_line(command: Command, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception ends with 1 and one line, without a traceback; --debug shows it, without the token."""

    class Broken:
        def isatty(self) -> bool:
            raise RuntimeError(f"no such luck with bot{TEST_TOKEN}")

    def broken(*argv: str) -> tuple[int, str]:
        errors = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", Broken())
            patch.setattr(sys, "stderr", errors)
            return run(argv), errors.getvalue()

    code, err = broken("send")
    assert code == 1
    assert err.count("\n") == 1
    assert "RuntimeError" in err
    code, err = broken("send", "--debug")
    assert code == 1
    assert "Traceback" in err
    assert TEST_TOKEN not in err


def test_debug_logs_without_the_token(process: Command, user: User) -> None:
    """--debug and SYNCBOT_LOG_LEVEL=DEBUG show what happens, and never the token."""
    for ended in (process("send", "--debug", "x"), process("send", "x", SYNCBOT_LOG_LEVEL="DEBUG")):
        assert ended.code == 0
        assert "DEBUG" in ended.err
        assert TEST_TOKEN not in ended.err
    assert process("send", "x").err == ""


def test_interrupt(server: BotApiServer, user: User, environment: dict[str, str], terminal: Callable[..., Any]) -> None:
    """Ctrl-C ends a command that waits for Telegram at once, with 130, one line and no traceback."""
    server.script("sendMessage", Answer.never())
    running = terminal("send", "x")
    server.wait_count("sendMessage", 1, timeout=30.0)
    running.type("\x03")
    assert running.wait() == 130
    assert "syncbot: interrupted" in running.screen
    assert "Traceback" not in running.screen


HALF_MADE = """
import os, signal, sys
from syncbot.cli import main

class Half:
    def __del__(self):
        raise AttributeError("half made")

class Input:
    buffer = property(lambda self: self)

    def isatty(self):
        return False

    def read(self, size):
        half = Half()
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            half.there = True

sys.stdin = Input()
main()
"""


def test_interrupt_in_the_middle(environment: dict[str, str]) -> None:
    """Where Ctrl-C leaves an object half made, nothing is heard of that either."""
    ended = subprocess.run([sys.executable, "-c", HALF_MADE, "send"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (130, "syncbot: interrupted\n")


IN_A_DESTRUCTOR = HALF_MADE.replace('raise AttributeError("half made")', "os.kill(os.getpid(), signal.SIGINT)").replace(
    """        half = Half()
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            half.there = True
""",
    """        half = Half()
        del half
        signal.alarm(20)  # who waits for ever is ended
        while True:
            pass
""",
)


def test_interrupt_in_a_destructor(environment: dict[str, str]) -> None:
    """Ctrl-C that strikes where Python drops what is raised is not lost."""
    ended = subprocess.run([sys.executable, "-c", IN_A_DESTRUCTOR, "send"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (130, "syncbot: interrupted\n")


def test_reader_that_goes_away(environment: dict[str, str], user: User) -> None:
    """Output that nobody reads any more is no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run(
            [sys.executable, "-c", "from syncbot.cli import main; main()", "send", "--json", "x"], stdout=gone, stderr=subprocess.PIPE, timeout=60
        )
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_full_disk(environment: dict[str, str], user: User) -> None:
    """Output that does not fit on its disk is one line, and not a success."""
    with open("/dev/full", "wb") as full:
        program = [sys.executable, "-c", "from syncbot.cli import main; main()", "send", "--json", "x"]
        ended = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert ended.returncode == 141
    assert ended.stderr.startswith(b"syncbot: standard output cannot be written: No space left")


def test_closed_streams(environment: dict[str, str], user: User, server: BotApiServer) -> None:
    """With all three standard streams closed, as some daemons have it, a message is sent all the same."""
    script = f'"{sys.executable}" -c "from syncbot.cli import main; main()" send text <&- >&- 2>&-'
    assert subprocess.run(["/bin/sh", "-c", script], timeout=60).returncode == 0
    assert server.count_text("text") == 1


def test_as_a_module(environment: dict[str, str]) -> None:
    """`python -m syncbot.cli` is the same program."""
    ended = subprocess.run([sys.executable, "-m", "syncbot.cli", "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == f"syncbot {version('syncbot')}\n"


def test_commands_are_modules_of_the_package() -> None:
    """Each command of the table is a module with a `command`."""
    for name, (module, _) in COMMANDS.items():
        assert import_module(f"syncbot.cli.{module}").command.name == name


@pytest.mark.parametrize("argv", [("--help",), ("send", "--help"), ()])
def test_help_into_a_closed_pipe(environment: dict[str, str], argv: tuple[str, ...]) -> None:
    """Help whose reader has gone away ends without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-c", "from syncbot.cli import main; main()", *argv], stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize(("words", "number", "expected"), [("syncbot dead", "1", "dead-letters"), ("syncbot send --no-p", "2", "--no-preview")])
def test_a_shell_completes_a_command_line(process: Command, words: str, number: str, expected: str) -> None:
    """What a shell asks by click's variable is answered: commands, and the options of each."""
    ended = process(_SYNCBOT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=number)
    assert (ended.code, ended.err) == (0, "")
    assert expected in ended.out


def test_the_script_for_the_shell(command: Command, terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """syncbot completion prints the script for a shell, for one's own without a name, and on a terminal where to put it."""
    for shell in ("bash", "zsh", "fish"):
        ended = command("completion", shell)
        assert (ended.code, ended.err) == (0, "")
        assert f"_SYNCBOT_COMPLETE={shell}_complete" in ended.out
    monkeypatch.setenv("SHELL", "/bin/zsh")
    assert command("completion").out == command("completion", "zsh").out
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert command("completion").code == 2
    running = terminal("completion", "bash")
    assert running.wait() == 0
    assert "~/.bashrc" in running.screen
