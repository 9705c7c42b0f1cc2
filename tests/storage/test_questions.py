"""Questions that are open, and what is written with them: the same promises in memory and in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, Place, finish, ids, put

from syncbot.errors import StorageError
from syncbot.runtime.work.open_question import OpenQuestion
from syncbot.storage import Changes, Claimed, End, JournalKey, JournalStep, OutboxCall, Question, QuestionAnswer, QuestionOpening, Recovery, Store, open_store
from syncbot.storage.sqlite.repair.checking import check, salvage

WANTS = {"message": "has('photo')"}
CALL = OutboxCall("sendMessage", {"chat_id": 7, "text": "hi"}, "7")
YES = '{"value":"yes"}'


def ask(store: Store, claimed: Claimed, *, step: int = 0, calls: Sequence[OutboxCall] = (), asked: float = 1.0, until: float | None = 9.0) -> Question:
    """The handler of an update asks, and gives its turn away."""
    question = Question(claimed.row, step, "ask", 7, 42, WANTS, asked, until)
    store.inbox.yield_turn(claimed, QuestionOpening(question, calls))
    return question


def steps(store: Store, claimed: Claimed) -> list[JournalStep]:
    """What the journal has of an update."""
    return list(store.journal.steps(JournalKey(claimed.row)))


def both(store: Store) -> tuple[Claimed, Claimed]:
    """Two updates of different chats, claimed."""
    put(store.inbox, (1, "a"), (2, "b"))
    store.inbox.recover()
    first, second = store.inbox.claim(2)
    return first, second


def test_a_question_opens_with_its_step_and_its_calls(store: Store) -> None:
    """Its row, its step without an outcome and what goes into the outbox are there together."""
    first, _ = both(store)
    question = ask(store, first, calls=[CALL])
    assert store.questions.entries() == [question]
    assert steps(store, first) == [JournalStep(0, "ask")]
    assert [item.call for item in store.outbox.entries()] == [CALL]


def test_what_is_not_handled_yet_may_be_an_answer(store: Store) -> None:
    """From when it is stored until its end is recorded, whatever came behind it. A handler that waits for an answer itself is none."""
    first, second = both(store)
    ask(store, first)
    assert not store.questions.may_be_answered(first.row)
    assert store.questions.may_be_answered(second.row)
    finish(store.inbox, second)
    newest = store.inbox.counts().newest
    assert not store.questions.may_be_answered(newest)
    put(store.inbox, (3, "c"))
    assert not store.questions.may_be_answered(newest)
    assert store.questions.may_be_answered(store.inbox.counts().newest)


def test_what_is_wrong_with_a_call_opens_nothing(store: Store) -> None:
    """Where a call is no JSON, there is no question, no step, and the turn is kept."""
    first, _ = both(store)
    with pytest.raises(TypeError, match="sendMessage"):
        ask(store, first, calls=[OutboxCall("sendMessage", {"text": object()})])
    assert store.questions.entries() == []
    assert steps(store, first) == []
    ask(store, first)


def test_a_claim_that_is_gone_opens_nothing(store: Store) -> None:
    """A handler whose update was taken over asks nobody."""
    first, _ = both(store)
    store.inbox.recover()
    with pytest.raises(StorageError):
        ask(store, first, calls=[CALL])
    assert store.questions.entries() == []
    assert store.outbox.entries() == []


def test_the_end_of_the_answer_brings_the_outcome(store: Store) -> None:
    """The update that answers ends, the journal has what it said, and the question is closed: in one transaction."""
    first, second = both(store)
    ask(store, first)
    store.inbox.settle([End(second, Changes(answers=(QuestionAnswer(first.row, 0, YES),)))])
    assert store.questions.entries() == []
    assert steps(store, first) == [JournalStep(0, "ask", "", YES)]
    assert store.inbox.take_turn(first)


def test_an_answer_that_is_lost_changes_nothing(store: Store) -> None:
    """The end of a claim that is gone answers nothing and queues nothing."""
    first, second = both(store)
    question = ask(store, first)
    store.inbox.release(second)
    settled = store.inbox.settle([End(second, Changes(answers=(QuestionAnswer(first.row, 0, YES),), calls=(CALL,)))])
    assert settled.lost == (second,)
    assert store.questions.entries() == [question]
    assert store.outbox.entries() == []


def test_what_was_put_aside_is_handed_out_with_its_answer(store: Store) -> None:
    """An update whose question is open is neither waiting nor running once it is released, and waits for a worker when the answer comes."""
    first, second = both(store)
    ask(store, first)
    store.inbox.release(first)
    assert (store.inbox.counts().waiting, store.inbox.counts().running) == (0, 1)
    assert store.inbox.claim(5) == []
    again = store.inbox.settle([End(second, Changes(answers=(QuestionAnswer(first.row, 0, YES),)))], claim=5).claimed
    assert ids(again) == [1]
    assert (again[0].attempt, again[0].alone) == (1, False)


def test_an_answer_before_it_is_put_aside_is_not_waited_for(store: Store) -> None:
    """Where the answer is quicker than the release, the released update waits for a worker at once."""
    first, _ = both(store)
    ask(store, first)
    store.questions.close([QuestionAnswer(first.row, 0, YES)])
    store.inbox.release(first)
    assert ids(store.inbox.claim(5)) == [1]


def test_a_death_leaves_questions_open(store: Store) -> None:
    """Who waited for an answer at a death is no backlog, no suspect and counts no attempt; what ran beside is one."""
    first, _ = both(store)
    question = ask(store, first)
    assert store.inbox.recover() == Recovery(waiting=1, interrupted=(2,), suspects=1)
    assert store.questions.entries() == [question]
    [second] = store.inbox.claim(5)
    assert (second.update_id, second.alone) == (2, True)
    [again] = store.inbox.settle([End(second, Changes(answers=(QuestionAnswer(first.row, 0, YES),)))], claim=5).claimed
    assert (again.update_id, again.attempt, again.alone) == (1, 1, False)


def test_an_answer_for_another_step_is_passed_over(store: Store) -> None:
    """A handler that has asked again since is not answered by what was for the question before."""
    first, _ = both(store)
    ask(store, first)
    assert store.inbox.take_turn(first)
    question = ask(store, first, step=3)
    store.questions.close([QuestionAnswer(first.row, 0, YES), QuestionAnswer(99, 0, YES)])
    assert store.questions.entries() == [question]
    assert [step.outcome for step in steps(store, first)] == [None, None]


def test_questions_go_with_the_end_of_their_update(store: Store) -> None:
    """A handler that has ended, or failed, waits for nothing any more."""
    first, second = both(store)
    ask(store, first)
    ask(store, second)
    finish(store.inbox, first)
    store.inbox.settle([End(second, reason="it failed")])
    assert store.questions.entries() == []


def test_questions_are_told_in_the_order_of_asking(place: Place) -> None:
    """The one that was asked first comes first, also after the process has ended; one without an end or a user comes back as it was."""
    store = place.open()
    first, second = both(store)
    later = ask(store, first, asked=2.0, until=None)
    slept = Question(second.row, 0, "sleep", asked=1.0, until=5.0)
    store.inbox.yield_turn(second, QuestionOpening(slept))
    assert store.questions.entries() == [slept, later]


def test_queued_calls_go_with_the_end(store: Store) -> None:
    """What a handler has queued stands in the outbox, in order, in the transaction that ends its update."""
    first, _ = both(store)
    store.inbox.settle([End(first, Changes(calls=(CALL, replace(CALL, key="8"))))])
    assert [item.call for item in store.outbox.entries()] == [CALL, replace(CALL, key="8")]


@pytest.mark.parametrize("damage", ["UPDATE question SET wants = 'x'", "DELETE FROM question", "UPDATE question SET step = -1"])
def test_a_damaged_question_is_asked_anew(tmp_path: Path, damage: str) -> None:
    """Where its row is damaged or gone, the handler that waits for it runs again."""
    path = tmp_path / "bot.db"
    with open_store(path, BOT) as store:
        first, _ = both(store)
        ask(store, first)
        store.inbox.recover()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    with open_store(path, BOT) as store:
        store.inbox.recover()
        assert store.questions.entries() == []
        [second] = store.inbox.claim(5)
        assert ids(finish(store.inbox, second, claim=5)) == [1]


def test_a_check_knows_questions_and_saves_them(tmp_path: Path) -> None:
    """A check counts a damaged row; a salvage keeps the sound ones."""
    path, saved = tmp_path / "bot.db", tmp_path / "saved.db"
    with open_store(path, BOT) as store:
        first, second = both(store)
        question = ask(store, first)
        ask(store, second)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE question SET until = 'soon' WHERE seq = ?", (second.row,))
    assert any("question" in trouble for trouble in check(path).troubles)
    salvage(check(path), saved)
    with open_store(saved, BOT) as store:
        assert store.questions.entries() == [question]


@pytest.mark.programs("postgres")
@pytest.mark.parametrize(
    ("junk", "until"),
    [("wants = '5'", 9.0), ("wants = '{', until = NULL", 0.0), ("until = 'NaN'", 0.0), ("asked = '-Infinity'", 9.0)],
)
def test_a_damaged_question_in_a_database_ends_in_time(
    postgres: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture, junk: str, until: float
) -> None:
    """It is told, no update is an answer to it, and its handler goes on when its time is over, at once where nobody knows when that is."""
    with open_store(postgres_url, BOT) as store:
        first, _ = both(store)
        ask(store, first)
        postgres.run(f"UPDATE syncbot.question SET {junk}", postgres_url)
        [found] = store.questions.entries()
        assert caplog.text.count("a question in the database is damaged") == 1
        assert (found.row, found.asked, found.until) == (first.row, 0.0, until)
        assert not OpenQuestion(found).fits({"message": {"text": "yes"}}, lambda: None)
        assert not OpenQuestion(found).fits({"callback_query": {"data": "-0"}}, lambda: None)
