"""An update whose handler failed, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An update whose handler failed.

    Args:
        id: its number among the dead letters, never used twice.
        update_id: Telegram's id.
        key: its ordering key.
        body: its JSON text.
        reason: the redacted traceback, or a sentence.
        attempts: how often it was handed to a handler.
        stored: when it came.
        died: when it went to the dead letters.
    """

    id: int
    update_id: int
    key: str
    body: bytes = field(repr=False)
    reason: str = ""
    attempts: int = 1
    stored: float = 0.0
    died: float = 0.0
