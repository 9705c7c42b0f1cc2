"""The questions in the state file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence

from syncbot.storage.codec import encode
from syncbot.storage.promises.journal import JournalKey
from syncbot.storage.promises.questions import Answer, Question
from syncbot.storage.sqlite.database import Database
from syncbot.storage.sqlite.journal import places
from syncbot.storage.sqlite.shapes import read_row

_log = logging.getLogger(__name__)

_COLUMNS = ("seq", "step", "what", "chat", "user", "wants", "asked", "until")
_SELECT = "SELECT seq, step, what, chat, user, wants, asked, until FROM question"


class SqlQuestions:
    """`syncbot.storage.promises.questions.Questions` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self) -> list[Question]:
        read = (read_row("question", _COLUMNS, row) for row in self._database.rows(f"{_SELECT} ORDER BY asked, seq"))
        return [Question(*values) for values, faults in read if not faults]

    def close(self, answers: Sequence[Answer]) -> None:
        with self._database.transaction() as db:
            take_answers(db, answers)


def open_question(db: sqlite3.Connection, question: Question) -> None:
    """Write a question and its step, inside the caller's transaction.

    Raises:
        TypeError, ValueError: what it wants is not JSON.
    """
    place = places(JournalKey(question.row))[0] + question.step
    db.execute("INSERT OR REPLACE INTO journal (place, what, target) VALUES (?, ?, '')", (place, question.what))
    wants = encode(dict(question.wants), "what a question wants")
    values = (question.row, question.step, question.what, question.chat, question.user, wants, question.asked, question.until)
    db.execute("INSERT OR REPLACE INTO question (seq, step, what, chat, user, wants, asked, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def take_answers(db: sqlite3.Connection, answers: Iterable[Answer]) -> None:
    """Write what came of questions that are open, inside the caller's transaction."""
    for answer in answers:
        if db.execute("DELETE FROM question WHERE seq = ? AND step = ?", (answer.row, answer.step)).rowcount:
            place = places(JournalKey(answer.row))[0] + answer.step
            db.execute("UPDATE journal SET outcome = ? WHERE place = ?", (answer.outcome, place))
            db.execute("UPDATE inbox SET state = 'waiting' WHERE seq = ? AND state = 'asking'", (answer.row,))


def forget_questions(db: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Forget those of updates that have ended, inside the caller's transaction."""
    db.executemany("DELETE FROM question WHERE seq = ?", ((row,) for row in rows))


def recover_questions(db: sqlite3.Connection) -> None:
    """Leave open what handlers waited for when the process ended, inside the caller's transaction: those updates are neither backlog nor suspects.

    An update whose question is damaged, or gone, is handled again, and asks anew.
    """
    for row in db.execute(_SELECT).fetchall():
        if faults := read_row("question", _COLUMNS, row)[1]:
            _log.error("a question in the state file is damaged (%s); the handler that waits for its answer runs again", faults)
            db.execute("DELETE FROM question WHERE seq = ?", (row[0],))
    db.execute("UPDATE inbox SET state = 'asking' WHERE state = 'yielded' AND seq IN (SELECT seq FROM question)")
    db.execute("UPDATE inbox SET state = 'waiting' WHERE state = 'asking' AND seq NOT IN (SELECT seq FROM question)")
    db.execute("DELETE FROM question WHERE seq NOT IN (SELECT seq FROM inbox WHERE state = 'asking')")
