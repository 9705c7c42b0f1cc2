"""The outbox: the same promises in memory and in SQLite."""

from __future__ import annotations

from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, START, Clock

from syncbot.storage import OutboxCall, OutboxItem, OutboxState, Store, open_store
from syncbot.storage.promises.outbox import EXPIRED, LEASE_RAN_OUT

LEASE = 30.0


def call(key: str = "", **facts: Any) -> OutboxCall:
    return OutboxCall("sendMessage", {"chat_id": 1, "text": "hi"}, key, **facts)


def claim(store: Store, limit: int = 10, owner: str = "one") -> list[int]:
    """Ids of what this deliverer gets."""
    return [item.id for item in store.outbox.claim(owner, lease=LEASE, limit=limit)]


def state(store: Store, id: int) -> OutboxState | None:
    item = store.outbox.get(id)
    return item.state if item else None


def sending(store: Store, key: str = "") -> int:
    """Queue one and bring it as far as being sent."""
    [id] = store.outbox.put(call(key))
    assert claim(store) == [id]
    assert store.outbox.sending(id, "one", lease=LEASE)
    return id


def test_a_call_comes_out_as_it_went_in(store: Store) -> None:
    """Method, parameters, files and times are kept."""
    wanted = OutboxCall("sendPhoto", {"chat_id": 1, "caption": "é😀", "big": 1 << 70}, "1", ("a.jpg", "b.jpg"), START, START + 60)
    [id] = store.outbox.put(wanted)
    assert store.outbox.get(id) == OutboxItem(id, wanted, created=START)
    [item] = store.outbox.claim("one", lease=LEASE)
    assert item == OutboxItem(id, wanted, OutboxState.CLAIMED, 0, START, "", "one", START + LEASE)
    assert store.outbox.get(id) == item


def test_parameters_are_json(store: Store) -> None:
    """A parameter that is not JSON is refused by name, and none of the calls is queued."""
    with pytest.raises(TypeError, match="sendMessage: the parameter text"):
        store.outbox.put(call(), OutboxCall("sendMessage", {"text": object()}))
    odd: Any = {1: 2}
    with pytest.raises(TypeError, match="strings"):
        store.outbox.put(OutboxCall("sendMessage", odd))
    assert store.outbox.entries() == []
    assert store.outbox.put() == []


def test_two_deliverers_never_get_the_same(store: Store) -> None:
    """What one has claimed the other does not get."""
    ids = store.outbox.put(call(), call(), call())
    assert claim(store, 2, "one") == ids[:2]
    assert claim(store, 2, "two") == ids[2:]
    assert store.outbox.outlook().owners == ("one", "two")


def test_calls_of_a_key_go_one_after_the_other(store: Store) -> None:
    """The next call of a chat is handed out when the earlier one is settled; other chats go on."""
    a1, a2, b1, a3 = store.outbox.put(call("a"), call("a"), call("b"), call("a"))
    assert claim(store) == [a1, b1]
    assert claim(store) == []
    assert store.outbox.sending(a1, "one", lease=LEASE)
    assert claim(store) == []
    assert store.outbox.sent(a1, "one")
    assert claim(store) == [a2]
    store.outbox.hold(a2, "one", OutboxState.FAILED, "400")
    assert claim(store) == [a3]


def test_sent_calls_are_gone(store: Store) -> None:
    """A delivered call is deleted, once."""
    id = sending(store)
    assert store.outbox.sent(id, "one")
    assert not store.outbox.sent(id, "one")
    assert store.outbox.get(id) is None


def test_a_call_put_off_keeps_its_place(store: Store, clock: Clock) -> None:
    """One that waits for its next attempt holds up the later ones of its chat, counts its attempts and says why."""
    first, second, other = store.outbox.put(call("a"), call("a"), call("b"))
    assert claim(store, 1) == [first]
    store.outbox.sending(first, "one", lease=LEASE)
    assert store.outbox.put_off(first, "one", until=START + 10, reason="429")
    item = store.outbox.get(first)
    assert item is not None
    assert (item.state, item.attempts, item.reason, item.owner, item.call.not_before) == (OutboxState.QUEUED, 1, "429", "", START + 10)
    assert claim(store) == [other]
    clock.forward(10)
    assert claim(store) == [first]
    assert second not in claim(store)


