"""Calls that are queued within the transaction of an application: sent if and only if it commits, with each library's own connection."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kits.outbox_kit import BOT_ID, make_bot
from kits.postgres_kit import PostgresServer
from psycopg.rows import dict_row

from syncbot.errors import ConfigError, StorageError
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.storage import OutboxState, open_store
from syncbot.transport import FakeTransport

pytestmark = pytest.mark.programs("postgres")

Opened = Callable[[str], contextlib.AbstractContextManager[tuple[Any, Callable[[], object], Callable[[], object]]]]


@contextlib.contextmanager
def by_psycopg(url: str) -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    """A connection, and what commits and rolls back."""
    with psycopg.connect(url) as connection:
        yield connection, connection.commit, connection.rollback


@contextlib.contextmanager
def by_psycopg_with_dicts(url: str) -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        yield connection, connection.commit, connection.rollback


@contextlib.contextmanager
def by_psycopg2(url: str) -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    import psycopg2

    with closing(psycopg2.connect(url)) as connection:
        yield connection, connection.commit, connection.rollback


@contextlib.contextmanager
def by_sqlalchemy(url: str, driver: str = "psycopg") -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    import sqlalchemy  # where it is needed: every process collects all tests

    engine = sqlalchemy.create_engine(url.replace("postgresql://", f"postgresql+{driver}://"))
    with engine.connect() as connection:
        yield connection, connection.commit, connection.rollback
    engine.dispose()


@contextlib.contextmanager
def by_session(url: str, driver: str = "psycopg") -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    import sqlalchemy
    from sqlalchemy.orm import Session

    engine = sqlalchemy.create_engine(url.replace("postgresql://", f"postgresql+{driver}://"))
    with Session(engine) as session:
        yield session, session.commit, session.rollback
    engine.dispose()


by_sqlalchemy_and_psycopg2 = partial(by_sqlalchemy, driver="psycopg2")
by_session_and_psycopg2 = partial(by_session, driver="psycopg2")


@contextlib.contextmanager
def by_django(url: str) -> Iterator[tuple[Any, Callable[[], object], Callable[[], object]]]:
    from urllib.parse import urlsplit

    from django.db.backends.postgresql.base import DatabaseWrapper

    parts = urlsplit(url)
    facts = {"NAME": parts.path[1:], "USER": parts.username, "PASSWORD": parts.password, "HOST": parts.hostname, "PORT": parts.port}
    unset = {"OPTIONS": {}, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": False, "ATOMIC_REQUESTS": False}
    connection = DatabaseWrapper({**facts, **unset, "TEST": {}})
    try:
        yield connection, connection.commit, connection.rollback
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def django_settings() -> None:
    """Django's connections ask its settings whether they are to log."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure()
    django.setup()


@pytest.mark.parametrize(
    "opened",
    [
        by_psycopg,
        by_psycopg_with_dicts,
        by_psycopg2,
        by_sqlalchemy,
        by_session,
        pytest.param(by_sqlalchemy_and_psycopg2, id="by_sqlalchemy_and_psycopg2"),
        pytest.param(by_session_and_psycopg2, id="by_session_and_psycopg2"),
        by_django,
    ],
)
def test_a_call_is_queued_if_and_only_if_the_transaction_commits(postgres_url: str, opened: Opened, tmp_path: Path) -> None:
    """Nobody sees it before; a rollback leaves neither the call nor its file; a commit has it delivered, file and all."""
    (tmp_path / "bill.txt").write_bytes(b"bill" * 200_000)
    transport = FakeTransport(sendMessage={"message_id": 1}, sendDocument={"message_id": 2})
    outbox = Outbox(postgres_url, make_bot(transport))
    with open_store(postgres_url, BOT_ID) as store, opened(postgres_url) as (connection, commit, roll_back):
        outbox.send_document(7, tmp_path / "bill.txt", connection=connection)
        assert store.outbox.entries() == []
        roll_back()
        assert store.outbox.entries() == []
        assert store._database.rows("SELECT count(*) FROM syncbot.outbox_file") == [(0,)]  # type: ignore[attr-defined]  # what the table holds
        first = outbox.send_document(7, tmp_path / "bill.txt", connection=connection)
        second = outbox.call("sendMessage", chat_id=7, text="paid", ttl=60, connection=connection)
        assert store.outbox.entries() == []
        commit()
        assert [item.id for item in store.outbox.entries(OutboxState.QUEUED)] == [first, second]
    (tmp_path / "bill.txt").unlink()
    assert outbox.flush(20.0).delivered == 2
    assert [call.method for call in transport.calls] == ["sendDocument", "sendMessage"]


def test_a_connection_to_elsewhere_is_refused_with_words(postgres: PostgresServer, postgres_url: str) -> None:
    """A database without the tables, or in which the bot never ran; the transaction of the application goes on."""
    other = postgres.create_database()
    outbox = Outbox(postgres_url, make_bot())
    try:
        with psycopg.connect(other) as connection:
            with pytest.raises(StorageError, match="leads to another database"):
                outbox.send_message(7, "hi", connection=connection)
            with open_store(other, BOT_ID + 1):
                pass
            with pytest.raises(StorageError, match="never started on it"):
                outbox.send_message(7, "hi", connection=connection)
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        postgres.drop_database(other)


def test_a_user_without_rights_is_told_which(postgres: PostgresServer, postgres_url: str) -> None:
    """What has to be granted stands in the error."""
    with open_store(postgres_url, BOT_ID):
        pass
    postgres.run("DO $$ BEGIN CREATE ROLE poor LOGIN PASSWORD 'poor'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    parts = postgres_url.split("@")
    with psycopg.connect(f"postgresql://poor:poor@{parts[1]}") as connection, pytest.raises(StorageError, match="GRANT USAGE ON SCHEMA syncbot"):
        Outbox(postgres_url, make_bot()).send_message(7, "hi", connection=connection)


def test_what_is_no_such_connection_is_refused(postgres_url: str, tmp_path: Path) -> None:
    """A connection of another kind or to another kind of database, an engine, and one beside a state in a file."""
    import sqlite3

    import sqlalchemy
    from sqlalchemy.orm import Session

    with pytest.raises(TypeError, match="not a str"):
        Outbox(postgres_url, make_bot()).send_message(7, "hi", connection="postgresql://")
    with closing(sqlite3.connect(":memory:")) as db, pytest.raises(ConfigError, match="in the same PostgreSQL database"):
        Outbox(tmp_path / "bot.db", make_bot()).send_message(7, "hi", connection=db)

    engine = sqlalchemy.create_engine("sqlite://")
    for other in (engine, Session(engine)):
        with pytest.raises(TypeError, match="connection to PostgreSQL of psycopg, Django or SQLAlchemy, and not"):
            Outbox(postgres_url, make_bot()).send_message(7, "hi", connection=other)

    class Later:
        async def commit(self) -> None:
            """As asyncio's connections have it."""

    with pytest.raises(TypeError, match="asyncio"):
        Outbox(postgres_url, make_bot()).send_message(7, "hi", connection=Later())
