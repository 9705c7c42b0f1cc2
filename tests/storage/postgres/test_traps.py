"""What has bitten others who let many processes share a queue in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kits.postgres_kit import PostgresServer, pgbouncer
from kits.proxies_kit import program
from kits.storage_kit import BOT, drain, finish, ids, put
from kits.webhook_kit import eventually

from syncbot.errors import StorageError
from syncbot.storage import NO_CHANGES, Changes, Claimed, DataChange, End, Incoming, OutboxCall, Scope, Store, StoreOptions, open_store

pytestmark = pytest.mark.programs("postgres")

KITS = Path(__file__).resolve().parents[2]
QUICK = StoreOptions(lease_seconds=2.0)


def test_claims_see_what_was_ended_just_before(postgres_url: str) -> None:
    """Four members claim from the same chats as fast as they can while another stores: each update comes once, each chat's in order.

    A claim that takes a chat and reads its updates in one statement reads them as they were before it waited for the chat.
    """
    number, chats = 1200, 12
    lock, seen, problems = threading.Lock(), defaultdict[str, list[int]](list), list[BaseException]()

    def handle() -> None:
        try:
            with open_store(postgres_url, BOT) as store:
                store.inbox.recover()
                claimed: list[Any] = []
                while sum(map(len, seen.values())) < number and not problems:
                    with lock:
                        for one in claimed:
                            seen[one.key].append(one.update_id)
                    claimed = store.inbox.settle([End(one) for one in claimed], claim=3, per_key=4).claimed or store.inbox.claim(3, per_key=4)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=handle) for _ in range(4)]
    with open_store(postgres_url, BOT) as store:
        for thread in threads:
            thread.start()
        for first in range(0, number, 20):
            put(store.inbox, *((n, str(n % chats)) for n in range(first, first + 20)))
        for thread in threads:
            thread.join(60)
    assert problems == []
    assert seen == {str(chat): list(range(chat, number, chats)) for chat in range(chats)}


SILENT = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event = 'ClientRead'
    AND query_start < clock_timestamp() - interval '0.6 s'"""
"""Counts the transactions that have begun, and in which nothing has come since."""


@pytest.mark.parametrize("name", ["", "?application_name=shop"])
def test_what_a_member_had_that_froze_in_a_transaction_is_taken_over(name: str, postgres: PostgresServer, postgres_url: str) -> None:
    """One that froze between two statements keeps its locks: it is cut off by whoever takes over what it had, and is told; whatever the URL calls it."""

    def freeze(frozen: Any, store: Store) -> None:
        with frozen._database.transaction() as db:  # as a verb that comes to no end
            db.execute("SELECT 1 FROM syncbot.member FOR KEY SHARE").fetchall()
            postgres.run("UPDATE syncbot.member SET lease_until = '-infinity'", postgres_url)
            eventually(lambda: postgres.run(SILENT, postgres_url) == [(1,)], what="that it has been silent for a while")
            store.inbox.recover()
            found.extend(ids(taken_over(store, 1)))

    found: list[int] = []
    hour, quick = (StoreOptions(lease_seconds=seconds) for seconds in (3600.0, 1.5))
    with open_store(postgres_url + name, BOT, options=hour) as frozen, open_store(postgres_url + name, BOT, options=quick) as store:
        put(frozen.inbox, (1, "a"))
        frozen.inbox.recover()
        assert ids(frozen.inbox.claim()) == [1]
        with pytest.raises(StorageError):
            freeze(frozen, store)
    assert found == [1]


def test_a_take_over_cuts_nobody_else_off(postgres: PostgresServer, postgres_url: str) -> None:
    """Another bot's transactions, and those of a program with the same name and user, may be silent for as long as they like."""
    with ExitStack() as stack:
        another: Any = stack.enter_context(open_store(postgres_url, BOT + 1))
        store: Any = stack.enter_context(open_store(postgres_url, BOT, options=StoreOptions(lease_seconds=1.5)))
        store.inbox.recover()
        program = stack.enter_context(psycopg.connect(postgres_url, application_name="syncbot"))
        stack.enter_context(program.pipeline())
        assert program.execute("SELECT 1").fetchall() == [(1,)]
        db = stack.enter_context(another._database.transaction())
        assert db.execute("SELECT 1").fetchall() == [(1,)]
        eventually(lambda: postgres.run(SILENT, postgres_url) == [(2,)], what="that they have been silent for a while")
        store.members._take_over([1_000_000])
        assert db.execute("SELECT 2").fetchall() == [(2,)]
        assert program.execute("SELECT 2").fetchall() == [(2,)]


