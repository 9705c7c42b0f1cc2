"""The transport: one session, one connection, one request, and a bound on everything."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests

from syncbot.errors import NetworkError, NotSent, Phase, ProxyAuthRequired, SyncBotError
from syncbot.secret import Secret
from syncbot.transport.dialing.dialer import Dialer, Target, way_name
from syncbot.transport.dialing.resolver import LookUp, Resolver
from syncbot.transport.dialing.tunnel import authorization_line
from syncbot.transport.failures import AnswerTooLarge, failure
from syncbot.transport.http import CallSession, Exchange, OneShotAdapter, prepare, request_line
from syncbot.transport.learned import Learned
from syncbot.transport.mocks import failure_of_mock, is_mocked
from syncbot.transport.secure.tls import Tls
from syncbot.transport.standing.ahead import Ahead
from syncbot.transport.standing.idle_limits import IdleLimits
from syncbot.transport.traffic import Traffic
from syncbot.transport.watchdog import Attempt, Watchdog
from syncbot.transport.ways import COOL_DOWN_SECONDS, Ways, bypasses_proxy
from syncbot.types import DIRECT, AheadAuto, AheadMode, Body, Early, Proxy, Request, Response, stated_size

_log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The largest answer that is kept in memory; a batch of 100 updates stays far below."""
_CHUNK_BYTES = 65_536

_Result = TypeVar("_Result")


