"""`check` finds what is wrong with a state file, and `salvage` saves what can be read: on a copy, into a file that was not there."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kits.damage_kit import BAD_VALUES, Cell, byte_damages, damaged, drive, filled, lay, spoil
from kits.storage_kit import BOT, drain

from syncbot.errors import StorageError
from syncbot.storage import Incoming, OutboxCall, Scope, StoreOptions, open_store
from syncbot.storage.sqlite.repair.checking import Findings, check, salvage
from syncbot.storage.sqlite.shapes import TABLES

_PAGE = 4096
Rows = dict[str, set[Any]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a state file that holds something everywhere, on several pages of each table."""
    return filled(tmp_path_factory.mktemp("whole") / "whole.db", 500)


@pytest.fixture(scope="module")
def everything(whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What stands in that file."""
    path = tmp_path_factory.mktemp("everything") / "bot.db"
    lay(path, whole)
    return rows_of(path)


def rows(findings: Findings) -> Rows:
    """What is sound in it; the ages of conversations begin anew in what is saved."""
    sound = {name: set(table.sound) for name, table in findings.tables.items()}
    return {**sound, "conversation": {row[:-1] for row in sound["conversation"]}}


def rows_of(path: Path) -> Rows:
    """What stands in a file that is whole."""
    findings = check(path)
    assert findings.troubles == []
    return rows(findings)


def pages_of(path: Path, table: str) -> list[int]:
    """The pages that a table's rows lie on, from 0."""
    with closing(sqlite3.connect(path)) as db:
        return [number - 1 for (number,) in db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,))]


