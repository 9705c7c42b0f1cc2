"""Delivering: what each outcome means for a call, order, several deliverers, and dead ones."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kits.outbox_kit import BOT_ID, SENT, copies, deliver, make_bot, queue, reason, refusal, states, texts
from kits.runtime_kit import becomes
from kits.store_kinds import STORE_KINDS, store_place
from kits.timing_kit import soon

from syncbot.client.limits import Limits
from syncbot.errors import NetworkError, NotSent, Phase, StorageError, Unauthorized
from syncbot.runtime.outbox.attempt import SharedPause
from syncbot.runtime.outbox.deliverer import Deliverer
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.recovery import SETTLE_SECONDS, OutboxRecovery
from syncbot.storage import OutboxCall, OutboxItem, OutboxState, Outlook, Store, open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.promises.outbox import EXPIRED, LEASE_RAN_OUT
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.transport.fake import FakeCall

QUEUED, UNCERTAIN, FAILED = OutboxState.QUEUED, OutboxState.UNCERTAIN, OutboxState.FAILED


@pytest.fixture(params=STORE_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind."""
    with open_store(store_place(request, tmp_path), BOT_ID) as opened:
        yield opened


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """A store in a file."""
    with open_store(tmp_path / "bot.db", BOT_ID) as opened:
        yield opened


def lost() -> NetworkError:
    """What a transport raises when the request had left and no answer came."""
    return NetworkError("the answer was cut", phase=Phase.MAYBE_SENT, stage="receive")


# ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_delivered_is_gone(store: Store) -> None:
    """Each call is made once, in the order of its chat, and then deleted."""
    transport = FakeTransport(sendMessage=SENT)
    queue(store, "a", "b", "c")
    deliverer = deliver(store, make_bot(transport))
    assert texts(transport) == ["a", "b", "c"]
    assert states(store) == {}
    assert deliverer.facts.delivered == 3


def test_what_a_call_came_to_is_told_before_that_is_written_down(store: Store) -> None:
    """Who dies in between leaves a call of which nobody knows, and not one that is done and told to nobody; then, when it is written, what follows is done."""
    seen: list[tuple[Any, dict[int, OutboxState]]] = []

    @contextmanager
    def told(result: Any) -> Iterator[None]:
        seen.append((result, states(store)))
        yield
        seen.append((result, states(store)))

    [id] = queue(store, "a")
    deliver(store, make_bot(FakeTransport(sendMessage=SENT)), on_delivered=told)
    assert seen == [(SENT, {id: OutboxState.SENDING}), (SENT, {})]


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "Bad Request: message text is empty"),
        refusal(403, "Forbidden: bot was blocked by the user"),
        refusal(404, "Not Found: method not found"),
        refusal(409, "Conflict: terminated by other getUpdates request"),
        refusal(418, "I'm a teapot"),
    ],
    ids=["400", "403", "404", "409", "418"],
)
def test_what_is_refused_is_kept_with_the_reason(store: Store, answer: Any) -> None:
    """A refusal is Telegram's last word on a call: it is kept as failed, and the next one of the chat goes on."""
    transport = FakeTransport(sendMessage=[answer, SENT])
    first, _ = queue(store, "a", "b")
    deliverer = deliver(store, make_bot(transport))
    assert states(store) == {first: FAILED}
    assert "sendMessage: " in reason(store, first)
    assert (deliverer.facts.delivered, deliverer.facts.failed) == (1, 1)


def test_what_was_not_sent_waits_in_its_place(store: Store) -> None:
    """A call that never left is queued again with the reason, before the later ones of its chat, and the next attempt delivers it."""
    stop = threading.Event()

    def answer(_: FakeCall) -> Any:
        if not stop.is_set():
            stop.set()  # else a busy machine may come to the next attempt within this delivery
            raise NotSent("the proxy is away", stage="connect")
        return SENT

    transport = FakeTransport(sendMessage=answer)
    first, second = queue(store, "a", "b")
    deliver(store, make_bot(transport), stop=stop)
    assert states(store) == {first: QUEUED, second: QUEUED}
    assert reason(store, first) == "the proxy is away"
    deliver(store, make_bot(transport), patience=None)
    assert texts(transport) == ["a", "a", "b"]
    assert states(store) == {}


def test_a_way_that_fails_is_not_tried_with_every_message(store: Store) -> None:
    """When there is no way to Telegram, the messages of all chats wait with the one that found out."""
    transport = FakeTransport(sendMessage=NotSent("the proxy is away", stage="connect"))
    for chat in range(50):
        queue(store, "hi", chat=chat + 1)
    deliver(store, make_bot(transport), senders=1)
    attempted = [item for item in store.outbox.entries() if item.attempts]
    assert 1 <= len(attempted) <= len(transport.calls) < 10, "one attempt, and those for which a busy machine leaves the time after the pauses"


