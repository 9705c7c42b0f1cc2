"""State files that are full and then damaged: bytes, lengths and values, the same ones for the same seed.

```python
whole = filled(tmp_path / "whole.db")            # a state file with something in every table; returns its bytes
for damage in byte_damages(whole, seed=1, number=200):
    path.write_bytes(damage.data)
    drive(path)                                  # every verb; nothing but StorageError may come out, which is counted
for cell in bad_cells():
    if spoil(path, cell): drive(path)
```
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kits.storage_kit import BOT, bury, finish, set_state
from syncbot.errors import StorageError
from syncbot.storage import (
    Changes,
    DataChange,
    Incoming,
    JobEntry,
    JobStart,
    JournalKey,
    JournalStep,
    OutboxCall,
    OutboxState,
    Scope,
    StateChange,
    Store,
    StoreOptions,
    open_store,
)
from syncbot.storage.sqlite.shapes import TABLES

PAGE = 4096
ROWS = 40
"""Updates, letters, values, states and calls: enough for several pages of each table."""
NOW = 1_800_000_000.0
QUICK = StoreOptions(busy_timeout=0.2, check=False)
BAD_VALUES: tuple[object, ...] = (
    None, "", "abc", "\0", "NaN", "1e999", "9" * 5000, "[" * 50_000, "[1", "null", "[1]", '{"a":1}', '"x"',
    b"", b"\xff\xfe", b"{}", -1, 0, 7, 2**62, 2**63 - 1, -(2**63), 1.5, float("inf"), -float("inf"), 1e300,
    "CAST(x'ff41fe' AS TEXT)", "CAST(x'22ff22' AS TEXT)",
)  # fmt: skip
"""What a column may hold by damage; the two that begin with CAST are texts that are no UTF-8."""


@dataclass(frozen=True)
class Damage:
    """A damaged file: what was done to it, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Cell:
    """A bad value in a good table, in every second row of it."""

    table: str
    column: str
    value: object


def filled(path: Path, rows: int = ROWS) -> bytes:
    """Make a state file with something in every table and in every state; returns its bytes."""
    with open_store(path, BOT, now=lambda: NOW) as store:
        fill(store, rows)
    damaged(path, f"INSERT INTO album (seq, name, began, ready) SELECT seq, 'album', {NOW} - 3, {NOW} - 1 FROM inbox")  # albums that are complete
    return path.read_bytes()


