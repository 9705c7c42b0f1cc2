"""Polling, or fed by a webhook: a bot can only have one of the two at a time, and whoever handles writes down which it is."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from syncbot.client.bot import Bot
from syncbot.errors import AlreadyRunning, StorageError
from syncbot.runtime.receiving.poller import Poller
from syncbot.storage import open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.promises.store import StoreOptions

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Members, Store

_NAME = "mode"
_POLLING, WEBHOOK = "polling", "webhook"
_SETTLES_SECONDS = 2.0
"""How long whoever has just taken the lock may need to write its mode."""
_PROBE_SECONDS = 0.1
_POLLING_LOOK_SECONDS = 1.0
"""How often a process looks whether nobody polls any more; of one that dies it is told."""


def write_mode(store: Store, *, poll: bool) -> None:
    """Write down what the holder of the lock does."""
    store.meta.set(_NAME, _POLLING if poll else WEBHOOK)


def mode_of(store: Store) -> str | None:
    """What the holder of the lock does, or the last one did: polls, or takes what a webhook brings (`WEBHOOK`)."""
    mode: str | None = store.meta.get(_NAME)
    return mode


def join_members(members: Members, bot: Bot, place: str, *, poll: bool) -> None:
    """Handle beside those that handle already, on this machine or on others.

    Raises:
        AlreadyRunning: they do not do the same: polling and a webhook exclude each other.
    """
    mode = members.join(_POLLING if poll else WEBHOOK)
    if mode:
        raise AlreadyRunning(_refusal(mode, bot.id, f"in {place}", poll=poll, once=False))
    members.on_polling_lost = bot.abort_poll


def need_polling(store: Store, bot_id: int, place: str) -> None:
    """Become the one that polls, for one go.

    Raises:
        AlreadyRunning: another process polls.
        StorageError: the state cannot be used.
    """
    if store.members is not None and not store.members.take_polling():
        raise AlreadyRunning(_refusal(_POLLING, bot_id, f"in {place}", poll=True, once=True))


def poll_in_turn(poller: Poller, store: Store, stop: threading.Event) -> None:
    """Poll until the stop; where several processes handle, while this is the one that polls.

    Raises:
        Unauthorized: Telegram does not know the token.
        StorageError: the state cannot be used any more.
    """
    members = store.members
    if members is None:
        poller.run()
        return
    while not stop.is_set():
        if _takes_polling(members):
            poller.begin_anew()
            poller.run(lambda: members.may_poll)
        elif not stop.is_set():
            members.wait_for_polling(_POLLING_LOOK_SECONDS)


def _takes_polling(members: Members) -> bool:
    try:
        return members.take_polling()
    except StorageError as error:
        if not error.retryable:
            raise
        return False


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
            raise AlreadyRunning(_refusal(mode, bot_id, f"it holds {lock.path}", poll=poll, once=once))
    return True


def _mode_of_holder(state: StatePlace | None, bot_id: int) -> str | None:
    if state is None or (isinstance(state, Path) and not state.exists()):
        return None
    with open_store(state, bot_id, options=StoreOptions(check=False)) as store:
        return mode_of(store)


def _refusal(mode: str | None, bot_id: int, where: str, *, poll: bool, once: bool) -> str:
    if poll and mode == WEBHOOK:
        return (
            f"another process handles what the webhook brings for bot {bot_id} ({where}), and polling and a webhook exclude each other; "
            "to poll, stop it and remove the webhook with `syncbot webhook delete`"
        )
    if not poll:
        return f"another process polls for bot {bot_id} ({where}), and polling and a webhook exclude each other; stop it first, and then set the webhook"
    advice = "this run leaves them to it, and to the next run" if once else "stop it first, or wait for its end with Runtime(standby=True)"
    return f"another process handles the updates of bot {bot_id} ({where}); {advice}"
