"""The PostgreSQL that the tests start for themselves."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from kits.postgres_kit import PASSWORD, PostgresServer
from kits.runtime_kit import becomes
from kits.storage_kit import BOT, put

from syncbot.errors import ConfigError, StorageError
from syncbot.storage import Changes, DataChange, End, Incoming, Scope, open_store

pytestmark = pytest.mark.programs("postgres")


def test_databases_are_apart(postgres: PostgresServer) -> None:
    """Each test has a database of its own, in which nothing stands."""
    one, other = postgres.create_database(), postgres.create_database()
    postgres.run("CREATE TABLE here (a int)", one)
    assert postgres.run("SELECT to_regclass('here')", other) == [(None,)]
    postgres.drop_database(one)
    assert postgres.run(f"SELECT count(*) FROM pg_database WHERE datname = '{urlsplit(one).path[1:]}'") == [(0,)]
    postgres.drop_database(other)


@pytest.mark.programs("initdb")
def test_what_was_committed_survives_a_crash() -> None:
    """A server that is stopped hard has, started again on its port, all that was committed; its output does not hold the password."""
    with PostgresServer(own=True) as server:
        url = server.create_database()
        server.run("CREATE TABLE here (a int); INSERT INTO here VALUES (7)", url)
        server.crash()
        server.start()
        assert server.run("SELECT a FROM here", url) == [(7,)]
        assert PASSWORD in url
        assert PASSWORD not in server.log
    assert not server.folder.exists()


def test_what_others_define_in_the_database_is_never_called(postgres: PostgresServer, postgres_url: str) -> None:
    """An operator of somebody else's, in the schema that everybody sees and nearer to our values than the server's own, would see and change what is stored."""
    body = "BEGIN RAISE EXCEPTION 'it was called'; END"
    postgres.run(f"CREATE FUNCTION public.takes(text, bigint) RETURNS text LANGUAGE plpgsql AS $$ {body} $$", postgres_url)
    postgres.run("CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = bigint, FUNCTION = public.takes)", postgres_url)
    with open_store(postgres_url, BOT) as store:
        store.inbox.store([Incoming(1, "", b'{"update_id":1}')])
        store.inbox.recover()
        [claimed] = store.inbox.claim()
        store.inbox.settle([End(claimed)])
        assert store.inbox.counts().waiting == 0


@pytest.mark.parametrize("state", ["XX000", "0A000", "26000"])
def test_what_the_server_does_not_expect_is_its_own_trouble(postgres: PostgresServer, postgres_url: str, state: str) -> None:
    """An error within the server says nothing of what was to be written: it may be written again."""
    with open_store(postgres_url, BOT) as store:
        body = f"BEGIN RAISE EXCEPTION 'not expected' USING ERRCODE = '{state}'; END"
        postgres.run(f"CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$", postgres_url)
        postgres.run("CREATE TRIGGER fails BEFORE INSERT ON syncbot.data FOR EACH ROW EXECUTE FUNCTION fails()", postgres_url)
        with pytest.raises(StorageError, match="not expected") as caught:
            store.data.apply(Changes((DataChange(Scope.USER, 1, {"n": 1}),)))
        assert caught.value.retryable
        postgres.run("DROP TRIGGER fails ON syncbot.data", postgres_url)
        store.data.apply(Changes((DataChange(Scope.USER, 1, {"n": 1}),)))
        assert store.data.load(Scope.USER, 1) == {"n": 1}


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_server_with_another_isolation_by_default(postgres: PostgresServer, postgres_url: str, level: str) -> None:
    """Two that store for one chat at the same moment wait for each other, as ever; neither is refused what the other was quicker with."""
    postgres.run(f"ALTER DATABASE \"{urlsplit(postgres_url).path[1:]}\" SET default_transaction_isolation = '{level}'")
    with open_store(postgres_url, BOT) as store, psycopg.connect(postgres_url, connect_timeout=20) as other:
        put(store.inbox, (1, "a"))
        other.execute("UPDATE syncbot.chat SET since = since")
        storing = threading.Thread(target=put, args=(store.inbox, (2, "a")))
        storing.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        assert becomes(lambda: postgres.run(waits, postgres_url) == [(1,)])
        other.commit()
        storing.join(20.0)
        assert store.inbox.counts().waiting == 2


@pytest.fixture
def stranger(postgres: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The URL of the database for a user of its own, who may use nothing else."""
    parts = urlsplit(postgres_url)
    name = f"{parts.path[1:]}_user"
    postgres.run(f"CREATE ROLE {name} LOGIN PASSWORD 'first-word'; GRANT CREATE ON DATABASE {parts.path[1:]} TO {name}", postgres_url)
    yield urlunsplit(parts._replace(netloc=f"{name}:first-word@{parts.netloc.rpartition('@')[2]}"))
    postgres.run(f"SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE usename = '{name}'")
    postgres.run(f"DROP OWNED BY {name}; DROP ROLE {name}", postgres_url)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (":first-word@", ":wrong-word@"),
        (":first-word@", "@"),
        ("_user:first-word@", "_nobody:wrong-word@"),
        ("/syncbot_test_", "/no_syncbot_test_"),
        ("", "?options=-c%20work_mem%3Dlittle"),
    ],
    ids=["password", "no password", "user", "database", "server's option"],
)
def test_who_is_not_let_in_has_a_wrong_setting(stranger: str, before: str, now: str) -> None:
    """A wrong password, user or database at the start is told as what it is, without the password, and not waited for."""
    url = stranger.replace(before, now) if before else stranger + now
    with pytest.raises(ConfigError, match=r"does not let the bot in .*its user, password, database and options stand in its URL") as caught:
        open_store(url, BOT)
    assert "-word" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("servers", "is_wrong"),
    [("127.0.0.1:{port},127.0.0.1:9", False), ("127.0.0.1:9,127.0.0.1:{port}", False), ("127.0.0.1:{port},localhost:{port}", True)],
    ids=["the other one is away", "the first one is away", "neither lets it in"],
)
def test_of_several_servers_none_lets_it_in(stranger: str, servers: str, is_wrong: bool) -> None:
    """While one is away nobody knows what it would say; one that has several addresses says it at any of them."""
    parts = urlsplit(stranger)
    url = f"postgresql://{parts.username}:wrong-word@{servers.format(port=parts.port)}{parts.path}"
    with pytest.raises(ConfigError if is_wrong else StorageError, match="password authentication failed"):
        open_store(url, BOT)


