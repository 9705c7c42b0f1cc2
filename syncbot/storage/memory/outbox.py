"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

from syncbot.storage.codec import decode, encode_call
from syncbot.storage.promises.outbox import (
    EXPIRED,
    LEASE_RAN_OUT,
    LONGEST_PUT_OFF_SECONDS,
    OutboxCall,
    OutboxItem,
    OutboxState,
    Outlook,
    aged_since,
    check_held_state,
    is_over,
)

_HELD = (OutboxState.UNCERTAIN, OutboxState.FAILED)
_TAKEN = (OutboxState.CLAIMED, OutboxState.SENDING)
_OWNED = (*_TAKEN, OutboxState.UNCERTAIN)


class MemoryOutbox:
    """`syncbot.storage.promises.queues.OutboxQueue` in memory. Parameters are kept as JSON text, so that nobody can change them from outside."""

    def __init__(self, guard: AbstractContextManager[None], now: Callable[[], float]) -> None:
        self._guard = guard
        self._now = now
        self._items: dict[int, OutboxItem] = {}
        self._params: dict[int, str] = {}
        self._last = 0

    def put(self, *calls: OutboxCall) -> list[int]:
        encoded = [(replace(call, params={}), encode_call(call).params) for call in calls]
        with self._guard:
            now = self._now()
            items = [(OutboxItem(id, call, created=now), params) for id, (call, params) in enumerate(encoded, self._last + 1)]
            for item, params in items:
                self._items[item.id], self._params[item.id] = item, params
                self._last = item.id
        return [item.id for item, _ in items]

    def claim(self, owner: str, *, lease: float, limit: int = 1, again: bool = False) -> list[OutboxItem]:
        with self._guard:
            now = self._now()
            over = [item for item in self._items.values() if item.state in _TAKEN and item.lease_until <= now]
            own = [item for item in over if item.state == OutboxState.SENDING and item.owner == owner]
            for item in own:
                self._items[item.id] = replace(item, lease_until=now + lease)
            others = [item for item in over if item not in own]
            self._recover(others)
            self._make_again(others if again else ())
            for item in list(self._items.values()):
                if item.state == OutboxState.QUEUED and is_over(item, now):
                    self._items[item.id] = replace(item, state=OutboxState.FAILED, reason=EXPIRED)
            due = [item for item in self._heads() if item.state == OutboxState.QUEUED and _due(item, now) <= now][:limit]
            for item in due:
                self._items[item.id] = replace(item, state=OutboxState.CLAIMED, owner=owner, lease_until=now + lease)
            return [self._shown(item.id) for item in due]

    def sending(self, id: int, owner: str, *, lease: float, further: bool = False) -> bool:
        with self._guard:
            item = self._owned(id, owner, OutboxState.SENDING if further else OutboxState.CLAIMED)
            if item is None:
                return False
            self._items[id] = replace(item, state=OutboxState.SENDING, attempts=item.attempts + 1, lease_until=self._now() + lease)
            return True

    def sent(self, id: int, owner: str) -> bool:
        with self._guard:
            return self._owned(id, owner, *_OWNED) is not None and bool(self._delete([self._items[id]]))

    def put_off(self, id: int, owner: str, *, until: float, reason: str = "") -> bool:
        with self._guard:
            item = self._owned(id, owner, *_OWNED)
            if item is None:
                return False
            self._items[id] = _queued(item, reason=reason, call=replace(item.call, not_before=until))
            return True

    def hold(self, id: int, owner: str, state: OutboxState, reason: str) -> bool:
        check_held_state(state)
        with self._guard:
            item = self._owned(id, owner, *_OWNED)
            if item is None:
                return False
            self._items[id] = replace(item, state=state, reason=reason)
            return True

    def abandon(self, owner: str, *, again: bool = False) -> int:
        with self._guard:
            count = self._recover(item for item in self._items.values() if item.owner == owner)
            self._make_again([item for item in self._items.values() if item.owner == owner] if again else ())
            return count

    def entries(self, *states: OutboxState, limit: int = 100, after: int = 0) -> list[OutboxItem]:
        with self._guard:
            found = [id for id, item in self._items.items() if id > after and item.state in (states or OutboxState)]
            return [self._shown(id) for id in found[:limit]]

    def get(self, id: int) -> OutboxItem | None:
        with self._guard:
            return self._shown(id) if id in self._items else None

    def counts(self) -> dict[OutboxState, int]:
        with self._guard:
            return {state: sum(item.state == state for item in self._items.values()) for state in OutboxState}

    def outlook(self) -> Outlook:
        with self._guard:
            now = self._now()
            times = [_due(item, now) for item in self._heads() if item.state == OutboxState.QUEUED]
            taken = [item for item in self._items.values() if item.state in _TAKEN]
            return Outlook(min([*times, *(item.lease_until for item in taken)], default=None), tuple(sorted({item.owner for item in taken})))

    def retry(self, id: int, *, expires: float | None = None) -> bool:
        with self._guard:
            item = self._items.get(id)
            if item is None or item.state not in _HELD:
                return False
            self._items[id] = _queued(item, reason="", call=replace(item.call, not_before=0.0, expires=expires))
            return True

    def drop(self, id: int) -> OutboxItem | None:
        with self._guard:
            item = self._items.get(id)
            return None if item is None or item.state in _TAKEN else self._delete([item])[0]

    def purge(self, older_than: float) -> list[OutboxItem]:
        with self._guard:
            now = self._now()
            return self._delete([item for item in self._items.values() if item.state in _HELD and aged_since(now) <= item.created < now - older_than])

    def _heads(self) -> list[OutboxItem]:
        """The first unsettled one of each key, and all that have none."""
        heads: list[OutboxItem] = []
        keys: set[str] = set()
        for item in self._items.values():
            if item.state not in _HELD and item.call.key not in keys:
                heads.append(item)
                keys |= {item.call.key} - {""}
        return heads

    def _owned(self, id: int, owner: str, *states: OutboxState) -> OutboxItem | None:
        item = self._items.get(id)
        return item if item is not None and item.owner == owner and item.state in states else None

    def _recover(self, items: Iterable[OutboxItem]) -> int:
        """Take back what a deliverer had: queued again if nothing was sent, else uncertain (its owner stays noted: it may still report)."""
        taken = [item for item in items if item.state in _TAKEN]
        for item in taken:
            begun = item.state == OutboxState.SENDING
            self._items[item.id] = replace(item, state=OutboxState.UNCERTAIN, reason=LEASE_RAN_OUT) if begun else _queued(item)
        return len(taken)

    def _make_again(self, items: Iterable[OutboxItem]) -> None:
        """Queue again what of these is uncertain, unless its time is over."""
        for item in items:
            if self._items[item.id].state == OutboxState.UNCERTAIN and not is_over(item, self._now()):
                self.retry(item.id, expires=item.call.expires)

    def _delete(self, items: list[OutboxItem]) -> list[OutboxItem]:
        shown = [self._shown(item.id) for item in items]
        for item in items:
            del self._items[item.id], self._params[item.id]
        return shown

    def _shown(self, id: int) -> OutboxItem:
        item = self._items[id]
        return replace(item, call=replace(item.call, params=decode(self._params[id])))


def _due(item: OutboxItem, now: float) -> float:
    """When it may be attempted."""
    return 0.0 if item.reason and item.call.not_before > now + LONGEST_PUT_OFF_SECONDS else item.call.not_before


def _queued(item: OutboxItem, *, reason: str | None = None, call: OutboxCall | None = None) -> OutboxItem:
    """The same item, back in the queue."""
    return replace(
        item,
        state=OutboxState.QUEUED,
        owner="",
        lease_until=0.0,
        reason=item.reason if reason is None else reason,
        call=call or item.call,
    )
