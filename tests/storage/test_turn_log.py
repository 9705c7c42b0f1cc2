"""What is begun and ended is noted in the turn log, and settled in the state file for many updates at once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kits.storage_kit import BOT, drain, ids, put

from syncbot.errors import StorageError
from syncbot.storage import Changes, Counts, DataChange, Scope, StoreOptions, open_store
from syncbot.storage.sqlite.turn_log import BEGUN, ENDED, TurnLog, take_over


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def notes(path: Path) -> Path:
    """Where the log of a state file lies."""
    return Path(f"{path}-turns")


def in_another_process(path: Path, work: str) -> int:
    """Run some work on an open store as the process that handles; returns how it ended."""
    source = f"""
import os, sys
from syncbot.storage import Changes, DataChange, Incoming, Scope, open_store
from kits.storage_kit import put
store = open_store(sys.argv[1], {BOT})
inbox = store.inbox
inbox.recover()
def die():
    os.kill(os.getpid(), 9)
{work}
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.run([sys.executable, "-c", source, str(path)], env=environment, check=False).returncode


KILLED = -signal.SIGKILL


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_noted_can_be_read(notes: Path) -> None:
    """Each row has its update's id and its last mark, until the log is cleared; then what comes after."""
    log = TurnLog(notes, 3)
    log.note(1, 100, BEGUN)
    log.note(2, -5, BEGUN)
    log.note(1, 100, ENDED)
    assert take_over(notes, 3) == {1: (100, ENDED), 2: (-5, BEGUN)}
    log.clear()
    assert take_over(notes, 3) == {}
    log.note(3, 2**63 - 1, BEGUN)
    assert take_over(notes, 3) == {3: (2**63 - 1, BEGUN)}
    log.close(remove=False)


def test_another_runs_notes_say_nothing(notes: Path) -> None:
    """What another run than the last one has noted stands in the state file already."""
    log = TurnLog(notes, 3)
    log.note(1, 100, ENDED)
    assert take_over(notes, 4) == {}
    log.close(remove=False)


@pytest.mark.parametrize("damage", [b"", b"x" * 100, b"x" * 8192, b"\0" * 8192, None])
def test_a_damaged_log_says_nothing(notes: Path, damage: bytes | None) -> None:
    """A log that is missing, cut short, or something else is passed over."""
    if damage is not None:
        notes.write_bytes(damage)
    assert take_over(notes, 1) == {}


def test_a_torn_entry_ends_the_log(notes: Path) -> None:
    """An entry that was half written at a power cut is none, and so is what stands behind it."""
    log = TurnLog(notes, 1)
    for row in range(1, 4):
        log.note(row, row, ENDED)
    log.close(remove=False)
    torn = bytearray(notes.read_bytes())
    torn[32 + 24 + 3] ^= 1
    notes.write_bytes(torn)
    assert take_over(notes, 1) == {1: (1, ENDED)}


def test_it_is_private_and_goes_with_the_last_turn(path: Path, notes: Path) -> None:
    """The log has mode 600 whatever the umask, and is gone when a store is closed that has settled everything."""
    before = os.umask(0)
    try:
        with open_store(path, BOT) as store:
            store.inbox.recover()
            assert stat.S_IMODE(notes.stat().st_mode) == 0o600
            put(store.inbox, (1, "a"), (2, "b"))
            store.inbox.finish(store.inbox.claim()[0])
    finally:
        os.umask(before)
    assert sorted(os.listdir(path.parent)) == ["bot.db"]


def test_it_is_not_written_through_a_link(path: Path, notes: Path) -> None:
    """A link that somebody has put where the log is made, in a folder that others may write, does not lead to another file."""
    precious, new = path.with_name("precious"), Path(f"{notes}.new")
    precious.write_text("precious")
    for name in (notes, new):
        name.symlink_to(precious)
    with open_store(path, BOT) as store:
        store.inbox.recover()
        assert not notes.is_symlink()
    assert precious.read_text() == "precious"
    assert sorted(os.listdir(path.parent)) == ["bot.db", "precious"]


