"""What the bridges share: a transport of their own, retry of what was never sent, and keeping the token to themselves."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from syncbot.client.retry import Retrier, RetryPolicy
from syncbot.config import from_environment, given_ways
from syncbot.errors import NetworkError, NotSent
from syncbot.logs import guard
from syncbot.secret import Secret
from syncbot.types import AheadMode, HiddenWays, Proxy, Request, Response, Transport, hidden_ways

Proxies = Sequence[str | Secret[str] | Proxy] | str | Secret[str] | Proxy
"""One way to the server or several, in order of preference: proxy URLs, "direct", or `Proxy` values; none takes them from the environment."""

NO_RETRY = RetryPolicy(attempts=1)
_NEVER = Response(0, {}, b"")
"""Stands where the retrier wants a result for calls that an earlier attempt did; only an API's refusal, which is not read here, shows that."""

_TOKEN = re.compile(r"/bot(\d+:[^/?#]+)|(\d+:[A-Za-z0-9_-]{20,})")
_METHOD = re.compile(r"[A-Za-z]{1,64}")


class Carrier:
    """Makes the calls of another library, each attempt on a connection of its own.

    Args:
        proxies: the ways to the server.
        ca_file: PEM file with the CA certificates to trust; None takes SYNCBOT_CA_FILE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE, else certifi's.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        retry: how often a call is tried that was certainly never sent; None tries once.
        ahead: what is opened ahead, as `syncbot.Bot(ahead=…)`.
        transport: what carries the requests instead of one made of these settings; it is not closed here.

    Raises:
        ConfigError: a setting is wrong.
    """

    def __init__(
        self,
        proxies: Proxies | HiddenWays = (),
        *,
        ca_file: str | Path | None = None,
        ipv4: bool = False,
        dns_cache: float = 0.0,
        retry: RetryPolicy | None = None,
        ahead: AheadMode = 0,
        transport: Transport | None = None,
    ) -> None:
        given = hidden_ways(proxies)
        del proxies
        self._own = transport is None
        self._retry = retry or NO_RETRY
        self._guarded: set[Secret[str]] = set()
        self._redactor = guard()
        if transport is None:
            from syncbot.transport import OneShotTransport  # deferred: whoever brings a transport need not load requests

            ways, no_proxy = given_ways(given, Secret(""))
            guard(*ways)
            ca_path = from_environment("ca_file").get("ca_file") if ca_file is None else Path(ca_file)
            transport = OneShotTransport(ways, no_proxy=no_proxy, ca_file=ca_path, ipv4=ipv4, dns_cache=dns_cache, ahead=ahead)
        self.transport = transport

    def carry(self, request: Request, *, ends_at: float, stop: threading.Event, repeatable: bool = False) -> Response:
        """Carry a request out, and again where it was never sent.

        Args:
            request: what to send.
            ends_at: `time.monotonic()` after which no attempt begins.
            stop: ends waits; no attempt begins once it is set.
            repeatable: carrying it out twice does no harm, so that it is tried again as well where it may have been sent.

        Raises:
            NotSent: it never left.
            NetworkError: (`phase` MAYBE_SENT) it may have been carried out.
        """
        retrier = Retrier(self._retry, method=request.method, repeatable=repeatable, deadline=ends_at, stop=stop)

        def once() -> Response:
            if time.monotonic() >= ends_at:
                raise NotSent("its turn did not come in time", method=request.method, stage="limit", retryable=False, timed_out=True)
            return self.transport.send(request)

        return self._clean(request, retrier.run(once, already_done=_NEVER))

    def _clean(self, request: Request, response: Response) -> Response:
        """The answer; where it is an error's page or text, without secrets: it may repeat the URL, and other libraries print it."""
        is_api = bool(token_of(request.url)) and request.method != "download"
        if response.status < 400 and (response.body[:1] in (b"{", b"") or not is_api):
            return response
        text = response.body.decode("utf-8", "surrogateescape")
        return replace(response, body=self._redactor.text(text).encode("utf-8", "surrogateescape"))

    def guard_token(self, url: Secret[str]) -> None:
        """Keep the token that a URL of the Bot API holds out of the logs."""
        token = Secret(token_of(url.reveal()))
        if token and token not in self._guarded:
            guard(token)
            self._guarded.add(token)

    def close(self) -> None:
        """End what is under way, if the transport is our own."""
        if self._own:
            self.transport.close()


def token_of(url: str) -> str:
    """The bot token in a URL of the Bot API; "" where there is none."""
    found = _TOKEN.search(url)
    return (found.group(1) or found.group(2)) if found else ""


def method_of(url: str) -> str:
    """The method in a URL of the Bot API, for texts and errors; nothing that could be a token."""
    path = urlsplit(url).path
    last = path.rpartition("/")[2]
    if "/file/" in path:
        return "download"
    return last if _METHOD.fullmatch(last) else "request"


def delivery(error: NetworkError) -> str:
    """An error's text, and whether the request can have arrived."""
    return f"{error} ({'never sent' if isinstance(error, NotSent) else 'it may have been carried out'}; way: {error.proxy})"
