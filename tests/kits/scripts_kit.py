"""A checkout to try scripts in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncbot.config import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))
"""The interpreter that the tests' virtual environment was made from: it has no syncbot."""


@dataclass(frozen=True)
class Checkout:
    """A checkout, and the environment in which its scripts are run."""

    folder: Path
    environment: dict[str, str]

    def start(self, *command: str, python: str = sys.executable, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a script; one in Python runs in `python`."""
        head, *rest = command
        script = [str(self.folder / "scripts" / head), *rest]
        return subprocess.Popen(
            [python, *script] if head.endswith(".py") else script,
            cwd=cwd or self.folder,
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *command: str, stdin: str = "", python: str = sys.executable, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        head, *rest = command
        script = [str(self.folder / "scripts" / head), *rest]
        return subprocess.run(
            [python, *script] if head.endswith(".py") else script,
            cwd=cwd or self.folder,
            env={**self.environment, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
        )


def make_checkout(parent: Path) -> Checkout:
    """A copy of the scripts, with the tests' own Python as its virtual environment."""
    folder, home = parent / "a check'out", parent / "home"
    home.mkdir()
    for name in ("scripts", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, start in {"python": "", "syncbot": " -c 'from syncbot.cli import main; main()'"}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{start} "$@"\n')
        (programs / name).chmod(0o755)
    stamp = hashlib.sha256((folder / "pyproject.toml").read_bytes()).hexdigest() + f" {sys.version}"
    for extra in ("testing", "test", "dev"):
        (folder / ".venv" / f".syncbot-{extra}").write_text(stamp)
    settings = {name for setting in SETTINGS for name in setting.spellings}
    kept = {name: value for name, value in os.environ.items() if name not in settings and not name.startswith(("XDG_", "VENV"))}
    return Checkout(folder, kept | {"HOME": str(home), "PYTHON": sys.executable})
