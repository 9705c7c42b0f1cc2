# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The journal in the state file, and the questions that are open among its steps.

A step's key is one number, in which that of the row in the inbox and that of the step are packed: a table without a second index costs one page a write.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from syncbot.storage.claims import taken_over
from syncbot.storage.codec import encode_wants
from syncbot.storage.promises.journal import MOST_STEPS, JournalKey, JournalStep
from syncbot.storage.promises.questions import Question, QuestionAnswer
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.shapes import read_row

_log = logging.getLogger(__name__)

_MOST_ROWS = 1 << 38
_COLUMNS = ("place", "what", "target", "outcome")
_HELD = "EXISTS (SELECT 1 FROM inbox WHERE seq = :row AND run = :run AND state IN ('running', 'yielded'))"
"""Whether the claim still stands, as a part of the statement that writes."""

HAS_STEPS = f"EXISTS (SELECT 1 FROM journal WHERE place BETWEEN seq % {_MOST_ROWS} * {MOST_STEPS} AND seq % {_MOST_ROWS} * {MOST_STEPS} + {MOST_STEPS - 1})"
"""Whether a row of the inbox has steps, as a part of the statement that reads it."""
_QUESTION = ("seq", "step", "what", "chat", "user", "wants", "asked", "until")
_OPEN = f"SELECT {', '.join(_QUESTION)} FROM question"


class SqlJournal:
    """`syncbot.storage.promises.parts.Journal` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def steps(self, key: JournalKey) -> list[JournalStep]:
        first, last = places(key)
        rows = self._database.rows(f"SELECT {', '.join(_COLUMNS)} FROM journal WHERE place BETWEEN ? AND ? ORDER BY place", (first, last))
        steps: list[JournalStep] = []
        for row in rows:
            (place, what, target, outcome), faults = read_row("journal", _COLUMNS, row)
            if faults:
                _log.error("a step in the journal of row %d is damaged (%s); it is passed over, and what follows it", key.row, faults)
                break
            steps.append(JournalStep(place - first, what, target, outcome))
        return steps

    def write(self, key: JournalKey, step: JournalStep) -> None:
        step.check()
        sql = f"""INSERT INTO journal (place, what, target, outcome) SELECT :place, :what, :target, :outcome WHERE {_HELD}
            ON CONFLICT (place) DO UPDATE SET what = excluded.what, target = excluded.target, outcome = excluded.outcome"""
        values = {"place": places(key)[0] + step.number, "what": step.what, "target": step.target, "outcome": step.outcome}
        if not self._database.write(sql, values | _claim(key)):
            raise taken_over(str(self._database.path))

    def together(self, *, durable: bool) -> AbstractContextManager[object]:
        return self._database.transaction(durable=durable)

    def cut(self, key: JournalKey, number: int) -> None:
        first, last = places(key)
        sql = f"DELETE FROM journal WHERE place BETWEEN :first AND :last AND {_HELD}"
        self._database.write(sql, {"first": first + number, "last": last} | _claim(key))


def places(key: JournalKey) -> tuple[int, int]:
    """The first and the last place of a run's steps in the table."""
    first = key.row % _MOST_ROWS * MOST_STEPS  # a larger number stands in damaged files alone
    return first, first + MOST_STEPS - 1


def end_steps(db: sqlite3.Connection, keys: Iterable[JournalKey]) -> None:
    """Forget the steps of what has ended, inside the caller's transaction."""
    # One statement for all: each gives the interpreter away for as long as others keep it, with the database's lock held.
    steps = f"SELECT place FROM json_each(?) CROSS JOIN journal ON place BETWEEN value AND value + {MOST_STEPS - 1}"
    db.execute(f"DELETE FROM journal WHERE place IN ({steps})", (json.dumps([places(key)[0] for key in keys]),))


def sweep_steps(db: sqlite3.Connection) -> None:
    """Forget the steps of updates that are not to be handled any more, inside the caller's transaction."""
    db.execute(f"DELETE FROM journal WHERE place / {MOST_STEPS} NOT IN (SELECT seq FROM inbox WHERE state <> 'done')")


def _claim(key: JournalKey) -> dict[str, int]:
    return {"row": key.row, "run": key.ticket >> 32}


class SqlQuestions:
    """`syncbot.storage.promises.parts.QuestionStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self) -> list[Question]:
        read = (read_row("question", _QUESTION, row) for row in self._database.rows(f"{_OPEN} ORDER BY asked, seq"))
        return [Question(*values) for values, faults in read if not faults]

    def may_be_answered(self, row: int) -> bool:
        return bool(self._database.rows("SELECT EXISTS (SELECT 1 FROM inbox WHERE seq <= ? AND state IN ('waiting', 'running'))", (row,))[0][0])

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        with self._database.transaction() as db:
            take_answers(db, answers)

    def note(self, question: Question) -> None:
        wants = encode_wants(question)
        self._database.write("UPDATE question SET wants = ? WHERE seq = ? AND step = ?", (wants, question.row, question.step))


def open_question(db: sqlite3.Connection, question: Question) -> None:
    """Write a question and its step, inside the caller's transaction.

    Raises:
        TypeError, ValueError: what it wants is not JSON.
    """
    place = places(JournalKey(question.row))[0] + question.step
    db.execute("INSERT OR REPLACE INTO journal (place, what, target) VALUES (?, ?, '')", (place, question.what))
    wants = encode_wants(question)
    values = (question.row, question.step, question.what, question.chat, question.user, wants, question.asked, question.until)
    db.execute(f"INSERT OR REPLACE INTO question ({', '.join(_QUESTION)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def take_answers(db: sqlite3.Connection, answers: Iterable[QuestionAnswer]) -> None:
    """Write what came of questions that are open, inside the caller's transaction."""
    for answer in answers:
        if db.execute("DELETE FROM question WHERE seq = ? AND step = ?", (answer.row, answer.step)).rowcount:
            place = places(JournalKey(answer.row))[0] + answer.step
            db.execute("UPDATE journal SET outcome = ? WHERE place = ?", (answer.outcome, place))
            db.execute("UPDATE inbox SET state = 'waiting' WHERE seq = ? AND state = 'asking'", (answer.row,))


def forget_questions(db: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Forget those of updates that have ended, inside the caller's transaction."""
    db.execute("DELETE FROM question WHERE seq IN (SELECT value FROM json_each(?))", (json.dumps(list(rows)),))


def recover_questions(db: sqlite3.Connection) -> None:
    """Leave open what handlers waited for when the process ended, inside the caller's transaction: those updates are neither backlog nor suspects.

    An update whose question is damaged, or gone, is handled again, and asks anew.
    """
    for row in db.execute(_OPEN).fetchall():
        if faults := read_row("question", _QUESTION, row)[1]:
            _log.error("a question in the state file is damaged (%s); the handler that waits for its answer runs again", faults)
            db.execute("DELETE FROM question WHERE seq = ?", (row[0],))
    db.execute("UPDATE inbox SET state = 'asking' WHERE state = 'yielded' AND seq IN (SELECT seq FROM question)")
    db.execute("UPDATE inbox SET state = 'waiting' WHERE state = 'asking' AND seq NOT IN (SELECT seq FROM question)")
    db.execute("DELETE FROM question WHERE seq NOT IN (SELECT seq FROM inbox WHERE state = 'asking')")
