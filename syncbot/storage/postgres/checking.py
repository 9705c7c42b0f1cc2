# ruff: noqa: S608 - statements are composed of the constants of this file only
"""Whether what a bot has in the database is whole; it is only read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from syncbot.errors import StorageError
from syncbot.storage.address import DatabaseUrl
from syncbot.storage.codec import Unreadable, decode
from syncbot.storage.postgres.mending import LEFT_CHATS, UNHANDLED
from syncbot.storage.postgres.server.pg_errors import explained
from syncbot.storage.postgres.server.pool import Connection, Connector
from syncbot.storage.postgres.server.schema import MIGRATIONS, bots_of, version_of
from syncbot.storage.promises.store import StoreOptions

_JSON = {
    "meta": ("value",),
    "data": ("name", "value"),
    "conversation": ("state",),
    "outbox": ("params", "files"),
    "journal": ("outcome",),
    "job": ("rule", "data"),
    "question": ("wants",),
}
_TABLES = ("meta", "inbox", "seen", "dead_letter", "data", "conversation", "outbox", "journal", "job", "album", "question")
_PORTION = 1000
_REFERENCES = {
    "updates are such that nobody would handle them": f"SELECT count(*) {UNHANDLED}",
    "updates wait for the answers of questions that are not there": """SELECT count(*) FROM syncbot.inbox AS i WHERE i.bot = %(bot)s AND i.state = 'asking'
        AND NOT EXISTS (SELECT 1 FROM syncbot.question AS q WHERE q.bot = i.bot AND q.seq = i.seq)""",
    "chats belong to members that are not there": f"SELECT count(*) {LEFT_CHATS}",
    "files of queued calls are gone": """SELECT count(*) FROM syncbot.outbox AS o, jsonb_array_elements_text(o.files::jsonb) AS f (name) WHERE o.bot = %(bot)s
        AND NOT EXISTS (SELECT 1 FROM syncbot.outbox_file AS p WHERE p.bot = o.bot AND p.name = f.name AND p.number = 0)""",
}


@dataclass
class DatabaseFindings:
    """What a look at a bot's rows has found.

    Args:
        place: the database, in words.
        bot_id: whose they are.
        troubles: what is wrong, a line each; none where all is whole.
        rows: how many there are, by table.
    """

    place: str
    bot_id: int
    troubles: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def check_database(url: DatabaseUrl, bot_id: int | None) -> DatabaseFindings:
    """Look at all rows of a bot; the bot may run meanwhile.

    Raises:
        StorageError: there is nothing to look at, or the tables are a newer syncbot's.
    """
    place = str(url)
    options = StoreOptions()
    with explained(place, is_start=True), closing(Connector(url.secret, options.busy_timeout, options.lease_seconds).connect()) as db:
        db.execute("SET statement_timeout = 0")  # there may be many rows
        version = version_of(db, place)
        if not version:
            raise StorageError(f"the database {place} has no tables of a bot yet; start the bot once")
        bots = bots_of(db)
        if bot_id is None and len(bots) != 1:
            raise StorageError(f"the database {place} holds {len(bots)} bots; say which one, by TELEGRAM_BOT_TOKEN")
        findings = DatabaseFindings(place, bots[0] if bot_id is None else bot_id)
        if findings.bot_id not in bots:
            raise StorageError(f"the database {place} has nothing of bot {findings.bot_id}; start the bot once")
        db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if version < len(MIGRATIONS):
            findings.troubles.append(f"its tables have the format {version} of an earlier release; the next start brings them to {len(MIGRATIONS)}")
            return findings
        _look(db, findings)
    return findings


def _look(db: Connection, findings: DatabaseFindings) -> None:
    where = {"bot": findings.bot_id}
    for table in _TABLES:
        findings.rows[table] = int(db.execute(f"SELECT count(*) FROM syncbot.{table} WHERE bot = %(bot)s", where).fetchall()[0][0])
    for table, columns in _JSON.items():
        if damaged := _damaged(db, table, columns, findings.bot_id):
            findings.troubles.append(f"{damaged} rows of {table} hold no JSON where they should")
    for words, sql in _REFERENCES.items():
        if number := int(db.execute(sql, where).fetchall()[0][0]):
            findings.troubles.append(f"{number} {words}")


def _damaged(db: Connection, table: str, columns: tuple[str, ...], bot: int) -> int:
    damaged = 0
    with db.cursor(f"checked_{table}") as cursor:
        cursor.itersize = _PORTION
        for row in cursor.execute(f"SELECT {', '.join(columns)} FROM syncbot.{table} WHERE bot = %s", (bot,)):
            try:
                for text in row:
                    if text is not None:
                        decode(text)
            except Unreadable:
                damaged += 1
    return damaged
