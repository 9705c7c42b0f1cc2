"""pyTelegramBotAPI (telebot) without a pool: its requests go out through syncbot's transport, each on a connection of its own.

```python
import telebot
from syncbot.adapters.telebot import install

install(proxies=["socks5h://127.0.0.1:1080", "direct"])

bot = telebot.TeleBot(token)
```

For the synchronous `TeleBot`; the asyncio one (`telebot.async_telebot`) has another way of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from requests.utils import select_proxy
from telebot import apihelper

from syncbot.adapters.carrier import Carrier, Proxies, method_of, token_of
from syncbot.adapters.http import as_requests_error, as_response, form_body
from syncbot.client.envelope import as_envelope, read_json
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NetworkError, Phase
from syncbot.secret import Secret
from syncbot.types import DEFAULT_DEADLINE, DEFAULT_MIN_RATE, AheadMode, HiddenWays, Proxy, Request, Response, Transport, hidden_ways

_hooks: Any = apihelper  # its settings are module variables without types
_POLL = "poll"
_NOTHING_NEW = Response(200, {"Content-Type": "application/json"}, b'{"ok":true,"result":[]}')


def install(
    proxies: Proxies = (),
    *,
    ca_file: str | Path | None = None,
    timeout: float | None = None,
    deadline: float = DEFAULT_DEADLINE,
    ipv4: bool = False,
    dns_cache: float = 0.0,
    retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # a frozen value is safe as a default
    ahead: AheadMode = "auto",
    transport: Transport | None = None,
) -> Installed:
    """Let every `TeleBot` of this process send, poll, upload and download through syncbot's transport, from the next call on.

    A call that was certainly never sent is tried again; one that may have been carried out never is. Errors are those that telebot's users know:
    `ApiTelegramException` and its relatives for what Telegram answers, and for the network `requests.ConnectionError`, `requests.ReadTimeout` and so on,
    which are syncbot's `NotSent` or `DeliveryUncertain` as well (see `syncbot.adapters.http`). telebot's own RETRY_ON_ERROR has no part in it.

    Args:
        proxies: the ways to Telegram in order of preference; none takes `apihelper.proxy`, else HTTPS_PROXY, ALL_PROXY and NO_PROXY from the environment.
        ca_file: PEM file with the CA certificates to trust; None takes SYNCBOT_CA_FILE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE, else certifi's.
        timeout: seconds that one attempt may take; None goes by telebot's `apihelper.CONNECT_TIMEOUT` for the way to Telegram and
            `apihelper.READ_TIMEOUT` from there on. A poll's waiting comes on top.
        deadline: seconds that a call may take in all. A poll's waiting, and the time for large files, come on top.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        retry: how often a call is tried that was never sent; None tries once.
        ahead: what is opened ahead. "auto": while somebody talks (a call within the last five minutes, or a poll on the same transport that has brought
            updates) a connection stands ready for the next call, and more under load; a number is as in `syncbot.Bot(ahead=…)`, and 0 opens none.
        transport: what carries the requests instead of one made of these settings; it is not closed here.

    Returns:
        What undoes it: `uninstall()`, or the end of a `with` block.

    Raises:
        ConfigError: a setting is wrong.
    """
    ways = hidden_ways(proxies)
    del proxies
    settings = {"ca_file": ca_file, "ipv4": ipv4, "dns_cache": dns_cache, "retry": retry, "ahead": ahead}
    return Installed(ways, timeout=timeout, deadline=deadline, settings=settings, transport=transport)


def use_server(base_url: str) -> None:
    """Let telebot talk to another Bot API server."""
    _hooks.API_URL, _hooks.FILE_URL = f"{base_url}/bot{{0}}/{{1}}", f"{base_url}/file/bot{{0}}/{{1}}"


class Installed:
    """What `install` has put into telebot, as long as it stands there."""

    def __init__(self, proxies: HiddenWays, *, timeout: float | None, deadline: float, settings: Mapping[str, Any], transport: Transport | None) -> None:
        self._settings = settings
        self._timeout = timeout
        self._deadline = deadline
        self._carrier = Carrier(proxies, transport=transport, **settings)
        self._is_told_the_way = bool(proxies) or transport is not None
        self._by_proxy: dict[Secret[str], Carrier] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._poll_end = threading.Event()
        self._before = (_hooks.CUSTOM_REQUEST_SENDER, _hooks.download_file)
        _hooks.CUSTOM_REQUEST_SENDER, _hooks.download_file = self._send, self._download

    def end_poll(self) -> None:
        """Let a waiting `getUpdates` return at once, without updates, or the next one where none waits yet; after `bot.stop_polling()` the polling then
        ends at once too."""
        with self._lock:
            self._poll_end.set()
        for carrier in self._carriers():
            carrier.transport.abort(_POLL)

    def transport_for(self, url: str) -> Transport:
        """What carries the calls to this server."""
        return self._carrier_for(Request(url), Secret(apihelper.proxy)).transport

    def uninstall(self) -> None:
        """Give telebot its own way of sending back, end what is under way, and let go of everything; the second time nothing happens."""
        if self._stop.is_set():
            return
        # Who has put something else there meanwhile keeps it.
        if self._send == _hooks.CUSTOM_REQUEST_SENDER:
            _hooks.CUSTOM_REQUEST_SENDER = self._before[0]
        if self._download == _hooks.download_file:
            _hooks.download_file = self._before[1]
        self._stop.set()
        self.end_poll()
        for carrier in self._carriers():
            carrier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.uninstall()

    def _carriers(self) -> list[Carrier]:
        with self._lock:
            return [self._carrier, *self._by_proxy.values()]

    def _carrier_for(self, request: Request, proxies: Secret[Mapping[str, str] | None]) -> Carrier:
        """What carries a call; `apihelper.proxy` counts where `install` was told of no proxy."""
        # A proxy's URL may hold a password.
        chosen = Secret(select_proxy(request.url, dict(proxies.reveal() or {})) or "")
        if not chosen or self._is_told_the_way:
            return self._carrier
        with self._lock:
            if chosen not in self._by_proxy:
                self._by_proxy[chosen] = Carrier(Proxy.parse(chosen, setting="apihelper.proxy"), **self._settings)
            return self._by_proxy[chosen]

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        files: Any = None,
        timeout: tuple[float, float] = (apihelper.CONNECT_TIMEOUT, apihelper.READ_TIMEOUT),
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """What telebot calls for every method; the parameters travel in the body, where no proxy and no log sees them."""
        hidden, ways = Secret(url), Secret(proxies)
        del url, proxies
        word = method_of(hidden.reveal())
        content_type, body = form_body(params, files)
        wait = float((params or {}).get("timeout", 0)) if word == "getUpdates" else 0.0
        connect, total = float(timeout[0]), float(timeout[0]) + max(0.0, float(timeout[1]) - wait)
        if self._timeout is not None:
            connect, total = min(connect, self._timeout), self._timeout
        size = len(body) if isinstance(body, bytes) else body.size
        ends_at = time.monotonic() + max(self._deadline, total) + wait + size / DEFAULT_MIN_RATE
        request = Request(
            hidden,
            word,
            headers={"Content-Type": content_type},
            body=body,
            timeout=total,
            connect_timeout=connect,
            wait=wait,
            deadline=ends_at,
            scope=_POLL if word == "getUpdates" else "",
            stop=self._poll_end if word == "getUpdates" else self._stop,
        )
        return self._carry(request, ends_at, ways)

    def _download(self, token: str, file_path: str) -> bytes:
        """What `TeleBot.download_file` calls."""
        url = Secret((apihelper.FILE_URL or "https://api.telegram.org/file/bot{0}/{1}").format(token, file_path))
        del token
        connect, read = float(apihelper.CONNECT_TIMEOUT), float(apihelper.READ_TIMEOUT)
        total = connect + read if self._timeout is None else self._timeout
        # How long the file takes its size decides, which comes with the answer: the deadline bounds the attempts, not the file.
        request = Request(url, "download", "GET", timeout=total, connect_timeout=min(connect, total), stop=self._stop)
        answer = self._carry(request, time.monotonic() + max(self._deadline, total), Secret(apihelper.proxy))
        if answer.status_code != 200:
            raise _hooks.ApiHTTPException("Download file", answer)
        return answer.content

    def _carry(self, request: Request, ends_at: float, proxies: Secret[Mapping[str, str] | None]) -> requests.Response:
        carrier = self._carrier_for(request, proxies)
        carrier.guard_token(Secret(request.url))
        stop = request.stop or self._stop
        try:
            response = carrier.carry(request, ends_at=ends_at, stop=stop)
            if request.verb == "POST":
                response = _checked(response, request.method)
        except NetworkError as error:
            if request.scope != _POLL or not stop.is_set():
                raise as_requests_error(error) from None
            response = _NOTHING_NEW
        finally:
            with self._lock:
                if stop is self._poll_end and stop.is_set() and not self._stop.is_set():
                    self._poll_end = threading.Event()  # the next poll waits anew
        answer = as_response(response)
        answer.url = request.url.replace(token_of(request.url) or "\0", "<hidden>")  # an answer's own texts, such as raise_for_status's, show it
        return answer


def _checked(response: Response, method: str) -> Response:
    """An answer that telebot can read: what is no JSON it knows how to refuse, and of a refusal it takes every number as it stands.

    Raises:
        NetworkError: it is JSON, and not Telegram's.
    """
    try:
        envelope = as_envelope(read_json(response.body))
    except ValueError:
        return response
    if envelope is None:
        raise NetworkError(
            "the answer is not Telegram's; something on the way answered instead", method=method, phase=Phase.ANSWERED, stage="body", proxy=response.proxy
        )
    return response if envelope["ok"] else replace(response, body=json.dumps(envelope).encode())