def test_the_pause_of_a_bad_way_grows_and_ends() -> None:
    """Pauses double with jitter up to a minute, what fails while others pause does not lengthen them, and a success ends them."""
    now = [0.0]
    way = SharedPause(clock=lambda: now[0])
    pauses = []
    for _ in range(12):
        assert way.pause() == 0.0
        pauses.append(way.failed())
        assert way.failed() == pytest.approx(pauses[-1])
        assert way.pause() == pytest.approx(pauses[-1])
        now[0] += pauses[-1] + 0.001
    assert all(longest / 2 <= pause <= longest for pause, longest in zip(pauses, [0.5 * 2**n for n in range(7)] + [60.0] * 5, strict=True))
    assert way.worked() == 12
    assert way.failed() <= 0.5


def test_another_proxy_that_stands_ready_is_tried_at_once(store: Store) -> None:
    """A failure behind which another way waits costs no pause."""
    transport = FakeTransport(sendMessage=[NotSent("refused", stage="connect", failover=True), SENT])
    queue(store, "a")
    deliver(store, make_bot(transport))
    assert states(store) == {}


@pytest.mark.parametrize(
    "answer",
    [lost(), refusal(500, "Internal Server Error: restart"), RuntimeError("a mistake")],
    ids=["cut", "500", "mistake"],
)
@pytest.mark.goes_on_after("could not be made")
def test_what_is_uncertain_is_held(store: Store, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """When nobody knows whether a message was delivered, it is not sent again but kept in a state of its own; the next one goes on."""
    transport = FakeTransport(sendMessage=[answer, SENT])
    first, second = queue(store, "a", "b")
    deliver(store, make_bot(transport), patience=None)
    assert states(store) == {first: UNCERTAIN}
    assert texts(transport) == ["a", "b"]
    assert f"uncertain whether call {first} (sendMessage to 1) was carried out" in caplog.text
    assert second not in states(store)


def test_what_is_uncertain_can_be_sent_again(store: Store) -> None:
    """With uncertain="again" a message of which nobody knows is sent once more, in its place."""
    transport = FakeTransport(sendMessage=[lost(), SENT])
    queue(store, "a", "b")
    deliver(store, make_bot(transport), patience=None, uncertain="again")
    assert texts(transport) == ["a", "a", "b"]
    assert states(store) == {}


def test_what_is_uncertain_can_be_dropped(file_store: Store, tmp_path: Path) -> None:
    """With uncertain="drop" a call of which nobody knows is forgotten, its files with it."""
    transport = FakeTransport(sendDocument=lost(), sendMessage=SENT)
    folder = QueueFolder.beside(file_store.path)
    bot = make_bot(transport)
    from syncbot.runtime.outbox.outbox import Outbox

    Outbox(str(file_store.path), bot).send_document(1, b"data", filename="a.bin")
    queue(file_store, "b")
    deliver(file_store, bot, folder, patience=None, uncertain="drop")
    assert states(file_store) == {}
    assert [call.method for call in transport.calls] == ["sendDocument", "sendMessage"]
    assert copies(tmp_path / "bot.db") == []


def test_what_may_be_repeated_is_never_uncertain(store: Store) -> None:
    """A call that does no harm when it is made twice is made again; "not found" then shows that the first one did it."""
    transport = FakeTransport(deleteMessage=[lost(), refusal(400, "Bad Request: message to delete not found")])
    store.outbox.put(OutboxCall("deleteMessage", {"chat_id": "1", "message_id": "2"}, "1"))
    deliverer = deliver(store, make_bot(transport), patience=None)
    assert states(store) == {}
    assert deliverer.facts.delivered == 1
    assert len(transport.calls) == 2


def test_a_first_not_found_is_a_failure(store: Store) -> None:
    """Without an earlier attempt "not found" means what it says."""
    transport = FakeTransport(deleteMessage=refusal(400, "Bad Request: message to delete not found"))
    [id] = store.outbox.put(OutboxCall("deleteMessage", {"chat_id": "1", "message_id": "2"}, "1"))
    deliver(store, make_bot(transport))
    assert states(store) == {id: FAILED}


def test_a_server_that_restarts_gets_repeatable_calls_again(store: Store) -> None:
    """A 5xx for a call that may be repeated is no outcome at all."""
    transport = FakeTransport(deleteMessage=[refusal(500, "Internal Server Error: restart"), True])
    store.outbox.put(OutboxCall("deleteMessage", {"chat_id": "1", "message_id": "2"}, "1"))
    deliver(store, make_bot(transport), patience=None)
    assert states(store) == {}


def test_429_waits_as_told(store: Store) -> None:
    """A call that comes too early waits as long as Telegram says, in its place; other chats go on."""
    transport = FakeTransport(sendMessage=[refusal(429, "Too Many Requests: retry after 30", retry_after=30), SENT])
    first, second = queue(store, "a", "b")
    queue(store, "c", chat=2)
    before = time.time()
    deliver(store, make_bot(transport), senders=1)
    assert states(store) == {first: QUEUED, second: QUEUED}
    item = store.outbox.get(first)
    assert item is not None
    assert before + 30 <= item.call.not_before <= time.time() + 31
    assert texts(transport) == ["a", "c"]


def test_a_wrong_token_fails_no_message(store: Store) -> None:
    """When Telegram does not know the token, delivery ends with that error, and the messages stay queued."""
    transport = FakeTransport(sendMessage=refusal(401, "Unauthorized"))
    ids = queue(store, "a", "b")
    told: list[Exception] = []
    with pytest.raises(Unauthorized):
        deliver(store, make_bot(transport), on_fatal=told.append)
    assert states(store) == dict.fromkeys(ids, QUEUED)
    assert [type(error) for error in told] == [Unauthorized]


def test_messages_follow_a_group_that_became_a_supergroup(store: Store) -> None:
    """Telegram's word of the new id sends this message and the later ones there, without asking again."""

    def answer(call: Any) -> Any:
        return refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005) if call.parameters["chat_id"] == -5 else SENT

    transport = FakeTransport(sendMessage=answer)
    queue(store, "a", "b", chat=-5)
    deliver(store, make_bot(transport))
    assert [(call.parameters["chat_id"], call.parameters["text"]) for call in transport.calls] == [(-5, "a"), (-1005, "a"), (-1005, "b")]
    assert states(store) == {}


