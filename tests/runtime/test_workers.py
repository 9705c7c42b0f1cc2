"""The workers: order per chat, chats in parallel, and nothing that a handler does ends one."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest
from kits.runtime_kit import SECONDS, Seen, becomes, logged, own_threads, running
from kits.storage_kit import finish
from kits.store_kinds import STORE_KINDS, store_place

from syncbot.errors import Stopped, StorageError, Suspended
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.results import read_outcome
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.runtime.work.turn import Turn
from syncbot.runtime.work.update_run import run_here
from syncbot.runtime.work.workers import Workers
from syncbot.storage import Scope, Store, open_store
from syncbot.storage.promises.data import NO_CHANGES, Changes, DataChange
from syncbot.storage.promises.inbox import Claimed, Counts, End, Incoming, Settled
from syncbot.storage.promises.questions import Question
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]
Handler = Callable[[dict[str, Any], Turn | None], Changes | None]


@pytest.fixture(params=STORE_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store in memory, in a file, or in a database."""
    with open_store(store_place(request, tmp_path), 1) as store:
        store.inbox.recover()
        yield store


def ask(turn: Turn | None, raw: dict[str, Any], chat: int, seconds: float = SECONDS) -> int:
    """Wait for a message, without a journal; returns the id of the update that brought it."""
    assert turn is not None
    now = time.time()
    question = Question(raw["update_id"], 0, "ask", chat, chat, {}, now, now + seconds)
    outcome = read_outcome(turn.wait(question, (), is_recorded=False))
    if isinstance(outcome, Exception):
        raise outcome
    return int(outcome["update_id"])


@contextmanager
def ending_questions(workers: Workers) -> Iterator[None]:
    """Meanwhile questions whose time is over are ended, as a runtime's clock does."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.002):
            workers.questions.end_due()

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def offer(turn: Turn | None, raw: dict[str, Any], chat: int) -> bool:
    """Let an update be the answer to what a chat was asked."""
    assert turn is not None
    return turn.offer(chat, chat, {"message": {"text": "x"}} | raw, lambda: None) is not None


def put(store: Store, *updates: tuple[int, str]) -> None:
    """Store updates by id and key."""
    store.inbox.store([Incoming(id, key, json.dumps({"update_id": id}).encode()) for id, key in updates])


class Rig:
    """Workers with a handler."""

    def __init__(self, store: Store, handler: Handler, number: int = 4, **options: Any) -> None:
        self.stop = threading.Event()
        self.forced = threading.Event()
        self.fatal: list[StorageError] = []
        self.finished: list[int] = []

        def handle(raw: dict[str, Any], turn: Turn | None) -> Changes:
            return handler(raw, turn) or NO_CHANGES

        self.workers = Workers(store.inbox, handle, number, self.stop, on_finished=self.finished.append, on_fatal=self.fatal.append, **options)

    def until_idle(self) -> None:
        """Wait until everything is handled."""
        assert self.workers.wait_until_idle(time.monotonic() + SECONDS)


@contextmanager
def working(rig: Rig, grace: float = SECONDS) -> Iterator[Workers]:
    """Workers that work meanwhile."""
    rig.workers.start()
    try:
        yield rig.workers
    finally:
        rig.stop.set()
        rig.workers.join(grace, rig.forced)
        assert becomes(lambda: not own_threads())


def test_nothing_is_begun_before_all_is_ready(store: Store) -> None:
    """What takes long once is done first: a process that is killed meanwhile, again and again, leaves no update that may have killed it."""
    begun, go_on, prepared = threading.Event(), threading.Event(), list[int]()

    def prepare() -> None:
        begun.set()
        assert go_on.wait(SECONDS)
        prepared.append(1)

    seen = Seen()
    rig = Rig(store, lambda raw, turn: seen.add(str(raw["update_id"])), number=2, prepare=prepare)
    put(store, (1, "a"), (2, "b"))
    with working(rig) as workers:
        assert begun.wait(SECONDS)
        assert (store.inbox.counts().waiting, store.inbox.counts().running, workers.busy()) == (2, 0, [])
        go_on.set()
        rig.until_idle()
        put(store, (3, "a"))
        workers.notify(1)
        rig.until_idle()
    assert 1 <= len(prepared) <= 2, "once for each worker that saw them, at most"
    assert len(seen.texts) == 3


@pytest.mark.goes_on_after("the feeder goes on after an error")
def test_what_cannot_be_made_ready_is_tried_again(store: Store) -> None:
    """An error there costs no update: they wait."""
    failures = [1, 2]

    def prepare() -> None:
        if failures:
            failures.pop()
            raise MemoryError

    seen = Seen()
    rig = Rig(store, lambda raw, turn: seen.add(str(raw["update_id"])), number=1, prepare=prepare)
    put(store, (1, "a"))
    with logged() as records, working(rig):
        rig.until_idle()
    assert len(seen.texts) == 1
    assert records.count("goes on after an error") == 2


@pytest.mark.goes_on_after("the feeder goes on after an error")
def test_what_cannot_be_written_is_one_updates_failure(store: Store) -> None:
    """Where the store chokes on what one update has changed, that one is a dead letter which says why; what was settled with it is written, and all goes on."""

    class Narrow:
        """The inbox of a database that takes no long names."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            if any(len(name) > 1000 for end in ends for change in end.changes.data for name in change.changed):
                raise OverflowError("the index takes no such row")
            return store.inbox.settle(ends, claim=claim, per_key=per_key)

    def handle(raw: dict[str, Any], turn: Turn | None) -> Changes:
        id = raw["update_id"]
        return Changes((DataChange(Scope.CHAT, id, {"x" * (5000 if id % 3 == 0 else 5): id}),))

    inbox: Any = Narrow()
    rig = Rig(SimpleNamespace(inbox=inbox), handle)  # type: ignore[arg-type]  # the workers want nothing else of it
    put(store, *((id, str(id)) for id in range(1, 10)))
    with working(rig):
        rig.until_idle()
    letters = {letter.update_id: letter.reason for letter in store.dead_letters.entries()}
    assert sorted(letters) == [3, 6, 9]
    assert all("OverflowError: the index takes no such row" in reason for reason in letters.values())
    assert [store.data.load(Scope.CHAT, id) for id in range(1, 10)] == [{"xxxxx": id} if id % 3 else {} for id in range(1, 10)]


