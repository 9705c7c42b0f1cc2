"""python-telegram-bot without a pool: its requests go out through syncbot's transport, each on a connection of its own.

```python
from syncbot.adapters.ptb import OneShotRequest

application = (
    ApplicationBuilder()
    .token(token)
    .request(OneShotRequest(proxy="http://proxy.example:3128"))
    .get_updates_request(OneShotRequest(proxy="http://proxy.example:3128"))
    .build()
)
```

Nothing else of the bot changes. With both given, python-telegram-bot makes no `HTTPXRequest`: httpx is imported (`import telegram` does that) and
never used, and httpcore is not even imported.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from telegram.error import NetworkError as TelegramNetworkError
from telegram.error import TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from syncbot.adapters.bodies import multipart
from syncbot.adapters.call_threads import CALLS_AT_ONCE, CallThreads, CallUnderWay
from syncbot.adapters.carrier import Carrier, Proxies, delivery, method_of
from syncbot.client.envelope import find_envelope
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NetworkError
from syncbot.secret import Secret
from syncbot.types import DEFAULT_DEADLINE, DEFAULT_MIN_RATE, AheadMode, Body, Request, Response, Transport, hidden_ways

ODV = Any
"""A timeout as python-telegram-bot passes it: seconds, None for none, or its DEFAULT_NONE for the one of this object."""


class OneShotRequest(BaseRequest):
    """A `telegram.request.BaseRequest` that has no pool: each call gets a new connection, a thread while it lasts, and a deadline.

    The timeouts have the names and defaults of `HTTPXRequest`. There they bound single steps; here `connect_timeout` bounds the way to Telegram in
    each attempt (look-up, proxy and TLS), write and read timeout are what the answer may take on top of it, and all four together bound the whole call.
    Large uploads and downloads get more, by their size. None, which means no bound there, means 60 seconds here.

    A call that was certainly never sent is tried again within that time; one that may have been carried out never is. Errors are those of
    python-telegram-bot; the `__cause__` of a `TimedOut` or `NetworkError` is syncbot's error, whose `phase` tells whether it was sent.

    Args:
        proxy: the ways to Telegram in order of preference: a proxy URL, or several; none takes HTTPS_PROXY, ALL_PROXY and NO_PROXY from the environment.
        read_timeout, write_timeout, connect_timeout, pool_timeout, media_write_timeout: seconds, as above; the last one takes the place of
            `write_timeout` where files are sent.
        ca_file: PEM file with the CA certificates to trust; None takes SYNCBOT_CA_FILE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE, else certifi's.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        retry: how often a call is tried that was never sent; None tries once.
        ahead: what is opened ahead. "auto": while somebody talks (a call within the last five minutes, or a poll on the same transport that has brought
            updates) a connection stands ready for the next call, and more under load; a number is as in `syncbot.Bot(ahead=…)`, and 0 opens none.
        calls_at_once: how many calls may be under way; further ones wait their turn within their time. Polls do not count.
        transport: what carries the requests instead of one made of these settings; it is left open at shutdown.

    Raises:
        ConfigError: a proxy is malformed.
    """

    def __init__(
        self,
        proxy: Proxies = (),
        *,
        read_timeout: float | None = 5.0,
        write_timeout: float | None = 5.0,
        connect_timeout: float | None = 5.0,
        pool_timeout: float | None = 1.0,
        media_write_timeout: float | None = 20.0,
        ca_file: str | Path | None = None,
        ipv4: bool = False,
        dns_cache: float = 0.0,
        retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # a frozen value is safe as a default
        ahead: AheadMode = "auto",
        calls_at_once: int = CALLS_AT_ONCE,
        transport: Transport | None = None,
    ) -> None:
        ways = hidden_ways(proxy)
        del proxy
        self._carrier = Carrier(ways, ca_file=ca_file, ipv4=ipv4, dns_cache=dns_cache, retry=retry, ahead=ahead, transport=transport)
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._connect_timeout = connect_timeout
        self._pool_timeout = pool_timeout
        self._media_write_timeout = media_write_timeout
        self._calls = CallThreads(self._carrier, calls_at_once)
        self._is_closed = False

    @property
    def read_timeout(self) -> float | None:
        """The read timeout where a call brings none; python-telegram-bot adds a poll's waiting to it."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Make ready for calls, also after a `shutdown`."""
        self._is_closed = False

    async def shutdown(self) -> None:
        """End the calls under way at once, and let go of everything."""
        self._is_closed = True
        await self._calls.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODV = BaseRequest.DEFAULT_NONE,
        write_timeout: ODV = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODV = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODV = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call; python-telegram-bot's own classes do that.

        Returns:
            The HTTP status and the body of the answer.

        Raises:
            TimedOut: its time was up.
            telegram.error.NetworkError: no answer came for another reason.
        """
        hidden = Secret(url)
        del url
        if self._is_closed:
            raise RuntimeError("this OneShotRequest is shut down; call initialize() first")
        self._carrier.guard_token(hidden)
        has_files = request_data is not None and request_data.contains_files
        connect = _given(connect_timeout, self._connect_timeout)
        total = connect + _given(write_timeout, self._media_write_timeout if has_files else self._write_timeout) + _given(read_timeout, self._read_timeout)
        ends_at = time.monotonic() + total + _given(pool_timeout, self._pool_timeout)
        try:
            word = method_of(hidden.reveal())
            response = await self._calls.in_turn(word, lambda call: self._carry_out(call, hidden, method, request_data, (connect, total), ends_at), ends_at)
        except NetworkError as error:
            kind = TimedOut if error.timed_out else TelegramNetworkError
            raise kind(delivery(error)) from error
        return _status(response), response.body

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer; python-telegram-bot's own classes do that. Its numbers are finite, and a `retry_after` is an hour at most.

        Raises:
            TelegramError: it is not Telegram's.
        """
        envelope = find_envelope(payload)
        if envelope is None:
            raise TelegramError("Invalid server response")
        return envelope

    def _carry_out(self, call: CallUnderWay, url: Secret[str], verb: str, data: RequestData | None, seconds: tuple[float, float], ends_at: float) -> Response:
        """The blocking part, in its thread; `seconds` are what the way to Telegram may take, and an attempt in all."""
        try:
            content_type, body = _encode(data)
        except (OSError, TypeError, ValueError) as problem:
            raise TelegramError(f"a file cannot be sent: {problem}") from problem
        size = len(body) if isinstance(body, bytes) else body.size
        ends_at += size / DEFAULT_MIN_RATE
        method, is_download = method_of(url.reveal()), verb == "GET"
        request = Request(
            url,
            method,
            verb,
            headers={"User-Agent": self.USER_AGENT} | ({} if is_download else {"Content-Type": content_type}),
            body=None if is_download else body,
            timeout=seconds[1],
            connect_timeout=seconds[0],
            # How long a file or a large batch of updates takes, its size decides, which comes with the answer; the attempt stays bounded by that.
            deadline=None if is_download or method == "getUpdates" else ends_at,
            scope=call.scope,
            stop=call.stop,
        )
        return self._carrier.carry(request, ends_at=ends_at, stop=call.stop)


def _status(response: Response) -> int:
    """The status, by which python-telegram-bot tells a refusal; one that comes with "ok": true would end in a KeyError there."""
    if response.status > 299 or not response.body.startswith(b"{") or response.body.startswith(b'{"ok":true'):
        return response.status
    envelope = find_envelope(response.body)
    if envelope is None or envelope["ok"]:
        return response.status
    code: int = envelope["error_code"]
    return code if 400 <= code < 600 else 500


def _given(timeout: ODV, own: float | None) -> float:
    """The seconds of a timeout; a call's own wins, and what is to have no bound gets a wide one."""
    seconds = own if isinstance(timeout, type(BaseRequest.DEFAULT_NONE)) else timeout
    return DEFAULT_DEADLINE if seconds is None else float(seconds)


def _encode(data: RequestData | None) -> tuple[str, bytes | Body]:
    if data is None:
        return "application/x-www-form-urlencoded", b""
    if not data.contains_files:
        return "application/x-www-form-urlencoded", data.url_encoded_parameters().encode("ascii")
    body = multipart(data.json_parameters, data.multipart_data.items())
    return body.content_type, body