def test_a_server_that_lets_nobody_be_cut_off_lets_what_is_dead_be_taken_over(postgres: PostgresServer, postgres_url: str) -> None:
    """The function for it may be refused to the bot's user: then only what froze within a transaction has to wait."""
    postgres.run("DO $$ BEGIN CREATE ROLE lowly LOGIN PASSWORD 'lowly'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    postgres.run(f'GRANT CREATE ON DATABASE "{postgres_url.rpartition("/")[2]}" TO lowly', postgres_url)
    postgres.run("REVOKE EXECUTE ON FUNCTION pg_terminate_backend(integer, bigint) FROM PUBLIC", postgres_url)
    url = f"postgresql://lowly:lowly@{postgres_url.partition('@')[2]}"
    with open_store(url, BOT) as dead, open_store(url, BOT) as store:
        put(dead.inbox, (1, "a"))
        dead.inbox.recover()
        assert ids(dead.inbox.claim()) == [1]
        members: Any = dead.members
        members.member.end()  # as if it had died
        members.member.join()
        store.inbox.recover()
        assert ids(taken_over(store, 1)) == [1]


def test_whatever_of_a_transaction_has_failed_the_next_ones_go_on(postgres_url: str) -> None:
    """What the server passed over behind a failure was never prepared there: a connection that believed so failed in every transaction from then on."""

    def fail(store: Any) -> None:
        with store._database.transaction() as db:  # as a verb
            db.execute("SELECT 1").fetchall()
            db.execute("SELECT 1 / 0")  # behind it goes the COMMIT, before anybody has heard of the failure

    with open_store(postgres_url, BOT) as store:
        for number in range(20):
            with pytest.raises(psycopg.errors.DivisionByZero):
                fail(store)
            store.meta.set("number", str(number))
            assert store.meta.get("number") == str(number)


@contextmanager
def child(url: str, lease_seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A member in a process of its own; see `member_child.py`."""
    command = [sys.executable, "-m", "kits.member_child", url, str(lease_seconds)]
    path = os.pathsep.join([str(KITS), str(KITS.parent)])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> Any:
    """What it says next."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def tell(process: subprocess.Popen[str]) -> None:
    """Let it go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def taken_over(store: Store, number: int, changes: Changes = NO_CHANGES) -> list[Claimed]:
    """What is handed out of so many that another member had, as soon as it is; suspects come one at a time, so each is ended with these changes."""
    found: list[Claimed] = []

    def all_of_them() -> bool:
        for one in store.inbox.claim(number):
            finish(store.inbox, one, changes)
            found.append(one)
        return len(found) >= number

    eventually(all_of_them, what="the taking over")
    return sorted(found, key=lambda one: one.update_id)


def test_a_member_that_wakes_late_has_nothing_any_more(postgres_url: str) -> None:
    """One that was stopped for longer than its lease has lost what it had to another one: it writes, claims, ends and puts back nothing of it."""
    with open_store(postgres_url, BOT, options=QUICK) as store, child(postgres_url, QUICK.lease_seconds) as process:
        put(store.inbox, (1, "a"), (2, "b"))
        assert line(process) == [1, 2]
        store.inbox.recover()
        assert store.inbox.claim(2) == []
        process.send_signal(signal.SIGSTOP)
        taken = taken_over(store, 2, Changes((DataChange(Scope.CHAT, 1, {"by": "the one that took over"}),)))
        assert ids(taken) == [1, 2]
        process.send_signal(signal.SIGCONT)
        tell(process)
        answers = line(process)
        assert str(answers["journal"]).startswith("refused")
        assert answers["claim"] == [] or str(answers["claim"]).startswith("refused")
        assert answers["settle"] == [1] or str(answers["settle"]).startswith("refused")
        assert str(answers["yield"]).startswith("refused")
        assert store.data.load(Scope.CHAT, 1) == {"by": "the one that took over"}
        assert store.inbox.counts().waiting == store.inbox.counts().running == 0


def test_what_a_killed_member_had_is_taken_over_at_once(postgres_url: str) -> None:
    """After a kill others need not wait for the lease: it is an hour here."""
    with open_store(postgres_url, BOT) as store, child(postgres_url, 3600.0) as process:
        put(store.inbox, (1, "a"), (2, "b"))
        assert line(process) == [1, 2]
        store.inbox.recover()
        process.kill()
        assert [(one.update_id, one.attempt) for one in taken_over(store, 2)] == [(1, 2), (2, 2)]


@pytest.mark.programs("pgbouncer")
def test_a_pooler_that_moves_connections_is_refused(postgres_url: str, tmp_path: Path) -> None:
    """Behind a pgbouncer in transaction mode a session's locks are somebody else's a moment later: refused, with what to do. Session mode is fine."""
    (tmp_path / "transaction").mkdir()
    (tmp_path / "session").mkdir()
    with pgbouncer(postgres_url, tmp_path / "transaction") as url:
        with pytest.raises(StorageError, match="pgbouncer") as refusal, open_store(url, BOT) as store:
            store.inbox.recover()
        assert not refusal.value.retryable
        assert "session" in str(refusal.value)
    with pgbouncer(postgres_url, tmp_path / "session", "session") as url, open_store(url, BOT) as store:
        put(store.inbox, (1, "a"))
        store.inbox.recover()
        assert ids(store.inbox.claim()) == [1]


@contextmanager
def pg_dump(postgres: PostgresServer, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A pg_dump of a database that is in the middle of its work, and stays there, since nobody takes what it writes."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event = 'ClientWrite'"
    with subprocess.Popen([program("pg_dump"), "--dbname", url], stdout=subprocess.PIPE) as dump:
        try:
            eventually(lambda: postgres.run(waits, url), what="the dump's own wait")
            yield dump
        finally:
            dump.kill()


@pytest.mark.programs("pg_dump")
def test_a_pg_dump_holds_nothing_up(postgres: PostgresServer, postgres_url: str) -> None:
    """While one is at work updates are stored, claimed, ended and taken over from a member that is killed: whatever waited for its locks would fail.

    Health says for how long it has been at work, and it comes to its end.
    """
    options = StoreOptions(busy_timeout=2.0)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(postgres_url, BOT, options=options))
        put(store.inbox, (1, "a"), (2, "b"))
        dies = stack.enter_context(child(postgres_url, 3600.0))
        assert line(dies) == [1, 2]
        store.inbox.recover()
        for first in range(3, 67):
            store.inbox.store([Incoming(first, "large", b"x" * 400_000)])
        dump = stack.enter_context(pg_dump(postgres, postgres_url))
        dies.kill()
        eventually(lambda: store.inbox.counts().running == 0, what="the taking over")
        for first in range(100, 1100, 100):
            store.inbox.store([Incoming(n, str(n % 50), b"{}") for n in range(first, first + 100)])
        done = drain(store.inbox, 50)
        assert sorted(done) == [1, 2, *range(3, 67), *range(100, 1100)]
        assert store.outbox.put(OutboxCall("sendMessage", {}, "7"))
        stack.enter_context(open_store(postgres_url, BOT, options=options)).inbox.recover()  # another machine starts
        members = store.members
        assert members is not None
        eventually(lambda: members.longest_seconds > 0, what="the word of health")
        assert dump.stdout is not None
        assert b"PostgreSQL database dump complete" in dump.stdout.read()
        assert dump.wait() == 0


def test_fresh_tables_are_read_by_their_indexes(postgres: PostgresServer, postgres_url: str) -> None:
    """Tables of which nothing is known yet are not read from end to end at each claim."""
    with open_store(postgres_url, BOT) as store:
        store.inbox.recover()
        store.inbox.store([Incoming(n, str(n), b"{}") for n in range(4000)])
        for _ in range(40):
            claimed = store.inbox.claim(4)
            store.inbox.settle([End(one) for one in claimed])
    scans = "SELECT relname, seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'syncbot' AND relname IN ('inbox', 'chat', 'seen')"
    found = eventually(lambda: _told(postgres.run(scans, postgres_url)), what="the statistics")
    assert {name: rows for name, _, rows in found if rows > 0} == {}
    entries = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE schemaname = 'syncbot' AND relname = 'chat'"
    [(read,)] = postgres.run(entries, postgres_url)
    assert read < 40 * 200, "a claim looks at the chats that it takes, not at all 4000"


def test_a_failure_that_was_passed_over_is_told(postgres_url: str) -> None:
    """A COMMIT behind a statement that failed undoes everything without a word: it is not given, and whoever wrote is told."""

    def write(database: Any) -> None:
        with database.transaction() as db:
            db.execute("UPDATE syncbot.bot SET bot = bot")
            with contextlib.suppress(psycopg.Error):
                db.execute("SELECT 1 / 0").fetchall()

    with open_store(postgres_url, BOT) as store:
        with pytest.raises(RuntimeError, match="nothing was written"):
            write(store._database)  # type: ignore[attr-defined]  # as a verb with a mistake in it would
        put(store.inbox, (1, "a"))  # the connection is fit for use


def test_a_process_with_many_descriptors_is_a_member_too(postgres_url: str) -> None:
    """In a web server with a thousand connections a member still renews its lease, and hears of what comes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(1100):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            with open_store(postgres_url, BOT, options=StoreOptions(lease_seconds=1.0)) as store, open_store(postgres_url, BOT) as other:
                store.inbox.recover()
                store.changed_by_others()
                put(other.inbox, (1, "a"))
                eventually(store.changed_by_others, what="the news")
                sql = "SELECT lease_until FROM syncbot.member"
                database: Any = other
                before = database._database.rows(sql)
                eventually(lambda: database._database.rows(sql) > before, what="the renewal")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _told(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return rows if len(rows) == 3 else []


@pytest.mark.goes_on_after("the database")
@pytest.mark.programs("initdb")
def test_a_server_that_is_stopped_hard_loses_nothing(tmp_path: Path) -> None:
    """What was stored is there when it is back; what was claimed is claimed by the same member, or by the next."""
    with PostgresServer(own=True) as server:
        url = server.create_database()
        with open_store(url, BOT, options=QUICK) as store:
            put(store.inbox, *((n, str(n)) for n in range(6)))
            store.inbox.recover()
            one, *others = store.inbox.claim(3)
            finish(store.inbox, one, Changes((DataChange(Scope.CHAT, 1, {"n": 1}),)))
            server.crash()
            with pytest.raises(StorageError) as refusal:
                store.inbox.store([Incoming(9, "9", b"{}")])
            assert refusal.value.retryable
            server.start()
            eventually(lambda: _stores(store, Incoming(9, "9", b"{}")), what="the storing")
            settled = store.inbox.settle([End(one) for one in others])
            assert sorted(ids(list(settled.lost))) in ([], [1, 2])
            assert store.data.load(Scope.CHAT, 1) == {"n": 1}
        with open_store(url, BOT, options=QUICK) as store:
            store.inbox.recover()
            left = {3, 4, 5, 9} | set(ids(list(settled.lost)))
            assert set(ids(taken_over(store, len(left)))) == left


def _stores(store: Store, update: Incoming) -> bool:
    try:
        return store.inbox.store([update]) >= 0
    except StorageError:
        return False


def test_a_member_is_not_dead_because_the_server_was_restarted(postgres: PostgresServer, postgres_url: str) -> None:
    """Whoever has not renewed its lease since the server's start may not have its lock back, and is alive; whoever has, and has no lock, is dead at once."""
    lease_seconds = 1_000_000.0
    with open_store(postgres_url, BOT):
        pass

    def is_there_when_renewed(seconds: float) -> bool:
        lease = f"pg_postmaster_start_time() + make_interval(secs => {lease_seconds + seconds})"
        postgres.run(f"INSERT INTO syncbot.member (bot, id, name, lease_until) VALUES ({BOT}, 999999, 'slow', {lease})", postgres_url)
        with open_store(postgres_url, BOT, options=StoreOptions(lease_seconds=lease_seconds)) as store:
            store.inbox.recover()
        return bool(postgres.run("DELETE FROM syncbot.member WHERE id = 999999 RETURNING id", postgres_url))

    assert is_there_when_renewed(-0.1)
    assert not is_there_when_renewed(0.1)


def test_two_that_poll_for_a_moment_store_in_one_order(postgres: PostgresServer, postgres_url: str, held: Callable[[str, str], Any]) -> None:
    """Who polled until now is late with a part of what the next one just stores: that part does not come behind the rest, whoever is first."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def batch(*numbers: int) -> list[Incoming]:
        return [Incoming(number, "a", b"{}") for number in numbers]

    with open_store(postgres_url, BOT, options=StoreOptions(busy_timeout=60.0)) as store, ThreadPoolExecutor(2) as threads:
        store.inbox.recover()
        between = held(postgres_url, f"INSERT INTO syncbot.seen (bot, update_id, seq, at) VALUES ({BOT}, 1, 0, 0)")
        next_one = threads.submit(store.inbox.store, batch(1, 2, 3, 4), next_offset=5)
        eventually(lambda: postgres.run(waiting, postgres_url) == [(1,)], what="the next one, which has its numbers")
        late = threads.submit(store.inbox.store, batch(2, 3), next_offset=4)
        eventually(lambda: late.done() or postgres.run(waiting, postgres_url) == [(2,)], what="the late one")
        between.rollback()
        assert next_one.result(60.0) + late.result(60.0) == 4
        assert drain(store.inbox) == [1, 2, 3, 4]
