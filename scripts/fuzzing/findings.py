"""What counts as a finding, and the bounds that each input is held to."""

from __future__ import annotations

import contextlib
import gc
import html
import json
import logging
import os
import re
import resource
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import unquote

TOKEN = "123456789:AAFuzz-The_secret_part_of_a_token0"  # noqa: S105  # it protects nothing
PASSWORD = "pw-Of_the-fuzzed-proxy"  # noqa: S105  # the same
SECRETS = (TOKEN, PASSWORD)
"""What no text may hold, however it is escaped."""

_CPU_SECONDS = 5.0
_WALL_SECONDS = 60.0
"""A machine that is busy with other things holds an input up for long; what hangs, hangs for ever."""
_MEMORY_BYTES = 192 << 20
_WARM_INPUTS = 50
_SETTLE_SECONDS = 3.0


class Problem(Exception):
    """Raised by a target: a promise is not kept; the text says which."""


class Hang(BaseException):
    """Raised into an input that takes too long."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Args:
        where: the kind of trouble and its place; two findings with the same one are one.
        text: the error with its traceback, or what was measured.
        data: the input.
    """

    where: str
    text: str
    data: bytes

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self) | {"data": self.data.hex()})


class _Texts(logging.Handler):
    """Looks for secrets in every record, as a log file would have it; and for tracebacks that nobody expects."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(logging.DEBUG)
        self._guard = guard
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._guard.heard(self.format(record))
        if record.exc_info and record.exc_info[1] is not None and record.name not in self._guard.may_log_errors:
            self._guard.logged.append((record.name, record.exc_info[1]))


class Guard:
    """Runs inputs within bounds: time, memory, descriptors, threads, secrets.

    Args:
        spare: how many descriptors and threads more than after the first inputs may be in use, where a target has a server of its own.
        may_log_errors: loggers that may log an error with its traceback.
    """

    def __init__(self, spare: int = 0, may_log_errors: tuple[str, ...] = ()) -> None:
        self.outcomes: Counter[str] = Counter()
        self.may_log_errors = may_log_errors
        self.logged: list[tuple[str, BaseException]] = []
        self.inputs = 0
        self.slowest_seconds = 0.0
        self._heard: list[str] = []
        self._spare = spare
        self._handles = 0
        self._threads = 0
        self._peak_bytes = 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[Guard]:
        """Watch the log, and take the signals of the two clocks."""
        handler, root = _Texts(self), logging.getLogger()
        level, before = root.level, {number: signal.signal(number, _hang) for number in (signal.SIGPROF, signal.SIGALRM)}
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield self
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            for number, action in before.items():
                signal.signal(number, action)

    def heard(self, text: str) -> None:
        """Take a text that somebody could read: it must hold no secret."""
        self._heard.append(text)

    def failed(self, error: BaseException) -> None:
        """Take an error that was to be expected: it is counted, and its texts, with the whole chain, are looked through."""
        self.outcomes[type(error).__name__] += 1
        self.heard("".join(traceback.format_exception(error)))
        self.heard(repr(error) + str({name: value for name, value in vars(error).items() if name != "raw"}))  # that is what came, as it came

    def run(self, step: Any, data: bytes) -> Finding | None:
        """Run one input."""
        self._heard.clear()
        self.logged.clear()
        began, found = time.monotonic(), None
        try:
            with _clocks():
                step(data)
            self._look_around()
        except (Hang, Exception) as error:
            found = _finding(error, data)
        self.inputs += 1
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        return found

    def _look_around(self) -> None:
        for name, error in self.logged:
            raise Problem(f"{name} logged an error of the program") from error
        for text in self._heard:
            if any(secret in form for form in _forms(text) for secret in SECRETS):
                kind = re.match(r"\W*(\w*)", text)
                raise Problem(f"a secret stands in a text ({kind[1] if kind else ''}): {text[:2000]!r}")
        self._look_at_memory()
        if self.inputs < _WARM_INPUTS:
            self._handles, self._threads = max(self._handles, _handles()), max(self._threads, threading.active_count())
        elif self._left_over():
            self._settle()

    def _look_at_memory(self) -> None:
        peak_bytes = _peak_bytes()
        before, self._peak_bytes = self._peak_bytes, peak_bytes
        if before and peak_bytes - before > _MEMORY_BYTES:
            raise Problem(f"memory grew by {(peak_bytes - before) >> 20} MB")

    def _left_over(self) -> bool:
        return _handles() > self._handles + self._spare or threading.active_count() > self._threads + self._spare

    def _settle(self) -> None:
        gc.collect()
        deadline, pause = time.monotonic() + _SETTLE_SECONDS, threading.Event()
        while self._left_over():
            if time.monotonic() > deadline:
                text = f"descriptors {self._handles} → {_handles()}, threads {self._threads} → {threading.active_count()}: {threading.enumerate()}"
                self._handles, self._threads = _handles(), threading.active_count()
                raise Problem(f"something is left open: {text}")
            pause.wait(0.01)


@contextlib.contextmanager
def _clocks() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, _WALL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hang(number: int, _frame: FrameType | None) -> NoReturn:
    raise Hang(f"more than {_CPU_SECONDS:.0f} s of CPU" if number == signal.SIGPROF else f"more than {_WALL_SECONDS:.0f} s")


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def _forms(text: str) -> tuple[str, ...]:
    once = unquote(text)
    return text, once, unquote(once), html.unescape(text)


def _finding(error: BaseException, data: bytes) -> Finding:
    text = "".join(traceback.format_exception(error))[-6000:]
    cause = error.__cause__ if isinstance(error, Problem) else error
    words = re.sub(r"\d+", "0", str(error).partition(":")[0])[:80] if isinstance(error, Problem) else ""
    if cause is None:
        return Finding(words, text, data)
    frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if "/syncbot/" in frame.filename or "/fuzzing/" in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "a library"
    return Finding(f"{type(cause).__name__} in {place}" + (f" ({words})" if words else ""), text, data)


def _peak_bytes() -> int:
    """The most memory that this process has had; the system's own figure for it begins with that of the process it was started by."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
