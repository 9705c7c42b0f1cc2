"""One HTTP call on one connection with a hard deadline, in the shape of `requests`.

```python
import syncbot

answer = syncbot.request("GET", "https://api.example.com/weather", params={"city": "Lisbon"}, proxies="socks5h://127.0.0.1:1080", deadline=10)
answer.raise_for_status()
print(answer.json())
```

What comes back is a `requests.Response`, whole: the body has been read, the connection is gone. What differs from `requests.request` is meant to:
the time is bounded in total, a call that was never sent is tried again, no redirect is followed unless that is asked for, certificates are always
checked, and errors tell whether the request was sent; they are errors of `requests` too, so that `except requests.RequestException` goes on working.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers, select_proxy

from syncbot.adapters.bodies import SourceBody, multipart, source
from syncbot.adapters.carrier import Carrier, Proxies, delivery, token_of
from syncbot.client.retry import RetryPolicy
from syncbot.errors import DeliveryUncertain, NetworkError, NotSent, ProxyAuthRequired
from syncbot.redact import Redactor
from syncbot.secret import Secret
from syncbot.types import DEFAULT_DEADLINE, DEFAULT_TIMEOUT, Body, HiddenWays, Request, Response, Transport, hidden_ways

Timeout = float | tuple[float, float] | None
"""Seconds for one attempt in all; or for its way to the server and, on top, for the answer; None for no bound but the deadline."""

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1: safe methods
_MOST_REDIRECTS = 5
_SECRET_HEADERS = ("Authorization", "Cookie", "Proxy-Authorization")


class ConnectionFailed(NotSent, requests.ConnectionError):
    """No connection came about; nothing was sent."""


class ConnectTimedOut(NotSent, requests.ConnectTimeout):
    """No connection came about in time; nothing was sent."""


class TlsFailed(NotSent, requests.exceptions.SSLError):
    """The TLS handshake failed, for instance over the certificate; nothing was sent."""


class ProxyFailed(NotSent, requests.exceptions.ProxyError):
    """The proxy did not do its part; nothing was sent."""


class ProxyRefused(ProxyAuthRequired, requests.exceptions.ProxyError):
    """The proxy wants other credentials; nothing was sent."""


class AnswerLost(DeliveryUncertain, requests.ConnectionError):
    """The request may have been carried out; no whole answer came."""


class AnswerTimedOut(DeliveryUncertain, requests.ReadTimeout):
    """The request may have been carried out; no whole answer came in time."""


def request(
    method: str,
    url: str,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    files: Any = None,
    auth: Any = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    deadline: float = DEFAULT_DEADLINE,
    proxies: Proxies | Mapping[str, str] = (),
    ca_file: str | Path | None = None,
    verify: bool | str = True,
    allow_redirects: bool = False,
    retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # a frozen value is safe as a default
    transport: Transport | None = None,
) -> requests.Response:
    """Make one HTTP call on a connection of its own.

    `method`, `url`, `params`, `data`, `json`, `headers`, `files` and `auth` are those of `requests.request`; files are streamed from disk. No
    cookies are kept, and no `.netrc` is read.

    Args:
        timeout: seconds for one attempt in all, or a pair: what the way to the server may take, and what the answer may take on top of it.
        deadline: seconds for everything: attempts, waits, redirects, large bodies.
        proxies: the ways to the server in order of preference, or a dict as `requests` has it; none takes HTTPS_PROXY, ALL_PROXY and NO_PROXY from
            the environment.
        ca_file: PEM file with the CA certificates to trust; `verify` may name it too.
        verify: True, or a CA file; certificates are always checked.
        allow_redirects: follow up to five redirects of a GET or HEAD; never one from https to http.
        retry: how often to try. A call that was never sent is tried again; one that may have been sent only if it is a GET, HEAD or OPTIONS.
        transport: carries the call instead of one made for it. One `syncbot.transport.OneShotTransport` for many calls loads the certificates
            once (most of what a call costs here), and remembers which proxies fail; give `proxies` and `ca_file` to it then.

    Returns:
        The answer, whatever its status.

    Raises:
        ConnectionFailed, ConnectTimedOut, TlsFailed, ProxyFailed, ProxyRefused: it was never sent (`syncbot.NotSent`).
        AnswerLost, AnswerTimedOut: it may have been carried out (`syncbot.DeliveryUncertain`).
        requests.RequestException: the URL, or what else was given, is wrong; or there were too many redirects.
        ConfigError, TypeError, ValueError: a setting or an argument is wrong. Nothing was sent.
    """
    if verify is False:
        raise ValueError("verify=False is not possible: certificates are always checked; name the CA file of the server: ca_file='server-ca.pem'")
    if transport is not None and (proxies or ca_file or verify is not True):
        raise ValueError("give proxies and ca_file to the transport")
    hidden, ways = Secret(url), Secret[Any](proxies)
    del url, proxies
    prepared, body = prepare(method, hidden.reveal(), params=params, data=data, json=json, headers=headers, files=files, auth=auth)
    carrier = Carrier(_ways(prepared, ways), ca_file=ca_file or (verify if isinstance(verify, str) else None), retry=retry, transport=transport)
    try:
        return _Exchange(carrier, timeout, time.monotonic() + deadline).follow(prepared, body, _MOST_REDIRECTS if allow_redirects else 0)
    finally:
        carrier.close()


def _ways(prepared: requests.PreparedRequest, given: Secret[Any]) -> HiddenWays:
    proxies = given.reveal()
    if not isinstance(proxies, Mapping):
        return hidden_ways(proxies)
    return hidden_ways(select_proxy(prepared.url or "", dict(proxies)) or ("direct" if proxies else ()))


def prepare(
    method: str,
    url: str,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    files: Any = None,
    auth: Any = None,
) -> tuple[requests.PreparedRequest, bytes | Body | None]:
    """Prepare a request as `requests` does, except for the body, which streams where it holds files.

    Raises:
        requests.RequestException, TypeError, ValueError: something given is wrong.
    """
    streamed: bytes | Body | None = None
    own_type = ""
    if files:
        own_type, streamed = form_body(data, files, url_decoded=bool(token_of(url)))
        data = json = None
    elif hasattr(data, "read"):
        streamed, data = SourceBody(source(data, "data")), None
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes | Mapping | list | tuple):
        raise TypeError(f"data is a {type(data).__name__}; give a mapping, bytes, text, or an open file")
    prepared = requests.Request(method.upper(), url, dict(headers or {}), data=data, json=json, params=params, auth=auth).prepare()
    if own_type:
        prepared.headers["Content-Type"] = own_type
    prepared.headers.pop("Content-Length", None)  # the transport counts by itself
    body = prepared.body
    return prepared, streamed if streamed is not None else body.encode() if isinstance(body, str) else body


def form_body(fields: Mapping[str, Any] | None, files: Any = None, *, url_decoded: bool = True) -> tuple[str, bytes | Body]:
    """A content type and the body of a form, as `requests` would encode it; files stream, named for a server that URL-decodes names where it is one.

    Raises:
        TypeError, ValueError: a value or a file is none.
    """
    if files:
        form = multipart(_fields(fields), _pairs(files), url_decoded=url_decoded)
        return form.content_type, form
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    return "application/x-www-form-urlencoded", urlencode(given, doseq=True).encode("ascii")


def _pairs(given: Any) -> list[tuple[str, Any]]:
    return list(given.items()) if isinstance(given, Mapping) else list(given or ())


def _fields(data: Any) -> dict[str, str]:
    """The plain fields beside files, in the words of `requests`."""
    if isinstance(data, str | bytes):
        raise ValueError("data beside files has to be a mapping")
    fields: dict[str, str] = {}
    for name, value in _pairs(data):
        if name in fields or isinstance(value, list | tuple | set):
            raise ValueError(f"{name!r} has several values, which is not possible beside files")
        if value is not None:
            fields[name] = value.decode() if isinstance(value, bytes) else str(value)
    return fields


@dataclass(frozen=True)
class _Exchange:
    """One call: what carries it, and the time it has."""

    carrier: Carrier
    timeout: Timeout
    ends_at: float

    def follow(self, prepared: requests.PreparedRequest, body: bytes | Body | None, redirects: int) -> requests.Response:
        history: list[requests.Response] = []
        while True:
            answer = self.once(prepared, body)
            answer.history = list(history)
            target = _redirect(answer) if redirects else None
            if target is None:
                return answer
            history.append(answer)
            if len(history) > redirects:
                raise requests.TooManyRedirects(f"more than {redirects} redirects", response=answer)
            try:
                prepared = _redirected(prepared, target)
            except (requests.RequestException, ValueError):  # what the server names is no URL: nowhere to go
                return answer

    def once(self, prepared: requests.PreparedRequest, body: bytes | Body | None) -> requests.Response:
        verb = prepared.method or "GET"
        connect, total = _seconds(self.timeout, self.ends_at - time.monotonic())
        request = Request(
            Secret(prepared.url or ""),
            verb,
            verb,
            headers={str(name): value if isinstance(value, str) else value.decode("latin-1") for name, value in prepared.headers.items()},
            body=body,
            timeout=total,
            connect_timeout=connect,
            deadline=self.ends_at,
        )
        started = time.monotonic()
        try:
            response = self.carrier.carry(request, ends_at=self.ends_at, stop=threading.Event(), repeatable=verb in _HARMLESS)
        except NetworkError as error:
            raise as_requests_error(error) from None
        return as_response(response, prepared, time.monotonic() - started)


def _seconds(timeout: Timeout, left: float) -> tuple[float | None, float]:
    """What the way to the server may take (None: all of it), and one attempt."""
    if isinstance(timeout, tuple):
        connect, read = (left if part is None else float(part) for part in timeout)
        return connect, connect + read
    return None, left if timeout is None else float(timeout)


def _redirect(answer: requests.Response) -> str | None:
    """Where an answer leads, if that may be followed."""
    prepared = answer.request
    if not answer.is_redirect or prepared.method not in ("GET", "HEAD"):
        return None
    before = prepared.url or ""
    try:
        target = urljoin(before, answer.headers["Location"])
        schemes = urlsplit(before).scheme, urlsplit(target).scheme
    except ValueError:  # no URL, and so nowhere to go
        return None
    return target if schemes in (("https", "https"), ("http", "http"), ("http", "https")) else None


def _redirected(prepared: requests.PreparedRequest, target: str) -> requests.PreparedRequest:
    """The same request elsewhere; what was meant for one server alone does not go to another."""
    again = prepared.copy()
    again.prepare_url(target, None)
    if urlsplit(again.url or "")[:2] != urlsplit(prepared.url or "")[:2]:
        for name in _SECRET_HEADERS:
            again.headers.pop(name, None)
    return again


def as_response(response: Response, prepared: requests.PreparedRequest | None = None, seconds: float = 0.0) -> requests.Response:
    """An answer as `requests` would hand it over."""
    made = requests.Response()
    made.status_code = response.status
    made.headers = CaseInsensitiveDict(response.headers)
    made.encoding = get_encoding_from_headers(made.headers)
    made.elapsed = timedelta(seconds=seconds)
    made.raw = io.BytesIO(response.body)
    made._content = response.body
    made._content_consumed = True  # type: ignore[attr-defined]  # how requests notes that `content` holds everything
    try:
        made.reason = HTTPStatus(response.status).phrase
    except ValueError:
        made.reason = ""
    if prepared is not None:
        made.request = prepared
        made.url = Redactor().text(prepared.url or "")  # which its own texts repeat
    return made


def as_requests_error(error: NetworkError) -> NetworkError:
    """The same error as one of `requests` too."""
    facts: dict[str, Any] = {name: getattr(error, name) for name in ("method", "phase", "stage", "proxy", "attempts", "elapsed", "retryable", "failover")}
    return _kind(error)(delivery(error), **facts)


def _kind(error: NetworkError) -> type[NetworkError]:
    if not isinstance(error, NotSent):
        return AnswerTimedOut if error.timed_out else AnswerLost
    if isinstance(error, ProxyAuthRequired):
        return ProxyRefused
    if error.timed_out:
        return ConnectTimedOut
    return {"tls": TlsFailed, "proxy": ProxyFailed}.get(error.stage, ConnectionFailed)
