"""A slice of each of the runtime's campaigns; `scripts/campaigns/` runs them at any length."""

from __future__ import annotations

import pytest
from kits.campaigns_kit import run_campaign


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize(
    "command",
    [
        ["campaign_kill.py", "--rounds", "6", "--updates", "300"],
        ["campaign_backlog.py", "--updates", "2000", "--chats", "20"],
        ["campaign_page.py", "--seconds", "3", "--fill", "40"],
        ["campaign_idle.py", "--limit", "4", "--seconds", "8", "--bots", "8"],
        ["campaign_threads.py", "--rounds", "9", "--seed", "1"],
    ],
    ids=lambda command: " ".join(command),
)
def test_a_slice_of_the_campaign(command: list[str]) -> None:
    """It ends with "ok": what it looks for is said in its first lines."""
    done = run_campaign(command, 300.0)
    for _ in range(2):  # a machine that stands still for a second makes a poll as long as the limit that was learned
        if command[0] == "campaign_idle.py" and done.returncode != 0:
            done = run_campaign(command, 60.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")
