"""One update: its handler runs, and ends in one way or another. Every way in goes through here."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from syncbot.errors import Stopped, StorageError, Suspended
from syncbot.logs import guard
from syncbot.runtime.durable.asking import Answers
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.seam import recorded
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.work.tasks import what_is
from syncbot.runtime.work.turn import Turn
from syncbot.storage.codec import encode_changes
from syncbot.storage.promises.data import NO_CHANGES, Changes, DataConflict
from syncbot.storage.promises.inbox import Claimed, End, Settled
from syncbot.storage.promises.journal import JournalKey

if TYPE_CHECKING:
    from syncbot.storage.promises.queues import Inbox

_log = logging.getLogger(__name__)

_decode = json.JSONDecoder().decode
"""What json.loads does with text, without looking for an encoding: a body is JSON of our own."""


_LITTLE_SECONDS = 0.005
MOST_TRIES = 20
"""How often a handler is tried whose data others change meanwhile; then what it has written wins."""

Handle: TypeAlias = Callable[[dict[str, Any], Answers | None], Changes]
"""What is done with an update: `Dispatcher.handle`."""


def run_update(
    handle: Handle, claimed: Claimed, answers: Answers | None, stop: threading.Event, durability: Durability, *, is_again: bool = False
) -> End | None:
    """Handle an update, and say how that ended; nothing that a handler raises comes out of here.

    Args:
        handle: what is done.
        claimed: the update.
        answers: where its handler may wait for one; None where it cannot wait.
        stop: set when the runtime stops.
        durability: what its steps are written with.
        is_again: it is another run within the same claim.

    Returns:
        None where it was put aside, by a stop or at a question, so that it is to be put back.

    Raises:
        StorageError: the journal cannot be used any more, or the claim is gone.
    """
    try:
        raw = _decode(claimed.body.decode())
        key, has_steps = JournalKey(claimed.row, claimed.ticket), claimed.has_steps or is_again
        with recorded(durability, key, what_is(claimed), claimed.attempt, has_steps=has_steps) as run:
            changes = handle(raw, answers)
        encode_changes(changes)  # what cannot be stored is this update's failure, and not that of those that are settled with it
    except HandlerFailed as failure:
        return End(claimed, failure.changes, failure.reason, keep=failure.keep)
    except Suspended:
        if run.failure is not None:
            raise run.failure from None
        return None
    except BaseException as error:
        if isinstance(error, Stopped) and stop.is_set():
            return None
        _log.exception("%s could not be handled", what_is(claimed))
        return End(claimed, reason=guard().traceback(error))
    return End(claimed, changes)


def after_conflicts(end: End, conflicts: tuple[DataConflict, ...], *, last: bool) -> End | None:
    """What a handler ends with whose data others have changed before it was written; None where it is to run again.

    Args:
        end: what could not be recorded.
        conflicts: what others have changed.
        last: it is to be recorded now, whatever others do.
    """
    try:
        changes = end.changes.again(conflicts, last) if end.changes.again is not None else NO_CHANGES
        if changes is not None:
            encode_changes(changes)
    except BaseException as error:  # of the function of a `change`, which is the handler's
        _log.exception("what %s has changed could not be changed again", what_is(end.claimed))
        return End(end.claimed, reason=guard().traceback(error))
    return None if changes is None else end._replace(changes=changes)


def unwritable(end: End, error: Exception) -> End:
    """An end in the place of one that the store cannot write: without its changes, and with the reason; one that changes nothing stays."""
    if end.changes == NO_CHANGES:
        return end
    return end._replace(changes=NO_CHANGES, reason=end.reason or guard().traceback(error))


def put_back(inbox: Inbox, claimed: Claimed, turn: Turn | None, rest: Sequence[Claimed] = ()) -> None:
    """Put back an update whose handler was put aside, and the rest of its chat's that was claimed with it; what it was to answer is open again.

    Raises:
        StorageError: the state file cannot be used.
    """
    inbox.release(claimed, *rest)
    if turn is not None:
        turn.put_aside()


@dataclass
class Done:
    """What was done: updates whose handlers returned, and updates whose handlers raised, now among the dead letters."""

    handled: int = 0
    failed: int = 0

    def count(self, end: End) -> None:
        """Count an end."""
        self.handled += end.reason is None
        self.failed += end.reason is not None


def run_here(
    inbox: Inbox,
    handle: Handle,
    stop: threading.Event,
    deadline: float,
    durability: Durability,
    *,
    turn_of: Callable[[Claimed], Turn | None] = lambda _: None,
    on_settled: Callable[[End], object] = lambda _: None,
    more: Callable[[], int] = lambda: 0,
) -> Done:
    """Handle what the inbox holds in the calling thread, the oldest first, until nothing is left or the time is up: where no thread may outlive a request.

    Args:
        inbox: where the updates wait; `recover` has been called.
        handle: what is done with each.
        stop: ends it; an update that it cuts short is put back.
        deadline: `time.monotonic()` at which no more are begun.
        durability: what their steps are written with.
        turn_of: gives an update's turn; None where its handler cannot wait for an answer.
        on_settled: told of each end that is recorded.
        more: puts what is due now into the inbox, and tells how much that was.

    Raises:
        StorageError: the state file cannot be used; what was not recorded is handled again.
    """
    done = Done()
    more()
    claimed = _next(inbox, stop, deadline)
    while claimed:
        turn = turn_of(claimed[0])
        end = run_update(handle, claimed[0], turn, stop, durability)
        for tries in range(MOST_TRIES):
            goes_on = time.monotonic() < deadline and not stop.is_set()
            if end is None:  # put aside
                put_back(inbox, claimed[0], turn)
                goes_on = goes_on and turn is not None and turn.is_asking
                settled = inbox.settle((), claim=int(goes_on))
                break
            try:
                settled = inbox.settle([end], claim=int(goes_on))
            except (StorageError, MemoryError):  # which is no fault of what was changed
                raise
            except Exception as error:
                if end.changes == NO_CHANGES:
                    raise
                _log.error("what %s has changed could not be written, and is tried once more", what_is(claimed[0]), exc_info=error)
                end, settled = _settled_alone(inbox, end)
            if not settled.refused:
                break
            inbox.release(*settled.claimed)
            end = after_conflicts(end, settled.refused[0][1], last=tries >= MOST_TRIES - 2)
            end = end or run_update(handle, claimed[0], turn, stop, durability, is_again=True)
        if end is not None:
            done.count(end)
            on_settled(end)
        claimed = settled.claimed
        if goes_on and not claimed:
            more()
            claimed = _next(inbox, stop, deadline)
    return done


def _settled_alone(inbox: Inbox, end: End) -> tuple[End, Settled]:
    """Settle an end after an error, with nothing claimed; if that fails too, without what it changes, and with the reason.

    Returns:
        What was settled, and what came of it.
    """
    try:
        return end, inbox.settle([end])
    except (StorageError, MemoryError):
        raise
    except Exception as error:
        without = unwritable(end, error)
        return without, inbox.settle([without])


def _next(inbox: Inbox, stop: threading.Event, deadline: float) -> list[Claimed]:
    """What is next; an album that is still collected is waited for, since nobody else would come for it."""
    settled = inbox.settle((), claim=1)
    while not settled.claimed and (seconds := settled.album_seconds) is not None and time.monotonic() + seconds < deadline:
        if stop.wait(seconds + _LITTLE_SECONDS):
            break
        settled = inbox.settle((), claim=1)
    return settled.claimed
