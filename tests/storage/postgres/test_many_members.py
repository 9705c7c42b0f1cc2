"""Many machines: none of them looks at all the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT
from kits.webhook_kit import eventually

from syncbot.process import elapsed_seconds
from syncbot.storage import open_store
from syncbot.storage.postgres.members.member import Membership
from syncbot.storage.postgres.server.news import PgNews
from syncbot.storage.postgres.server.schema import LOCK

pytestmark = pytest.mark.programs("postgres")

_MAKE = f"""INSERT INTO syncbot.member (bot, id, name, lease_until)
    SELECT {BOT}, nextval('syncbot.member_id'), 'x', now() + interval '1 h' FROM generate_series(1, 500)"""
_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE schemaname = 'syncbot' AND relname = 'member'"

_HERE = " AND datname = current_database()"


def test_a_look_at_others_reads_a_few_of_them(postgres: PostgresServer, postgres_url: str, held: Callable[[str, str], Any]) -> None:
    """Among 500 living members a look reads a handful of rows: else a thousand members would read a million at each of their looks."""
    with open_store(postgres_url, BOT) as store:
        postgres.run(_MAKE, postgres_url)
        held(postgres_url, f"SELECT pg_advisory_lock({LOCK} + id) FROM syncbot.member")
        store.inbox.recover()

        def read() -> int:
            return int(postgres.run(_READ, postgres_url)[0][0])

        def read_by_some_looks() -> int:
            before = read()
            return int(eventually(lambda: (more := read() - before) >= 10 and more, what="some looks"))

        # The first look is at all of them, and is told late; once a second they are counted.
        assert any(read_by_some_looks() < 1500 for _ in range(4))


def test_the_word_of_a_process_that_ends_at_once_is_told() -> None:
    """A command puts a job while an earlier word is on its way, and ends: the second word is told too, before it ends."""
    told: list[str] = []
    begun, may_go_on = threading.Event(), threading.Event()

    def execute(statement: str) -> None:
        told.append(statement)
        begun.set()
        may_go_on.wait(20.0)

    pool: Any = SimpleNamespace(connection=lambda: nullcontext(SimpleNamespace(execute=execute)))
    news = PgNews(pool, BOT)
    news.tell()
    assert begun.wait(20.0)
    news.tell()
    closing = threading.Thread(target=news.close)
    closing.start()
    eventually(lambda: not news.wait(), 20.0, "the closing")
    may_go_on.set()
    closing.join(20.0)
    assert eventually(lambda: len(told) == 2, 20.0, "the second word")


def test_what_was_told_while_a_member_did_not_listen_is_looked_for(postgres: PostgresServer, postgres_url: str) -> None:
    """Its session is cut, and a job is put meanwhile: when it listens again it looks, since nobody tells it twice."""
    with open_store(postgres_url, BOT) as store:
        store.inbox.recover()
        assert eventually(lambda: not store.changed_by_others(), what="some rest")
        postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE locktype = 'advisory'" + _HERE, postgres_url
        )
        eventually(store.changed_by_others, what="the look")


def test_a_member_that_is_none_any_more_takes_nothing_over(postgres: PostgresServer, postgres_url: str) -> None:
    """It was taken for dead as it was about to: what it took over would wait for one that is not there."""
    with open_store(postgres_url, BOT) as store:
        store.inbox.recover()
        members: Any = store.members
        own = members.member.id
        postgres.run(f"DELETE FROM syncbot.member; INSERT INTO syncbot.member VALUES ({BOT}, {own + 1000}, 'dead', '-infinity')", postgres_url)
        members._take_over([own + 1000])  # as its thread does, which may have looked before
        assert postgres.run("SELECT id FROM syncbot.member WHERE lease_until = '-infinity'", postgres_url) == [(own + 1000,)]


def test_a_machine_that_wakes_late_knows_it_before_it_asks(postgres_url: str) -> None:
    """Its clock goes on while it sleeps: when the lease is over, nothing that it has counts any more, before the first look at the database."""
    with open_store(postgres_url, BOT) as store:
        database: Any = store
        now = [1000.0]
        member = Membership(database._database, "", on_dead=lambda _: None, on_gone=lambda _: True, clock=lambda: now[0])
        assert member.take_polling()
        assert member.is_valid
        assert member.may_poll
        now[0] += 14.9
        assert member.is_valid
        now[0] += 0.2
        assert not member.is_valid
        assert not member.may_poll
        member.end()
        member.join()


def test_the_clock_of_leases_counts_sleep() -> None:
    """On Linux it is the one that goes on while the machine is suspended, which the monotonic one does not."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(clock)
    assert before <= elapsed_seconds() <= time.clock_gettime(clock)
