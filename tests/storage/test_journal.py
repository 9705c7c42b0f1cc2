"""The journal: the same promises in memory and in SQLite."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from kits.storage_kit import BOT, Clock, Place, bury, finish, put

from syncbot.errors import StorageError
from syncbot.storage import Claimed, JournalKey, JournalStep, Store, open_store
from syncbot.storage.promises.journal import MOST_STEPS
from syncbot.storage.sqlite.repair.checking import check, salvage

ASKED = JournalStep(0, "sendMessage", "chat_id=7", '{"ok":{"message_id":1}}')
OPEN = JournalStep(1, "sendPhoto", "chat_id=7")


def claim(store: Store, *ids: int) -> list[tuple[Claimed, JournalKey]]:
    """Store these, become the one that handles, and claim them."""
    put(store.inbox, *((id, str(id)) for id in ids))
    store.inbox.recover()
    return keyed(store)


def keyed(store: Store) -> list[tuple[Claimed, JournalKey]]:
    """What can be claimed now."""
    return [(one, JournalKey(one.row, one.ticket)) for one in store.inbox.claim(10)]


def test_steps_come_back_in_their_order(store: Store) -> None:
    """Each run has its own steps; one of a number that is there takes its place."""
    (_, first), (_, second) = claim(store, 1, 2)
    store.journal.write(first, OPEN)
    store.journal.write(first, JournalStep(0, "sendMessage", "chat_id=7"))
    store.journal.write(first, ASKED)
    store.journal.write(second, OPEN)
    assert list(store.journal.steps(first)) == [ASKED, OPEN]
    assert list(store.journal.steps(second)) == [OPEN]


def test_a_run_has_no_steps_at_first(store: Store) -> None:
    """Nothing is there before something was written."""
    [(_, key)] = claim(store, 1)
    assert list(store.journal.steps(key)) == []


def test_a_claim_tells_whether_there_are_any(store: Store) -> None:
    """Of what earlier runs have done; who has none need not look."""
    (one, first), (other, _) = claim(store, 1, 2)
    assert (one.has_steps, other.has_steps) == (False, False)
    store.journal.write(first, OPEN)
    store.inbox.release(one, other)
    (one, first), (other, _) = keyed(store)
    assert (one.has_steps, other.has_steps) == (True, False)
    store.journal.cut(first, 0)
    store.inbox.release(one)
    [(one, _)] = keyed(store)
    assert not one.has_steps


def test_cut_forgets_what_is_behind(store: Store) -> None:
    """The step of the number goes, and all that follow it."""
    [(_, key)] = claim(store, 1)
    for number in range(4):
        store.journal.write(key, JournalStep(number, "sendMessage"))
    store.journal.cut(key, 2)
    assert [step.number for step in store.journal.steps(key)] == [0, 1]


@pytest.mark.parametrize("fails", [False, True], ids=["handled", "buried"])
def test_steps_go_with_the_end_of_their_update(store: Store, fails: bool) -> None:
    """They are gone in the transaction that ends it; those of others stay."""
    (one, first), (_, second) = claim(store, 1, 2)
    for key in (first, second):
        store.journal.write(key, ASKED)
    if fails:
        bury(store.inbox, one, "why")
    else:
        finish(store.inbox, one)
    assert (list(store.journal.steps(first)), list(store.journal.steps(second))) == ([], [ASKED])


def test_steps_stay_when_their_update_is_put_back(store: Store) -> None:
    """Who claims it again finds them."""
    [(claimed, key)] = claim(store, 1)
    store.journal.write(key, ASKED)
    store.inbox.release(claimed)
    [(_, again)] = keyed(store)
    assert again.ticket != key.ticket
    assert list(store.journal.steps(again)) == [ASKED]


def test_steps_survive_the_process(place: Place) -> None:
    """Another run finds what the one that died has written; another `recover` does, where there is no other process, or where it may live as well."""
    store = place.open()
    [(_, key)] = claim(store, 1)
    store.journal.write(key, ASKED)
    again = place.open() if isinstance(place.path, Path) else store
    again.inbox.recover()
    [(_, found)] = keyed(again)
    assert list(again.journal.steps(found)) == [ASKED]


def test_who_has_lost_his_claim_writes_nothing(store: Store) -> None:
    """A handler whose update was given back, or claimed anew since, is refused, so that it makes no call."""
    [(claimed, key)] = claim(store, 1)
    store.journal.write(key, ASKED)
    store.inbox.release(claimed)
    for _ in range(2):
        with pytest.raises(StorageError) as raised:
            store.journal.write(key, OPEN)
        assert not raised.value.retryable
        store.journal.cut(key, 0)
        store.inbox.recover()
        [(claimed, found)] = keyed(store)
        assert list(store.journal.steps(found)) == [ASKED]


def test_a_yielded_turn_is_a_claim(store: Store) -> None:
    """Who waits for an answer goes on writing."""
    [(claimed, key)] = claim(store, 1)
    store.inbox.yield_turn(claimed)
    store.journal.write(key, ASKED)
    assert list(store.journal.steps(key)) == [ASKED]


def test_a_run_has_a_bounded_number_of_steps(store: Store) -> None:
    """One that is too many is refused: it would stand among those of the next run."""
    [(_, key)] = claim(store, 1)
    store.journal.write(key, JournalStep(MOST_STEPS - 1, "sendMessage"))
    with pytest.raises(ValueError, match="at most"):
        store.journal.write(key, JournalStep(MOST_STEPS, "sendMessage"))


def test_an_update_that_is_found_to_kill_takes_its_steps_along(place: Place) -> None:
    """After three deaths alone it is a dead letter, and nothing of its journal is left."""
    store = place.open()
    [(_, key)] = claim(store, 1)
    for _ in range(3):
        store.journal.write(key, ASKED)
        store.inbox.recover()
        key = next((key for _, key in keyed(store)), key)
    assert store.dead_letters.count() == 1
    assert list(store.journal.steps(key)) == []


def test_the_place_of_a_step_in_the_file_stays(tmp_path: Path) -> None:
    """A later version finds what this one has written: a step stands at its run's row times 2**24, and its own number more."""
    path = tmp_path / "bot.db"
    with open_store(path, BOT) as store:
        [(claimed, key)] = claim(store, 1)
        store.journal.write(key, OPEN)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT place FROM journal").fetchall() == [(claimed.row * 16_777_216 + 1,)]


