"""Data, conversations and meta: the same promises in memory and in SQLite."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kits.storage_kit import BOT, START, Clock, Place, set_state

from syncbot.storage import Changes, DataChange, Scope, StateChange, Store, StoreOptions, open_store

HOUR, DAY = 3600.0, 86_400.0

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_only_named_keys_are_written(store: Store) -> None:
    """Two handlers that changed different keys of one dict do not overwrite each other's."""
    store.data.save(Scope.CHAT, -100, {"a": 1, "b": [1, 2]})
    store.data.save(Scope.CHAT, -100, {"b": None, "c": {"x": "é"}}, removed=["a", "never there"])
    assert store.data.load(Scope.CHAT, -100) == {"b": None, "c": {"x": "é"}}


def test_owners_and_scopes_are_apart(store: Store) -> None:
    """The same key of another owner, or of a chat with the user's id, is another value."""
    store.data.save(Scope.USER, 1, {"k": "user 1"})
    store.data.save(Scope.USER, 2, {"k": "user 2"})
    store.data.save(Scope.CHAT, 1, {"k": "chat 1"})
    assert store.data.load(Scope.USER, 1) == {"k": "user 1"}
    assert store.data.load(Scope.USER, 2) == {"k": "user 2"}
    assert store.data.load(Scope.CHAT, 1) == {"k": "chat 1"}
    assert store.data.load(Scope.BOT, 0) == {}


def test_what_was_loaded_can_be_changed_freely(store: Store) -> None:
    """A loaded value is nobody else's: changing it, or what was saved, changes nothing stored."""
    mine: dict[str, Any] = {"list": [1]}
    store.data.save(Scope.USER, 1, mine)
    mine["list"].append(2)
    store.data.load(Scope.USER, 1)["list"].append(3)
    assert store.data.load(Scope.USER, 1) == {"list": [1]}


def deep() -> list[Any]:
    """A list in a list in a list, 100,000 times."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), float("inf"), deep()], ids=["object", "set", "bytes", "nan", "inf", "deep"])
def test_what_is_not_json_is_refused_by_name(store: Store, value: Any) -> None:
    """A value that JSON cannot hold is an error that names its key, and nothing of the call is written."""
    with pytest.raises((TypeError, ValueError), match=r"chat_data\['odd'\] is not a JSON value"):
        store.data.save(Scope.CHAT, 1, {"fine": 1, "odd": value})
    assert store.data.load(Scope.CHAT, 1) == {}


def test_keys_are_strings(store: Store) -> None:
    """A key that is no string is a TypeError that shows it."""
    odd: Any = {1: "x"}
    with pytest.raises(TypeError, match=r"user_data\[1\]: the keys are strings"):
        store.data.save(Scope.USER, 1, odd)


def test_owner_ids_beyond_64_bits_are_refused(store: Store) -> None:
    """An owner's id that no integer column can hold is a ValueError."""
    with pytest.raises(ValueError, match="64 bits"):
        store.data.save(Scope.USER, 1 << 63, {"a": 1})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=st.dictionaries(st.text(), json_values, max_size=4), state=json_values)
def test_any_json_comes_back_as_it_was(store: Store, values: dict[str, Any], state: Any) -> None:
    """Every JSON value under every key, lone surrogates, NULs and huge numbers included, comes back equal."""
    store.data.save(Scope.USER, 5, values)
    assert store.data.load(Scope.USER, 5) == values
    store.data.save(Scope.USER, 5, {}, removed=list(values))
    assert store.data.load(Scope.USER, 5) == {}
    set_state(store.data, 1, 5, state)
    assert store.data.get_state(1, 5) == state


def test_conversations_are_per_user_and_chat(store: Store) -> None:
    """A state belongs to one user in one chat; None ends it."""
    set_state(store.data, 1, 2, {"step": 1})
    assert store.data.get_state(1, 2) == {"step": 1}
    assert store.data.get_state(2, 1) is None
    set_state(store.data, 1, 2, None)
    assert store.data.get_state(1, 2) is None


def test_old_conversations_are_ended(place: Place, clock: Clock) -> None:
    """States that nobody set for long are forgotten, later ones stay, and those of an unset clock count from then on."""
    store = place.open(StoreOptions(state_seconds=HOUR))
    clock.time = 5.0
    set_state(store.data, 1, 1, "at boot")
    clock.time = START
    set_state(store.data, 1, 2, "old")
    clock.forward(2 * HOUR)
    set_state(store.data, 1, 3, "new")
    store.maintain()
    assert [store.data.get_state(1, user) for user in (1, 2, 3)] == ["at boot", None, "new"]
    clock.forward(2 * HOUR)
    store.maintain()
    assert [store.data.get_state(1, user) for user in (1, 3)] == [None, None]


