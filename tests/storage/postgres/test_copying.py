"""`syncbot state copy`: all that is in a state goes from a file into a database and back, or nothing does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT

from syncbot.cli.console.frame import run
from syncbot.client.uploads import BytesSource, FilePart
from syncbot.errors import AlreadyRunning, ConfigError, StorageError
from syncbot.runtime.outbox.queue_files import files_of
from syncbot.storage import (
    Changes,
    DataChange,
    End,
    Incoming,
    JobEntry,
    JobStart,
    JournalKey,
    JournalStep,
    OutboxCall,
    OutboxState,
    Question,
    QuestionOpening,
    Scope,
    StateChange,
    Store,
    open_store,
)
from syncbot.storage.address import address_of
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.copying.copy import copy_state

pytestmark = pytest.mark.programs("postgres")

HOUR = 3600.0
FILE = os.urandom(700_000)


def fill(store: Store, place: Path | None) -> None:
    """Put something of everything into a state."""
    inbox = store.inbox
    inbox.recover()
    inbox.store([Incoming(number, str(number % 3), b'{"update_id":%d}' % number) for number in range(1, 8)], next_offset=8)
    inbox.store([Incoming(8, "", b'{"update_id":8}'), Incoming(9, "", b'{"update_id":9}')])
    first, second, third = inbox.claim(3)
    changes = Changes((DataChange(Scope.USER, 7, {"name": "Zoë \ud800", "n": [1, None]}),), (StateChange(7, 7, {"step": 2}),))
    inbox.settle([End(first, changes, "Traceback\0: it failed")])
    store.journal.write(JournalKey(second.row, second.ticket), JournalStep(0, "sendMessage", "chat_id=7"))
    store.journal.write(JournalKey(second.row, second.ticket), JournalStep(0, "sendMessage", "chat_id=7", '{"value":1}'))
    inbox.yield_turn(second, QuestionOpening(Question(second.row, 1, "ask", 7, 7, {"message": "text"}, 5.0, None)))
    inbox.release(second, third)
    [name] = files_of(store, place).copy([FilePart("document", "a.bin", BytesSource(FILE))])
    store.outbox.put(OutboxCall("sendDocument", {"document": {"file": "a.bin", "type": "x/y"}}, "7", (name,)), OutboxCall("sendMessage", {"text": "é"}, "7"))
    [uncertain] = store.outbox.put(OutboxCall("sendMessage", {"text": "?"}, "9", (), 0.0, 4e9))
    [claimed] = [item for item in store.outbox.claim("gone", lease=HOUR, limit=3) if item.id == uncertain]
    store.outbox.sending(claimed.id, "gone", lease=HOUR)
    store.outbox.hold(claimed.id, "gone", OutboxState.UNCERTAIN, "nobody knows")
    store.outbox.abandon("gone")
    entry = JobEntry("remind:7", "remind", {"every": 60}, 100.0, 7, 8, {"text": "tea"}, paused=False)
    store.jobs.put(entry, JobEntry("@daily", "daily", {"cron": "0 9 * * *"}, 4e9, paused=False, declared=True))
    store.jobs.begin([JobStart(entry, 5e8, "7", b'{"job":"remind:7"}')])
    store.meta.set("username", "shopbot")


def shown(store: Store, place: Path | None) -> dict[str, Any]:
    """All that there is, as a reader sees it."""
    files = files_of(store, place)
    outbox = store.outbox.entries()
    letters = [(one.id, one.update_id, one.key, one.body, one.reason.replace("\0", "\ufffd"), one.attempts, one.stored) for one in store.dead_letters.entries()]
    facts = {
        "data": store.data.load(Scope.USER, 7),
        "state": store.data.get_state(7, 7),
        "letters": letters,
        "questions": store.questions.entries(),
        "outbox": [(i.id, i.call.method, dict(i.call.params), i.call.key, i.call.expires, i.state, i.attempts, i.created, i.reason) for i in outbox],
        "files": [b"".join(files.source(name).chunks()) for item in outbox for name in item.call.files],
        "jobs": store.jobs.entries(),
        "due": [entry.key for entry in store.jobs.due(6e8, ["remind", "daily"])],
        "meta": (store.meta.get("username"), store.inbox.next_offset()),
        "counts": (store.inbox.counts().waiting, store.inbox.counts().oldest),
        "known": store.inbox.store([Incoming(number, "x", b"{}") for number in range(1, 10)]),
    }
    store.inbox.recover()
    [question] = facts["questions"]
    facts["journal"] = store.journal.steps(JournalKey(question.row))
    handled = []
    while claimed := store.inbox.claim(10):
        handled += [(one.row, one.update_id, one.key, one.body, one.attempt, one.stored) for one in claimed]
        store.inbox.settle([End(one) for one in claimed])
    return facts | {"handled": sorted(handled)}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A state file with something of everything."""
    path = tmp_path / "bot.db"
    with open_store(path, BOT) as store:
        fill(store, path)
    return path


