"""Several processes and several store objects on one state file; forks."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kits.storage_kit import BOT, Place, bury, drain, finish, ids, put, update
from kits.timing_kit import becomes

from syncbot.errors import StorageError
from syncbot.storage import Changes, DataChange, Incoming, Scope, StateChange, Store, StoreOptions, open_store
from syncbot.storage.sqlite.file.news import News
from syncbot.storage.sqlite.schema import check_ours

STORE_MANY = """
import sys
from syncbot.storage import Incoming, StoreOptions, open_store
path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open_store(path, 123456, options=StoreOptions(busy_timeout=60.0)) as store:  # eight at once may take long on a busy machine
    for n in range(first, first + count):
        assert store.inbox.store([Incoming(n, str(n % 3), b"%d" % n)]) == 1
"""

CLOSE_WHILE_FORKING = """
import os, sys, threading
from syncbot.storage import open_store
from syncbot.process import forks

stores = [open_store(f"{sys.argv[1]}-{n}", 123456) for n in range(8)]
closing = [threading.Thread(target=store.close) for store in stores]
begun = []

class Slow:
    def before_fork(self):
        if not begun:
            begun.append(True)
            for thread in closing:
                thread.start()
            for thread in closing:
                thread.join(0.05)

    def after_fork_in_parent(self):
        pass

    after_fork_in_child = after_fork_in_parent

members = [Slow() for _ in range(8)]  # the order of the members is anybody's: one of these comes before one of the stores
for member in members:
    forks().add(member)
if not os.fork():
    os._exit(0)
os.wait()
for thread in closing:
    thread.join()