@pytest.mark.goes_on_after("could not be made")
def test_a_message_that_followed_a_group_and_got_no_answer_is_uncertain(store: Store) -> None:
    """The second request of the call may have been carried out, as any other."""

    def answer(call: Any) -> Any:
        if call.parameters["chat_id"] == -5:
            return refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005)
        raise RuntimeError("a mistake")

    [id] = queue(store, "a", chat=-5)
    deliver(store, make_bot(FakeTransport(sendMessage=answer)))
    assert states(store) == {id: UNCERTAIN}


def test_a_copy_out_of_a_group_that_moved_fails(store: Store) -> None:
    """Where the move may concern the other chat of a call, it is kept instead of sent to the wrong place."""
    transport = FakeTransport(copyMessage=refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005))
    [id] = store.outbox.put(OutboxCall("copyMessage", {"chat_id": "1", "from_chat_id": "-5", "message_id": "2"}, "1"))
    deliver(store, make_bot(transport))
    assert states(store) == {id: FAILED}


def test_an_expired_call_is_not_made(store: Store) -> None:
    """A call whose time has run out is kept as failed, and the one behind it goes on."""
    transport = FakeTransport(sendMessage=SENT)
    [old] = queue(store, "a", expires=time.time() - 1)
    queue(store, "b")
    deliver(store, make_bot(transport))
    assert (states(store), reason(store, old), texts(transport)) == ({old: FAILED}, EXPIRED, ["b"])


def test_a_file_that_is_gone_fails_its_call(file_store: Store, tmp_path: Path) -> None:
    """A call whose copied file was deleted is kept as failed, with that reason, and nothing is sent."""
    from syncbot.runtime.outbox.outbox import Outbox

    bot = make_bot(FakeTransport())
    id = Outbox(str(file_store.path), bot).send_document(1, b"data", filename="a.bin")
    [copy] = copies(tmp_path / "bot.db")
    copy.unlink()
    deliver(file_store, bot, QueueFolder.beside(file_store.path))
    assert states(file_store) == {id: FAILED}
    assert "the copy of a file is gone" in reason(file_store, id)


def test_a_row_that_is_no_call_fails(store: Store) -> None:
    """What another program has put into the queue, and cannot be made into a request, is not met again and again."""
    [id] = store.outbox.put(OutboxCall("sendDocument", {"chat_id": "1", "document": {"odd": 1}}, "1", ("../../etc/passwd",)))
    deliver(store, make_bot(FakeTransport()))
    assert states(store) == {id: FAILED}
    assert "cannot be made into a request" in reason(store, id)


def test_no_reason_holds_the_token(store: Store) -> None:
    """Reasons are kept for years: the token is taken out of them."""
    transport = FakeTransport(sendMessage=NotSent(f"cannot reach https://api.telegram.org/bot{TEST_TOKEN}/sendMessage"))
    [id] = queue(store, "a")
    deliver(store, make_bot(transport))
    assert TEST_TOKEN not in reason(store, id)
    assert "cannot reach" in reason(store, id)


