"""A short slice of scripts/campaigns/campaign_webhook.py: the process that handles is killed, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from kits.timing_kit import soon

CAMPAIGNS = Path(__file__).resolve().parents[2] / "scripts" / "campaigns"


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("campaign_webhook", CAMPAIGNS / "campaign_webhook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "campaign_webhook", module)  # dataclasses look their module up
    monkeypatch.syspath_prepend(str(CAMPAIGNS.parents[1]))
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("server", ["waitress", "gunicorn"])
def test_the_holder_is_killed_in_the_middle(campaign: ModuleType, server: str) -> None:
    """Of 600 updates on 16 connections each is handled, those in flight at the kill at most twice, each chat's in order; the rest go on in 5 s."""

    def run_once() -> float:
        outcome = campaign.campaign(server, 600, 16, kills=1)
        assert outcome.good, str(outcome)
        assert (outcome.answered, outcome.handled, outcome.lost, outcome.disorder) == (600, 600, [], [])
        assert outcome.twice <= campaign.WORKERS
        assert outcome.processes == 2
        return float(max(outcome.takeover_seconds))

    assert soon(5.0, run_once)
