"""A question that a handler waits for, and which updates are an answer to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from syncbot.errors import SyncBotError
from syncbot.runtime.handling.update_facts import command_of, is_answer
from syncbot.runtime.work.filter_text import filter_of
from syncbot.storage.promises.questions import Question


class OpenQuestion:
    """A question, as the process knows it that handles.

    Args:
        question: it.
        is_recorded: it stands in the store.
        is_held: a thread waits for it.
        known_since: when it was asked here, in seconds of `elapsed_seconds`; None where it was asked elsewhere, or earlier.
    """

    def __init__(self, question: Question, *, is_recorded: bool = True, is_held: bool = False, known_since: float | None = None) -> None:
        self.question = question
        self.is_recorded = is_recorded
        self.is_held = is_held
        self.known_since = known_since
        self.taken_by: int | None = None
        """The row of the update that answers it; below 0 where its time is over."""
        self.outcome: str | None = None
        self.opened = threading.Event()
        self.over = threading.Event()

    @property
    def would_be_lost(self) -> bool:
        """Whether an update has answered it, and the answer stands nowhere else."""
        return not self.is_recorded and self.outcome is not None and self.taken_by is not None and self.taken_by >= 0

    def fits(self, raw: Mapping[str, Any], typed: Callable[[], Any]) -> bool:
        """Whether an update of the right user in the right chat is an answer.

        Args:
            raw: the update as JSON.
            typed: gives it as an object.
        """
        wants = self.question.wants
        if "press" in wants:
            prefix, number = wants["press"]
            pressed = raw.get("callback_query")
            data = pressed.get("data") if isinstance(pressed, Mapping) else None
            return isinstance(data, str) and data in {f"{prefix}{place}" for place in range(number)}
        if self.question.what != "ask" or not is_answer(raw) or command_of(raw) is not None:
            return False
        try:
            return not wants.get("message") or bool(filter_of(wants["message"]).check(typed(), None))  # type: ignore[arg-type]  # none of these looks at a context
        except (SyncBotError, ValueError):
            return False  # what cannot be read answers nothing
