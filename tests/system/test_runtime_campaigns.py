"""A slice of each of the runtime's campaigns; `scripts/campaigns/` runs them at any length."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kits.storage_kit import bury, put

from syncbot.storage import open_store
from syncbot.testing import BotApiServer

CAMPAIGNS = Path(__file__).resolve().parents[2] / "scripts" / "campaigns"


@pytest.mark.timeout(320)
@pytest.mark.parametrize(
    "command",
    [
        ["campaign_kill.py", "--rounds", "6", "--updates", "300"],
        ["campaign_backlog.py", "--updates", "2000", "--chats", "20"],
        ["campaign_page.py", "--seconds", "3", "--fill", "40"],
        ["campaign_idle.py", "--limit", "4", "--seconds", "8", "--bots", "8"],
        ["campaign_threads.py", "--rounds", "9", "--seed", "1"],
        ["campaign_everywhere.py", "--stride", "60"],
        ["campaign_everywhere.py", "--behind", "INSERT INTO outbox", "--last", "2", "--way", "webhook"],
        ["campaign_everywhere.py", "--behind", "INSERT INTO outbox", "--last", "2", "--way", "run_once", "--replies", "with the end"],
    ],
    ids=lambda command: " ".join(command),
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
@pytest.mark.parametrize("part", ["result", "end"])
def test_without_a_part_of_the_journal_it_fails(part: str) -> None:
    """The campaign notices that what came of a call is not written, or that the journal of an update stays."""
    done = _run(["campaign_everywhere.py", "--way", "run_once", "--without", part, "--first", "70", "--last", "90", "--stride", "20"], 300.0)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.endswith("FAILED\n")


@pytest.mark.timeout(320)
def test_half_a_minute_of_the_soak() -> None:
    """Half a minute of everything that goes wrong at once: alive at the end, nothing lost, nothing grown."""
    done = _run(["soak.py", "0.5"], 300.0)
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


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return subprocess.run([sys.executable, str(CAMPAIGNS / command[0]), *command[1:]], capture_output=True, text=True, timeout=seconds, env=known)