def test_a_damaged_step_ends_the_journal_there(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """What stands before it is still of use; it is told."""
    path = tmp_path / "bot.db"
    with open_store(path, BOT, now=clock) as store:
        [(_, key)] = claim(store, 1)
        for number in range(3):
            store.journal.write(key, JournalStep(number, "sendMessage", outcome="{}"))
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("UPDATE journal SET outcome = '[1' WHERE what = 'sendMessage' AND place % 2 = 1")
        with caplog.at_level(logging.ERROR):
            assert [step.number for step in store.journal.steps(key)] == [0]
    assert "outcome is no JSON value" in caplog.text


def test_a_salvaged_file_has_the_sound_steps(tmp_path: Path, clock: Clock) -> None:
    """check-state counts the damaged ones, and the others go along."""
    path, new = tmp_path / "bot.db", tmp_path / "new.db"
    with open_store(path, BOT, now=clock) as store:
        [(_, key)] = claim(store, 1)
        for number in range(4):
            store.journal.write(key, JournalStep(number, "sendMessage", "chat_id=7"))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE journal SET what = x'ff' WHERE place % 2 = 1")
    findings = check(path)
    assert any(words.startswith("journal: 2 of 4 rows are damaged: what") for words in findings.troubles)
    saved = salvage(findings, new)
    assert (saved.saved["journal"], saved.lost["journal"]) == (2, 2)
    with open_store(new, BOT, now=clock) as store:
        store.inbox.recover()
        [(_, key)] = keyed(store)
        assert [step.number for step in store.journal.steps(key)] == [0, 2]