@pytest.mark.goes_on_after("could not be written, and is tried once more")
def test_handled_in_the_request_one_error_is_no_updates_failure(store: Store) -> None:
    """As among the workers: what could not be written is written a moment later, as it is."""
    failures = iter([RuntimeError("the server has met something that it did not expect")])

    class Once:
        """The inbox of a database that chokes once."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            for failure in failures if ends else ():
                raise failure
            return store.inbox.settle(ends, claim=claim, per_key=per_key)

    inbox: Any = Once()
    put(store, (1, "1"), (2, "2"))
    stop = threading.Event()
    durability = Durability(None, "again", stop.is_set, StorageRetry(stop))

    def handle(raw: dict[str, Any], _turn: Turn | None) -> Changes:
        return Changes((DataChange(Scope.CHAT, raw["update_id"], {"n": 1}),))

    with logged() as records:
        done = run_here(inbox, handle, stop, time.monotonic() + SECONDS, durability)
    assert records.count("could not be written, and is tried once more") == 1
    assert (done.handled, done.failed, store.dead_letters.entries()) == (2, 0, [])
    assert [store.data.load(Scope.CHAT, id) for id in (1, 2)] == [{"n": 1}, {"n": 1}]


@pytest.mark.goes_on_after("the feeder goes on after an error")
def test_no_update_is_blamed_for_the_memory_that_was_missing(store: Store) -> None:
    """Where there is no memory left to write an end, it is written as it is when there is some again."""
    failures = iter([MemoryError()] * 3)

    class Narrow:
        """The inbox of a machine whose memory is used up for a moment."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            for failure in failures if ends else ():
                raise failure
            return store.inbox.settle(ends, claim=claim, per_key=per_key)

    inbox: Any = Narrow()
    rig = Rig(SimpleNamespace(inbox=inbox), lambda raw, _turn: Changes((DataChange(Scope.CHAT, raw["update_id"], {"n": 1}),)))  # type: ignore[arg-type]  # the workers want nothing else of it
    put(store, (1, "1"))
    with working(rig):
        rig.until_idle()
    assert next(failures, None) is None
    assert (store.dead_letters.entries(), store.data.load(Scope.CHAT, 1)) == ([], {"n": 1})


