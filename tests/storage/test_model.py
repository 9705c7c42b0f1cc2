"""Random histories: the state file, the database and the memory store must give the same answers, deaths of the process included."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from kits.storage_kit import BOT, Clock, bury, finish

from syncbot.errors import StorageError
from syncbot.storage import NO_CHANGES, Changes, Claimed, DataChange, End, Incoming, OutboxCall, OutboxState, Scope, Store, StoreOptions, open_store

OPTIONS = StoreOptions(busy_timeout=0.0, window_ids=12, window_seconds=100.0, dead_limit=4, check=False)
FILES = ("bot.db", "bot.db-wal")
keys = st.sampled_from(["a", "b", "c", ""])


class TwoStores(RuleBasedStateMachine):
    """One history, two stores. A death is a `recover` without a release.

    The file is also closed and opened in between; or a copy of its files is opened, which is just what a kill of the process leaves. Another
    store on the same file stands for another process, one that stores, looks, or keeps the file locked.
    """

    options = OPTIONS

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name, "0")
        self.place.mkdir()
        self.clock = Clock()
        self.memory = open_store(None, BOT, now=self.clock, options=self.options)
        self.file = self.open()
        self.other = self.open()
        self.running: list[Claimed] = []
        self.yielded: set[int] = set()
        self.recover()

    def open(self) -> Store:
        return open_store(self.place / "bot.db", BOT, now=self.clock, options=self.options)

    def recover(self) -> None:
        self.running = []
        self.yielded = set()
        assert self.memory.inbox.recover() == self.file.inbox.recover()

    @rule(batch=st.lists(st.tuples(st.integers(0, 40), keys), max_size=5), other=st.booleans())
    def store(self, batch: list[tuple[int, str]], other: bool) -> None:
        updates = [Incoming(id, key, b"{}") for id, key in batch]
        assert self.memory.inbox.store(updates) == (self.other if other else self.file).inbox.store(updates)

    @rule(limit=st.integers(1, 3), per_key=st.integers(1, 3))
    def claim(self, limit: int, per_key: int = 1) -> None:
        self.add(self.memory.inbox.claim(limit, per_key=per_key), self.file.inbox.claim(limit, per_key=per_key))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), limit=st.integers(0, 2))
    def settle(self, data: st.DataObject, limit: int) -> None:
        ends = []
        for _ in range(data.draw(st.integers(1, min(3, len(self.running))))):
            one = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
            changes = Changes((DataChange(Scope.CHAT, 1, {one.key: one.update_id}, ("gone",)),)) if data.draw(st.booleans()) else NO_CHANGES
            ends.append(End(one, changes, "x" if data.draw(st.booleans()) else None))
        in_memory = self.memory.inbox.settle(ends, claim=limit)
        in_file = self.file.inbox.settle([end._replace(claimed=self.twin(end.claimed)) for end in ends], claim=limit)
        assert in_memory.lost == in_file.lost == ()
        self.add(in_memory.claimed, in_file.claimed)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        one = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.memory.inbox.release(one)
        self.file.inbox.release(self.twin(one))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), back=st.booleans())
    def turn(self, data: st.DataObject, back: bool) -> None:
        one = data.draw(st.sampled_from(self.running))
        if back:
            taken = self.memory.inbox.take_turn(one)
            assert taken == self.file.inbox.take_turn(self.twin(one))
            self.yielded -= {one.row} if taken else set()
        elif self.may_yield(one):
            self.yielded.add(one.row)
            self.memory.inbox.yield_turn(one)
            self.file.inbox.yield_turn(self.twin(one))

    @rule(how=st.sampled_from(["recover", "reopen", "killed", "taken over"]))
    def die(self, how: str) -> None:
        if how == "reopen":
            self.file.close()
            self.file = self.open()
        elif how == "killed":
            self.move_to_a_copy()
        elif how == "taken over":
            self.file, self.other = self.other, self.file
        self.recover()

    def move_to_a_copy(self) -> None:
        """Go on with what a kill would leave now."""
        before = self.place
        self.place = Path(self.folder.name, str(int(before.name) + 1))
        self.place.mkdir()
        for name in FILES:
            with suppress(FileNotFoundError):
                shutil.copy(before / name, self.place / name)
        for store in (self.file, self.other):
            store.close()
        self.file, self.other = self.open(), self.open()

    @rule(data=st.data(), act=st.sampled_from(["store", "claim", "finish", "change", "bury", "release", "yield", "take"]))
    def while_locked(self, data: st.DataObject, act: str) -> None:
        """Another process keeps the file locked: each call is done, or nothing of it."""
        one = data.draw(st.sampled_from(self.running)) if self.running else None
        if one is None and act not in ("store", "claim"):
            return
        found: list[list[Claimed]] = []

        def do(store: Store) -> object:
            inbox = store.inbox
            if act == "store":
                return inbox.store([Incoming(41, "a", b"{}")])
            if act == "claim":
                found.append(inbox.claim())
                return found[-1]
            assert one is not None
            acts: dict[str, Callable[[], object]] = {
                "finish": lambda: finish(inbox, one),
                "change": lambda: finish(inbox, one, Changes((DataChange(Scope.CHAT, 1, {"n": 1}),))),
                "bury": lambda: bury(inbox, one, "y"),
                "release": lambda: inbox.release(one),
                "yield": lambda: inbox.yield_turn(one),
                "take": lambda: inbox.take_turn(one),
            }
            return acts[act]()

        with self.other._database.transaction():  # type: ignore[attr-defined]  # as another program would
            try:
                answer = do(self.file)
            except StorageError as problem:
                if not problem.retryable:
                    raise
                return
        assert do(self.memory) == answer
        if found:
            self.running += found[0]
        elif one is not None and act in ("finish", "change", "bury", "release"):
            self.running.remove(one)
            self.yielded.discard(one.row)
        elif one is not None and act == "yield":
            self.yielded.add(one.row)
        elif one is not None and act == "take" and answer:
            self.yielded.discard(one.row)

    @precondition(lambda self: self.memory.dead_letters.count())
    @rule(data=st.data(), requeue=st.booleans())
    def second_chance(self, data: st.DataObject, requeue: bool) -> None:
        id = data.draw(st.sampled_from([letter.id for letter in self.memory.dead_letters.entries()]))
        if requeue:
            assert self.memory.dead_letters.requeue(id) == self.file.dead_letters.requeue(id) == True  # noqa: E712 - the three are compared
        else:
            assert self.memory.dead_letters.drop(id) == self.file.dead_letters.drop(id)

    @rule(seconds=st.sampled_from([1.0, 40.0, 120.0]), maintain=st.booleans())
    def pass_time(self, seconds: float, maintain: bool) -> None:
        self.clock.forward(seconds)
        if maintain:
            self.memory.maintain()
            self.file.maintain()

    @rule(key=keys, expires=st.none() | st.just(1_800_000_100.0), wait=st.sampled_from([0.0, 30.0]))
    def queue(self, key: str, expires: float | None, wait: float) -> None:
        call = OutboxCall("sendMessage", {"n": 1}, key, (), self.clock() + wait, expires)
        assert self.memory.outbox.put(call) == self.file.outbox.put(call)

    @rule(owner=st.sampled_from(["one", "two"]), limit=st.integers(1, 3))
    def deliver(self, owner: str, limit: int) -> None:
        assert self.memory.outbox.claim(owner, lease=30, limit=limit) == self.file.outbox.claim(owner, lease=30, limit=limit)

    @precondition(lambda self: self.memory.outbox.entries())
    @rule(
        data=st.data(), owner=st.sampled_from(["one", "two"]), step=st.sampled_from(["sending", "sent", "put_off", "hold", "retry", "drop", "abandon", "purge"])
    )
    def step(self, data: st.DataObject, owner: str, step: str) -> None:
        id = data.draw(st.sampled_from([item.id for item in self.memory.outbox.entries()]))
        answers = []
        for outbox in (self.memory.outbox, self.file.outbox):
            steps = {
                "sending": lambda outbox=outbox: outbox.sending(id, owner, lease=30),
                "sent": lambda outbox=outbox: outbox.sent(id, owner),
                "put_off": lambda outbox=outbox: outbox.put_off(id, owner, until=self.clock() + 10, reason="later"),
                "hold": lambda outbox=outbox: outbox.hold(id, owner, OutboxState.UNCERTAIN, "cut"),
                "retry": lambda outbox=outbox: outbox.retry(id),
                "drop": lambda outbox=outbox: outbox.drop(id),
                "abandon": lambda outbox=outbox: outbox.abandon(owner),
                "purge": lambda outbox=outbox: outbox.purge(50),
            }
            answers.append(steps[step]())
        assert answers[0] == answers[1]

    @invariant()
    def same(self) -> None:
        assert self.memory.inbox.counts() == self.file.inbox.counts()
        assert self.memory.inbox.counts() == self.other.inbox.counts()
        assert self.memory.dead_letters.entries() == self.file.dead_letters.entries()
        assert self.memory.data.load(Scope.CHAT, 1) == self.file.data.load(Scope.CHAT, 1)
        assert self.memory.outbox.entries() == self.file.outbox.entries()
        assert self.memory.outbox.outlook() == self.file.outbox.outlook()

    def may_yield(self, one: Claimed) -> bool:
        """Whether both stores take it alike that this one yields its turn."""
        return True

    def twin(self, one: Claimed) -> Claimed:
        """What the second store calls something that the memory store has handed out."""
        return one

    def add(self, memory: list[Claimed], file: list[Claimed]) -> None:
        """Both handed out the same, and nothing of a key that is busy."""
        assert memory == file
        busy = {one.key for one in self.running if one.key and one.row not in self.yielded}
        assert not busy & {one.key for one in memory}
        self.running += memory

    def teardown(self) -> None:
        self.memory.close()
        self.file.close()
        self.other.close()
        self.folder.cleanup()


class TwoFullStores(TwoStores):
    """The same with as many updates as are read ahead, and noted, at once; both stores then forget ids at times of their own, but only old ones."""

    options = replace(OPTIONS, window_ids=100_000)

    @rule(first=st.integers(100, 400), number=st.integers(30, 140), keys=st.lists(keys, min_size=1, max_size=5))
    def store_many(self, first: int, number: int, keys: list[str]) -> None:
        updates = [Incoming(first + n, keys[n % len(keys)], b"{}") for n in range(number)]
        assert self.memory.inbox.store(updates) == self.file.inbox.store(updates)

    @rule(number=st.integers(1, 90))
    def handle_many(self, number: int) -> None:
        """Handle one after the other, as a quick worker does."""
        for _ in range(number):
            before = len(self.running)
            self.claim(1)
            if len(self.running) == before:
                break
            one = self.running.pop()
            finish(self.memory.inbox, one)
            finish(self.file.inbox, one)


class MemoryAndDatabase(TwoStores):
    """The same with a database; each history is another bot in it, and there other rows and tickets stand for the same updates. Nothing locks it all."""

    options = StoreOptions(busy_timeout=5.0, window_ids=100_000, window_seconds=100.0, connections=3)
    url = ""
    bots = itertools.count(BOT)

    def __init__(self) -> None:
        self.in_database: dict[tuple[int, int], Claimed] = {}
        self.its_bot = next(self.bots)
        with open_store(self.url, self.its_bot) as store:
            for table in ("outbox", "dead_letter"):
                store._database.rows(f"SELECT setval(pg_get_serial_sequence('syncbot.{table}', 'id'), 1, false)")  # type: ignore[attr-defined]  # as for a new one
        super().__init__()

    def open(self) -> Store:
        return open_store(self.url, self.its_bot, now=self.clock, options=self.options)

    def may_yield(self, one: Claimed) -> bool:
        """In a database one that was alone under suspicion is as any other afterwards; elsewhere it is alone again when it is put back."""
        return not one.alone

    def twin(self, one: Claimed) -> Claimed:
        return self.in_database[one.row, one.ticket]

    def add(self, memory: list[Claimed], file: list[Claimed]) -> None:
        self.in_database |= {(one.row, one.ticket): other for one, other in zip(memory, file, strict=True)}
        super().add(memory, [replace(other, row=one.row, ticket=one.ticket) for one, other in zip(memory, file, strict=True)])

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int, per_key: int = 1) -> None:
        """One of each chat: of a run nobody puts back the first alone, as a history would (`test_two_members.py` has runs)."""
        super().claim(limit)

    @precondition(lambda self: len(self.running) < 2)
    @rule(how=st.sampled_from(["recover", "reopen", "taken over"]))
    def die(self, how: str) -> None:
        """With one thing in hand at most: of several suspects each store begins with another one (`test_suspects.py` has them)."""
        if how != "recover":
            self.file.close()
        if how == "taken over":
            self.file, self.other = self.other, self.open()
        elif how == "reopen":
            self.file = self.open()
        self.recover()

    def while_locked(self) -> None:  # type: ignore[override]  # no rule here
        """Nobody locks a database."""


@pytest.mark.programs("postgres")
@pytest.mark.timeout(200)
def test_memory_and_database(postgres_url: str) -> None:
    """See `MemoryAndDatabase`."""
    machine = type("MemoryAndDatabaseHere", (MemoryAndDatabase,), {"url": postgres_url})
    few = settings(max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=few)  # type: ignore[no-untyped-call]  # hypothesis has no types for it


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestTwoFullStores = TwoFullStores.TestCase
TestTwoFullStores.settings = settings(max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
