"""The dead letters: the same promises in memory and in SQLite."""

from __future__ import annotations

from kits.storage_kit import START, Clock, Place, bury, drain, finish, ids, put, update

from syncbot.storage import Changes, Scope, Store, StoreOptions
from syncbot.storage.promises.data import DataChange


def make_letters(store: Store, *numbers: int) -> None:
    """Make dead letters of these ids."""
    put(store.inbox, *((number, "a") for number in numbers))
    for number in numbers:
        [claimed] = store.inbox.claim()
        bury(store.inbox, claimed, f"reason {number}")


def test_a_buried_update_is_a_dead_letter(store: Store, clock: Clock) -> None:
    """Burying keeps body, reason, times and attempts, and takes the update out of the inbox."""
    store.inbox.recover()
    store.inbox.store([update(7, "chat", b'{"x":1}')])
    clock.forward(3)
    [claimed] = store.inbox.claim()
    assert bury(store.inbox, claimed, "Traceback …", Changes((DataChange(Scope.BOT, 0, {"failed": 1}),))) == []
    [letter] = store.dead_letters.entries()
    assert (letter.update_id, letter.key, letter.body, letter.reason, letter.attempts) == (7, "chat", b'{"x":1}', "Traceback …", 1)
    assert (letter.stored, letter.died) == (START, START + 3)
    assert store.dead_letters.get(letter.id) == letter
    assert store.data.load(Scope.BOT, 0) == {"failed": 1}
    assert drain(store.inbox) == []
    assert store.inbox.store([update(7, "chat")]) == 0


def test_a_reason_of_any_characters(store: Store) -> None:
    """A traceback with a zero or half of a surrogate pair, as undecoded names of files bring it, ends its update like any other."""
    store.inbox.recover()
    put(store.inbox, (1, "a"))
    [claimed] = store.inbox.claim()
    assert bury(store.inbox, claimed, "no file \udce9 and \0, at all") == []
    [letter] = store.dead_letters.entries()
    assert letter.reason.startswith("no file ")
    assert letter.reason.endswith(", at all")


def test_burying_hands_out_the_next(store: Store) -> None:
    """Burying and claiming go in one call."""
    store.inbox.recover()
    put(store.inbox, (1, "a"), (2, "a"))
    [first] = store.inbox.claim()
    assert ids(bury(store.inbox, first, "x", claim=1)) == [2]


def test_letters_are_listed_newest_first_by_pages(store: Store) -> None:
    """The list begins with the newest, is bounded, and goes on before an id."""
    store.inbox.recover()
    make_letters(store, 1, 2, 3, 4, 5)
    page = store.dead_letters.entries(2)
    assert [letter.update_id for letter in page] == [5, 4]
    assert [letter.update_id for letter in store.dead_letters.entries(before=page[-1].id)] == [3, 2, 1]
    assert store.dead_letters.count() == 5


def test_a_requeued_letter_is_handled_again(store: Store) -> None:
    """A second chance stands at the end of the inbox, remembers its attempts, and leaves the dead letters."""
    store.inbox.recover()
    make_letters(store, 1)
    [letter] = store.dead_letters.entries()
    put(store.inbox, (2, "a"))
    assert store.dead_letters.requeue(letter.id)
    assert not store.dead_letters.requeue(letter.id)
    assert store.dead_letters.count() == 0
    [other] = store.inbox.claim()
    [again] = finish(store.inbox, other, claim=1)
    assert (again.update_id, again.attempt, again.body) == (1, 2, letter.body)
    bury(store.inbox, again, "again")
    [letter_again] = store.dead_letters.entries()
    assert letter_again.attempts == 2
    assert letter_again.id > letter.id


def test_a_waiting_second_chance_is_not_doubled(store: Store, clock: Clock) -> None:
    """While a requeued update waits, Telegram's repetition of its id is passed over, whatever its age."""
    store.inbox.recover()
    make_letters(store, 1)
    clock.forward(StoreOptions().window_seconds + 1)
    store.dead_letters.requeue(store.dead_letters.entries()[0].id)
    clock.forward(StoreOptions().window_seconds + 1)
    store.maintain()
    assert store.inbox.store([update(1, "a")]) == 0
    assert drain(store.inbox) == [1]


def test_a_dropped_letter_is_gone(store: Store) -> None:
    """Dropping deletes one letter and says whether there was one."""
    store.inbox.recover()
    make_letters(store, 1, 2)
    newest = store.dead_letters.entries()[0]
    assert store.dead_letters.drop(newest.id)
    assert not store.dead_letters.drop(newest.id)
    assert store.dead_letters.get(newest.id) is None
    assert [letter.update_id for letter in store.dead_letters.entries()] == [1]


def test_letters_are_bounded_in_number_and_age(place: Place, clock: Clock) -> None:
    """Maintenance forgets the oldest beyond the limit and those beyond the age."""
    store = place.open(StoreOptions(dead_limit=3, dead_seconds=100))
    store.inbox.recover()
    make_letters(store, 1, 2, 3, 4, 5)
    store.maintain()
    assert [letter.update_id for letter in store.dead_letters.entries()] == [5, 4, 3]
    clock.forward(60)
    make_letters(store, 6)
    clock.forward(60)
    store.maintain()
    assert [letter.update_id for letter in store.dead_letters.entries()] == [6]


def test_a_clock_that_jumps_forgets_no_letter(place: Place, clock: Clock) -> None:
    """What was buried while a router's clock stood in 1970 is not old when the true time comes."""
    store = place.open()
    store.inbox.recover()
    clock.time = 1000.0
    make_letters(store, 1)
    clock.time = START
    store.maintain()
    assert store.dead_letters.count() == 1


def test_an_overlong_reason_is_cut_in_its_middle(store: Store) -> None:
    """A traceback of a megabyte is kept with its beginning and its end."""
    store.inbox.recover()
    put(store.inbox, (1, "a"))
    [claimed] = store.inbox.claim()
    bury(store.inbox, claimed, "first line\n" + "x" * 1_000_000 + "\nlast line")
    [letter] = store.dead_letters.entries()
    assert len(letter.reason) < 21_000
    assert letter.reason.startswith("first line")
    assert letter.reason.endswith("last line")
    assert "characters left out" in letter.reason