def test_trouble_that_has_passed_is_over_although_nothing_is_to_do(store: Store) -> None:
    """An idle bot whose state file could not be used for a moment is well again as soon as it can be."""

    class Troubled:
        """The inbox; its first claim fails."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            if not met.is_set():
                met.set()
                raise StorageError("database or disk is full", retryable=True)
            return store.inbox.settle(ends, claim=claim, per_key=per_key)

    met = threading.Event()
    inbox: Any = Troubled()
    rig = Rig(SimpleNamespace(inbox=inbox), lambda raw, turn: None)  # type: ignore[arg-type]  # the workers want nothing else of it
    with working(rig) as workers:
        assert met.wait(SECONDS)
        assert becomes(lambda: not workers.retry.trouble)


def test_what_comes_while_nothing_is_found_is_not_left_lying(store: Store) -> None:
    """An update that is stored right after the feeder has found the inbox empty, and before it notes that, is handled without another word."""

    class Late:
        """The inbox; behind the claim of an idle worker that finds nothing there comes an update, and is told."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            found = store.inbox.settle(ends, claim=claim, per_key=per_key)
            if claim and not seen.texts and not found.claimed:
                put(store, (1, "a"))
                rig.workers.notify()
            return found

    seen, inbox = Seen(), Late()
    rig = Rig(SimpleNamespace(inbox=inbox), lambda raw, turn: seen.add(str(raw["update_id"])), number=1)  # type: ignore[arg-type]  # as above
    with working(rig):
        seen.wait_number(1)
    assert seen.texts == ["1"]