def listed(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_whole_file_is_whole_and_saved_entirely(folder: Path, whole: bytes) -> None:
    """Nothing is found, everything is saved for the same bot, and the file is not touched."""
    path = folder / "bot.db"
    lay(path, whole)
    before = listed(folder)
    findings = check(path)
    assert (findings.troubles, findings.bot_id) == ([], BOT)
    assert listed(folder) == before
    saved = salvage(findings, folder / "new.db")
    assert (saved.lost, saved.letters) == ({}, 0)
    assert saved.saved["inbox"] == 500
    assert rows_of(folder / "new.db") == rows(findings)
    assert stat.S_IMODE((folder / "new.db").stat().st_mode) == 0o600
    assert {name: content for name, content in listed(folder).items() if not name.startswith("new.db")} == before
    with pytest.raises(StorageError, match="belongs to bot"):
        open_store(folder / "new.db", BOT + 1)
    assert drive(folder / "new.db") == 0


@pytest.mark.parametrize("is_linked", [False, True])
def test_what_stands_only_in_the_log_is_saved(folder: Path, is_linked: bool) -> None:
    """The write-ahead log of a process that died counts, and stays as it is, also where the file is named by a link."""
    path = folder / "bot.db"
    with open_store(folder / "live.db", BOT) as store:
        store.inbox.store([Incoming(n, str(n), b'{"update_id":%d}' % n) for n in range(50)])
        for end in ("", "-wal"):
            Path(f"{path}{end}").write_bytes(Path(f"{folder / 'live.db'}{end}").read_bytes())
    (folder / "link.db").symlink_to(path)
    before = listed(folder)
    assert salvage(check(folder / "link.db" if is_linked else path), folder / "new.db").saved["inbox"] == 50
    assert {name: content for name, content in listed(folder).items() if not name.startswith("new.db")} == before


@pytest.mark.parametrize("table", ["inbox", "body", "seen", "dead_letter", "data", "conversation", "outbox", "job"])
def test_rows_behind_destroyed_pages_are_saved(folder: Path, whole: bytes, everything: Rows, table: str) -> None:
    """Where the first page of a table's rows, one in the middle and the last are destroyed, every row of all the other pages is saved."""
    path = folder / "bot.db"
    lay(path, whole)
    pages = pages_of(path, table)
    assert len(pages) >= 4
    data = bytearray(whole)
    for page in (pages[0], pages[len(pages) // 2], pages[-1]):
        data[page * _PAGE : (page + 1) * _PAGE] = b"\xa5" * _PAGE
    lay(path, bytes(data))
    findings = check(path)
    assert any(trouble.startswith(table) and "not all" in trouble for trouble in findings.troubles)
    found = rows(findings)
    for name, expected in everything.items():
        if name != table:
            assert found[name] == expected
    lost = len(everything[table] - found[table])
    most = 3 * max(1, round(len(everything[table]) / len(pages) * 2))
    assert 0 < lost <= most
    assert found[table] <= everything[table]
    salvage(findings, folder / "new.db")
    assert drive(folder / "new.db") == 0


@pytest.mark.parametrize("destroy", [16, 100, 1000, _PAGE])
def test_a_destroyed_beginning_costs_no_row(folder: Path, whole: bytes, everything: Rows, destroy: int) -> None:
    """The header, and the whole first page with the list of tables, can be made anew."""
    path = folder / "bot.db"
    lay(path, b"\xff" * destroy + whole[destroy:])
    findings = check(path)
    assert "cannot be opened as it is" in findings.troubles[0]
    assert rows(findings) == everything
    assert findings.bot_id == BOT


def test_a_file_without_its_end_gives_what_is_left(folder: Path, whole: bytes, everything: Rows) -> None:
    """Of a file that was cut in the middle everything before the cut that can be reached is saved."""
    path = folder / "bot.db"
    lay(path, whole[: len(whole) // 2 + 1000])
    findings = check(path)
    saved = salvage(findings, folder / "new.db")
    assert sum(saved.saved.values()) > 100
    assert all(found <= everything[name] for name, found in rows(findings).items())
    assert drive(folder / "new.db") == 0


@pytest.mark.parametrize("chunk", [0, *(pytest.param(chunk, marks=pytest.mark.slow) for chunk in range(1, 4))])
def test_whatever_is_damaged_a_whole_file_comes_of_it(folder: Path, chunk: int) -> None:
    """Of 100 damaged files each is looked through without another error than ours, and what is saved is a whole file with every sound row."""
    path, new = folder / "bot.db", folder / "new.db"
    small = filled(folder / "small.db", 24)
    known = {name: len(sound) for name, sound in rows_of(folder / "small.db").items()}
    for damage in byte_damages(small, seed=100 + chunk, number=25):
        lay(path, damage.data)
        new.unlink(missing_ok=True)
        if len(damage.data) < _PAGE:
            continue
        findings = check(path)
        salvage(findings, new, BOT)
        saved = rows_of(new)
        for name in ("inbox", "data", "outbox", "job"):
            assert saved[name] == findings_minus(findings, name, saved), damage.name
        assert damage.data == path.read_bytes()
        counts = {name: len(sound) for name, sound in rows(findings).items()}
        assert findings.troubles or counts == known, damage.name  # that a letter of a text was changed cannot be seen


def findings_minus(findings: Findings, name: str, saved: Rows) -> set[Any]:
    """The sound rows of a table; of the inbox, those that have their updates too."""
    sound = set(findings.tables[name].sound)
    return {row for row in sound if row in saved["inbox"]} if name == "inbox" else sound


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "every"])
@pytest.mark.parametrize("table", list(TABLES))
def test_damaged_values_are_told_and_the_other_rows_are_saved(folder: Path, table: str, every: bool) -> None:
    """For each column and a few bad values, or one of them in turn: the rows with them are counted with words, and each other row is in the new file."""
    path, new = folder / "bot.db", folder / "new.db"
    small = filled(folder / "small.db", 12)
    everything = rows_of(folder / "small.db")
    bad_values = (BAD_VALUES[-1], float("inf"), b"\xff\xfe")
    for number, column in enumerate(TABLES[table]):
        for value in bad_values if every else [bad_values[number % 3]]:
            lay(path, small)
            new.unlink(missing_ok=True)
            if not spoil(path, Cell(table, column, value)):
                continue
            findings = check(path)
            bad = findings.tables[table].damaged
            if (table, column) == ("dead_letter", "json") and value == b"\xff\xfe":
                assert not bad  # a letter holds whatever its handler failed at
                continue
            if not bad:
                assert (table, column) in {("meta", "name"), ("dead_letter", "reason"), ("dead_letter", "chat")} or findings.troubles == []
                continue
            assert any(words.startswith(f"{table}: {len(bad)} of") and column in words for words in findings.troubles)
            saved = salvage(findings, new)
            after = rows_of(new)
            for name in TABLES:
                if name not in (table, "inbox", "body", "dead_letter"):
                    assert after[name] == everything[name]
            assert rows(findings)[table] >= after[table] & everything[table]
            if table in ("data", "conversation", "outbox", "seen", "job"):
                assert saved.lost == {table: len(bad)}
                assert after[table] == rows(findings)[table]


def test_updates_of_which_a_part_is_damaged_go_to_the_dead_letters(folder: Path) -> None:
    """A row without its update, an update without its row, and a damaged row: each is a letter in the new file, and the rest is handled."""
    path, new = folder / "bot.db", folder / "new.db"
    with open_store(path, BOT) as store:
        store.inbox.store([Incoming(n, str(n), b'{"update_id":%d}' % n) for n in range(1, 7)])
        store.data.save(Scope.BOT, 0, {"a": 1})
    damaged(path, "DELETE FROM body WHERE seq = 1", "DELETE FROM inbox WHERE seq = 2", "UPDATE inbox SET stored = 'x' WHERE seq = 3")
    findings = check(path)
    assert len(findings.troubles) == 3
    saved = salvage(findings, new)
    assert (saved.letters, saved.saved["inbox"], saved.lost) == (3, 3, {})
    with open_store(new, BOT) as store:
        letters = {letter.update_id: letter for letter in store.dead_letters.entries()}
        assert {id: letter.reason.split("damaged: ")[1] for id, letter in letters.items()} == {
            1: "the update itself is damaged or missing",
            2: "its place in the inbox is missing",
            3: "stored is a text, not a time",
        }
        assert letters[2].body == b'{"update_id":2}'
        assert letters[3].body == b'{"update_id":3}'
        store.inbox.recover()
        assert drain(store.inbox) == [4, 5, 6]


def test_numbers_are_not_given_again(folder: Path) -> None:
    """Letters and calls of the new file go on counting where the old one's stopped, also where none is left."""
    path = folder / "bot.db"
    with open_store(path, BOT) as store:
        first = store.outbox.put(*[OutboxCall("sendMessage")] * 5)
        for id in first:
            store.outbox.drop(id)
    salvage(check(path), folder / "new.db")
    with open_store(folder / "new.db", BOT) as store:
        assert store.outbox.put(OutboxCall("sendMessage")) == [first[-1] + 1]


@pytest.mark.parametrize("end", ["", "-wal"])
def test_nothing_is_written_over(folder: Path, end: str) -> None:
    """A file that is there, or its log, is left alone."""
    path = folder / "bot.db"
    filled(path, 5)
    there = Path(f"{folder / 'new.db'}{end}")
    there.write_bytes(b"mine")
    with pytest.raises(StorageError, match="exists already"):
        salvage(check(path), folder / "new.db")
    assert there.read_bytes() == b"mine"


def test_a_file_that_does_not_say_whose_it_is_needs_somebody_who_does(folder: Path) -> None:
    """The bot's id is taken from whoever salvages where the file has lost it, and no new file is left where nobody knows."""
    path, new = folder / "bot.db", folder / "new.db"
    filled(path, 5)
    damaged(path, "UPDATE meta SET value = 'x' WHERE name = 'store.bot_id'")
    findings = check(path)
    assert any("whose file" in trouble for trouble in findings.troubles)
    with pytest.raises(StorageError, match="give the bot's token"):
        salvage(findings, new)
    assert not new.exists()
    salvage(findings, new, BOT)
    assert check(new).bot_id == BOT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: damaged(path, "PRAGMA application_id = 5"), "another program"),
        (lambda path: damaged(path, "PRAGMA user_version = 9"), "newer syncbot"),
        (lambda path: damaged(path, "CREATE TRIGGER t AFTER INSERT ON inbox BEGIN DELETE FROM inbox; END"), "trigger t"),
        (lambda path: damaged(path, "DROP INDEX outbox_turn"), "outbox_turn is missing"),
    ],
)
def test_marks_and_structure_are_looked_at(folder: Path, change: Callable[[Path], None], words: str) -> None:
    """With all our tables in it a file is ours, whatever its marks say; everything in it is saved."""
    path = folder / "bot.db"
    filled(path, 5)
    everything = rows_of(path)
    change(path)
    findings = check(path)
    assert any(words in trouble for trouble in findings.troubles)
    assert rows(findings) == everything


def test_another_programs_file_is_none_of_ours(folder: Path) -> None:
    """Neither is a file that is not there, or empty."""
    path = folder / "bot.db"
    with pytest.raises(StorageError, match="no state file"):
        check(path)
    damaged(path, "CREATE TABLE mine (x)")
    with pytest.raises(StorageError, match="another program"):
        check(path)
    path.write_bytes(b"")
    with pytest.raises(StorageError, match="empty"):
        check(path)


def test_a_wrong_index_is_found(folder: Path) -> None:
    """What only the long check finds is found: an index that does not say what its table does."""
    path = folder / "bot.db"
    filled(path, 40)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, '''queued''', '''nothing''') WHERE name = 'outbox_turn'")
    damaged(path, "INSERT INTO outbox (chat, method, params, files, created, not_before, state) VALUES ('1', 'm', '{}', '[]', 1, 1, 'queued')")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, '''nothing''', '''queued''') WHERE name = 'outbox_turn'")
    assert open_store(path, BOT, options=StoreOptions()).close() is None  # the short check at opening does not see it
    findings = check(path)
    assert any("integrity check" in trouble and "outbox_turn" in trouble for trouble in findings.troubles)