"""


def in_child(work: Callable[[], object]) -> object:
    """What this returns in a forked child (an exception as its text)."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            answer = work()
        except BaseException as problem:
            answer = f"{type(problem).__name__}: {problem}"
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.mark.parametrize("number", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_can_open_a_new_file_at_once(path: Path, number: int) -> None:
    """Processes that make the same new file and store into it at the same time lose nothing."""
    processes = [subprocess.Popen([sys.executable, "-c", STORE_MANY, str(path), str(1000 * n), "25"]) for n in range(number)]
    assert [process.wait(100) for process in processes] == [0] * number
    with open_store(path, BOT) as store:
        store.inbox.recover()
        done = drain(store.inbox)
    assert sorted(done) == sorted(1000 * n + m for n in range(number) for m in range(25))
    assert all(done.index(1000 * n + m) < done.index(1000 * n + m + 3) for n in range(number) for m in range(22))


@pytest.mark.parametrize("looked", [1, 2])
def test_a_file_that_another_process_is_making_is_no_other_programs(path: Path, looked: int) -> None:
    """A new file is looked at in several steps; that another process makes it between two of them is no reason to refuse it."""
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as connection:
        seen: list[object] = []

        class Meanwhile:
            """The connection, behind whose back the file is made after some steps."""

            def execute(self, sql: str) -> Any:
                row = connection.execute(sql).fetchone()
                seen.append(row)
                if len(seen) == looked:
                    open_store(path, BOT).close()
                return SimpleNamespace(fetchone=lambda: row)

        assert check_ours(cast(sqlite3.Connection, Meanwhile()), str(path))
    assert len(seen) == 3


def test_changes_of_another_process_are_noticed(path: Path) -> None:
    """What another process stores shows as a change once, and can be claimed; one's own writes do not show."""
    with open_store(path, BOT) as store:
        store.inbox.recover()
        store.changed_by_others()
        put(store.inbox, (1, "a"))
        assert not store.changed_by_others()
        subprocess.run([sys.executable, "-c", STORE_MANY, str(path), "10", "2"], check=True)
        assert store.changed_by_others()
        assert not store.changed_by_others()
        assert drain(store.inbox) == [1, 10, 11]


def test_memory_is_changed_by_nobody_else() -> None:
    """A store in memory has no others."""
    with open_store(None, BOT) as store:
        put(store.inbox, (1, "a"))
        assert not store.changed_by_others()


def test_the_handling_process_is_replaced_by_the_next(path: Path) -> None:
    """After another has recovered, the earlier one can neither claim nor finish, and its changes are not written."""
    with open_store(path, BOT) as old, open_store(path, BOT) as new:
        put(old.inbox, (1, "a"), (2, "b"))
        old.inbox.recover()
        claimed = old.inbox.claim()
        assert new.inbox.recover().interrupted == (1,)
        changes = Changes((DataChange(Scope.USER, 1, {"old": 1}),), (StateChange(1, 1, "old"),))
        for act in (old.inbox.claim, partial(finish, old.inbox, claimed[0], changes), partial(bury, old.inbox, claimed[0], "x")):
            with pytest.raises(StorageError, match="another process has taken over") as caught:
                act()
            assert not caught.value.retryable
        [again] = new.inbox.claim()
        with pytest.raises(StorageError, match="another process"):
            finish(old.inbox, claimed[0], changes)
        old.inbox.release(*claimed)
        assert (again.update_id, again.attempt) == (1, 2)
        assert ids(finish(new.inbox, again, claim=1)) == [2]
        assert (new.data.load(Scope.USER, 1), new.data.get_state(1, 1)) == ({}, None)


def test_two_deliverers_in_two_stores_share_the_outbox(path: Path) -> None:
    """Threads on two connections deliver 200 calls of 10 chats: each once, in order per chat."""
    from syncbot.storage import OutboxCall

    lock, sent = threading.Lock(), list[tuple[str, int]]()

    def deliver(store: Store, owner: str) -> None:
        while store.outbox.outlook().next_time is not None:
            for item in store.outbox.claim(owner, lease=60, limit=2):
                assert store.outbox.sending(item.id, owner, lease=60)
                with lock:
                    sent.append((item.call.key, item.call.params["n"]))
                assert store.outbox.sent(item.id, owner)

    with open_store(path, BOT) as one, open_store(path, BOT) as two:
        one.outbox.put(*(OutboxCall("m", {"n": n}, str(n % 10)) for n in range(200)))
        threads = [threading.Thread(target=deliver, args=(store, name)) for store, name in ((one, "one"), (two, "two"), (two, "three"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert {key: [n for k, n in sent if k == key] for key, _ in sent} == {str(key): list(range(key, 200, 10)) for key in range(10)}


def test_a_store_survives_a_fork(place: Place) -> None:
    """Parent and child go on with what they have; in a file the child's updates reach the parent, in memory the child has a copy."""
    store = place.open()
    store.inbox.recover()
    put(store.inbox, (1, "a"))
    [claimed] = store.inbox.claim()
    assert in_child(lambda: store.inbox.store([update(1, "a"), update(2, "a")])) == 1
    if store.persistent:
        assert store.changed_by_others()
    assert ids(finish(store.inbox, claimed, claim=5)) == ([2] if store.persistent else [])


def test_a_child_does_not_handle_for_its_parent(place: Place) -> None:
    """A forked child has to become the handling process by itself."""
    store = place.open()
    store.inbox.recover()
    put(store.inbox, (1, "a"))
    assert "recover" in str(in_child(lambda: ids(store.inbox.claim())))
    assert ids(store.inbox.claim()) == [1]


def test_no_connection_is_carried_through_a_fork(path: Path) -> None:
    """At the moment of the fork no descriptor of the file is open, so that neither side holds the other's locks."""
    with open_store(path, BOT) as store:
        put(store.inbox, (1, "a"))

        def descriptors() -> list[str]:
            found = (os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd"))
            return [name for name in found if name.startswith(str(path))]

        assert descriptors()
        assert in_child(descriptors) == []


def test_a_fork_waits_for_a_store_that_is_being_opened(path: Path) -> None:
    """Nor is there a descriptor where another thread is in the middle of opening the file: the fork waits for it."""

    def descriptors() -> int:
        found = (os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd"))
        return sum(name == str(path) for name in found)

    opened: list[Store] = []
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        opening = threading.Thread(target=lambda: opened.append(open_store(path, BOT)))
        opening.start()
        while descriptors() < 2:
            opening.join(0.01)
        release = threading.Timer(0.3, other.execute, ("ROLLBACK",))
        release.start()
        with pytest.warns(DeprecationWarning, match="fork") if sys.version_info >= (3, 12) else nullcontext():
            assert in_child(descriptors) == 1
        release.join()
        opening.join()
    opened[0].close()


def test_a_store_can_be_closed_while_another_thread_forks(path: Path) -> None:
    """A fork takes the locks of all stores, and a close takes its place in their list away: neither waits for the other for ever."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", CLOSE_WHILE_FORKING, str(path)], check=True, timeout=30)


def test_children_store_after_the_parent_has_closed(path: Path) -> None:
    """Four forked children keep storing while the parent closes its store and others open theirs: everything is there in the end."""
    context = multiprocessing.get_context("fork")
    patient = StoreOptions(busy_timeout=60.0)
    store = open_store(path, BOT, options=patient)
    go = context.Event()

    def work(first: int) -> None:
        with store:
            go.wait(60)
            for n in range(first, first + 50):
                store.inbox.store([Incoming(n, str(first), b"{}")])

    children = [context.Process(target=work, args=(1000 * n,)) for n in range(4)]
    for child in children:
        child.start()
    go.set()
    store.close()
    for _ in range(20):
        with open_store(path, BOT, options=patient) as other:
            other.inbox.counts()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    with open_store(path, BOT) as store:
        assert store.inbox.counts().waiting == 200


def test_a_child_listens_through_a_pipe_of_its_own(tmp_path: Path) -> None:
    """Where the parent's thread waits for what others write, the child that waits begins anew, and hears at once of what is written from then on."""
    news, pipe = News(tmp_path / "bot.db"), tmp_path / ".bot.db-news"

    def is_open() -> bool:
        return str(pipe) in {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}

    assert news.wait()
    assert is_open()
    news.after_fork_in_child()
    assert not is_open()
    assert news.wait()
    assert is_open()
    news.close()
    assert not is_open()
    assert not pipe.exists()


@pytest.mark.parametrize("forks", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_forking_while_threads_store_hangs_nobody(place: Place, forks: int) -> None:
    """Forks while two threads write: every child can use the store, and the parent loses nothing."""
    store = place.open(StoreOptions(busy_timeout=60.0))  # the two threads leave little between their transactions on a busy machine
    stop = threading.Event()
    stored = [0, 0]

    def work(number: int) -> None:
        while not stop.is_set():
            stored[number] += store.inbox.store([Incoming(number * 1_000_000 + stored[number], "a", b"{}")])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert becomes(lambda: min(stored) > 0)
        with pytest.warns(DeprecationWarning, match="fork") if sys.version_info >= (3, 12) else nullcontext():
            answers = [in_child(partial(store.inbox.store, [Incoming(5_000_000 + n, "b", b"{}")])) for n in range(forks)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert answers == [1] * forks
    assert store.inbox.counts().waiting == sum(stored) + (forks if store.persistent else 0)
    assert min(stored) > 0
