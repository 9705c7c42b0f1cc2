# ruff: noqa: S608 - statements are composed of constants only
"""Whether a state file is whole, what is wrong with it, and a new file of what can be read."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncbot.errors import StorageError
from syncbot.storage.codec import Unreadable
from syncbot.storage.promises.store import StoreOptions
from syncbot.storage.sqlite.database import Database, Row
from syncbot.storage.sqlite.inbox_rows import bury_values
from syncbot.storage.sqlite.repair.wreck import Wreck, opened_copy
from syncbot.storage.sqlite.schema import check_ours, check_tables, tables_to_come
from syncbot.storage.sqlite.shapes import MOST_NUMBER, TABLES, fact, read_row

_MOST_WORDS = 5
_KEPT = ("meta", "seen", "data", "conversation", "outbox", "journal", "job", "album", "question")
"""The tables whose sound rows go into a new file as they are, and whose damaged ones are lost."""
_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)


@dataclass
class TableFindings:
    """What a table holds.

    Args:
        sound: its sound rows.
        damaged: the others, and what is wrong with each.
        trouble: why there may be rows that cannot be read at all; "" for a table that was read to its end.
    """

    sound: list[Row] = field(default_factory=list)
    damaged: list[tuple[Row, str]] = field(default_factory=list)
    trouble: str = ""


@dataclass
class Findings:
    """What a look through a state file found.

    Args:
        path: the file.
        bot_id: whose it is; None where it does not say so any more.
        troubles: what is wrong, a line each; none for a file that is whole.
        tables: what each table holds.
        numbers: the highest number that each numbered table has given.
    """

    path: Path
    bot_id: int | None = None
    troubles: list[str] = field(default_factory=list)
    tables: dict[str, TableFindings] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Salvaged:
    """What went into the new file: rows by table, and what could not be kept as it was."""

    saved: Mapping[str, int]
    lost: Mapping[str, int]
    letters: int
    """Updates that can only be looked at: they went to the dead letters."""


def check(path: Path) -> Findings:
    """Look through a state file, which is only read, and not changed.

    Raises:
        StorageError: there is nothing to look at, or it is another program's, or a newer syncbot's.
    """
    if not os.path.isfile(path):
        raise StorageError(f"there is no state file {path}")
    findings = Findings(path)
    with opened_copy(path) as wreck:
        if wreck.trouble:
            findings.troubles.append(f"it cannot be opened as it is: {wreck.trouble}")
        else:
            _look_at_structure(wreck.db, findings)
        to_come = _tables_to_come(wreck)
        for name in TABLES:
            findings.tables[name] = TableFindings() if name in to_come else _look_at_table(wreck, name, findings)
        with suppress(*_ERRORS):
            rows = wreck.db.execute("SELECT name, seq FROM sqlite_sequence")
            findings.numbers = {name: seq for name, seq in rows if name in ("dead_letter", "outbox") and type(seq) is int and 0 < seq < MOST_NUMBER}
    _look_at_facts(findings)
    _look_at_references(findings)
    return findings


def salvage(findings: Findings, new: Path, bot_id: int | None = None) -> Salvaged:
    """Write what can be read into a new file.

    Args:
        findings: what was found.
        new: the file, which must not exist; mode 600.
        bot_id: whose it is, where the old one does not say it any more.

    Raises:
        StorageError: the file exists already, cannot be made, or nobody knows whose it is; then no new file is left.
    """
    owner = findings.bot_id if findings.bot_id is not None else bot_id
    if owner is None:
        raise StorageError(f"whose file {findings.path} is cannot be read any more; give the bot's token, in the environment or with --env-file")
    if any(os.path.lexists(f"{new}{end}") for end in ("", "-wal", "-shm")):
        raise StorageError(f"{new} exists already, and nothing is written over; give a name that is free")
    try:
        database = Database(new, owner, StoreOptions())
        try:
            with database.transaction(durable=True) as db:
                return _write(db, findings)
        finally:
            database.close()
    except BaseException:
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):  # none was made
                os.unlink(f"{new}{end}")
        raise


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _look_at_structure(db: sqlite3.Connection, findings: Findings) -> None:
    path = str(findings.path)
    try:
        tables = ""
        try:
            check_tables(db)
        except Unreadable as problem:
            tables = str(problem)
        try:
            if not check_ours(db, path):
                raise StorageError(f"the state file {path} is empty; start the bot once to make it anew")
        except (StorageError, Unreadable) as problem:
            if tables and isinstance(problem, StorageError):
                raise  # with our tables it is ours, whatever its marks say
            findings.troubles.append(str(problem))
        if tables:
            findings.troubles.append(tables)
        found = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({_MOST_WORDS})")]
    except _ERRORS as problem:
        found = [str(problem)]
    findings.troubles += [f"integrity check: {' '.join(words.split())}" for words in found if words != "ok"]


def _tables_to_come(wreck: Wreck) -> set[str]:
    with suppress(*_ERRORS):
        return tables_to_come(wreck.db)
    return set()


def _look_at_table(wreck: Wreck, name: str, findings: Findings) -> TableFindings:
    rows, trouble = wreck.table(name)
    table = TableFindings(trouble=trouble)
    for row in rows:
        _, faults = read_row(name, tuple(TABLES[name]), row)
        if faults:
            table.damaged.append((row, faults))
        else:
            table.sound.append(row)
    if trouble:
        findings.troubles.append(f"{name}: {len(rows)} rows can be read, and not all ({trouble})")
    if table.damaged:
        words = Counter(faults for _, faults in table.damaged).most_common(_MOST_WORDS)
        listed = ", ".join(f"{faults} ({number})" for faults, number in words)
        findings.troubles.append(f"{name}: {len(table.damaged)} of {len(rows)} rows are damaged: {listed}")
    return table


def _look_at_facts(findings: Findings) -> None:
    """The store's own numbers are facts that are sound by themselves; one that is no number is taken out."""
    meta = findings.tables["meta"]
    for row in tuple(meta.sound):
        name, value = row
        if name.startswith("store."):
            try:
                number = fact(value, name)
            except Unreadable as problem:
                meta.sound.remove(row)
                meta.damaged.append((row, str(problem)))
                findings.troubles.append(f"meta: {problem}")
            else:
                findings.bot_id = number if name == "store.bot_id" else findings.bot_id
    if findings.bot_id is None:
        findings.troubles.append("meta: it does not say whose file it is")