def test_an_album_that_becomes_complete_between_two_steps_is_handled() -> None:
    """It is still collected when the inbox is asked for something to do, and complete when the answer has come: nobody else comes for it."""
    now, seen = [1000.0], Seen()

    class Slow:
        """The inbox; a second passes before what it says is heard."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            settled = store.inbox.settle(ends, claim=claim, per_key=per_key)
            now[0] += 1.0
            return settled

    with open_store(None, 1, now=lambda: now[0]) as store:
        store.inbox.recover()
        store.inbox.store([Incoming(1, "a", b'{"update_id":1}', "album")])
        inbox: Any = Slow()
        with working(Rig(SimpleNamespace(inbox=inbox), lambda raw, turn: seen.add(str(raw["update_id"])))):  # type: ignore[arg-type]  # as above
            seen.wait("1")
        store.inbox.store([Incoming(2, "a", b'{"update_id":2}', "another")])
        stop = threading.Event()
        durability = Durability(None, "again", stop.is_set, StorageRetry(stop))
        done = run_here(inbox, lambda raw, turn: NO_CHANGES, stop, time.monotonic() + SECONDS, durability)
    assert done.handled == 1


@pytest.mark.goes_on_after("could not be handled")
@pytest.mark.parametrize(("update_id", "body"), [(-1, b"{"), (-1, b'{"job":{}}'), (1, b'{"syncbot_album":'), (1, b'["syncbot_album"]')])
def test_a_damaged_body_is_the_failure_of_its_update_alone(store: Store, update_id: int, body: bytes) -> None:
    """A job or an album that cannot be read goes to the dead letters, and all others are handled."""
    seen = Seen()
    rig = Rig(store, lambda raw, turn: seen.add(str(raw["update_id"])), number=1)
    store.inbox.store([Incoming(update_id, "a", body)])
    put(store, (2, "a"))
    with logged(), working(rig):
        rig.until_idle()
    assert (seen.texts, store.dead_letters.count(), rig.fatal) == (["2"], 1, [])


def test_without_updates_nothing_is_made_ready(store: Store) -> None:
    """Where nothing waits, what takes long is spared."""
    prepared: list[int] = []
    rig = Rig(store, lambda raw, turn: None, prepare=lambda: prepared.append(1))
    with working(rig):
        rig.until_idle()
    assert prepared == []


def test_each_update_is_handled_once_and_in_order(store: Store) -> None:
    """A thousand updates of twenty chats on eight workers: each once, in order per chat, never two of one chat at once."""
    per_chat: dict[int, list[int]] = defaultdict(list)
    running_now: set[int] = set()
    lock, wrong = threading.Lock(), []

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        chat = raw["update_id"] % 20
        with lock:
            if chat in running_now:
                wrong.append(raw)
            running_now.add(chat)
        per_chat[chat].append(raw["update_id"])
        with lock:
            running_now.discard(chat)

    rig = Rig(store, handler, 8)
    with working(rig):
        for start in range(0, 1000, 50):
            put(store, *((n, str(n % 20)) for n in range(start, start + 50)))
            rig.workers.notify(50)
        rig.until_idle()
    assert not wrong
    assert per_chat == {chat: list(range(chat, 1000, 20)) for chat in range(20)}
    assert rig.workers.done.handled == len(rig.finished) == 1000


def test_one_hung_chat_holds_up_only_itself(store: Store) -> None:
    """With two workers, one of them hung, all other chats are handled."""
    go_on, seen = threading.Event(), Seen()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        if raw["update_id"] == 0:
            go_on.wait(SECONDS)
        seen.add(str(raw["update_id"]))

    rig = Rig(store, handler, 2)
    put(store, *((n, str(n % 5)) for n in range(100)))
    with working(rig) as workers:
        seen.wait_number(80)
        assert becomes(lambda: workers.has_idle)
        assert becomes(lambda: [busy.name for busy in workers.busy()] == ["update 0"])
        assert not any(int(text) % 5 == 0 for text in seen.texts)
        go_on.set()
        rig.until_idle()
    assert len(seen.texts) == 100


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Stopped("not by us"), RecursionError(), MemoryError()])
@pytest.mark.goes_on_after("could not be handled")
def test_a_worker_outlives_whatever_is_raised(store: Store, error: BaseException) -> None:
    """Even what comes past the dispatcher: the update goes to the dead letters, and the only worker goes on."""

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        if raw["update_id"] == 1:
            raise error

    rig = Rig(store, handler, 1)
    put(store, (1, "a"), (2, "a"))
    with logged(), working(rig):
        rig.until_idle()
    assert (rig.workers.done.handled, rig.workers.done.failed) == (1, 1)
    assert [letter.update_id for letter in store.dead_letters.entries()] == [1]
    assert rig.finished == [1, 2]
    assert not rig.fatal


def test_a_failed_handler_buries_its_update_with_the_reason(store: Store) -> None:
    """HandlerFailed brings the reason and what is to be written all the same."""

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        raise HandlerFailed("because")

    rig = Rig(store, handler)
    put(store, (1, "a"))
    with working(rig):
        rig.until_idle()
    assert store.dead_letters.entries()[0].reason == "because"


@pytest.mark.parametrize("interrupted", [True, False])
def test_what_a_stop_interrupts_is_put_back(store: Store, interrupted: bool) -> None:
    """At a stop, a handler that failed because its waits were cut short is handled again; one that failed otherwise is buried."""
    begun = threading.Event()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        begun.set()
        rig.stop.wait(SECONDS)
        raise Suspended("cut short") if interrupted else HandlerFailed("cut short")

    rig = Rig(store, handler)
    put(store, (1, "a"))
    with working(rig):
        assert begun.wait(SECONDS)
    assert store.inbox.counts().waiting == int(interrupted)
    assert store.dead_letters.count() == int(not interrupted)
    assert rig.finished == ([] if interrupted else [1])


@pytest.mark.goes_on_after("could not be handled")
def test_changes_that_cannot_be_stored_bury_the_update(store: Store) -> None:
    """A value that slipped through and is no JSON is that update's failure, not the worker's end."""
    from syncbot.storage.promises.data import DataChange, Scope

    def handler(raw: dict[str, Any], turn: Turn | None) -> Changes:
        return Changes((DataChange(Scope.CHAT, 1, {"bad": object()}),)) if raw["update_id"] == 1 else NO_CHANGES

    rig = Rig(store, handler, 1)
    put(store, (1, "a"), (2, "a"))
    with logged(), working(rig):
        rig.until_idle()
    assert (rig.workers.done.handled, rig.workers.done.failed) == (1, 1)
    assert "bad" in store.dead_letters.entries()[0].reason


def test_suspects_run_alone_and_then_all_go_on(tmp_path: Path) -> None:
    """After a crash the suspects are handled one at a time; when they are done, the other workers go on by themselves."""
    with open_store(tmp_path / "bot.db", 1) as crashed:
        crashed.inbox.recover()
        put(crashed, *((n, str(n)) for n in range(20)))
        crashed.inbox.claim(3)
    together, lock, most = 0, threading.Lock(), []
    four = threading.Barrier(4)

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        nonlocal together
        with lock:
            together += 1
            most.append((raw["update_id"], together))
        if raw["update_id"] >= 4 and raw["update_id"] < 8:
            four.wait(SECONDS)  # all four workers meet here, or the test fails
        with lock:
            together -= 1

    with open_store(tmp_path / "bot.db", 1) as store:
        assert store.inbox.recover().suspects == 3
        rig = Rig(store, handler)
        with working(rig):
            rig.until_idle()
    assert most[:3] == [(0, 1), (1, 1), (2, 1)]
    assert rig.workers.done.handled == 20


def test_a_stop_begins_no_new_update(store: Store) -> None:
    """After the stop the running handlers end, and the rest waits."""
    seen, go_on = Seen(), threading.Event()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        seen.add(str(raw["update_id"]))
        go_on.wait(SECONDS)

    rig = Rig(store, handler, 2)
    put(store, *((n, str(n)) for n in range(10)))
    with working(rig):
        seen.wait_number(2)
        rig.stop.set()
        go_on.set()
    assert sorted(seen.texts) == ["0", "1"]
    assert store.inbox.counts() == Counts(8, 0, ANY, ANY)


def test_what_is_handed_out_as_the_stop_comes_is_put_back(store: Store) -> None:
    """The stop comes between the handing out of an update and its handler: the handler is not called, not even when nobody waits for it."""
    begun: list[int] = []

    def handle(raw: dict[str, Any], turn: Turn | None) -> Changes:
        begun.append(raw["update_id"])
        return NO_CHANGES

    class Stopping:
        """The inbox; the stop comes while it hands out."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            settled = store.inbox.settle(ends, claim=claim, per_key=per_key)
            if settled.claimed:
                stop.set()
            return settled

    put(store, (1, "a"))
    stop = threading.Event()
    workers = Workers(Stopping(), handle, 1, stop)
    workers.start()
    assert stop.wait(SECONDS)
    assert workers.join(0.0, threading.Event())
    assert becomes(lambda: not own_threads())
    assert begun == []
    assert store.inbox.counts() == Counts(1, 0, ANY)


