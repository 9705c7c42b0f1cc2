"""The inbox: the same promises in memory and in SQLite."""

from __future__ import annotations

import threading

import pytest
from kits.storage_kit import START, Clock, Place, drain, finish, ids, put, update

from syncbot.errors import StorageError
from syncbot.storage import (
    Changes,
    Claimed,
    Counts,
    DataChange,
    DeadLetter,
    End,
    Incoming,
    JournalStep,
    OutboxCall,
    QuestionAnswer,
    Scope,
    Settled,
    StateChange,
    Store,
    StoreOptions,
)
from syncbot.storage.promises.jobs import JobEntry, JobStart


def test_updates_come_out_as_they_went_in(store: Store) -> None:
    """A claimed update carries its id, key, exact bytes, time and first attempt."""
    body = '{"update_id": 7, "text": "é😀"}'.encode()
    store.inbox.store([Incoming(7, "-100", body)])
    store.inbox.recover()
    [claimed] = store.inbox.claim()
    assert (claimed.update_id, claimed.key, claimed.body, claimed.attempt, claimed.stored, claimed.alone) == (7, "-100", body, 1, START, False)


def test_no_representation_shows_what_somebody_wrote() -> None:
    """A log or a traceback that names a value of the store shows neither an update, nor a call, nor an answer."""
    wrote = "I wrote this"
    body = wrote.encode()
    entry = JobEntry("key", "remind", {"at": 1.0}, 1.0)
    values = [
        Incoming(1, "a", body),
        Claimed(1, 1, "a", body),
        DeadLetter(1, 1, "a", body),
        QuestionAnswer(1, 0, wrote),
        JournalStep(0, "ask", "", wrote),
        OutboxCall("sendMessage", {"text": wrote}),
        JobStart(entry, None, "", body),
    ]
    assert [value for value in values if wrote in repr(value)] == []


def test_claiming_needs_recover_first(store: Store) -> None:
    """A process that did not become the handling one cannot claim."""
    put(store.inbox, (1, "a"))
    with pytest.raises(RuntimeError, match="recover"):
        store.inbox.claim()


def test_one_at_a_time_of_a_key_in_order(store: Store) -> None:
    """Of each key only the oldest is handed out, the next when it is finished; other keys go on."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "b"))
    store.inbox.recover()
    first = store.inbox.claim(10)
    assert ids(first) == [1, 3]
    assert store.inbox.claim(10) == []
    finish(store.inbox, first[1])
    assert ids(store.inbox.claim(10)) == [5]
    finish(store.inbox, first[0])
    assert ids(store.inbox.claim(10)) == [2]


def test_updates_without_a_key_wait_for_nothing(store: Store) -> None:
    """The empty key is no key: such updates run side by side."""
    assert store.inbox.store([Incoming(1, "", b"1"), Incoming(2, "", b"2"), Incoming(3, "a", b"3")]) == 3
    store.inbox.recover()
    assert ids(store.inbox.claim(10)) == [1, 2, 3]


def test_a_run_of_one_key_is_handed_out_together(store: Store) -> None:
    """With `per_key`, several updates of each of so many keys come at once, each key's in its order, and its next ones only when all of those have ended."""
    put(store.inbox, (1, "a"), (2, "b"), (3, "a"), (4, "c"), (5, "a"), (6, "b"))
    store.inbox.recover()
    assert ids(run := store.inbox.claim(2, per_key=2)) == [1, 3, 2, 6]
    assert ids(finish(store.inbox, run[0], claim=5)) == [4]
    assert ids(finish(store.inbox, run[1], claim=5)) == [5]


def test_updates_without_a_key_make_no_run(store: Store) -> None:
    """Each update without a key counts as a key of its own."""
    store.inbox.store([Incoming(1, "", b"1"), Incoming(2, "", b"2"), Incoming(3, "a", b"3"), Incoming(4, "a", b"4")])
    store.inbox.recover()
    assert ids(store.inbox.claim(2, per_key=9)) == [1, 2]


def test_a_handler_that_waits_within_a_run_gets_its_turn_after_it(store: Store) -> None:
    """What is left of a run goes on while the first waits for an answer, and the chat's next update comes when the turn is free."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "a"), (4, "a"))
    store.inbox.recover()
    asking, second, third = store.inbox.claim(per_key=3)
    store.inbox.yield_turn(asking)
    finish(store.inbox, second)
    assert not store.inbox.take_turn(asking)
    assert ids(finish(store.inbox, third, claim=1)) == [4]


def test_a_run_that_is_put_back_is_again_the_next(store: Store) -> None:
    """What is released of a run waits again in its order, before what came later."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "a"))
    store.inbox.recover()
    first, *rest = store.inbox.claim(per_key=2)
    store.inbox.release(*rest)
    assert store.inbox.claim(per_key=3) == []
    assert ids(finish(store.inbox, first, claim=1)) == [2]


def test_each_time_as_the_one_that_handles_is_another_member(store: Store) -> None:
    """`recover` tells who handles from now on, and no number comes twice."""
    assert len({store.inbox.recover().member for _ in range(3)}) == 3


