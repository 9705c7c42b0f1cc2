"""The same modules run under syncbot's classes, in a process of their own, since `install` changes telegram's types for a whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KITS = Path(__file__).parents[1]
RUN = "import runpy, sys; import syncbot.compat.ptb13.install; del sys.argv[0]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


def ask_ours(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a module of these kits under syncbot's classes; returns what it has printed, as JSON."""
    environment = {**os.environ, "PYTHONPATH": str(KITS), "PYTHONWARNINGS": "ignore", **(env or {})}
    ran = subprocess.run([sys.executable, "-c", RUN, module, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
