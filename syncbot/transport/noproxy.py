"""Which hosts are reached without a proxy: NO_PROXY as curl and requests read it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


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
