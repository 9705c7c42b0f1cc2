"""A slice of scripts/campaigns/soak.py, and that its judge notices what it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kits.campaigns_kit import CAMPAIGNS, run_campaign
from kits.storage_kit import bury, put

from syncbot.storage import open_store
from syncbot.testing import BotApiServer


@pytest.mark.slow
@pytest.mark.timeout(320)
def test_half_a_minute_of_the_soak() -> None:
    """Half a minute of everything that goes wrong at once: alive at the end, nothing lost, nothing grown."""
    done = run_campaign(["soak.py", "0.5"], 300.0)
    assert done.returncode == 0, done.stdout + done.stderr


_AS_BEFORE: dict[str, Any] = {"resident_kb": 50_000, "threads": 12, "descriptors": 30, "health": {"ok": True}}


@pytest.mark.parametrize(
    ("notes", "dead", "after", "code", "good"),
    [
        (["0", "1", "2"], False, {}, 0, True),
        (["0", "1", "1", "2"], False, {"resident_kb": 51_000, "threads": 11}, 0, True),
        (["0", "2"], False, {}, 0, False),
        (["0", "1", "2"], True, {}, 0, False),
        (["0", "1", "2"], False, {"resident_kb": 53_000}, 0, False),
        (["0", "1", "2"], False, {"threads": 13}, 0, False),
        (["0", "1", "2"], False, {"descriptors": 31}, 0, False),
        (["0", "1", "2"], False, {"health": {"ok": False}}, 0, False),
        (["0", "1", "2"], False, {}, 1, False),
    ],
    ids=["good", "good, one again", "lost", "dead letter", "memory", "a thread", "a descriptor", "not well", "exit code"],
)
def test_the_soak_can_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, notes: list[str], dead: bool, after: Mapping[str, Any], code: int, good: bool
) -> None:
    """The judge of the soak notices what is lost or buried, what has grown, a bot that is not well, and how it ended."""
    monkeypatch.syspath_prepend(str(CAMPAIGNS))
    from soak import Soak

    (tmp_path / "notes.txt").write_text("".join(f"1 {text}\n" for text in notes))
    with BotApiServer(any_chat=True) as server, open_store(tmp_path / "bot.db", 1) as store:
        if dead:
            put(store.inbox, (1, "1"))
            store.inbox.recover()
            bury(store.inbox, store.inbox.claim(1)[0], "the handler failed")
        soak = Soak(server, [], tmp_path, 1.0, 1)
        soak._users.end()
        soak._users.sent = 3
        assert soak._judge(_AS_BEFORE, {**_AS_BEFORE, **after}, code) is good
