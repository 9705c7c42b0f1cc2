"""What the commands write: results to standard output, one line about each trouble to standard error, decoration only on a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from syncbot.terminal import harmless

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2", "bold": "1"}


class ReaderGone(Exception):
    """Standard output takes no more: whoever read it has gone away, or (then there is a text) its disk is full."""


def use_utf8() -> None:
    """Write UTF-8 where the locale knows only ASCII, and never fail for a character; belongs at the start of the process."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:  # closed, or somebody's own stream
            continue
        if (stream.encoding or "").lower() in ("ascii", "us-ascii", "ansi_x3.4-1968", "646"):
            reconfigure(encoding="utf-8")
        reconfigure(errors="backslashreplace")


def readable_argument(argument: str) -> str:
    """An argument as the UTF-8 that it was typed in, also where the locale made surrogates of it; what is no UTF-8 stays as it is."""
    if argument.isascii():
        return argument
    try:
        argument.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeError):
            return os.fsencode(argument).decode()
    return argument


def system_path(text: str) -> str:
    """A path from the command line as the system's functions take it, whatever the locale."""
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def write(text: str) -> None:
    """Write a line (or several) to standard output, at once; whatever stands in it, it cannot drive a terminal.

    Raises:
        ReaderGone: nobody can read it.
    """
    write_exact(harmless(text))


def write_exact(text: str) -> None:
    """Write to standard output what has to stay as it is: colours and pictures of ours, in which all that comes from elsewhere is one `one_line`.

    Raises:
        ReaderGone: nobody can read it.
    """
    stream = sys.stdout
    if stream is None:
        raise ReaderGone
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError as problem:
        drop_output()
        reason = "" if isinstance(problem, BrokenPipeError) else f"standard output cannot be written: {problem.strerror}"
        raise ReaderGone(reason) from None


def write_json(value: Any) -> None:
    """Write a value as JSON: indented for somebody at a terminal, in one line for a program."""
    import json

    pretty = is_terminal(sys.stdout)
    write(json.dumps(value, ensure_ascii=False, indent=2 if pretty else None, separators=None if pretty else (",", ":")))


def complain(text: str) -> None:
    """Say what is wrong: one line on standard error."""
    tell(f"syncbot: {text}")


def tell(text: str) -> None:
    """Write one line to standard error."""
    tell_all(one_line(text))


def tell_all(text: str) -> None:
    """Write several lines to standard error, such as a traceback; where that is closed there is nobody to tell."""
    with suppress(OSError, AttributeError, ValueError):
        sys.stderr.write(harmless(text.rstrip("\n")) + "\n")
        sys.stderr.flush()


def tame_warnings() -> None:
    """What is logged where nobody has set logging up goes to standard error by Python's last resort: it drives no terminal either."""
    import logging  # a command that logs has it already

    class Harmless(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return harmless(super().format(record))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Harmless())


def one_line(text: str) -> str:
    """The text in one line, with nothing in it that could drive a terminal."""
    return harmless(" ".join(text.split()))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def surroundings(name: str) -> str:
    """What the terminal or the shell that we run in says in a variable of its own, such as TERM; empty where it says nothing."""
    return os.environ.get(name, "")


def draws(stream: TextIO | None) -> bool:
    """Whether somebody looks at it on a terminal that takes more than lines of text; an editor's, with TERM=dumb, does not."""
    return surroundings("TERM") != "dumb" and is_terminal(stream)


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """The text in a colour ("green", "red", "yellow", "dim", "bold"), where the stream is a terminal and NO_COLOR (https://no-color.org) is not set."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if draws(stream) and not surroundings("NO_COLOR") else text


def drop_output() -> None:
    """Lead standard output nowhere, so that nothing more fails when it is flushed at the end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