# ── marks, order and limits ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_marked_before_its_first_byte_leaves(store: Store) -> None:
    """When the request goes out, the queue already says that it may have."""
    seen: list[OutboxState] = []

    def answer(call: Any) -> Any:
        seen.append(states(store)[int(call.parameters["text"])])
        return SENT

    [id] = queue(store, "1")
    assert id == 1
    deliver(store, make_bot(FakeTransport(sendMessage=answer)))
    assert seen == [OutboxState.SENDING]


def test_a_claim_that_is_gone_is_not_sent(store: Store) -> None:
    """A deliverer whose claim somebody else has taken over meanwhile sends nothing."""
    transport = FakeTransport(sendMessage=SENT)
    bot = make_bot(transport)
    taken: list[bool] = []

    class Slow:
        """The queue, which loses a claim between claiming and sending, as a deliverer that was suspended would."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.outbox, name)

        def sending(self, id: int, owner: str, **how: Any) -> bool:
            if not taken:
                taken.append(bool(store.outbox.abandon(owner)))
            return store.outbox.sending(id, owner, **how)

    queue(store, "a")
    deliverer = Deliverer(Slow(), bot, QueueFolder(None))
    deliverer.work_off(20.0)
    assert deliverer.join(20.0)
    assert taken == [True]
    assert texts(transport) == ["a"]


def test_what_another_is_about_to_finish_is_waited_for(store: Store) -> None:
    """Another deliverer has a chat's first call, and finishes it right after ours has looked: ours delivers the next, within the time it was given."""
    queue(store, "theirs", "ours", chat=1)
    [theirs] = store.outbox.claim("other", lease=3600)
    looks: list[Outlook] = []
    main = threading.current_thread()

    class Finishing:
        """The queue, in which the other finishes behind the back of whoever waits."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.outbox, name)

        def outlook(self) -> Outlook:
            look = store.outbox.outlook()
            if threading.current_thread() is main:
                looks.append(look)
                if len(looks) == 3:
                    store.outbox.sent(theirs.id, "other")
            return look

    transport = FakeTransport(sendMessage=SENT)
    deliverer = Deliverer(Finishing(), make_bot(transport), QueueFolder(None))
    deliverer.work_off(20.0)
    assert deliverer.join(20.0)
    assert texts(transport) == ["ours"]
    assert all(look.owners == ("other",) for look in looks[:3])


def test_what_is_queued_as_the_last_thread_ends_is_delivered(store: Store) -> None:
    """Another process queues a call when ours has nothing left and its thread has just ended: it goes out all the same."""
    queue(store, "first")
    main = threading.current_thread()
    queued: list[int] = []

    class Late:
        """The queue, into which another process puts a call as soon as no thread delivers any more."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.outbox, name)

        def outlook(self) -> Outlook:
            if threading.current_thread() is main and not queued and texts(transport):
                assert becomes(lambda: not deliverer._threads)
                queued.extend(queue(store, "late", chat=2))
            return store.outbox.outlook()

    transport = FakeTransport(sendMessage=SENT)
    deliverer = Deliverer(Late(), make_bot(transport), QueueFolder(None))
    deliverer.work_off(20.0)
    assert deliverer.join(20.0)
    assert texts(transport) == ["first", "late"]


def test_what_another_has_is_left_to_it_by_the_impatient(store: Store) -> None:
    """Whoever gives a patience does not wait for somebody else."""
    queue(store, "theirs", "ours", chat=1)
    store.outbox.claim("other", lease=3600)
    transport = FakeTransport(sendMessage=SENT)
    deliverer = Deliverer(store.outbox, make_bot(transport), QueueFolder(None))
    began = time.monotonic()
    deliverer.work_off(60.0, patience=1.0)
    assert time.monotonic() - began < 30.0
    assert deliverer.join(20.0)
    assert transport.calls == []


def test_one_slow_chat_holds_up_no_other(store: Store) -> None:
    """While a message of one chat is on its way for long, other chats are served, and its own later ones wait."""
    release, others_done = threading.Event(), threading.Event()
    order: list[str] = []

    def answer(call: Any) -> Any:
        text = call.parameters["text"]
        if text == "slow":
            assert others_done.wait(20)
        order.append(text)
        if len(order) == 5:
            others_done.set()
        return SENT

    queue(store, "slow", "after", chat=1)
    for chat in range(2, 7):
        queue(store, f"{chat}", chat=chat)
    deliver(store, make_bot(FakeTransport(sendMessage=answer)))
    release.set()
    assert order[-2:] == ["slow", "after"]
    assert sorted(order[:5]) == ["2", "3", "4", "5", "6"]


