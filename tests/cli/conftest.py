"""What the tests of the command line share: a server, an environment of its own, and commands as real processes, in a pipe or in a terminal."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from kits.fork_kit import LOADED, Starter

from syncbot.cli import run
from syncbot.cli.console.frame import COMMANDS
from syncbot.testing import TEST_TOKEN, BotApiServer, User

_PROGRAM = [sys.executable, "-c", "from syncbot.cli import main; main()"]
_PYTHONS_OWN = ("PYTHON", "LC_", "LANG")
"""How the variables begin that Python reads as it begins."""


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """What starts most of the command lines: it has loaded what most of them need."""
    starter = Starter(*LOADED, "syncbot.client.ptb.shortcuts", *(f"syncbot.cli.{module}" for module, _ in COMMANDS.values()))
    yield starter
    starter.close()


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server without TLS."""
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture
def user(server: BotApiServer) -> User:
    """Somebody who has written to the bot before."""
    return server.user(1001, "Ann")


@pytest.fixture
def environment(server: BotApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the commands: our server, an empty home, an empty working folder."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if name.upper() in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY") or name == "NO_COLOR" or name.startswith(("SYNCBOT_", "XDG_", "LC_")):
            monkeypatch.delenv(name)
    values = {"HOME": str(home), "TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url, "SYNCBOT_CHAT": "1001", "TERM": "xterm"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return values


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def command(environment: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line in this process."""

    def run_here(*argv: str, stdin: bytes = b"") -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            capfd.readouterr()
            code = run(argv)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return run_here


@pytest.fixture
def process(environment: dict[str, str], starter: Starter) -> Command:
    """Runs a command line as a process of its own, without a terminal."""

    def run_there(*argv: str | bytes, stdin: bytes = b"", **extra: str) -> Ended:
        env = {**os.environ, **extra}
        if any(name.startswith(_PYTHONS_OWN) for name in extra):
            ended = subprocess.run([*_PROGRAM, *argv], input=stdin, capture_output=True, env=env, timeout=90)
            return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
        code, out, err = starter.outcome("syncbot.cli:main", ["-c", *map(os.fsdecode, argv)], stdin=stdin, env=env)
        return Ended(code, out.decode(), err.decode())

    return run_there


class Terminal:
    """A command line as a process in a pseudo-terminal; what it writes is read as it comes."""

    def __init__(self, starter: Starter, argv: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        self.process = starter.run("syncbot.cli:main", ["-c", *argv], [slave] * 3, terminal=True)
        os.close(slave)
        self.screen = ""

    def type(self, text: str) -> None:
        """Type on the keyboard; \\x03 is Ctrl-C and \\x04 Ctrl-D."""
        os.write(self._master, text.encode())

    def wait_for(self, text: str, *, times: int = 1, timeout: float = 40.0) -> None:
        """Read until the text stands on the screen so many times."""
        end = time.monotonic() + timeout
        while self.screen.count(text) < times:
            assert self._read(end), f"{text!r} did not appear in {self.screen!r}"

    def wait(self, timeout: float = 60.0) -> int:
        """Read to the end, and return the exit code."""
        end = time.monotonic() + timeout
        while self._read(end):
            pass
        return self.process.wait(timeout)

    def close(self) -> None:
        """End it, should it still run."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _read(self, end: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # EIO: nobody has the terminal open any more
            return False
        self.screen += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def terminal(environment: dict[str, str], starter: Starter) -> Iterator[Callable[..., Terminal]]:
    """Starts command lines in pseudo-terminals."""
    started: list[Terminal] = []

    def start(*argv: str) -> Terminal:
        started.append(Terminal(starter, argv))
        return started[-1]

    yield start
    for one in started:
        one.close()
