"""Polling, or fed by a webhook: a bot can only have one of the two at a time, and whoever holds the bot's lock writes down which it is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from syncbot.errors import AlreadyRunning
from syncbot.storage import open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.promises.store import Store, StoreOptions

_NAME = "mode"
_POLLING, WEBHOOK = "polling", "webhook"
_SETTLES_SECONDS = 2.0
"""How long whoever has just taken the lock may need to write its mode."""
_PROBE_SECONDS = 0.1


def write_mode(store: Store, *, poll: bool) -> None:
    """Write down what the holder of the lock does."""
    store.meta.set(_NAME, _POLLING if poll else WEBHOOK)


def mode_of(store: Store) -> str | None:
    """What the holder of the lock does, or the last one did: polls, or takes what a webhook brings (`WEBHOOK`)."""
    mode: str | None = store.meta.get(_NAME)
    return mode


def join_in(lock: BotLock, state: StatePlace | None, bot_id: int, stop: threading.Event, *, poll: bool, standby: bool, once: bool = False) -> bool:
    """Take the bot's lock, or find somebody beside whom one may stand by.

    Args:
        lock: the bot's lock.
        state: the state file; None where there is none, and then nobody knows the other's mode.
        bot_id: the bot.
        stop: ends the waiting.
        poll: whether the caller polls; else a webhook feeds it, and any number of such processes may run beside each other.
        standby: whether the caller would stand by.
        once: whether the caller is for one go, as from cron: it has nothing to wait for.

    Returns:
        True with the lock, False to stand by.

    Raises:
        AlreadyRunning: the other one does not do the same, or the caller is not to stand by.
    """
    ends_at = time.monotonic() + _SETTLES_SECONDS
    while not lock.acquire():
        mode = _mode_of_holder(state, bot_id)
        same = mode in (None, _POLLING if poll else WEBHOOK)
        if same and (standby or not poll):
            return False
        # What stands there may be from the run before this holder's.
        if same or time.monotonic() > ends_at or stop.wait(_PROBE_SECONDS):
            raise AlreadyRunning(_refusal(mode, bot_id, lock.path, poll=poll, once=once))
    return True


def _mode_of_holder(state: StatePlace | None, bot_id: int) -> str | None:
    if state is None or (isinstance(state, Path) and not state.exists()):
        return None
    with open_store(state, bot_id, options=StoreOptions(check=False)) as store:
        return mode_of(store)


def _refusal(mode: str | None, bot_id: int, path: Path, *, poll: bool, once: bool) -> str:
    if poll and mode == WEBHOOK:
        return (
            f"another process handles what the webhook brings for bot {bot_id} (it holds {path}), and polling and a webhook exclude each other; "
            "to poll, stop it and remove the webhook with `syncbot webhook delete`"
        )
    if not poll:
        return (
            f"another process polls for bot {bot_id} (it holds {path}), and polling and a webhook exclude each other; stop it first, and then set the webhook"
        )
    advice = "this run leaves them to it, and to the next run" if once else "stop it first, or wait for its end with Runtime(standby=True)"
    return f"another process handles the updates of bot {bot_id} (it holds {path}); {advice}"
