"""What a line of a log says: when, how bad, and which kind of failure; for the logs of syncbot, python-telegram-bot and telebot alike."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

POOL_TIMEOUT = "pool timeout"
WRONG_TOKEN = "wrong token"  # noqa: S105 - a kind of failure
CRITICAL = "critical"

_KINDS = (
    (POOL_TIMEOUT, r"pool ?timeout|connections in the connection pool are occupied"),
    (WRONG_TOKEN, r"\bUnauthorized\b|InvalidToken|does not know the token"),
    ("second poller", r"\bConflict\b|terminated by other getUpdates|another getUpdates"),
    ("rate limit", r"Too Many Requests|retry[ _]after|RetryAfter|flood control"),
    ("storage", r"state file|the state can|postgres(ql)?://|database is locked|database disk image|No space left|disk is full"),
    (
        "connection",
        r"Connect\w*(Error|Timeout)|ConnectionPool\(|connection (was |has been )?(refused|reset|aborted|broken|closed|cut)"
        r"|RemoteProtocolError|ProxyError|Max retries|SSL\w*Error|TLS|handshake|network is unreachable|getaddrinfo|name resolution"
        r"|could not be resolved|name or service not known|NetworkError|ReadError|WriteError|not sent|polling fails|was not delivered|uncertain whether",
    ),
    ("timeout", r"timed ?out|ReadTimeout|WriteTimeout"),
    ("server", r"Bad Gateway|Internal Server Error|Gateway Time-?out|Service Unavailable"),
    ("handler", r"handler|processing the update|dead letters"),
)
KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
"""The kinds of failures, the most telling first."""

_TIME = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?)(Z|[+-]\d\d:?\d\d)?")
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_POLL = re.compile(r"getUpdates\b.*\b200\b", re.IGNORECASE)
_HEALTH = ("ok", "polls", "lag", "queue")
_HEAD = 300
_LONGEST_TEXT = 8000
_BAD_LEVELS = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})


@dataclass
class Record:
    """A log record: its first line, and the lines that follow it (a traceback).

    Args:
        at: when it was written, in seconds since 1970.
        level: its level in capitals; empty where the line names none.
        text: all of it.
        timeless: its log has no times, so that each line may be a record of its own.
        health: what a bot of syncbot's says about itself in it; empty where it says nothing.
    """

    at: float
    level: str
    text: str = field(repr=False)
    timeless: bool = False
    health: Mapping[str, float] = field(default_factory=dict)

    def goes_on_with(self, line: str) -> bool:
        """Whether a line without a time belongs to it."""
        last = self.text.rpartition("\n")[2]
        return not self.timeless or line.startswith((" ", "\t")) or last.startswith((" ", "\t", "Traceback"))

    def add(self, line: str) -> None:
        """Take one more line."""
        if len(self.text) < _LONGEST_TEXT:
            self.text += "\n" + line

    @property
    def is_poll(self) -> bool:
        """It tells of a poll that was answered, as httpx and urllib3 do."""
        return _POLL.search(self.text) is not None

    @property
    def failure(self) -> str:
        """The kind of failure that it tells of; empty for none."""
        if self.level and self.level not in _BAD_LEVELS:
            return ""
        found = next((kind for kind, pattern in KINDS if pattern.search(self.text)), "")
        if self.level in ("CRITICAL", "FATAL") and found not in (POOL_TIMEOUT, WRONG_TOKEN):
            return CRITICAL
        if not found and self.level in ("ERROR", ""):
            return "error" if self.level or "Traceback (most recent call last)" in self.text else ""
        if not self.level and found == "handler":  # a word that stands in many harmless lines
            return "handler" if "Traceback (most recent call last)" in self.text else ""
        return found


def read_record(line: str) -> Record | None:
    """The record that begins with a line; None for a line that has no time, and so belongs to the one before."""
    if line.startswith("{"):
        return _from_json(line)
    found = _TIME.search(line[:_HEAD])
    if found is None or found.start() > 40:
        return None
    level = _LEVEL.search(line[:_HEAD])
    return Record(_seconds(found[1], found[2]), level[1] if level else "", line[:_LONGEST_TEXT])


def _from_json(line: str) -> Record | None:
    try:
        values = json.loads(line)
        moment = _TIME.match(str(values["time"]))
    except (ValueError, KeyError, TypeError):
        return None
    if moment is None:
        return None
    text = " ".join(str(values[name]) for name in ("logger", "message", "exception") if values.get(name))
    return Record(_seconds(moment[1], moment[2]), str(values.get("level", "")).upper(), text[:_LONGEST_TEXT], health=_health(values.get("health")))


def _health(found: Any) -> Mapping[str, float]:
    """The extra field "health" of the line that a runtime logs about itself (`runtime/session/health_note.py`)."""
    facts = found if isinstance(found, dict) else {}
    return {name: facts[name] for name in _HEALTH if isinstance(facts.get(name), bool | int | float)}


def _seconds(moment: str, zone: str | None) -> float:
    """A time without a zone is this machine's."""
    return datetime.fromisoformat(moment.replace(",", ".") + ("+00:00" if zone == "Z" else zone or "")).timestamp()
