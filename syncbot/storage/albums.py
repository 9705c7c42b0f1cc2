"""An album is one update in the inbox: the first message's, to which the others are put until the group is quiet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ALBUM = "syncbot_album"
"""The field of such an update that holds the updates of the other messages."""
QUIET_SECONDS = 0.5
"""So long after its last message an album is complete."""
LONGEST_SECONDS = 2.0
"""So long after its first message it is complete in any case."""


def with_part(body: bytes, part: bytes) -> bytes:
    """An update with one more message of its album.

    Raises:
        ValueError: one of the two is no JSON object.
    """
    update, other = json.loads(body), json.loads(part)
    if not isinstance(update, dict) or not isinstance(other, dict) or not isinstance(update.setdefault(ALBUM, []), list):
        raise ValueError("this is no update")
    update[ALBUM].append(other)
    return json.dumps(update, ensure_ascii=True, separators=(",", ":")).encode()


def parts_of(update: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The updates that an update consists of: itself, or those of its album."""
    others = update.get(ALBUM)
    if not isinstance(others, list):
        return [update]
    return [{name: value for name, value in update.items() if name != ALBUM}, *(part for part in others if isinstance(part, dict))]


def ids_of(update_id: int, body: bytes) -> list[int]:
    """The ids of the updates that an update consists of."""
    if ALBUM.encode() not in body:
        return [update_id]
    try:
        parts = parts_of(json.loads(body))
    except (ValueError, AttributeError, RecursionError):  # it is damaged
        return [update_id]
    return [update_id, *(id for part in parts[1:] if type(id := part.get("update_id")) is int)]


def ready_at(began: float, now: float) -> float:
    """When an album is complete to which something has come now."""
    return min(now + QUIET_SECONDS, began + LONGEST_SECONDS)


def is_collecting(ready: float, now: float) -> bool:
    """Whether an album still waits for messages; one that would wait for longer than any does is of a clock that was set since."""
    return now < ready <= now + LONGEST_SECONDS
