"""The programs in tests/compat/programs, started as their users start them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kits.ptb13.conversations import CONVERSATIONS
from syncbot.testing import TEST_TOKEN, BotApiServer

FOLDER = Path(__file__).parents[2] / "compat" / "programs"
OURS = (sys.executable, "-m", "syncbot.compat.ptb13")


class Program:
    """One of the programs, which runs.

    Args:
        name: which one.
        server: whom it talks to.
        command: what runs it: an interpreter, with what comes before the file.
        folder: where it is started.
        env: what it finds in its environment, beside the usual.
    """

    def __init__(self, name: str, server: BotApiServer, command: Sequence[str], folder: Path, env: Mapping[str, str], developer: int) -> None:
        self._command = [*command, str(FOLDER / f"{name}.py")]
        self._folder = folder
        self._environment = {
            **{key: value for key, value in os.environ.items() if "proxy" not in key.lower()},
            "TOKEN": TEST_TOKEN, "BASE_URL": f"{server.url}/bot", "DEVELOPER": str(developer), "PYTHONWARNINGS": "ignore",
            **env,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with open(self._folder / "output", "ab") as output:
            self._process = subprocess.Popen(self._command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def stop(self) -> int:
        """Stop it as a service manager does, and return how it has ended."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def restart(self) -> None:
        """Stop it, and start it again."""
        self.stop()
        self.start()

    @property
    def has_ended(self) -> bool:
        """Whether it does not run any more."""
        return self._process is None or self._process.poll() is not None

    @property
    def output(self) -> str:
        """What it has printed."""
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")


def await_start(server: BotApiServer, program: Program) -> None:
    """Wait until it polls, or has ended."""
    for _ in range(200):
        if program.has_ended:
            return
        with suppress(TimeoutError):
            server.wait_polled(0.1)
            return


@contextmanager
def running(name: str, server: BotApiServer, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run one of the programs, hold its conversation with it, and hand it over; it is stopped at the end, in peace or not."""
    ann = server.user(first_name="Ann")
    program = Program(name, server, command, folder, env or {}, ann.id)
    program.start()
    try:
        try:
            await_start(server, program)
            assert not program.has_ended, "the program has ended"
            CONVERSATIONS[name](server, ann, program.restart)
        except (AssertionError, TimeoutError, LookupError) as problem:
            raise AssertionError(f"{problem}\n--- the program printed:\n{program.output}") from problem
        yield program
    finally:
        program.stop()