def test_an_expired_call_fails(store: Store, clock: Clock) -> None:
    """A call whose time has run out is not attempted but kept as failed, and lets the next one go."""
    first, second = store.outbox.put(call("a", expires=START + 5), call("a"))
    clock.forward(5)
    assert claim(store) == [second]
    item = store.outbox.get(first)
    assert item is not None
    assert (item.state, item.reason) == (OutboxState.FAILED, EXPIRED)


def test_a_lease_that_ran_out_before_sending_is_queued_again(store: Store, clock: Clock) -> None:
    """What a silent deliverer had not begun to send goes to another one, and the silent one may not send it any more."""
    [id] = store.outbox.put(call("a"))
    assert claim(store, owner="one") == [id]
    clock.forward(LEASE)
    assert claim(store, owner="two") == [id]
    assert not store.outbox.sending(id, "one", lease=LEASE)
    assert not store.outbox.sent(id, "one")
    assert store.outbox.sending(id, "two", lease=LEASE)


def test_a_lease_that_ran_out_while_sending_is_uncertain(store: Store, clock: Clock) -> None:
    """What a silent deliverer may have sent is held as uncertain, lets its chat go on, and can still be reported as sent."""
    id = sending(store, "a")
    [later] = store.outbox.put(call("a"))
    clock.forward(LEASE)
    assert claim(store, owner="two") == [later]
    item = store.outbox.get(id)
    assert item is not None
    assert (item.state, item.reason) == (OutboxState.UNCERTAIN, LEASE_RAN_OUT)
    assert not store.outbox.sent(id, "two")
    assert store.outbox.sent(id, "one")
    assert store.outbox.get(id) is None


def test_what_its_owner_is_sending_stays_its_own(store: Store, clock: Clock) -> None:
    """Who claims lives: what it is sending is renewed, however late it comes, and not taken back."""
    id = sending(store)
    clock.forward(LEASE)
    assert claim(store) == []
    item = store.outbox.get(id)
    assert item is not None
    assert (item.state, item.lease_until) == (OutboxState.SENDING, clock() + LEASE)


def test_again_puts_what_ran_out_into_its_old_place(store: Store, clock: Clock) -> None:
    """What another one may have sent is queued before those behind it can be taken; what has expired meanwhile is not."""
    [first, second] = store.outbox.put(call("a"), call("a"))
    [late] = store.outbox.put(call("b", expires=START + 1))
    assert claim(store, 3) == [first, late]
    for id in (first, late):
        store.outbox.sending(id, "one", lease=LEASE)
    clock.forward(LEASE)
    assert [item.id for item in store.outbox.claim("two", lease=LEASE, limit=3, again=True)] == [first]
    assert store.outbox.entries(OutboxState.UNCERTAIN)[0].id == late
    assert store.outbox.sending(first, "two", lease=LEASE)
    store.outbox.sent(first, "two")
    assert claim(store) == [second]


def test_sending_renews_the_lease(store: Store, clock: Clock) -> None:
    """The time for sending counts from the mark, not from the claim."""
    [id] = store.outbox.put(call())
    claim(store)
    clock.forward(LEASE - 1)
    assert store.outbox.sending(id, "one", lease=LEASE)
    clock.forward(LEASE - 1)
    claim(store, owner="two")
    assert state(store, id) == OutboxState.SENDING


def test_a_dead_deliverer_can_be_abandoned_at_once(store: Store) -> None:
    """Who knows that a deliverer is dead need not wait for its leases."""
    begun = sending(store)
    [id, other] = store.outbox.put(call("a"), call("b"))
    assert claim(store, 1) == [id]
    assert claim(store, 1, "two") == [other]
    assert store.outbox.abandon("one") == 2
    assert (state(store, begun), state(store, id), state(store, other)) == (OutboxState.UNCERTAIN, OutboxState.QUEUED, OutboxState.CLAIMED)
    assert store.outbox.outlook().owners == ("two",)
    assert store.outbox.abandon("one") == 0


