"""Damaged state files."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar

from kits.damage_kit import BOT, NOW, Cell, drive, fill, spoil

from fuzzing.mutation import mutate_json
from fuzzing.target import Target
from syncbot.errors import StorageError
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.sqlite.repair.checking import check, salvage
from syncbot.storage.sqlite.shapes import TABLES

_COLUMNS = tuple(f'["set","{table}","{column}"]' for table, columns in TABLES.items() for column in columns)
_STATEMENTS = (
    "DELETE FROM body WHERE seq % 2 = 0", "DELETE FROM meta", "DROP TABLE seen", "DROP INDEX outbox_turn", "ALTER TABLE inbox RENAME COLUMN chat TO room",
    "CREATE TRIGGER t BEFORE UPDATE ON inbox BEGIN SELECT RAISE(ABORT, 'no'); END", "CREATE VIEW v AS SELECT 1", "PRAGMA user_version = 99",
    "PRAGMA application_id = 7",
    "UPDATE inbox SET seq = seq + 9223372036854775000", "INSERT INTO dead_letter SELECT 9223372036854775807, 1, 'c', 0, 0, 1, 'r', x'7b7d'",
    "UPDATE sqlite_sequence SET seq = -1",
)  # fmt: skip
_FORBIDDEN = ("attach", "into", "load_extension")


class StateFiles(Target):
    """A list of damages is done to a state file as a killed process leaves it; every verb is called, and it is checked and salvaged."""

    about = "state files of a killed bot with damages: opened, every verb called, checked, salvaged"
    shape = staticmethod(mutate_json)
    longest = 3000
    words: ClassVar = (
        *(word.encode() for word in _COLUMNS),
        *(json.dumps(["sql", statement]).encode() for statement in _STATEMENTS),
        *(b'["write","",4096,"00ff00"]', b'["write","",20,"10000101"]', b'["write","-wal",24,"ffff"]'),
        *(b'["cut","",5000]', b'["cut","-wal",40]'),
        *(b'{"hex":"ff41fe"}', b'"waiting"', b'"running"', b'"yielded"', b'"done"', b'"claimed"', b'"sending"'),
        *(b'"[1"', b'"{}"', b"4096", b"100", b'""', b'"-wal"'),
    )  # fmt: skip
    seeds: ClassVar = (
        b"[]",
        b'[["write","",4100,"ffffffff"]]',
        b'[["write","",0,"00"],["cut","-wal",0]]',
        b'[["cut","",9000]]',
        b'[["write","-wal",100,"00112233"]]',
        b'[["set","inbox","state","odd"],["set","outbox","params","[1"]]',
        b'[["set","body","json",{"hex":"fffe"}],["set","meta","value","x"]]',
        b'[["set","journal","outcome","[1"],["set","journal","place",1e999]]',
        b'[["set","dead_letter","died",1e999],["set","data","value","NaN"]]',
        *(json.dumps([["sql", statement]]).encode() for statement in _STATEMENTS),
    )

    def open(self) -> None:
        """Make the whole file, with its log, as a killed process leaves them."""
        self.whole = self.folder / "whole"
        self.whole.mkdir()
        living = self.folder / "living.db"
        with open_store(living, BOT, now=lambda: NOW) as store:
            fill(store, 12)
            for path in self.folder.glob("living.db*"):
                shutil.copy(path, self.whole / path.name.replace("living.db", "bot.db"))

    def run(self, data: bytes) -> None:
        """One list of damages."""
        place = self.folder / "place"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.whole, place)
        path = place / "bot.db"
        damages = _damages(data)
        for damage in damages:
            with suppress(OSError, sqlite3.Error, ValueError, TypeError, OverflowError, UnicodeError, RecursionError, LookupError):
                _damage(path, damage)
        copy = place / "copy"
        copy.mkdir()
        for file in place.glob("bot.db*"):
            shutil.copy(file, copy)
        refused = self.attempt(lambda: drive(path, StoreOptions(busy_timeout=0.2, check=len(damages) % 2 == 0)), StorageError)
        self.planted((refused, damages))
        self._salvage(copy)

    def _salvage(self, folder: Path) -> None:
        findings = self.attempt(lambda: check(folder / "bot.db"), StorageError)
        if findings is None or self.attempt(lambda: salvage(findings, folder / "new.db"), StorageError) is None:
            return
        again = check(folder / "new.db")
        self.must(not again.troubles, f"what was salvaged is not whole: {again.troubles}")

    def plant(self, value: Any) -> bool:
        """A bug for a file that lacks two things, one of them in its log."""
        return bool(
            isinstance(value, tuple)
            and len(value[1]) > 1
            and value[0]
            and any(damage[:2] == ["cut", "-wal"] for damage in value[1] if isinstance(damage, list))
        )  # fmt: skip


def _damages(data: bytes) -> list[Any]:
    try:
        damages = json.loads(data)
    except (ValueError, RecursionError):
        return [["write", "", int.from_bytes(data[:2]), data[2:].hex()]]
    return damages[:20] if isinstance(damages, list) else [["sql", str(damages)]]


def _damage(path: Path, damage: Any) -> None:
    kind, *arguments = damage
    if not arguments:
        return
    if kind == "sql":
        if not any(word in str(arguments[0]).lower() for word in _FORBIDDEN):
            with closing(sqlite3.connect(path, isolation_level=None, timeout=0.1)) as db:
                db.execute(arguments[0])
    elif kind == "set":
        table, column, value = arguments
        if column in TABLES.get(table, ()):
            spoil(path, Cell(table, column, bytes.fromhex(value["hex"]) if isinstance(value, dict) else value))
    elif kind in ("write", "cut") and arguments[0] in ("", "-wal", "-shm"):
        _damage_bytes(path.with_name(path.name + arguments[0]), *arguments[1:])


def _damage_bytes(file: Path, offset: int, data: str | None = None) -> None:
    if data is None:
        with file.open("r+b") as handle:
            handle.truncate(min(offset, 1 << 20))
        return
    with file.open("r+b") as handle:
        handle.seek(min(offset, 1 << 20))
        handle.write(bytes.fromhex(data))
