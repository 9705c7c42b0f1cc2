"""What a run that ends by itself has done."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """What `Runtime.run_once` did.

    Args:
        received: new updates that were fetched and stored.
        handled: updates whose handlers returned.
        failed: updates whose handlers raised, now among the dead letters.
        left: updates that still wait; the next run goes on with them.
        seconds: how long it took.
        error: why fetching ended early; empty when all that there was has been fetched.
    """

    received: int
    handled: int
    failed: int
    left: int
    seconds: float
    error: str = ""

    @property
    def exit_code(self) -> int:
        """0 when everything was fetched and handled, 75 (try again later) when something is left, 1 when handlers failed."""
        if self.error or self.left:
            return os.EX_TEMPFAIL
        return 1 if self.failed else 0

    def __str__(self) -> str:
        tail = f"; {self.error}" if self.error else ""
        return f"received {self.received}, handled {self.handled}, failed {self.failed}, left {self.left} in {self.seconds:.1f} s{tail}"
