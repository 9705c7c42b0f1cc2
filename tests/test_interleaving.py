"""Each lock: what it guards is right although another thread's step begins in the middle of one."""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest
from kits.call_kit import FakeStop, FakeTime
from kits.interleave_kit import Steps, at_every_line
from kits.storage_kit import put

from syncbot.client.limits import Limiter, Limits
from syncbot.errors import StorageError
from syncbot.logs import RedactingFilter
from syncbot.runtime.durable.durability import DurableFacts
from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.receiving.backlog import MemoryBacklog
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import Claimed, End, JournalKey, JournalStep, Store, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.promises.jobs import JobEntry
from syncbot.transport.learned import Learned
from syncbot.transport.traffic import Traffic
from syncbot.transport.ways import Ways
from syncbot.types import Proxy

PROXY, OTHER = Proxy("http", "one.example", 1), Proxy("http", "two.example", 2)


def test_calls_that_fail_together_count_once() -> None:
    """A way that fails for two calls at once rests as after one failure."""

    def make() -> Steps:
        clock = FakeTime()
        ways = Ways([PROXY, OTHER], cool_down=10.0, clock=clock)

        def check() -> None:
            clock.now += 10.0
            assert ways.pick() == PROXY

        return Steps(lambda: ways.failed(PROXY), lambda: ways.failed(PROXY), check)

    assert at_every_line(make, "transport/ways.py") > 3


def test_two_early_openings_that_end_at_once_both_count() -> None:
    """No end is lost: after three that went well, two that fail at once end the habit."""

    def make() -> Steps:
        learned = Learned()
        learned.take({"ways": {"way": {"recent": "www", "seconds": 1.0, "not_before": 0}}})
        return Steps(lambda: learned.end_early("way", False), lambda: learned.end_early("way", False), lambda: check(learned))

    def check(learned: Learned) -> None:
        assert not learned.begin_early("way", waited_for=True)

    assert at_every_line(make, "transport/learned.py") > 3


def test_one_trial_at_a_time() -> None:
    """Of two connections that nobody waits for one tries it."""

    def make() -> Steps:
        learned = Learned()
        learned.opened("way", 1.0)
        begun: list[bool] = []

        def begin() -> None:
            begun.append(learned.begin_early("way", waited_for=False))

        return Steps(begin, begin, lambda: check(begun))

    def check(begun: list[bool]) -> None:
        assert sorted(begun) == [False, True]

    assert at_every_line(make, "transport/learned.py") > 3


@pytest.mark.parametrize("works_first", [False, True])
def test_a_way_that_works_and_fails_at_once_has_done_one_after_the_other(works_first: bool) -> None:
    """After many failures it is well, or rests as after a first one, and nothing between."""

    def make() -> Steps:
        clock = FakeTime()
        ways = Ways([PROXY, OTHER], cool_down=10.0, clock=clock)
        for _ in range(4):
            ways.failed(PROXY)
            clock.now += 500.0

        def check() -> None:
            clock.now += 10.0
            assert ways.pick() == PROXY
            ways.failed(PROXY)
            clock.now += 20.0
            assert ways.pick() == PROXY

        steps = [lambda: ways.worked(PROXY), lambda: ways.failed(PROXY)]
        return Steps(steps[not works_first], steps[works_first], check)

    assert at_every_line(make, "transport/ways.py") > 2


@pytest.mark.parametrize(("chats", "limits"), [((1, 1), Limits(chat_burst=1)), ((1, 2), Limits(per_second=1))], ids=["one chat", "two chats"])
def test_two_messages_at_once_take_two_turns(chats: tuple[int, int], limits: Limits) -> None:
    """Where one message may go out, one of two waits; the limit of a chat and the one of all chats are kept alike."""

    def make() -> Steps:
        clock = FakeTime()
        limiter = Limiter(limits, clock)
        stops = [FakeStop(clock, moves=False) for _ in chats]

        def wait(which: int) -> None:
            limiter.wait("sendMessage", chats[which], deadline=1e9, stop=stops[which])

        return Steps(lambda: wait(0), lambda: wait(1), lambda: _assert_one_waited(stops))

    assert at_every_line(make, "client/limits.py") > 10


def _assert_one_waited(stops: list[FakeStop]) -> None:
    assert sorted(bool(stop.waits) for stop in stops) == [False, True]


