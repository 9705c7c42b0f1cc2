"""The questions that are open; each statement here runs inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncbot.storage.codec import encode
from syncbot.storage.postgres.inbox_rows import wait_in_chats
from syncbot.storage.postgres.pool import Connection
from syncbot.storage.promises.questions import Question, QuestionAnswer


def open_question(db: Connection, bot: int, question: Question) -> None:
    """Write a question and its step.

    Raises:
        TypeError, ValueError: what it wants is not JSON.
    """
    wants = encode(dict(question.wants), "what a question wants")
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
    """Write what came of questions that are open."""
    for answer in answers:
        if db.execute("DELETE FROM syncbot.question WHERE bot = %s AND seq = %s AND step = %s", (bot, answer.row, answer.step)).rowcount:
            db.execute("UPDATE syncbot.journal SET outcome = %s WHERE bot = %s AND seq = %s AND step = %s", (answer.outcome, bot, answer.row, answer.step))
            sql = "UPDATE syncbot.inbox SET state = 'waiting' WHERE bot = %s AND seq = %s AND state = 'asking' RETURNING lane, seq"
            wait_in_chats(db, bot, db.execute(sql, (bot, answer.row)).fetchall())


def forget_questions(db: Connection, bot: int, rows: Sequence[int]) -> None:
    """Forget those of updates that have ended."""
    db.execute("DELETE FROM syncbot.question WHERE bot = %s AND seq = ANY (%s)", (bot, list(rows)))
