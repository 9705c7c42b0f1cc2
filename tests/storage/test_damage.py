"""Damaged state files: nothing but StorageError comes out of any verb, and one damaged row of many loses only itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.damage_kit import BAD_VALUES, NOW, QUICK, Cell, bad_cells, byte_damages, damaged, drive, filled, lay, spoil
from kits.storage_kit import BOT, drain, ids, put

from syncbot.errors import StorageError
from syncbot.storage import End, OutboxCall, OutboxState, Question, QuestionOpening, Scope, Store, StoreOptions, open_store
from syncbot.storage.sqlite.shapes import TABLES

_CHUNK = 30
_ROWS = 24


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a state file that holds something everywhere."""
    return filled(tmp_path_factory.mktemp("whole") / "whole.db", _ROWS)


def opened(path: Path, options: StoreOptions = QUICK) -> Store:
    return open_store(path, BOT, now=lambda: NOW, options=options)


def test_the_kit_drives_a_sound_file_without_an_error(folder: Path, whole: bytes) -> None:
    """On a whole file every verb works, so that what is refused on a damaged one is refused for its damage."""
    path = folder / "bot.db"
    lay(path, whole)
    assert drive(path) == 0


@pytest.mark.parametrize("chunk", [0, 1, 2, *(pytest.param(chunk, marks=pytest.mark.slow) for chunk in range(3, 7))])
def test_damaged_bytes_are_a_storage_error(folder: Path, whole: bytes, chunk: int) -> None:
    """Of 210 files with flipped, lost, exchanged or cut bytes, each verb works or raises a StorageError that does not call itself passing."""
    path = folder / "bot.db"
    refused = 0
    for number, damage in enumerate(byte_damages(whole, seed=chunk, number=_CHUNK)):
        lay(path, damage.data)
        refused += drive(path, StoreOptions(busy_timeout=0.2, check=number % 3 == 0)) > 0
    assert refused > _CHUNK / 5


@pytest.mark.parametrize(("first", "step"), [(3, 13), *(pytest.param(first, 5, marks=pytest.mark.slow) for first in range(5))])
@pytest.mark.parametrize("table", [*TABLES, "sqlite_sequence"])
def test_bad_values_in_good_rows_are_a_storage_error(folder: Path, whole: bytes, table: str, first: int, step: int) -> None:
    """Of some 1200 bad values, one in each column for each kind, none brings anything but a StorageError out of any verb; each part has some of each column."""
    path = folder / "bot.db"
    cells = [cell for cell in bad_cells() if cell.table == table][first::step]
    spoilt = 0
    for cell in cells:
        lay(path, whole)
        if spoil(path, cell):
            spoilt += 1
            drive(path)
    assert spoilt > len(cells) // 2


def test_the_numbers_of_the_promise_are_kept() -> None:
    """There are at least 765 bad values."""
    assert len(list(bad_cells())) == (sum(map(len, TABLES.values())) + 2) * len(BAD_VALUES) >= 765


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE seen", "seen is missing"),
        ("ALTER TABLE inbox DROP COLUMN suspect", "inbox is missing or was changed"),
        ("ALTER TABLE data RENAME TO data2", "data is missing"),
        ("CREATE TRIGGER t AFTER INSERT ON inbox BEGIN DELETE FROM inbox; END", "trigger t"),
        ("DROP INDEX outbox_turn", "outbox_turn is missing"),
        ("PRAGMA user_version = -3", "format is -3"),
        ("PRAGMA user_version = 0", "already exists"),
        ("UPDATE sqlite_sequence SET seq = 9223372036854775807", "numbered up to"),
        ("UPDATE meta SET value = 'x' WHERE name = 'store.bot_id'", "bot's id"),
        ("UPDATE meta SET value = CAST(x'ff' AS TEXT) WHERE name = 'store.bot_id'", "bot's id"),
    ],
)
def test_a_changed_structure_is_refused_at_opening(folder: Path, whole: bytes, statement: str, words: str) -> None:
    """Tables, columns, triggers and marks that are not ours are found before anything is done with them, also without the long check."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, statement)
    with pytest.raises(StorageError, match=words) as caught:
        opened(path)
    assert "damaged" in str(caught.value)
    assert f"syncbot check-state {path} --salvage-into" in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("name", ["sqlite_sequence", "sqlite_autoindex_job_1"])
def test_what_sqlite_itself_keeps_is_missed_too(folder: Path, whole: bytes, name: str) -> None:
    """What belongs to a table without standing in its definition is looked for at opening, also without the long check."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, "PRAGMA writable_schema = ON", f"DELETE FROM sqlite_master WHERE name = '{name}'")
    with pytest.raises(StorageError, match=f"{name} is missing"):
        opened(path)


