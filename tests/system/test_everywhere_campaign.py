"""Slices of scripts/campaigns/campaign_everywhere.py, which kills a bot at every step."""

from __future__ import annotations

import re

import pytest
from kits.campaigns_kit import run_campaign

_CAMPAIGN = "campaign_everywhere.py"


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize(
    "options",
    [
        ["--stride", "90"],
        ["--behind", "INSERT INTO outbox", "--last", "2", "--way", "webhook"],
        ["--behind", "INSERT INTO outbox", "--last", "2", "--way", "run_once", "--replies", "with the end"],
    ],
    ids=lambda options: " ".join(options),
)
def test_a_slice_of_the_campaign(options: list[str]) -> None:
    """It ends with "ok": no message is twice, lost or out of order, and nothing is left over."""
    done = run_campaign([_CAMPAIGN, *options], 300.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize(("part", "found"), [("result", r"[1-9]\d* messages twice"), ("end", "it is not over")], ids=["result", "end"])
def test_without_a_part_of_the_journal_it_fails(part: str, found: str) -> None:
    """The campaign notices that what came of a call is not written, or that the journal of an update stays."""
    done = run_campaign([_CAMPAIGN, "--way", "run_once", "--without", part, "--first", "70", "--last", "90", "--stride", "20", "--lives", "4"], 300.0)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(found, done.stdout)
    assert done.stdout.endswith("FAILED\n")