def test_what_a_dead_deliverer_sent_goes_again_before_what_is_behind_it(store: Store) -> None:
    """Where it is to be made again, it has its old place from that moment on: whoever claims meanwhile gets nothing that is behind it in its chat."""
    [id, _] = store.outbox.put(call("a"), call("a"))
    assert claim(store, 1) == [id]
    assert store.outbox.sending(id, "one", lease=LEASE)
    assert store.outbox.abandon("one", again=True) == 1
    assert state(store, id) == OutboxState.QUEUED
    assert claim(store, 1, "two") == [id]


def test_sending_needs_the_claim(store: Store) -> None:
    """Only the one who has claimed a call may send it, and only once."""
    [id] = store.outbox.put(call())
    assert not store.outbox.sending(id, "one", lease=LEASE)
    assert claim(store) == [id]
    assert not store.outbox.sending(id, "two", lease=LEASE)
    assert store.outbox.sending(id, "one", lease=LEASE)
    assert not store.outbox.sending(id, "one", lease=LEASE)


def test_held_calls_can_be_retried(store: Store, clock: Clock) -> None:
    """An uncertain or failed call is queued again on request, without an expiry; no other is."""
    [id] = store.outbox.put(call(expires=START + 5))
    assert not store.outbox.retry(id)
    claim(store)
    assert store.outbox.hold(id, "one", OutboxState.UNCERTAIN, "cut")
    clock.forward(100)
    assert store.outbox.retry(id)
    assert claim(store) == [id]


def test_a_second_chance_may_be_bounded(store: Store, clock: Clock) -> None:
    """A call that is queued again can be given a new expiry, which counts as the first one did."""
    id = sending(store)
    assert store.outbox.hold(id, "one", OutboxState.UNCERTAIN, "cut")
    assert store.outbox.retry(id, expires=START + 50)
    clock.forward(50)
    assert claim(store) == []
    assert state(store, id) == OutboxState.FAILED


def test_holding_is_for_two_states_only(store: Store) -> None:
    """A call can be held as uncertain or failed, as nothing else, and by its owner."""
    id = sending(store)
    with pytest.raises(ValueError, match="queued"):
        store.outbox.hold(id, "one", OutboxState.QUEUED, "")
    assert not store.outbox.hold(id, "two", OutboxState.FAILED, "")


def test_a_reason_of_any_characters(store: Store) -> None:
    """What Telegram or an error says of a call is kept with it, whatever characters it holds."""
    id = sending(store)
    assert store.outbox.put_off(id, "one", until=0.0, reason="\ud83d, so wait")
    assert claim(store) == [id]
    assert store.outbox.hold(id, "one", OutboxState.FAILED, "bad \0\ud83d, so no")
    item = store.outbox.get(id)
    assert item is not None
    assert item.reason.endswith(", so no")


def test_dropping_spares_what_is_on_its_way(store: Store) -> None:
    """A call is deleted unless a deliverer has it; what was deleted comes back, for its files."""
    waiting, taken = store.outbox.put(call("a", files=("x",)), call("b"))
    assert claim(store) == [waiting, taken]
    assert store.outbox.drop(taken) is None
    store.outbox.put_off(waiting, "one", until=0.0)
    dropped = store.outbox.drop(waiting)
    assert dropped is not None
    assert dropped.call.files == ("x",)
    assert store.outbox.drop(waiting) is None


def test_purging_deletes_old_held_calls(store: Store, clock: Clock) -> None:
    """Old uncertain and failed calls go; new ones and those that wait stay."""
    old = sending(store)
    store.outbox.hold(old, "one", OutboxState.UNCERTAIN, "cut")
    [queued] = store.outbox.put(call(not_before=START + 1000))
    clock.forward(100)
    new = sending(store)
    store.outbox.hold(new, "one", OutboxState.FAILED, "400")
    assert [item.id for item in store.outbox.purge(50)] == [old]
    assert [item.id for item in store.outbox.entries()] == [queued, new]


def test_calls_are_listed_by_state_and_page(store: Store) -> None:
    """The list is in order, by state and page; the counts name every state."""
    ids = store.outbox.put(*(call() for _ in range(5)))
    claim(store, 2)
    assert [item.id for item in store.outbox.entries(OutboxState.QUEUED, limit=2)] == ids[2:4]
    assert [item.id for item in store.outbox.entries(OutboxState.QUEUED, OutboxState.CLAIMED, after=ids[1])] == ids[2:]
    counts = store.outbox.counts()
    assert counts == {
        OutboxState.QUEUED: 3,
        OutboxState.CLAIMED: 2,
        OutboxState.SENDING: 0,
        OutboxState.UNCERTAIN: 0,
        OutboxState.FAILED: 0,
    }