class _FailedHere(Exception):
    """Reading an upload's body, or writing a download, failed on this machine and not on the network."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class OneShotTransport:
    """Makes every attempt in a new `requests.Session` on a new connection, and closes both at once.

    Args:
        proxies: the ways to Telegram in order of preference; none means a direct connection. One that fails rests while the next serves.
        no_proxy: hosts that are reached without a proxy, as in NO_PROXY.
        ca_file: PEM file with the CA certificates to trust instead of certifi's.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        look_up: looks names up instead of the system: `look_up(host, port, family)` returns pairs of an address family and a socket address.
        cool_down: seconds that a failing proxy rests at first.
        max_answer_bytes: a larger answer is refused.
        ahead: how many connections may stand ready for the next calls while calls follow each other, or "auto" for one while somebody talks and more
            under load (`syncbot.types.AheadAuto` for other numbers than its own); each serves one call.
        early: whether an opening through a proxy is written in one flight: on ways that were seen to take it ("learn"), "never" or "always".
        tls_groups: the keys that a handshake offers: what the server was seen to take ("learn"), all ("default"), or the name of one.
        clock: seconds, never going backwards.
    """

    def __init__(
        self,
        proxies: Sequence[Proxy] = (),
        *,
        no_proxy: str | Secret[str] = "",
        ca_file: Path | None = None,
        ipv4: bool = False,
        dns_cache: float = 0.0,
        look_up: LookUp | None = None,
        cool_down: float = COOL_DOWN_SECONDS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        ahead: AheadMode = 0,
        early: Early = "learn",
        tls_groups: str = "learn",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ways = Ways(proxies, cool_down, clock)
        self._no_proxy = Secret(no_proxy)
        resolver = Resolver(ipv4=ipv4, cache_seconds=dns_cache, clock=clock, look_up=look_up)
        self.idle_limits = IdleLimits()
        self.learned = Learned(idle=self.idle_limits)
        """What its connections have taught of ways and servers; whoever has a place for that may keep it."""
        self._dialer = Dialer(Tls(ca_file, tls_groups, self.learned), resolver, clock, early=early, learned=self.learned)
        self._watchdog = Watchdog(clock=clock)
        self._ahead = Ahead(ahead, self._dialer, self._watchdog, self.idle_limits, clock)
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock

    def send(self, request: Request) -> Response:
        """Make one attempt; see `syncbot.types.Transport.send`."""
        started = self._clock()
        target, mocked = Target.of(request), is_mocked()
        bypassed = bool(self._no_proxy) and bypasses_proxy(target.host, target.port, self._no_proxy.reveal())
        proxy = DIRECT if bypassed else self._ways.pick()
        expires_at = started + _connect_seconds(request)
        if request.deadline is not None:
            expires_at = min(expires_at, request.deadline)
        outcome: Response | Exception
        with self._watchdog.watch(request, expires_at) as attempt:
            try:
                session, prepared = self._exchange(request, target, proxy, attempt, mocked=mocked)
                with session, closing(session.send(prepared, stream=True, allow_redirects=False, timeout=request.timeout, proxies={})) as answer:
                    outcome = self._read(request, answer, attempt, proxy)
            except SyncBotError as error:
                outcome = error
            except _FailedHere as error:
                outcome = error.cause
            except Exception as error:  # a hostile answer makes the libraries below raise what they never meant to
                came_from_mock = mocked and attempt.stage == "resolve" and not attempt.cut
                outcome = failure_of_mock(error, request, proxy) if came_from_mock else failure(error, attempt, proxy)
        if isinstance(outcome, Response) and outcome.status == 407 and not proxy.is_direct and not target.tls:
            outcome = ProxyAuthRequired("the proxy wants a user and a password (407)", stage="proxy", method=request.method, proxy=str(proxy))
        self._learn(outcome, request, target, proxy, attempt, bypassed or mocked, self._clock() - started)
        if not mocked:
            self._look_ahead(outcome, target, proxy, attempt)
        if isinstance(outcome, Response):
            return outcome
        # Raised here, where no foreign error becomes its context; the way through the libraries below helps nobody.
        raise outcome.with_traceback(None)

    def _learn(self, outcome: Response | Exception, request: Request, target: Target, proxy: Proxy, attempt: Attempt, bypassed: bool, seconds: float) -> None:
        """What an outcome says of its way, and what the way says of an error."""
        if isinstance(outcome, Response):
            if not bypassed:
                self._ways.worked(proxy)
            _log.debug("%s by way of %s: %d, %d bytes, after %.3f s", request.method, proxy, outcome.status, len(outcome.body), seconds)
        if isinstance(outcome, NetworkError):
            # A poll that was cut says little about its proxy: many cut what is idle for long.
            if not bypassed and attempt.cut != "abort" and (isinstance(outcome, NotSent) or not request.wait):
                outcome.failover = self._ways.failed(proxy)
            if isinstance(outcome, ProxyAuthRequired):
                # Wrong credentials stay wrong; a proxy that took them before has a passing trouble of its own.
                outcome.retryable = self._ways.is_proven(proxy)
            outcome.elapsed = seconds
            _log.debug("%s by way of %s: %s (%s, %s), after %.3f s", request.method, proxy, outcome, outcome.phase, outcome.stage, seconds)

    def _look_ahead(self, outcome: Response | Exception, target: Target, proxy: Proxy, attempt: Attempt) -> None:
        """What an outcome says of what comes next, and of how long a connection may stand on its way."""
        way, is_poll, silence_seconds = way_name(target, proxy), attempt.request.is_poll, self._clock() - attempt.written_at
        if isinstance(outcome, Response):
            if is_poll and outcome.status == 200:
                self._ahead.came(target, proxy, outcome.body.count(b'"update_id"'))
                self.idle_limits.poll_passed(way, silence_seconds)
        elif isinstance(outcome, NetworkError) and outcome.phase is Phase.MAYBE_SENT and attempt.cut != "abort":
            if not is_poll:
                self._ahead.drop(target, proxy)
                self.idle_limits.spare_lost(way, attempt.stood_seconds, silent=outcome.timed_out and outcome.stage != "body")
            elif outcome.stage == "receive":
                self.idle_limits.poll_ended(way, silence_seconds, silent=outcome.timed_out)

    def abort(self, scope: str) -> int:
        """End every request of this scope at once, from any thread; returns how many there were. Connections opened ahead are closed."""
        self._ahead.close()
        return self._watchdog.abort(scope)

    @property
    def ahead(self) -> int | AheadAuto:
        """How many connections may stand ready for the next calls; may be changed at any time, 0 closes those that stand."""
        return self._ahead.mode

    @ahead.setter
    def ahead(self, mode: AheadMode) -> None:
        self._ahead.mode = mode

    def expect_calls(self) -> None:
        """Somebody talks, and has been heard of by another way than a poll."""
        self._ahead.expect_calls()

    def in_a_row(self) -> AbstractContextManager[None]:
        """Open connections ahead meanwhile, also where `ahead` is 0, since calls follow each other."""
        return self._ahead.in_a_row()

    @property
    def standing(self) -> int:
        """How many connections stand ready now."""
        return self._ahead.standing

    @property
    def failure(self) -> BaseException | None:
        """What has last ended one of its threads; None where nothing ever has. The next call starts such a thread anew."""
        return self._watchdog.failure or self._ahead.failure

    @property
    def traffic(self) -> Traffic:
        """The bytes on the wire so far, those of the attempts under way included."""
        return self._watchdog.traffic

    def close(self) -> None:
        """End what is under way and the watchdog's thread; a later `send` starts anew."""
        self._ahead.close(join_seconds=1.0)
        self._watchdog.close()

    def _exchange(self, request: Request, target: Target, proxy: Proxy, attempt: Attempt, *, mocked: bool) -> tuple[CallSession, requests.PreparedRequest]:
        """The session that carries out a request, and what it is told of it: a mock gets the real URL, and a body in one piece."""
        forwarded = proxy.scheme in ("http", "https") and not target.tls  # such a proxy takes the full URL, and its credentials with each request
        head = Secret(request_line(request, f"http://{target}" if forwarded else "").reveal() + (authorization_line(proxy).reveal() if forwarded else ""))

        body = request.body
        size = len(body) if isinstance(body, bytes) else body.size if body is not None else 0
        # A poll's waiting and the moving of a large body begin where the connection stands; getting there has the timeout alone.
        extra_seconds = request.timeout - _connect_seconds(request) + request.wait + (0.0 if isinstance(body, bytes) else size / request.min_rate)

        opened: list[socket.socket] = []

        def open_socket() -> socket.socket:
            sock = self._ahead.take(target, proxy, attempt) or self._dialer.open(target, proxy, attempt, waited_for=not request.wait)
            opened.append(sock)
            attempt.stage = "send"  # from here on, bytes of the request may be on their way
            attempt.extend(extra_seconds)
            sock.settimeout(max(0.001, attempt.expires_at - self._clock()))
            return sock

        def sending() -> None:
            if request.sending is not None:
                _blame_us(request.sending)

        def written() -> None:
            attempt.stage, attempt.written_at = "receive", self._clock()
            self._ahead.taken(target, proxy, attempt)

        def answered() -> None:
            if attempt.cut:
                raise TimeoutError  # a head that is cut looks like a head that is complete
            self._dialer.remember(opened[0], target)

        content = body if body is None or isinstance(body, bytes) else b"".join(_chunks(body)) if mocked else _chunks(body)
        scheme, public_path = "https" if target.tls else "http", f"/{quote(request.method)}"
        prepared = prepare(request.verb, request.url if mocked else f"{scheme}://{target}{public_path}", request.headers, content, size)
        remaining = max(0.001, attempt.expires_at + extra_seconds - self._clock())
        exchange = Exchange(open_socket, sending, written, answered, head, public_path, target.host, target.port, 443 if target.tls else 80)
        if mocked:
            sending()  # nobody connects there
        session = CallSession()
        session.mount(f"{scheme}://", OneShotAdapter(exchange, remaining))
        return session, prepared

    def _read(self, request: Request, answer: requests.Response, attempt: Attempt, proxy: Proxy) -> Response:
        attempt.stage = "body"
        size = stated_size(answer.headers.get("Content-Length", ""))
        if size is not None and size > _CHUNK_BYTES:
            attempt.extend(size / request.min_rate)
        sink = request.sink
        kept: list[bytes] = []
        room_bytes = self._max_answer_bytes
        if sink is not None and _blame_us(sink.begin, answer.status_code, answer.headers):
            for chunk in answer.raw.stream(_CHUNK_BYTES, decode_content=True):
                _blame_us(sink.write, chunk)
        elif size is not None and size > room_bytes:
            raise AnswerTooLarge
        elif size is not None and size <= _CHUNK_BYTES and "Content-Encoding" not in answer.headers:
            kept.append(answer.raw.read())  # what nearly every answer is: small, and as long as it says
        else:
            for chunk in answer.raw.stream(_CHUNK_BYTES, decode_content=True):
                kept.append(chunk)
                room_bytes -= len(chunk)
                if room_bytes < 0:
                    raise AnswerTooLarge
        if attempt.cut and size is None:
            raise TimeoutError  # a body without a length ends with the connection, also when it is cut
        return Response(answer.status_code, answer.headers, b"".join(kept), str(proxy))


def _connect_seconds(request: Request) -> float:
    return request.timeout if request.connect_timeout is None else min(request.connect_timeout, request.timeout)


def _blame_us(step: Callable[..., _Result], *arguments: Any) -> _Result:
    """Run a step of an upload's body or a download's sink; its errors are not the network's."""
    try:
        return step(*arguments)
    except Exception as error:
        raise _FailedHere(error) from None


def _chunks(body: Body) -> Iterator[bytes]:
    chunks = iter(body)
    while (chunk := _blame_us(next, chunks, None)) is not None:
        yield chunk