def test_the_limit_bounds_a_claim(store: Store) -> None:
    """No more than the limit is handed out, and nothing for a limit of zero."""
    put(store.inbox, *((n, str(n)) for n in range(5)))
    store.inbox.recover()
    assert store.inbox.claim(0) == []
    assert ids(store.inbox.claim(2)) == [0, 1]


def test_finish_can_hand_out_the_next(store: Store) -> None:
    """Finishing and claiming in one call gives the next update, of the same key too."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "b"))
    store.inbox.recover()
    [first] = store.inbox.claim()
    assert ids(finish(store.inbox, first, claim=1)) == [2]


def test_a_released_update_is_again_the_next(store: Store) -> None:
    """Releasing puts back in the old place, as if it had never been handed out."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "b"))
    store.inbox.recover()
    claimed = store.inbox.claim(2)
    store.inbox.release(*claimed)
    assert store.inbox.counts().running == 0
    again = store.inbox.claim(2)
    assert [(one.update_id, one.attempt) for one in again] == [(1, 1), (3, 1)]


def test_known_ids_are_passed_over(store: Store) -> None:
    """An id that came before is not stored again: not in one batch, not while it waits, runs or is done."""
    assert store.inbox.store([update(1, "a"), update(1, "a"), update(2, "a")]) == 2
    assert store.inbox.store([update(1, "a"), update(2, "a")]) == 0
    store.inbox.recover()
    [claimed] = store.inbox.claim()
    assert store.inbox.store([update(1, "a")]) == 0
    finish(store.inbox, claimed)
    assert store.inbox.store([update(1, "a"), update(3, "a")]) == 1
    assert drain(store.inbox) == [2, 3]


def test_lower_ids_are_ordinary_updates(store: Store) -> None:
    """Ids that restarted lower are stored and handled after the earlier ones."""
    put(store.inbox, (900, "a"), (901, "a"))
    put(store.inbox, (5, "a"), (6, "a"))
    store.inbox.recover()
    assert drain(store.inbox) == [900, 901, 5, 6]


def test_an_id_is_forgotten_after_its_time(store: Store, clock: Clock) -> None:
    """Beyond the window the same id is a new update, but never while the old one still waits."""
    put(store.inbox, (1, "a"), (2, "b"))
    store.inbox.recover()
    [first] = store.inbox.claim(1)
    finish(store.inbox, first)
    clock.forward(StoreOptions().window_seconds + 1)
    assert store.inbox.store([update(1, "a"), update(2, "b")]) == 1
    assert drain(store.inbox) == [2, 1]


def test_the_number_of_remembered_ids_is_bounded(place: Place, clock: Clock) -> None:
    """Of the ids the newest are remembered, and all that still wait."""
    store = place.open(StoreOptions(window_ids=10))
    store.inbox.recover()
    put(store.inbox, (0, "hung"))
    [hung] = store.inbox.claim()
    for id in range(1, 31):
        put(store.inbox, (id, "a"))
        assert drain(store.inbox) == [id]
    store.maintain()
    assert store.inbox.store([update(id, "b") for id in range(31)]) == 20
    assert drain(store.inbox) == list(range(1, 21))
    finish(store.inbox, hung)


def test_ids_beyond_64_bits_are_refused(store: Store) -> None:
    """An id that no integer column can hold is a ValueError, and nothing of its batch is stored."""
    with pytest.raises(ValueError, match="64 bits"):
        store.inbox.store([update(1), update(1 << 63)])
    assert store.inbox.counts() == Counts()


def test_the_next_offset_is_remembered_with_its_batch(store: Store) -> None:
    """The offset given last comes back, also when it is lower than before, and with an empty batch."""
    assert store.inbox.next_offset() is None
    store.inbox.store([update(900)], next_offset=901)
    assert store.inbox.next_offset() == 901
    store.inbox.store([], next_offset=6)
    assert store.inbox.next_offset() == 6


def test_counts_tell_waiting_running_and_age(store: Store, clock: Clock) -> None:
    """Waiting and running ones are counted, the oldest waiting one's time is told, and how many there were so far."""
    put(store.inbox, (1, "a"))
    clock.forward(5)
    put(store.inbox, (2, "a"), (3, "b"))
    assert store.inbox.counts() == Counts(3, 0, START)
    store.inbox.recover()
    [first] = store.inbox.claim()
    assert store.inbox.counts() == Counts(2, 1, START + 5)
    finish(store.inbox, first)
    drain(store.inbox)
    assert store.inbox.counts() == Counts(0, 0, None)
    assert store.inbox.counts().newest == 3


def test_finishing_writes_data_and_state_with_it(store: Store) -> None:
    """The changes of a handler are there once its update is finished."""
    put(store.inbox, (1, "a"))
    store.inbox.recover()
    [claimed] = store.inbox.claim()
    changes = Changes((DataChange(Scope.USER, 42, {"name": "Ann"}), DataChange(Scope.BOT, 0, {"seen": 1})), (StateChange(7, 42, "asked"),))
    finish(store.inbox, claimed, changes)
    assert store.data.load(Scope.USER, 42) == {"name": "Ann"}
    assert store.data.load(Scope.BOT, 0) == {"seen": 1}
    assert store.data.get_state(7, 42) == "asked"