def test_what_does_not_end_in_time_is_put_back(store: Store) -> None:
    """A handler that hangs at the stop is left behind; its update waits again, and what the handler does later changes nothing."""
    begun, go_on = threading.Event(), threading.Event()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        begun.set()
        go_on.wait(SECONDS)

    rig = Rig(store, handler)
    put(store, (1, "a"))
    rig.workers.start()
    assert begun.wait(SECONDS)
    rig.stop.set()
    with logged() as log:
        assert not rig.workers.join(0.0, rig.forced)
        assert log.count("update 1") == 1
    go_on.set()
    assert becomes(lambda: not own_threads())
    assert store.inbox.counts().waiting == 1
    assert not rig.fatal
    assert not rig.finished


def test_the_end_of_a_handler_at_the_very_end_of_the_grace_is_no_error(tmp_path: Path) -> None:
    """Handlers that return while they are being given up: each is either finished or put back, and nothing is fatal."""
    rounds = 60
    with open_store(tmp_path / "bot.db", 1) as store:
        store.inbox.recover()
        for n in range(rounds):
            both = threading.Barrier(2)

            def handler(raw: dict[str, Any], turn: Turn | None, both: threading.Barrier = both) -> None:
                both.wait(SECONDS)

            rig = Rig(store, handler, 1)
            put(store, (n, "a"))
            rig.workers.start()
            assert becomes(lambda rig=rig: rig.workers.busy())  # type: ignore[misc]  # a default binds the loop's value
            rig.stop.set()
            both.wait(SECONDS)
            with logged():
                rig.workers.join(random.choice([0.0, 0.0005]), rig.forced)
            assert becomes(lambda: not own_threads())
            assert not rig.fatal
            left = store.inbox.counts()
            assert left.running == 0
            for claimed in store.inbox.claim(10):
                finish(store.inbox, claimed)


def test_forced_ends_the_waiting(store: Store) -> None:
    """A second signal cuts the grace short."""
    begun, go_on = threading.Event(), threading.Event()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        begun.set()
        go_on.wait(60.0)

    rig = Rig(store, handler)
    put(store, (1, "a"))
    rig.workers.start()
    assert begun.wait(SECONDS)
    rig.stop.set()
    rig.forced.set()
    began = time.monotonic()
    with logged():
        assert not rig.workers.join(60.0, rig.forced)
    assert time.monotonic() - began < 30.0
    go_on.set()
    assert becomes(lambda: not own_threads())


