"""The faults that a `FaultProxy` can inject, as values, and the plan that says which tunnel gets which."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from syncbot.errors import Phase


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one tunnel. Make it with the constructors below: `Fault.tls_drop()`, `Fault.cut_request(after_bytes=10)`.

    Positions in bytes are counted on the wire from the first application byte: in TLS from the first record that holds application data, so that
    handshakes and session tickets do not count; without TLS from the first byte of the tunnel. Faults of the TLS handshake do not strike a tunnel
    that carries no TLS. TLS 1.2 and 1.3 are understood, with a client that has no certificate of its own.

    Args:
        name: the constructor's name; the key of `FaultProxy.struck`.
        after_bytes: application bytes that still pass before the fault strikes.
        after_seconds: seconds of silence before the fault strikes.
        bytes_per_second: how fast bytes are dripped.
        chunks: pieces of the server's TLS handshake that pass.
        chunk_bytes: the size of such a piece.
        filler_bytes: bytes that make a dripped answer longer (at most 255 in SOCKS5, none in SOCKS4).
        reset: end with RST instead of FIN.
    """

    name: str
    after_bytes: int = 0
    after_seconds: float = 0.0
    bytes_per_second: float = 0.0
    chunks: int = 0
    chunk_bytes: int = 0
    filler_bytes: int = 0
    reset: bool = False

    NONE: ClassVar[Fault]
    """No fault: the tunnel works. For `FaultProxy.script`."""

    def __post_init__(self) -> None:
        if self.name not in _PHASES:
            raise ValueError(f"no fault is called {self.name!r}; there are {', '.join(_PHASES)}")
        if min(self.after_bytes, self.after_seconds, self.bytes_per_second, self.chunks, self.chunk_bytes, self.filler_bytes) < 0:
            raise ValueError(f"{self.name}: no argument can be below 0")
        if self.name.startswith("drip") and not self.bytes_per_second:
            raise ValueError(f"{self.name}: bytes_per_second must be above 0")

    @property
    def phase(self) -> Phase:
        """How far a request can have come when this fault strikes: NOT_SENT, MAYBE_SENT, or ANSWERED where a client has its whole answer by then."""
        return _PHASES[self.name]

    @property
    def before_request(self) -> bool:
        """The fault strikes before the first byte of the request can leave, so that a client knows for certain that nothing was sent."""
        return self.phase is Phase.NOT_SENT

    @classmethod
    def all(cls) -> tuple[Fault, ...]:
        """Every fault with its defaults, `NONE` left out."""
        return tuple(cls._named(name) for name in _PHASES if name != "none")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `name` or `name:argument=value,argument=value`, such as `cut_request:after_bytes=10,reset=1`.

        Raises:
            ValueError: no fault has this name, or the fault has no such argument.
        """
        name, _, arguments = text.strip().partition(":")
        if name not in _PHASES:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(_PHASES)}")
        fault = cls._named(name)
        for argument in filter(None, arguments.split(",")):
            key, _, value = argument.partition("=")
            if key == "name" or key not in {field.name for field in fields(cls)}:
                raise ValueError(f"a fault has no argument {key!r}")
            old = getattr(fault, key)
            changes: dict[str, Any] = {key: bool(int(value)) if isinstance(old, bool) else type(old)(value)}
            fault = replace(fault, **changes)
        return fault

    @classmethod
    def _named(cls, name: str) -> Fault:
        made = cls.NONE if name == "none" else getattr(cls, name)()
        assert isinstance(made, Fault)
        return made

    # Before the request: a client may say for certain that nothing was sent.

    @classmethod
    def refuse(cls, *, reset: bool = True) -> Fault:
        """The connection is accepted and ended before a word: the client sees a reset, or the end of the stream, instead of the proxy's answer."""
        return cls("refuse", reset=reset)

    @classmethod
    def auth_required(cls) -> Fault:
        """The proxy wants other credentials: the client sees 407, or the refusal of its method or password in SOCKS."""
        return cls("auth_required")

    @classmethod
    def bad_gateway(cls) -> Fault:
        """The proxy says that it cannot reach the server: the client sees 502, or "host unreachable" in SOCKS."""
        return cls("bad_gateway")

    @classmethod
    def drop_connect(cls, *, reset: bool = False) -> Fault:
        """The connection ends after the client asked for its tunnel: the client sees the end of the stream instead of an answer to CONNECT or SOCKS."""
        return cls("drop_connect", reset=reset)

    @classmethod
    def drip_connect(cls, *, bytes_per_second: float = 5.0, filler_bytes: int = 0) -> Fault:
        """The answer to CONNECT or SOCKS comes byte by byte: the client sees a good answer that takes seconds, or as long as `filler_bytes` make it."""
        return cls("drip_connect", bytes_per_second=bytes_per_second, filler_bytes=filler_bytes)

    @classmethod
    def tls_drop(cls, *, reset: bool = False) -> Fault:
        """The tunnel ends when the ClientHello arrives: the client sees the end of the stream in its TLS handshake."""
        return cls("tls_drop", reset=reset)

    @classmethod
    def tls_stall(cls) -> Fault:
        """The ClientHello and all that follows vanish, and the tunnel stays open: the client sees silence in its TLS handshake."""
        return cls("tls_stall")

    @classmethod
    def tls_garbage(cls) -> Fault:
        """The ClientHello is answered with bytes that are no TLS: the client sees a protocol error in its handshake."""
        return cls("tls_garbage")

    @classmethod
    def tls_chunks(cls, *, chunks: int = 2, chunk_bytes: int = 50, reset: bool = False) -> Fault:
        """A few small pieces of the ServerHello pass and the tunnel ends: the client sees an end, a reset or a read error in its handshake, by turns."""
        return cls("tls_chunks", chunks=chunks, chunk_bytes=chunk_bytes, reset=reset)

    # After the first byte of the request: a client cannot know whether it was carried out.

    @classmethod
    def cut_request(cls, *, after_bytes: int = 64, reset: bool = False) -> Fault:
        """The tunnel ends within the request: the client sees an end or a reset instead of an answer, and the server never has the whole request."""
        return cls("cut_request", after_bytes=after_bytes, reset=reset)

    @classmethod
    def cut_before_answer(cls, *, reset: bool = False) -> Fault:
        """The tunnel ends when the answer arrives, and nothing of it passes: the client sees an end, though the server carried the request out."""
        return cls("cut_before_answer", reset=reset)

    @classmethod
    def cut_response(cls, *, after_bytes: int = 20, reset: bool = False) -> Fault:
        """The tunnel ends within the answer: the client sees a part of it (in TLS often nothing, a record being cut), and the request was carried out."""
        return cls("cut_response", after_bytes=after_bytes, reset=reset)

    @classmethod
    def never_answer(cls) -> Fault:
        """The answer vanishes and the tunnel stays open: the client sees silence, though the server carried the request out."""
        return cls("never_answer")

    @classmethod
    def half_close(cls, *, after_bytes: int = 0) -> Fault:
        """Instead of the (rest of the) answer the client sees the end of the stream, while what it writes still reaches the server."""
        return cls("half_close", after_bytes=after_bytes)

    @classmethod
    def drip_response(cls, *, bytes_per_second: float = 5.0) -> Fault:
        """The answer comes byte by byte: the client sees a good answer that takes minutes."""
        return cls("drip_response", bytes_per_second=bytes_per_second)

    @classmethod
    def idle_dead(cls, *, after_seconds: float = 0.5) -> Fault:
        """After a time without a byte the tunnel becomes a black hole: the client sees silence for ever, and so does the server."""
        return cls("idle_dead", after_seconds=after_seconds)

    @classmethod
    def idle_cut(cls, *, after_seconds: float = 0.5, reset: bool = False) -> Fault:
        """After a time without a byte the tunnel ends: a client that waits for an answer, as in a long poll, sees the end of the stream."""
        return cls("idle_cut", after_seconds=after_seconds, reset=reset)

    # After the answer: a call on a connection of its own is not harmed; a pool finds its connection gone.

    @classmethod
    def close_after_response(cls, *, after_seconds: float = 0.05) -> Fault:
        """The tunnel ends after the answer (when nothing followed for `after_seconds`): the client has its answer, and its next request there fails."""
        return cls("close_after_response", after_seconds=after_seconds)

    @classmethod
    def reset_after_response(cls, *, after_seconds: float = 0.05) -> Fault:
        """The tunnel is reset after the answer (when nothing followed for `after_seconds`): the client has its answer, and its next request there fails."""
        return cls("reset_after_response", after_seconds=after_seconds, reset=True)


