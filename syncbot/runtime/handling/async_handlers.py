"""`async def` handlers, as they are written for python-telegram-bot, run without an event loop.

A coroutine suspends only where it awaits something that is not done yet. All that such a handler awaits are calls to Telegram, and these are done
here before they return: sent to its first step, the coroutine runs to its end, on the thread that called it. While it runs, `context.bot` and the
methods of telegram's objects are awaitable, as it expects. What is syncbot's own (`context.reply`, `context.ask`) stays as it is everywhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from syncbot.client.ptb.shortcuts import AttachedBot, NeedsEventLoop
from syncbot.runtime.handling.context import Context


def drive(coroutine: Coroutine[Any, Any, object], function: Callable[..., object], context: Context) -> None:
    """Run what an `async def` handler returned to its end; what it raises is raised.

    Args:
        coroutine: it, not begun yet.
        function: the handler, for the text of an error.
        context: what the handler got.

    Raises:
        RuntimeError: it awaits something other than Telegram; what it had done up to there is done.
    """
    plain = context.bot
    attached = plain._attached()
    if not isinstance(attached, AttachedBot):
        coroutine.close()
        raise RuntimeError(f"the async handler {_name(function)} needs python-telegram-bot's methods: leave out shortcuts=False where the bot is made")
    context.bot = attached  # type: ignore[assignment]  # it has the methods by the same names, awaitable while the coroutine runs
    try:
        attached.run(coroutine)
    except RuntimeError as error:
        if isinstance(error, NeedsEventLoop) or "event loop" in str(error):  # the second are asyncio's own words
            raise RuntimeError(
                f"the async handler {_name(function)} awaits something other than Telegram, and there is no event loop here: write it as def, with blocking"
                " calls instead (it has a thread to itself), or leave the bot in python-telegram-bot's Application, with syncbot.adapters.ptb.OneShotRequest"
            ) from error
        raise
    finally:
        context.bot = plain


def _name(function: Callable[..., object]) -> str:
    inner = inspect.unwrap(getattr(function, "func", function))  # a partial's own name says nothing
    return getattr(inner, "__qualname__", type(inner).__qualname__)
