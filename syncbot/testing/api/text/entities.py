"""What Telegram's server finds in plain text by itself: commands, mentions, links, hashtags, addresses."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

_PATTERNS = (
    (
        "url",
        re.compile(
            r"(?<![\w@/.])(?:https?://|www\.)[^\s<>\"']*[^\s<>\"'.,:;!?)\]}]|(?<![\w@/.-])(?:[a-z0-9-]+\.)+(?:com|org|net|me|io|dev|info)(?:/[^\s<>\"']*)?\b",
            re.IGNORECASE,
        ),
    ),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]*\w")),
    ("bot_command", re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/@])")),
    ("mention", re.compile(r"(?<![\w@/.])@[A-Za-z][A-Za-z0-9_]{2,31}\b")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}")),
    ("cashtag", re.compile(r"(?<![\w$])\$[A-Z]{1,8}\b")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d{10,15}\b")),
)


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, which is how Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_DROPPED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
_BLANKED = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f]")


def clean(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """What Telegram's server does to any text: control characters become spaces, carriage returns and marks of direction go, and entities move along."""
    found = list(_DROPPED.finditer(text))
    if found and entities:
        dropped, units, at = [], 0, 0
        for match in found:
            units += utf16_length(text[at : match.start()])
            at = match.start()
            dropped.append(units)
        spans = [(entity["offset"], entity["offset"] + entity["length"]) for entity in entities]
        moved = [(start - bisect_left(dropped, start), end - bisect_left(dropped, end)) for start, end in spans]
        entities = [{**entity, "offset": start, "length": end - start} for entity, (start, end) in zip(entities, moved, strict=True) if end > start]
    return _BLANKED.sub(" ", _DROPPED.sub("", text)), entities


def find_entities(text: str) -> list[dict[str, Any]]:
    """The entities that Telegram's server finds in a text, in order; offsets and lengths in UTF-16 code units."""
    if not any(sign in text for sign in "/@#.$+:"):
        return []
    found: list[tuple[int, int, str]] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end, _ in found):
                found.append((match.start(), match.end(), kind))
    return [{"type": kind, "offset": utf16_length(text[:start]), "length": utf16_length(text[start:end])} for start, end, kind in sorted(found)]


def merge_entities(given: Iterable[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Entities that were given together with those that are found where none of the given ones is code or a link."""
    given = sorted(given, key=lambda entity: (entity["offset"], -entity["length"]))
    blocking = [e for e in given if e["type"] in ("code", "pre", "text_link", "text_mention", "url", "mention", "bot_command", "hashtag", "email")]
    extra = [e for e in find_entities(text) if not any(e["offset"] < b["offset"] + b["length"] and b["offset"] < e["offset"] + e["length"] for b in blocking)]
    return sorted([*given, *extra], key=lambda entity: (entity["offset"], -entity["length"]))
