"""The programs in tests/compat/programs, started as their users start them, or in a moment, by a process that has loaded everything already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from kits import fork_kit
from kits.ptb13.conversations import CONVERSATIONS
from kits.timing_kit import becomes
from syncbot.testing import TEST_TOKEN, BotApiServer

FOLDER = Path(__file__).parents[2] / "compat" / "programs"
STOP_SECONDS = 30.0


class Process(Protocol):
    """A program that runs, or has run."""

    @property
    def pid(self) -> int:
        """The process's id."""

    def poll(self) -> int | None:
        """How it has ended; None while it runs."""

    def terminate(self) -> None:
        """Send it a SIGTERM."""

    def kill(self) -> None:
        """End it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired where it does not come."""


Begin = Callable[[Path, Path, Mapping[str, str]], Process]
"""Starts a program: its file, the folder where it is started, its environment."""


def by_command(*command: str) -> Begin:
    """Start a program by a command, to which its file is put."""

    def begin(file: Path, folder: Path, env: Mapping[str, str]) -> Process:
        with open(folder / "output", "ab") as output:
            return subprocess.Popen([*command, str(file)], cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    return begin


def catches(process: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{process}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (number - 1) & 1)


class Starter:
    """Starts programs in a moment; it is a `Begin`."""

    def __init__(self) -> None:
        self._starter = fork_kit.Starter(*fork_kit.LOADED, "kits.ptb13.starting", options=["-W", "ignore"])

    def __call__(self, file: Path, folder: Path, env: Mapping[str, str]) -> Process:
        """Start a program."""
        with open(os.devnull, "rb") as nothing, open(folder / "output", "ab") as output:
            streams = (nothing.fileno(), output.fileno(), output.fileno())
            return self._starter.run("kits.ptb13.starting:main", [str(file)], streams, cwd=folder, env=env)

    def ask(self, module: str, *arguments: str) -> Any:
        """Run a module of this folder under syncbot's classes; returns what it has printed, as JSON."""
        code, out, err = self._starter.outcome("kits.ptb13.starting:module", [module, *arguments], timeout=120.0)
        assert code == 0, err.decode()
        return json.loads(out)

    def close(self) -> None:
        """End it, after its programs."""
        self._starter.close()


class Program:
    """One of the programs, which runs.

    Args:
        begin: starts it.
        file: its file.
        folder: where it is started.
        env: its environment.
    """

    def __init__(self, begin: Begin, file: Path, folder: Path, env: Mapping[str, str]) -> None:
        self._start = lambda: begin(file, folder, env)
        self._output = folder / "output"
        self._has_idle = "idle()" in file.read_text(encoding="utf-8")
        self._process = self._start()

    def stop(self) -> int:
        """Stop it as a service manager does, once it is in idle(), and return how it has ended."""
        assert becomes(lambda: not self._has_idle or self.has_ended or catches(self._process.pid, signal.SIGTERM)), self.output
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Stop it, and start it again."""
        self.stop()
        self._process = self._start()

    @property
    def has_ended(self) -> bool:
        """Whether it does not run any more."""
        return self._process.poll() is not None

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")


def await_start(server: BotApiServer, program: Program) -> None:
    """Wait until it polls.

    Raises:
        AssertionError: it has ended before.
    """
    for _ in range(600):
        assert not program.has_ended, "the program has ended"
        with suppress(TimeoutError):
            server.wait_polled(0.1)
            return


@contextmanager
def running(name: str, server: BotApiServer, begin: Begin, folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run one of the programs, hold its conversation with it, and hand it over; it is killed at the end, where it was not stopped."""
    ann = server.user(first_name="Ann")
    usual = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    facts = {
        "TOKEN": TEST_TOKEN,
        "BASE_URL": f"{server.url}/bot",
        "BASE_FILE_URL": f"{server.url}/file/bot",
        "DEVELOPER": str(ann.id),
        "PYTHONWARNINGS": "ignore",
    }
    program = Program(begin, FOLDER / f"{name}.py", folder, {**usual, **facts, **(env or {})})
    try:
        try:
            await_start(server, program)
            CONVERSATIONS[name](server, ann, program.restart)
        except (AssertionError, TimeoutError, LookupError) as problem:
            raise AssertionError(f"{problem}\n--- the program printed:\n{program.output}") from problem
        yield program
    finally:
        program.kill()