def test_limits_make_a_chat_wait_and_let_others_pass(store: Store) -> None:
    """A chat that has had its burst waits for its turn in the queue, not on a sender; messages to others go first."""
    transport = FakeTransport(sendMessage=SENT)
    queue(store, *[f"a{n}" for n in range(3)], chat=1)
    queue(store, "b", chat=2)
    bot = make_bot(transport, limits=Limits(chat_burst=2, chat_interval=3.0))  # longer than a busy machine takes for the first delivery
    deliver(store, bot, senders=1)
    assert texts(transport) == ["a0", "a1", "b"]
    deliver(store, bot, patience=None)
    assert texts(transport) == ["a0", "a1", "b", "a2"]


def test_a_queue_that_cannot_be_used_is_said_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried meanwhile, the log says once that the state file cannot be used, and once that it can again."""
    transport = FakeTransport(sendMessage=SENT)
    queue(store, "a")
    refused: list[str] = []

    class Locked:
        """The queue of a file that another program keeps locked for a while; nobody waits for that here."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.outbox, name)

        def claim(self, owner: str, **how: Any) -> list[OutboxItem]:
            if len(refused) < 3:
                refused.append(owner)
                deliverer.wake()
                raise StorageError("the file is locked", retryable=True)
            return store.outbox.claim(owner, **how)

    deliverer = Deliverer(Locked(), make_bot(transport), QueueFolder(None), senders=1)
    deliverer.work_off(20.0)
    assert deliverer.join(20.0)
    assert texts(transport) == ["a"]
    assert [record.getMessage() for record in caplog.records if "the state can" in record.getMessage()] == [
        "the state cannot be used: the file is locked",
        "the state can be used again",
    ]


def test_a_full_disk_after_the_delivery_sends_nothing_twice(file_store: Store) -> None:
    """When a delivered call cannot be deleted for want of room, the deliverer tries until it can."""
    transport = FakeTransport(sendMessage=SENT)
    queue(file_store, "a")
    refused: list[int] = []

    class Full:
        """The queue of a disk that is full for a moment."""

        def __getattr__(self, name: str) -> Any:
            return getattr(file_store.outbox, name)

        def sent(self, id: int, owner: str) -> bool:
            if not refused:
                refused.append(id)
                raise StorageError("the disk is full", retryable=True)
            return file_store.outbox.sent(id, owner)

    deliverer = Deliverer(Full(), make_bot(transport), QueueFolder(None))
    deliverer.work_off(20.0)
    assert deliverer.join(20.0)
    assert (texts(transport), states(file_store), len(refused)) == (["a"], {}, 1)


# ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _at_least(number: int) -> Callable[[list[FakeCall]], bool]:
    return lambda calls: len(calls) >= number


def deliverer_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("syncbot-deliverer")]


def test_threads_live_only_while_something_is_queued(store: Store) -> None:
    """Without anything queued there is no thread; what is queued starts one at once, and it ends with the last call."""
    transport = FakeTransport(sendMessage=SENT)
    deliverer = Deliverer(store.outbox, make_bot(transport), QueueFolder(None))
    deliverer.notify()
    assert deliverer_threads() == []
    for round_number in range(3):
        queue(store, f"{round_number}")
        deliverer.notify()
        assert transport.wait_for(_at_least(round_number + 1), 20.0)
        for thread in deliverer_threads():
            thread.join(20)
        assert deliverer_threads() == []
    assert deliverer.join(1.0)


def test_a_stop_ends_the_call_under_way_and_leaves_the_rest(store: Store) -> None:
    """At a stop the call that is under way ends well, and what was not begun stays queued, untouched."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(_: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return SENT

    transport = FakeTransport(sendMessage=answer)
    first, second = queue(store, "a", "b")
    stop = threading.Event()
    deliverer = Deliverer(store.outbox, make_bot(transport), QueueFolder(None), stop=stop)
    deliverer.notify()
    assert begun.wait(20)
    stop.set()
    go_on.set()
    assert deliverer.join(20.0)
    assert states(store) == {second: QUEUED}
    assert first not in states(store)
    item = store.outbox.get(second)
    assert item is not None
    assert (item.attempts, item.reason) == (0, "")


@pytest.mark.parametrize("how", ["grace", "forced"])
def test_a_call_that_outlives_the_stop_is_uncertain_until_it_ends(store: Store, how: str) -> None:
    """A call that does not end within the grace time is held as uncertain; if it ends well after all, it is gone."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(_: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return SENT

    [id] = queue(store, "a")
    deliverer = Deliverer(store.outbox, make_bot(FakeTransport(sendMessage=answer)), QueueFolder(None))
    deliverer.notify()
    assert begun.wait(20)
    forced = threading.Event()
    if how == "forced":
        forced.set()
    assert not deliverer.join(0.05 if how == "grace" else 60.0, forced)
    assert states(store) == {id: UNCERTAIN}
    assert reason(store, id) == LEASE_RAN_OUT
    threads = deliverer_threads()
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert states(store) == {}


