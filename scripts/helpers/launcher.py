"""The second half of launch.sh: runs a bot, starts it anew when it fails, and keeps what it writes in a log of limited size."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO

from syncbot.regular import private

ROOT = Path(__file__).resolve().parents[2]
ENDS = {0, 2, 77, 78, 130}
"""Exit codes after which a new start would change nothing: it ended well, or somebody has to act."""
_LAST_LINES_SECONDS = 2.0


class Log:
    """A file that becomes FILE.1 when it is full; what is written is shown on standard error too.

    Args:
        path: the file.
        max_bytes: when it is full.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file = _opened(path)

    def write(self, line: bytes) -> None:
        """Write a line. A full disk loses it, which is no reason for the bot to end."""
        try:
            if self._file.tell() >= self._max_bytes:
                self._file.close()
                os.replace(self._path, f"{self._path}.1")
                self._file = _opened(self._path)
            self._file.write(line)
            self._file.flush()
        except (OSError, ValueError):
            self._reopen()
        with contextlib.suppress(OSError):  # nobody reads it any more
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()

    def say(self, text: str) -> None:
        """Write a line of our own."""
        self.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} launch.sh: {text}\n".encode())

    def _reopen(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._file = _opened(self._path)


def _opened(path: Path) -> IO[bytes]:
    return open(path, "ab", opener=private)


class Launcher:
    """Runs a command until it ends for good or somebody stops it.

    Args:
        command: what to run.
        log: takes what it writes.
        first_wait: seconds before the first new start; doubled each time.
        longest_wait: seconds that such a wait has at most; a bot that ran longer than this has proved itself, and the next wait is the first again.
    """

    def __init__(self, command: list[str], log: Log, first_wait: float, longest_wait: float) -> None:
        self._command = command
        self._log = log
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Run, and run again; returns the last exit code, 0 where somebody stopped it and it ended well."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        wait = self._first_wait
        while True:
            began = time.monotonic()
            code = self._once()
            if self._stopping.is_set() or code in ENDS:
                self._log.say(f"the bot ended with exit code {code}")
                return code
            if time.monotonic() - began > self._longest_wait:
                wait = self._first_wait
            self._log.say(f"the bot ended with exit code {code}; it is started anew in {wait:g} s")
            if self._stopping.wait(wait):
                return code
            wait = min(wait * 2, self._longest_wait)

    def _once(self) -> int:
        # A process group of its own: Ctrl-C reaches the bot once, through us, and not a second time from the terminal.
        child = self._child = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0)
        if self._stopping.is_set():  # a signal came before there was somebody to hand it to
            child.terminate()
        copier = threading.Thread(target=self._copy, args=(child,), daemon=True)
        copier.start()
        code = child.wait()
        self._child = None
        copier.join(_LAST_LINES_SECONDS)  # not for ever: what the bot has started itself may hold on to its output
        return code if code >= 0 else 128 - code

    def _copy(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        with child.stdout as lines:
            for line in lines:
                self._log.write(line)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()
        child = self._child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)


def main() -> int:
    """Read the command line and run; 2 when it is wrong, 73 when the log cannot be opened."""
    parser = argparse.ArgumentParser(prog="launch.sh", description="Check the settings (--no-check: do not), then run a bot, anew when it fails.")
    parser.add_argument("--log", type=Path, default=Path("bot.log"), help="the log file (default: %(default)s)")
    parser.add_argument("--log-max-kb", type=int, default=1000, help="how large it may become; then it is renamed to FILE.1 (default: %(default)s)")
    parser.add_argument("--first-wait", type=float, default=1.0, help="seconds before the first new start, doubled each time (default: %(default)s)")
    parser.add_argument("--longest-wait", type=float, default=60.0, help="the longest such wait (default: %(default)s)")
    parser.add_argument("bot", nargs="?", default=str(ROOT / "examples" / "echo.py"), help="a script, or MODULE:APP (default: the echo bot)")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the bot")
    options = parser.parse_args()
    if options.bot.endswith(".py"):
        if not Path(options.bot).is_file():
            parser.error(f"there is no file {options.bot}")
        command = [sys.executable, str(ROOT / "scripts" / "helpers" / "run_script.py"), options.bot, *options.arguments]
    else:
        command = [sys.executable, "-m", "syncbot.cli", "run", options.bot, *options.arguments]
    try:
        log = Log(options.log, options.log_max_kb * 1000)
    except OSError as problem:
        print(f"launch.sh: the log {options.log} cannot be written: {problem.strerror}", file=sys.stderr)
        return 73
    return Launcher(command, log, options.first_wait, options.longest_wait).run()


if __name__ == "__main__":
    sys.exit(main())
