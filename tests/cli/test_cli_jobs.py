"""`syncbot jobs`: what a bot is to do at its times."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot.storage import JobEntry, open_store

Command = Callable[..., Any]

BOT_ID = 123456789


@pytest.fixture
def state(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state file with two jobs, in the working folder, where the commands find it."""
    monkeypatch.setenv("SYNCBOT_STATE", str(Path("bot.db").absolute()))
    with open_store("bot.db", BOT_ID) as store:
        later = time.time() + 3600
        store.jobs.put(
            JobEntry("@greet", "@greet", {"daily": "09:00", "tz": "Europe/Berlin"}, later + 1, declared=True),
            JobEntry("tea", "remind", {"at": later}, later, 42, data={"cups": 2}),
        )
    return Path("bot.db")


def test_jobs_are_listed(command: Command, state: Path) -> None:
    """Each is a line, the next one first; JSON tells everything."""
    ended = command("jobs", "list")
    assert ended.code == 0
    assert [line.split("\t")[0::2] for line in ended.out.splitlines()] == [["tea", "once", "chat 42"], ["@greet", "daily 09:00 Europe/Berlin", "chat -"]]
    facts = json.loads(command("jobs", "list", "--json", "--limit", "1").out)
    assert [(fact["key"], fact["job"], fact["chat_id"], fact["data"], fact["paused"]) for fact in facts] == [("tea", "remind", 42, {"cups": 2}, False)]


def test_jobs_are_run_paused_and_cancelled(command: Command, state: Path) -> None:
    """Each by its key: due now, paused and resumed, gone."""
    assert command("jobs", "run", "tea").code == 0
    with open_store(state, None) as store:
        tea = store.jobs.get("tea")
        assert tea is not None
        assert tea.next_time <= time.time()
    assert command("jobs", "pause", "tea", "@greet").code == 0
    assert command("jobs", "list").out.count("\tpaused\n") == 2
    ended = command("jobs", "run", "tea")
    assert (ended.code, "syncbot jobs resume tea" in ended.err) == (2, True)
    assert command("jobs", "resume", "tea", "@greet").code == 0
    assert command("jobs", "cancel", "tea", "@greet").code == 0
    assert command("jobs", "list").out == ""


@pytest.mark.parametrize("name", ["run", "cancel", "pause", "resume"])
def test_keys_that_are_not_there(command: Command, state: Path, name: str) -> None:
    """A key that is none is said, and those beside it are done all the same."""
    ended = command("jobs", name, "coffee", "tea")
    assert ended.code == 2
    assert "there is no job 'coffee'; syncbot jobs list shows those there are" in ended.err
    assert "tea" not in ended.err
    assert command("jobs", name).code == 2
