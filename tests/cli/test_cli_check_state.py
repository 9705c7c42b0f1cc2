"""`syncbot check-state`, and what the other commands do with a damaged state file: words and exit code 78."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kits.storage_kit import bury

from syncbot.storage import Incoming, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.testing import TEST_TOKEN

Command = Callable[..., Any]

BOT_ID = int(TEST_TOKEN.partition(":")[0])


@pytest.fixture
def state(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state file with 200 updates, which the commands use."""
    path = Path("bot.db").absolute()
    monkeypatch.setenv("SYNCBOT_STATE", str(path))
    with open_store(path, BOT_ID) as store:
        store.inbox.store([Incoming(n, str(n), b'{"update_id":%d,"x":"%s"}' % (n, b"x" * 300)) for n in range(200)])
    return path


def destroy(path: Path, share: float = 0.5) -> None:
    """Overwrite one page in the middle."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * share) // 4096 * 4096)
        file.write(b"\xa5" * 4096)


def spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)


def test_a_whole_file_ends_with_0(command: Command, state: Path) -> None:
    """It says so, with whose it is and how much is in it."""
    ended = command("check-state", str(state))
    assert ended.code == 0
    assert f"is whole (bot {BOT_ID}; sound rows: " in ended.out
    assert "inbox 200" in ended.out
    assert json.loads(command("check-state", "--json").out)["whole"] is True


def test_a_damaged_file_ends_with_78_and_is_saved(command: Command, state: Path) -> None:
    """It says what is wrong and how to go on; the new file holds what can be read and is whole, and nothing is written over."""
    destroy(state)
    before = state.read_bytes()
    ended = command("check-state")
    assert ended.code == 78
    assert "is damaged" in ended.out
    assert f"syncbot check-state {state} --salvage-into {state}.new" in ended.err
    saved = command("check-state", str(state), "--salvage-into", "new.db")
    assert saved.code == 0
    assert "saved into new.db" in saved.out
    assert "lost: " in saved.out
    assert state.read_bytes() == before
    assert stat.S_IMODE(Path("new.db").stat().st_mode) == 0o600
    assert command("check-state", "new.db").code == 0
    assert json.loads(command("check-state", "new.db", "--json").out)["tables"]["inbox"]["sound"] > 50
    again = command("check-state", str(state), "--salvage-into", "new.db")
    assert (again.code, "exists already" in again.err) == (78, True)


def test_json_tells_what_was_saved(command: Command, state: Path) -> None:
    """For programs: what is wrong, by table, and what went where."""
    spoil(state, "UPDATE inbox SET chat = x'ff' WHERE seq = 7")
    facts = json.loads(command("check-state", "--json", "--salvage-into", "new.db").out)
    assert facts["tables"]["inbox"] == {"sound": 199, "damaged": 1, "destroyed": False}
    assert facts["salvaged"]["saved"]["inbox"] == 199
    assert facts["salvaged"]["letters"] == 1


def test_a_file_that_a_bot_uses_is_left_alone(command: Command, state: Path) -> None:
    """While a bot holds its lock nothing is done, and the words say what holds it."""
    lock = BotLock(Path(f"{state}.lock"))
    assert lock.acquire()
    try:
        ended = command("check-state", "--salvage-into", "new.db")
    finally:
        lock.release()
    assert ended.code == 75
    assert f"a bot runs on {state} (it holds {state}.lock)" in ended.err
    assert not Path("new.db").exists()
    assert command("check-state").code == 0


def test_a_missing_file_is_a_wrong_setting(command: Command, environment: dict[str, str]) -> None:
    """There is nothing to check where there is no file, and none is made."""
    ended = command("check-state", "none.db")
    assert ended.code == 78
    assert "there is no state file" in ended.err
    assert not list(Path().glob("none.db*"))


def test_the_token_says_whose_a_file_is_that_does_not(command: Command, state: Path) -> None:
    """Where the file has lost its bot's id, it is that of the token in the settings."""
    spoil(state, "UPDATE meta SET value = 'x' WHERE name = 'store.bot_id'")
    assert command("check-state", "--salvage-into", "new.db").code == 0
    with open_store("new.db", None) as store:
        assert store.bot_id == BOT_ID


@pytest.mark.parametrize(
    "arguments",
    [["dead-letters", "list"], ["outbox", "list"], ["monitor", "--once"], ["poll", "--once", "bot:app"], ["run", "bot:app"], ["send", "--queue", "x"]],
)
def test_each_command_says_that_the_file_is_damaged(process: Callable[..., Any], state: Path, arguments: list[str]) -> None:
    """As a process of its own, every command that uses the file ends with 78 and one line of words, never with a mistake in the program."""
    Path("bot.py").write_text("from syncbot import Bot, Runtime\napp = Runtime(Bot.from_env())\n")
    state.write_bytes(b"\xa5" * 4096 + state.read_bytes()[4096:])
    ended = process(*arguments)
    assert ended.code == 78
    assert "is damaged" in ended.err
    assert "--salvage-into" in ended.err
    assert "mistake in the program" not in ended.err
    assert "Traceback" not in ended.err


def test_dead_letters_that_hold_no_update_are_shown(command: Command, state: Path) -> None:
    """A letter whose text is no JSON, and one with damaged columns, are shown for what they are, and can be dropped."""
    with open_store(state, BOT_ID) as store:
        store.inbox.recover()
        for _ in range(2):
            bury(store.inbox, store.inbox.claim()[0], "why")
    spoil(state, "UPDATE dead_letter SET json = x'7bff' WHERE id = 1")
    spoil(state, "UPDATE dead_letter SET stored = 'abc', died = 9e999, attempts = 'x' WHERE id = 2")
    listed = command("dead-letters", "list")
    assert (listed.code, len(listed.out.splitlines())) == (0, 2)
    assert "its row in the state file is damaged: attempts is a text" in listed.out
    assert [command("dead-letters", "show", str(number)).code for number in (1, 2)] == [0, 0]
    assert [command("dead-letters", "drop", str(number)).code for number in (1, 2)] == [0, 0]


@pytest.mark.parametrize("facts", ["[1]", '"x"', '{"at":"x"}', '{"at":1,"pid":1e30}', '{"pid":5}'])
def test_the_monitor_takes_no_facts_for_none(command: Command, state: Path, facts: str) -> None:
    """Where something else stands in place of the bot's last word, no bot is known to have run."""
    with open_store(state, BOT_ID) as store:
        store.meta.set("facts", json.loads(facts))
    ended = command("monitor", "--once")
    assert (ended.code, "no bot has run with this state yet" in ended.out) == (1, True)
