"""What a handler may say of how it is run again."""

from __future__ import annotations

from typing import Literal, TypedDict, get_args

Interrupted = Literal["again", "raise", "skip"]
"""What follows for a call that was under way when the process died: make it again (it may then be there twice), raise a `DeliveryUncertain`, or go on
without it (it may then be lost). What does no harm twice is made again in any case."""


Asks = Literal["hold", "unwind"]
"""What a handler does while it waits for an answer: hold its thread, as long as there are not too many, or be put aside each time."""


Replies = Literal["at once", "with the end"]
"""When what a handler sends, edits, deletes, answers or sets goes out: when it is called, or all together with the end of the handler, or not at all."""


class HandlerOptions(TypedDict, total=False):
    """What the decorators take for a handler of its own; without one, what the runtime says holds.

    Args:
        durable: a run after a death goes on where the handler died. False runs it from its beginning, and makes all its calls again.
        interrupted: what follows for a call that was under way.
        replies: when its calls go out.
    """

    durable: bool
    interrupted: Interrupted
    replies: Replies


def check_options(options: HandlerOptions, what: str) -> None:
    """Refuse what a handler cannot say of itself.

    Raises:
        TypeError: there is no such option.
        ValueError: a value is none of its words.
    """
    if unknown := options.keys() - HandlerOptions.__annotations__.keys():
        raise TypeError(f"{what} takes no {', '.join(sorted(unknown))}")
    if "interrupted" in options and (wrong := wrong_interrupted(options["interrupted"])):
        raise ValueError(wrong)
    if "replies" in options and (wrong := wrong_replies(options["replies"], durable=options.get("durable"))):
        raise ValueError(wrong)


def wrong_asks(value: object) -> str:
    """What is wrong with a value of `asks`; "" for a right one."""
    return "" if value in get_args(Asks) else f'asks: {value!r} is neither "hold" nor "unwind"; for example asks="hold"'


def wrong_replies(value: object, *, durable: bool | None = None) -> str:
    """What is wrong with a value of `replies`; "" for a right one."""
    if value not in get_args(Replies):
        return f'replies: {value!r} is neither "at once" nor "with the end"; for example replies="with the end"'
    if durable is False and value == "with the end":
        return 'replies="with the end" needs a state file and a durable handler: leave durable=False and state=None out'
    return ""


def wrong_interrupted(value: object) -> str:
    """What is wrong with a value of `interrupted`; "" for a right one."""
    known = get_args(Interrupted)
    return "" if value in known else f'interrupted: {value!r} is none of "again", "raise" and "skip"; for example interrupted="again"'