def test_another_ones_log_stays(path: Path, notes: Path) -> None:
    """A store that is closed late deletes no log but its own."""
    with open_store(path, BOT) as old, open_store(path, BOT) as new:
        old.inbox.recover()
        notes.unlink()  # so that the other one cannot tell it that it is replaced
        new.inbox.recover()
        old.close()
        assert notes.exists()


SHORT_OF_FILES = """
import resource
from syncbot.errors import StorageError
put(inbox, (1, 'a'))
inbox.finish(inbox.claim()[0])
before = resource.getrlimit(resource.RLIMIT_NOFILE)
again = open_store(sys.argv[1], inbox._database.bot_id).inbox
resource.setrlimit(resource.RLIMIT_NOFILE, (os.dup(0), before[1]))
try:
    again.recover()
except StorageError as problem:
    assert problem.retryable
else:
    raise SystemExit(1)
resource.setrlimit(resource.RLIMIT_NOFILE, before)
assert again.recover().waiting == 0
die()
"""


def test_a_log_that_cannot_be_read_now_is_not_passed_over(path: Path) -> None:
    """A process that is short of open files does not take over without what the log says; it can try again."""
    assert in_another_process(path, SHORT_OF_FILES) == KILLED


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_has_ended_is_not_handled_again(path: Path) -> None:
    """A process that is killed right after an end, before any transaction, leaves nothing to be handled twice and nobody suspect."""
    assert in_another_process(path, "put(inbox, *((n, str(n)) for n in range(20)))\nfor n in range(7):\n    inbox.finish(inbox.claim()[0])\ndie()") == KILLED
    with open_store(path, BOT) as store:
        recovery = store.inbox.recover()
        assert (recovery.waiting, recovery.interrupted, recovery.suspects) == (13, (), 0)
        assert drain(store.inbox) == list(range(7, 20))


def test_what_was_in_a_handler_is_suspect(path: Path) -> None:
    """A process that is killed in its handlers leaves just these suspect, each handed out once more and alone."""
    work = "put(inbox, *((n, str(n)) for n in range(6)))\nfirst, *_ = inbox.claim(3)\ninbox.finish(first)\ndie()"
    assert in_another_process(path, work) == KILLED
    with open_store(path, BOT) as store:
        assert store.inbox.recover().interrupted == (1, 2)
        [again] = store.inbox.claim(9)
        assert (again.update_id, again.attempt, again.alone) == (1, 2, True)
        assert store.inbox.claim() == []


def test_three_deaths_alone_by_notes_only(path: Path) -> None:
    """An update that kills the process is buried after three deaths at which it was alone, also where it is only noted."""
    with open_store(path, BOT) as store:
        put(store.inbox, (1, "a"), (2, "b"))
    for _ in range(3):
        assert in_another_process(path, "inbox.claim()\ndie()") == KILLED
    with open_store(path, BOT) as store:
        assert store.inbox.recover().buried == (1,)
        assert drain(store.inbox) == [2]


def test_the_notes_are_read_once(path: Path, notes: Path) -> None:
    """A log that stays behind because the process that read it died too counts no death twice."""
    assert in_another_process(path, "put(inbox, (1, 'a'))\ninbox.claim()\ndie()") == KILLED
    kept = notes.read_bytes()
    assert in_another_process(path, "die()") == KILLED
    notes.write_bytes(kept)
    with open_store(path, BOT) as store:
        assert store.inbox.recover().interrupted == ()
        assert store.inbox.claim()[0].attempt == 2


def test_a_settled_end_that_is_still_noted_is_harmless(path: Path, notes: Path) -> None:
    """A death between the transaction and the clearing of the log changes nothing."""
    work = (
        "put(inbox, (1, 'a'), (2, 'b'), (3, 'c'))\nfirst, second = inbox.claim(2)\ninbox.finish(first)\n"
        "from pathlib import Path\nlog = Path(sys.argv[1] + '-turns')\nkept = log.read_bytes()\nput(inbox, (4, 'd'))\nlog.write_bytes(kept)\ndie()"
    )
    assert in_another_process(path, work) == KILLED
    with open_store(path, BOT) as store:
        recovery = store.inbox.recover()
        assert (recovery.interrupted, recovery.suspects) == ((2,), 1)
        assert drain(store.inbox) == [2, 3, 4]


