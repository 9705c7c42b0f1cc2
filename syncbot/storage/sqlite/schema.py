"""The tables of the state file, as numbered migrations, and the marks by which a file is known as ours.

The inbox is two tables: a slim one that is scanned for what is next, and one with the bodies. A row's `state` is waiting, running,
yielded (running, but its turn is given away), asking (in nobody's hands until its question is answered) or done. Done rows are swept by the next batch's
transaction, which writes the same pages anyway; the row with the highest number stays, so that numbers never come twice.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.storage.codec import Unreadable, encode
from syncbot.storage.sqlite.shapes import MOST_NUMBER, fact

_log = logging.getLogger(__name__)

APPLICATION_ID = 0x53594E42
"""Stands in the header of every state file ("SYNB")."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE inbox (
            seq INTEGER PRIMARY KEY, update_id INTEGER NOT NULL, chat TEXT NOT NULL, stored REAL NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting', run INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0, suspect INTEGER NOT NULL DEFAULT 0)""",
        "CREATE TABLE body (seq INTEGER PRIMARY KEY, json BLOB NOT NULL)",
        "CREATE TABLE seen (update_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at REAL NOT NULL)",
        """CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT, update_id INTEGER NOT NULL, chat TEXT NOT NULL, stored REAL NOT NULL, died REAL NOT NULL,
            attempts INTEGER NOT NULL, reason TEXT NOT NULL, json BLOB NOT NULL)""",
        """CREATE TABLE data (
            scope TEXT NOT NULL, owner INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (scope, owner, name)) WITHOUT ROWID""",
        """CREATE TABLE conversation (
            chat INTEGER NOT NULL, user INTEGER NOT NULL, state TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (chat, user)) WITHOUT ROWID""",
        """CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, method TEXT NOT NULL, params TEXT NOT NULL, files TEXT NOT NULL,
            created REAL NOT NULL, not_before REAL NOT NULL, expires REAL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            owner TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '')""",
        "CREATE INDEX outbox_turn ON outbox (chat, id) WHERE state IN ('queued', 'claimed', 'sending')",
    ),
    ("UPDATE conversation SET at = (julianday('now') - 2440587.5) * 86400.0",),  # states expire from here on, and older ones not before their time is over anew
    ("CREATE TABLE journal (place INTEGER PRIMARY KEY, what TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT)",),
    (
        """CREATE TABLE job (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, rule TEXT NOT NULL, next_time REAL NOT NULL, chat INTEGER, user INTEGER,
            data TEXT NOT NULL, missed TEXT NOT NULL, paused INTEGER NOT NULL, declared INTEGER NOT NULL, run INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX job_turn ON job (next_time)",
    ),
    ("CREATE TABLE album (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, began REAL NOT NULL, ready REAL NOT NULL)",),
    (
        """CREATE TABLE question (
            seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, what TEXT NOT NULL, chat INTEGER, user INTEGER, wants TEXT NOT NULL, asked REAL NOT NULL,
            until REAL)""",
    ),
)
"""Each is applied once, in one transaction; `PRAGMA user_version` says how many were. Never change one that was released: add another."""


_SQLITES_OWN = {
    "outbox": {("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)")},
    "job": {("sqlite_autoindex_job_1", "None")},
}
"""By the table that asks for it: what SQLite adds by itself."""


def check_ours(db: sqlite3.Connection, path: str) -> bool:
    """Look, without writing, whether the file is one of ours; False for an empty one that still has to be made.

    Raises:
        StorageError: it belongs to another program or to a newer syncbot.
    """
    # In this order: another process may be making the file. It writes the mark together with all else, so that who sees anything sees the mark too.
    is_empty = not _number(db, "SELECT count(*) FROM sqlite_master")
    version = _number(db, "PRAGMA user_version")
    mark = _number(db, "PRAGMA application_id")
    if mark != APPLICATION_ID:
        if mark == 0 and version == 0 and is_empty:
            return False
        raise StorageError(f"{path} is a database of another program; choose another path for the state file with state= or SYNCBOT_STATE")
    if version < 0:
        raise Unreadable(f"its format is {version}")
    if version > len(MIGRATIONS):
        raise StorageError(
            f"the state file {path} was written by a newer syncbot (its format is {version}, this one knows {len(MIGRATIONS)}); "
            "install that version again (pip install --upgrade syncbot), or choose another path"
        )
    return True


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Bring the tables up to date; many processes may do so at once. Of a file of an earlier format a copy is kept, and its name told."""
    if _number(db, "PRAGMA user_version") == len(MIGRATIONS):
        return
    copy: Path | None = None
    db.execute("BEGIN IMMEDIATE")
    try:
        check_ours(db, path)  # again, now that nobody else can write
        version = _number(db, "PRAGMA user_version")
        if 0 < version < len(MIGRATIONS):
            from syncbot.storage.sqlite.upgrade.kept_copy import keep_copy  # deferred: once in the life of a file

            copy = keep_copy(Path(path), version)
        for statement in (statement for statements in MIGRATIONS[version:] for statement in statements):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if copy is not None:
            copy.unlink(missing_ok=True)  # nothing has changed, and the next attempt keeps one again
        raise
    if copy is not None:
        _log.warning("the state file %s has been brought to the format of this release; as it was before, it is kept in %s", path, copy)


def check_tables(db: sqlite3.Connection) -> None:
    """See to it that the tables are ours to the letter, those of the file's own format, and that their rows can be counted on.

    Raises:
        Unreadable: something is missing or was changed; the text says what.
    """
    found = {(str(name), str(sql)) for name, sql in db.execute("SELECT name, sql FROM sqlite_master")}
    if wrong := sorted({name for name, _ in _expected(_format(db)) - found}):
        raise Unreadable(f"{', '.join(wrong)} is missing or was changed by another program")
    if wrong := sorted(str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")):
        raise Unreadable(f"another program has put the trigger {', '.join(wrong)} into it")
    for (highest,) in db.execute("SELECT max(seq) FROM sqlite_sequence UNION ALL SELECT max(id) FROM dead_letter UNION ALL SELECT max(id) FROM outbox"):
        if highest is not None and not (isinstance(highest, int) and highest < MOST_NUMBER):
            raise Unreadable(f"its rows are numbered up to {highest!r:.40}")  # SQLite would say that the disk is full


def tables_to_come(db: sqlite3.Connection) -> set[str]:
    """The tables that a file of an earlier format has not yet, and that opening it makes."""
    names = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master")}
    later = _expected(len(MIGRATIONS)) - _expected(_format(db))
    return {name for name, _ in later} - names


def _format(db: sqlite3.Connection) -> int:
    """The format that a file says it has; today's where it says what cannot be."""
    version = _number(db, "PRAGMA user_version")
    return version if 0 < version < len(MIGRATIONS) else len(MIGRATIONS)


def _expected(version: int) -> set[tuple[str, str]]:
    """Name and definition of everything that the migrations make up to a format, as SQLite keeps them: word for word."""
    statements = (statement for statements in MIGRATIONS[:version] for statement in statements)
    made = {(statement.split()[2], statement) for statement in statements if statement.startswith("CREATE")}
    return made | {own for name, _ in made for own in _SQLITES_OWN.get(name, ())}


def bind(db: sqlite3.Connection, path: str, bot_id: int | None) -> int:
    """Write whose file it is, if nobody has, and return whose it is.

    Raises:
        StorageError: it is another bot's, or nobody's when none was asked for.
    """
    query = "SELECT value FROM meta WHERE name = 'store.bot_id'"
    row = db.execute(query).fetchone()
    if row is None and bot_id is not None:
        db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('store.bot_id', ?)", (encode(bot_id, "the bot's id"),))
        row = db.execute(query).fetchone()  # another process may have been quicker
    if row is None:
        raise StorageError(f"the state file {path} belongs to no bot yet; start the bot once")
    owner = fact(row[0], "the bot's id in it")
    if bot_id not in (None, owner):
        raise StorageError(
            f"the state file {path} belongs to bot {owner}, and this is bot {bot_id}; give each bot a file of its own with state= or SYNCBOT_STATE"
        )
    return owner


def _number(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])
