"""Where `responses` or requests-mock stands in for requests.

Whoever tests with one expects the request that the Bot API would get: its URL with the token, its body in one piece. So only then requests is shown
both. No connection is opened, nor taken from those that stand ready, but for a request that the mock lets through: that goes the usual way.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors

from syncbot.errors import NetworkError, NotSent, Phase
from syncbot.redact import Redactor
from syncbot.transport.failures import describe, unwrap
from syncbot.types import Proxy, Request

_MOCKS = frozenset({"responses", "requests_mock"})

_NETWORK = (requests.RequestException, urllib3_errors.HTTPError, http.client.HTTPException, ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
"""What the network can be the reason of; anything else that comes out of a mock is a mistake in a test."""

# The first line that fits the error, or one that it wraps, says where the real request would have failed; what fits none may have been sent.
_STAGES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((requests.ReadTimeout, urllib3_errors.ReadTimeoutError, urllib3_errors.ProtocolError, http.client.HTTPException), "receive"),
    ((ConnectionResetError, ConnectionAbortedError, BrokenPipeError), "receive"),
    ((requests.exceptions.ProxyError, urllib3_errors.ProxyError), "proxy"),
    ((requests.exceptions.SSLError, urllib3_errors.SSLError, ssl.SSLError), "tls"),
    ((socket.gaierror, urllib3_errors.NameResolutionError), "resolve"),
    ((requests.ConnectionError, urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError, ConnectionRefusedError), "connect"),
    ((requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.InvalidHeader), "connect"),
)


def is_mocked() -> bool:
    """Whether one of them stands in now. What only watches requests, as Sentry and OpenTelemetry do, is no mock, and is shown no token.

    It is known by where its functions come from: requests' own cannot be kept for a comparison, since the mock may have been there before this module.
    """
    return any(map(is_of_mock, (HTTPAdapter.send, requests.Session.send, requests.Session.get_adapter)))


def is_of_mock(function: Any) -> bool:
    """Whether a function is one of theirs, whoever has wrapped it."""
    return _package(function) in _MOCKS


def _package(thing: Any) -> str:
    """Where a function or a class is from."""
    while hasattr(thing, "__wrapped__"):
        thing = thing.__wrapped__
    return str(getattr(thing, "__module__", "")).partition(".")[0]


def failure_of_mock(error: Exception, request: Request, proxy: Proxy) -> Exception:
    """The error to raise instead of one that came out of a mock: with the phase that it has where a network raises it, and the mock's own words.

    A request that the mock does not know is never tried again; what no network raises passes as it is.
    """
    words = Redactor().text(str(error))
    facts: dict[str, Any] = {"method": request.method, "proxy": str(proxy)}
    if _package(type(error)) == "requests_mock" or "refused by Responses" in words:
        return NotSent(words, stage="connect", retryable=False, **facts)
    if not isinstance(error, _NETWORK):
        return error
    inside = list(unwrap(error))
    facts["timed_out"] = any(isinstance(part, requests.Timeout | TimeoutError) for part in inside)
    stage = next((stage for kinds, stage in _STAGES if any(isinstance(part, kinds) for part in inside)), "receive")
    if stage == "receive":
        return NetworkError(words or describe(error), phase=Phase.MAYBE_SENT, stage=stage, **facts)
    return NotSent(words or f"{stage} failed ({type(error).__name__})", stage=stage, **facts)
