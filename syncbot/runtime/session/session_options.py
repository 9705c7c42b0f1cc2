"""How a session runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from syncbot.runtime.durable.options import Asks, Interrupted, Replies
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.storage import StoreOptions
from syncbot.storage.address import StatePlace
from syncbot.types import AheadAuto

if TYPE_CHECKING:
    from syncbot.runtime.outbox.attempt import Uncertain


class SessionOptions(NamedTuple):
    """How a runtime runs; see `Runtime` for what each means."""

    state: StatePlace | None
    lock: Path
    workers: int
    allowed_users: frozenset[int] | None
    allowed_updates: tuple[str, ...] | None
    poll_wait: int
    most_waiting: int
    handler_warn_after: float
    grace: float
    standby: bool
    take_over: bool
    drop_pending_updates: bool
    heartbeat_file: Path | None
    store: StoreOptions | None
    notifier: ServiceNotifier
    uncertain: Uncertain
    durable: bool
    interrupted: Interrupted
    asks: Asks
    replies: Replies
    ahead: int | AheadAuto | None
    poll: bool = True
    """Without it, only what others have stored is handled."""
