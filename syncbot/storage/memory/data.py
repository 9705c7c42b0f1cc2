"""Data and conversations in memory, kept as JSON text so that nobody can change what is stored from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from syncbot.storage.codec import EncodedChanges, conflict_at, decode_state, decode_values, encode_changes, one_change
from syncbot.storage.promises.data import Changes, DataConflict, Scope
from syncbot.storage.promises.store import PLAUSIBLE_TIME, StoreOptions


class MemoryData:
    """`syncbot.storage.promises.parts.Data` in memory."""

    write_others: Callable[[EncodedChanges], None]  # set by the store: writes the answers and the calls among the changes

    def __init__(self, guard: AbstractContextManager[None], now: Callable[[], float], options: StoreOptions) -> None:
        self._guard = guard
        self._now = now
        self._options = options
        self._values: dict[tuple[str, int], dict[str, str]] = {}
        self._states: dict[tuple[int, int], tuple[str, float]] = {}

    def load(self, scope: Scope, owner: int) -> dict[str, Any]:
        with self._guard:
            found = dict(self._values.get((str(scope), owner), {}))
        return decode_values(found.items(), scope, owner)

    def owners(self, scope: Scope, *, after: int | None = None, limit: int = 100) -> list[int]:
        with self._guard:
            return sorted(owner for kind, owner in self._values if kind == scope and (after is None or owner > after))[:limit]

    def save(self, scope: Scope, owner: int, changed: Mapping[str, Any], removed: Iterable[str] = ()) -> None:
        self.apply(one_change(scope, owner, changed, removed))

    def get_state(self, chat: int, user: int) -> Any:
        with self._guard:
            found = self._states.get((chat, user))
            if found and self._options.is_fading(found[1], self._now()):
                self._states[chat, user] = (found[0], self._now())
        return decode_state(found[0], chat, user) if found else None

    def apply(self, changes: Changes) -> tuple[DataConflict, ...]:
        encoded = encode_changes(changes)
        with self._guard:
            conflicts = self.conflicts(encoded)
            if not conflicts:
                self.write(encoded)
            return conflicts

    def conflicts(self, changes: EncodedChanges) -> tuple[DataConflict, ...]:
        """Where something else stands than is expected; the caller holds the lock."""
        expected = changes.expected
        return tuple(conflict_at(*row[:3]) for row in expected if self._values.get(row[:2], {}).get(row[2]) != row[3])

    def forget_states(self) -> None:
        """End the conversations that were last noted too long ago."""
        with self._guard:
            now = self._now()
            for key, (state, at) in self._states.items() if now > PLAUSIBLE_TIME else ():
                if at <= PLAUSIBLE_TIME:  # noted by a clock that was not set yet: it counts from now on
                    self._states[key] = (state, now)
            old = [key for key, (_, at) in self._states.items() if PLAUSIBLE_TIME < at < now - self._options.state_seconds]
            for key in old:
                del self._states[key]

    def write(self, changes: EncodedChanges) -> None:
        """Write what a handler changed; the caller holds the lock."""
        now = self._now()
        self.write_others(changes)
        for scope, owner, name, value in changes.set_values:
            self._values.setdefault((scope, owner), {})[name] = value
        for scope, owner, name in changes.removed:
            values = self._values.get((scope, owner), {})
            values.pop(name, None)
            if not values:
                self._values.pop((scope, owner), None)
        for chat, user, state in changes.set_states:
            self._states[chat, user] = (state, now)
        for key in changes.ended:
            self._states.pop(key, None)
