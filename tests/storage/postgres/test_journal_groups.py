"""The journal in PostgreSQL: a call waits for the step that says that it is under way, and what came of it goes with the next group."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT

from syncbot.client.limits import Limiter, Limits
from syncbot.errors import StorageError
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.storage import Claimed, End, Incoming, JournalKey, JournalStep, Store, open_store
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport

pytestmark = pytest.mark.programs("postgres")

BEGUN = JournalStep(0, "sendMessage", "chat_id=7")
DONE = JournalStep(0, "sendMessage", "chat_id=7", '{"value":1}')


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store whose process handles."""
    with open_store(postgres_url, BOT) as opened:
        opened.inbox.recover()
        yield opened


def handled(store: Store) -> tuple[Claimed, JournalKey]:
    """An update in a handler."""
    store.inbox.store([Incoming(1, "7", b"{}")])
    [claimed] = store.inbox.claim()
    return claimed, JournalKey(claimed.row, claimed.ticket)


def eventually(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    assert any(condition() or pause.wait(0.02) for _ in range(1000))


def outcomes(postgres: PostgresServer, url: str) -> list[str | None]:
    """What stands in the table, as another machine sees it."""
    return [outcome for (outcome,) in postgres.run("SELECT outcome FROM syncbot.journal ORDER BY seq, step", url)]


def test_a_step_stands_when_its_call_may_leave_and_its_result_soon_after(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """The first is there when `write` returns; the second is not waited for, and comes by itself."""
    _, key = handled(store)
    store.journal.write(key, BEGUN)
    assert outcomes(postgres, postgres_url) == [None]
    store.journal.write(key, DONE)
    eventually(lambda: outcomes(postgres, postgres_url) == [DONE.outcome])


def test_a_result_is_there_before_its_update_is_anybody_elses(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """Whoever claims what was put back finds what came of its calls, however soon."""
    for _ in range(20):
        claimed, key = handled(store)
        store.journal.write(key, BEGUN)
        store.journal.write(key, DONE)
        store.inbox.release(claimed)
        assert outcomes(postgres, postgres_url) == [DONE.outcome]
        [again] = store.inbox.claim()
        assert store.journal.steps(JournalKey(again.row, again.ticket)) == [DONE]
        store.inbox.settle([End(again)])
        postgres.run("DELETE FROM syncbot.seen", postgres_url)


def test_a_result_that_comes_behind_the_end_leaves_nothing(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """The steps of what has ended are gone, also where a group was just being written."""
    for _ in range(20):
        claimed, key = handled(store)
        store.journal.write(key, BEGUN)
        store.journal.write(key, DONE)
        store.inbox.settle([End(claimed)])
        postgres.run("DELETE FROM syncbot.seen", postgres_url)
    store.close()
    assert outcomes(postgres, postgres_url) == []


def test_a_member_that_was_taken_for_dead_begins_no_call(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """Its row is gone: the step is refused, and so is a result for what another one handles now."""
    _, key = handled(store)
    store.journal.write(key, BEGUN)
    postgres.run("DELETE FROM syncbot.member", postgres_url)
    store.journal.write(key, DONE)
    with pytest.raises(StorageError) as refused:
        store.journal.write(key, JournalStep(1, "sendMessage"))
    assert not refused.value.retryable
    store.journal.close()  # type: ignore[attr-defined]  # the group was written by now, or never will be
    assert outcomes(postgres, postgres_url) == [None]


def test_an_outbox_beside_a_runtime_leaves_its_limits_shared(store: Store, postgres_url: str) -> None:
    """A flush by another object of the same bot does not end what the runtime keeps together with other machines."""
    from syncbot import Bot

    with Bot(TEST_TOKEN, transport=FakeTransport(sendMessage={"message_id": 1})) as bot:
        assert bot.limiter is not None
        bot.limiter.share(store.shared_turns)
        with Outbox(postgres_url, bot) as outbox:
            outbox.send_message(7, "hi")
            assert outbox.flush(20.0).delivered == 1
        assert bot.limiter.is_shared
        bot.limiter.share(None)
    assert not Limiter(Limits()).is_shared


def test_a_value_in_the_place_of_a_call_that_was_begun_stands_there(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """A run begins a call and ends without its result; the next one does something else there: its value is in the journal when `write` returns."""
    _, key = handled(store)
    store.journal.write(key, BEGUN)
    store.journal.cut(key, 0)
    store.journal.write(key, JournalStep(0, "now", "", '{"value":2}'))
    assert outcomes(postgres, postgres_url) == ['{"value":2}']