def test_a_view_in_place_of_a_table_is_refused(folder: Path, whole: bytes) -> None:
    """A view that looks like the table is none."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, "ALTER TABLE seen RENAME TO other", "CREATE VIEW seen AS SELECT * FROM other")
    with pytest.raises(StorageError, match="seen is missing or was changed"):
        opened(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE inbox SET update_id = 'abc' WHERE seq = 30", "update_id is a text"),
        ("UPDATE inbox SET chat = CAST(x'ff' AS TEXT) WHERE seq = 30", "chat is no text in UTF-8"),
        ("UPDATE inbox SET state = 'lost' WHERE seq = 30", "state is 'lost'"),
        ("UPDATE inbox SET stored = 9e999 WHERE seq = 30", "stored is inf"),
        ("UPDATE inbox SET attempts = 9223372036854775807 WHERE seq = 30", "attempts is 9223372036854775807"),
        ("UPDATE body SET json = 'text' WHERE seq = 30", "the update itself is missing"),
        ("DELETE FROM body WHERE seq = 30", "the update itself is missing"),
    ],
)
def test_a_damaged_update_alone_goes_to_the_dead_letters(folder: Path, whole: bytes, change: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    """At the next start one damaged row is set aside with words and a line in the log, and all the others are handled."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, change)
    with opened(path) as store:
        letters = store.dead_letters.count()
        store.inbox.recover()
        assert store.dead_letters.count() == letters + 1
        assert words in store.dead_letters.entries(1)[0].reason
        assert words in caplog.text
        handled = drain(store.inbox)
        assert len(handled) == _ROWS - 1
        assert 29 not in handled
        assert store.inbox.counts().waiting == 0


def test_an_update_that_is_damaged_later_is_an_error_and_set_aside_at_the_next_start(folder: Path, whole: bytes) -> None:
    """What is damaged while the bot runs ends it with words; the next start goes on without it."""
    path = folder / "bot.db"
    lay(path, whole)
    with opened(path) as store:
        store.inbox.recover()
        damaged(path, "UPDATE inbox SET stored = 'abc' WHERE seq = 40")
        handled: list[int] = []
        with pytest.raises(StorageError, match="row 40 of its inbox"):  # noqa: PT012  # what was handled before it counts
            for claimed in iter(store.inbox.claim, []):
                handled += ids(claimed)
                store.inbox.settle([End(one) for one in claimed], claim=0)
        assert 38 in handled
    with opened(path) as store:
        store.inbox.recover()
        assert 39 not in drain(store.inbox)
        assert store.inbox.counts() == (type(store.inbox.counts()))(0, 0, None)


@pytest.mark.parametrize("state", ["'wating'", "x'00'", "'running'", "'yielded'", "'asking'"])
def test_a_state_that_is_written_while_the_bot_runs_leaves_no_update_waiting(folder: Path, caplog: pytest.LogCaptureFixture, state: str) -> None:
    """Housekeeping finds what is neither handled nor waits, and it is handled; what is, has given its turn away, or asks, is left alone."""
    path = folder / "bot.db"
    with opened(path) as store:
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"), (3, "c"), (4, "d"))
        runs, yields, asks = store.inbox.claim(3)
        store.inbox.yield_turn(yields)
        store.inbox.yield_turn(asks, QuestionOpening(Question(asks.row, 0, "ask", 7, 7)))
        store.maintain()
        store.inbox.release(asks)
        store.maintain()
        assert caplog.text == ""
        damaged(path, f"UPDATE inbox SET state = {state} WHERE update_id = 4")
        assert store.inbox.claim(5) == []
        store.maintain()
        assert "1 updates in the state file" in caplog.text
        [last] = store.inbox.claim(5)
        assert last.update_id == 4
        assert store.inbox.settle([End(runs), End(yields), End(last)]).lost == ()
        assert [question.row for question in store.questions.entries()] == [asks.row]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("params = '[1]'", "params is JSON, but not an object"),
        ("params = '{'", "params is no JSON value"),
        ("files = '{}'", "files is JSON, but not a list"),
        ("method = CAST(x'ff' AS TEXT)", "method is no text in UTF-8"),
        ("not_before = 'never'", "not_before is no time"),
        ("not_before = 9e999", "not_before is no time"),
        ("expires = 'never'", "expires is a text"),
        ("attempts = 'many'", "attempts is a text"),
    ],
)
def test_a_damaged_call_alone_fails(folder: Path, change: str, words: str) -> None:
    """A damaged row of the outbox becomes a failed call with words, and what is queued behind it in the same chat is delivered."""
    path = folder / "bot.db"
    with opened(path) as store:
        bad, good = store.outbox.put(OutboxCall("sendMessage", key="1"), OutboxCall("sendMessage", key="1"))
        damaged(path, f"UPDATE outbox SET {change} WHERE id = {bad}")
        assert store.outbox.outlook().next_time is not None
        assert [item.id for item in store.outbox.claim("me", lease=60.0, limit=5)] == [good]
        [failed] = store.outbox.entries(OutboxState.FAILED)
        assert failed.id == bad
        assert words in failed.reason
        assert store.outbox.drop(bad) is not None


