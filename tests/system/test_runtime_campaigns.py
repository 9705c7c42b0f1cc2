"""A slice of each of the runtime's campaigns; `scripts/campaigns/` runs them at any length."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = Path(__file__).resolve().parents[2] / "scripts" / "campaigns"


@pytest.mark.timeout(320)
@pytest.mark.parametrize(
    "command",
    [
        ["campaign_kill.py", "--rounds", "6", "--updates", "300"],
        ["campaign_backlog.py", "--updates", "2000", "--chats", "20"],
        ["campaign_idle.py", "--limit", "4", "--seconds", "8", "--bots", "8"],
        ["campaign_threads.py", "--rounds", "9", "--seed", "1"],
    ],
    ids=lambda command: command[0],
)
def test_a_slice_of_the_campaign(command: list[str]) -> None:
    """It ends with "ok": what it looks for is said in its first lines."""
    done = _run(command, 300.0)
    for _ in range(2):  # a machine that stands still for a second makes a poll as long as the limit that was learned
        if command[0] == "campaign_idle.py" and done.returncode != 0:
            done = _run(command, 60.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.timeout(320)
def test_half_a_minute_of_the_soak() -> None:
    """Half a minute of everything that goes wrong at once: alive at the end, nothing lost, nothing grown."""
    done = _run(["soak.py", "0.5"], 300.0)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return subprocess.run([sys.executable, str(CAMPAIGNS / command[0]), *command[1:]], capture_output=True, text=True, timeout=seconds, env=known)
