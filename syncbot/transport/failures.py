"""What a foreign error means: how far the request had come, and words that hold no secret."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import Any

import requests
import urllib3

from syncbot.errors import NetworkError, NotSent, Phase
from syncbot.transport.watchdog import Attempt
from syncbot.types import Proxy


class AnswerTooLarge(OSError):
    """The answer's body is larger than what is taken."""


_NOT_IN_TIME = "no complete answer came in time"

# The first line that fits the error, or one that it wraps, gives the words. What fits none is described by its class.
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (AnswerTooLarge, "the answer is too large"),
    ((requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, http.client.InvalidURL), "the request cannot be written as HTTP"),
    (http.client.RemoteDisconnected, "the connection was closed before an answer came"),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead, urllib3.exceptions.InvalidChunkLength), "the answer was cut short"),
    (http.client.LineTooLong, "the header of the answer is too large"),
    ((http.client.BadStatusLine, http.client.UnknownProtocol, urllib3.exceptions.HeaderParsingError), "the answer is not HTTP"),
    (urllib3.exceptions.DecodeError, "the answer cannot be decompressed"),
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), _NOT_IN_TIME),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was closed while the request was being written"),
    (ssl.SSLEOFError, "the connection was closed in the middle"),
    (ssl.SSLError, "the TLS connection failed"),
    (http.client.HTTPException, "the answer breaks the rules of HTTP"),
)


def failure(error: BaseException, attempt: Attempt, proxy: Proxy) -> NetworkError:
    """The error to raise instead of a foreign one.

    The stage that was reached decides whether the request was sent; the class of the error only gives the words, since a proxy's way of
    failing decides which class it is.
    """
    facts: dict[str, Any] = {"method": attempt.request.method, "stage": attempt.stage, "proxy": str(proxy)}
    if attempt.cut == "abort":
        words = "aborted"
    elif attempt.cut:
        words = _NOT_IN_TIME
    else:
        words = describe(error)
    facts["timed_out"] = words is _NOT_IN_TIME
    if attempt.stage in ("send", "receive", "body"):
        return NetworkError(words, phase=Phase.MAYBE_SENT, **facts)
    return NotSent(words, retryable=False, **facts)


def describe(error: BaseException) -> str:
    """The words for an error, from what it wraps."""
    inside = list(unwrap(error))
    for kinds, words in _WORDS:
        if any(isinstance(part, kinds) for part in inside):
            return words
    innermost = inside[-1]
    return getattr(innermost, "strerror", None) or f"the exchange failed ({type(innermost).__name__})"


def unwrap(error: BaseException) -> Iterator[BaseException]:
    """An error and what it wraps, outermost first; requests and urllib3 hand the inner one on as an argument or a reason."""
    for _ in range(10):
        yield error
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in reversed(error.args) if isinstance(part, BaseException)), None)
        if inner is None:
            return
        error = inner
