"""Runs the campaigns as one would by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CAMPAIGNS = Path(__file__).resolve().parents[2] / "scripts" / "campaigns"


def run_campaign(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a program of scripts/campaigns to its end, without the proxies of the shell that runs the tests."""
    known = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return subprocess.run([sys.executable, str(CAMPAIGNS / command[0]), *command[1:]], capture_output=True, text=True, timeout=seconds, env=known)
