"""`syncbot send` delivers: one chat, call after call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.errors import SyncBotError

if TYPE_CHECKING:
    from syncbot.cli.sending.attachments import Call
    from syncbot.client.bot import Bot


def deliver(bot: Bot, chat: Any, calls: Sequence[Call], progress: bool | None = None) -> dict[str, Any]:
    """Send everything to one chat, up to the first failure; `progress` as for `ProgressBar`."""
    messages: list[int] = []
    done = 0
    try:
        for method, parameters in calls:
            result = _call(bot, method, chat, parameters, progress)
            messages += [message["message_id"] for message in (result if isinstance(result, list) else [result]) if isinstance(message, dict)]
            done += 1
    except SyncBotError as error:
        from syncbot.cli.console.words import describe

        outcome = exit_for(error)
        text = describe(error)
        if done:
            text += f"; {done} of {len(calls)} messages were sent before"
            # "Try later" promises that nothing was delivered, which is not so any more.
            outcome = Exit.UNCERTAIN if outcome is Exit.TRY_LATER else outcome
        return {"chat": chat, "ok": False, "messages": messages, "error": text, "exit": outcome}
    return {"chat": chat, "ok": True, "messages": messages, "error": "", "exit": Exit.OK}


def _call(bot: Bot, method: str, chat: Any, parameters: dict[str, Any], progress: bool | None) -> Any:
    if method in ("sendMessage", "editMessageText"):
        return bot.call(method, chat_id=chat, **parameters)
    from syncbot.cli.sending.attachments import upload

    return upload(bot, method, chat, parameters, progress)
