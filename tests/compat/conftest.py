"""Programs of python-telegram-bot 13, and the server that they talk to."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.ptb13.programs import Starter, by_command
from kits.ptb13.running import HEAD, TAIL, Program, Run

from syncbot.testing import TEST_TOKEN, BotApiServer


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """What starts most of the programs."""
    starter = Starter()
    yield starter
    starter.close()


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server without TLS, and without its rates."""
    with BotApiServer(any_chat=True) as server:
        yield server


@pytest.fixture
def run(server: BotApiServer, tmp_path: Path, starter: Starter) -> Iterator[Run]:
    """Starts a program, as `python -m syncbot.compat.ptb13` does; with a command, by that."""
    started: list[Program] = []
    usual = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}

    def start(body: str, *command: str, head: str = HEAD, tail: str = TAIL, polls: bool = True, **environment: str) -> Program:
        (tmp_path / "bot.py").write_text(head + textwrap.dedent(body) + tail)
        told = {"TOKEN": TEST_TOKEN, "BASE": f"{server.url}/bot", "PYTHONWARNINGS": "ignore", **environment}
        begin = by_command(*command) if command else starter
        program = Program(begin(tmp_path / "bot.py" if not command else Path("bot.py"), tmp_path, usual | told), tmp_path)
        started.append(program)
        if polls:
            try:
                server.wait_polled(60.0)
            except TimeoutError as problem:
                raise AssertionError(program.output) from problem
        return program

    yield start
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()