def _look_at_references(findings: Findings) -> None:
    """Each update that waits has a row in two tables."""
    inbox, body = findings.tables["inbox"], findings.tables["body"]
    rows = {row[0] for row in inbox.sound} | {row[0] for row, _ in inbox.damaged}
    bodies = {row[0] for row in body.sound} | {row[0] for row, _ in body.damaged}
    state = tuple(TABLES["inbox"]).index("state")
    if missing := sum(row[0] not in bodies and row[state] != "done" for row in inbox.sound):
        findings.troubles.append(f"inbox: {missing} updates themselves are missing")
    if missing := len(bodies - rows):
        findings.troubles.append(f"body: {missing} updates have lost their places in the inbox")


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(db: sqlite3.Connection, findings: Findings) -> Salvaged:
    saved: dict[str, int] = {}
    for name in ("dead_letter", *_KEPT):
        rows = [row for row in findings.tables[name].sound if row[0] != "store.bot_id"]
        saved[name] = len(rows)
        db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(TABLES[name]))})", rows)
    db.execute("UPDATE conversation SET at = ?", (time.time(),))  # the file may be of a release that knew no expiry
    _write_numbers(db, findings)
    letters = _write_letters(db, findings) + _write_updates(db, findings, saved)
    lost = {
        name: len(findings.tables[name].damaged)
        for name in ("meta", "seen", "data", "conversation", "outbox", "journal", "job", "question")
        if findings.tables[name].damaged
    }
    return Salvaged(saved, lost, letters)


def _write_numbers(db: sqlite3.Connection, findings: Findings) -> None:
    """Numbers that were given before are not given again."""
    for name, number in findings.numbers.items():
        if not db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name)).rowcount:
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, number))


def _write_letters(db: sqlite3.Connection, findings: Findings) -> int:
    """Dead letters of which something is damaged, with what can be read of them."""
    columns = tuple(TABLES["dead_letter"])
    for row, faults in findings.tables["dead_letter"].damaged:
        values, _ = read_row("dead_letter", columns, row)
        letter = dict(zip(columns, values, strict=True))
        bury_values(db, letter, letter["json"], f"{faults}\n{letter['reason']}", letter["died"])
    return len(findings.tables["dead_letter"].damaged)


def _write_updates(db: sqlite3.Connection, findings: Findings, saved: dict[str, int]) -> int:
    """The inbox, and what was in it and has to go to the dead letters; returns how many those are."""
    columns = tuple(TABLES["inbox"])
    inbox, body = findings.tables["inbox"], findings.tables["body"]
    bodies: dict[int, Any] = dict(body.sound)
    others: dict[int, Any] = {**bodies, **{row[0]: row[1] for row, _ in body.damaged}}
    letters: list[tuple[dict[str, Any], str]] = []
    saved["inbox"] = 0
    for row in inbox.sound:
        values = dict(zip(columns, row, strict=True))
        if row[0] not in bodies and values["state"] != "done":
            letters.append((values, "the update itself is damaged or missing"))
            continue
        db.execute(f"INSERT INTO inbox VALUES ({', '.join('?' * len(columns))})", row)
        saved["inbox"] += values["state"] != "done"
        if (update := bodies.pop(row[0], None)) is not None:
            db.execute("INSERT INTO body VALUES (?, ?)", (row[0], update))
            others.pop(row[0])
    for row, faults in inbox.damaged:
        readable, _ = read_row("inbox", columns, row)
        letters.append((dict(zip(columns, (row[0], *readable[1:]), strict=True)), faults))
    known = {values["seq"] for values, _ in letters}
    letters += [(_nobody(seq, update), "its place in the inbox is missing") for seq, update in others.items() if seq not in known]
    for values, faults in letters:
        bury_values(db, values, others.get(values["seq"]), faults, values["stored"])
    return len(letters)


def _nobody(seq: int, update: object) -> dict[str, Any]:
    """An inbox row for an update that has none."""
    update_id = 0
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        found = json.loads(update).get("update_id")  # type: ignore[arg-type]  # whatever it is
        update_id = found if type(found) is int and 0 <= found < MOST_NUMBER else 0
    return {"seq": seq, "update_id": update_id, "chat": "", "stored": 0.0, "attempts": 0}
