"""Among what came while nothing ran there may be answers: whether all of it has been handled by now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from syncbot.client.bot import Bot
from syncbot.errors import SyncBotError
from syncbot.runtime.receiving.poller import Poller
from syncbot.runtime.work.workers import Workers

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Store

_LONGEST_SECONDS = 150.0
"""Telegram brings what a webhook could not take again after two minutes at the latest. What has not come by then is not waited for."""
_PAUSE_SECONDS = 2.0
_DEADLINE_SECONDS = 5.0


class CatchingUp:
    """What a process knows of that. One that polls knows it by its polls; by a webhook, or where another one polls, Telegram says whether something waits.

    Args:
        bot: asks Telegram.
        store: where updates are stored; by whichever process.
        poller: the process's own.
        workers: those that handle here.
        polls: whether updates are polled, and not brought by a webhook.
        clock: seconds, from any moment on.
    """

    def __init__(self, bot: Bot, store: Store, poller: Poller, workers: Workers, *, polls: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot = bot
        self._store = store
        self._poller = poller
        self._workers = workers
        self._polls = polls
        self._clock = clock
        self._until = clock() + _LONGEST_SECONDS
        self._ask_at = 0.0
        self._last_row: int | None = None

    def is_through(self) -> bool:
        """Whether all that came before the start is handled. It may ask Telegram, every two seconds at most.

        Raises:
            StorageError: the store cannot be asked.
        """
        row = self._newest()
        if row is None:
            return False
        if not self._store.questions.may_be_answered(row):
            return True  # also where the workers have more to do than they can
        # What is behind a handler that hangs is not waited for.
        return self._workers.is_through(row) and (self._store.members is None or self._clock() >= self._until)

    def _newest(self) -> int | None:
        """The row of the last of it; None while some may not be stored."""
        if self._polls and (self._store.members is None or self._poller.up_to_date_row is not None):
            return self._poller.up_to_date_row
        if self._last_row is None and self._is_stored():
            self._last_row = self._store.inbox.counts().newest
            self._workers.notify()  # of what another process has stored they may not know yet
        return self._last_row

    def _is_stored(self) -> bool:
        now = self._clock()
        if now >= self._until or now < self._ask_at:
            return now >= self._until
        try:
            found = self._bot.call("getWebhookInfo", deadline=_DEADLINE_SECONDS)
        except SyncBotError:
            found = None
        self._ask_at = self._clock() + _PAUSE_SECONDS
        return isinstance(found, dict) and found.get("pending_update_count") == 0
