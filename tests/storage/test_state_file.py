"""The state file as a file: who may read it, whose it is, what is wrong with it, and that nothing in it is lost."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from kits.storage_kit import BOT, Clock, bury, drain, finish, put, set_state, update
from kits.user_kit import as_ordinary_user

from syncbot.errors import StorageError
from syncbot.storage import Changes, DataChange, Incoming, OutboxCall, OutboxState, Scope, Store, StoreOptions, open_store
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.file.sqlite_errors import FAULTS, storage_error
from syncbot.storage.sqlite.store import SqliteStore

QUICK = StoreOptions(busy_timeout=0.2)


def opened(path: Path, bot_id: int | None = BOT, options: StoreOptions = QUICK) -> Store:
    return open_store(path, bot_id, options=options)


def refused(path: Path, words: str, *, bot_id: int | None = BOT, retryable: bool = False) -> StorageError:
    """Opening fails with these words; a second try gives the same."""
    for _ in range(2):
        with pytest.raises(StorageError, match=words) as caught:
            opened(path, bot_id)
        assert caught.value.retryable is retryable
    return caught.value


def used_file(path: Path) -> bytes:
    """A state file with something in it, closed; returns its bytes."""
    with opened(path) as store:
        for start in range(0, 500, 100):
            put(store.inbox, *((n, str(n % 7)) for n in range(start, start + 100)))
        store.data.save(Scope.USER, 1, {f"k{n}": "v" * 50 for n in range(100)})
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user can reach and write."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_nobody_else_can_read_the_file(tmp_path: Path, umask: int) -> None:
    """The file, its log and its index have mode 600 and a new folder 700, whatever the umask."""
    before = os.umask(umask)
    try:
        path = tmp_path / "new" / "folder" / "bot.db"
        with open_store(path, BOT) as store:
            put(store.inbox, (1, "a"))
            modes = {name.name: stat.S_IMODE(name.stat().st_mode) for name in path.parent.iterdir()}
            assert modes == {"bot.db": 0o600, "bot.db-wal": 0o600, "bot.db-shm": 0o600}
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_file_that_others_could_read_is_made_private(path: Path) -> None:
    """An existing file with a wider mode is narrowed when it is opened."""
    used_file(path)
    path.chmod(0o644)
    with opened(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("content", ["text", "database", "newer"])
def test_a_file_that_is_not_ours_keeps_its_mode(tmp_path: Path, content: str, linked: bool) -> None:
    """Naming another file as the state file, by itself or through a link, changes nothing of it, its mode neither."""
    other = tmp_path / "other"
    if content == "text":
        other.write_text("mine\n" * 1000)
    elif content == "database":
        with sqlite3.connect(other) as db:
            db.execute("CREATE TABLE mine (x)")
        db.close()
    else:
        used_file(other)
        with sqlite3.connect(other) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    other.chmod(0o644)
    path = tmp_path / "link.db" if linked else other
    if linked:
        path.symlink_to(other)
    refused(path, "damaged|another program|newer")
    refused(path, "damaged|another program|newer", bot_id=None)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_another_bots_file_keeps_its_mode(path: Path) -> None:
    """A file is made private by its own bot alone."""
    used_file(path)
    path.chmod(0o640)
    refused(path, "belongs to bot", bot_id=999)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_log_and_index_are_made_private_through_a_link_too(tmp_path: Path) -> None:
    """Of a state file that is named by a link, what lies beside the file itself is narrowed; what has another name elsewhere is not ours alone."""
    real, link = tmp_path / "real" / "bot.db", tmp_path / "bot.db"
    with opened(real) as store:
        put(store.inbox, (1, "a"))
        link.symlink_to(real)
        names = [real, real.with_name("bot.db-wal"), real.with_name("bot.db-shm")]
        for name in names:
            name.chmod(0o644)
        with opened(link):
            assert [stat.S_IMODE(name.stat().st_mode) for name in names] == [0o600] * 3
        names[1].chmod(0o644)
        os.link(names[1], tmp_path / "elsewhere")
        with opened(link):
            assert stat.S_IMODE(names[1].stat().st_mode) == 0o644


def test_a_file_with_a_second_name_is_told_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """SQLite keeps a log beside each name of a file, and two of them destroy it: a hard link is named, and how it is found. A backup may have made it."""
    opened(path).close()
    assert caplog.messages == []
    os.link(path, path.with_name("other"))
    opened(path).close()
    [told] = caplog.messages
    assert "has another name (a hard link), by which no bot may use it: find / -xdev -samefile " in told


def test_a_link_to_nothing_is_refused(path: Path) -> None:
    """The text names what it leads to."""
    link = path.with_name("link")
    link.symlink_to(path.with_name("nowhere"))
    refused(link, "is a link to .*nowhere, which is not there; make that with touch")
    path.with_name("nowhere").touch()
    opened(link).close()


LEAVE_WAL = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0)
try:
    print(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0])
except sqlite3.OperationalError as problem:
    print(problem)
"""


