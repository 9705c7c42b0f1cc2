"""What delivers is made when something is queued first, in whichever thread, and while others may stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line
from kits.outbox_kit import BOT_ID, SENT, make_bot, queue, states, texts

from syncbot.client.bot import Bot
from syncbot.runtime.outbox.delivery import SessionDelivery
from syncbot.storage import OutboxCall, Store, open_store
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A state file."""
    with open_store(tmp_path / "bot.db", BOT_ID) as store:
        yield store


def make_delivery(
    store: Store, transport: FakeTransport, stop: threading.Event, on_delivered: Callable[[Any], AbstractContextManager[object]] = nullcontext
) -> SessionDelivery:
    """The delivery of a session."""

    def fail(error: Exception) -> None:
        raise error

    return SessionDelivery(store, Path(str(store.path)), make_bot(transport), uncertain="hold", stop=stop, on_fatal=fail, on_delivered=on_delivered)


def test_where_nothing_was_queued_there_is_nothing_to_look_after(store: Store) -> None:
    """Without a queued call no thread is started, nothing waits, and the end comes at once; a folder for files is not made."""
    stop, transport = threading.Event(), FakeTransport(sendMessage=SENT)
    delivery = make_delivery(store, transport, stop)
    delivery.notify()
    delivery.tell()
    delivery.work_off(30.0)
    delivery.wake()
    assert (delivery.threads, delivery.fatal, delivery.lacks_thread) == (set(), None, False)
    stop.set()
    delivery.join(30.0)
    assert [path.name for path in Path(str(store.path)).parent.glob("*.outbox")] == []


def test_what_was_queued_is_delivered(store: Store) -> None:
    """The first call makes the deliverer; calls that come later find it."""
    stop, transport = threading.Event(), FakeTransport(sendMessage=SENT)
    delivery = make_delivery(store, transport, stop)
    queue(store, "one")
    delivery.work_off(30.0)
    queue(store, "two")
    delivery.work_off(30.0)
    stop.set()
    delivery.join(30.0)
    assert texts(transport) == ["one", "two"]
    assert states(store) == {}


def test_being_told_of_a_call_starts_a_thread(store: Store) -> None:
    """`notify` returns at once, and the call goes out beside."""
    stop, is_written_down, transport = threading.Event(), threading.Event(), FakeTransport(sendMessage=SENT)

    @contextmanager
    def delivered(_result: Any) -> Iterator[None]:
        yield
        is_written_down.set()

    delivery = make_delivery(store, transport, stop, delivered)
    queue(store, "one")
    delivery.notify()
    assert is_written_down.wait(30.0)
    stop.set()
    delivery.wake()
    delivery.join(30.0)
    assert texts(transport) == ["one"]


def test_after_the_stop_nothing_is_begun(store: Store) -> None:
    """A call that is queued after the stop waits for the next start."""
    stop, transport = threading.Event(), FakeTransport(sendMessage=SENT)
    delivery = make_delivery(store, transport, stop)
    [id] = queue(store, "one")
    stop.set()
    delivery.notify()
    delivery.work_off(30.0)
    delivery.join(30.0)
    assert (delivery.threads, texts(transport), list(states(store))) == (set(), [], [id])


def test_many_threads_may_tell_at_once(store: Store) -> None:
    """Threads that tell of calls at the same moment need one deliverer between them: each call goes out once."""
    stop, transport, ready = threading.Event(), FakeTransport(sendMessage=SENT), threading.Barrier(8)
    delivery = make_delivery(store, transport, stop)

    def tell(number: int) -> None:
        store.outbox.put(OutboxCall("sendMessage", {"chat_id": str(number), "text": str(number)}, str(number)))
        ready.wait(30.0)
        delivery.notify()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    delivery.work_off(30.0)
    stop.set()
    delivery.join(30.0)
    assert sorted(texts(transport)) == [str(number) for number in range(8)]


def test_a_stop_that_comes_while_what_delivers_is_made_ends_it() -> None:
    """Wherever it comes: nothing is sent afterwards, no thread stays, and what is queued stays queued or has gone out."""

    def make() -> Steps:
        store, stop, transport = open_store(None, 1), threading.Event(), FakeTransport(sendMessage={"message_id": 1})
        bot = Bot(TEST_TOKEN, transport=transport, limits=None)
        delivery = SessionDelivery(store, None, bot, uncertain="hold", stop=stop, on_fatal=lambda _: None, on_delivered=nullcontext)
        store.outbox.put(OutboxCall("sendMessage", {"chat_id": "7", "text": "a"}, "7"))
        sent: list[int] = []

        def end() -> None:
            stop.set()
            delivery.wake()
            delivery.join(20.0)
            sent.append(len(transport.calls))

        def check() -> None:
            assert delivery.threads == set()
            assert [len(transport.calls)] == sent
            assert len(store.outbox.entries()) == 1 - sent[0]

        return Steps(delivery.notify, end, check)

    assert at_every_line(make, "outbox/delivery.py") > 5