def test_the_longer_of_two_pauses_holds() -> None:
    """Two answers 429 for one chat at once: it rests for the longer time, and all chats for none."""

    def make() -> Steps:
        clock = FakeTime()
        limiter = Limiter(Limits(), clock)

        def check() -> None:
            assert limiter.seconds_to_turn("sendMessage", 1) == 20.0
            assert limiter.seconds_to_turn("sendMessage", 2) == 0.0

        return Steps(lambda: limiter.pause("sendMessage", 1, 20.0), lambda: limiter.pause("sendMessage", 1, 10.0), check)

    assert at_every_line(make, "client/limits.py") > 5


@pytest.fixture(params=["memory", "file"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores with four updates of the chats a, b, a, b."""
    made: list[Store] = []

    def make() -> Store:
        store = open_store(None if request.param == "memory" else tmp_path / f"{len(made)}.db", 1)
        made.append(store)
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"), (3, "a"), (4, "b"))
        return store

    yield make
    for store in made:
        store.close()


def ids(claimed: list[Claimed]) -> list[int]:
    """In order."""
    return sorted(one.update_id for one in claimed)


INBOX = ("memory/inbox.py", "sqlite/inbox.py")


def test_what_is_claimed_and_settled_at_once_is_held_by_one_and_kept(stores: Callable[[], Store]) -> None:
    """Two who claim get two updates, and both of them can be ended."""

    def make() -> Steps:
        inbox = stores().inbox
        [ended] = inbox.claim(1)
        got: list[Claimed] = []

        def check() -> None:
            assert ids(got) == [2, 3]
            assert inbox.settle([End(one) for one in got]).lost == ()
            assert inbox.counts().running == 0

        return Steps(lambda: got.extend(inbox.settle([End(ended)], claim=1).claimed), lambda: got.extend(inbox.claim(1)), check)

    assert at_every_line(make, INBOX) > 5


@pytest.mark.parametrize("verb", ["yield", "take", "release"])
def test_what_becomes_of_two_updates_at_once_is_all_kept(stores: Callable[[], Store], verb: str) -> None:
    """While one handler gives its turn away, takes it again, or is put back, another one ends: of both chats the right updates are handed out next."""

    def make() -> Steps:
        inbox = stores().inbox
        waits, ends = inbox.claim(2)
        if verb == "take":
            inbox.yield_turn(waits)
        step = {"yield": inbox.yield_turn, "take": inbox.take_turn, "release": inbox.release}[verb]

        def check() -> None:
            assert ids(inbox.claim(5)) == {"yield": [3, 4], "take": [4], "release": [1, 4]}[verb]
            assert inbox.settle([End(waits)]).lost == (() if verb != "release" else (waits,))

        return Steps(lambda: step(waits), lambda: inbox.settle([End(ends)]), check)

    assert at_every_line(make, INBOX) > 3


def test_what_is_done_while_a_batch_is_stored_is_swept(tmp_path: Path) -> None:
    """The row of an update that ends in the middle of a batch goes with the next one."""
    numbers, opened = count(), ExitStack()

    def make() -> Steps:
        path = tmp_path / f"{next(numbers)}.db"
        store = opened.enter_context(open_store(path, 1))
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"))
        first, second = store.inbox.claim(2)
        store.inbox.settle([End(first)])

        def check() -> None:
            put(store.inbox, (4, "d"))
            store.close()
            with sqlite3.connect(path) as db:
                assert db.execute("SELECT count(*) FROM inbox WHERE state = 'done'").fetchone() == (0,)
            db.close()

        return Steps(lambda: put(store.inbox, (3, "c")), lambda: store.inbox.settle([End(second)]), check)

    with opened:
        assert at_every_line(make, INBOX) > 5


def test_a_fork_never_finds_the_bots_lock_half_let_go(tmp_path: Path) -> None:
    """Where a fork begins while the lock is let go, it is still held, or free for others."""

    def make() -> Steps:
        lock, other = BotLock(tmp_path / "bot.lock"), BotLock(tmp_path / "bot.lock")
        assert lock.acquire()

        def fork() -> None:
            lock.before_fork()
            try:
                is_held, is_free = lock.held, other.acquire()
                other.release()
                assert is_held != is_free
            finally:
                lock.after_fork_in_parent()

        return Steps(lock.release, fork, lock.release)

    assert at_every_line(make, "bot_lock.py") > 3


def test_a_logger_gets_the_filter_once() -> None:
    """Two threads that find the same new logger put one filter onto it."""

    def make() -> Steps:
        found, logger = RedactingFilter(), logging.Logger("new")

        def check() -> None:
            assert logger.filters == [found]

        return Steps(lambda: found.attach(logger), lambda: found.attach(logger), check)

    assert at_every_line(make, "logging/__init__.py") > 1


def test_what_is_handled_while_it_is_told_of_is_confirmed() -> None:
    """An update that ends while the poller tells of its batch holds nothing up."""

    def make() -> Steps:
        backlog = MemoryBacklog(threading.Event())
        return Steps(lambda: backlog.stored([1, 2]), lambda: (backlog.finished(1), backlog.finished(2)), lambda: _assert_confirmed(backlog))

    assert at_every_line(make, "receiving/backlog.py") > 4


def _assert_confirmed(backlog: MemoryBacklog) -> None:
    assert backlog.offset(3) == 3


def test_what_two_workers_count_at_once_both_counts() -> None:
    """No step that was found in the journal is lost from the count."""

    def make() -> Steps:
        facts = DurableFacts()

        def check() -> None:
            assert (facts.replayed, facts.interrupted, facts.diverged) == (2, 1, 0)

        return Steps(lambda: facts.count(replayed=1), lambda: facts.count(replayed=1, interrupted=1), check)

    assert at_every_line(make, "durable/durability.py") > 3


def test_a_job_that_is_declared_as_the_bot_starts_is_put() -> None:
    """Whoever declares it while those of the program are put: it is in the state file afterwards."""

    def make() -> Steps:
        store, functions = open_store(None, 1), JobFunctions()
        clock = Clock(store.jobs, functions, StorageRetry(threading.Event()), lambda number: None)

        def start() -> None:
            clock.declare()
            functions.follow(clock.add)

        return Steps(start, lambda: functions.later(60.0, name="x")(lambda context: None), lambda: _assert_put(store))

    assert at_every_line(make, ("jobs/clock.py", "jobs/functions.py")) > 5


def test_a_job_that_is_put_while_the_programs_own_are_declared_stays() -> None:
    """Those that the program has no more go, and nothing else does."""

    def job(key: str, *, declared: bool) -> JobEntry:
        return JobEntry(key, key, {"every": 60.0}, 1.0, declared=declared)

    def make() -> Steps:
        jobs = open_store(None, 1).jobs
        jobs.declare([job("@a", declared=True), job("@b", declared=True)])

        def check() -> None:
            assert {entry.key for entry in jobs.entries()} == {"@a", "mine"}

        return Steps(lambda: jobs.declare([job("@a", declared=True)]), lambda: jobs.put(job("mine", declared=False)), check)

    assert at_every_line(make, "memory/jobs.py") > 5


def test_a_count_of_bytes_is_never_half_of_one_connections() -> None:
    """Whoever copies the counts while a connection is added has what it sent and what it received, or neither."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server, socket.create_connection(server.getsockname()) as here, server.accept()[0] as there:
        for one, other in ((here, there), (there, here)):
            one.sendall(b"x")
            assert other.recv(1) == b"x"

        def make() -> Steps:
            traffic, copies = Traffic(), list[Traffic]()

            def check() -> None:
                [copied] = copies
                assert bool(copied.sent_bytes) is bool(copied.received_bytes)
                assert traffic.sent_bytes > 0

            return Steps(lambda: traffic.add(here), lambda: copies.append(traffic.copy()), check)

        assert at_every_line(make, "transport/traffic.py") > 5


def _assert_put(store: Store) -> None:
    assert [entry.key for entry in store.jobs.entries()] == ["@x"]


@pytest.mark.parametrize("loses_first", [True, False])
def test_who_loses_a_claim_at_once_writes_before_it_or_not_at_all(stores: Callable[[], Store], loses_first: bool) -> None:
    """A step that is written while its update is put back stands there for the next run, or was refused: never both, never half."""

    def make() -> Steps:
        store = stores()
        [claimed] = store.inbox.claim()
        refused: list[bool] = []

        def write() -> None:
            try:
                store.journal.write(JournalKey(claimed.row, claimed.ticket), JournalStep(0, "sendMessage"))
            except StorageError:
                refused.append(True)

        def check() -> None:
            [again] = store.inbox.claim()
            assert len(store.journal.steps(JournalKey(again.row, again.ticket))) == (0 if refused else 1)

        steps = (lambda: store.inbox.release(claimed), write)
        return Steps(*(steps if loses_first else reversed(steps)), check)

    assert at_every_line(make, ("sqlite/inbox.py", "memory/inbox.py", "sqlite/journal.py", "memory/journal.py", "sqlite/database.py")) > 3
