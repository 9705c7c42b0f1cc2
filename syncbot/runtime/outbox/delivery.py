"""The deliverer of a session and the files of its queue, both made when something is queued: most bots never queue anything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from syncbot.client.bot import Bot
from syncbot.errors import StorageError, SyncBotError
from syncbot.storage.address import StatePlace

if TYPE_CHECKING:
    from syncbot.runtime.outbox.attempt import Uncertain
    from syncbot.runtime.outbox.deliverer import Deliverer
    from syncbot.runtime.outbox.queue_files import QueueFiles
    from syncbot.storage.promises.parts import Store


class SessionDelivery:
    """What a session knows of its `Deliverer`, whether or not it has needed one yet.

    Args:
        store: whose queue it is.
        place: where that lies; None in memory.
        bot: makes the calls.
        uncertain: what follows when nobody knows whether a call was carried out.
        stop: ends it; whoever sets it calls `wake`, and `join` afterwards.
        on_fatal, on_delivered: as for `Deliverer`.
    """

    def __init__(
        self,
        store: Store,
        place: StatePlace | None,
        bot: Bot,
        *,
        uncertain: Uncertain,
        stop: threading.Event,
        on_fatal: Callable[[SyncBotError], None],
        on_delivered: Callable[[Any], AbstractContextManager[object]],
    ) -> None:
        self._store = store
        self._place = place
        self._bot = bot
        self._uncertain: Uncertain = uncertain
        self._stop = stop
        self._on_fatal = on_fatal
        self._on_delivered = on_delivered
        self._making = threading.Lock()
        self._files: QueueFiles | None = None
        self._deliverer: Deliverer | None = None

    def files(self) -> QueueFiles:
        """The files of the queue."""
        with self._making:
            return self._made_files()

    def notify(self) -> None:
        """See `Deliverer.notify`."""
        if (deliverer := self._if_needed()) is not None:
            deliverer.notify()

    def tell(self) -> None:
        """Do so where the state may not be readable now: what is queued is safe, and is found later."""
        with suppress(StorageError):
            self.notify()

    def work_off(self, seconds: float, *, patience: float | None = None) -> None:
        """See `Deliverer.work_off`."""
        if (deliverer := self._if_needed()) is not None:
            deliverer.work_off(seconds, patience=patience)

    def wake(self) -> None:
        """See `Deliverer.wake`."""
        if self._deliverer is not None:
            self._deliverer.wake()

    def join(self, grace: float, forced: threading.Event | None = None) -> None:
        """See `Deliverer.join`. Lets go of the files, too."""
        try:
            if self._deliverer is not None:
                self._deliverer.join(grace, forced)
        finally:
            if self._files is not None:
                self._files.close()

    @property
    def threads(self) -> set[threading.Thread]:
        """The threads that deliver now."""
        return set() if self._deliverer is None else self._deliverer.threads

    @property
    def fatal(self) -> SyncBotError | None:
        """The error after which nothing can be delivered."""
        return None if self._deliverer is None else self._deliverer.fatal

    @property
    def lacks_thread(self) -> bool:
        """A thread could not be started; `notify` tries again."""
        return self._deliverer is not None and self._deliverer.lacks_thread

    def _if_needed(self) -> Deliverer | None:
        """The deliverer; None where nothing was ever queued, or the stop came before it was needed."""
        if self._deliverer is not None:
            return self._deliverer
        if self._stop.is_set() or self._store.outbox.outlook().next_time is None:
            return None
        from syncbot.runtime.outbox.deliverer import Deliverer  # deferred: see above

        with self._making:
            if self._deliverer is None:
                queue, files = self._store.outbox, self._made_files()
                self._deliverer = Deliverer(
                    queue, self._bot, files, uncertain=self._uncertain, stop=self._stop, on_fatal=self._on_fatal, on_delivered=self._on_delivered
                )
            return self._deliverer

    def _made_files(self) -> QueueFiles:
        """The files; `_making` is held."""
        if self._files is None:
            from syncbot.runtime.outbox.queue_files import files_of  # deferred: see above

            self._files = files_of(self._store, self._place)
        return self._files
