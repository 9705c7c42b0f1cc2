"""What a death of the process leaves behind: suspects, one at a time, and the dead letters."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from kits.storage_kit import BOT, Place, bury, drain, finish, ids, put

from syncbot.storage import Claimed, Recovery, Store, open_store
from syncbot.storage.promises.inbox import DIED_ALONE


@pytest.fixture
def four(store: Store) -> list[Claimed]:
    """Four updates in their handlers, and others that wait."""
    put(store.inbox, (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "a"), (6, "e"))
    store.inbox.recover()
    return store.inbox.claim(4)


def test_nothing_is_suspect_without_a_death_in_a_handler(store: Store) -> None:
    """What only waits when the process ends is handed out as ever."""
    put(store.inbox, (1, "a"), (2, "b"))
    store.inbox.recover()
    assert store.inbox.recover() == Recovery(waiting=2)
    assert ids(store.inbox.claim(5)) == [1, 2]


def test_suspects_run_one_at_a_time(store: Store, four: list[Claimed]) -> None:
    """After a death with four in their handlers each of them runs alone, then everything runs side by side again."""
    assert store.inbox.recover() == Recovery(waiting=6, interrupted=(1, 2, 3, 4), suspects=4)
    for expected in (1, 2, 3, 4):
        [claimed] = store.inbox.claim(5)
        assert (claimed.update_id, claimed.attempt, claimed.alone) == (expected, 2, True)
        assert store.inbox.claim(5) == []
        finish(store.inbox, claimed)
    assert ids(store.inbox.claim(5)) == [5, 6]


def test_a_suspect_is_no_part_of_a_run(store: Store, four: list[Claimed]) -> None:
    """However many of a key are asked for, a suspect is handed out alone."""
    store.inbox.recover()
    assert ids(store.inbox.claim(5, per_key=5)) == [1]


def test_finish_keeps_suspects_alone(store: Store, four: list[Claimed]) -> None:
    """Claiming with the end of another hands out one suspect, however many are asked for."""
    store.inbox.recover()
    [first] = store.inbox.claim(4)
    [second] = finish(store.inbox, first, claim=4)
    assert (second.update_id, second.alone) == (2, True)


def test_a_suspect_that_raises_is_cleared(store: Store, four: list[Claimed]) -> None:
    """A handler that raised has not killed the process: its update is buried once, and the next suspect runs."""
    store.inbox.recover()
    [first] = store.inbox.claim()
    [second] = bury(store.inbox, first, "ValueError", claim=1)
    assert second.update_id == 2
    assert store.dead_letters.count() == 1


def test_a_suspect_that_has_vanished_blocks_nobody(tmp_path: Path) -> None:
    """Where another program has deleted the row of a suspect, the others are handed out as ever."""
    path = tmp_path / "bot.db"
    with open_store(path, BOT) as store:
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"), (3, "c"))
        store.inbox.claim(2)
    with open_store(path, BOT) as store:
        assert store.inbox.recover().suspects == 2
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM inbox WHERE update_id IN (1, 2)")
        db.close()
        [left] = store.inbox.claim(3)
        assert (left.update_id, left.alone) == (3, False)
        finish(store.inbox, left)


def test_the_one_that_dies_alone_clears_the_others(store: Store, four: list[Claimed]) -> None:
    """A second death with one suspect alone leaves that one under suspicion, and the rest run side by side after it."""
    store.inbox.recover()
    store.inbox.claim()
    assert store.inbox.recover() == Recovery(waiting=6, interrupted=(1,), suspects=1)
    [first] = store.inbox.claim(5)
    assert (first.update_id, first.attempt, first.alone) == (1, 3, True)
    assert ids(finish(store.inbox, first, claim=5)) == [2, 3, 4, 5, 6]


def test_three_deaths_alone_bury_an_update(store: Store) -> None:
    """An update that is alone in its handler at three deaths goes to the dead letters, and the others are handled."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "b"))
    store.inbox.recover()
    for _ in range(2):
        assert ids(store.inbox.claim(1)) == [1]
        assert store.inbox.recover().buried == ()
    assert ids(store.inbox.claim(1)) == [1]
    recovery = store.inbox.recover()
    assert (recovery.waiting, recovery.suspects, len(recovery.buried)) == (2, 0, 1)
    letter = store.dead_letters.get(recovery.buried[0])
    assert letter is not None
    assert (letter.update_id, letter.reason, letter.attempts) == (1, DIED_ALONE, 3)
    assert ids(store.inbox.claim(5)) == [2, 3]