def test_a_store_that_cannot_be_used_ends_the_workers_and_is_told(tmp_path: Path) -> None:
    """What does not pass by itself reaches on_fatal."""
    store = open_store(tmp_path / "bot.db", 1)
    store.inbox.recover()
    go_on = threading.Event()
    rig = Rig(store, lambda raw, turn: (go_on.wait(SECONDS), None)[1], 1)
    put(store, (1, "a"))
    rig.workers.start()
    assert becomes(rig.workers.busy)
    store.close()
    go_on.set()
    assert becomes(lambda: rig.fatal)
    assert becomes(lambda: not own_threads())
    rig.stop.set()


# ── waiting for answers ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [1, 2, 3])
def test_many_conversations_on_few_workers_all_end(store: Store, number: int) -> None:
    """Thirty conversations of three questions each, answered in any order, on one to three workers: nobody is forgotten."""
    seen, answered = Seen(), Seen()
    chats = range(30)

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        assert turn is not None
        chat = raw["update_id"] // 100
        if offer(turn, raw, chat):
            return
        if raw["update_id"] % 100:
            seen.add(f"plain {raw['update_id']}")
            return
        answers = []
        for _ in range(3):
            answers.append(ask(turn, raw, chat) % 100)
            answered.add("")
        seen.add(f"{chat}: {answers}")

    rig = Rig(store, handler, number)
    with working(rig) as workers:
        put(store, *((chat * 100, str(chat)) for chat in chats))
        workers.notify(len(chats))
        shuffled = random.Random(number)
        for question in range(1, 4):
            answered.wait_number(len(chats) * (question - 1))
            assert becomes(lambda: sum(busy.waiting for busy in workers.busy()) == len(chats))
            order = list(chats)
            shuffled.shuffle(order)
            for chat in order:
                put(store, (chat * 100 + question, str(chat)))
                workers.notify(1)
        # A last one behind each conversation must not be left lying.
        put(store, *((chat * 100 + 9, str(chat)) for chat in chats))
        workers.notify(1)
        rig.until_idle()
        assert becomes(lambda: sum(name.startswith("syncbot-worker") for name in own_threads()) == number)
    assert sorted(text for text in seen.texts if ":" in text) == sorted(f"{chat}: [1, 2, 3]" for chat in chats)
    assert len([text for text in seen.texts if "plain" in text]) == len(chats)


def test_a_late_answer_is_an_ordinary_message(store: Store) -> None:
    """A message that comes as the time runs out is either the answer or handled as a message: never lost."""
    for n in range(40):
        seen = Seen()

        def handler(raw: dict[str, Any], turn: Turn | None, seen: Seen = seen) -> None:
            assert turn is not None
            if offer(turn, raw, 1):
                return
            if raw["update_id"] % 2 == 0:
                try:
                    ask(turn, raw, 1, 0.02)
                    seen.add("answered")
                except Exception as error:
                    seen.add(type(error).__name__)
            else:
                seen.add("plain")

        rig = Rig(store, handler, 2)
        with working(rig) as workers, ending_questions(workers):
            put(store, (2 * n, "1"))
            workers.notify(1)
            assert becomes(lambda workers=workers: any(busy.waiting for busy in workers.busy()) or not workers.busy())  # type: ignore[misc]  # bound by a default
            rig.stop.wait(0.018)
            put(store, (2 * n + 1, "1"))
            workers.notify(1)
            rig.until_idle()
        assert sorted(seen.texts) in (["answered"], ["AskTimeout", "plain"]), seen.texts


def test_a_stop_ends_the_waiting_for_the_turn(store: Store) -> None:
    """Whoever has asked in vain, and whose chat is in another handler meanwhile, waits for its turn no longer than to the stop, and is put back."""
    seen, go_on = Seen(), threading.Event()

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        assert turn is not None
        if raw["update_id"] == 2:
            seen.add("the other one begins")
            assert go_on.wait(SECONDS)
            return
        try:
            ask(turn, raw, 1, 0.05)
        except Exception as error:
            seen.add(type(error).__name__)
            raise

    rig = Rig(store, handler, 2)
    rig.workers.start()
    put(store, (1, "1"), (2, "1"))
    rig.workers.notify(2)
    seen.wait("the other one begins")
    threading.Event().wait(0.1)
    rig.workers.questions.end_due()  # its time is over, since it was opened before the other one began
    threading.Event().wait(0.1)  # nobody tells when its handler waits for the turn
    rig.stop.set()
    rig.workers.notify()
    try:
        seen.wait("Stopped")
    finally:
        go_on.set()
        assert rig.workers.join(SECONDS, rig.forced)
    assert store.inbox.counts().waiting == 1


