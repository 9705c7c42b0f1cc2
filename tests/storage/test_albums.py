"""Albums in the inbox: the same promises in memory and in SQLite."""

from __future__ import annotations

import json

import pytest
from kits.storage_kit import Clock, Place, finish, put

from syncbot.storage import Claimed, Incoming, Settled, Store
from syncbot.storage.albums import ids_of, parts_of


def part(id: int, album: str = "g", key: str = "7") -> Incoming:
    """A message of an album."""
    return Incoming(id, key, b'{"update_id":%d,"message":{}}' % id, album)


def ids(store: Store) -> list[list[int]]:
    """The ids of the updates that each of what is handed out now consists of."""
    return [ids_of(one.update_id, one.body) for one in store.inbox.claim(10)]


def handed_out(store: Store) -> tuple[list[Claimed], float | None]:
    """What is handed out now, and in how many seconds the next album is complete."""
    settled = store.inbox.settle((), claim=10)
    return settled.claimed, settled.album_seconds


def test_an_album_is_one_update_when_it_is_quiet(store: Store, clock: Clock) -> None:
    """Messages that come within half a second of each other are handed out together, half a second after the last one."""
    store.inbox.recover()
    assert store.inbox.store([part(1), part(2)]) == 2
    assert store.inbox.settle((), claim=10) == Settled([], album_seconds=0.5)
    clock.forward(0.4)
    store.inbox.store([part(3)])
    clock.forward(0.4)
    settled = store.inbox.settle((), claim=10)
    assert (settled.claimed, settled.album_seconds) == ([], pytest.approx(0.1))
    clock.forward(0.2)
    [claimed], album_seconds = handed_out(store)
    assert [found["update_id"] for found in parts_of(json.loads(claimed.body))] == [1, 2, 3]
    assert album_seconds is None
    assert store.inbox.counts().running == 1


def test_a_claim_tells_when_the_next_one_is_complete(store: Store, clock: Clock) -> None:
    """Also beside what it hands out of other chats, however many of one chat that is; not what is complete, and waits for its chat alone."""
    store.inbox.recover()
    store.inbox.store([*(Incoming(n, "8", b"{}") for n in (1, 2, 3)), part(4, key="7")])
    settled = store.inbox.settle((), claim=3, per_key=3)
    assert ([one.update_id for one in settled.claimed], settled.album_seconds) == ([1, 2, 3], 0.5)
    clock.forward(0.2)
    store.inbox.store([part(5, "h", key="8")])
    assert store.inbox.settle((), claim=1) == Settled([], album_seconds=pytest.approx(0.3))
    clock.forward(0.3)
    [album], album_seconds = handed_out(store)
    assert (album.update_id, album_seconds) == (4, pytest.approx(0.2))
    clock.forward(0.3)
    assert store.inbox.settle((), claim=10) == Settled([]), "its chat is busy, whose end is told"


def test_it_is_complete_after_two_seconds_at_the_latest(store: Store, clock: Clock) -> None:
    """Messages that keep coming do not hold it up for ever; what comes later is an album of its own."""
    store.inbox.recover()
    for n in range(1, 7):
        store.inbox.store([part(n)])
        clock.forward(0.4)
    assert ids(store) == [[1, 2, 3, 4, 5, 6]]
    store.inbox.store([part(7)])
    clock.forward(0.6)
    assert ids(store) == [], "its chat is busy"


def test_the_order_of_the_chat_is_kept(store: Store, clock: Clock) -> None:
    """What came before it is handed out at once, what came behind it waits for it, and other chats do not."""
    store.inbox.recover()
    store.inbox.store([Incoming(1, "7", b'{"update_id":1}'), part(2), Incoming(3, "7", b'{"update_id":3}'), part(4), Incoming(5, "8", b'{"update_id":5}')])
    claimed = store.inbox.claim(10)
    assert [one.update_id for one in claimed] == [1, 5]
    assert finish(store.inbox, claimed[0], claim=5) == []
    clock.forward(0.6)
    [album] = store.inbox.claim(10)
    assert ids_of(album.update_id, album.body) == [2, 4]
    assert [one.update_id for one in finish(store.inbox, album, claim=5)] == [3]


def test_albums_are_told_apart(store: Store, clock: Clock) -> None:
    """By their names and their chats."""
    store.inbox.recover()
    store.inbox.store([part(1, "a"), part(2, "a", "8"), part(3, "b", "8"), part(4, "a")])
    clock.forward(0.6)
    assert ids(store) == [[1, 4], [2]]


def test_a_repeated_message_is_known(store: Store, clock: Clock) -> None:
    """Each message of an album is one that was seen."""
    store.inbox.recover()
    assert store.inbox.store([part(1), part(2), part(2)]) == 2
    assert store.inbox.store([part(1), part(2)]) == 0
    clock.forward(0.6)
    assert ids(store) == [[1, 2]]
    assert store.inbox.store([part(1), part(2)]) == 0


def test_an_album_that_was_handed_out_is_closed(store: Store, clock: Clock) -> None:
    """What comes while its handler runs, or after it was put back, is another one."""
    store.inbox.recover()
    store.inbox.store([part(1), part(2)])
    clock.forward(0.6)
    [album] = store.inbox.claim()
    store.inbox.release(album)
    store.inbox.store([part(3)])
    clock.forward(0.6)
    [again] = store.inbox.claim()
    assert ids_of(again.update_id, again.body) == [1, 2]


def test_an_album_survives(place: Place, clock: Clock) -> None:
    """What was collected when the process died is handed out at the next start, and completed by what comes then."""
    store = place.open()
    if not store.persistent:
        return
    store.inbox.store([part(1)])
    store.close()
    store = place.open()
    store.inbox.recover()
    clock.forward(0.3)
    store.inbox.store([part(2)])
    clock.forward(0.6)
    assert ids(store) == [[1, 2]]


def test_a_clock_that_is_set_back_holds_up_nothing(store: Store, clock: Clock) -> None:
    """An album that would wait for hours by a clock that was set meanwhile is handed out."""
    store.inbox.recover()
    store.inbox.store([part(1)])
    clock.forward(-7200)
    assert ids(store) == [[1]]


def test_a_dead_album_is_handled_again_as_a_whole(store: Store, clock: Clock) -> None:
    """It comes back from the dead letters at once, with all its messages."""
    from kits.storage_kit import bury

    store.inbox.recover()
    store.inbox.store([part(1), part(2)])
    clock.forward(0.6)
    [album] = store.inbox.claim()
    bury(store.inbox, album, "why")
    [letter] = store.dead_letters.entries()
    assert store.dead_letters.requeue(letter.id)
    assert ids(store) == [[1, 2]]


def test_without_albums_nothing_is_collected(store: Store) -> None:
    """Who does not say that a message is one of an album gets it by itself, at once."""
    put(store.inbox, (1, "7"), (2, "7"))
    store.inbox.recover()
    [first], album_seconds = handed_out(store)
    assert (first.update_id, album_seconds) == (1, None)
