"""`MessageQueue` of python-telegram-bot 13: calls that wait their turn."""

from __future__ import annotations

import queue
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from kits.timing_kit import tried

from syncbot.compat.ptb13.messagequeue import DelayQueue, DelayQueueError, MessageQueue, queuedmessage
from syncbot.compat.ptb13.promise import Promise
from syncbot.compat.ptb13.utils.deprecate import TelegramDeprecationWarning

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _deprecated() -> Iterator[None]:
    """They were deprecated when 13 was new, and say so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TelegramDeprecationWarning)
        yield


def test_calls_are_made_in_order() -> None:
    """One after the other, in a thread of the queue's own."""
    made: queue.Queue[Any] = queue.Queue()
    delayed = DelayQueue(name="own")
    for number in range(5):
        delayed(lambda number=number, *, word: made.put((number, word, threading.current_thread().name)), word="x")
    assert [made.get(timeout=SECONDS) for _ in range(5)] == [(number, "x", "own") for number in range(5)]
    delayed.stop()


def test_so_many_in_a_time_and_no_more() -> None:
    """Fewer than `burst_limit` in each `time_limit_ms`, however many wait."""

    def attempt(seconds: float) -> None:
        made: queue.Queue[float] = queue.Queue()
        delayed = DelayQueue(burst_limit=4, time_limit_ms=int(seconds * 1000))
        for _ in range(7):
            delayed(lambda: made.put(time.monotonic()))
        times = [made.get(timeout=SECONDS) for _ in range(7)]
        delayed.stop()
        assert all(times[index + 3] - times[index] >= 0.99 * seconds for index in range(4))

    tried(attempt, (0.2, 0.4, 0.8, 1.6))  # a call that is held up when its turn has come comes closer to the next


def test_a_stop_leaves_what_waits() -> None:
    """Also while it waits for its next turn; afterwards nothing is taken any more."""
    made: queue.Queue[int] = queue.Queue()
    delayed = DelayQueue(burst_limit=2, time_limit_ms=1000 * 3600)
    delayed(made.put, 1)
    delayed(made.put, 2)
    assert made.get(timeout=SECONDS) == 1
    delayed.stop(SECONDS)
    assert not delayed.is_alive()
    assert made.empty()
    with pytest.raises(DelayQueueError):
        delayed(made.put, 3)


def test_errors_go_where_they_are_sent() -> None:
    """To `exc_route`, and the queue goes on."""
    errors: queue.Queue[Exception] = queue.Queue()
    made: queue.Queue[int] = queue.Queue()
    delayed = DelayQueue(exc_route=errors.put)
    delayed(lambda: 1 / 0)
    delayed(made.put, 1)
    assert isinstance(errors.get(timeout=SECONDS), ZeroDivisionError)
    assert made.get(timeout=SECONDS) == 1
    delayed.stop()


def test_groups_have_a_limit_of_their_own() -> None:
    """What goes to groups passes both queues, and holds up nothing else."""
    made: queue.Queue[str] = queue.Queue()
    both = MessageQueue(group_burst_limit=2, group_time_limit_ms=1000 * 3600)
    for number in range(3):
        both(lambda number=number: made.put(f"group {number}"), is_group_msg=True)
    assert made.get(timeout=SECONDS) == "group 0"
    both(lambda: made.put("private"))
    assert made.get(timeout=SECONDS) == "private"
    both.stop(SECONDS)
    assert made.empty()


class QueuedBot:
    """A bot as programs made it with a queue."""

    def __init__(self, messages: MessageQueue) -> None:
        self._is_messages_queued_default = True
        self._msg_queue = messages

    @queuedmessage
    def send_message(self, text: str) -> str:
        """Says what it has sent."""
        return f"sent {text}"


def test_a_bots_method_through_the_queue() -> None:
    """It gives a promise at once; `queued=False` makes the call now."""
    messages = MessageQueue(autostart=False)
    messages.start()
    bot = QueuedBot(messages)
    promise = bot.send_message("a")
    assert isinstance(promise, Promise)
    assert promise.result(SECONDS) == "sent a"
    assert bot.send_message("b", isgroup=True).result(SECONDS) == "sent b"
    assert bot.send_message("c", queued=False) == "sent c"
    messages.stop()


def test_they_say_that_they_are_old() -> None:
    """As they did; a program may silence it by the name of the warning."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        DelayQueue(autostart=False)
    assert told[0].category is TelegramDeprecationWarning
    assert told[0].filename == __file__