def test_a_call_that_outlives_its_state_file_is_no_error(file_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A thread that finds the state file closed after the stop ends quietly."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(_: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return SENT

    queue(file_store, "a")
    told: list[Exception] = []
    deliverer = Deliverer(file_store.outbox, make_bot(FakeTransport(sendMessage=answer)), QueueFolder(None), on_fatal=told.append)
    deliverer.notify()
    assert begun.wait(20)
    assert not deliverer.join(0.0)
    file_store.close()
    threads = deliverer_threads()
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert told == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_closed_state_file_ends_delivery_with_its_error(file_store: Store) -> None:
    """An error of the state file that does not pass by itself ends delivery, and is told."""
    queue(file_store, "a", not_before=time.time() + 3600)
    told: list[Exception] = []
    told_now = threading.Event()

    def on_fatal(error: Exception) -> None:
        told.append(error)
        told_now.set()

    deliverer = Deliverer(file_store.outbox, make_bot(), QueueFolder(None), on_fatal=on_fatal)
    deliverer.notify()
    file_store.close()
    deliverer.wake()
    assert told_now.wait(20)
    assert [type(error) for error in told] == [StorageError]
    assert deliverer.fatal is told[0]
    with pytest.raises(StorageError):
        deliverer.join(20.0)


def test_two_deliverers_share_the_work(file_store: Store) -> None:
    """Two deliverers of one queue deliver each message once, and keep the order of each chat."""
    transport = FakeTransport(sendMessage=SENT)
    for n in range(60):
        queue(file_store, f"{n}", chat=n % 6 + 1)
    with open_store(str(file_store.path), BOT_ID) as other:
        folder = QueueFolder.beside(file_store.path)
        both = [Deliverer(each.outbox, make_bot(transport), folder) for each in (file_store, other)]
        for deliverer in both:
            deliverer.notify()
        for deliverer in both:
            deliverer.work_off(20.0)
        assert [deliverer.join(20.0) for deliverer in both] == [True, True]
    assert sorted(map(int, texts(transport))) == list(range(60))
    for chat in range(1, 7):
        order = [int(call.parameters["text"]) for call in transport.calls if call.parameters["chat_id"] == chat]
        assert order == sorted(order)
    assert sum(deliverer.facts.delivered for deliverer in both) == 60
    assert list(Path(f"{file_store.path}.outbox").iterdir()) == []


DIE = f"""
import os, sys, threading
from syncbot import Bot
from syncbot.runtime.outbox.deliverer import Deliverer
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.storage import open_store
from syncbot.transport import FakeTransport
from syncbot.transport.fake import FakeCall
def die(call):
    os.kill(os.getpid(), 9)
store = open_store(sys.argv[1], {BOT_ID})
bot = Bot({TEST_TOKEN!r}, transport=FakeTransport(sendMessage=die), limits=None)
deliverer = Deliverer(store.outbox, bot, QueueFolder.beside(sys.argv[1]), senders=1)
store.outbox.claim(deliverer.owner, lease=3600, limit=3)
deliverer.work_off(60)
"""


@pytest.mark.parametrize("uncertain", ["hold", "again", "drop"])
def test_a_dead_deliverer_is_found_at_once(file_store: Store, uncertain: Any) -> None:
    """What a killed process had claimed is delivered by the next one without waiting for its leases; what it had begun to send is uncertain."""
    for place, text in enumerate("abcde"):
        queue(file_store, text, chat=place + 1)
    died = subprocess.run([sys.executable, "-c", DIE, str(file_store.path)], capture_output=True, timeout=60)
    assert died.returncode == -9, died.stderr
    [begun] = file_store.outbox.entries(OutboxState.SENDING)
    transport = FakeTransport(sendMessage=SENT)
    began = time.monotonic()
    deliver(file_store, make_bot(transport), QueueFolder.beside(file_store.path), patience=None, uncertain=uncertain)
    assert time.monotonic() - began < 20.0
    assert begun.call.params["text"] == "d"  # it had claimed a, b and c, and was killed while it sent the next one
    assert sorted(texts(transport)) == list("abcde" if uncertain == "again" else "abce")
    assert states(file_store) == ({begun.id: UNCERTAIN} if uncertain == "hold" else {})
    assert list(Path(f"{file_store.path}.outbox").iterdir()) == []


def test_what_comes_after_a_lost_answer_waits_a_little(store: Store) -> None:
    """A request whose answer was lost may still be on its way: the next one of its chat gives it time to arrive, other chats do not wait."""
    times: dict[str, float] = {}

    def answer(call: Any) -> Any:
        times[str(call.parameters["text"])] = time.monotonic()
        if call.parameters["text"] == "lost":
            raise lost()
        return SENT

    def wait_of_the_other() -> float:
        queue(store, "lost", "next")
        queue(store, "other", chat=2)
        deliver(store, make_bot(FakeTransport(sendMessage=answer)), patience=None, settle_seconds=SETTLE_SECONDS)
        assert times["next"] - times["lost"] >= 1.9
        return times["other"] - times["lost"]

    assert soon(1.5, wait_of_the_other)


def test_the_dead_are_found_while_there_is_work(file_store: Store) -> None:
    """A dead deliverer's chats do not wait until all others are served."""
    queue(file_store, "dead's", chat=99)
    assert file_store.outbox.claim("dead", lease=3600)
    folder = QueueFolder.beside(file_store.path)
    folder.unlock(folder.lock("nobody"))
    (Path(f"{file_store.path}.outbox") / "dead.lock").touch()
    served = threading.Event()
    left: list[int] = []

    def answer(call: Any) -> Any:
        if call.parameters["text"] == "dead's":
            left.append(file_store.outbox.counts()[QUEUED])
            served.set()
        else:
            served.wait(0.05)
        return SENT

    for n in range(280):
        queue(file_store, f"{n}", chat=n + 100)
    transport = FakeTransport(sendMessage=answer)
    deliverer = Deliverer(file_store.outbox, make_bot(transport), folder, settle_seconds=0.5)
    deliverer.notify()
    assert served.wait(60)
    assert deliverer.join(20.0)
    assert left[0] > 50


def test_senders_may_look_for_the_dead_at_the_same_time(file_store: Store) -> None:
    """A sender goes through the dead deliverers that it knows while another one finds one more: neither is disturbed."""
    folder = QueueFolder.beside(file_store.path)
    folder.unlock(folder.lock("nobody"))
    for owner, chat in (("first", 1), ("second", 2)):
        (Path(f"{file_store.path}.outbox") / f"{owner}.lock").touch()
        queue(file_store, owner, chat=chat)
    file_store.outbox.claim("first", lease=3600)
    others: list[threading.Thread] = []

    class Owners(tuple[str, ...]):
        """Those who have something; when somebody goes through them, the other sender comes."""

        def __contains__(self, owner: object) -> bool:
            if not others:
                file_store.outbox.claim("second", lease=3600)
                others.append(threading.Thread(target=salvage.recover))
                others[0].start()
                others[0].join(0.2)
            return super().__contains__(owner)

    class Meeting:
        """The queue, which tells of its owners in that way."""

        def __getattr__(self, name: str) -> Any:
            return getattr(file_store.outbox, name)

        def outlook(self) -> Outlook:
            look = file_store.outbox.outlook()
            return Outlook(look.next_time, Owners(look.owners))

    salvage = OutboxRecovery(Meeting(), folder, "ours", "hold", time.time, SETTLE_SECONDS)
    assert not salvage.recover()
    others[0].join()
    assert salvage.look_again_seconds == SETTLE_SECONDS / 4


def test_a_living_deliverer_is_left_alone(file_store: Store) -> None:
    """What another process has is not taken from it while it lives."""
    queue(file_store, "a")
    folder = QueueFolder.beside(file_store.path)
    lock = folder.lock("other")
    assert lock is not None
    file_store.outbox.claim("other", lease=3600)
    transport = FakeTransport(sendMessage=SENT)
    deliver(file_store, make_bot(transport), folder)
    assert transport.calls == []
    assert file_store.outbox.outlook().owners == ("other",)
    folder.unlock(lock)


def test_one_without_a_lock_is_left_to_its_lease(file_store: Store) -> None:
    """A deliverer whose lock is not there may live elsewhere: only its lease tells."""
    queue(file_store, "a")
    file_store.outbox.claim("unknown", lease=60.0)
    transport = FakeTransport(sendMessage=SENT)
    folder = QueueFolder.beside(file_store.path)
    deliver(file_store, make_bot(transport), folder)
    assert transport.calls == []

    def an_hour_later() -> float:
        return time.time() + 3600

    with open_store(str(file_store.path), BOT_ID, now=an_hour_later) as later:
        deliver(later, make_bot(transport), folder, now=an_hour_later)
    assert texts(transport) == ["a"]


def test_what_is_made_again_behind_a_lease_that_ran_out_keeps_its_place(file_store: Store) -> None:
    """A deliverer lives, but stood still for longer than its lease: another one makes its call again before those behind it, and it has no more say in it."""
    first = queue(file_store, "first", "second")[0]
    folder = QueueFolder.beside(file_store.path)
    lock = folder.lock("stood still")
    file_store.outbox.claim("stood still", lease=60.0)
    assert file_store.outbox.sending(first, "stood still", lease=60.0)

    def an_hour_later() -> float:
        return time.time() + 3600

    with open_store(str(file_store.path), BOT_ID, now=an_hour_later) as later:

        def answer(call: Any) -> Any:
            if call.parameters["text"] == "first":  # it wakes up while the other one sends
                assert not later.outbox.put_off(first, "stood still", until=0.0)
                assert not later.outbox.sending(first, "stood still", lease=60.0, further=True)
                assert not later.outbox.sent(first, "stood still")
            return SENT

        transport = FakeTransport(sendMessage=answer)
        deliver(later, make_bot(transport), folder, uncertain="again", now=an_hour_later)
        assert states(later) == {}
    assert texts(transport) == ["first", "second"]
    folder.unlock(lock)


def test_a_claim_that_is_gone_follows_no_group(store: Store) -> None:
    """A message whose group has become a supergroup is not sent there by a deliverer from whom another one has taken it meanwhile."""

    def answer(call: Any) -> Any:
        store.outbox.abandon(store.outbox.outlook().owners[0], again=True)
        assert store.outbox.claim("other", lease=3600)
        return refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005)

    transport = FakeTransport(sendMessage=answer)
    [id] = queue(store, "a", chat=-5)
    deliver(store, make_bot(transport))
    assert [call.parameters["chat_id"] for call in transport.calls] == [-5]
    assert states(store) == {id: OutboxState.CLAIMED}


