"""A state file of the release before: it is opened, worked off, and kept as it was."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path
from types import FrameType

import pytest
from kits.storage_kit import BOT, Clock, finish

from syncbot import Bot, Runtime
from syncbot.errors import StorageError
from syncbot.storage import OutboxState, Recovery, Scope, Store, open_store
from syncbot.storage.sqlite.repair.checking import check, salvage
from syncbot.storage.sqlite.schema import MIGRATIONS
from syncbot.transport import FakeTransport

KILLED = Path(__file__).parent / "files" / "killed-v1.tar.xz"
"""The folder of a bot that was killed in the middle: all of the state file stands in its log, and what was begun and ended last in the turns file."""
AT = 1_790_000_000.0
"""When that was."""
FOUND = Recovery(waiting=8, interrupted=(203, 204, 205, 206, 207, 208), suspects=5)
STEPS = frozenset({"execute", "backup", "rename", "open", "close", "fsync", "unlink", "fchmod"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The state file, in a folder of its own."""
    with tarfile.open(KILLED) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "bot.db"


@pytest.fixture
def clock() -> Clock:
    """The time of the kill."""
    clock = Clock()
    clock.time = AT
    return clock


def copies(path: Path) -> list[Path]:
    """What was kept beside the file; a copy that is half is none."""
    found = sorted(path.parent.glob("bot.db.v*"))
    for copy in found:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with closing(sqlite3.connect(copy)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA user_version").fetchone() == (1,)
    return found


def tables(path: Path) -> set[tuple[str, str]]:
    """The definitions in a file."""
    with closing(sqlite3.connect(path)) as db:
        return set(db.execute("SELECT name, sql FROM sqlite_master"))


def worked_off(store: Store) -> list[tuple[int, bool]]:
    """Handle all that waits; returns the ids in their order, each with whether it ran alone."""
    done: list[tuple[int, bool]] = []
    while claimed := store.inbox.claim(4):
        done += [(one.update_id, one.alone) for one in claimed]
        for one in claimed:
            finish(store.inbox, one)
    return done


def test_what_was_killed_is_worked_off(path: Path, clock: Clock) -> None:
    """What had ended is not handled again, what had begun is suspect, and what is remembered is there."""
    with open_store(path, BOT, now=clock) as store:
        assert store.inbox.recover() == FOUND
        assert worked_off(store) == [*((id, True) for id in range(204, 209)), *((id, False) for id in (203, 209, 210))]
        assert [(letter.update_id, letter.reason) for letter in store.dead_letters.entries()] == [
            (101, "Traceback: KeyError: 'x'"),
            (100, "Traceback: ValueError: bad"),
        ]
        assert store.data.load(Scope.USER, 11) == {"name": "Ann", "visits": 3}
        assert (store.data.load(Scope.BOT, 0), store.data.load(Scope.USER, 13)) == ({"since": 2025}, {"seen": True})
        assert (store.meta.get("username"), store.meta.get("idle_limit"), store.inbox.next_offset()) == ("test_bot", 40, 211)
    assert not Path(f"{path}-turns").exists()


def test_a_runtime_goes_on_with_it(path: Path) -> None:
    """Handlers get what waits, with the states of a year ago, and the outbox is delivered with its file, but for what nobody knows."""
    transport = FakeTransport(getUpdates=[], sendMessage={"message_id": 1}, sendDocument={"message_id": 2}, getMe={"id": BOT, "username": "test_bot"})
    app = Runtime(Bot(f"{BOT}:{'A' * 35}", transport=transport, limits=None), state=path)
    handled: list[int] = []

    @app.message()
    def any_message(update: object, context: object) -> None:
        handled.append(update.update_id)  # type: ignore[attr-defined]  # whatever its class is

    summary = app.run_once(max_seconds=30.0)
    assert sorted(handled) == [203, 204, 205, 206, 207, 208, 209, 210]
    assert (summary.handled, summary.failed, summary.left) == (8, 0, 0)
    sent = [call for call in transport.calls if call.method.startswith("send")]
    assert [call.parameters.get("text") for call in sent if call.parameters["chat_id"] == 11] == [None, "after the file"]
    assert [list(call.files.values()) for call in sent if call.method == "sendDocument"] == [[b"the content of a picture\n" * 4]]
    assert [call.parameters["text"] for call in sent if call.parameters["chat_id"] == 14] == ["claimed at the kill"]
    with open_store(path, BOT) as store:
        assert [(item.call.params.get("text"), item.state) for item in store.outbox.entries()] == [
            ("being sent at the kill", OutboxState.UNCERTAIN),
            ("refused", OutboxState.FAILED),
        ]
        assert [store.data.get_state(chat, chat) for chat in (11, 12, 13, 14, 15)] == [{"step": "year-old"}, "year-old too", "at boot", "fresh", ["asked"]]
    assert list(Path(f"{path}.outbox").glob("*.copy")) == []


def test_states_of_long_ago_expire_from_the_upgrade_on(path: Path, clock: Clock) -> None:
    """A state that nobody has touched for a year has its thirty days from the upgrade."""
    open_store(path, BOT, now=clock).close()
    for days, left in ((29, "year-old too"), (31, None)):
        clock.time = time.time() + days * 86_400
        with open_store(path, BOT, now=clock) as store:
            store.maintain()
        with closing(sqlite3.connect(path)) as db:
            found = db.execute("SELECT state FROM conversation WHERE chat = 12").fetchone()
        assert (found and json.loads(found[0])) == left


def test_a_copy_is_kept_and_named(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Beside the file lies what the earlier release can open, with what stood in its log and its turns file; it is kept once."""
    with caplog.at_level(logging.WARNING):
        open_store(path, BOT).close()
        open_store(path, BOT).close()
    [copy] = copies(path)
    assert str(copy) in caplog.text
    assert sorted(other.name for other in path.parent.iterdir() if other.is_file()) == ["bot.db", "bot.db-turns", copy.name]
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        assert tables(copy) == set(db.execute("SELECT name, sql FROM sqlite_master"))
    with closing(sqlite3.connect(copy)) as db:
        rows = dict(db.execute("SELECT update_id, state FROM inbox WHERE update_id >= 200"))
        [(at,)] = db.execute("SELECT at FROM conversation WHERE chat = 12")
    assert rows == {200: "done", 201: "done", 202: "done", 203: "yielded", **dict.fromkeys(range(204, 209), "running"), 209: "waiting", 210: "waiting"}
    assert at == AT - 365 * 86_400
    with open_store(path, BOT) as store:
        assert store.inbox.recover() == FOUND


def test_a_new_file_is_as_one_that_was_brought_up_to_date(path: Path) -> None:
    """Both have the same tables and the same format, and a new one has no copy."""
    open_store(path, BOT).close()
    new = path.with_name("new.db")
    open_store(new, BOT).close()
    assert tables(new) == tables(path)
    for one in (new, path):
        with closing(sqlite3.connect(one)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert list(path.parent.glob("new.db.*")) == []


def test_processes_may_bring_it_up_to_date_at_once(path: Path) -> None:
    """Of several that open it at the same time one changes it, and one copy is kept."""
    code = f"import sys; from syncbot.storage import open_store; open_store(sys.argv[1], {BOT}).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert len(copies(path)) == 1
    with open_store(path, BOT) as store:
        assert store.inbox.recover() == FOUND


def killed_at(path: Path, step: int) -> bool:
    """Open the file in a child that dies before this step of the change; whether it did."""
    child = os.fork()
    if not child:
        left = step

        def look(frame: FrameType, event: str, found: object) -> None:
            nonlocal left
            if event == "c_call" and frame.f_code.co_filename.endswith(("schema.py", "kept_copy.py")) and getattr(found, "__name__", "") in STEPS:
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(look)
        open_store(path, BOT)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_step_leaves_nothing_half(path: Path, tmp_path_factory: pytest.TempPathFactory, every: int) -> None:
    """Wherever the process dies, the next one finds the file, whole and unchanged or changed, a whole copy or none, and goes on."""
    steps = 0
    while True:
        steps += every
        folder = tmp_path_factory.mktemp("killed")
        with tarfile.open(KILLED) as packed:
            packed.extractall(folder, filter="data")
        died = killed_at(folder / "bot.db", steps)
        with open_store(folder / "bot.db", BOT) as store:
            assert store.inbox.recover() == FOUND
        assert len(copies(folder / "bot.db")) in (1, 2)
        assert list(folder.glob("*.part*")) == []
        if not died:
            break
    assert steps > 20


def test_on_a_full_disk_nothing_is_changed(path: Path) -> None:
    """Where there is no room for the copy the file stays as it is, and the same start works later."""
    reading, writing = os.pipe()
    if not os.fork():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            open_store(path, BOT)
        except StorageError as error:
            os.write(writing, f"{error.retryable} {error}".encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        words = pipe.read().decode()
    os.wait()
    assert words.startswith("True ")
    assert "nothing was lost" in words
    assert list(path.parent.glob("bot.db.v*")) == []
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    with open_store(path, BOT) as store:
        assert store.inbox.recover() == FOUND


def test_it_can_be_looked_through_and_saved_as_it_is(path: Path) -> None:
    """A file of the earlier format is whole for `check`, which changes nothing, and what is saved of it is a file of today's."""
    findings = check(path)
    assert (findings.troubles, findings.bot_id) == ([], BOT)
    assert copies(path) == []
    new = path.with_name("new.db")
    saved = salvage(findings, new)
    assert (saved.lost, saved.letters, saved.saved["conversation"]) == ({}, 0, 5)
    with open_store(new, BOT) as store:
        store.maintain()
        assert store.data.get_state(12, 12) == "year-old too"
