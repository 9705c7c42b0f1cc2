"""The tables in a database: made once, brought up to date in whole steps, and left alone where they are newer."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, drain, put

from syncbot.errors import StorageError
from syncbot.storage import open_store
from syncbot.storage.postgres.server.schema import MIGRATIONS

pytestmark = pytest.mark.programs("postgres")

_TABLES = """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM information_schema.columns
    WHERE table_schema = 'syncbot' ORDER BY 1, 2"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'syncbot' ORDER BY 1"
_OPTIONS = "SELECT relname, relkind, reloptions::text FROM pg_class WHERE relnamespace = 'syncbot'::regnamespace ORDER BY 1"
# Each statement that makes something counts; at the one whose turn it is, its connection dies.
_DIES_AT = """
    CREATE SEQUENCE public.made;
    CREATE FUNCTION public.die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('public.made') = {number} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$;
    CREATE EVENT TRIGGER die ON ddl_command_end EXECUTE FUNCTION public.die();
"""


def shape(postgres: PostgresServer, url: str) -> list[list[tuple[object, ...]]]:
    """Tables, indexes and their options."""
    return [postgres.run(query, url) for query in (_TABLES, _INDEXES, _OPTIONS)]


def statements() -> int:
    return sum(map(len, MIGRATIONS))


def test_many_programs_may_make_the_tables_at_once(postgres: PostgresServer, postgres_url: str) -> None:
    """Eight that open a fresh database at the same moment all find it made, each step once."""
    problems: list[BaseException] = []
    together = threading.Barrier(8)

    def open_it() -> None:
        together.wait(20)
        try:
            open_store(postgres_url, BOT).close()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert problems == []
    assert postgres.run("SELECT number FROM syncbot.migration ORDER BY 1", postgres_url) == [(number,) for number in range(1, len(MIGRATIONS) + 1)]


def test_newer_tables_are_left_alone(postgres: PostgresServer, postgres_url: str) -> None:
    """Tables of a newer syncbot are refused, with what to do, and nothing in them is touched."""
    with open_store(postgres_url, BOT) as store:
        put(store.inbox, (1, "a"))
    postgres.run(f"INSERT INTO syncbot.migration (number) VALUES ({len(MIGRATIONS) + 1})", postgres_url)
    before = shape(postgres, postgres_url)
    with pytest.raises(StorageError, match=r"newer syncbot.*pip install --upgrade"):
        open_store(postgres_url, BOT)
    assert shape(postgres, postgres_url) == before
    postgres.run(f"DELETE FROM syncbot.migration WHERE number > {len(MIGRATIONS)}", postgres_url)
    with open_store(postgres_url, BOT) as store:
        store.inbox.recover()
        assert drain(store.inbox) == [1]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_a_death_between_two_statements_leaves_whole_steps(postgres: PostgresServer, postgres_url: str, share: float) -> None:
    """Wherever the connection of the one that makes the tables dies, the next one makes them as in a fresh database."""
    other = postgres.create_database()
    open_store(other, BOT).close()
    number = 1 + round(share * (statements() - 1))
    postgres.run(_DIES_AT.format(number=number), postgres_url)
    with pytest.raises(StorageError) as refusal:
        open_store(postgres_url, BOT)
    assert refusal.value.retryable
    postgres.run("DROP EVENT TRIGGER die", postgres_url)
    with open_store(postgres_url, BOT) as store:
        put(store.inbox, (1, "a"))
        store.inbox.recover()
        assert drain(store.inbox) == [1]
    assert shape(postgres, postgres_url) == shape(postgres, other)
    postgres.drop_database(other)


def test_who_waits_for_the_tables_waits_no_longer_than_told(postgres: PostgresServer, postgres_url: str, held: Callable[[str, str], None]) -> None:
    """While another program makes the tables and does not come to an end, one that starts is told so, as of what passes by itself."""
    from syncbot.storage import StoreOptions
    from syncbot.storage.postgres.server.schema import LOCK

    held(postgres_url, f"SELECT pg_advisory_xact_lock({LOCK})")
    with pytest.raises(StorageError) as refusal:
        open_store(postgres_url, BOT, options=StoreOptions(busy_timeout=0.2))
    assert refusal.value.retryable


def test_a_database_of_several_bots_wants_to_know_which(postgres_url: str) -> None:
    """Several bots keep apart in one database; a tool that is not told which one is told that it has to say so."""
    with open_store(postgres_url, BOT) as one, open_store(postgres_url, BOT + 1) as other:
        put(one.inbox, (1, "a"), (2, "a"))
        put(other.inbox, (1, "a"))
        one.inbox.recover()
        other.inbox.recover()
        assert drain(one.inbox) == [1, 2]
        assert drain(other.inbox) == [1]
    with pytest.raises(StorageError, match="several bots"):
        open_store(postgres_url, None)
