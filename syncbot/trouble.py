"""Trouble that comes again: pauses that grow with each failure, and what is said once and not at every try."""

from __future__ import annotations

import random
from typing import NamedTuple


class Backoff(NamedTuple):
    """Exponential back-off.

    Args:
        first: seconds of the pause after the first failure; each further one doubles it.
        longest: seconds that a pause has at most.
        jitter: by which part of itself, 0.0 to 1.0, a pause is shortened at random at most, so that not all try again at the same moment.
    """

    first: float
    longest: float
    jitter: float = 0.5

    def seconds(self, failures: int) -> float:
        """The pause before the next try, when so many have failed in a row before the last one."""
        return min(self.longest, self.first * 2.0 ** min(failures, 60)) * random.uniform(1.0 - self.jitter, 1.0)  # noqa: S311 - not a secret


class LastSaid:
    """What was said last, so that the same is not said again at every try."""

    def __init__(self) -> None:
        self.value: object = ""

    def is_new(self, value: object) -> bool:
        """Whether it is something else than the last time; "" says that nothing is the matter."""
        before, self.value = self.value, value
        return before != value
