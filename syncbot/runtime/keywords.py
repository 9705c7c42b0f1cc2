"""The options of a runtime, as type checkers see them; nothing else loads this."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypedDict

from syncbot.runtime.durable.options import Asks, Interrupted, Replies
from syncbot.runtime.outbox.attempt import Uncertain
from syncbot.storage import StoreOptions
from syncbot.storage.address import DatabaseUrl
from syncbot.types import AheadMode


class RuntimeOptions(TypedDict, total=False):
    """See `Runtime`; `types` alone decides which kind of runtime it is."""

    state: str | os.PathLike[str] | DatabaseUrl | None
    workers: int
    allowed_users: Iterable[int] | None
    allowed_updates: Sequence[str] | None
    poll_wait: int
    most_waiting: int
    handler_warn_after: float
    grace: float
    standby: bool
    take_over: bool
    drop_pending_updates: bool
    heartbeat_file: str | os.PathLike[str] | None
    uncertain: Uncertain
    durable: bool
    interrupted: Interrupted
    asks: Asks
    replies: Replies
    ahead: AheadMode | None
    store_options: StoreOptions | None
