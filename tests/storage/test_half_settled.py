"""Memory is missing in the middle of a settling: nothing of it is done by halves, and it can be done again."""

from __future__ import annotations

import pytest
from kits.storage_kit import BOT, Clock, ids, put, set_state

from syncbot.storage import Changes, DataChange, End, OutboxCall, Scope, StateChange, Store


class FailingClock(Clock):
    """A time that memory is missing for, when it is looked at for the so many-th time."""

    left = 0

    def __call__(self) -> float:
        self.left -= 1
        if self.left == 0:
            raise MemoryError("none is left")
        return super().__call__()


@pytest.fixture
def clock() -> FailingClock:
    """The time that the stores of a test go by."""
    return FailingClock()


def _facts(store: Store) -> tuple[object, ...]:
    counts = store.inbox.counts()
    outbox = sum(store.outbox.counts().values())
    return (counts.waiting, counts.running, store.data.load(Scope.USER, BOT), store.data.get_state(1, 1), store.dead_letters.count(), outbox)


def test_an_end_is_settled_as_a_whole_or_not_at_all(store: Store, clock: FailingClock) -> None:
    """Wherever it fails, what the handler has changed, its calls, its dead letter and what is claimed next come together, when it is done again."""
    store.inbox.recover()
    set_state(store.data, 1, 1, 0)
    for number in range(1, 20):
        put(store.inbox, (2 * number, "a"), (2 * number + 1, "b"))
        [claimed] = store.inbox.claim()
        before = _facts(store)
        calls = tuple(OutboxCall("sendMessage", {"chat_id": chat, "text": "hi"}, str(chat)) for chat in (1, 2))
        changes = Changes((DataChange(Scope.USER, BOT, {"n": number}),), (StateChange(1, 1, number),), calls=calls)
        ends = [End(claimed, changes, "it failed")]
        clock.left = number
        try:
            settled = store.inbox.settle(ends, claim=1)
            was_whole = True
        except MemoryError:
            clock.left = 0
            was_whole = False
            assert _facts(store) == before
            settled = store.inbox.settle(ends, claim=1)
        clock.left = 0
        assert (ids(settled.claimed), settled.lost, settled.refused) == ([2 * number + 1], (), ())
        assert _facts(store) == (0, 1, {"n": number}, number, number, 2 * number)
        assert store.inbox.settle([End(settled.claimed[0])]).lost == ()
        if was_whole:
            break
    assert was_whole
    assert number > 2
