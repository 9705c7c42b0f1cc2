"""A short slice of scripts/campaigns/campaign_flood.py: strangers crowd the webhook, and good requests are answered as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from kits.timing_kit import soon

CAMPAIGNS = Path(__file__).resolve().parents[2] / "scripts" / "campaigns"


@pytest.mark.slow
@pytest.mark.timeout(320)
@pytest.mark.parametrize("way", ["waitress", pytest.param("nginx", marks=pytest.mark.programs("nginx"))])
def test_strangers_do_not_keep_good_requests_waiting(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """With 250 connections of strangers, more than there are places, each good request is answered within a second, and handled."""
    monkeypatch.syspath_prepend(str(CAMPAIGNS))
    from campaign_flood import PROMISED_SECONDS, flood

    def run_once() -> float:
        outcome = flood(way, 4.0, 250)
        assert outcome.strangers["most_open"] > 200, str(outcome)
        assert outcome.answered == outcome.handled > 0, str(outcome)
        assert not outcome.traceback, str(outcome)
        assert not outcome.stayed_too_long, str(outcome)
        return float(outcome.slowest)

    assert soon(PROMISED_SECONDS, run_once)
