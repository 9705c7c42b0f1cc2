"""What one look at a bot has shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Bounds:
    """From where on it is bad.

    Args:
        lag: seconds that an update may wait.
        queue: updates that may wait.
        failures: failures a minute in a log file.
        silence: seconds that a log file may be silent, or that may lie between two runs of a bot that cron starts; None for any.
        minutes: how far back failures count.
    """

    lag: float = 60.0
    queue: int = 100
    failures: float = 6.0
    silence: float | None = None
    minutes: float = 5.0


@dataclass(frozen=True)
class Look:
    """One look.

    Args:
        at: when it was, in seconds since 1970.
        troubles: what is bad, in words; empty when all is well.
        facts: what was seen, as JSON values.
        shown: the same for people: label and value.
        last_error: the last error, for people; empty for none.
        of_process: those of the troubles that are the bot's process itself, and not what waits for it.
        runs: the bot's last word is that it runs, and it is not known to be gone: its lock may be out of our sight, as another container's is.
    """

    at: float
    troubles: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[tuple[str, str], ...] = ()
    last_error: str = ""
    of_process: tuple[str, ...] = ()
    runs: bool = False

    @property
    def is_good(self) -> bool:
        """Nothing is bad."""
        return not self.troubles

    def as_json(self) -> dict[str, Any]:
        """The look as one JSON object."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.at))
        return {"time": moment, "good": self.is_good, "troubles": list(self.troubles), **self.facts}


class Watcher(Protocol):
    """Something that can be looked at again and again."""

    @property
    def name(self) -> str:
        """What is watched, for people."""
        ...

    def look(self, now: float) -> Look:
        """Look at it; `now` in seconds since 1970."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def span(seconds: float) -> str:
    """A time span in words that are short: "12 s", "5 min", "3 h", "2 days"."""
    for size, unit in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
