"""What happened in a trial, numbered, for whoever looks: each stream of events says how far it has come."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from syncbot.types import JSON

_KEPT = 5000


class Feed:
    """The last events. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[JSON] = deque(maxlen=_KEPT)
        self._last = 0
        self._closed = False

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        with self._changed:
            return self._last

    @property
    def closed(self) -> bool:
        """Whether the trial is over."""
        return self._closed

    def tell(self, kind: str, **facts: Any) -> None:
        """Add an event: its `kind`, its number `n`, and these facts as JSON values."""
        with self._changed:
            self._last += 1
            self._events.append({"n": self._last, "kind": kind, **facts})
            self._changed.notify_all()

    def close(self) -> None:
        """Wake everybody; nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def after(self, number: int, timeout: float) -> list[JSON] | None:
        """The events after this number, once there are any; empty when the time (in seconds) is up, None where some of them are forgotten or never were."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._last != number, timeout)
            new = self._last - number
            if new < 0 or new > len(self._events):
                return None
            return list(self._events)[len(self._events) - new :]
