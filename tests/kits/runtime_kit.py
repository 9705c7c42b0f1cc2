"""A bot that runs against the built-in server, and what the tests of the runtime share."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from kits.fork_kit import LOADED, Starter
from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.runtime.runtime import Runtime
from syncbot.testing import BotApiServer

JSON = dict[str, Any]
SECONDS = 40.0
"""How long a test waits for what must come."""
CALL_SECONDS = 10.0
"""How long a bot of a test waits for an answer: longer than a busy machine may hold up the server that gives it."""


def make_bot(server: BotApiServer, **options: Any) -> Bot:
    """A bot of a server, without rate limits."""
    settings: JSON = {"base_url": server.url, "limits": None, "timeout": CALL_SECONDS, "deadline": 3 * CALL_SECONDS, "retry": RetryPolicy(first_wait=0.05)}
    if server.tls:
        settings["ca_file"] = server.ca_file
    return Bot(server.token, **(settings | {"proxies": ["direct"]} | options))


def becomes(condition: Callable[[], object], seconds: float = SECONDS) -> bool:
    """Whether something that nobody announces gets true within a time."""
    nobody = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return True
        nobody.wait(0.01)
    return bool(condition())


def own_threads() -> list[str]:
    """The names of the runtime's threads that live now."""
    ours = ("syncbot-supervisor", "syncbot-poller", "syncbot-news", "syncbot-feeder", "syncbot-worker", "syncbot-jobs")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


class Seen:
    """What handlers have seen, and waits for it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        """Note it."""
        with self.changed:
            self.texts.append(text)
            self.changed.notify_all()

    def wait(self, *texts: str, seconds: float = SECONDS) -> None:
        """Wait until all of these were seen."""
        with self.changed:
            assert self.changed.wait_for(lambda: set(texts) <= set(self.texts), seconds), (
                f"{set(texts) - set(self.texts)} did not come; seen: {self.texts[-20:]}"
            )

    def wait_number(self, number: int, seconds: float = SECONDS) -> None:
        """Wait until so many were seen."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.texts) >= number, seconds), f"{len(self.texts)} of {number} came"


class Records(logging.Handler):
    """Keeps the texts of log records, and waits for them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.changed = threading.Condition()
        self.found: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        with self.changed:
            self.found.append((record.levelname, record.getMessage()))
            self.changed.notify_all()

    def count(self, part: str, level: str = "") -> int:
        """How many records hold this text."""
        with self.changed:
            return sum(part in text and level in ("", name) for name, text in self.found)

    def wait(self, part: str, seconds: float = SECONDS) -> None:
        """Wait for a record that holds this text."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(part in text for _, text in self.found), seconds), f"{part!r} was not logged: {self.found[-20:]}"


class EndsMeanwhile(threading.Event):
    """In the place of a session's `done`: the session ends right after somebody has seen that it goes on."""

    looks = 0

    def is_set(self) -> bool:
        """False once, then True."""
        self.looks += 1
        return self.looks > 1


@contextmanager
def logged(name: str = "syncbot") -> Iterator[Records]:
    """All that is logged meanwhile, from DEBUG on."""
    records, logger = Records(), logging.getLogger(name)
    level = logger.level
    logger.addHandler(records)
    logger.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        logger.removeHandler(records)
        logger.setLevel(level)


@contextmanager
def running(app: Runtime) -> Iterator[Runtime]:
    """A runtime that runs meanwhile."""
    app.start()
    try:
        yield app
    finally:
        app.stop()


@cache
def starter() -> Starter:
    """What starts the programs of all tests of this process: it has loaded what a bot loads."""
    made = Starter(*LOADED)
    atexit.register(made.close)
    return made


class Process:
    """A Python program of its own, forked from one that has loaded what a bot loads, and killed at the end at the latest.

    Args:
        source: its text.
        arguments: what it finds in sys.argv[1:].
        environment: added to the environment.
    """

    def __init__(self, source: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        known = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
        self.process = starter().start("kits.fork_kit:text", ["-c", source, *arguments], stdin=subprocess.PIPE, env=known | (environment or {}))

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):  # what could not be written any more
                _stream(stream).close()

    def kill(self) -> None:
        """End it at once, where it has not ended."""
        self.process.kill()
        self.process.wait()

    def line(self) -> str:
        """The next line that it prints; "" at its end."""
        return _stream(self.process.stdout).readline().strip()

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        stdin = _stream(self.process.stdin)
        stdin.write(line + "\n")
        stdin.flush()

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = SECONDS) -> tuple[int, str, str]:
        """Wait for its end; its exit code, and what it has printed on both ways."""
        _stream(self.process.stdin).close()
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


PROGRAM = """
import os, sys, threading
from syncbot.client.bot import Bot
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.handling import filters
URL, TOKEN, STATE = sys.argv[1:4]
bot = Bot(TOKEN, base_url=URL, proxies=["direct"], limits=None, timeout=10.0)
def say(*words):
    print(*words, flush=True)
"""
"""The beginning of a program that runs a bot; its arguments are `program_arguments`."""


def program_arguments(server: BotApiServer, state: Path | str) -> Sequence[str]:
    """What `PROGRAM` wants to be told."""
    return (server.url, server.token, str(state))
