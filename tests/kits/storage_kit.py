"""What the storage tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from syncbot.storage import NO_CHANGES, Changes, Claimed, Data, End, Inbox, Incoming, StateChange, Store, StoreOptions, open_store

BOT = 123456
START = 1_800_000_000.0


class Clock:
    """A time that moves only when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> float:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += seconds


class Place:
    """Where a kind of store lives, so that a test can open it again as the next process would."""

    def __init__(self, path: Path | str | None, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._stores: list[Store] = []

    def open(self, options: StoreOptions | None = None) -> Store:
        store = open_store(self.path, BOT, now=self.clock, options=options)
        self._stores.append(store)
        return store

    def close(self) -> None:
        for store in self._stores:
            store.close()


def update(id: int, key: str = "", body: bytes = b"{}") -> Incoming:
    """One update; its key is its id unless another is given."""
    return Incoming(id, key or str(id), body)


def put(inbox: Inbox, *updates: tuple[int, str]) -> None:
    """Store updates of (id, key) in one batch."""
    assert inbox.store([Incoming(id, key, b'{"update_id":%d}' % id) for id, key in updates]) == len(updates)


def set_state(data: Data, chat: int, user: int, state: Any) -> None:
    """Have a conversation stand where a handler has left it."""
    data.apply(Changes(states=(StateChange(chat, user, state),)))


def ids(claimed: list[Claimed]) -> list[int]:
    """Their update ids."""
    return [one.update_id for one in claimed]


def finish(inbox: Inbox, claimed: Claimed, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
    """Its handler has returned; returns what is handed out in its place. An end that was lost fails the test."""
    return _settle(inbox, End(claimed, changes), claim)


def bury(inbox: Inbox, claimed: Claimed, reason: str, changes: Changes = NO_CHANGES, *, claim: int = 0) -> list[Claimed]:
    """Its handler has failed; as `finish`."""
    return _settle(inbox, End(claimed, changes, reason), claim)


def _settle(inbox: Inbox, end: End, claim: int) -> list[Claimed]:
    settled = inbox.settle([end], claim=claim)
    if settled.lost:
        raise Lost(settled.lost)
    return settled.claimed


class Lost(Exception):
    """It was not ours to end any more."""


def drain(inbox: Inbox, number: int = 1) -> list[int]:
    """Handle everything that may be handled, so many at a time; returns the ids in their order."""
    done: list[int] = []
    claimed = inbox.claim(number)
    while claimed:
        done += ids(claimed)
        claimed = inbox.settle([End(one) for one in claimed], claim=number).claimed
    return done
