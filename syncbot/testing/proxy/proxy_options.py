"""What holds for every tunnel of a fault proxy."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProxyOptions:
    """What holds for every tunnel of a proxy; see `FaultProxy`."""

    username: str = ""
    password: str = field(default="", repr=False)
    rtt: float = 0.0
    rate_limit_bytes: float = 0.0
    idle_cut_after_seconds: float = 0.0
    idle_dead_after_seconds: float = 0.0
    drops_early: bool = False
    resolve: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    tls: ssl.SSLContext | None = None

    def address(self, host: str, port: int) -> tuple[str, int] | None:
        """Where a target is, None where it is not on this machine."""
        mapped = self.resolve.get(f"{host}:{port}") or self.resolve.get(host) or {"localhost": "127.0.0.1"}.get(host, host)
        address, port = split_address(mapped, port)
        try:
            loopback = ipaddress.ip_address(address).is_loopback
        except ValueError:
            return None
        return (address, port) if loopback and 0 < port < 65_536 else None


def split_address(text: str, port: int = 0) -> tuple[str, int]:
    """Read "127.0.0.1:8443", "[::1]:8443" or an address without a port."""
    bare, colon, digits = text.rpartition(":")
    if colon and digits.isdigit() and (":" not in bare or bare.endswith("]")):
        text, port = bare, int(digits)
    return text.strip("[]"), port
