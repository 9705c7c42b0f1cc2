"""The real python-telegram-bot 13.15, in an environment of its own on Python 3.11: what syncbot's classes of the same names are measured by."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kits.proxies_kit import program
from kits.scripts_kit import ROOT

VERSION = "13.15"
FOLDER = ROOT / ".venv-ptb13"
KITS = Path(__file__).parents[1]


def reference_python() -> str:
    """The Python that has it; made the first time, which takes pip half a minute."""
    python = FOLDER / "bin" / "python"
    made = FOLDER / f"made-{VERSION}"
    if not made.exists():
        with open(ROOT / ".venv-ptb13.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run tests
            if not made.exists():
                _run(program("python3.11"), "-m", "venv", "--clear", str(FOLDER))
                _run(str(python), "-m", "pip", "install", "-q", f"python-telegram-bot=={VERSION}")
                made.touch()
    return str(python)


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, f"{' '.join(command)}: {ran.stderr}"


def ask_reference(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a module of these kits under the reference; returns what it has printed, as JSON."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(KITS), "PYTHONWARNINGS": "ignore", **(env or {})}
    ran = subprocess.run([reference_python(), "-m", module, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
