"""A progress bar on standard error, where that is a terminal; lines of text where it is none and somebody wants them."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click

from syncbot.cli.console.options import Command
from syncbot.cli.console.output import draws, one_line, tell

_WIDTH = 30
_SECONDS_BETWEEN = 0.1
_SECONDS_BETWEEN_LINES = 1.0


def progress_option(command: Command) -> Command:
    """Add `--progress` and `--no-progress`."""
    text = "Tell how much of a file has moved: a bar on a terminal (the default there), else a line a second on standard error; or nothing at all."
    return click.option("--progress/--no-progress", "with_progress", default=None, help=text)(command)


class ProgressBar:
    """Shows how much of something has moved; nothing at all where nobody looks on. The line of a bar is gone when it ends.

    Args:
        label: what moves.
        wanted: True for lines where no bar can be drawn, False for nothing anywhere; None for a bar on a terminal alone.
    """

    def __init__(self, label: str, wanted: bool | None = None) -> None:
        self._draws = draws(sys.stderr)
        self.visible = self._draws if wanted is None else wanted
        self._label = one_line(label)[:40]
        self._next_at = 0.0
        self._drawn = False

    def show(self, done: int, total: int | None) -> None:
        """Draw the state: bytes moved so far, of how many in all (None or 0 where nobody knows)."""
        now = time.monotonic()
        finished = bool(total) and done >= (total or 0)
        if not self.visible or (now < self._next_at and not finished):
            return
        if not self._draws:
            self._next_at = now + _SECONDS_BETWEEN_LINES
            tell(self._line(done, total))
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
