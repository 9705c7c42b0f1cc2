"""Handling in the calling thread: for places where no thread may outlive a request."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncbot.errors import Stopped
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.storage.promises.data import NO_CHANGES, Changes
from syncbot.storage.promises.inbox import Claimed, Inbox

_log = logging.getLogger(__name__)


@dataclass
class Done:
    """What was done: updates whose handlers returned, and updates whose handlers raised, now among the dead letters."""

    handled: int = 0
    failed: int = 0


def work_here(inbox: Inbox, handle: Callable[[dict[str, Any]], Changes], deadline: float) -> Done:
    """Handle what the inbox holds, the oldest first, until nothing is left or the time is up.

    Args:
        inbox: where the updates wait; `recover` has been called.
        handle: what is done with each: `Dispatcher.handle`.
        deadline: `time.monotonic()` at which no more are begun.

    Raises:
        Stopped: the bot is stopping; the update has been put back.
        StorageError: the state file cannot be used; what was not recorded is handled again.
    """
    done = Done()
    claimed = inbox.claim(1)
    while claimed:
        more = 1 if time.monotonic() < deadline else 0
        claimed = _one(inbox, handle, claimed[0], done, more)
    return done


def _one(inbox: Inbox, handle: Callable[[dict[str, Any]], Changes], claimed: Claimed, done: Done, more: int) -> list[Claimed]:
    try:
        changes = handle(json.loads(claimed.body))
    except HandlerFailed as failure:
        reason, changes = failure.reason, failure.changes
    except Stopped:
        inbox.release(claimed)
        raise
    except Exception:  # a mistake of ours must not be met again at every request
        _log.exception("update %d could not be dispatched", claimed.update_id)
        reason, changes = traceback.format_exc(), NO_CHANGES
    else:
        following = inbox.finish(claimed, changes, claim=more)
        done.handled += 1
        return following
    following = inbox.bury(claimed, reason, changes, claim=more)
    done.failed += 1
    return following