def test_trouble_with_the_turn_is_told_and_passes(store: Store) -> None:
    """Where the state file cannot be used as a handler takes its turn again, it is tried again, and the bot is not well meanwhile."""

    class Troubled:
        """The inbox; the turn cannot be taken twice."""

        left = 2

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def take_turn(self, claimed: Claimed) -> bool:
            if self.left:
                self.left -= 1
                raise StorageError("database or disk is full", retryable=True)
            return store.inbox.take_turn(claimed)

    def handler(raw: dict[str, Any], turn: Turn | None) -> None:
        assert turn is not None
        if not offer(turn, raw, 1):
            seen.add(str(ask(turn, raw, 1)))

    seen, inbox = Seen(), Troubled()
    rig = Rig(SimpleNamespace(inbox=inbox), handler, 2)  # type: ignore[arg-type]  # the workers want nothing else of it
    with logged() as log, working(rig) as workers:
        put(store, (1, "1"))
        workers.notify(1)
        assert becomes(lambda: any(busy.waiting for busy in workers.busy()))
        put(store, (2, "1"))
        workers.notify(1)
        seen.wait("2")
        assert inbox.left == 0
        assert log.count("the state cannot be used")
        rig.until_idle()


def test_an_answer_that_comes_as_the_stop_does_is_not_lost(store: Store) -> None:
    """The stop comes after an answer was given, and before the update that brought it has ended: the handler that asked goes on with it."""
    stop, refused, answers = threading.Event(), threading.Event(), list[int]()

    class Stopping:
        """The inbox; the stop comes while the end of the answer's update is written."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.inbox, name)

        def settle(self, ends: list[End], *, claim: int = 0, per_key: int = 1) -> Settled:
            if [end.claimed.update_id for end in ends] == [2]:
                stop.set()
                assert refused.wait(SECONDS)
            return store.inbox.settle(ends, claim=claim, per_key=per_key)

        def take_turn(self, claimed: Claimed) -> bool:
            taken = store.inbox.take_turn(claimed)
            if not taken and stop.is_set():
                refused.set()
            return taken

    def handle(raw: dict[str, Any], turn: Turn | None) -> Changes:
        assert turn is not None
        if raw["update_id"] == 1:
            answers.append(ask(turn, raw, 7))
        else:
            assert offer(turn, raw, 7)
        return NO_CHANGES

    workers = Workers(Stopping(), handle, 2, stop)
    workers.start()
    put(store, (1, "7"))
    workers.notify(1)
    assert becomes(lambda: workers.questions.number == 1)
    put(store, (2, "7"))
    workers.notify(1)
    assert stop.wait(SECONDS)
    assert workers.join(SECONDS, threading.Event())
    assert answers == [2]
    assert store.inbox.counts() == Counts(0, 0, None)


def test_without_leave_to_wait_there_is_no_turn(store: Store) -> None:
    """Where nothing may be waited for, handlers get no turn."""
    turns: list[Turn | None] = []
    rig = Rig(store, lambda raw, turn: turns.append(turn), may_wait=False)
    put(store, (1, "a"))
    with working(rig):
        rig.until_idle()
    assert turns == [None]


# ── through the runtime ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["sys.exit", "KeyboardInterrupt", "recursion", "thread"])
def test_what_a_handler_does_harms_no_other(server: BotApiServer, make_app: MakeApp, how: str) -> None:
    """sys.exit, KeyboardInterrupt, endless recursion and threads in one handler: the other chats are served, and the error handlers are told."""
    import sys

    app, seen, errors = make_app(workers=1), Seen(), Seen()

    def forever() -> None:
        forever()

    def act() -> None:
        if how == "sys.exit":
            sys.exit(3)
        if how == "KeyboardInterrupt":
            raise KeyboardInterrupt
        if how == "recursion":
            forever()
        thread = threading.Thread(target=lambda: seen.add("thread"))
        thread.start()
        thread.join()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        if update.message.text == "act":
            act()
        seen.add(update.message.text)

    @app.error
    def failed(update: Any, context: Context) -> None:
        errors.add(type(context.error).__name__)

    with running(app):
        server.user(id=1).send("act")
        server.user(id=2).send("go on")
        seen.wait("go on")
        assert becomes(lambda: app.health()["handled"] + app.health()["failed"] == 2)
        assert app.health()["running"]
    assert errors.texts == {"sys.exit": ["SystemExit"], "KeyboardInterrupt": ["KeyboardInterrupt"], "recursion": ["RecursionError"]}.get(how, [])


def test_a_handler_that_hangs_is_reported_with_its_stack(server: BotApiServer, make_app: MakeApp) -> None:
    """After handler_warn_after the log shows where it hangs, once."""
    app, go_on = make_app(handler_warn_after=1.5), threading.Event()  # less, and a busy machine has not come to the handler's own code

    @app.message()
    def a_name_to_look_for(update: Any, context: Context) -> None:
        go_on.wait(SECONDS)

    with logged() as log, running(app):
        server.user(id=1).send("hi")
        log.wait("a_name_to_look_for")
        assert app.health()["hung"] == 1
        assert app.health()["ok"], "the other workers are free"
        go_on.set()
        assert becomes(lambda: app.health()["hung"] == 0)
    assert log.count("has been running for", "WARNING") == 1


def test_many_waiting_updates_behind_one_hung_chat(server: BotApiServer, make_app: MakeApp) -> None:
    """Two thousand updates of twenty chats, one of which hangs, with room for fifty: the others are all handled in order, on two workers."""
    app, go_on, seen = make_app(workers=2, most_waiting=50), threading.Event(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        if update.message.chat.id == 100:
            go_on.wait(90)
        seen.add(f"{update.message.chat.id} {update.message.text}")

    users = [server.user(id=100 + n) for n in range(20)]
    for n in range(100):
        for user in users:
            user.send(str(n))
    with running(app):
        seen.wait_number(1900, 80)
        assert not any(text.startswith("100 ") for text in seen.texts)
        go_on.set()
        seen.wait_number(2000, 30)
    for user in users:
        assert [text for text in seen.texts if text.startswith(f"{user.id} ")] == [f"{user.id} {n}" for n in range(100)]


@pytest.mark.parametrize("updates", [500, pytest.param(1500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seconds", [0.0, 0.002], ids=["quick", "slow"])
def test_what_waits_is_bounded(server: BotApiServer, make_app: MakeApp, seconds: float, updates: int) -> None:
    """However quick or slow handlers are: no more updates than `most_waiting`, and one batch, wait in the state file."""
    app, seen, pause, most = make_app(workers=4, most_waiting=50), Seen(), threading.Event(), []

    @app.message()
    def handler(update: Any, context: Context) -> None:
        pause.wait(seconds)
        if update.update_id % 10 == 0:
            most.append(app.store.inbox.counts().waiting)
        seen.add(update.message.text)

    users = [server.user(id=100 + n) for n in range(20)]
    for n in range(updates):
        users[n % 20].send(str(n))
    with running(app):
        seen.wait_number(updates, 90)
    assert max(most) <= 150


def test_a_handler_that_was_given_up_calls_nothing_more(server: BotApiServer, make_app: MakeApp) -> None:
    """One that outlives the stop has lost its update: its next call is not made, and that ends nothing."""
    app, go_on, seen = make_app(), threading.Event(), Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        seen.add("begun")
        assert go_on.wait(SECONDS)
        try:
            context.reply("two")
        except BaseException as error:
            seen.add(type(error).__name__)
            raise

    user = server.user(id=42)
    user.send("go")
    app.start()
    seen.wait("begun")
    app.stop(grace=0.1)
    go_on.set()
    seen.wait("Suspended")
    app.start()
    user.wait_for("two", timeout=SECONDS)
    assert [message.text for message in user.messages] == ["one", "two"]


class TakenOver:
    """Members of which others have taken over some of what was claimed here."""

    def __init__(self, *rows: int) -> None:
        self.rows = set(rows)

    def has(self, row: int, ticket: int) -> bool:
        gone = row in self.rows
        self.rows.discard(row)
        return not gone


def test_what_others_have_taken_over_is_not_begun(store: Store) -> None:
    """Of what a process has in hand, and others may handle by now, no handler is called; here it is put back, and claimed anew."""
    put(store, (1, "a"), (2, "b"))
    [first, other] = store.inbox.claim(2)
    store.inbox.release(first, other)
    members: Any = TakenOver(first.row)
    seen: list[tuple[int, bool]] = []
    stop = threading.Event()
    durability = Durability(None, "again", stop.is_set, StorageRetry(stop), members=members)
    rig = Rig(store, lambda raw, turn: seen.append((raw["update_id"], first.row in members.rows)), 1, durability=durability)
    with working(rig):
        rig.until_idle()
    assert sorted(seen) == [(1, False), (2, False)]
