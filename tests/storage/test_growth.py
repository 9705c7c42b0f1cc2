"""What years of running leave: a file, a log and a memory that stay small, and few writes."""

from __future__ import annotations

import os
import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.storage_kit import BOT, Clock, drain, finish, put

from syncbot.storage import Changes, Claimed, DataChange, End, Inbox, Incoming, JournalKey, JournalStep, Scope, StoreOptions, open_store

PAGE = 4096 + 24  # a page in the log has a header
BODY = b"x" * 1200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


def batch(first: int, size: int = 100) -> list[Incoming]:
    return [Incoming(id, str(id % 20), BODY) for id in range(first, first + size)]


@pytest.mark.parametrize("updates", [2_500, pytest.param(20_000, marks=pytest.mark.slow)])
def test_many_updates_leave_a_small_file(path: Path, clock: Clock, updates: int) -> None:
    """After 20,000 updates of 1.2 KB the file is below 2 MB and the log below 5 MB: what is done is gone, and ids are forgotten."""
    with open_store(path, BOT, now=clock, options=StoreOptions(window_ids=updates // 4)) as store:
        store.inbox.recover()
        for first in range(0, updates, 100):
            store.inbox.store(batch(first))
            assert len(drain(store.inbox)) == 100
        assert path.stat().st_size < 2_000_000
        assert Path(f"{path}-wal").stat().st_size < 5_000_000
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("fails", [False, True], ids=["handled", "buried"])
def test_few_rows_are_left_of_many_updates(path: Path, clock: Clock, fails: bool) -> None:
    """Where another process stores, and none of its batches sweeps here, rows that are done are swept all the same."""
    with open_store(path, BOT, now=clock) as store, open_store(path, BOT, now=clock) as other:
        store.inbox.recover()
        other.inbox.store(batch(1, 1000))
        claimed = store.inbox.claim(10)
        while claimed:
            claimed = store.inbox.settle([End(one, reason="no" if fails else None) for one in claimed], claim=10).claimed
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT count(*) FROM inbox").fetchone()[0] < 100
        db.close()


@pytest.mark.parametrize("waiting", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_backlog_gives_its_space_back(path: Path, clock: Clock, waiting: int) -> None:
    """10,000 waiting updates make the file large; when they are handled, it shrinks again."""
    with open_store(path, BOT, now=clock) as store:
        store.inbox.recover()
        for first in range(0, waiting, 100):
            store.inbox.store(batch(first))
        assert len(drain(store.inbox)) == waiting
        store.maintain()
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("waiting", [1_500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_backlog_stays_out_of_memory(path: Path, clock: Clock, waiting: int) -> None:
    """With 10,000 updates waiting and one chat hanging, handling the others takes less than 1 MB of Python's memory."""
    with open_store(path, BOT, now=clock) as store:
        store.inbox.recover()
        for first in range(0, waiting, 100):
            store.inbox.store([Incoming(id, str(id % 100), BODY) for id in range(first, first + 100)])
        [hung] = store.inbox.claim()
        tracemalloc.start()
        try:
            assert len(drain(store.inbox)) == waiting * 99 // 100
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
        assert store.inbox.counts().waiting == waiting // 100 - 1
        finish(store.inbox, hung)


def pages(path: Path, act: Callable[[], object]) -> int:
    """How many pages an act appends to the log."""
    log = Path(f"{path}-wal")
    before = log.stat().st_size if log.exists() else 0
    act()
    return (log.stat().st_size - before) // PAGE


def test_one_update_costs_few_pages(path: Path, clock: Clock) -> None:
    """A quiet bot's update: at most four pages to store it (with the sweep of the last one), one to hand it out, one to settle it."""
    with open_store(path, BOT, now=clock) as store:
        store.inbox.recover()
        put(store.inbox, *((id, "a") for id in range(5)))
        drain(store.inbox)
        claimed: list[Claimed] = []
        for id in range(10, 40):
            assert pages(path, lambda id=id: put(store.inbox, (id, "a"))) <= 4  # type: ignore[misc] # mypy knows no defaults of lambdas
            assert pages(path, lambda: claimed.extend(store.inbox.claim())) == 1
            assert pages(path, lambda: finish(store.inbox, claimed.pop(), claim=1)) == 1


def test_an_update_with_one_reply_costs_nine_pages(path: Path, clock: Clock) -> None:
    """A quiet bot's: six as ever, one for the call that is under way, one for its result, and one to forget both."""
    result = '{"value":%s}' % ("x" * 1500)
    with open_store(path, BOT, now=clock) as store:
        store.inbox.recover()
        put(store.inbox, *((id, "a") for id in range(5)))
        drain(store.inbox)
        for id in range(10, 40):
            costs = [pages(path, lambda id=id: put(store.inbox, (id, "a")))]  # type: ignore[misc] # as above
            claimed: list[Claimed] = []
            costs.append(pages(path, lambda claimed=claimed: claimed.extend(store.inbox.claim())))  # type: ignore[misc] # as above
            key = JournalKey(claimed[0].row, claimed[0].ticket)
            for outcome in (None, result):
                step = JournalStep(0, "sendMessage", "chat_id=7", outcome)
                costs.append(pages(path, lambda key=key, step=step: store.journal.write(key, step)))  # type: ignore[misc] # as above
            costs.append(pages(path, lambda claimed=claimed: finish(store.inbox, claimed[0])))  # type: ignore[misc] # as above
            assert costs[1:] == [1, 1, 1, 2]
            assert sum(costs) <= 9


def test_busy_updates_cost_fewer(path: Path, clock: Clock) -> None:
    """In batches of 100, an update takes less than a page to store, and less than half a one to hand out and settle in groups of eight."""
    with open_store(path, BOT, now=clock) as store:
        store.inbox.recover()
        store.inbox.store(batch(0))
        drain(store.inbox)
        assert pages(path, lambda: store.inbox.store(batch(100))) < 100
        assert pages(path, lambda: drain(store.inbox, 8)) <= 50


def test_repeating_a_fact_writes_nothing(path: Path) -> None:
    """Setting a fact to what it is, claiming where nothing waits, and applying no change leave the log as it is."""
    with open_store(path, BOT) as store:
        store.inbox.recover()
        store.meta.set("limit", 20)

        def nothing(inbox: Inbox = store.inbox) -> None:
            store.meta.set("limit", 20)
            store.data.apply(Changes((DataChange(Scope.USER, 1),)))
            assert inbox.claim() == []
            assert inbox.store([]) == 0

        assert pages(path, nothing) == 0


def test_opening_and_closing_leaks_nothing(path: Path) -> None:
    """A script that opens the store a thousand times keeps no descriptor and no memory of it."""

    def some(times: int) -> None:
        for _ in range(times):
            with open_store(path, BOT, options=StoreOptions(check=False)) as store:
                store.data.load(Scope.USER, 1)

    some(50)
    descriptors = len(os.listdir("/proc/self/fd"))
    tracemalloc.start()
    try:
        some(50)
        before = tracemalloc.get_traced_memory()[0]
        some(300)
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()
    assert len(os.listdir("/proc/self/fd")) <= descriptors
