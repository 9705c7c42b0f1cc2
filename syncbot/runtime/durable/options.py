"""What a handler may say of how it is run again."""

from __future__ import annotations

from typing import Literal, TypedDict, get_args

Interrupted = Literal["again", "raise", "skip"]
"""What follows for a call that was under way when the process died: make it again (it may then be there twice), raise a `DeliveryUncertain`, or go on
without it (it may then be lost). What does no harm twice is made again in any case."""


Asks = Literal["hold", "unwind"]
"""What a handler does while it waits for an answer: hold its thread, as long as there are not too many, or be put aside each time."""


class HandlerOptions(TypedDict, total=False):
    """What the decorators take for a handler of its own; without one, what the runtime says holds.

    Args:
        durable: a run after a death goes on where the handler died. False runs it from its beginning, and makes all its calls again.
        interrupted: what follows for a call that was under way.
    """

    durable: bool
    interrupted: Interrupted


def wrong_asks(value: object) -> str:
    """What is wrong with a value of `asks`; "" for a right one."""
    return "" if value in get_args(Asks) else f'asks: {value!r} is neither "hold" nor "unwind"; for example asks="hold"'


def wrong_interrupted(value: object) -> str:
    """What is wrong with a value of `interrupted`; "" for a right one."""
    known = get_args(Interrupted)
    return "" if value in known else f'interrupted: {value!r} is none of "again", "raise" and "skip"; for example interrupted="again"'