def test_again_keeps_the_time_to_live(file_store: Store) -> None:
    """A call that a killed process may have sent is made again only within its time to live."""
    now = time.time()
    with open_store(str(file_store.path), BOT_ID, now=lambda: now - 600) as past:
        late, fresh = queue(past, "late", expires=now - 300)[0], queue(past, "fresh", chat=2, expires=now + 3600)[0]
        for item in past.outbox.claim("dead", lease=60.0, limit=2):
            assert past.outbox.sending(item.id, "dead", lease=60.0)
    transport = FakeTransport(sendMessage=SENT)
    deliver(file_store, make_bot(transport), uncertain="again", patience=1.0)
    assert texts(transport) == ["fresh"]
    assert states(file_store) == {late: UNCERTAIN}
    assert fresh not in states(file_store)


def test_old_failures_are_forgotten(file_store: Store) -> None:
    """What nobody has looked at for ninety days is deleted, its files with it."""
    folder = QueueFolder.beside(file_store.path)
    now = time.time()
    with open_store(str(file_store.path), BOT_ID, now=lambda: now - 100 * 86_400) as past:
        queue(past, "old", expires=1.0)
        assert past.outbox.claim("x", lease=1.0) == []
    [recent] = queue(file_store, "recent", expires=1.0)
    queue(file_store, "new")
    deliver(file_store, make_bot(), folder)
    assert states(file_store) == {recent: FAILED}


