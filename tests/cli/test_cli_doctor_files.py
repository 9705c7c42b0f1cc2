"""`syncbot doctor` on the files of a bot: who else can read or change them, whose they are, and how that is mended."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.user_kit import as_ordinary_user

from syncbot.cli.doctor.files import files
from syncbot.config import Settings
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN

Command = Callable[..., Any]

BOT_ID = 123456789
DOCTOR = ("doctor", "--watch", "0", "--json", "--env-file", "bot.env")


@pytest.fixture(autouse=True)
def bots_files(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An env file, a state file in use, its lock and a log with a rotated part; all for the bot alone."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    Path("bot.env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nSYNCBOT_STATE=my bot.db\n")
    Path("bot.log").touch()
    Path("bot.log.1").touch()
    Path("my bot.db.lock").touch()
    with open_store(Path("my bot.db"), BOT_ID) as store:
        store.inbox.recover()
        for name in os.listdir():
            if os.path.isfile(name):
                os.chmod(name, 0o600)
        yield


def files_step(command: Command, *argv: str) -> dict[str, Any]:
    """What the doctor found out about the files; it never ends badly for them, since the bot works."""
    ended = command(*DOCTOR, *argv)
    assert ended.code == 0
    [found] = [step for step in json.loads(ended.out)["steps"] if step["step"] == "files"]
    assert isinstance(found, dict)
    return found


def test_all_is_well(command: Command) -> None:
    """Files of mode 600 are named, and there is nothing to do."""
    found = files_step(command, "--log-file", "bot.log")
    assert (found["status"], found["text"], found["advice"]) == ("ok", "nobody else can read or change env file, state file, lock, log", "")


@pytest.mark.parametrize("log", ["9" * 400, "9" * 400 + "/bot.log", "no-folder/bot.log", "bot.log/bot.log"])
def test_a_log_that_cannot_be_there(command: Command, log: str) -> None:
    """A name that no file can have is no error of the doctor's."""
    assert files_step(command, "--log-file", log)["status"] in ("ok", "note")


@pytest.mark.parametrize(
    ("name", "what", "mode", "can"),
    [
        pytest.param(name, what, mode, can, marks=[] if "bot.env" in name or mode == 0o640 else pytest.mark.slow)
        for name, what in [
            ("bot.env", "env file"),
            ("my bot.db", "state file"),
            ("my bot.db-wal", "state file"),
            ("my bot.db-shm", "state file"),
            ("my bot.db.lock", "lock"),
            ("bot.log", "log"),
            ("bot.log.1", "log"),
        ]
        for mode, can in [(0o640, "read"), (0o604, "read"), (0o620, "change"), (0o666, "read and change")]
    ],
)
def test_a_file_that_is_open_to_others(command: Command, name: str, what: str, mode: int, can: str) -> None:
    """Each is named with what others can do with it; the command that is told mends it."""
    os.chmod(name, mode)
    found = files_step(command, "--log-file", "bot.log")
    path = Path(name) if what == "log" else Path(name).absolute()
    assert (found["status"], found["text"]) == ("note", f"others can {can} the {what} {path} (mode {mode:o})")
    assert shlex.split(found["advice"]) == ["chmod", "600", str(path)]
    subprocess.run(found["advice"], shell=True, check=True)
    assert files_step(command, "--log-file", "bot.log")["status"] == "ok"


def test_what_is_not_there_is_passed_over(command: Command) -> None:
    """A bot that has not run yet has nothing but its env file; a state file that is named is looked at instead of the usual one."""
    found = files_step(command, "--state", "not/there.db", "--log-file", "nor/this.log")
    assert (found["status"], found["text"]) == ("ok", "nobody else can read or change env file")
    Path("other.db").touch(0o644)
    assert "other.db" in files_step(command, "--state", "other.db")["text"]


def test_a_file_of_another_user() -> None:
    """A file that another user owns is named with the command that mends it, for its owner can change it; root's env file is as it should be."""
    roots = Path("/etc/passwd")
    with as_ordinary_user():
        found = files(Settings(TEST_TOKEN, env_file=roots), roots, ())
        me = os.geteuid()
    assert found.text.split("; ")[1:] == [
        f"others can read the state file {roots} (mode 644)",
        f"the state file {roots} belongs to another user (uid 0, not {me})",
    ]
    assert found.advice.endswith(f"; sudo chown {me} {roots}")


def test_nothing_that_can_be_looked_at(tmp_path: Path) -> None:
    """A file whose folder is closed to us is named too."""
    closed = Path("/root/.syncbot/x.db") if os.getuid() else tmp_path / "x.db"
    with as_ordinary_user():
        found = files(Settings(TEST_TOKEN), closed, ())
    assert f"the state file {closed} cannot be looked at (Permission denied)" in found.text