def test_a_lease_that_is_no_time_has_run_out(folder: Path) -> None:
    """A claimed call whose lease is damaged does not stay claimed for ever."""
    path = folder / "bot.db"
    with opened(path) as store:
        [id] = store.outbox.put(OutboxCall("sendMessage"))
        store.outbox.claim("other", lease=60.0)
        damaged(path, "UPDATE outbox SET lease_until = 'abc'")
        assert [item.id for item in store.outbox.claim("me", lease=60.0)] == [id]


@pytest.mark.parametrize("column", [name for name in TABLES["dead_letter"] if name != "id"])
def test_a_damaged_dead_letter_is_listed_and_can_be_dropped(folder: Path, whole: bytes, column: str) -> None:
    """What can be read of it is shown, and its reason says what is damaged; the others are as they were."""
    path = folder / "bot.db"
    lay(path, whole)
    assert spoil(path, Cell("dead_letter", column, float("inf") if column not in ("chat", "reason") else b"\xff"))
    with opened(path) as store:
        letters = store.dead_letters.entries()
        assert len(letters) == _ROWS
        assert [f"damaged: {column}" in letter.reason for letter in letters] == [letter.id % 2 == 0 for letter in letters]
        assert store.dead_letters.requeue(letters[0].id)
        assert store.dead_letters.drop(letters[2].id)


def test_ids_that_are_no_row_numbers_do_not_turn_the_pages_for_ever(folder: Path, whole: bytes) -> None:
    """Letters and calls with numbers below 1 are listed once, and found by their numbers."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, "UPDATE dead_letter SET id = -5 WHERE id = 1", "UPDATE outbox SET id = -5 WHERE id = 1")
    with opened(path) as store:
        assert [letter.id for letter in store.dead_letters.entries(100, before=2)] == [-5]
        assert store.dead_letters.drop(-5)
        assert store.outbox.entries(after=-10, limit=1)[0].id == -5


def test_one_users_damaged_data_is_an_error_for_this_user_only(folder: Path, whole: bytes) -> None:
    """The error names whose data it is; others are loaded, and new values can be written."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, "UPDATE data SET value = '{' WHERE scope = 'user' AND owner = 3", "UPDATE conversation SET state = 'NaN' WHERE user = 3")
    with opened(path) as store:
        with pytest.raises(StorageError, match="user_data of 3 is no JSON value"):
            store.data.load(Scope.USER, 3)
        with pytest.raises(StorageError, match="state of user 3 in chat 3"):
            store.data.get_state(3, 3)
        assert store.data.load(Scope.USER, 4) == {"k4": "x" * 300}
        store.data.save(Scope.USER, 3, {"k3": 1})
        assert store.data.load(Scope.USER, 3) == {"k3": 1}


def test_a_damaged_fact_is_forgotten(folder: Path, whole: bytes) -> None:
    """Facts that can be learned again, the offset among them, are logged and count as unknown."""
    path = folder / "bot.db"
    lay(path, whole)
    damaged(path, "UPDATE meta SET value = '{' WHERE name IN ('idle_limit', 'store.next_offset')")
    with opened(path) as store:
        assert store.meta.get("idle_limit", 7) == 7
        assert store.inbox.next_offset() is None


def test_a_time_that_is_none_is_refused_when_it_is_queued(folder: Path) -> None:
    """What would be damage in the file does not get into it."""
    with opened(folder / "bot.db") as store:
        for times in ({"not_before": float("inf")}, {"not_before": -1.0}, {"expires": float("nan")}):
            with pytest.raises(ValueError, match="no time"):
                store.outbox.put(OutboxCall("sendMessage", **times))


@pytest.mark.parametrize("make", [lambda n: b"", lambda n: bytes(n), lambda n: os.urandom(n), lambda n: b"SYNBTURN" + os.urandom(n)])
def test_a_damaged_turns_file_is_passed_over(folder: Path, whole: bytes, make: Callable[[int], bytes]) -> None:
    """Whatever stands in the file of notes of an earlier release, the state file is used as it is."""
    path = folder / "bot.db"
    lay(path, whole)
    (folder / "bot.db-turns").write_bytes(make(8192))
    assert drive(path) == 0
