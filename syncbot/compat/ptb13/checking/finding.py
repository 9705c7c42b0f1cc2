"""What was found in a program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """Something that will not work as it did, or (a note) is to be known before the start.

    Args:
        file: the file.
        line: the line in it, from 1 on.
        text: what it is, and how to mend it.
        is_note: whether the program runs all the same.
    """

    file: Path
    line: int
    text: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'note: ' if self.is_note else ''}{self.text}"
