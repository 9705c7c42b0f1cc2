"""Programs that begin in a moment: a process that has loaded what they need forks for each of them, where Python would load it anew."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any

TESTS = Path(__file__).parents[1]
LOADED = (
    "syncbot.client.api.signatures",
    "syncbot.client.plain_bot",
    "syncbot.client.ptb.decode",
    "syncbot.client.uploads",
    "syncbot.runtime.outbox.deliverer",
    "syncbot.runtime.outbox.outbox",
    "syncbot.runtime.runtime",
    "syncbot.runtime.state_file",
    "syncbot.storage.memory.store",
    "syncbot.storage.sqlite.store",
    "syncbot.transport.http",
    "syncbot.transport.oneshot",
    "syncbot.transport.ways",
    "tenacity",
)
"""What a bot loads as it begins and with its first calls."""
_BEGIN = f"import sys; sys.path.insert(0, {str(TESTS)!r}); from kits import fork_kit; sys.path.remove({str(TESTS)!r}); fork_kit.serve(sys.argv[1:])"


# ── the test's side ──────────────────────────────────────────────────────────────────────────────────────────────────


class Forked:
    """A program that was forked by a `Starter`: what the tests use of `subprocess.Popen`."""

    def __init__(self, starter: Starter, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None
        self._starter = starter
        self._handle = os.pidfd_open(pid)
        self._lock = threading.Lock()

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close_pipes()
        self.wait()

    def poll(self) -> int | None:
        """How it has ended; None while it runs."""
        with self._lock:  # of several threads one asks for it
            if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
                self.returncode = self._starter.ask({"wait": self.pid})
                os.close(self._handle)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired where it does not come."""
        if self.returncode is None:
            select.select([self._handle], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("a program", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read what it writes until its end."""
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(lambda stream: stream.read() if stream is not None and not stream.closed else "", (self.stdout, self.stderr))
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            out, err = found
        self.close_pipes()
        return out, err

    def close_pipes(self) -> None:
        """Close this side's ends of its pipes."""
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def terminate(self) -> None:
        """Send it a SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


class Starter:
    """A process that has loaded modules, and forks for each program.

    Args:
        modules: what is loaded.
        options: Python's own.
    """

    def __init__(self, *modules: str, options: Sequence[str] = ()) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, *options, "-c", _BEGIN, *modules], stdin=theirs.fileno())
        self._lock = threading.Lock()
        self._answer()

    def run(
        self,
        function: str,
        argv: Sequence[str],
        streams: Sequence[int],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
    ) -> Forked:
        """Start a program.

        Args:
            function: what is called in it: "module:name"; it is its exit code, where it returns one.
            argv: its `sys.argv`.
            streams: the descriptors of its standard input, output and error; they stay the caller's.
            cwd: where it is started; here by default.
            env: its environment; this process's by default.
            terminal: its standard input is a terminal, which it takes as its own, in a session of its own.
        """
        order = {
            "function": function,
            "argv": list(argv),
            "cwd": str(cwd or os.getcwd()),
            "env": dict(os.environ if env is None else env),
            "terminal": terminal,
        }
        return Forked(self, self.ask(order, streams))

    def start(self, function: str, argv: Sequence[str], *, stdin: int = subprocess.DEVNULL, env: Mapping[str, str] | None = None) -> Forked:
        """Start a program whose output and errors, and input with PIPE, are read and written as text."""
        ends = [os.pipe() for _ in range(3)]
        if stdin != subprocess.PIPE:
            os.close(ends[0][0])
            os.close(ends[0][1])
            ends[0] = (os.open(os.devnull, os.O_RDONLY), -1)
        theirs = (ends[0][0], ends[1][1], ends[2][1])
        try:
            process = self.run(function, argv, theirs, env=env)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        process.stdin = os.fdopen(ends[0][1], "w", encoding="utf-8") if stdin == subprocess.PIPE else None
        process.stdout, process.stderr = (os.fdopen(reader, encoding="utf-8") for reader, _ in ends[1:])
        return process

    def outcome(
        self,
        function: str,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 90.0,
    ) -> tuple[int, bytes, bytes]:
        """Run a program to its end; how it has ended, and what it has written to its output and to its errors."""
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            process = self.run(function, argv, [file.fileno() for file in (given, out, err)], cwd=cwd, env=env)
            try:
                code = process.wait(timeout)
            finally:
                process.kill()
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def ask(self, order: Mapping[str, Any], streams: Sequence[int] = ()) -> int:
        """Give an order."""
        with self._lock:
            socket.send_fds(self._orders, [json.dumps(order).encode()], list(streams))
            return self._answer()

    def close(self) -> None:
        """End it, after its programs."""
        self._orders.close()
        self._process.wait(30)

    def _answer(self) -> int:
        answer = self._orders.recv(100)
        assert answer, "the starter has ended"
        return int(answer)


# ── its own side ─────────────────────────────────────────────────────────────────────────────────────────────────────


def serve(modules: Sequence[str]) -> None:
    """Obey what comes on standard input: {"function": …} forks, and says the process's id; {"wait": id} says how it has ended."""
    for name in modules:
        importlib.import_module(name)
    gc.freeze()  # what is loaded is the programs' too, and stays in the same memory as long as nobody looks through it
    with socket.socket(fileno=os.dup(0)) as orders:
        orders.send(b"0")
        order, streams = _obey(orders)
    if order:
        _become(order, streams)


def _obey(orders: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Fork for each order; in a fork, what is to be run, and with which descriptors; nothing when the other end is closed."""
    while True:
        text, streams, *_ = socket.recv_fds(orders, 1 << 20, 3)
        if not text:
            return {}, []
        order = json.loads(text)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        elif (answer := os.fork()) == 0:
            return dict(order), list(streams)
        for stream in streams:
            os.close(stream)
        orders.send(str(answer).encode())


def _become(order: dict[str, Any], streams: list[int]) -> None:
    """Be the program, as Python begins one."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if order["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # they are closed as Python closes them, at the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # the same
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115  # the same
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module, _, name = order["function"].partition(":")
    sys.argv = order["argv"]
    sys.orig_argv[:] = [sys.executable, "-c", f"from {module} import {name}; {name}()", *sys.argv[1:]]  # so it can start itself anew
    sys.exit(getattr(importlib.import_module(module), name)())


def text() -> None:
    """Be the program whose text is `sys.argv[1]`, as `python -c` is."""
    exec(sys.argv.pop(1), vars(sys.modules["__main__"]))