def test_setting_the_mode_takes_no_lock_away(path: Path) -> None:
    """While a store is open, another one of the same process narrows the mode; for other processes the first one holds its locks as before."""
    with opened(path) as store:
        put(store.inbox, (1, "a"))
        path.chmod(0o644)
        opened(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        done = subprocess.run([sys.executable, "-c", LEAVE_WAL, str(path)], capture_output=True, text=True, check=True)
        assert done.stdout == "database is locked\n"


def test_closing_leaves_one_file_and_no_descriptor(path: Path) -> None:
    """After close the log and the index are gone, and nothing of the file is open."""
    with opened(path) as store:
        put(store.inbox, (1, "a"))
        store.inbox.recover()
        drain(store.inbox)
    assert [name.name for name in path.parent.iterdir()] == ["bot.db"]
    assert not [name for name in os.listdir("/proc/self/fd") if os.path.realpath(f"/proc/self/fd/{name}").startswith(str(path))]


def test_everything_is_there_after_opening_again(path: Path) -> None:
    """What was stored before is there in the next process: updates, ids, letters, data, states, facts, queued calls."""
    with opened(path) as store:
        store.inbox.store([update(n, "a") for n in range(4)], next_offset=4)
        store.inbox.recover()
        [first] = store.inbox.claim()
        [second] = finish(store.inbox, first, Changes((DataChange(Scope.USER, 1, {"a": 1}),)), claim=1)
        bury(store.inbox, second, "why")
        set_state(store.data, 1, 2, "s")
        store.meta.set("mode", "webhook")
    with opened(path) as store:
        store.inbox.recover()
        assert (store.bot_id, store.path, store.persistent) == (BOT, str(path), True)
        assert store.inbox.store([update(n, "a") for n in range(5)]) == 1
        assert drain(store.inbox) == [2, 3, 4]
        assert store.inbox.next_offset() == 4
        assert [letter.reason for letter in store.dead_letters.entries()] == ["why"]
        assert (store.data.load(Scope.USER, 1), store.data.get_state(1, 2), store.meta.get("mode")) == ({"a": 1}, "s", "webhook")


@pytest.mark.parametrize("name", ["a b?c#d%20e.db", "é😀.db", ":memory:", "file:x.db?mode=memory", "'quoted\".db"])
def test_any_file_name_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Names with characters that mean something to SQLite or to a URL are names."""
    monkeypatch.chdir(tmp_path)
    with opened(Path(name)) as store:
        put(store.inbox, (1, "a"))
    assert os.listdir(tmp_path) == [name]


def test_a_name_with_a_nul_is_refused() -> None:
    """A path that cannot exist is a clear error."""
    refused(Path("/tmp/a\0b.db"), "name that is none")


def test_another_bots_file_is_refused(path: Path) -> None:
    """The file says whose it is, and another bot is told so; the file stays as it is."""
    before = used_file(path)
    refused(path, f"belongs to bot {BOT}, and this is bot 999", bot_id=999)
    assert path.read_bytes() == before


def test_a_tool_may_open_any_bots_file_but_makes_none(path: Path) -> None:
    """Without a bot's id an existing file is taken as it is, and a missing one is an error."""
    refused(path, "there is no state file", bot_id=None)
    assert not path.exists()
    used_file(path)
    with opened(path, None) as store:
        assert store.bot_id == BOT


def test_a_newer_format_is_refused(path: Path) -> None:
    """A file of a later syncbot is not touched by an earlier one."""
    used_file(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    refused(path, "newer syncbot.*pip install --upgrade")
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(path: Path) -> None:
    """An SQLite file that is not ours is not touched."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    before = path.read_bytes()
    refused(path, "database of another program")
    assert path.read_bytes() == before


def test_garbage_is_refused_and_kept(path: Path) -> None:
    """A file that is no database is called damaged, with a way to mend it, and not changed."""
    path.write_bytes(b"this is not a database" * 1000)
    error = refused(path, "damaged.*nothing was deleted.*syncbot check-state .* --salvage-into")
    assert str(path) in str(error)
    assert path.read_bytes() == b"this is not a database" * 1000


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
def test_a_truncated_file_is_refused_and_kept(path: Path, kept: float) -> None:
    """A file that lost its end is called damaged, and not changed."""
    whole = used_file(path)
    part = whole[: int(len(whole) * kept) // 4096 * 4096]
    path.write_bytes(part)
    refused(path, "damaged")
    assert path.read_bytes() == part


def test_damage_inside_is_found_at_opening(path: Path) -> None:
    """A page overwritten with garbage is found before the first poll."""
    whole = bytearray(used_file(path))
    for page in range(2, len(whole) // 4096):
        whole[page * 4096 : page * 4096 + 200] = os.urandom(200)
    path.write_bytes(whole)
    refused(path, "damaged")
    assert path.read_bytes() == whole


def test_damage_that_comes_later_is_not_retryable(path: Path) -> None:
    """A file that breaks while it is in use gives a StorageError that says to act, not to try again."""
    used_file(path)
    with opened(path, options=StoreOptions(check=False)) as store:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        with pytest.raises(StorageError, match="damaged") as caught:
            store.inbox.recover()
        assert not caught.value.retryable


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder in place of the file is named as one."""
    refused(tmp_path, "is a folder; name a file in it")


def test_a_socket_is_refused(tmp_path: Path) -> None:
    """Something that is neither file nor folder is refused without being opened."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        refused(tmp_path / "s", "not an ordinary file")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is a file is named as such."""
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "bot.db", "file")


def test_a_read_only_file_is_refused(open_folder: Path) -> None:
    """A file that the bot's user cannot write is a clear error."""
    path = open_folder / "bot.db"
    used_file(path)
    path.chmod(0o444)
    with as_ordinary_user():
        refused(path, "read-only for the bot's user")


def test_a_read_only_folder_is_refused(open_folder: Path) -> None:
    """A folder that cannot be written is a clear error, with a file in it or without."""
    with as_ordinary_user():
        used_file(open_folder / "bot.db")
    open_folder.chmod(0o555)
    with as_ordinary_user():
        refused(open_folder / "bot.db", "folder .* is read-only for the bot's user")
        refused(open_folder / "new.db", "cannot be used: Permission denied")
        refused(open_folder / "sub" / "new.db", "cannot be used: Permission denied")


def test_a_locked_file_is_worth_another_try(path: Path) -> None:
    """While another program holds the file, opening and storing fail as retryable, and work again when it lets go."""
    used_file(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    error = refused(path, "locked by another program", retryable=True)
    assert "fuser" in str(error)
    holder.close()
    with opened(path) as store:
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked") as caught:
            store.inbox.store([update(1000, "a")])
        assert caught.value.retryable
        writer.execute("ROLLBACK")
        writer.close()
        assert store.inbox.store([update(1000, "a")]) == 1


def test_a_deleted_file_does_not_swallow_updates(path: Path) -> None:
    """When the file is removed or replaced under a running bot, the batch is refused rather than lost."""
    with opened(path) as store:
        put(store.inbox, (1, "a"))
        path.unlink()
        with pytest.raises(StorageError, match="deleted or replaced"):
            store.inbox.store([update(2, "a")])
        path.write_bytes(b"")
        with pytest.raises(StorageError, match="deleted or replaced"):
            store.inbox.store([update(2, "a")])


def test_what_others_rely_on_waits_for_the_disk(path: Path) -> None:
    """A durable transaction is synchronous=FULL, any other NORMAL, in whatever order they come."""
    database = Database(path, BOT, QUICK)
    for durable in (True, False, False, True):
        with database.transaction(durable=durable) as db:
            assert db.execute("PRAGMA synchronous").fetchone() == (2 if durable else 1,)
    database.close()


def test_the_promised_steps_are_durable(path: Path) -> None:
    """Storing, queueing, the mark before sending, and second chances are durable: they notice that the file is gone."""
    with opened(path) as store:
        store.inbox.recover()
        put(store.inbox, (1, "a"))
        bury(store.inbox, store.inbox.claim()[0], "x")
        [letter] = store.dead_letters.entries()
        begun, held = store.outbox.put(OutboxCall("m", key="a"), OutboxCall("m", key="b"))
        store.outbox.claim("one", lease=60, limit=2)
        store.outbox.hold(held, "one", OutboxState.UNCERTAIN, "x")
        path.unlink()
        for act in (
            partial(store.inbox.store, [update(2)]),
            partial(store.dead_letters.requeue, letter.id),
            partial(store.outbox.put, OutboxCall("m")),
            partial(store.outbox.sending, begun, "one", lease=60),
            partial(store.outbox.retry, held),
        ):
            with pytest.raises(StorageError, match="deleted or replaced"):
                act()


def test_numbers_of_rows_never_come_twice(path: Path) -> None:
    """An update gets a number that no earlier one had, also after everything was handled and the file was opened again."""
    numbers: list[int] = []
    for id in range(6):
        with opened(path) as store:
            put(store.inbox, (id, "a"))
            store.inbox.recover()
            [claimed] = store.inbox.claim()
            numbers.append(claimed.row)
            finish(store.inbox, claimed)
    assert numbers == sorted(set(numbers))


def fill(store: Store, first: int) -> int:
    """Store batches of ten, beginning with this id, until the disk is full; returns the id that comes next."""
    for start in range(first, first + 10_000, 10):
        try:
            store.inbox.store([Incoming(n, str(n % 3), b"x" * 1000) for n in range(start, start + 10)])
        except StorageError as problem:
            if problem.retryable and "full" in str(problem):
                return start
            raise
    raise AssertionError("the disk never was full")


def test_a_full_file_refuses_whole_batches_and_goes_on_with_room(path: Path) -> None:
    """On a full disk a batch is stored whole or not at all, and with room everything goes on."""
    with SqliteStore(path, BOT, now=Clock(), options=StoreOptions(max_pages=60)) as store:
        store.inbox.recover()
        stored = fill(store, 0)
        assert store.inbox.counts().waiting == stored
        store.limit_pages(None)
        assert store.inbox.store([Incoming(n, str(n % 3), b"x" * 1000) for n in range(stored, stored + 10)]) == 10
        done = drain(store.inbox)
    assert sorted(done) == list(range(stored + 10))


def test_handling_makes_room_on_a_full_disk(path: Path) -> None:
    """While the disk is full updates can be finished, and their room is used again."""
    with opened(path, options=StoreOptions(max_pages=60)) as store:
        store.inbox.recover()
        next_id = handled = 0
        for _ in range(20):
            next_id = fill(store, next_id)
            handled += len(drain(store.inbox))
        assert handled == next_id > 1000


def test_a_failing_write_is_worth_another_try(path: Path) -> None:
    """When the system refuses to write further (a quota), nothing is half there, and it goes on when the limit is lifted."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with opened(path) as store:
        store.inbox.recover()
        put(store.inbox, (1, "a"))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size + 5000, before[1]))
            with pytest.raises(StorageError, match=r"could not be read or written|full") as caught:
                store.inbox.store([Incoming(n, "a", b"x" * 1000) for n in range(2, 100)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        assert caught.value.retryable
        assert store.inbox.counts().waiting == 1
        assert store.inbox.store([Incoming(n, "a", b"x" * 1000) for n in range(2, 100)]) == 98
        assert drain(store.inbox) == list(range(1, 100))


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_every_fault_has_words_without_gaps(code: int) -> None:
    """Each result code of the table, extended ones too, becomes a text with the path in it."""
    problem = sqlite3.OperationalError("detail")
    problem.sqlite_errorcode = code | (7 << 8)
    error = storage_error(problem, "/x/bot.db")
    assert error is not None
    assert "/x/bot.db" in str(error)
    assert "{" not in str(error)


def test_our_own_mistakes_are_not_dressed_up() -> None:
    """A wrong statement is not called a trouble with the file."""
    problem = sqlite3.OperationalError('near "SELEKT": syntax error')
    problem.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert storage_error(problem, "x") is None
    assert storage_error(sqlite3.ProgrammingError("wrong number of bindings"), "x") is None


def test_a_start_with_a_clock_that_is_far_ahead_forgets_nothing(path: Path) -> None:
    """A machine that begins in 2038 is set right within the hour: conversations, ids and dead letters are there as before. Where it goes on, they are old."""
    clock = Clock()
    with SqliteStore(path, BOT, now=clock, options=QUICK) as store:
        put(store.inbox, (1, "a"))
        store.inbox.recover()
        [claimed] = store.inbox.claim()
        bury(store.inbox, claimed, "it failed")
        set_state(store.data, 1, 1, "asked")
    clock.forward(4000 * 86_400.0)
    with SqliteStore(path, BOT, now=clock, options=QUICK) as store:
        store.inbox.recover()
        clock.forward(-4000 * 86_400.0)
        assert store.inbox.store([Incoming(1, "a", b"{}")]) == 0
        assert (store.dead_letters.count(), store.data.get_state(1, 1)) == (1, "asked")
        clock.forward(4000 * 86_400.0)
        store.maintain()
        assert (store.dead_letters.count(), store.data.get_state(1, 1)) == (0, None)
    clock.forward(31 * 86_400.0)
    with SqliteStore(path, BOT, now=clock, options=QUICK) as store:
        set_state(store.data, 1, 1, "old")
        clock.forward(29 * 86_400.0)
        put(store.inbox, (2, "a"))
        clock.forward(2 * 86_400.0)
        store.inbox.recover()
        assert store.data.get_state(1, 1) is None