def test_a_killer_among_others_is_found(store: Store) -> None:
    """Whoever kills the process is buried after a bounded number of deaths, nobody else, and the order per key holds."""
    put(store.inbox, *((n, "abcd"[n % 4]) for n in range(12)))
    handled: list[int] = []
    for _ in range(10):  # each round is a process that lives until it handles number 6
        store.inbox.recover()
        running = store.inbox.claim(4)
        while running and not any(one.update_id == 6 for one in running):
            handled.append(running[0].update_id)
            running = running[1:] + finish(store.inbox, running[0], claim=1)
        if not running:
            break
    assert [letter.update_id for letter in store.dead_letters.entries()] == [6]
    assert sorted(handled) == [n for n in range(12) if n != 6]
    assert [n for n in handled if n % 4 == 1] == [1, 5, 9]


def test_kills_from_outside_bury_nobody(store: Store) -> None:
    """Five kills with several in their handlers, whose suspects all turn out harmless, leave no dead letter."""
    for round in range(5):
        store.inbox.recover()
        assert len(drain(store.inbox)) == (4 if round else 0)
        put(store.inbox, *((10 * round + n, str(n)) for n in range(4)))
        assert len(store.inbox.claim(4)) == 4
    store.inbox.recover()
    assert (len(drain(store.inbox)), store.dead_letters.count()) == (4, 0)


def test_a_release_is_no_death(store: Store, four: list[Claimed]) -> None:
    """What a clean stop releases is not suspected at the next start."""
    store.inbox.release(*four)
    assert store.inbox.recover() == Recovery(waiting=6)
    assert [one.attempt for one in store.inbox.claim(4)] == [1, 1, 1, 1]


def test_a_released_suspect_stays_one(store: Store, four: list[Claimed]) -> None:
    """A stop in the middle of the suspects' round does not clear the one that was running."""
    store.inbox.recover()
    [first] = store.inbox.claim()
    store.inbox.release(first)
    [again] = store.inbox.claim(4)
    assert (again.update_id, again.alone) == (1, True)


def test_waiting_for_an_answer_is_not_suspicious(store: Store) -> None:
    """Who waited with a yielded turn at a death is handled again without suspicion, and the one beside it counts as alone."""
    put(store.inbox, (1, "a"), (2, "b"))
    store.inbox.recover()
    [asking, other] = store.inbox.claim(2)
    store.inbox.yield_turn(asking)
    assert store.inbox.recover() == Recovery(waiting=2, interrupted=(1, 2), suspects=1)
    [suspect] = store.inbox.claim(2)
    assert (suspect.update_id, suspect.alone) == (other.update_id, True)
    assert ids(finish(store.inbox, suspect, claim=2)) == [1]


def test_what_stands_before_a_suspect_goes_first_and_alone(store: Store) -> None:
    """The order of a chat holds for suspects too: an earlier update of the chat is handed out before, alone."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "b"))
    store.inbox.recover()
    [asking] = store.inbox.claim(1)
    store.inbox.yield_turn(asking)
    assert ids(store.inbox.claim(1)) == [2]
    store.inbox.recover()
    [first] = store.inbox.claim(5)
    assert (first.update_id, first.alone) == (1, True)
    [second] = finish(store.inbox, first, claim=5)
    assert (second.update_id, second.alone) == (2, True)
    assert ids(finish(store.inbox, second, claim=5)) == [3]


def test_a_suspect_that_waits_for_an_answer_lets_the_others_run(store: Store, four: list[Claimed]) -> None:
    """A suspect that yields its turn holds up nobody, and may go on beside others afterwards but not beside another suspect."""
    store.inbox.recover()
    [asking] = store.inbox.claim(5)
    store.inbox.yield_turn(asking)
    [second] = store.inbox.claim(5)
    assert (second.update_id, second.alone) == (2, True)
    assert not store.inbox.take_turn(asking)
    finish(store.inbox, second)
    assert store.inbox.take_turn(asking)
    assert store.inbox.claim(5) == []
    finish(store.inbox, asking)
    assert len(drain(store.inbox)) == 4


def test_deaths_outside_of_handlers_keep_the_suspects(place: Place, store: Store, four: list[Claimed]) -> None:
    """A process that dies before it hands anything out leaves the suspects as they were."""
    store.inbox.recover()
    assert store.inbox.recover().suspects == 4
    assert ids(store.inbox.claim(4)) == [1]