def fill(store: Store, rows: int = ROWS) -> None:
    """Put something into every table: updates that wait, run and have yielded, letters, values, states, calls of every fate, facts."""
    padding = "x" * 300
    store.inbox.store([Incoming(n, str(n % 50), b'{"update_id":%d,"t":"%s"}' % (n, padding.encode())) for n in range(rows * 2)], next_offset=rows * 2)
    store.inbox.recover()
    for _ in range(rows):
        [claimed] = store.inbox.claim()
        bury(store.inbox, claimed, f"why {padding}")
    running = store.inbox.claim(3)
    store.inbox.yield_turn(running[0])
    for claimed in running:
        key = JournalKey(claimed.row, claimed.ticket)
        for number in range(rows // 4):
            store.journal.write(key, JournalStep(number, "sendMessage", "chat_id=7", '{"value":true}' if number else None))
    data = [DataChange(scope, n if scope is not Scope.BOT else 0, {f"k{n}": padding}) for n in range(rows) for scope in Scope]
    store.data.apply(Changes(tuple(data), tuple(StateChange(n, n, {"step": padding}) for n in range(rows))))
    store.outbox.put(*(OutboxCall("sendMessage", {"chat_id": str(n), "text": padding}, key=str(n), files=("f",), expires=NOW + 1e6) for n in range(rows)))
    for n, item in enumerate(store.outbox.claim("9-dead", lease=1e5, limit=12)):
        if n % 2:
            store.outbox.sending(item.id, "9-dead", lease=1e5)
        if n % 4 == 1:
            store.outbox.hold(item.id, "9-dead", OutboxState.UNCERTAIN if n % 8 == 1 else OutboxState.FAILED, "why")
    store.jobs.put(*(JobEntry(f"k{n}", "remind", {"every": 60.0}, NOW + n - 5, n, data=padding, declared=n % 9 == 0) for n in range(rows)))
    for name, value in (("idle_limit", 20), ("username", "a_bot"), ("mode", "polling"), ("facts", {"ok": True, "at": NOW})):
        store.meta.set(name, value)


def lay(path: Path, data: bytes) -> None:
    """Put these bytes into place, and take away what belongs to the file before."""
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    path.write_bytes(data)


def damaged(path: Path, *statements: str) -> None:
    """Do this to a file behind everybody's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def byte_damages(whole: bytes, *, seed: int, number: int) -> Iterator[Damage]:
    """Damages of a file's bytes: flipped bits, noise at every page, runs of zeros, pages exchanged, ends cut off, another text in place of one."""
    chance = random.Random(seed)
    pages = len(whole) // PAGE
    for turn in range(number):
        data = bytearray(whole)
        page = turn % pages if turn < pages else chance.randrange(pages)
        start = page * PAGE
        kind = turn % 7
        if kind == 0:
            for _ in range(chance.randint(1, 8)):
                data[start + chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            at, length = start + chance.randrange(PAGE - 64), chance.randint(1, 64)
            data[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            data[start : start + PAGE] = bytes(PAGE) if turn % 2 else chance.randbytes(PAGE)
        elif kind == 3:
            other = chance.randrange(pages) * PAGE
            data[start : start + PAGE] = whole[other : other + PAGE]
        elif kind == 4:
            del data[chance.randrange(len(whole)) :]
        elif kind == 5:
            at = start + chance.choice((0, 100 if page == 0 else 8))
            data[at : at + 16] = chance.randbytes(16)
        else:
            for word in (b"waiting", b"update_id", b"queued", b"CREATE", b"inbox"):
                if (found := data.find(word, start)) >= 0:
                    data[found : found + 3] = bytes((0xFF, 0xFE, chance.randrange(256)))
        yield Damage(f"{turn}: {('bits', 'noise', 'page', 'other page', 'cut', 'header', 'text')[kind]} at page {page}", bytes(data))


def bad_cells() -> Iterator[Cell]:
    """Every bad value in every column of every table, and in the numbers that SQLite keeps itself."""
    for table, columns in {**TABLES, "sqlite_sequence": ("name", "seq")}.items():
        for column in columns:
            for value in BAD_VALUES:
                yield Cell(table, column, value)


def spoil(path: Path, cell: Cell) -> bool:
    """Write a bad value into every second row, past the constraints; False where SQLite cannot hold it there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        is_cast = isinstance(cell.value, str) and cell.value.startswith("CAST")
        value, given = (cell.value, ()) if is_cast else ("?", (cell.value,))
        try:
            if cell.value is None:
                with _without_constraints(db, path) as free:
                    free.execute(f"UPDATE {cell.table} SET {cell.column} = NULL WHERE {_second(cell.table)}")
            else:
                db.execute(f"UPDATE OR IGNORE {cell.table} SET {cell.column} = {value} WHERE {_second(cell.table)}", given)
        except (sqlite3.IntegrityError, sqlite3.OperationalError):
            return False
        return True


def _second(table: str) -> str:
    key = {"meta": "name NOT LIKE 'store.%'", "data": "owner % 2 = 0", "conversation": "user % 2 = 0", "sqlite_sequence": "rowid = 1"}
    return key.get(table, "rowid % 2 = 0")


def _without_constraints(db: sqlite3.Connection, path: Path) -> closing[_Free]:
    return closing(_Free(db, path))


class _Free:
    """A connection to which no column is NOT NULL; the file's tables say again that they are when it is closed."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path
        self._tables = db.execute("SELECT rowid, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        self._set_schema(lambda sql: sql.replace(" NOT NULL", ""))

    def execute(self, sql: str) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as free:
            free.execute(sql)

    def close(self) -> None:
        self._set_schema(lambda sql: sql)

    def _set_schema(self, change: Callable[[str], str]) -> None:
        self._db.execute("PRAGMA writable_schema = ON")
        self._db.executemany("UPDATE sqlite_master SET sql = ? WHERE rowid = ?", [(change(sql), rowid) for rowid, sql in self._tables])
        version = self._db.execute("PRAGMA schema_version").fetchone()[0]
        self._db.execute(f"PRAGMA schema_version = {version + 1}")
        self._db.execute("PRAGMA writable_schema = OFF")


def drive(path: Path, options: StoreOptions = QUICK) -> int:
    """Open a file and call every verb of it; returns how many ended with a StorageError. Whatever else one raises comes out.

    No error may call itself passing: a start again and again would follow.
    """
    refused = 0
    try:
        store = open_store(path, BOT, now=lambda: NOW, options=options)
    except StorageError as problem:
        _lasting(problem)
        return 1
    with store:
        for verb in verbs(store):
            try:
                verb()
            except StorageError as problem:
                _lasting(problem)
                refused += 1
    return refused


def _lasting(problem: StorageError) -> None:
    if problem.retryable:
        raise AssertionError(f"damage is said to pass: {problem}")


def verbs(store: Store) -> list[Callable[[], object]]:
    """Every verb of a store, in an order in which each finds something to do."""
    inbox, letters, data, outbox, jobs, meta = store.inbox, store.dead_letters, store.data, store.outbox, store.jobs, store.meta
    return [
        store.changed_by_others,
        inbox.next_offset,
        inbox.counts,
        inbox.recover,
        lambda: inbox.store([Incoming(n, "7", b"{}") for n in (1, 2, 100_000)], next_offset=5),
        partial(_handle, store),
        inbox.counts,
        *(partial(letters.get, id) for id in (1, 2, 9999)),
        letters.count,
        partial(_pages, lambda before: letters.entries(50, before=before)),
        lambda: letters.requeue(2) and letters.requeue(3),
        lambda: letters.drop(4),
        *(partial(data.load, scope, owner) for scope in Scope for owner in (0, 1, 2)),
        *(partial(data.get_state, n, n) for n in (1, 2)),
        lambda: data.save(Scope.USER, 2, {"new": 1}, ["k2"]),
        lambda: set_state(data, 2, 2, "new"),
        outbox.counts,
        outbox.outlook,
        lambda: outbox.put(OutboxCall("sendMessage", key="4")),
        partial(_deliver, store),
        lambda: outbox.abandon("9-dead"),
        partial(_pages, lambda after: outbox.entries(limit=50, after=after or 0)),
        lambda: outbox.entries(OutboxState.UNCERTAIN, OutboxState.FAILED),
        *(partial(outbox.get, id) for id in (1, 2, 4)),
        jobs.entries,
        partial(jobs.get, "k3"),
        partial(jobs.next_time, ["remind"]),
        lambda: jobs.begin([JobStart(entry, NOW + 60, "7", b'{"job":{}}') for entry in jobs.due(NOW + 9, ["remind"])]),
        lambda: jobs.change("k5", paused=True),
        lambda: jobs.remove("k6"),
        lambda: jobs.put(JobEntry("k7", "other", {"at": NOW}, NOW)),
        lambda: jobs.declare([JobEntry("k8", "other", {"at": NOW}, NOW, declared=True)]),
        lambda: outbox.retry(2),
        *(partial(outbox.drop, id) for id in (3, 4)),
        lambda: outbox.purge(-1e6),
        *(partial(meta.get, name) for name in ("idle_limit", "username", "mode", "facts", "none")),
        lambda: meta.set("mode", "webhook"),
        lambda: meta.set("username", None),
        store.maintain,
    ]


def _handle(store: Store) -> None:
    store.inbox.recover()  # again: it may have been refused
    claimed = store.inbox.claim(20)
    store.inbox.release(*claimed[10:])
    for n, one in enumerate(claimed[:10]):
        one.body.decode("utf-8", "replace")
        key = JournalKey(one.row, one.ticket)
        assert all(isinstance(step.what, str) for step in store.journal.steps(key))
        store.journal.write(key, JournalStep(n, "sendMessage", "chat_id=7"))
        store.journal.cut(key, n + 1)
        if n == 0:
            store.inbox.yield_turn(one)
            store.inbox.take_turn(one)
        if n % 2:
            bury(store.inbox, one, "why")
        else:
            finish(store.inbox, one, Changes((DataChange(Scope.USER, n, {"n": n}),)) if n % 4 else Changes())


def _deliver(store: Store) -> None:
    for n, item in enumerate(store.outbox.claim("1-mine", lease=60.0, limit=4)):
        assert isinstance(item.call.params, dict)
        store.outbox.sending(item.id, "1-mine", lease=60.0)
        if n % 3 == 0:
            store.outbox.sent(item.id, "1-mine")
        elif n % 3 == 1:
            store.outbox.put_off(item.id, "1-mine", until=NOW + 5, reason="later")
        else:
            store.outbox.hold(item.id, "1-mine", OutboxState.FAILED, "why")


def _pages(page: Callable[[int | None], list[object]]) -> None:
    last: int | None = None
    while found := page(last):
        last = found[-1].id  # type: ignore[attr-defined]  # letters and calls both have one
