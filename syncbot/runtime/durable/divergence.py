"""What is told where a run does something else than the one before it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

_MOST_SHOWN = 5


@dataclass(frozen=True)
class Divergence:
    """A run has left what an earlier one did. It holds no text of a message.

    Args:
        handled: what is being handled: "update 17".
        handler: the handler, with its file and line.
        attempt: which run it is: 1 the first time, and one more for each death of the process.
        step: the number of the step where it left.
        now: what it does there: "sendPhoto (chat_id=7)".
        recorded: what stands in the journal there.
        replayed: how many steps before were found in the journal, and not done again.
        again: what the journal held from there on, which may now appear twice.
    """

    handled: str
    handler: str
    attempt: int
    step: int
    now: str
    recorded: str
    replayed: int
    again: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.again) - _MOST_SHOWN} more" if len(self.again) > _MOST_SHOWN else ""
        return (
            f"{self.handled}: run {self.attempt} of {self.handler} does something else than the run before: step {self.step} is {self.now}, and the journal"
            f" has {self.recorded}. The {self.replayed} steps before were not done again; from here on all is, so that this may appear twice:"
            f" {', '.join(self.again[:_MOST_SHOWN])}{more}. A handler must do the same each time: what depends on time, chance or outside data belongs"
            " into context.now(), context.random or context.once()"
        )


def place_of(function: Callable[..., object] | None) -> str:
    """A handler with its file and line: "order (/srv/bot/shop.py:12)"."""
    if function is None:
        return "an error handler, the middleware or a filter"
    inner = inspect.unwrap(getattr(function, "func", function))  # a partial's own place says nothing
    code = getattr(inner if hasattr(inner, "__code__") else type(inner).__call__, "__code__", None)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name
