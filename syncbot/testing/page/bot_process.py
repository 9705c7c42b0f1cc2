"""The bot that is tried, as a process: started, killed and started again, with what it prints and what its calls went through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from syncbot.config.table import TRIAL
from syncbot.testing.sandbox.sandbox import Sandbox
from syncbot.types import JSON

_SECONDS_TO_END = 10.0
_LINES_KEPT = 200


class BotProcess:
    """Runs a bot until `close`. Where it is killed by us it is started again at once; where it ends by itself it waits for `start`.

    Args:
        sandbox: where it lives.
        arguments: what it is: "bot.py" or "bot:app", and arguments of the script.
        on_change: told in a thread of the process when it has started or ended.
        on_attempt: told each attempt of each call: thread, method, proxy, outcome, seconds.
        console: where what the bot prints goes too; None for nowhere.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        arguments: Sequence[str],
        on_change: Callable[[], None],
        on_attempt: Callable[[JSON], None],
        console: TextIO | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._arguments = list(arguments)
        self._on_change = on_change
        self._on_attempt = on_attempt
        self._console = console
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closing = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="syncbot-tried-bot", daemon=True)
        self.lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self.exit_code: int | None = None
        self.kills = 0

    @property
    def is_running(self) -> bool:
        """Whether the bot runs now."""
        return self.process_id is not None

    @property
    def process_id(self) -> int | None:
        """The process that the bot is in; None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the bot, for the first time or again; nothing where it runs."""
        with self._lock:
            if not self._closing and not self._thread.is_alive():
                self._thread.start()
            if not self.is_running:
                self._wanted.set()

    def kill(self) -> bool:
        """End it as a power cut would, and start it again; whether it ran."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return False
            self.kills += 1
            self._wanted.set()
            process.kill()
            return True

    def close(self) -> None:
        """Ask it to end, and end it where it does not."""
        with self._lock:
            self._closing = True
            self._wanted.set()
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(_SECONDS_TO_END)  # what the bot has started may hold its output open

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            with self._lock:
                if self._closing:
                    return
                self._wanted.clear()
                read, write = os.pipe()
                command = [sys.executable, "-u", "-m", "syncbot.testing.page.child", str(write), *self._arguments]
                self._process = process = self._sandbox.start(command, {TRIAL: "1"}, pass_fds=(write,), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            os.close(write)
            self.exit_code = None
            self._on_change()
            attempts = threading.Thread(target=self._read_attempts, args=(read,), name="syncbot-tried-calls", daemon=True)
            attempts.start()
            self._read_lines(process)
            self.exit_code = process.wait()
            attempts.join()
            self._on_change()

    def _read_lines(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip("\n")
                self.lines.append(text)
                if self._console is not None:
                    print(text, file=self._console, flush=True)

    def _read_attempts(self, descriptor: int) -> None:
        with open(descriptor, encoding="ascii") as lines:
            for line in lines:
                with suppress(ValueError):  # cut off in the middle, when the bot was killed
                    self._on_attempt(json.loads(line))
