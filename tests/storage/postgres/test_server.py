"""The PostgreSQL that the tests start for themselves."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from kits.postgres_kit import PASSWORD, PostgresServer

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
