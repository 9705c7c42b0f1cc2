"""Which proxy serves: a list in order of preference, with a rest for those that fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from syncbot.transport.locks import ForkSafeLock
from syncbot.types import DIRECT, Proxy

COOL_DOWN_SECONDS = 30.0
"""How long a proxy rests after a first failure; doubled at each further one in a row."""
LONGEST_COOL_DOWN_SECONDS = 600.0
"""How long a proxy that keeps failing rests at most."""


class Ways:
    """The ways to Telegram, and which of them are resting.

    Args:
        proxies: in order of preference; none means a direct connection.
        cool_down: seconds that a failing way rests first.
        clock: seconds, never going backwards.
    """

    def __init__(self, proxies: Sequence[Proxy] = (), cool_down: float = COOL_DOWN_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.proxies = tuple(dict.fromkeys(proxies)) or (DIRECT,)
        self._cool_down = cool_down
        self._clock = clock
        self._lock = ForkSafeLock()
        self._rests_until = dict.fromkeys(self.proxies, 0.0)
        self._failures = dict.fromkeys(self.proxies, 0)
        self._proven: set[Proxy] = set()

    def pick(self) -> Proxy:
        """The first way that is not resting, else the one whose rest ends first."""
        if len(self.proxies) == 1:
            return self.proxies[0]
        now = self._clock()
        with self._lock.here:
            awake = (proxy for proxy in self.proxies if self._rests_until[proxy] <= now)
            return next(awake, min(self.proxies, key=self._rests_until.__getitem__))

    def failed(self, proxy: Proxy) -> bool:
        """Let a way rest; True when another one stands ready."""
        now = self._clock()
        with self._lock.here:
            if self._rests_until[proxy] <= now:  # several calls that fail together count once
                rest_seconds = min(self._cool_down * 2.0 ** self._failures[proxy], LONGEST_COOL_DOWN_SECONDS)
                self._failures[proxy] = min(self._failures[proxy] + 1, 16)
                self._rests_until[proxy] = now + rest_seconds
            return any(until <= now for until in self._rests_until.values())

    def worked(self, proxy: Proxy) -> None:
        """Forget a way's failures."""
        self._proven.add(proxy)
        if self._failures[proxy]:
            with self._lock.here:
                self._failures[proxy] = 0
                self._rests_until[proxy] = 0.0

    def is_proven(self, proxy: Proxy) -> bool:
        """Whether a way has worked before, its credentials included."""
        return proxy in self._proven
