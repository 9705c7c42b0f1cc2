"""How each fault does its harm: a hook or two that differ."""

from __future__ import annotations

from syncbot.testing.proxy.fault_kinds import Fault
from syncbot.testing.proxy.loop import Timer
from syncbot.testing.proxy.tunnel import Behaviour, Tunnel

_GARBAGE = b"\x00\xff garbage, not TLS \x00\xff" * 4
_CHUNK_GAP_SECONDS = 0.02  # long enough that two chunks arrive as two
_ACKNOWLEDGE_SECONDS = 0.01


class _Refuse(Behaviour):
    def accepted(self, tunnel: Tunnel) -> None:
        tunnel.strike()
        tunnel.close(reset=self.fault.reset)


class _BadGateway(Behaviour):
    def asked(self, tunnel: Tunnel) -> bool:
        tunnel.strike()
        tunnel.refuse(502)
        return True


class _DropConnect(Behaviour):
    def asked(self, tunnel: Tunnel) -> bool:
        tunnel.strike()
        tunnel.close(reset=self.fault.reset)
        return True


class _DripConnect(Behaviour):
    def granting(self, tunnel: Tunnel) -> None:
        tunnel.strike()
        tunnel.client.pace = self.fault.bytes_per_second


class _TlsDrop(Behaviour):
    scans = True

    def client_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        if tunnel.scanner.tls:
            tunnel.strike()
            self.harm(tunnel)
        else:
            super().client_bytes(tunnel, handshake, application)

    def harm(self, tunnel: Tunnel) -> None:
        tunnel.close(reset=self.fault.reset)


class _TlsStall(_TlsDrop):
    def harm(self, tunnel: Tunnel) -> None:
        tunnel.swallow()


class _TlsGarbage(_TlsDrop):
    def harm(self, tunnel: Tunnel) -> None:
        tunnel.down(_GARBAGE)
        tunnel.swallow()


class _TlsChunks(Behaviour):
    scans = True

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self._flight = b""

    def server_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        if not tunnel.scanner.tls:
            super().server_bytes(tunnel, handshake, application)
            return
        self._flight += handshake
        if len(self._flight) >= self.fault.chunks * self.fault.chunk_bytes:
            tunnel.strike()
            tunnel.swallow()
            self._next(tunnel, 0)

    def _next(self, tunnel: Tunnel, sent: int) -> None:
        if tunnel.closed:
            return
        if sent == self.fault.chunks:
            tunnel.close(reset=self.fault.reset)
            return
        size = self.fault.chunk_bytes
        tunnel.down(self._flight[sent * size : (sent + 1) * size])
        tunnel.loop.later(_CHUNK_GAP_SECONDS, lambda: self._next(tunnel, sent + 1))


class _CutRequest(Behaviour):
    scans = True

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self._left = fault.after_bytes

    def client_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        passing = application[: self._left]
        self._left -= len(passing)
        tunnel.up(handshake + passing)
        if len(passing) < len(application) and tunnel.server is not None:
            tunnel.strike()
            tunnel.cut(tunnel.server, reset=self.fault.reset)


class _CutResponse(Behaviour):
    """Covers the cut before the answer too, where `after_bytes` is 0."""

    scans = True
    watches_answer = True

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self._left = fault.after_bytes

    def answer(self, tunnel: Tunnel, application: bytes) -> None:
        passing = application[: self._left]
        self._left -= len(passing)
        tunnel.down(passing)
        if len(passing) < len(application):
            tunnel.strike()
            self.harm(tunnel)

    def harm(self, tunnel: Tunnel) -> None:
        tunnel.cut(tunnel.client, reset=self.fault.reset)


class _NeverAnswer(_CutResponse):
    def harm(self, tunnel: Tunnel) -> None:
        tunnel.swallow()


class _HalfClose(_CutResponse):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self._ended = False

    def answer(self, tunnel: Tunnel, application: bytes) -> None:
        if not self._ended:
            super().answer(tunnel, application)

    def harm(self, tunnel: Tunnel) -> None:
        self._ended = True
        tunnel.client.end()

    def server_ended(self, tunnel: Tunnel) -> None:
        if not self._ended:
            super().server_ended(tunnel)


class _DripResponse(Behaviour):
    scans = True
    watches_answer = True

    def answer(self, tunnel: Tunnel, application: bytes) -> None:
        tunnel.strike()
        tunnel.client.when_flushed(lambda: self._drip(tunnel))
        tunnel.down(application)

    def _drip(self, tunnel: Tunnel) -> None:
        tunnel.client.pace = self.fault.bytes_per_second


class _IdleDead(Behaviour):
    def standing(self, tunnel: Tunnel) -> None:
        tunnel.after_silence(self.fault.after_seconds, self.fault.name, tunnel.swallow)


class _IdleCut(Behaviour):
    def standing(self, tunnel: Tunnel) -> None:
        tunnel.after_silence(self.fault.after_seconds, self.fault.name, lambda: tunnel.close(reset=self.fault.reset))


class _EndAfterResponse(Behaviour):
    """The proxy cannot read TLS, so the answer is over when the server closed or nothing followed for a while."""

    scans = True
    watches_answer = True

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self._timer: Timer | None = None

    def client_bytes(self, tunnel: Tunnel, handshake: bytes, application: bytes) -> None:
        self._wait_no_more()
        super().client_bytes(tunnel, handshake, application)

    def answer(self, tunnel: Tunnel, application: bytes) -> None:
        self._wait_no_more()
        tunnel.down(application)
        self._timer = tunnel.loop.later(self.fault.after_seconds, lambda: self._over(tunnel))

    def server_ended(self, tunnel: Tunnel) -> None:
        if self._timer is None:
            super().server_ended(tunnel)
        else:
            self._wait_no_more()
            self._over(tunnel)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self, tunnel: Tunnel) -> None:
        if tunnel.closed:
            return
        if tunnel.client.queued or tunnel.client.unacknowledged():  # RST would take it from the client
            self._timer = tunnel.loop.later(_ACKNOWLEDGE_SECONDS, lambda: self._over(tunnel))
            return
        tunnel.strike()
        tunnel.close(reset=self.fault.reset)


_BEHAVIOURS: dict[str, type[Behaviour]] = {
    "none": Behaviour,
    "refuse": _Refuse,
    "auth_required": Behaviour,  # the negotiation itself refuses the credentials
    "bad_gateway": _BadGateway,
    "drop_connect": _DropConnect,
    "drip_connect": _DripConnect,
    "tls_drop": _TlsDrop,
    "tls_stall": _TlsStall,
    "tls_garbage": _TlsGarbage,
    "tls_chunks": _TlsChunks,
    "cut_request": _CutRequest,
    "cut_before_answer": _CutResponse,
    "cut_response": _CutResponse,
    "never_answer": _NeverAnswer,
    "half_close": _HalfClose,
    "drip_response": _DripResponse,
    "idle_dead": _IdleDead,
    "idle_cut": _IdleCut,
    "close_after_response": _EndAfterResponse,
    "reset_after_response": _EndAfterResponse,
}


def behaviour_of(fault: Fault) -> Behaviour:
    """The behaviour of one tunnel with this fault."""
    return _BEHAVIOURS[fault.name](fault)