_PHASES: dict[str, Phase] = {
    "none": Phase.ANSWERED,
    "refuse": Phase.NOT_SENT,
    "auth_required": Phase.NOT_SENT,
    "bad_gateway": Phase.NOT_SENT,
    "drop_connect": Phase.NOT_SENT,
    "drip_connect": Phase.NOT_SENT,
    "tls_drop": Phase.NOT_SENT,
    "tls_stall": Phase.NOT_SENT,
    "tls_garbage": Phase.NOT_SENT,
    "tls_chunks": Phase.NOT_SENT,
    "cut_request": Phase.MAYBE_SENT,
    "cut_before_answer": Phase.MAYBE_SENT,
    "cut_response": Phase.MAYBE_SENT,
    "never_answer": Phase.MAYBE_SENT,
    "half_close": Phase.MAYBE_SENT,
    "drip_response": Phase.MAYBE_SENT,
    "idle_dead": Phase.MAYBE_SENT,
    "idle_cut": Phase.MAYBE_SENT,
    "close_after_response": Phase.ANSWERED,
    "reset_after_response": Phase.ANSWERED,
}

Fault.NONE = Fault("none")


class FaultPlan:
    """Says which fault the next tunnel gets: what was scripted first, then random ones.

    The same seed gives the same faults to the same order of tunnels.

    Args:
        faults: what random ones are drawn from.
        rate: the share of the tunnels that a random one is meant for.
        seed: of the random ones.
        most_in_a_row: after so many random ones comes none; 0 for no such limit.
    """

    def __init__(self, faults: Iterable[Fault], rate: float, seed: int, most_in_a_row: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._script: deque[Fault] = deque()
        self._most_in_a_row = most_in_a_row
        self._in_a_row = 0
        self.set_random(faults, rate)

    def set_random(self, faults: Iterable[Fault], rate: float) -> None:
        """Draw from these faults from now on, for this share of the tunnels (0 to 1)."""
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"rate is the share of the tunnels that a fault strikes, from 0 to 1, not {rate}")
        checked = _checked(faults)
        with self._lock:
            self._faults, self._rate = checked, rate

    def script(self, faults: Iterable[Fault]) -> None:
        """Give these faults to the next tunnels, in this order, after those that were scripted before."""
        checked = _checked(faults)
        with self._lock:
            self._script.extend(checked)

    def draw(self) -> Fault:
        """The fault of the next tunnel."""
        with self._lock:
            if self._script:
                return self._script.popleft()
            share, which = self._random.random(), self._random.random()  # always two, so that a rate changes no later choice
            struck = self._faults and share < self._rate and not 0 < self._most_in_a_row <= self._in_a_row
            self._in_a_row = self._in_a_row + 1 if struck else 0
            if struck:
                return self._faults[int(which * len(self._faults))]
            return Fault.NONE


def _checked(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    found = tuple(faults)
    if wrong := [one for one in found if not isinstance(one, Fault)]:
        raise TypeError(f"a fault is a Fault, such as Fault.tls_drop(), and not {wrong[0]!r}; Fault.parse() makes one of a text")
    return found
