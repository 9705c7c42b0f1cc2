"""What delivers the outbox: threads that claim calls, make them, and write down how each ended.

Several deliverers, in one process or many, share a queue. What one of them had begun to send when it died is uncertain; all else is sent by another.
Threads exist only while something is queued.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from syncbot.client.bot import Bot
from syncbot.errors import ChatMigrated, StorageError, SyncBotError
from syncbot.logs import guard
from syncbot.runtime.outbox.attempt import RELEASED, TOLD, DeliveryFacts, Next, Outcome, Prepared, SharedPause, Uncertain, judge, moved_to, prepare, with_hooks
from syncbot.runtime.outbox.queue_files import QueueFiles
from syncbot.runtime.outbox.recovery import SETTLE_SECONDS, OutboxRecovery
from syncbot.runtime.work.storage_retry import RETRY_SECONDS, StorageRetry
from syncbot.storage import OutboxItem, OutboxQueue, OutboxState, Outlook

_log = logging.getLogger(__name__)

_CLAIM_LEASE_SECONDS = 30.0
_LEASE_MARGIN_SECONDS = 30.0
_PATIENCE_SECONDS = 0.25
"""A call whose turn within the rate limits comes later than this is put back until then, so that other chats go first."""
_LONGEST_REST_SECONDS = 3600.0
_LOOK_AGAIN_SECONDS = 0.1
WAITS_FOR_LIMITS = "waits for its turn within the rate limits"
_WARN_FROM = 3
"""Failures of the way in a row from which they are worth a warning: on a bad way one or two pass all the time."""


class _WithdrawnError(Exception):
    """The call must not be sent: the deliverer stops, or the claim is gone."""


class Deliverer:
    """Delivers what a queue holds.

    Args:
        queue: the queue.
        bot: makes the calls.
        folder: where the copies of files and the deliverers' locks are.
        uncertain: what follows when nobody knows whether a call was carried out.
        senders: how many calls may be under way at once.
        stop: ends it; whoever sets it calls `wake`, and `join` afterwards.
        on_fatal: told of an error after which nothing can be delivered.
        on_delivered: told the JSON result of a call that was carried out, or None of one that was not; within its block that is written down.
        now: seconds since 1970.
        settle_seconds: as for `OutboxRecovery`.
    """

    def __init__(
        self,
        queue: OutboxQueue,
        bot: Bot,
        folder: QueueFiles,
        *,
        uncertain: Uncertain = "hold",
        senders: int = 4,
        stop: threading.Event | None = None,
        on_fatal: Callable[[SyncBotError], None] | None = None,
        on_delivered: Callable[[Any], AbstractContextManager[object]] = nullcontext,
        now: Callable[[], float] = time.time,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self.owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.facts = DeliveryFacts()
        self.fatal: SyncBotError | None = None
        self.lacks_thread = False
        """A thread could not be started; `notify` tries again."""
        self._queue = queue
        self._bot = bot
        self._folder = folder
        self._uncertain = uncertain
        self._senders = senders
        self._stop = stop or threading.Event()
        self._retry = StorageRetry(self._stop)
        self._on_fatal = on_fatal
        self._on_delivered = on_delivered
        self._now = now
        self._settle_seconds = settle_seconds
        self._way = SharedPause()
        self._moved: dict[str, str] = {}
        self._guard = threading.Lock()
        self._work_ready = threading.Condition(self._guard)
        self._progress = threading.Condition(self._guard)
        self._threads: set[threading.Thread] = set()
        self._idle = self._stepping = self._steps = self._news = self._names = 0
        self._lock: Any = None
        self._recovery = OutboxRecovery(queue, folder, self.owner, uncertain, now, settle_seconds)

    # ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def notify(self) -> None:
        """Say that something may have been queued; costs a look into the queue, and starts a thread where there is something to do.

        Raises:
            StorageError: the queue cannot be read.
        """
        if self._is_over() or self._queue.outlook().next_time is None:
            return
        with self._guard:
            self._news += 1
            self._call_another()

    def wake(self) -> None:
        """Look at the stop event again."""
        with self._guard:
            self._news += 1
            self._work_ready.notify_all()
            self._progress.notify_all()

    def work_off(self, seconds: float, *, patience: float | None = None) -> None:
        """Deliver until nothing is left to do, or the time is up; calls that are under way then go on (see `join`).

        Args:
            seconds: how long at most.
            patience: leave what can only be done in more than so many seconds from now (queued for later, the way to Telegram does not work, or
                somebody else has it); None waits for whatever comes within the time, also for what somebody else is about to finish.

        Raises:
            Unauthorized, StorageError: nothing can be delivered.
        """
        ends_at = time.monotonic() + seconds
        self.notify()
        while not self._is_over() and (left := ends_at - time.monotonic()) > 0:
            with self._guard:
                seen = self._steps, self._stepping
            outlook = self._queue.outlook()
            next_in = self._seconds_until(outlook)
            worth = left if patience is None else min(left, patience)
            with self._guard:
                if seen != (self._steps, self._stepping):  # the look into the queue is out of date
                    continue
                if not self._stepping and (next_in is None or (next_in > worth and not (patience is None and self._has_others(outlook)))):
                    break
                if next_in == 0.0 and (self._idle or not self._threads):  # somebody else has finished what ours rest for, or queued something
                    self._news += 1
                    self._call_another()
                self._progress.wait(min(left, RETRY_SECONDS))
        if self.fatal is not None:
            raise self.fatal

    def join(self, grace: float, forced: threading.Event | None = None) -> bool:
        """After the stop event was set: wait for the calls under way, and give back the rest.

        Returns:
            False when some did not end within `grace` seconds, or before `forced`; those are uncertain then, and what they still do is recorded
            only if it is possible.
        """
        self._stop.set()
        self.wake()
        ends_at = time.monotonic() + grace
        with self._guard:
            while self._threads and (left := ends_at - time.monotonic()) > 0 and not (forced is not None and forced.is_set()):
                self._progress.wait(min(left, _LOOK_AGAIN_SECONDS))
            late = bool(self._threads)
        try:
            if late or self.owner in self._queue.outlook().owners:
                self._queue.abandon(self.owner)
        finally:
            lock, self._lock = self._lock, None
            self._folder.unlock(lock)
        return not late

    # ── one step ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> float | None:
        """Deliver one call, if the time and the turn of one has come.

        Returns:
            In how many seconds to look again: 0.0 for at once, None when nothing is queued.

        Raises:
            StorageError: the queue cannot be used.
        """
        with self._guard:
            self._stepping += 1
            self._steps += 1
        try:
            return self._step()
        finally:
            with self._guard:
                self._stepping -= 1
                self._progress.notify_all()

    def _step(self) -> float | None:
        if (pause := self._way.pause()) > 0:
            return pause
        if self._recovery.is_due():  # also while there is other work: somebody's chats may wait
            self._recovery.recover()
        items = self._queue.claim(self.owner, lease=_CLAIM_LEASE_SECONDS, again=self._uncertain == "again")
        if not items:
            return 0.0 if self._recovery.recover() else self._seconds_until(self._queue.outlook())
        if self._seconds_until(self._queue.outlook()) == 0.0:  # another one is due: somebody else may take it meanwhile
            with self._guard:
                self._call_another()
        self._deliver(items[0])
        return 0.0

    def _deliver(self, item: OutboxItem) -> None:
        try:
            prepared = prepare(item, self._folder, self._moved, self._bot.timeout)
        except OSError as problem:
            self._record(item, Outcome(Next.FAILED, f"the copy of a file is gone: {problem.strerror}"))
        except StorageError:
            raise
        except Exception as problem:  # a row that something else wrote must not be met again and again
            self._record(item, Outcome(Next.FAILED, f"it cannot be made into a request: {type(problem).__name__}: {problem}"))
        else:
            wait = self._bot.seconds_to_turn(item.call.method, prepared.chat)
            if wait > _PATIENCE_SECONDS:
                self._queue.put_off(item.id, self.owner, until=self._now() + wait, reason=WAITS_FOR_LIMITS)
            else:
                self._record(item, self._attempt(item, prepared))

    def _attempt(self, item: OutboxItem, prepared: Prepared) -> Outcome:
        begun = is_marked = False

        def begin() -> None:
            # The mark that its request may have left; durable before the first byte leaves, and refused where the claim is gone.
            nonlocal begun, is_marked
            lease = prepared.seconds + _LEASE_MARGIN_SECONDS
            if self._stop.is_set() or not (is_marked or self._queue.sending(item.id, self.owner, lease=lease, further=begun)):
                raise _WithdrawnError
            begun = is_marked = True

        call = with_hooks(prepared, begin, self._stop)
        try:
            try:
                result = self._bot.carry(call)
            except ChatMigrated as error:
                if (now_at := moved_to(error, item)) is None:
                    raise
                _log.warning("the group %s is a supergroup now, with the id %s; what is queued for it goes there", prepared.chat, now_at)
                self._moved[str(prepared.chat)] = now_at
                is_marked = False  # another request, with a time of its own
                result = self._bot.carry(with_hooks(prepare(item, self._folder, self._moved, self._bot.timeout), begin, self._stop))
        except _WithdrawnError:
            return RELEASED
        except StorageError:
            raise
        except SyncBotError as error:
            return judge(error, item, repeatable=call.repeatable, begun=begun)
        except Exception as error:
            _log.exception("call %d (%s) could not be made", item.id, item.call.method)
            return judge(error, item, repeatable=call.repeatable, begun=begun)
        return Outcome(Next.DONE, result=result)

    # ── what became of it ────────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, item: OutboxItem, outcome: Outcome) -> None:
        """Write down how an attempt ended; on a full disk, again and again until there is room, rather than forget it."""
        pause = self._way.failed() if outcome.way_failed else 0.0
        self._tell(item, outcome)
        if outcome.next is Next.UNCERTAIN:
            self._stop.wait(self._settle_seconds)
        self._retry.until_stop(lambda: self._noted(item, outcome, max(pause, outcome.wait)))  # stopped: its lease runs out, or `join` abandons it
        if outcome.fatal is not None:
            raise outcome.fatal

    def _noted(self, item: OutboxItem, outcome: Outcome, wait: float) -> None:
        try:
            with self._on_delivered(outcome.result):
                self._write(item, outcome, wait)
        except StorageError as error:
            self.facts.last_error = str(error)
            raise

    def _write(self, item: OutboxItem, outcome: Outcome, wait: float) -> None:
        reason = guard().text(outcome.reason)
        again = outcome.next is Next.AGAIN or (outcome.next is Next.UNCERTAIN and self._uncertain == "again")
        if outcome.next is Next.DONE or (outcome.next is Next.UNCERTAIN and self._uncertain == "drop"):
            if self._queue.sent(item.id, self.owner):  # else somebody else makes it again, with the same files
                self._folder.remove(item.call.files)
        elif again:
            self._queue.put_off(item.id, self.owner, until=self._now() + wait, reason=reason)
        elif outcome.next is Next.RELEASED:
            self._queue.put_off(item.id, self.owner, until=item.call.not_before, reason=item.reason)
        else:
            self._queue.hold(item.id, self.owner, OutboxState.FAILED if outcome.next is Next.FAILED else OutboxState.UNCERTAIN, reason)

    def _tell(self, item: OutboxItem, outcome: Outcome) -> None:
        what = f"call {item.id} ({item.call.method}{f' to {item.call.key}' if item.call.key else ''})"
        with self._guard:
            self.facts.count(outcome)
        if not outcome.way_failed and outcome.next is not Next.RELEASED and (failures := self._way.worked()) >= _WARN_FROM:
            _log.warning("delivery works again, after %d failures", failures)
        if outcome.next is Next.FAILED:
            _log.warning("%s failed, and is kept: %s", what, outcome.reason)
        elif outcome.next is Next.UNCERTAIN:
            _log.warning("it is uncertain whether %s was carried out, and %s: %s", what, TOLD[self._uncertain], outcome.reason)
        elif outcome.next is Next.AGAIN:
            _log.log(logging.WARNING if self._way.failures == _WARN_FROM else logging.INFO, "%s was not delivered, and waits: %s", what, outcome.reason)

    def _seconds_until(self, outlook: Outlook) -> float | None:
        """In how many seconds there may be something to do; None when nothing is queued."""
        if outlook.next_time is None:
            return None
        seconds = min(max(0.0, outlook.next_time - self._now(), self._way.pause()), _LONGEST_REST_SECONDS)
        return min(seconds, self._recovery.look_again_seconds) if self._has_others(outlook) else seconds

    def _has_others(self, outlook: Outlook) -> bool:
        return any(owner != self.owner for owner in outlook.owners)

    # ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def threads(self) -> set[threading.Thread]:
        """The threads that deliver now."""
        with self._guard:
            return set(self._threads)

    def _is_over(self) -> bool:
        return self._stop.is_set() or self.fatal is not None

    def _call_another(self) -> None:
        """Wake a sender that rests, or start one more; the guard is held."""
        if self._idle:
            self._work_ready.notify()
        elif len(self._threads) < self._senders and not self._is_over():
            self._names += 1
            thread = threading.Thread(target=self._run, name=f"syncbot-deliverer-{self._names}", daemon=True)
            try:
                thread.start()  # it waits for the guard before it does anything
            except RuntimeError:  # the system gives no more threads
                self.lacks_thread = True
            else:
                self._threads.add(thread)
                self.lacks_thread = False

    def _run(self) -> None:
        try:
            self._begin()
            while not self._is_over():
                seen = self._news
                if not self._rest(self._one_step(), seen):
                    break
        except SyncBotError as error:
            self._fail(error)
        except BaseException as error:  # whatever ends a sender
            self._fail(SyncBotError(guard().text(f"delivery stopped: {type(error).__name__}: {error}")))
            _log.exception("delivery stops after an error")
        finally:
            with self._guard:
                self._threads.discard(threading.current_thread())
                self._progress.notify_all()

    def _begin(self) -> None:
        with self._guard:
            if self._lock is None and not self._is_over():
                self._lock = self._folder.lock(self.owner)
        self._recovery.tidy()

    def _one_step(self) -> float | None:
        try:
            seconds = self.step()
        except StorageError as error:
            self.facts.last_error = str(error)
            self._retry.met(error)
            return RETRY_SECONDS
        self._retry.over()
        return seconds

    def _rest(self, seconds: float | None, seen: int) -> bool:
        """Wait until there may be something to do; False when the thread is to end."""
        if seconds == 0.0:
            return True
        with self._guard:
            if self._news != seen or self._is_over():
                return True
            if seconds is None:
                self._threads.discard(threading.current_thread())  # at once, so that whoever queues something next starts a new one
                return False
            self._idle += 1
            try:
                self._work_ready.wait(min(seconds, 60.0))  # the machine's clock may be set meanwhile
            finally:
                self._idle -= 1
            return True

    def _fail(self, error: SyncBotError) -> None:
        with self._guard:
            if self.fatal is not None:
                return
            self.fatal = error
            self._work_ready.notify_all()
            self._progress.notify_all()
        if self._stop.is_set():  # a call that outlived the stop finds its state file closed
            _log.info("delivery ended with: %s", error)
        elif self._on_fatal is not None:
            self._on_fatal(error)
