"""Errors that a thread of ours has met, logged, and gone on after: what calls it notices nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_OWN = ("syncbot.runtime", "syncbot.transport", "syncbot.webhook")
_HANDLERS = ("%s failed", "an error handler failed itself, on %s")
"""What the dispatcher says of handlers that raise, which is the handlers' own affair."""


class Surprises(logging.Handler):
    """Collects what is logged with a traceback while it is open.

    Args:
        expected: texts that are parts of the records that are no surprise.
    """

    def __init__(self, expected: Sequence[str]) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self._expected = expected

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, if it is one."""
        if record.levelno != logging.ERROR or not record.exc_info or not record.name.startswith(_OWN) or record.msg in _HANDLERS:
            return
        text = record.getMessage()
        if not any(part in text for part in self._expected):
            self.found.append(f"{record.name}: {text}: {record.exc_info[1]!r}")

    def __enter__(self) -> Self:
        logging.getLogger("syncbot").addHandler(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        logging.getLogger("syncbot").removeHandler(self)
