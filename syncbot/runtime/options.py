"""The options of a runtime, for type checkers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypedDict

from syncbot.runtime.outbox.attempt import Uncertain
from syncbot.storage import StoreOptions


class RuntimeOptions(TypedDict, total=False):
    """The options of a `Runtime` whatever its types."""

    state: str | os.PathLike[str] | None
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
    ahead: int | None
    store_options: StoreOptions | None