@pytest.fixture
def link(filled: Path) -> Path:
    """Another name of it, in another folder."""
    name = filled.parent / "elsewhere" / "state"
    name.parent.mkdir()
    name.symlink_to(filled)
    return name


@pytest.mark.parametrize("is_linked", [False, True])
def test_all_goes_into_a_database_and_back(
    filled: Path, link: Path, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_linked: bool
) -> None:
    """What a reader sees, and what a bot then handles, is the same in the file, in the database, and in the file that it came back to, by whatever name."""
    assert run(["state", "copy", str(link if is_linked else filled), postgres_url]) == 0
    assert run(["state", "copy", postgres_url, str(tmp_path / "back.db")]) == 0
    told = capsys.readouterr().out
    assert "question 1" in told
    assert "file 1" in told
    assert "s3cret" not in told
    seen = []
    for place in (filled, tmp_path / "back.db", postgres_url):
        with open_store(place, BOT) as store:
            seen.append(shown(store, place if isinstance(place, Path) else None))
    assert seen[0] == seen[1]
    assert seen[0] == seen[2]
    assert seen[0]["files"] == [FILE]
    assert len(seen[0]["handled"]) == 8


def test_numbers_go_on_behind_those_that_were_copied(filled: Path, postgres_url: str) -> None:
    """What comes next has a number that nothing had before."""
    copy_state(filled, address_of(postgres_url), None)
    with open_store(filled, BOT) as before, open_store(postgres_url, BOT) as store:
        last = max(item.id for item in before.outbox.entries())
        assert store.outbox.put(OutboxCall("sendMessage", {}, "1"))[0] > last
        store.inbox.recover()
        newest = before.inbox.counts().newest
        store.inbox.store([Incoming(1000, "new", b"{}")])
        assert max(one.row for one in store.inbox.claim(20, per_key=20)) > newest - 1


def test_a_target_that_is_not_empty_is_refused(filled: Path, postgres_url: str, tmp_path: Path) -> None:
    """Nothing is written over, in either direction; another bot's rows beside do not matter."""
    with open_store(postgres_url, BOT + 1) as other:
        other.data.save(Scope.BOT, 0, {"n": 1})
    copy_state(filled, address_of(postgres_url), None)
    with pytest.raises(StorageError, match="has a state in"):
        copy_state(filled, address_of(postgres_url), None)
    with pytest.raises(StorageError, match="exists already"):
        copy_state(address_of(postgres_url), filled, BOT)
    with pytest.raises(StorageError, match="holds several bots"):
        copy_state(address_of(postgres_url), tmp_path / "new.db", None)
    with pytest.raises(ConfigError, match="pg_dump"):
        copy_state(filled, tmp_path / "new.db", None)
    assert not (tmp_path / "new.db").exists()


def test_a_bot_that_runs_on_either_is_told(filled: Path, link: Path, postgres_url: str, tmp_path: Path) -> None:
    """The lock beside the file, and members of the database, keep a state from being copied."""
    lock = BotLock(Path(f"{filled}.lock"))
    assert lock.acquire()
    for name in (filled, link):
        with pytest.raises(AlreadyRunning, match="stop it first"):
            copy_state(name, address_of(postgres_url), None)
    lock.release()
    with open_store(postgres_url, BOT) as store:
        store.inbox.recover()
        for source, target in ((filled, address_of(postgres_url)), (address_of(postgres_url), tmp_path / "new.db")):
            with pytest.raises(AlreadyRunning, match="a bot runs on"):
                copy_state(source, target, BOT)
    assert not (tmp_path / "new.db").exists()


_KILLED = """import os, signal, sys
from pathlib import Path
from syncbot.storage.address import address_of
from syncbot.storage.copying import file_side, database_side
from syncbot.storage.copying.copy import copy_state
left = int(sys.argv[3])
for side in (file_side.FileTarget, database_side.DatabaseTarget):
    def write(self, table, rows, before=side.write):
        global left
        number = before(self, table, rows)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return number
    side.write = write
copy_state(address_of(sys.argv[1]), address_of(sys.argv[2]), int(sys.argv[4]))
"""


@pytest.mark.parametrize("tables", [1, 5, 11])
def test_a_kill_in_the_middle_leaves_nothing(filled: Path, postgres_url: str, postgres: PostgresServer, tmp_path: Path, tables: int) -> None:
    """The target is as empty as before, and the next attempt goes through; so it is back into a file."""
    url, back = address_of(postgres_url), tmp_path / "back.db"

    def killed(source: object, target: object) -> None:
        url_of: Callable[[object], str] = lambda place: postgres_url if place is url else str(place)  # noqa: E731 - it has the password
        command = [sys.executable, "-c", _KILLED, url_of(source), url_of(target), str(tables), str(BOT)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL

    killed(filled, url)
    assert postgres.run("SELECT count(*) FROM syncbot.inbox", postgres_url) == [(0,)]
    copy_state(filled, url, None)
    killed(url, back)
    assert not back.exists()
    copy_state(url, back, BOT)
    with open_store(filled, BOT) as store, open_store(back, BOT) as copied:
        assert shown(copied, back) == shown(store, filled)
