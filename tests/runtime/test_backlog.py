"""What holds the poller back, and what it may confirm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, becomes, logged
from kits.storage_kit import finish
from kits.timing_kit import soon, took, tried

from syncbot.runtime.receiving.backlog import DurableBacklog, MemoryBacklog
from syncbot.storage import open_store
from syncbot.storage.promises.inbox import Counts, Incoming
from syncbot.storage.promises.queues import Inbox


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """An inbox that this process handles."""
    with open_store(None, 1) as store:
        store.inbox.recover()
        yield store.inbox


def fill(inbox: Inbox, number: int) -> None:
    """So many updates of one chat."""
    inbox.store([Incoming(n, "chat", b"{}") for n in range(number)])


def in_background(backlog: DurableBacklog | MemoryBacklog) -> threading.Thread:
    """Somebody who waits for room."""
    thread = threading.Thread(target=backlog.wait_for_room)
    thread.start()
    return thread


def test_there_is_room_below_the_limit(inbox: Inbox) -> None:
    """Up to the limit nobody waits, and everything stored may be confirmed."""
    fill(inbox, 10)
    backlog = DurableBacklog(inbox, threading.Event(), 10)
    backlog.wait_for_room()
    backlog.stored([1, 2])
    assert backlog.offset(11) == 11
    assert backlog.offset(None) is None


def test_too_many_waiting_hold_the_poller_back_until_some_are_handled(inbox: Inbox) -> None:
    """Above the limit the poller waits, and goes on when enough was handled."""
    fill(inbox, 70)
    backlog = DurableBacklog(inbox, threading.Event(), 20)
    waiting = in_background(backlog)
    for _ in range(49):
        finish(inbox, inbox.claim(1)[0])
        backlog.finished(0)
        assert waiting.is_alive()
    finish(inbox, inbox.claim(1)[0])
    backlog.finished(0)
    waiting.join(SECONDS)
    assert not waiting.is_alive()


def test_one_that_is_held_back_seldom_counts(inbox: Inbox) -> None:
    """Counting looks through the whole inbox: while too much waits, it is done about once a second, and once for fifty that were handled."""
    fill(inbox, 200)

    class Counted:
        """The inbox, which notes how often it is counted."""

        times = 0

        def counts(self) -> Counts:
            self.times += 1
            return inbox.counts()

    def attempt(seconds: float) -> None:
        counted: Any = Counted()
        stop = threading.Event()
        backlog = DurableBacklog(counted, stop, 20)
        waiting = in_background(backlog)
        for _ in range(50):
            backlog.finished(0)
        threading.Event().wait(seconds)
        stop.set()
        backlog.wake()
        waiting.join(SECONDS)
        assert counted.times <= 3 + seconds

    tried(attempt)


def test_what_waits_behind_a_hung_handler_does_not_hold_up_the_others(inbox: Inbox) -> None:
    """Where a worker has nothing to do although much waits, more is fetched: it may be for other chats."""
    fill(inbox, 70)
    backlog = DurableBacklog(inbox, threading.Event(), 20, has_idle=lambda: True)
    waiting = in_background(backlog)
    waiting.join(SECONDS)
    assert not waiting.is_alive()


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_stop_ends_the_waiting(inbox: Inbox, in_memory: bool) -> None:
    """A stop and a wake end every waiting for room at once."""
    fill(inbox, 70)

    def end_one() -> float:
        stop = threading.Event()
        backlog = MemoryBacklog(stop) if in_memory else DurableBacklog(inbox, stop, 20)
        backlog.stored([1])
        waiting = in_background(backlog)
        stop.set()
        began = time.monotonic()
        backlog.wake()
        waiting.join(SECONDS)
        assert not waiting.is_alive()
        return time.monotonic() - began

    assert soon(0.9, end_one)


def test_a_stop_while_the_inbox_is_counted_is_not_missed(inbox: Inbox) -> None:
    """A stop and a wake that come right after the poller has looked for them end its waiting at once, too."""
    fill(inbox, 70)

    class Stopping:
        """An inbox during whose counting the runtime is stopped."""

        def counts(self) -> Counts:
            found = inbox.counts()
            stop.set()
            backlog.wake()
            return found

    def wait_once() -> float:
        stop.clear()
        return took(backlog.wait_for_room)

    stop = threading.Event()
    stopping: Any = Stopping()
    backlog = DurableBacklog(stopping, stop, 20)
    assert soon(0.9, wait_once)


def test_a_stop_that_comes_while_it_is_counted_ends_the_waiting(inbox: Inbox) -> None:
    """A stop, and the wake that follows it, come after the poller has looked at both: it does not wait all the same."""
    fill(inbox, 70)
    stop = threading.Event()

    class Stopping:
        """The inbox, which is told of the stop while it counts."""

        def __getattr__(self, name: str) -> Any:
            return getattr(inbox, name)

        def counts(self) -> Counts:
            stop.set()
            backlog.wake()
            return inbox.counts()

    def wait_once() -> float:
        nonlocal backlog
        stop.clear()
        backlog = DurableBacklog(Stopping(), stop, 20)
        return took(backlog.wait_for_room)

    backlog: DurableBacklog
    assert soon(0.9, wait_once)


def test_in_memory_only_what_was_handled_is_confirmed() -> None:
    """The offset is that of the first update that is not handled yet."""
    backlog = MemoryBacklog(threading.Event())
    assert backlog.offset(None) is None
    backlog.stored([5, 6, 7])
    assert backlog.offset(8) == 5
    backlog.finished(6)
    assert backlog.offset(8) == 5
    backlog.finished(5)
    assert backlog.offset(8) == 7
    backlog.finished(7)
    assert backlog.offset(8) == 8


def test_in_memory_repeated_updates_stay_handled() -> None:
    """What Telegram repeats because an earlier one is open is not waited for again."""
    backlog = MemoryBacklog(threading.Event())
    backlog.stored([5, 6])
    backlog.finished(6)
    backlog.stored([5, 6, 7])
    backlog.finished(7)
    backlog.finished(5)
    assert backlog.offset(8) == 8
    backlog.stored([6, 7])
    assert backlog.offset(8) == 8


def test_in_memory_an_update_may_be_handled_before_it_is_told_of() -> None:
    """A worker finds an update in the inbox, and handles it, before the poller has come to say that it is there: it is confirmed, and nobody waits for it."""
    backlog = MemoryBacklog(threading.Event())
    backlog.finished(6)
    backlog.stored([5, 6])
    assert backlog.offset(7) == 5
    backlog.finished(5)
    assert backlog.offset(7) == 7
    assert soon(2.5, lambda: took(backlog.wait_for_room))


def test_in_memory_ids_may_begin_anew_lower() -> None:
    """The order is that of arrival, not of the numbers."""
    backlog = MemoryBacklog(threading.Event())
    backlog.stored([900, 5])
    backlog.finished(5)
    assert backlog.offset(6) == 900
    backlog.finished(900)
    assert backlog.offset(6) == 6


def test_in_memory_the_poller_waits_for_the_batch() -> None:
    """The next poll waits for the batch to be handled."""
    backlog = MemoryBacklog(threading.Event())
    backlog.stored([1, 2])
    waiting = in_background(backlog)
    backlog.finished(1)
    assert waiting.is_alive()
    backlog.finished(2)
    assert becomes(lambda: not waiting.is_alive())


def test_in_memory_a_hung_handler_does_not_hide_new_updates_for_ever() -> None:
    """When a hung update and the handled ones behind it fill all that Telegram shows, it is confirmed after all, and that is said."""
    backlog = MemoryBacklog(threading.Event())
    backlog.stored(range(100))
    for n in range(1, 100):
        backlog.finished(n)
    with logged() as log:
        assert backlog.offset(100) == 100
        assert log.count("update 0 is confirmed although") == 1
    backlog.finished(0)
    assert backlog.offset(100) == 100


def test_in_memory_many_that_wait_their_turn_are_not_confirmed() -> None:
    """A full window of updates that just wait is no reason to confirm one unhandled."""
    backlog = MemoryBacklog(threading.Event())
    backlog.stored(range(100))
    for n in range(50, 100):
        backlog.finished(n)
    assert backlog.offset(100) == 0
