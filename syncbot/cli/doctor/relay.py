"""A relay that waits: one that gathers small packets (Nagle's algorithm) holds an answer that follows the session tickets of a new connection."""

from __future__ import annotations

from statistics import median

from syncbot.cli.doctor.probe import Probe
from syncbot.cli.doctor.result import Result, Status
from syncbot.errors import NetworkError
from syncbot.types import Proxy

_PAIRS = 3
_WAITS_SECONDS = 0.03
"""A system acknowledges after 40 ms where it has nothing to send."""
_STEP = "small packets"


def small_packets(probe: Probe, way: Proxy) -> Result:
    """Whether the first byte of an answer takes longer on a new connection than on one that has stood for a moment, tried on both in turn."""
    try:
        pairs = [(probe.first_byte(way, stands=False), probe.first_byte(way, stands=True)) for _ in range(_PAIRS)]
    except (NetworkError, OSError) as problem:
        return Result(_STEP, Status.SKIPPED, f"no answer to look at ({problem})")
    fresh_seconds, standing_seconds = map(median, zip(*pairs, strict=True))
    longer_seconds = fresh_seconds - standing_seconds
    if longer_seconds < _WAITS_SECONDS:
        return Result(_STEP, Status.OK, "an answer comes as soon on a new connection as on one that has stood", fresh_seconds)
    text = f"an answer takes {longer_seconds * 1000:.0f} ms longer on a new connection than on one that has stood: something on the way gathers small packets"
    advice = "switch that off at the relay (TCP_NODELAY); with shadowsocks-libev: --no-delay at both ends"
    return Result(_STEP, Status.NOTE, text, fresh_seconds, advice)