def test_a_server_is_one_whatever_its_addresses(stranger: str) -> None:
    """Nothing listens at one of them, as at ::1 for localhost; at the other the password is wrong."""
    parts = urlsplit(stranger)
    url = f"postgresql://{parts.username}:wrong-word@db:{parts.port},db:{parts.port}{parts.path}?hostaddr=127.0.0.1,127.0.0.2"
    with pytest.raises(ConfigError, match="password authentication failed"):
        open_store(url, BOT)


def test_a_password_that_is_changed_meanwhile_is_tried_again(postgres: PostgresServer, stranger: str) -> None:
    """While the bot runs it may be the server's that changes first: it is told, and when it is right again all goes on."""
    name = urlsplit(stranger).username
    with open_store(stranger, BOT) as store:
        postgres.run(f"ALTER ROLE {name} PASSWORD 'second-word'")
        postgres.run(f"SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE usename = '{name}'")
        refused: list[StorageError] = []

        def is_refused() -> bool:
            with pytest.raises(StorageError) as caught:
                store.meta.set("n", 1)
            refused.append(caught.value)
            return "does not let the bot in" in str(caught.value)

        assert becomes(is_refused)
        assert all(one.retryable for one in refused)
        assert str(refused[-1]).endswith("it is tried again")
        postgres.run(f"ALTER ROLE {name} PASSWORD 'first-word'")
        store.meta.set("n", 1)
        assert store.meta.get("n") == 1
