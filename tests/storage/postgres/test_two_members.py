"""Random histories of two members on one database: whatever they do, and however they die, each update is ended once, and each chat's in its order."""

from __future__ import annotations

import itertools
from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from kits.gate_kit import Gate
from kits.webhook_kit import eventually

from syncbot.errors import StorageError
from syncbot.storage import Claimed, End, Incoming, Store, StoreOptions, open_store

pytestmark = pytest.mark.programs("postgres")

_BOTS = itertools.count(500)
_OPTIONS = StoreOptions(busy_timeout=5.0, lease_seconds=30.0)
members = st.sampled_from([0, 1])


class MemberUnderTest:
    """A member behind a gate of its own, through which it can be cut off: as a process that dies."""

    def __init__(self, url: str, bot: int) -> None:
        self.gate = Gate(urlsplit(url).port or 5432)
        self.store: Store = open_store(self.gate.url(url), bot, options=_OPTIONS)
        self.store.inbox.recover()
        self.held: list[Claimed] = []

    def end(self) -> None:
        """It dies, and says nothing to anybody."""
        self.gate.cut()
        self.store.close()
        self.gate.__exit__(None, None, None)


class TwoMembers(RuleBasedStateMachine):
    """Two members and what they hold; what was stored, by chats; what was ended."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.bot = next(_BOTS)
        self.both = [MemberUnderTest(self.url, self.bot) for _ in range(2)]
        self.stored: dict[str, list[int]] = defaultdict(list)
        self.ended: dict[str, list[int]] = defaultdict(list)
        self.numbers = itertools.count(1)

    @rule(member=members, keys=st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=6))
    def store(self, member: int, keys: list[str]) -> None:
        updates = [Incoming(next(self.numbers), key, b"{}") for key in keys]
        assert self.both[member].store.inbox.store(updates) == len(updates)
        for update in updates:
            self.stored[update.key].append(update.update_id)

    @rule(member=members, limit=st.integers(1, 3), per_key=st.integers(1, 4))
    def claim(self, member: int, limit: int, per_key: int) -> None:
        self.take(member, self.both[member].store.inbox.claim(limit, per_key=per_key))

    @rule(member=members, number=st.integers(1, 3), limit=st.integers(0, 2), fails=st.booleans())
    def settle(self, member: int, number: int, limit: int, fails: bool) -> None:
        one = self.both[member]
        ends, one.held = one.held[:number], one.held[number:]
        settled = one.store.inbox.settle([End(each, reason="it failed" if fails else None) for each in ends], claim=limit)
        assert settled.lost == settled.refused == ()
        for each in ends:
            self.ended[each.key].append(each.update_id)
        self.take(member, settled.claimed)

    @rule(member=members)
    def release(self, member: int) -> None:
        one = self.both[member]
        held, one.held = one.held, []
        one.store.inbox.release(*held)

    @rule(member=members)
    def die(self, member: int) -> None:
        """A process dies with what it holds, and another one starts."""
        self.both[member].end()
        self.both[member] = MemberUnderTest(self.url, self.bot)

    @rule(member=members)
    def starts_anew(self, member: int) -> None:
        """The same process becomes a member once more: what it held before is no longer its own."""
        one = self.both[member]
        held, one.held = one.held, []
        one.store.inbox.recover()
        assert one.store.inbox.settle([End(each) for each in held]).lost == tuple(held)

    def take(self, member: int, claimed: list[Claimed]) -> None:
        """What was handed out is the next of its chat, and nobody else has anything of it."""
        for one in claimed:
            if one.key:
                others = [each.key for number, each_member in enumerate(self.both) for each in each_member.held if number != member]
                assert one.key not in others
                mine = [each.update_id for each in self.both[member].held if each.key == one.key]
                done = len(self.ended[one.key])
                assert one.update_id == self.stored[one.key][done + len(mine)]
            self.both[member].held.append(one)

    @invariant()
    def in_order(self) -> None:
        for key, ended in self.ended.items():
            if key:
                assert ended == self.stored[key][: len(ended)]
            assert len(set(ended)) == len(ended)

    def teardown(self) -> None:
        """At the end everything can be handled, but for what was alone at three deaths."""
        try:
            left = eventually(self.nothing_left, what="the end of all")
            assert left
        finally:
            for one in self.both:
                one.end()

    def nothing_left(self) -> bool:
        for number, one in enumerate(self.both):
            claimed = one.held
            one.held = []
            while claimed:
                one.store.inbox.settle([End(each) for each in claimed])
                for each in claimed:
                    self.ended[each.key].append(each.update_id)
                claimed = one.store.inbox.claim(5, per_key=5)
            self.take(number, one.store.inbox.claim(5))
        counts = self.both[0].store.inbox.counts()
        return not counts.waiting and not counts.running and not any(one.held for one in self.both)


@pytest.fixture
def machine(postgres_url: str) -> type[TwoMembers]:
    """The machine on a database of its own; each example is another bot in it."""
    return type("TwoMembersHere", (TwoMembers,), {"url": postgres_url})


@pytest.mark.timeout(200)
def test_two_members(machine: type[TwoMembers]) -> None:
    """See `TwoMembers`."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis has no types for it
        machine, settings=settings(max_examples=6, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    )


def test_the_gate_cuts(postgres_url: str) -> None:
    """A member that is cut off can do nothing any more, and says so in words."""
    one = MemberUnderTest(postgres_url, 1)
    one.gate.cut()
    with pytest.raises(StorageError) as refusal:
        one.store.inbox.store([Incoming(1, "a", b"{}")])
    assert refusal.value.retryable
    one.end()
