"""Changes that expect what stands there: the same promises in memory and in SQLite."""

from __future__ import annotations

from kits.storage_kit import put

from syncbot.storage import Changes, DataChange, DataConflict, End, Scope, Store


def change(value: object, before: str | None, key: str = "k") -> Changes:
    """Set a key of the bot's data, where this text stands there."""
    return Changes((DataChange(Scope.BOT, 0, {key: value}, expected={key: before}),))


CONFLICT = DataConflict(Scope.BOT, 0, "k")


def test_what_is_expected_is_written(store: Store) -> None:
    """A key that is not there, one that holds the text, and one that is to go."""
    assert store.data.apply(change(1, None)) == ()
    assert store.data.apply(change([2, "é"], "1")) == ()
    assert store.data.apply(Changes((DataChange(Scope.BOT, 0, removed=("k",), expected={"k": '[2,"\\u00e9"]'}),))) == ()
    assert store.data.load(Scope.BOT, 0) == {}


def test_what_is_not_expected_is_refused_as_a_whole(store: Store) -> None:
    """Another value, or none: the keys are told, and nothing of the changes is written."""
    store.data.save(Scope.BOT, 0, {"k": 7})
    both = Changes((DataChange(Scope.BOT, 0, {"k": 1, "other": 1}, expected={"k": "6"}), DataChange(Scope.USER, 5, {"k": 1})))
    assert store.data.apply(both) == (CONFLICT,)
    assert store.data.apply(change(1, None)) == (CONFLICT,)
    assert (store.data.load(Scope.BOT, 0), store.data.load(Scope.USER, 5)) == ({"k": 7}, {})


def test_an_end_that_is_refused_goes_on(store: Store) -> None:
    """Of two that change a key and are settled together the second one is refused: it still runs, and its chat waits for it."""
    put(store.inbox, (1, "a"), (2, "b"), (3, "b"))
    store.inbox.recover()
    first, second = store.inbox.claim(2)
    settled = store.inbox.settle([End(first, change(1, None)), End(second, change(1, None))], claim=2)
    assert (settled.refused, settled.claimed, settled.lost) == (((second, (CONFLICT,)),), [], ())
    assert store.inbox.counts().running == 1
    settled = store.inbox.settle([End(second, change(2, "1"))], claim=2)
    assert (settled.refused, [one.update_id for one in settled.claimed]) == ((), [3])
    assert store.data.load(Scope.BOT, 0) == {"k": 2}