def test_locks_of_the_dead_are_swept(file_store: Store) -> None:
    """The lock file of a process that died without a call goes, that of a living one stays."""
    folder = QueueFolder.beside(file_store.path)
    lock = folder.lock("alive")
    dead = Path(f"{file_store.path}.outbox") / "dead.lock"
    dead.touch()
    queue(file_store, "a")
    deliver(file_store, make_bot(), folder)
    assert [path.name for path in dead.parent.iterdir()] == ["alive.lock"]
    folder.unlock(lock)
    assert os.listdir(dead.parent) == []


def test_nobody_can_take_a_lock_that_is_being_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sweeps a lock away holds it while it goes, so that its file is not deleted under a new holder."""
    folder = QueueFolder.beside(tmp_path / "bot.db")
    folder.unlock(folder.lock("first"))
    dead = tmp_path / "bot.db.outbox" / "dead.lock"
    dead.touch()
    unlink, taken = Path.unlink, []

    def watched_unlink(path: Path) -> None:
        taken.append(BotLock(path).acquire())
        unlink(path)

    monkeypatch.setattr(Path, "unlink", watched_unlink)
    folder.forget_dead([])
    assert taken == [False]
    assert not dead.exists()


def test_a_new_lock_is_not_swept_away(tmp_path: Path) -> None:
    """Deliverers that start while others sweep up hold locks that are there, each of them."""
    folder = QueueFolder.beside(tmp_path / "bot.db")
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            folder.forget_dead([])

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        locks = [folder.lock(f"owner{n}") for n in range(200)]
    finally:
        stop.set()
        for sweeper in sweepers:
            sweeper.join()
    assert all(lock is not None and lock.held and lock.path.exists() for lock in locks)
    for lock in locks:
        folder.unlock(lock)
    assert os.listdir(tmp_path / "bot.db.outbox") == []
