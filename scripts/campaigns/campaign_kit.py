"""What the campaigns of the runtime and the webhook share: a bot in a process of its own, what it has noted, ports, waiting."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from syncbot.testing import BotApiServer


class BotDied(Exception):
    """The bot's process has ended by itself."""


class BotProcess:
    """`campaign_bot.py`, or another program that is told as much, in a process of its own; killed at the end at the latest.

    Args:
        server: whose bot it is.
        folder: where its state and its notes are kept.
        program: its file, in this folder.
        environment: added to the environment.
        options: further ones of the bot.
    """

    def __init__(
        self, server: BotApiServer, folder: Path, *, program: str = "campaign_bot.py", environment: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        self.state, self.notes, self.log = folder / "bot.db", folder / "notes.txt", folder / "log.txt"
        settings = {"url": server.url, "token": server.token, "state": str(self.state), "notes": str(self.notes), **options}
        if server.tls:
            settings["ca_file"] = server.ca_file
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name(program)), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | dict(environment or {}),
            )

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 20.0) -> int:
        """An orderly stop; returns the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def figures(self, wish: str = "") -> dict[str, Any]:
        """What it uses now, and how it is.

        Args:
            wish: what it is told with that.

        Raises:
            BotDied: it has ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{wish}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BotDied(f"the bot's process has ended with {self.process.wait(5.0)}")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nobody listens; whoever is told may listen on it, and meanwhile the system gives it to nobody else."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield int(sock.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def noted(file: Path) -> dict[int, list[str]]:
    """The texts that were noted, by chat, in order."""
    found: dict[int, list[str]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        chat, _, text = line.partition(" ")
        found[int(chat)].append(text)
    return found


def out_of_order(texts: list[str]) -> bool:
    """Whether numbers, each of which may come again right after itself (the handler was killed after it had noted it), do not ascend."""
    once = [text for n, text in enumerate(texts) if n == 0 or text != texts[n - 1]]
    return once != sorted(set(once), key=int)


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether something gets true within a time."""
    nobody, ends_at = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            return False
        nobody.wait(0.05)
    return True
