"""The tables in the database, in a schema of their own (`syncbot`), as numbered migrations. Each table has a column `bot`: many bots share them.

```
chat          a row for each key of which something waits or is handled: whoever owns it handles what is of this key
inbox         the updates; `lane` is the chat's key, or one of its own where an update has none
member        a row for each process that handles, which lives as long as its lease is renewed: whose row is gone has nothing any more
written       a row for each connection, which says how many transactions it has committed: so it can be told whether one was whose answer was lost
```

What waits in a chat is not counted in its row: `since` is the number of the first update that waits, or null. Numbers of updates are given before the
chat's row is locked, so two processes that store for one chat at the same moment may commit in either order.

Statements are planned without their values (`pool`): one that is to go by an index of some rows only says so itself, as with `owner <> 0`.
"""

from __future__ import annotations

import math

from syncbot.errors import StorageError
from syncbot.storage.postgres.server.pool import Connection

LOCK = 0x53594E42 << 32
"""The advisory lock under which the tables are made, and from which those of members are counted on ("SYNB")."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE syncbot.bot (bot bigint PRIMARY KEY)",
        "CREATE TABLE syncbot.meta (bot bigint, name text, value text NOT NULL, PRIMARY KEY (bot, name))",
        "CREATE SEQUENCE syncbot.inbox_seq",
        """CREATE TABLE syncbot.inbox (
            bot bigint, seq bigint, update_id bigint NOT NULL, chat text NOT NULL, lane text NOT NULL, stored double precision NOT NULL,
            state text NOT NULL DEFAULT 'waiting', owner bigint NOT NULL DEFAULT 0, attempts integer NOT NULL DEFAULT 0,
            alone integer NOT NULL DEFAULT 0, suspect bigint NOT NULL DEFAULT 0, json bytea NOT NULL, PRIMARY KEY (bot, seq))""",
        "CREATE INDEX inbox_turn ON syncbot.inbox (bot, lane, seq) WHERE state = 'waiting'",
        "CREATE INDEX inbox_held ON syncbot.inbox (bot, owner) WHERE state <> 'waiting'",
        "CREATE INDEX inbox_suspect ON syncbot.inbox (bot, lane) WHERE suspect <> 0",
        "CREATE INDEX inbox_job ON syncbot.inbox (bot) WHERE update_id < 0",
        """CREATE TABLE syncbot.chat (
            bot bigint, key text, since bigint, owner bigint NOT NULL DEFAULT 0, running integer NOT NULL DEFAULT 0, suspect bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (bot, key)) WITH (fillfactor = 70)""",
        "CREATE INDEX chat_turn ON syncbot.chat (bot, since) WHERE owner = 0 AND suspect = 0 AND since IS NOT NULL",
        "CREATE INDEX chat_suspect ON syncbot.chat (bot, suspect) WHERE suspect <> 0",
        "CREATE INDEX chat_owner ON syncbot.chat (bot, owner) WHERE owner <> 0",
        "CREATE TABLE syncbot.tally (bot bigint, slot integer, waiting bigint NOT NULL, PRIMARY KEY (bot, slot)) WITH (fillfactor = 50)",
        "CREATE TABLE syncbot.seen (bot bigint, update_id bigint, seq bigint NOT NULL, at double precision NOT NULL, PRIMARY KEY (bot, update_id))",
        "CREATE INDEX seen_age ON syncbot.seen (bot, seq)",
        "CREATE SEQUENCE syncbot.member_id",
        """CREATE TABLE syncbot.member (
            bot bigint, id bigint, name text NOT NULL, lease_until timestamptz NOT NULL, mode text NOT NULL DEFAULT '', polls boolean NOT NULL DEFAULT false,
            PRIMARY KEY (bot, id)) WITH (fillfactor = 50)""",
        "CREATE UNIQUE INDEX member_poller ON syncbot.member (bot) WHERE polls",
        """CREATE TABLE syncbot.dead_letter (
            bot bigint, id bigint GENERATED ALWAYS AS IDENTITY, update_id bigint NOT NULL, chat text NOT NULL, stored double precision NOT NULL,
            died double precision NOT NULL, attempts integer NOT NULL, reason text NOT NULL, json bytea NOT NULL, PRIMARY KEY (bot, id))""",
        """CREATE TABLE syncbot.data (
            bot bigint, scope text, owner bigint, name text, value text NOT NULL, PRIMARY KEY (bot, scope, owner, name))""",
        """CREATE TABLE syncbot.conversation (
            bot bigint, chat bigint, "user" bigint, state text NOT NULL, at double precision NOT NULL, PRIMARY KEY (bot, chat, "user"))""",
        """CREATE TABLE syncbot.album (
            bot bigint, seq bigint, name text NOT NULL, lane text NOT NULL, began double precision NOT NULL, ready double precision NOT NULL,
            PRIMARY KEY (bot, seq))""",
        """CREATE TABLE syncbot.journal (
            bot bigint, seq bigint, step integer, what text NOT NULL, target text NOT NULL, outcome text, PRIMARY KEY (bot, seq, step))""",
        """CREATE TABLE syncbot.question (
            bot bigint, seq bigint, step integer NOT NULL, what text NOT NULL, chat bigint, "user" bigint, wants text NOT NULL,
            asked double precision NOT NULL, until double precision, PRIMARY KEY (bot, seq))""",
        'CREATE INDEX question_chat ON syncbot.question (bot, chat, "user")',
        "CREATE INDEX question_end ON syncbot.question (bot, until)",
        """CREATE TABLE syncbot.job (
            bot bigint, key text, name text NOT NULL, rule text NOT NULL, next_time double precision NOT NULL, chat bigint, "user" bigint,
            data text NOT NULL, missed text NOT NULL, paused boolean NOT NULL, declared boolean NOT NULL, run bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (bot, key))""",
        "CREATE INDEX job_turn ON syncbot.job (bot, next_time)",
        """CREATE TABLE syncbot.outbox (
            bot bigint, id bigint GENERATED ALWAYS AS IDENTITY, chat text NOT NULL, method text NOT NULL, params text NOT NULL, files text NOT NULL,
            created double precision NOT NULL, not_before double precision NOT NULL, expires double precision, state text NOT NULL,
            attempts integer NOT NULL DEFAULT 0, owner text NOT NULL DEFAULT '', lease_until double precision NOT NULL DEFAULT 0,
            reason text NOT NULL DEFAULT '', PRIMARY KEY (bot, id))""",
        "CREATE INDEX outbox_turn ON syncbot.outbox (bot, chat, id) WHERE state IN ('queued', 'claimed', 'sending')",
        """CREATE TABLE syncbot.outbox_file (
            bot bigint, name text, number integer, piece bytea NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (bot, name, number))""",
        "ALTER TABLE syncbot.outbox_file ALTER COLUMN piece SET STORAGE EXTERNAL",
        """CREATE TABLE syncbot.turn (
            bot bigint, chat text, full_at double precision NOT NULL DEFAULT 0, minute double precision[] NOT NULL DEFAULT '{}',
            paused_until double precision NOT NULL DEFAULT 0, PRIMARY KEY (bot, chat)) WITH (fillfactor = 50)""",
        "CREATE INDEX turn_full ON syncbot.turn (bot, full_at)",
        "CREATE INDEX turn_paused ON syncbot.turn (bot, paused_until) WHERE paused_until > 0",
    ),
    (
        """CREATE TABLE syncbot.written (
            bot bigint, connection uuid, number bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (bot, connection)) WITH (fillfactor = 50)""",
    ),
)
"""Each is applied once, in one transaction with its number in `syncbot.migration`. Never change one that was released: add another."""


def migrate(db: Connection, place: str, patience: float) -> None:
    """Make the tables, or bring them up to date; many programs may do so at once, and each waits for the one before it for so many seconds at most.

    Raises:
        StorageError: they are those of a newer syncbot.
        psycopg.Error: they cannot be made, or the wait was over; nothing has changed.
    """
    if version_of(db, place) == len(MIGRATIONS):
        return
    with db.transaction():
        db.execute("SELECT set_config('lock_timeout', %s, true)", (f"{max(1, math.ceil(patience * 1000))}ms",))
        db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if not db.execute("SELECT to_regnamespace('syncbot')").fetchall()[0][0]:
            db.execute("CREATE SCHEMA syncbot")
        db.execute("CREATE TABLE IF NOT EXISTS syncbot.migration (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
        known = version_of(db, place)  # again, now that nobody else can change it
        for number, statements in enumerate(MIGRATIONS[known:], known + 1):
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO syncbot.migration (number) VALUES (%s)", (number,))


def version_of(db: Connection, place: str) -> int:
    """How many migrations were applied; 0 where there are no tables yet.

    Raises:
        StorageError: more than are known here.
    """
    if db.execute("SELECT to_regclass('syncbot.migration')").fetchall()[0][0] is None:
        return 0
    found = int(db.execute("SELECT coalesce(max(number), 0) FROM syncbot.migration").fetchall()[0][0])
    if found > len(MIGRATIONS):
        raise StorageError(
            f"the tables of the database {place} were written by a newer syncbot (their format is {found}, this one knows {len(MIGRATIONS)}); "
            "install that version again (pip install --upgrade syncbot), or choose another database"
        )
    return found


def bind(db: Connection, place: str, bot_id: int | None) -> int:
    """Write down that this bot has rows here, and return it; None for the only one that has.

    Raises:
        StorageError: there is none, or more than one.
    """
    if bot_id is not None:
        db.execute("INSERT INTO syncbot.bot (bot) VALUES (%s) ON CONFLICT DO NOTHING", (bot_id,))
        return bot_id
    bots = bots_of(db)[:10]
    if len(bots) == 1:
        return bots[0]
    if not bots:
        raise StorageError(f"the database {place} belongs to no bot yet; start the bot once")
    raise StorageError(f"the database {place} holds several bots ({', '.join(map(str, bots))}); say which one, by TELEGRAM_BOT_TOKEN")


def bots_of(db: Connection) -> list[int]:
    """The bots that have rows here."""
    return [int(bot) for (bot,) in db.execute("SELECT bot FROM syncbot.bot ORDER BY bot").fetchall()]
