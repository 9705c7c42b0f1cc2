"""A real proxy on 127.0.0.1 that does harm on purpose, for tests of anything that speaks through proxies."""

from __future__ import annotations

import contextlib
import errno
import logging
import secrets
import selectors
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any
from urllib.parse import quote

from syncbot.testing.proxy.counters import Stats, TunnelTarget
from syncbot.testing.proxy.fault_behaviours import behaviour_of
from syncbot.testing.proxy.fault_kinds import Fault, FaultPlan
from syncbot.testing.proxy.loop import Loop
from syncbot.testing.proxy.proxy_options import ProxyOptions
from syncbot.testing.proxy.tunnel import Tunnel

_BACKLOG = 1024
_DESCRIPTORS_AGAIN_SECONDS = 0.1
_log = logging.getLogger(__name__)


class FaultProxy:
    """A proxy with faults: HTTP CONNECT, absolute-form HTTP, SOCKS5, SOCKS4 and 4a on one port, told apart by the first byte.

    ```python
    with FaultProxy(faults=[Fault.tls_drop()], rate=0.05, seed=1) as proxy:
        bot = Bot(token, proxies=[proxy.url])
        ...
        assert proxy.struck["tls_drop"] > 5
    ```

    It connects to loopback addresses only; every other target is refused with 403. One thread serves all tunnels; `close` ends it, and leaves no thread
    and no socket, however many tunnels are stalled.

    Args:
        kind: the scheme of `url`: "http", "socks4", "socks4a", "socks5" or "socks5h". The listener speaks them all. Or "https", with `tls`: the same, spoken
            inside TLS. Or "relay", with `target`: no proxy at all, every connection goes to the target; a client takes its address for the server's.
        username, password: what a client must bring; none when both are empty. SOCKS4 checks the name alone.
        faults: the faults that random ones are drawn from.
        rate: the share of the tunnels that a random fault is meant for, 0 to 1.
        seed: makes the random faults repeatable: the same seed and order of tunnels give the same faults. By default a new one; a warning logs it.
        most_in_a_row: how many tunnels in a row a random fault may strike; 0 for any number.
        rtt: seconds of round-trip time to the server: a whole one before the tunnel stands (for the server's TCP handshake), half of one on each byte in each
            direction. It does not limit the throughput.
        rate_limit_bytes: bytes a second in each direction of each tunnel; 0 for no limit.
        idle_cut_after_seconds: the idle limit of the way: every tunnel without a byte for so long is cut; 0 for none. Counted as "idle_cut".
        idle_dead_after_seconds: the same, but such a tunnel becomes a black hole. Counted as "idle_dead".
        drops_early: drop what a client writes before it is answered, as privoxy and microsocks do; may be changed while it runs.
        resolve: addresses of names, `{"api.telegram.org": "127.0.0.1:8443"}`; the key may have a port ("name:443"), the value too. "localhost" is known.
        target: where a relay leads, "127.0.0.1:8443".
        tls: for "https", a server's context with a certificate for 127.0.0.1.
        port: the port to listen on; 0 for a free one.
    """

    def __init__(
        self,
        kind: str = "http",
        *,
        username: str = "",
        password: str = "",
        faults: Iterable[Fault] = (),
        rate: float = 0.05,
        seed: int | None = None,
        most_in_a_row: int = 0,
        rtt: float = 0.0,
        rate_limit_bytes: float = 0.0,
        idle_cut_after_seconds: float = 0.0,
        idle_dead_after_seconds: float = 0.0,
        drops_early: bool = False,
        resolve: Mapping[str, str] | None = None,
        target: str = "",
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        if kind not in _KINDS:
            raise ValueError(f"kind is one of {', '.join(_KINDS)}, not {kind!r}")
        if (kind == "relay") is not bool(target) or (kind == "https") is not (tls is not None):
            raise ValueError('the kind "relay" needs `target`, the kind "https" needs `tls`, and no other kind takes them')
        self.kind = kind
        self.seed = secrets.randbits(32) if seed is None else seed
        faults = tuple(faults)
        # A run that nobody can repeat unless the seed is seen: worth a warning, which test runners show beside a failure.
        self._seed_level = logging.WARNING if faults and rate and seed is None else logging.INFO
        self._plan = FaultPlan(faults, rate, self.seed, most_in_a_row)
        self._stats = Stats()
        self._options = ProxyOptions(
            username=username,
            password=password,
            rtt=rtt,
            rate_limit_bytes=rate_limit_bytes,
            idle_cut_after_seconds=idle_cut_after_seconds,
            idle_dead_after_seconds=idle_dead_after_seconds,
            drops_early=drops_early,
            resolve=dict(resolve or {}),
            target=target,
            tls=tls,
        )
        self._port = port
        self._tunnels: set[Tunnel] = set()
        self._loop: Loop | None = None
        self._listener: socket.socket | None = None

    def start(self) -> FaultProxy:
        """Listen; what `with` does. After `close` it starts again on the same port, its counters and script going on."""
        if self._loop is not None:
            raise RuntimeError("the proxy is running already")
        self._listener = _bound(self._port)
        self._port = self._listener.getsockname()[1]
        self._loop = Loop(f"fault-proxy-{self._port}")
        self._listen(self._listener)
        self._loop.start()
        _log.log(self._seed_level, "fault proxy on port %d; its random faults come again with seed=%d", self._port, self.seed)
        return self

    def close(self) -> None:
        """End every tunnel, the listener and the thread."""
        if self._loop is not None:
            loop = self._loop
            loop.call(lambda: self._close_all(loop))
            loop.stop()
            self._loop = None
            if loop.problem is not None:
                raise RuntimeError("the fault proxy has a fault of its own") from loop.problem

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FaultProxy {self.kind} port={self._port} seed={self.seed}>"

    # Where it is.

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The proxy's URL, with the credentials that it asks for.

        Raises:
            RuntimeError: it was never started, and no port was given.
        """
        return self.url_for(self.kind)

    def url_for(self, kind: str, *, credentials: bool = True) -> str:
        """The URL for another scheme of the same listener, or without credentials ("https" for a relay in front of an HTTPS server)."""
        if not self._port:
            raise RuntimeError("the proxy is not running; use it with `with`, or call start()")
        secret = ""
        if credentials and (self._options.username or self._options.password):
            secret = f"{quote(self._options.username, safe='')}:{quote(self._options.password, safe='')}@"
        return f"{kind}://{secret}127.0.0.1:{self._port}"

    # What goes wrong.

    def script(self, *faults: Fault) -> None:
        """Give these faults to the next tunnels, in this order; `Fault.NONE` lets one pass. Random faults go on after them."""
        self._plan.script(faults)

    def set_random(self, faults: Iterable[Fault], rate: float) -> None:
        """Draw from these faults, for this share of the tunnels, from now on."""
        self._plan.set_random(faults, rate)

    @contextlib.contextmanager
    def refuse_connections(self) -> Iterator[None]:
        """Within it the port refuses connections (as if the proxy were not running) and nobody else can take it; standing tunnels go on."""
        loop = self._running()
        with contextlib.closing(_bound(self._port)):  # bound but not listening: keeps the port, and the system refuses
            loop.call(lambda: self._unlisten(loop))
            try:
                yield
            finally:
                self._listener = _bound(self._port)
                loop.call(lambda: self._listen(self._listener))

    def cut_all(self, *, reset: bool = False) -> int:
        """End every tunnel that is open now, as a restart of the proxy would; returns how many."""

        def cut() -> int:
            tunnels = list(self._tunnels)
            for tunnel in tunnels:
                tunnel.close(reset=reset)
            return len(tunnels)

        return self._running().call(cut)

    @property
    def drops_early(self) -> bool:
        """Whether it drops what a client writes before it is answered; may be changed at any time, for the tunnels that begin then."""
        return self._options.drops_early

    @drops_early.setter
    def drops_early(self, drops: bool) -> None:
        self._options = replace(self._options, drops_early=drops)

    @property
    def rtt(self) -> float:
        """Seconds of round-trip time to the server; may be changed at any time, for the tunnels that begin then."""
        return self._options.rtt

    @rtt.setter
    def rtt(self, seconds: float) -> None:
        self._options = replace(self._options, rtt=seconds)

    # What happened.

    @property
    def opened(self) -> int:
        """Connections accepted."""
        return self._stats.opened

    @property
    def open_now(self) -> int:
        """Connections open at this moment."""
        return self._stats.open_now

    @property
    def established(self) -> int:
        """Tunnels that stood: both sides connected and the client told so."""
        return self._stats.established

    @property
    def bytes_up(self) -> int:
        """Bytes passed on from clients to servers."""
        return self._stats.bytes_up

    @property
    def bytes_down(self) -> int:
        """Bytes passed on from servers to clients."""
        return self._stats.bytes_down

    @property
    def credential_failures(self) -> int:
        """Clients turned away for their credentials, those of `Fault.auth_required` not counted."""
        return self._stats.credential_failures

    @property
    def refused_targets(self) -> int:
        """Targets that are not on this machine."""
        return self._stats.refused_targets

    @property
    def came_early(self) -> int:
        """Tunnels whose client wrote on before it was answered: the beginning of TLS behind what it had to say to the proxy."""
        return self._stats.came_early

    @property
    def came_in_one(self) -> int:
        """Of those, the ones of which all that came in one piece."""
        return self._stats.came_in_one

    @property
    def struck(self) -> Counter[str]:
        """By name, the tunnels that a fault really struck."""
        with self._stats.changed:
            return Counter(self._stats.struck)

    @property
    def drawn(self) -> Counter[str]:
        """By name, the tunnels that a fault was meant for; "none" for those without."""
        with self._stats.changed:
            return Counter(self._stats.drawn)

    @property
    def targets(self) -> list[TunnelTarget]:
        """What the last thousand clients asked for, in order."""
        with self._stats.changed:
            return list(self._stats.targets)

    def summary(self) -> dict[str, Any]:
        """All counters, as JSON values."""
        plain = ("opened", "open_now", "established", "bytes_up", "bytes_down", "credential_failures", "refused_targets", "came_early", "came_in_one")
        return {"port": self.port, "seed": self.seed, **{name: getattr(self, name) for name in plain}, "struck": dict(self.struck), "drawn": dict(self.drawn)}

    def wait_for(self, predicate: Callable[[], object], timeout: float = 20.0) -> bool:
        """Wait until the predicate holds, such as `lambda: proxy.open_now == 0`; it is asked anew after each change of a counter. Returns whether it holds."""
        return self._stats.wait_for(predicate, timeout)

    # In the loop's thread.

    def _running(self) -> Loop:
        if self._loop is None:
            raise RuntimeError("the proxy is not running")
        return self._loop

    def _listen(self, listener: socket.socket | None) -> None:
        assert listener is not None
        listener.listen(_BACKLOG)
        self._running().watch(listener, selectors.EVENT_READ, lambda _events: self._accept(listener))

    def _unlisten(self, loop: Loop) -> None:
        if self._listener is not None:
            loop.watch(self._listener, 0, lambda _events: None)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError as problem:
            if problem.errno in (errno.EMFILE, errno.ENFILE):  # the event would come again at once, and for ever
                loop = self._running()
                loop.watch(listener, 0, lambda _events: None)
                loop.later(_DESCRIPTORS_AGAIN_SECONDS, lambda: self._listen(listener) if listener is self._listener else None)
            return
        fault = self._plan.draw()
        self._stats.draw(fault.name)
        tunnel = Tunnel(self._running(), sock, behaviour_of(fault), options=self._options, stats=self._stats, on_closed=self._closed)
        self._tunnels.add(tunnel)
        tunnel.start()

    def _closed(self, tunnel: Tunnel) -> None:
        self._tunnels.discard(tunnel)
        self._stats.add(open_now=-1)

    def _close_all(self, loop: Loop) -> None:
        self._unlisten(loop)
        for tunnel in list(self._tunnels):
            tunnel.close()


_KINDS = ("http", "https", "socks4", "socks4a", "socks5", "socks5h", "relay")


def _bound(port: int) -> socket.socket:
    """A socket bound to this port of 127.0.0.1, which another one of ours may share."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock
