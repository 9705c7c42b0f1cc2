"""One queued call: how it is written down, how it is made into a request again, and what each way of failing means for it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

from syncbot.client.api.table import find_method
from syncbot.client.client import Call
from syncbot.client.encode import Encoded, body
from syncbot.client.retry import RetryPolicy, shows_it_was_done
from syncbot.client.uploads import FilePart
from syncbot.errors import ApiError, BadRequest, ChatMigrated, DeliveryUncertain, NetworkError, NotSent, RetryAfter, ServerError, Unauthorized
from syncbot.runtime.outbox.queue_files import QueueFiles, UnreadableCopy
from syncbot.runtime.work.storage_retry import RETRY_SECONDS
from syncbot.storage import OutboxItem
from syncbot.trouble import Backoff
from syncbot.types import DEFAULT_MIN_RATE

Uncertain = Literal["hold", "again", "drop"]
"""What follows when nobody knows whether a call was carried out: keep it for somebody to look at, make it again (it may then be there twice), or
forget it (it may then be lost)."""

TOLD: Mapping[Uncertain, str] = {"hold": "it is kept for somebody to look at", "again": "it is made again", "drop": "it is dropped"}
"""The same in words."""

_ONCE = RetryPolicy(attempts=1)
_SLACK_SECONDS = 5.0
_PAUSE = Backoff(0.5, 60.0)
_JITTER_SECONDS = 0.5


class Next(Enum):
    """What becomes of a call after an attempt."""

    DONE = "done"
    AGAIN = "again"
    RELEASED = "released"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What an attempt has led to.

    Args:
        next: what becomes of the call.
        reason: why, in one line; empty when it was done.
        wait: seconds until its next attempt, at least.
        way_failed: the way to Telegram does not work, so that the other calls would fare no better.
        fatal: no call of this bot can be made any more.
        result: the JSON result of a call that was done.
    """

    next: Next
    reason: str = ""
    wait: float = 0.0
    way_failed: bool = False
    fatal: ApiError | None = None
    result: Any = None


DONE = Outcome(Next.DONE)
RELEASED = Outcome(Next.RELEASED)
"""Nothing was sent, and nothing is the matter with it: the deliverer stops, or its claim is gone."""


@dataclass
class DeliveryFacts:
    """What a deliverer has done so far."""

    delivered: int = 0
    failed: int = 0
    uncertain: int = 0
    last_error: str = ""

    def count(self, outcome: Outcome) -> None:
        """Count what became of a call."""
        self.delivered += outcome.next is Next.DONE
        self.failed += outcome.next is Next.FAILED
        self.uncertain += outcome.next is Next.UNCERTAIN
        self.last_error = outcome.reason or self.last_error


@dataclass(frozen=True)
class Prepared:
    """A call that can go out.

    Args:
        call: the request.
        chat: the chat that the rate limits count it for; None for none.
        seconds: how long the attempt may take at most.
    """

    call: Call
    chat: str | None
    seconds: float


def prepare(item: OutboxItem, folder: QueueFiles, moved: Mapping[str, str], timeout: float) -> Prepared:
    """Make the request of a queued call.

    Args:
        item: the call.
        folder: where the copies of its files are.
        moved: the new ids of groups that became supergroups.
        timeout: seconds that one attempt may take, the moving of files aside.

    Raises:
        OSError: the copy of a file is gone, or something else lies there.
        ValueError: a file is named that is none of the outbox's.
        StorageError: the store cannot be read now.
    """
    params = item.call.params
    fields = {name: value for name, value in params.items() if isinstance(value, str)}
    chat = fields.get("chat_id")
    if chat is not None and chat in moved:
        chat = fields["chat_id"] = moved[chat]
    facts = [(name, value) for name, value in params.items() if isinstance(value, dict)]
    files = tuple(FilePart(name, value["file"], folder.source(copy), value["type"]) for (name, value), copy in zip(facts, item.call.files, strict=True))
    encoded = Encoded(fields, files)
    _, payload = body(encoded)
    size = len(payload) if isinstance(payload, bytes) else payload.size
    spec = find_method(item.call.method)
    seconds = timeout + size / DEFAULT_MIN_RATE + _SLACK_SECONDS
    call = Call(
        item.call.method,
        encoded,
        repeatable=spec is not None and spec.repeatable,
        chat=chat,
        deadline=seconds,
        retry=_ONCE,
    )
    return Prepared(call, chat, seconds)


def with_hooks(prepared: Prepared, begin: Callable[[], None], stop: threading.Event) -> Call:
    """The request with what is told before its first byte leaves, and with what ends its wait."""
    return replace(prepared.call, begin=begin, stop=stop)


def judge(error: Exception, item: OutboxItem, *, repeatable: bool, begun: bool) -> Outcome:
    """What an error means for a queued call.

    Args:
        error: what the attempt ended with.
        item: the call, as it was claimed (its attempts are the earlier ones).
        repeatable: carrying it out twice does no harm.
        begun: the first byte of its request may have left.
    """
    reason = str(error) or type(error).__name__
    if isinstance(error, NotSent):
        return RELEASED if error.stage == "limit" else Outcome(Next.AGAIN, reason, way_failed=not error.failover)
    if isinstance(error, DeliveryUncertain):
        return Outcome(Next.UNCERTAIN, reason, way_failed=True)
    if isinstance(error, NetworkError):
        return Outcome(Next.AGAIN, reason, way_failed=True)
    if isinstance(error, UnreadableCopy):
        return Outcome(Next.AGAIN, reason, wait=RETRY_SECONDS)
    if isinstance(error, ApiError):
        return _answered(error, item, repeatable)
    # A file that changed under us, or a mistake of ours: a request that was cut short is not carried out, but who knows what this one was.
    return Outcome(Next.FAILED if isinstance(error, ValueError | OSError) or not begun else Next.UNCERTAIN, reason)


def _answered(error: ApiError, item: OutboxItem, repeatable: bool) -> Outcome:
    reason = str(error)
    if isinstance(error, RetryAfter):
        return Outcome(Next.AGAIN, reason, wait=error.retry_after + random.uniform(0.0, _JITTER_SECONDS))  # noqa: S311 - jitter, not a secret
    if isinstance(error, ServerError):
        # Its server failed somewhere on the way: what may be done twice is done again, of the rest nobody knows.
        return Outcome(Next.AGAIN if repeatable else Next.UNCERTAIN, reason, way_failed=True)
    if isinstance(error, Unauthorized):
        return Outcome(Next.AGAIN, reason, fatal=error)
    if isinstance(error, BadRequest) and item.attempts and shows_it_was_done(item.call.method, error):
        return DONE
    return Outcome(Next.FAILED, reason)


def moved_to(error: ChatMigrated, item: OutboxItem) -> str | None:
    """The id under which the group of a call lives now; None where the error may speak of another chat than the one that is written to."""
    return None if "from_chat_id" in item.call.params else str(error.new_chat_id)


@dataclass
class SharedPause:
    """Whether the way to Telegram works. After a failure everybody pauses, longer each time, since the next message would fare no better.

    Args:
        clock: seconds, never going backwards.
    """

    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    _paused_until: float = field(default=0.0)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pause(self) -> float:
        """For how many seconds nobody should try; 0.0 when the way is open."""
        return max(0.0, self._paused_until - self.clock())

    def failed(self) -> float:
        """An attempt found no way; returns the pause. What fails while others pause already counts with their failure."""
        with self._lock:
            if (left := self.pause()) > 0:
                return left
            seconds = _PAUSE.seconds(self.failures)
            self.failures += 1
            self._paused_until = self.clock() + seconds
            return seconds

    def worked(self) -> int:
        """An attempt reached Telegram; returns how many had failed before."""
        with self._lock:
            failures, self.failures = self.failures, 0
            return failures
