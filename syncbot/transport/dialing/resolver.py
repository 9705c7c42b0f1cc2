"""Name look-up: the addresses of a host, in the order in which to try them."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any

from syncbot.process import ForkSafeLock

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""An address family and the address that `socket.connect` takes."""

LookUp = Callable[[str, int, int], list[Address]]
"""Looks a name up: host, port and address family in, addresses out; raises OSError where there are none."""

_AVOID_SECONDS = 300.0


class Resolver:
    """Looks names up, through the system unless it is told otherwise.

    The system's look-up is the one thing that no deadline can cut: it returns when it returns.

    Args:
        ipv4: use IPv4 addresses only.
        cache_seconds: how long an answer is kept; 0 keeps none.
        clock: seconds, never going backwards.
        look_up: what is asked; None asks the system.
    """

    def __init__(self, *, ipv4: bool = False, cache_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic, look_up: LookUp | None = None) -> None:
        self._family = socket.AF_INET if ipv4 else socket.AF_UNSPEC
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._ask = look_up or _system_look_up
        self._lock = ForkSafeLock()
        self._cache: dict[tuple[str, int, int], tuple[float, list[Address]]] = {}
        self._avoid_until: dict[tuple[Any, ...], float] = {}

    def look_up(self, host: str, port: int, *, ipv4: bool = False) -> list[Address]:
        """All addresses of a host; those that failed lately come last.

        Raises:
            OSError: the name cannot be looked up.
        """
        family = socket.AF_INET if ipv4 else self._family
        addresses = self._known(host, port, family)
        if not self._avoid_until:
            return addresses
        now = self._clock()
        with self._lock.here:
            self._avoid_until = {address: until for address, until in self._avoid_until.items() if until > now}
            return sorted(addresses, key=lambda address: address[1] in self._avoid_until)

    def failed(self, address: Address) -> None:
        """Remember that an address did not answer, so that a host's other addresses are tried first for a while."""
        with self._lock.here:
            self._avoid_until[address[1]] = self._clock() + _AVOID_SECONDS

    def _known(self, host: str, port: int, family: int) -> list[Address]:
        if self._cache_seconds <= 0:
            return self._ask(host, port, family)
        key = (host, port, family)
        with self._lock.here:
            until, addresses = self._cache.get(key, (0.0, []))
        if until > self._clock():
            return list(addresses)
        addresses = self._ask(host, port, family)
        with self._lock.here:
            self._cache[key] = (self._clock() + self._cache_seconds, addresses)
        return list(addresses)


def is_numeric(host: str) -> bool:
    """Whether a host is an IP address, so that there is nothing to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _system_look_up(host: str, port: int, family: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except UnicodeError:
        problem = "it is not a host name"
    else:
        return [(kind, address) for kind, _, _, _, address in found]
    raise OSError(problem)