def test_states_expire_by_themselves(place: Place, clock: Clock) -> None:
    """A state is forgotten thirty days after it was set or looked at, when the store tidies up; another time can be given."""
    store = place.open()
    set_state(store.data, 1, 1, "left")
    set_state(store.data, 1, 2, "goes on")
    clock.forward(20 * DAY)
    store.maintain()
    assert store.data.get_state(1, 2) == "goes on"
    clock.forward(29 * DAY)
    store.maintain()
    assert [store.data.get_state(1, user) for user in (1, 2)] == [None, "goes on"]


@pytest.mark.parametrize(("seconds", "left"), [(3600.0, None), (math.inf, "asked")])
def test_the_expiry_of_states_is_a_setting(place: Place, clock: Clock, seconds: float, left: str | None) -> None:
    """A shorter time, and none at all."""
    store = place.open(StoreOptions(state_seconds=seconds))
    set_state(store.data, 1, 1, "asked")
    clock.forward(400 * DAY if math.isinf(seconds) else 3700)
    store.maintain()
    assert store.data.get_state(1, 1) == left


def test_looking_at_a_state_is_no_write_each_time(tmp_path: Path, clock: Clock) -> None:
    """Updates of one conversation that follow each other are noted once in a while, and a clock that goes back notes nothing."""
    with open_store(tmp_path / "bot.db", 1, now=clock) as store:
        set_state(store.data, 1, 1, "asked")
        log = tmp_path / "bot.db-wal"
        before = log.stat().st_size
        for seconds in (60, 3600, -7200):
            clock.forward(seconds)
            assert store.data.get_state(1, 1) == "asked"
        assert log.stat().st_size == before
        clock.forward(DAY)
        assert store.data.get_state(1, 1) == "asked"
        assert log.stat().st_size > before


def test_all_changes_or_none(store: Store) -> None:
    """Applying several changes writes them all, or, where one is bad, none."""
    store.data.apply(Changes((DataChange(Scope.USER, 1, {"a": 1}), DataChange(Scope.BOT, 0, {"b": 2})), (StateChange(1, 1, "s"),)))
    assert (store.data.load(Scope.USER, 1), store.data.load(Scope.BOT, 0), store.data.get_state(1, 1)) == ({"a": 1}, {"b": 2}, "s")
    with pytest.raises(TypeError, match="state"):
        store.data.apply(Changes((DataChange(Scope.USER, 1, {"a": 9}),), (StateChange(1, 1, object()),)))
    assert store.data.load(Scope.USER, 1) == {"a": 1}


def test_facts_are_kept_by_name(store: Store) -> None:
    """A fact comes back, another default where there is none; None deletes it."""
    assert store.meta.get("idle limit", 50) == 50
    store.meta.set("idle limit", 19.5)
    store.meta.set("mode", {"webhook": True})
    assert (store.meta.get("idle limit"), store.meta.get("mode")) == (19.5, {"webhook": True})
    store.meta.set("idle limit", None)
    assert store.meta.get("idle limit") is None


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_fact_has_a_name_that_every_store_can_hold(store: Store, name: str) -> None:
    """What a database cannot hold is refused by each store alike, in words of ours, and nothing is changed."""
    for value in (1, None):
        with pytest.raises(ValueError, match="holds a zero or half of a surrogate pair"):
            store.meta.set(name, value)
    assert store.meta.get("a\0b", 7) == 7


def test_owners_are_told_in_pages(store: Store) -> None:
    """Those of one scope of whom something is remembered, the lowest ids first; who has nothing left is none of them."""
    for owner in (9, 2, 5):
        store.data.save(Scope.USER, owner, {"a": 1, "b": 2})
    store.data.save(Scope.CHAT, 7, {"a": 1})
    store.data.save(Scope.USER, 5, {}, ["a", "b"])
    assert store.data.owners(Scope.USER) == [2, 9]
    assert (store.data.owners(Scope.USER, limit=1), store.data.owners(Scope.USER, after=2)) == ([2], [9])
    assert store.data.owners(Scope.CHAT) == [7]


def test_a_store_names_its_bot(store: Store) -> None:
    """Whoever has a store can tell whose it is."""
    assert store.bot_id == BOT


def test_the_stores_own_facts_are_safe(store: Store) -> None:
    """Names of the store's own cannot be set, and what is not JSON cannot be kept."""
    with pytest.raises(ValueError, match=r"store\.bot_id"):
        store.meta.set("store.bot_id", 1)
    with pytest.raises(TypeError, match="mode"):
        store.meta.set("mode", object())
