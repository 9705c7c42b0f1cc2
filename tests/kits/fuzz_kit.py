"""What the tests of the fuzzer share: its scripts as programs, since it takes signals and the interpreter's hooks for itself."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Value = TypeVar("_Value")

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = ("http", "connect", "socks", "envelope", "updates", "webhook", "heads", "auth", "envfile", "settings", "commands", "state", "partfile")


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/fuzz.py to its end."""
    return _run(str(ROOT / "scripts" / "fuzz.py"), *arguments)


def with_machinery(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that can import what scripts/fuzz.py is made of."""
    return _run("-c", f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n{program}", *arguments)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=200)


def wait_for(look: Callable[[], _Value]) -> _Value:
    """What a look finds, as soon as it is something."""
    deadline, pause = time.monotonic() + 60.0, threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline
        pause.wait(0.02)
    return found
