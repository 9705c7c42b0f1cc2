"""Answers to order: what the server says instead of, or around, its own answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncbot.testing.server.records import RecordedRequest


def envelope(result: Any) -> bytes:
    """A success in Telegram's envelope."""
    return b'{"ok":true,"result":' + json.dumps(result, separators=(",", ":")).encode("ascii") + b"}"


def error_envelope(code: int, description: str, parameters: Mapping[str, Any]) -> bytes:
    """A refusal in Telegram's envelope."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = dict(parameters)
    return json.dumps(body, separators=(",", ":")).encode("ascii")


_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_PORTAL = b"<!doctype html><html><head><title>Welcome</title></head><body><h1>Please sign in to use this network</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """One answer to order. Build it with the class methods, refine it with `after`, `dripped`, `cut` and `once_done`.

    Args:
        status: the HTTP status.
        headers: further HTTP headers.
        body: the body.
        real: give the server's own answer (the other values shape how it is sent).
        done: carry the call out first, then give this answer instead of the real one.
        delay: seconds before the first byte.
        drip: seconds between single bytes of the whole answer, its head included; 0 sends it at once.
        cut_at: end the connection after this many bytes of the answer (0: before the first); None sends all of it.
        reset: end a cut connection with RST.
        fill: bytes of a generated body, which never stand in memory at once.
        headers_without_end: send header lines until the client gives up.
        silent: take the request and never answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    real: bool = False
    done: bool = False
    delay: float = 0.0
    drip: float = 0.0
    cut_at: int | None = None
    reset: bool = False
    fill: int = 0
    headers_without_end: bool = False
    silent: bool = False

    @classmethod
    def ok(cls, result: Any = True) -> Answer:
        """A success with this result."""
        return cls(200, _JSON, envelope(result))

    @classmethod
    def error(cls, code: int, description: str, **parameters: Any) -> Answer:
        """Telegram's refusal, with `parameters` where given."""
        return cls(code, _JSON, error_envelope(code, description, parameters))

    @classmethod
    def retry_after(cls, seconds: int) -> Answer:
        """429 with `parameters.retry_after` and a Retry-After header."""
        text = f"Too Many Requests: retry after {seconds}"
        return cls(429, {**_JSON, "Retry-After": str(seconds)}, error_envelope(429, text, {"retry_after": seconds}))

    @classmethod
    def migrated(cls, new_chat_id: int) -> Answer:
        """400: the group became a supergroup with this id."""
        return cls.error(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new_chat_id)

    @classmethod
    def server_error(cls, code: int = 500, description: str = "Internal Server Error: restart") -> Answer:
        """A 5xx in Telegram's own envelope."""
        return cls.error(code, description)

    @classmethod
    def gateway(cls, status: int = 502) -> Answer:
        """The HTML page of a gateway in front of Telegram."""
        name = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}.get(status, "Error")
        page = f"<html>\r\n<head><title>{status} {name}</title></head>\r\n<body>\r\n<center><h1>{status} {name}</h1></center>\r\n</body>\r\n</html>\r\n"
        return cls(status, _HTML, page.encode("ascii"))

    @classmethod
    def captive_portal(cls, status: int = 404) -> Answer:
        """The page of a network that wants a sign-in first."""
        return cls(status, _HTML, _PORTAL)

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Answer:
        """A redirect."""
        return cls(status, {**_HTML, "Location": location})

    @classmethod
    def raw(cls, body: bytes, *, status: int = 200, content_type: str = "application/json") -> Answer:
        """Any bytes as the body."""
        return cls(status, {"Content-Type": content_type}, body)

    @classmethod
    def broken_json(cls) -> Answer:
        """200 with an envelope that ends too soon."""
        return cls(200, _JSON, b'{"ok":true,"result":{"message_id":1,"te')

    @classmethod
    def huge(cls, size: int = 1 << 30) -> Answer:
        """200 with a generated JSON body of this many bytes."""
        return cls(200, _JSON, fill=size)

    @classmethod
    def endless_headers(cls) -> Answer:
        """A head that never ends."""
        return cls(200, headers_without_end=True)

    @classmethod
    def never(cls) -> Answer:
        """Take the request, carry nothing out, and stay silent until the client hangs up."""
        return cls(silent=True)

    @classmethod
    def normal(cls) -> Answer:
        """The server's own answer; useful with `after`, `dripped` and `cut`."""
        return cls(real=True)

    def after(self, seconds: float) -> Answer:
        """The same, this many seconds later."""
        return replace(self, delay=seconds)

    def dripped(self, seconds: float) -> Answer:
        """The same, one byte at a time, this many seconds apart."""
        return replace(self, drip=seconds)

    def cut(self, at: int = 0, *, reset: bool = False) -> Answer:
        """The same, but the connection ends after `at` bytes of the answer."""
        return replace(self, cut_at=at, reset=reset)

    def once_done(self) -> Answer:
        """The same, but the call is carried out before: what the client hears is not what happened."""
        return replace(self, done=True)


@dataclass
class _Rule:
    method: str
    answer: Answer
    left: int | None
    when: Callable[[RecordedRequest], bool] | None


class Script:
    """The answers that are ordered, in order; the first rule that fits a request is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def add(self, method: str, answers: tuple[Answer, ...], times: int | None, when: Callable[[RecordedRequest], bool] | None) -> None:
        """Order each answer `times` times (None: for ever) for a method, or for any with "*"."""
        if not answers:
            raise ValueError("no answer was given")
        if wrong := [one for one in answers if not isinstance(one, Answer)]:
            raise TypeError(f"an answer is an Answer, such as Answer.error(400, 'Bad Request'), and not {wrong[0]!r}")
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more, or None for ever")
        with self._lock:
            self._rules.extend(_Rule(method.lower(), answer, times, when) for answer in answers)

    def clear(self, method: str) -> None:
        """Forget what is ordered for a method, or everything with "*"."""
        with self._lock:
            self._rules = [] if method == "*" else [rule for rule in self._rules if rule.method != method.lower()]

    @property
    def pending(self) -> int:
        """How many rules still wait for a request."""
        with self._lock:
            return len(self._rules)

    def take(self, record: RecordedRequest) -> Answer | None:
        """The answer ordered for this request, used up by this call; None where there is none."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.method in ("*", record.method.lower()) and (rule.when is None or rule.when(record)):
                    if rule.left is not None:
                        rule.left -= 1
                        if rule.left == 0:
                            self._rules.remove(rule)
                    return rule.answer
        return None