def test_the_next_time_is_that_of_the_heads(store: Store) -> None:
    """When to look again is told by the first call of each chat and by the leases, not by those that wait behind."""
    assert store.outbox.outlook().next_time is None
    store.outbox.put(call("a", not_before=START + 50), call("a"))
    assert store.outbox.outlook().next_time == START + 50
    [later] = store.outbox.put(call("b", not_before=START))
    assert store.outbox.outlook().next_time == START
    assert claim(store) == [later]
    assert store.outbox.outlook().next_time == START + LEASE
    store.outbox.hold(later, "one", OutboxState.FAILED, "")
    assert store.outbox.outlook().next_time == START + 50


def test_ids_are_never_used_twice(store: Store) -> None:
    """A number that a person may have noted down means one call for ever."""
    [first] = store.outbox.put(call())
    store.outbox.drop(first)
    [second] = store.outbox.put(call())
    assert second > first


def test_a_clock_that_is_set_back_holds_up_no_next_attempt(store: Store, clock: Clock) -> None:
    """What waits for a moment since Telegram asked for that does not wait for the day that the clock was ahead; what somebody has put for then does."""
    [id] = store.outbox.put(call("1"))
    [later] = store.outbox.put(call("2", not_before=START + 60))
    assert claim(store) == [id]
    assert store.outbox.put_off(id, "one", until=START + 5, reason="Telegram asks for a pause")
    clock.forward(-4)
    assert (claim(store), store.outbox.outlook().next_time) == ([], START + 5)
    clock.forward(-86_400)
    assert store.outbox.outlook().next_time == 0.0
    assert claim(store) == [id]
    assert state(store, later) == OutboxState.QUEUED


def test_what_a_clock_of_1970_has_queued_does_not_run_out_when_it_is_set(store: Store, clock: Clock) -> None:
    """Its time to live says nothing in the true time; before the clock is set it counts as ever."""
    clock.time = 100.0
    ids = store.outbox.put(call(expires=160.0), call(expires=3700.0))
    clock.forward(60)
    assert claim(store, owner="other") == [ids[1]]
    assert (state(store, ids[0]), store.outbox.sending(ids[1], "other", lease=LEASE)) == (OutboxState.FAILED, True)
    clock.time = START
    assert [item.id for item in store.outbox.claim("one", lease=LEASE, again=True)] == [ids[1]]
    assert store.outbox.put_off(ids[1], "one", until=0.0)
    assert claim(store) == [ids[1]]


def test_what_a_clock_of_1970_has_kept_is_not_old_when_it_is_set(store: Store, clock: Clock) -> None:
    """A failed call is for somebody to look at, and ninety days after it was queued have not passed."""
    clock.time = 100.0
    [id] = store.outbox.put(call())
    assert claim(store) == [id]
    assert store.outbox.hold(id, "one", OutboxState.FAILED, "refused")
    clock.time = START
    assert store.outbox.purge(90 * 86_400.0) == []
    assert state(store, id) == OutboxState.FAILED


@pytest.mark.programs("postgres")
@pytest.mark.parametrize("junk", ["params = '[1]'", "files = '5'", "files = '{}'", "not_before = 'NaN'", "not_before = 'Infinity'", "not_before = -5"])
def test_a_damaged_call_in_a_database_holds_up_no_other(postgres: PostgresServer, postgres_url: str, junk: str) -> None:
    """It has failed, with words, and those behind it go on; nobody looks again and again for a time that is none."""
    with open_store(postgres_url, BOT, now=Clock()) as store:
        bad, good = store.outbox.put(call("1"), call("1"))
        postgres.run(f"UPDATE syncbot.outbox SET {junk} WHERE id = {bad}", postgres_url)
        assert [*claim(store), *claim(store)] == [good]
        found = store.outbox.get(bad)
        assert found is not None
        assert (found.state, "its row in the database is damaged" in found.reason) == (OutboxState.FAILED, True)