def test_a_bad_value_finishes_nothing(store: Store) -> None:
    """Where one changed value is not JSON, nothing is written and the update is still running."""
    put(store.inbox, (1, "a"))
    store.inbox.recover()
    [claimed] = store.inbox.claim()
    with pytest.raises(TypeError, match=r"user_data\['bad'\]"):
        finish(store.inbox, claimed, Changes((DataChange(Scope.USER, 1, {"good": 1, "bad": object()}),)))
    assert store.data.load(Scope.USER, 1) == {}
    assert store.inbox.counts().running == 1
    finish(store.inbox, claimed)


def test_a_second_end_is_lost(store: Store) -> None:
    """A claim ends once; the second end is told as lost, and writes nothing."""
    put(store.inbox, (1, "a"))
    store.inbox.recover()
    [claimed] = store.inbox.claim()
    finish(store.inbox, claimed)
    late = End(claimed, Changes((DataChange(Scope.USER, 1, {"late": 1}),)))
    assert store.inbox.settle([late]) == Settled([], (claimed,))
    assert store.data.load(Scope.USER, 1) == {}


def test_a_handler_left_behind_cannot_end_its_successor(store: Store) -> None:
    """A handler that hung, was released or outlived a restart cannot finish, yield or bury the update's next handling."""
    put(store.inbox, (1, "a"), (2, "b"))
    store.inbox.recover()
    hung = store.inbox.claim(2)
    store.inbox.release(hung[0])
    again = store.inbox.claim()
    store.inbox.recover()
    last = store.inbox.claim()
    for old in (*hung, *again):
        for act in (store.inbox.yield_turn, store.inbox.take_turn):
            with pytest.raises(StorageError, match="ended already"):
                act(old)
        for reason in (None, "x"):
            assert store.inbox.settle([End(old, reason=reason)]).lost == (old,)
        store.inbox.release(old)
    assert store.inbox.counts().running == 1
    assert ids(finish(store.inbox, last[0], claim=5)) == [2]


def test_a_yielded_turn_lets_the_chat_go_on(store: Store) -> None:
    """While a handler waits for an answer, the next update of its chat is handed out; the turn comes back when the chat is free."""
    put(store.inbox, (1, "a"), (2, "a"), (3, "a"))
    store.inbox.recover()
    [asking] = store.inbox.claim()
    store.inbox.yield_turn(asking)
    [answer] = store.inbox.claim()
    assert answer.update_id == 2
    assert not store.inbox.take_turn(asking)
    finish(store.inbox, answer)
    assert store.inbox.take_turn(asking)
    assert store.inbox.claim() == []
    assert ids(finish(store.inbox, asking, claim=1)) == [3]


def test_a_yielded_update_can_be_finished(store: Store) -> None:
    """A handler may end without taking its turn back."""
    put(store.inbox, (1, "a"), (2, "a"))
    store.inbox.recover()
    [asking] = store.inbox.claim()
    store.inbox.yield_turn(asking)
    assert store.inbox.counts().running == 1
    finish(store.inbox, asking)
    assert drain(store.inbox) == [2]


def test_many_threads_share_a_store(store: Store) -> None:
    """Eight threads that handle 400 updates of 20 chats while a ninth stores them: each once, in order per chat."""
    store.inbox.recover()
    lock, seen, enough = threading.Lock(), dict[str, list[int]](), threading.Semaphore(0)

    def handle() -> None:
        while enough.acquire(timeout=20):
            for claimed in store.inbox.claim():
                while True:
                    with lock:
                        seen.setdefault(claimed.key, []).append(claimed.update_id)
                    following = finish(store.inbox, claimed, claim=1)
                    if not following:
                        break
                    [claimed] = following
            with lock:
                if sum(map(len, seen.values())) == 400:
                    enough.release(20)
                    return

    workers = [threading.Thread(target=handle) for _ in range(8)]
    for worker in workers:
        worker.start()
    for start in range(0, 400, 10):
        put(store.inbox, *((n, str(n % 20)) for n in range(start, start + 10)))
        enough.release(8)
    for worker in workers:
        worker.join(30)
    assert seen == {str(key): list(range(key, 400, 20)) for key in range(20)}


def test_a_closed_store_refuses_everything(store: Store) -> None:
    """After close every call is a StorageError that says so; closing twice is fine."""
    store.close()
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.inbox.store([update(1)])
    with pytest.raises(StorageError, match="closed"):
        store.data.load(Scope.USER, 1)


def test_with_closes_the_store(place: Place) -> None:
    """A store is a context manager that closes itself."""
    with place.open() as store:
        put(store.inbox, (1, "a"))
    with pytest.raises(StorageError, match="closed"):
        store.inbox.counts()