def test_a_backup_that_is_put_back_is_not_fooled(path: Path, notes: Path) -> None:
    """Notes about other updates in the same rows say nothing: an update counts as done only by its own id."""
    assert in_another_process(path, "put(inbox, (1, 'a'), (2, 'b'))\ninbox.finish(inbox.claim()[0])\ndie()") == KILLED
    kept = notes.read_bytes()
    for name in os.listdir(path.parent):
        (path.parent / name).unlink()
    assert in_another_process(path, "put(inbox, (7, 'a'), (8, 'b'))\ndie()") == KILLED
    notes.write_bytes(kept)
    with open_store(path, BOT) as store:
        store.inbox.recover()
        assert drain(store.inbox) == [7, 8]


def test_a_lost_log_loses_no_update(path: Path, notes: Path) -> None:
    """Without the log, what was not settled is handled once more; nothing is lost."""
    assert in_another_process(path, "put(inbox, (1, 'a'), (2, 'b'))\ninbox.finish(inbox.claim()[0])\ndie()") == KILLED
    notes.unlink()
    with open_store(path, BOT) as store:
        store.inbox.recover()
        assert drain(store.inbox) == [1, 2]


# ── while it runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_counts_know_what_is_only_noted(path: Path) -> None:
    """The process that handles counts what it has begun and ended, settled or not."""
    with open_store(path, BOT) as store:
        inbox = store.inbox
        inbox.recover()
        put(inbox, *((n, str(n)) for n in range(5)))
        first, second = inbox.claim(2)
        assert (inbox.counts().waiting, inbox.counts().running) == (3, 2)
        inbox.finish(first)
        assert (inbox.counts().waiting, inbox.counts().running) == (3, 1)
        put(inbox, (9, "9"))  # settles
        assert (inbox.counts().waiting, inbox.counts().running) == (4, 1)
        inbox.finish(second)
        assert (inbox.counts().waiting, inbox.counts().running) == (4, 0)
        assert inbox.counts().oldest is not None
        assert drain(inbox) == [2, 3, 4, 9]
        assert inbox.counts().oldest is None


def test_others_count_what_is_only_noted(path: Path) -> None:
    """A process that looks on counts as the one that handles does: what is in a handler does not wait, and what has ended is gone."""
    with open_store(path, BOT) as store, open_store(path, BOT) as other:
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"))
        first, second = store.inbox.claim(2)
        assert other.inbox.counts() == store.inbox.counts() == Counts(0, 2)
        store.inbox.yield_turn(second)
        store.inbox.finish(second)
        assert other.inbox.counts() == store.inbox.counts() == Counts(0, 1)
        store.inbox.finish(first)
        assert other.inbox.counts() == store.inbox.counts() == Counts()


def test_the_oldest_one_that_may_run_is_next(path: Path) -> None:
    """What is read ahead holds up nobody: an update whose chat has become free goes before later ones, however many wait behind it."""
    with open_store(path, BOT) as store:
        inbox = store.inbox
        inbox.recover()
        put(inbox, (0, "a"))
        [first] = inbox.claim()
        put(inbox, *((n, "a") for n in range(1, 101)), *((n, str(n)) for n in range(101, 200)))
        assert ids(inbox.claim(2)) == [101, 102]
        assert ids(inbox.finish(first, claim=2)) == [1, 103]


def test_an_end_is_an_end_whatever_comes_next(path: Path) -> None:
    """An update that has ended is not taken for one that could not be, because the next one cannot be read."""
    with open_store(path, BOT) as store:
        inbox = store.inbox
        inbox.recover()
        put(inbox, (1, "a"))
        [first] = inbox.claim()
        put(inbox, (2, "b"))
        with store._database.transaction() as db:  # type: ignore[attr-defined]  # stands for any error
            db.execute("ALTER TABLE body RENAME TO elsewhere")
        assert inbox.finish(first, claim=1) == []
        with pytest.raises(StorageError, match="no such table"):
            inbox.claim()
        with store._database.transaction() as db:  # type: ignore[attr-defined]
            db.execute("ALTER TABLE elsewhere RENAME TO body")
        assert drain(inbox) == [2]


