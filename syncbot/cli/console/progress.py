"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from syncbot.cli.console.output import is_terminal, one_line

_WIDTH = 30
_SECONDS_BETWEEN = 0.1


class ProgressBar:
    """Shows how much of something has moved; nothing at all where nobody looks on. Its line is gone when it ends.

    Args:
        label: what moves.
    """

    def __init__(self, label: str) -> None:
        self.visible = is_terminal(sys.stderr)
        self._label = one_line(label)[:40]
        self._next_at = 0.0
        self._drawn = False

    def show(self, done: int, total: int | None) -> None:
        """Draw the state: bytes moved so far, of how many in all (None or 0 where nobody knows)."""
        now = time.monotonic()
        finished = bool(total) and done >= (total or 0)
        if not self.visible or (now < self._next_at and not finished):
            return
        self._next_at = now + _SECONDS_BETWEEN
        self._drawn = True
        sys.stderr.write(f"\r\x1b[2K{self._line(done, total)}")
        sys.stderr.flush()

    def _line(self, done: int, total: int | None) -> str:
        if not total:
            return f"{self._label}  {_size(done)}"
        share = min(1.0, done / total)
        filled = int(share * _WIDTH)
        return f"{self._label}  [{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%} of {_size(total)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} KB"
