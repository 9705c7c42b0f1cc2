"""How looks are shown: a picture that is drawn anew on a terminal, a line each elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from syncbot.cli.console.output import coloured, draws, one_line, write, write_exact, write_json
from syncbot.cli.monitor.look import Look

_UP = "\x1b[{}F"
_CLEAR_LINE = "\x1b[2K"
_CLEAR_BELOW = "\x1b[0J"


class View:
    """Shows looks on standard output.

    Args:
        name: what is watched.
        as_json: one JSON object a look.
        live: draw anew in place, where standard output is a terminal.
    """

    def __init__(self, name: str, *, as_json: bool, live: bool) -> None:
        self._name = name
        self._as_json = as_json
        self.is_live = live and not as_json and draws(sys.stdout)
        self._drawn = 0

    def show(self, look: Look) -> None:
        """Show one.

        Raises:
            ReaderGone: nobody can read it.
        """
        if self._as_json:
            write_json(look.as_json())
        elif self.is_live:
            self._draw(self._picture(look))
        else:
            write(_line(look))

    def _draw(self, lines: list[str]) -> None:
        lines = lines[: max(1, shutil.get_terminal_size().lines - 1)]  # more could not be drawn over
        start = _UP.format(self._drawn) if self._drawn else ""
        write_exact(start + "\n".join(_CLEAR_LINE + line for line in lines) + _CLEAR_BELOW)
        self._drawn = len(lines)

    def _picture(self, look: Look) -> list[str]:
        width = max(40, shutil.get_terminal_size().columns - 1)
        verdict = coloured(" good ", "green", sys.stdout) if look.is_good else coloured(" BAD ", "red", sys.stdout)
        label_width = max((len(label) for label, _ in look.shown), default=0)
        lines = [f"{coloured(one_line(self._name)[: width - 20], 'bold', sys.stdout)} {verdict} {time.strftime('%H:%M:%S', time.localtime(look.at))}"]
        lines += [f"  {label:<{label_width}}  {one_line(value)}"[:width] for label, value in look.shown]
        lines += [coloured(f"! {one_line(trouble)}"[:width], "red", sys.stdout) for trouble in look.troubles]
        if look.last_error:
            lines.append(coloured(f"last error: {one_line(look.last_error)}"[:width], "dim", sys.stdout))
        lines.append(coloured("Ctrl-C ends the view; the bot goes on."[:width], "dim", sys.stdout))
        return lines


def _line(look: Look) -> str:
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(look.at))
    words: list[Any] = [moment, "good" if look.is_good else "BAD", *(f"{label}: {value};" for label, value in look.shown)]
    text = " ".join(words).rstrip(";")
    return one_line(f"{text} | {'; '.join(look.troubles)}" if look.troubles else text)
