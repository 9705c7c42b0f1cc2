"""What a fault proxy counts, and a way to wait for it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

_TARGETS_KEPT = 1000  # a proxy may run for days


@dataclass(frozen=True)
class TunnelTarget:
    """What one client asked for: `protocol` is "connect", "http", "socks4", "socks5" or "relay"; `host` a name or an address, as the client gave it."""

    protocol: str
    host: str
    port: int


@dataclass
class Stats:
    """The counters; written in the loop's thread, read in any, under `changed`."""

    opened: int = 0
    open_now: int = 0
    established: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    credential_failures: int = 0
    refused_targets: int = 0
    came_early: int = 0
    came_in_one: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    targets: deque[TunnelTarget] = field(default_factory=lambda: deque(maxlen=_TARGETS_KEPT))
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, **amounts: int) -> None:
        """Change plain counters by these amounts."""
        with self.changed:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)
            self.changed.notify_all()

    def draw(self, name: str) -> None:
        """A tunnel began, and this fault is meant for it."""
        with self.changed:
            self.drawn[name] += 1
            self.opened += 1
            self.open_now += 1
            self.changed.notify_all()

    def strike(self, name: str) -> None:
        """A fault struck."""
        with self.changed:
            self.struck[name] += 1
            self.changed.notify_all()

    def ask(self, target: TunnelTarget) -> None:
        """A client asked for this."""
        with self.changed:
            self.targets.append(target)
            self.changed.notify_all()

    def wait_for(self, predicate: Callable[[], object], timeout: float) -> bool:
        """Wait until the predicate, asked anew after each change, holds; returns whether it does."""
        with self.changed:
            return bool(self.changed.wait_for(predicate, timeout))
