"""What delivers is made when something is queued first, in whichever thread, and while others may stop it."""

from __future__ import annotations

import threading
from contextlib import nullcontext

from kits.interleave_kit import Steps, at_every_line

from syncbot.client.bot import Bot
from syncbot.runtime.outbox.delivery import Delivery
from syncbot.storage import OutboxCall, open_store
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport


def test_a_stop_that_comes_while_what_delivers_is_made_ends_it() -> None:
    """Wherever it comes: nothing is sent afterwards, no thread stays, and what is queued stays queued or has gone out."""

    def make() -> Steps:
        store, stop, transport = open_store(None, 1), threading.Event(), FakeTransport(sendMessage={"message_id": 1})
        bot = Bot(TEST_TOKEN, transport=transport, limits=None)
        delivery = Delivery(store, None, bot, uncertain="hold", stop=stop, on_fatal=lambda _: None, on_delivered=nullcontext)
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
