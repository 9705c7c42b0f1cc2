"""Opened ahead: connections that stand ready for the next calls, each for exactly one.

A new connection costs two round trips and more before the request can leave. While calls follow each other, and while somebody talks to the bot, the
connections of the next ones are opened before: as fast as a pool, and still no connection is ever used twice.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from syncbot.process import ForkSafeLock, PerProcess
from syncbot.transport.dialing.dialer import Dialer, Target
from syncbot.transport.standing.idle_limits import SAFE_SECONDS as SPARE_SECONDS
from syncbot.transport.standing.idle_limits import IdleLimits
from syncbot.transport.standing.spares import Lane, Opening, Shelf, Spare
from syncbot.transport.watchdog import Attempt, Watchdog
from syncbot.types import AheadAuto, AheadMode, Proxy, Request

_SCOPE = "opened ahead"
"""By which the opening of connections is aborted."""
_WORTH_SECONDS = 5.0
"""Where one may stand for less than this, none is kept ready between messages: it would be opened anew all the time."""
_REST_SECONDS = 15.0
_LOOK_SECONDS = 3.0
"""How often it is looked whether one that stands is dead: seldom, since a look wakes the machine up, and each is looked at once more before it is used."""
_OVERLAP_SECONDS = 1.0
"""So long before one has stood too long, the next one is opened in its place."""
_MOST = 8
"""How many may stand ready where nobody has said."""
_UNDER_WAY = 4
_READY = 2
"""How many times the calls that run at once may be under way and ready together, since opening takes some times as long as a call; and how many times
they may be ready while calls begin, since they come in bursts."""
_LULL_SECONDS = 0.5
"""When no call has begun for so long, no more stand ready than calls may run at once."""


class Ahead:
    """Opens connections before they are needed.

    With a number, so many are to stand ready while calls follow each other within two seconds. In the automatic mode it is one while somebody talks, for
    as long as the way is known to bear it, and under load one more for each call that found none; one that stands unused for two seconds beside another is
    closed, and one less is opened from then on. Where a poll brings updates, the connections for their answers and for the next poll are opened too.

    Args:
        mode: how many may stand ready or be under way; 0 opens none.
        dialer: opens them.
        watchdog: bounds their opening.
        limits: what is known of the ways.
        clock: seconds, never going backwards.
    """

    def __init__(self, mode: AheadMode, dialer: Dialer, watchdog: Watchdog, limits: IdleLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._dialer = dialer
        self._watchdog = watchdog
        self._limits = limits
        self._clock = clock
        self._shelves = PerProcess(Shelf)
        self._rows = 0
        self._rows_lock = ForkSafeLock()
        self.failure: BaseException | None = None
        """What has last ended one of its threads."""
        self.mode = mode

    @property
    def mode(self) -> int | AheadAuto:
        """How many may stand ready or be under way. At 0 none is opened any more, and those that stand are closed."""
        return self._mode

    @mode.setter
    def mode(self, mode: AheadMode) -> None:
        mode = AheadAuto() if mode == "auto" else mode
        if isinstance(mode, int) and mode < 0:
            raise ValueError(f"ahead is how many connections may stand ready, 0 or more, not {mode}")
        self._mode = mode
        if mode == 0:
            self.close()

    @contextlib.contextmanager
    def in_a_row(self) -> Iterator[None]:
        """Calls follow each other meanwhile: connections are opened ahead even if the mode is 0, and those that are left are closed at the end."""
        with self._rows_lock.here:
            self._rows += 1
        try:
            yield
        finally:
            with self._rows_lock.here:
                self._rows -= 1
            if not self._now_mode:
                self.close()

    @property
    def _now_mode(self) -> int | AheadAuto:
        return self._mode or (AheadAuto() if self._rows else 0)

    @property
    def standing(self) -> int:
        """How many stand ready now."""
        shelf = self._shelf()
        with shelf.lock:
            return sum(1 for _ in shelf.spares)

    # ── taking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, target: Target, proxy: Proxy, attempt: Attempt) -> socket.socket | None:
        """A connection that stands ready and is alive, now the attempt's own; None when there is none. Tell `taken` when the request is written.

        One that is under way is waited for, if nobody else waits for it: it has begun earlier than one's own would. A poll is not one call among others
        that follow each other: it has its own, and has none opened.
        """
        if not self._now_mode or attempt.cut:  # an attempt that is over takes none: nothing of it may seem to have been sent
            return None
        shelf, found, missed = self._shelf(), None, False
        while found is None or not found.is_alive():  # asked without the lock: what asks may have to wait for its turn to run
            with shelf.lock:
                lane, now = shelf.lane(target, proxy, poll=attempt.request.is_poll), self._clock()
                if found is not None:
                    self._closed_by_others(lane, found, now)
                self._expire(lane, now)
                if not lane.ready and not missed:
                    missed, joins = True, lane.promising(now) > lane.waiting
                    self._called(shelf, lane, now, missed=True)
                    if joins:
                        self._join(shelf, lane, attempt)
                if not lane.ready or attempt.cut:
                    return None
                found = lane.ready.pop(0)
        attempt.stood_seconds, attempt.orders_next = max(0.0, now - found.opened), not missed
        attempt.adopt(found.duplicates)
        return found.sock

    def taken(self, target: Target, proxy: Proxy, attempt: Attempt) -> None:
        """A request is written. To one that stood ready: the next one is ordered, while the call waits for its answer and needs no time."""
        shelf = self._shelves.if_made
        if attempt.orders_next and shelf is not None and self._now_mode:
            with shelf.lock:
                self._called(shelf, shelf.lane(target, proxy, poll=attempt.request.is_poll), self._clock(), missed=False)

    def came(self, target: Target, proxy: Proxy, updates: int) -> None:
        """A poll has brought so many updates: the next poll's connection is opened while they are stored, and those for their answers."""
        mode = self._now_mode
        if not mode or not updates:
            return
        shelf, now = self._shelf(), self._clock()
        with shelf.lock:
            polls, calls = (shelf.lane(target, proxy, poll=poll) for poll in (True, False))
            if shelf.closed:
                return
            if isinstance(mode, int):
                calls.size = min(mode, updates)
            elif not calls.size or now - calls.last_use >= SPARE_SECONDS:  # else it is as many as the last calls have shown to be needed
                calls.size = min(self._most, updates)
            polls.size, calls.last_use = 1, now
            for lane in (calls, polls):
                self._order(shelf, lane, lane.missing)

    def expect_calls(self) -> None:
        """Somebody talks: one is to stand ready on each way that calls have taken before, in the automatic mode."""
        shelf, now = self._shelves.if_made, self._clock()
        if shelf is None or not isinstance(self._now_mode, AheadAuto):
            return
        with shelf.lock:
            for lane in [lane for lane in shelf.lanes.values() if not lane.poll and not shelf.closed]:
                lane.last_use = now
                if not (lane.ready or lane.under_way) and now >= lane.rests_until and self._talks(lane, now):
                    self._order(shelf, lane, 1)

    def drop(self, target: Target, proxy: Proxy) -> None:
        """Close what stands ready on a way on which an answer has just been lost: it may have gone dead in silence, and what stands on it too."""
        shelf = self._shelves.if_made
        if shelf is not None:
            with shelf.lock:
                for lane in (shelf.lane(target, proxy, poll=poll) for poll in (True, False)):
                    while lane.ready:
                        self._discard(lane.ready.pop())

    def close(self, join_seconds: float = 0.0) -> None:
        """Close all that stands ready or is being opened; a later call begins anew.

        Args:
            join_seconds: how long to wait for each thread to end; only a name look-up by the system keeps one.
        """
        shelf = self._shelves.take()
        if shelf is None:
            return
        with shelf.lock:
            shelf.closed = True
            for spare in shelf.spares:
                self._discard(spare)
            for lane in shelf.lanes.values():
                lane.ready.clear()
            shelf.want_none()
            threads = list(shelf.threads)
            shelf.lock.notify_all()
        # Closed first and aborted second: what is being opened is either found by this, or finds the shelf closed.
        self._watchdog.abort(_SCOPE)
        for thread in threads if join_seconds else ():
            thread.join(join_seconds)

    def _shelf(self) -> Shelf:
        shelf = self._shelves.if_made
        if shelf is None:
            shelf = self._shelves.here
            for inherited in self._shelves.take_inherited():
                for spare in inherited.spares:
                    spare.close_inherited()
        return shelf

    def _called(self, shelf: Shelf, lane: Lane, now: float, *, missed: bool) -> None:
        """A call begins: see to it that those after it find one (the lock is held); a poll needs none after it."""
        if lane.poll or shelf.closed:
            lane.size = 0
            return
        mode, follows = self._now_mode, now - lane.last_use < SPARE_SECONDS
        lane.last_use = now
        if isinstance(mode, int):
            lane.size = mode if follows else 0
        elif follows:
            lane.size = max(1, min(lane.size + missed, _UNDER_WAY * self._most))
        else:
            lane.size = 1 if self._talks(lane, now) else 0
        self._order(shelf, lane, lane.missing, at_leisure=isinstance(mode, int))

    def _join(self, shelf: Shelf, lane: Lane, attempt: Attempt) -> None:
        """Wait for one that is under way until it stands, fails, or takes so long that opening another one promises more (the lock is held)."""
        lane.waiting += 1
        try:
            lane.arrived.wait_for(
                lambda: lane.ready or lane.promising(self._clock()) < lane.waiting or shelf.closed or attempt.cut,
                min(lane.patience_seconds, max(0.0, attempt.expires_at - self._clock()) / 2),  # half of its time is for its own
            )
        finally:
            lane.waiting -= 1

    # ── opening and closing: what the threads do ─────────────────────────────────────────────────────────────────────

    def _order(self, shelf: Shelf, lane: Lane, number: int, *, at_leisure: bool = False) -> None:
        """Have so many opened (the lock is held).

        Args:
            shelf: where they are to stand.
            lane: for what.
            number: how many; below 1 none.
            at_leisure: no call is to wait for them.
        """
        most_threads = 1 + self._most * (1 if isinstance(self._now_mode, int) else _UNDER_WAY)
        for _ in range(number):
            opening = Opening(lane, self._clock(), at_leisure)
            shelf.wanted.append(opening)
            lane.under_way.append(opening)
            if len(shelf.wanted) <= shelf.idle:
                shelf.lock.notify()
            elif len(shelf.threads) < most_threads:
                self._start_thread(shelf)

    def _start_thread(self, shelf: Shelf) -> None:
        thread = threading.Thread(target=self._run, args=(shelf,), name="syncbot-ahead", daemon=True)
        shelf.threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # no thread is left, or the interpreter is about to end: the calls go on without spares
            shelf.threads.discard(thread)
            if not shelf.threads:
                shelf.want_none()

    def _run(self, shelf: Shelf) -> None:
        """Open what is wanted and close what has stood too long; end when there was nothing of either for a while, or the shelf is closed."""
        with shelf.lock:
            try:
                while not shelf.closed and self._turn(shelf):
                    pass
            except BaseException as error:
                self.failure = error
                shelf.want_none()  # else it counts as about to be opened, and no thread is started for it
            finally:
                shelf.threads.discard(threading.current_thread())

    def _turn(self, shelf: Shelf) -> bool:
        """Do the next thing that is to be done, or wait for it; False when there was none (the lock is held)."""
        now = self._clock()
        self._tend(shelf, now)
        if shelf.wanted:
            self._open(shelf, shelf.wanted.popleft())
            return True
        ends = [self._until(lane, spare, now) - now for lane in shelf.lanes.values() for spare in lane.ready]
        tends = not shelf.idle and self._is_kept(shelf, now)  # one of those that have nothing to do looks after what stands
        shelf.idle += 1
        try:
            woken = shelf.lock.wait(max(0.0, min([_LOOK_SECONDS, *ends])) if tends else SPARE_SECONDS)
        finally:
            shelf.idle -= 1
        return bool(woken or shelf.wanted or (not shelf.idle and self._is_kept(shelf, self._clock())))

    def _is_kept(self, shelf: Shelf, now: float) -> bool:
        return any(lane.ready or self._talks(lane, now) for lane in shelf.lanes.values())

    def _tend(self, shelf: Shelf, now: float) -> None:
        """Close what has stood too long, or is dead, and have the next one opened where one is to stand (the lock is held)."""
        looks = now >= shelf.look_at
        if looks:
            shelf.look_at = now + _LOOK_SECONDS
        for lane in shelf.lanes.values():
            self._expire(lane, now)
            if looks:
                for spare in [spare for spare in lane.ready if not spare.is_alive()]:
                    lane.ready.remove(spare)
                    self._closed_by_others(lane, spare, now)
            if self._talks(lane, now) and not lane.under_way and now >= lane.rests_until and not self._has_fresh(lane, now):
                self._order(shelf, lane, 1, at_leisure=True)

    def _talks(self, lane: Lane, now: float) -> bool:
        """Whether one is to stand ready for a call, since somebody talks and the way bears it."""
        mode = self._now_mode
        if lane.poll or isinstance(mode, int) or now - lane.last_use >= mode.seconds:
            return False
        return self._limits.stand_seconds(lane.way) >= _WORTH_SECONDS

    def _has_fresh(self, lane: Lane, now: float) -> bool:
        return any(spare.until > now + _OVERLAP_SECONDS + (lane.opening_seconds or 0.0) for spare in lane.ready)

    def _until(self, lane: Lane, spare: Spare, now: float) -> float:
        """Until when one may stand: the newest for as long as the way bears it, while somebody talks; the others while calls follow each other."""
        stays = spare is lane.ready[-1] and self._talks(lane, now)
        return spare.until if stays else min(spare.until, spare.opened + SPARE_SECONDS)

    def _expire(self, lane: Lane, now: float) -> None:
        """Close what has stood too long unused (the lock is held)."""
        most = self._most if now - lane.last_use >= _LULL_SECONDS else len(lane.ready)
        while lane.ready:  # the oldest is the first
            oldest = lane.ready[0]
            if len(lane.ready) <= most and not oldest.overslept and self._until(lane, oldest, now) > now:
                break
            lane.ready.remove(oldest)
            lane.size -= lane.size > 1 and not isinstance(self._now_mode, int)
            self._discard(oldest)

    @property
    def _most(self) -> int:
        """How many calls run at once, and may stand ready when none begins."""
        mode = self._now_mode
        return mode if isinstance(mode, int) else mode.most or _MOST

    def _open(self, shelf: Shelf, opening: Opening) -> None:
        """Open one connection; the lock is held at the beginning and at the end, and not in between."""
        lane = opening.lane
        shelf.lock.release()
        began = self._clock()
        spare: Spare | None = None
        try:
            spare = self._opened(shelf, lane, waited_for=not (opening.at_leisure or lane.poll))
        except Exception:  # noqa: S110  # the next call opens its own, and says what is wrong
            pass
        finally:
            shelf.lock.acquire()
            lane.under_way.remove(opening)
            has_enough = isinstance(self._now_mode, AheadAuto) and len(lane.ready) - lane.waiting >= _READY * self._most
            if spare is not None and not shelf.closed and not has_enough:
                lane.took(spare.opened - began)
                lane.ready.append(spare)
            else:
                self._left_out(lane, spare)
            if lane.waiting:
                lane.arrived.notify_all()

    def _left_out(self, lane: Lane, spare: Spare | None) -> None:
        """One was opened that is not needed, or could not be opened (the lock is held)."""
        lane.size = max(0, lane.size - 1)
        if spare is None:
            lane.rests_until = self._clock() + _REST_SECONDS
        else:
            self._discard(spare)

    def _opened(self, shelf: Shelf, lane: Lane, *, waited_for: bool) -> Spare | None:
        request = Request("", "the next call", scope=_SCOPE)
        with self._watchdog.watch(request, self._clock() + request.timeout) as attempt:
            if shelf.closed:
                return None
            sock = self._dialer.open(lane.target, lane.proxy, attempt, waited_for=waited_for)
            now = self._clock()
            stands = SPARE_SECONDS if isinstance(self._now_mode, int) else max(SPARE_SECONDS, self._limits.stand_seconds(lane.way))
            spare = Spare(sock, attempt.detach(), now, now + stands)
            spare.stand()
            return spare

    def _closed_by_others(self, lane: Lane, spare: Spare, now: float) -> None:
        """One that stood is dead: learn from it, and do not open one after the other where they die young (the lock is held)."""
        stood_seconds = now - spare.opened
        self._limits.spare_closed(lane.way, stood_seconds)
        lane.size = max(0, lane.size - 1)
        if stood_seconds < _WORTH_SECONDS:
            lane.rests_until = now + _REST_SECONDS
        self._discard(spare)

    def _discard(self, spare: Spare) -> None:
        self._watchdog.let_go(spare.duplicates)
        spare.sock.close()
