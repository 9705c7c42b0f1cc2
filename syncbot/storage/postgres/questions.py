# ruff: noqa: S608 - statements are composed of the constants of this file only
"""The questions that are open, in the database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from syncbot.storage.codec import LAST_TIME, Unreadable, check_time, decode_object, encode_wants
from syncbot.storage.postgres.inbox_rows import lock_chats, lock_rows, wait_in_chats
from syncbot.storage.postgres.server.database import PgDatabase, Row
from syncbot.storage.postgres.server.pool import Connection
from syncbot.storage.promises.questions import Question, QuestionAnswer

_log = logging.getLogger(__name__)

_FITS_NOTHING = {"press": ["-", 0]}


def open_question(db: Connection, bot: int, question: Question) -> None:
    """Write a question and its step, inside the caller's transaction.

    Raises:
        TypeError, ValueError: what it wants is not JSON.
    """
    wants = encode_wants(question)
    db.execute(
        """INSERT INTO syncbot.journal (bot, seq, step, what, target) VALUES (%s, %s, %s, %s, '')
            ON CONFLICT (bot, seq, step) DO UPDATE SET what = excluded.what, target = '', outcome = NULL""",
        (bot, question.row, question.step, question.what),
    )
    db.execute(
        """INSERT INTO syncbot.question (bot, seq, step, what, chat, "user", wants, asked, until) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (bot, seq) DO UPDATE SET step = excluded.step, what = excluded.what, chat = excluded.chat, "user" = excluded."user",
            wants = excluded.wants, asked = excluded.asked, until = excluded.until""",
        (bot, question.row, question.step, question.what, question.chat, question.user, wants, question.asked, question.until),
    )


def take_answers(db: Connection, bot: int, answers: Iterable[QuestionAnswer]) -> None:
    """Write what came of questions that are open, inside the caller's transaction."""
    answers = list(answers)
    if not answers:
        return
    rows = [answer.row for answer in answers]
    # Whoever has one of these in hand may be about to put it back just now, and looks whether its question is open.
    lanes = db.execute("SELECT DISTINCT lane FROM syncbot.inbox WHERE bot = %s AND seq = ANY (%s)", (bot, rows)).fetchall()
    lock_chats(db, bot, [lane for (lane,) in lanes])
    lock_rows(db, bot, rows)
    for answer in answers:
        sql = "DELETE FROM syncbot.question WHERE bot = %s AND seq = %s AND step = %s RETURNING seq"
        if db.execute(sql, (bot, answer.row, answer.step)).fetchall():
            db.execute("UPDATE syncbot.journal SET outcome = %s WHERE bot = %s AND seq = %s AND step = %s", (answer.outcome, bot, answer.row, answer.step))
            sql = "UPDATE syncbot.inbox SET state = 'waiting' WHERE bot = %s AND seq = %s AND state = 'asking' RETURNING lane, seq"
            wait_in_chats(db, bot, db.execute(sql, (bot, answer.row)).fetchall())


class PgQuestions:
    """`syncbot.storage.promises.parts.QuestionStore` in PostgreSQL.

    Args:
        database: the database.
    """

    def __init__(self, database: PgDatabase) -> None:
        self._database = database

    def entries(self) -> list[Question]:
        return self._found("TRUE", "")

    def asked(self, chat: int, user: int) -> list[Question]:
        return self._found('chat = %s AND "user" = %s', "", chat, user)

    def of(self, rows: Sequence[int]) -> list[Question]:
        return self._found("seq = ANY (%s)", "", list(rows)) if rows else []

    def overdue(self, at: float, limit: int = 100) -> list[Question]:
        return self._found("until < %s", "LIMIT %s", at, limit)

    def may_be_answered(self, row: int) -> bool:
        sql = "SELECT EXISTS (SELECT 1 FROM syncbot.inbox WHERE bot = %s AND seq <= %s AND state = 'waiting')"
        return bool(self._database.rows(sql, (self._database.bot, row))[0][0])

    def outcomes(self, questions: Sequence[Question]) -> list[QuestionAnswer]:
        sql = """SELECT j.seq, j.step, j.outcome FROM unnest(%s::bigint[], %s::integer[]) AS w (seq, step)
            JOIN syncbot.journal AS j ON j.bot = %s AND j.seq = w.seq AND j.step = w.step WHERE j.outcome IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = j.bot AND q.seq = j.seq AND q.step = j.step)"""
        rows = self._database.rows(sql, ([one.row for one in questions], [one.step for one in questions], self._database.bot))
        return [QuestionAnswer(*row) for row in rows]

    def _found(self, where: str, limit: str, *values: object) -> list[Question]:
        sql = f'SELECT seq, step, what, chat, "user", wants, asked, until FROM syncbot.question WHERE bot = %s AND {where} ORDER BY asked, seq {limit}'
        return [_question(row) for row in self._database.rows(sql, (self._database.bot, *values))]

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        with self._database.transaction() as db:
            take_answers(db, self._database.bot, sorted(answers, key=lambda answer: answer.row))
        self._database.news.tell()

    def note(self, question: Question) -> None:
        wants = encode_wants(question)
        with self._database.transaction() as db:
            sql = "UPDATE syncbot.question SET wants = %s WHERE bot = %s AND seq = %s AND step = %s"
            db.execute(sql, (wants, self._database.bot, question.row, question.step))


def _question(row: Row) -> Question:
    """A question; one whose row is damaged fits no answer, and ends in time, at once where nobody knows when."""
    seq, step, what, chat, user, wants, asked, until = row
    try:
        return Question(seq, step, what, chat, user, decode_object(wants), check_time(asked), None if until is None else check_time(until))
    except Unreadable as problem:
        _log.error("a question in the database is damaged (it %s); the handler that waits for its answer goes on when its time is over", problem)
        return Question(seq, step, what, chat, user, _FITS_NOTHING, 0.0, until if until is not None and 0.0 <= until <= LAST_TIME else 0.0)