def test_an_order_that_changes_is_kept(path: Path) -> None:
    """Updates read ahead do not overtake one of their chat that was put back, or one that waited for an answer."""
    with open_store(path, BOT) as store:
        inbox = store.inbox
        inbox.recover()
        put(inbox, (1, "a"), (2, "b"), (3, "a"), (4, "b"))
        first, other = inbox.claim(2)
        inbox.release(first)
        assert ids(inbox.claim(2)) == [1]
        inbox.yield_turn(other)
        assert ids(inbox.claim()) == [4]


def test_many_ends_are_settled_together(path: Path) -> None:
    """More ends than the log holds, with no transaction of anybody else between, are all kept."""
    with open_store(path, BOT) as store:
        inbox = store.inbox
        inbox.recover()
        put(inbox, *((n, str(n)) for n in range(1000)))
        claimed = inbox.claim(700)
        assert len(claimed) == 700
        for one in claimed:
            inbox.finish(one)
        assert (inbox.counts().waiting, inbox.counts().running) == (300, 0)
    with open_store(path, BOT) as store:
        store.inbox.recover()
        assert drain(store.inbox) == list(range(700, 1000))


def test_an_end_is_kept_while_the_disk_is_full(path: Path) -> None:
    """With no room to settle, ends are noted all the same, nothing new is handed out meanwhile, and nothing is handled twice afterwards."""
    with open_store(path, BOT, options=StoreOptions(busy_timeout=0.1)) as store, open_store(path, BOT) as other:
        inbox = store.inbox
        inbox.recover()
        put(inbox, *((n, str(n)) for n in range(4)))
        first, second = inbox.claim(2)
        with other._database.transaction():  # type: ignore[attr-defined]  # a writer that does not let go fails the settling as a full disk does
            assert ids(inbox.finish(first, claim=1)) == [2]  # read ahead already
            assert inbox.finish(second) == []
            inbox.finish(inbox.claim()[0])
            with pytest.raises(StorageError) as refused:
                inbox.claim()
            assert refused.value.retryable
        assert drain(inbox) == []
        assert inbox.counts().running == 1


def test_changes_are_written_with_the_end(path: Path) -> None:
    """What a handler has changed and that it has ended are one transaction, together with what was noted before."""
    work = (
        "put(inbox, (1, 'a'), (2, 'b'))\nfirst, second = inbox.claim(2)\ninbox.finish(first)\n"
        "inbox.finish(second, Changes((DataChange(Scope.CHAT, 5, {'n': 1}),)))\ndie()"
    )
    assert in_another_process(path, work) == KILLED
    with open_store(path, BOT) as store:
        assert store.inbox.recover().waiting == 0
        assert store.data.load(Scope.CHAT, 5) == {"n": 1}


def test_a_child_leaves_its_parents_notes_alone(path: Path) -> None:
    """A forked child that stores neither settles nor clears what its parent has noted."""
    work = (
        "put(inbox, (1, 'a'), (2, 'b'))\nfirst, second = inbox.claim(2)\ninbox.finish(first)\n"
        "if os.fork() == 0:\n    put(inbox, (3, 'c'))\n    store.close()\n    os._exit(0)\nos.wait()\ndie()"
    )
    assert in_another_process(path, work) == KILLED
    with open_store(path, BOT) as store:
        recovery = store.inbox.recover()
        assert (recovery.waiting, recovery.interrupted) == (2, (2,))


def test_without_a_log_everything_is_a_transaction(path: Path, notes: Path) -> None:
    """Where the log cannot be made, as on a disk that is nearly full, handing out and finishing work as ever, deaths included."""
    notes.mkdir(parents=True)
    assert in_another_process(path, "put(inbox, (1, 'a'), (2, 'b'), (3, 'c'))\nfirst, _ = inbox.claim(2)\ninbox.finish(first)\ndie()") == KILLED
    with open_store(path, BOT) as store:
        assert store.inbox.recover().interrupted == (2,)
        store.inbox.finish(store.inbox.claim()[0], Changes((DataChange(Scope.BOT, 0, {"x": 1}),)))
        assert drain(store.inbox) == [3]
    assert os.listdir(notes) == []
    assert sorted(os.listdir(path.parent)) == ["bot.db", "bot.db-turns"]
