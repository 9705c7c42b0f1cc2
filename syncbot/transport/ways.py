"""Which proxy serves: a list in order of preference, with a rest for those that fail, and NO_PROXY as curl and requests read it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from syncbot.process import ForkSafeLock
from syncbot.trouble import Backoff
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
        self._cool_down = Backoff(cool_down, LONGEST_COOL_DOWN_SECONDS, jitter=0.0)
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
                self._rests_until[proxy] = now + self._cool_down.seconds(self._failures[proxy])
                self._failures[proxy] += 1
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


def bypasses_proxy(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY exempts a host from the proxy; entries that make no sense match nothing.

    An entry, separated by commas or white space, is a name (it stands for all names below it too; a leading "." or "*." changes nothing), an
    address, a range ("10.0.0.0/8"), each with ":port" if wanted (an IPv6 address then in brackets), or "*". No name is looked up.

    Args:
        host: a name or an address, an IPv6 one with or without brackets.
        port: the port that is connected to.
        no_proxy: the value of NO_PROXY.
    """
    name = host.strip("[]").rstrip(".").lower()
    address = _address(name)
    return any(_exempts(entry, name, port, address) for entry in re.findall(r"[^\s,]+", no_proxy.lower()))


def _exempts(entry: str, name: str, port: int, address: IPv4Address | IPv6Address | None) -> bool:
    parts = re.fullmatch(r"\[([^]]*)\](/[0-9]+)?(?::([0-9]+))?", entry) or re.fullmatch(r"([^:]*)():([0-9]+)", entry)
    wanted, wanted_port = (parts[1] + (parts[2] or ""), parts[3]) if parts else (entry, None)
    if wanted_port is not None and int(wanted_port) != port:
        return False
    if wanted == "*":
        return True
    if address is not None:
        return _covers(wanted, address)
    wanted = wanted.removeprefix("*.").strip(".")
    return bool(wanted) and (name == wanted or name.endswith("." + wanted))


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _covers(wanted: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(wanted, strict=False)
    except ValueError:
        return False
