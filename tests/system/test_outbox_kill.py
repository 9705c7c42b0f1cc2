"""A short slice of the campaign against those who deliver an outbox: scripts/campaigns/campaign_outbox.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from syncbot.testing import TestCA

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/campaigns/campaign_outbox.py"


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    """The script as a module."""
    found = importlib.util.spec_from_file_location("campaign_outbox", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["campaign_outbox"] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_kills_send_nothing_twice_and_lose_nothing(campaign: ModuleType, ca: TestCA, tmp_path: Path) -> None:
    """Two deliverers through a faulty proxy, killed again and again: each message once or uncertain, those in flight at most, in order per chat."""
    for number in range(3):  # on a busy machine all may be delivered before they are killed
        folder = tmp_path / str(number)
        folder.mkdir()
        result = campaign.run_round(ca, folder, messages=200, kills=5, senders=4, rate=0.05, seed=number)
        print(result)
        assert result.problems == []
        assert result.delivered + result.uncertain - result.uncertain_delivered == 200
        if result.kills >= 3:
            break
    assert result.kills >= 3


def test_the_campaign_can_fail(campaign: ModuleType, ca: TestCA, tmp_path: Path) -> None:
    """The judge notices what was delivered twice, what is lost, and what is out of order."""
    from syncbot import Bot
    from syncbot.storage import open_store
    from syncbot.testing import TEST_TOKEN, BotApiServer

    result = campaign.Round(1)
    with BotApiServer(any_chat=True) as server, Bot(TEST_TOKEN, base_url=server.url, proxies=["direct"], limits=None) as bot:
        for number in (12, 0, 0):  # all to the first chat
            bot.call("sendMessage", chat_id=1, text=f"message {number}")
        with open_store(tmp_path / "bot.db", bot.id) as store:
            campaign._judge(server, store, 2, 4, result)
    assert [problem.partition(":")[0] for problem in result.problems] == ["delivered twice", "lost", "out of order in chat 1"]
