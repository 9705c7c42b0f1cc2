"""An update in its turn: its handler runs, may wait for an answer meanwhile, and ends in one way or another."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.errors import Stopped
from syncbot.logs import guard
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.work.tasks import Busy, End
from syncbot.storage.promises.data import Changes
from syncbot.storage.promises.inbox import Claimed

if TYPE_CHECKING:
    from syncbot.runtime.work.workers import Workers

_log = logging.getLogger(__name__)

_decode = json.JSONDecoder().decode
"""What json.loads does with text, without looking for an encoding: a body is JSON of our own."""


class Handle(Protocol):
    """What is done with an update: `Dispatcher.handle`."""

    def __call__(self, raw: dict[str, Any], turn: Turn | None) -> Changes: ...


class Turn:
    """An update's place among the others, as its context sees it: it may wait for an answer without holding up anybody."""

    def __init__(self, workers: Workers, busy: Busy, claimed: Claimed) -> None:
        self._workers = workers
        self._busy = busy
        self._claimed = claimed

    def ask(self, chat_id: int, user_id: int, timeout: float) -> dict[str, Any]:
        """Wait for the next message of a user in a chat; meanwhile the chat's turn and the worker are free.

        Raises:
            AskTimeout: none came within `timeout` seconds.
            Stopped: the runtime is stopping.
        """
        with self._workers.turns.waiter(chat_id, user_id) as waiter:
            self._workers.step_aside(self._busy, self._claimed)
            try:
                return waiter.wait(timeout)
            finally:
                self._workers.step_back(self._busy, self._claimed, is_answered=waiter.answer is not None)

    @property
    def is_awaited(self) -> bool:
        """Whether any handler waits for an answer, so that this may be one."""
        return self._workers.turns.number > 0

    def offer(self, chat_id: int, user_id: int, raw: dict[str, Any]) -> bool:
        """Give an update to the handler that waits for it; False when none does."""
        return self._workers.turns.offer(chat_id, user_id, raw)


def run_handler(handle: Handle, claimed: Claimed, turn: Turn | None, stop: threading.Event) -> End:
    """Handle an update, and say how that ended; whatever is raised, its worker lives on.

    Args:
        handle: what is done.
        claimed: the update.
        turn: its place among the others; None where a handler cannot wait.
        stop: set when the runtime stops: what is cut short by that is put back.
    """
    try:
        changes = handle(_decode(claimed.body.decode()), turn)
    except HandlerFailed as failure:
        if stop.is_set() and failure.interrupted:
            return End(claimed, "put back")
        return End(claimed, "failed", failure.changes, failure.reason)
    except BaseException as error:
        if isinstance(error, Stopped) and stop.is_set():
            return End(claimed, "put back")
        _log.exception("update %d could not be dispatched", claimed.update_id)
        return End(claimed, "failed", reason=guard().traceback(error))
    return End(claimed, "handled", changes)
