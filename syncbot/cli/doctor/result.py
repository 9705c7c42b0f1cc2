"""What one step of the examination found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncbot.cli.console.exits import Exit


class Status(StrEnum):
    """How a step ended."""

    OK = "ok"
    NOTE = "note"
    """Nothing is broken, but something is worth knowing."""
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """One step.

    Args:
        step: what was looked at.
        status: how it ended.
        text: what was found, in one line.
        seconds: how long it took.
        advice: what to do; empty where there is nothing to do.
        command: the command that looks further, or mends it; empty where none does.
        way: the proxy that it was looked at through; empty where that does not matter.
        exit: the exit code that a failure stands for.
    """

    step: str
    status: Status
    text: str
    seconds: float = 0.0
    advice: str = ""
    command: str = ""
    way: str = ""
    exit: Exit = Exit.OK

    @property
    def failed(self) -> bool:
        """Something is broken."""
        return self.status is Status.FAILED

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "step": self.step,
            "way": self.way,
            "status": str(self.status),
            "seconds": round(self.seconds, 4),
            "text": self.text,
            "advice": self.advice,
            "command": self.command,
        }
