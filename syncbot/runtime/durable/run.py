"""One run of a handler: what it does is numbered, looked up in the journal, and written into it.

Each step of a run goes one of three ways: it stands in the journal, and what came of it is handed out; it is new, and is done and written down; or it
was under way when the process died, and nobody knows whether it was done.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from syncbot.client.client import Call
from syncbot.errors import Stopped, StorageError, Suspended
from syncbot.runtime.durable.cursor import Cursor, Place
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.durable.queued import may_wait
from syncbot.runtime.durable.results import read_outcome, sound, value_text
from syncbot.runtime.durable.step import UNDONE, is_done, only_asks, shown
from syncbot.storage import DataChange, JournalKey, JournalStep, OutboxCall
from syncbot.storage.claims import ClaimGone, claim_gone

if TYPE_CHECKING:
    from syncbot.runtime.durable.divergence import Divergence
    from syncbot.storage.promises.parts import Journal

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class DurableRun:
    """One run of a handler; it belongs to one thread.

    Args:
        durability: what it shares with others.
        key: whose steps they are in the journal.
        handled: what is being handled, in words: "update 17".
        attempt: which run it is.
        has_steps: whether the journal may hold what earlier runs have done; else it is not asked.
    """

    def __init__(self, durability: Durability, key: JournalKey, handled: str, attempt: int, *, has_steps: bool = True) -> None:
        self.handled = handled
        self.attempt = attempt
        self.suspended = ""
        """Why it was put aside; "" while it goes on. Once it is, each further step raises `Suspended` again."""
        self.failure: StorageError | None = None
        """What is the matter with the journal, where that is why it was put aside."""
        self.divergence: Divergence | None = None
        self.facts = durability.facts
        self.interrupted = durability.interrupted
        self._replies = durability.replies
        self._queue = durability.queue
        self.is_stopping = durability.is_stopping
        self.trouble = durability.trouble
        self._journal = durability.journal
        self._recorders = durability.recorders
        self._members = durability.members
        self._here = (os.getpid(), threading.get_ident())
        self._key = key
        self._is_durable = True
        self._handler: Callable[..., object] | None = None
        self._put_aside: Callable[..., object] | None = None
        self._doing: Callable[[str], JournalStep] | None = None  # of the value that is being made: the step, given its outcome
        self._is_kept = False
        self.inside = ""
        """The name of the side effect that is being done (`once`), within which nothing else is a step."""
        self.has_acted = False
        """Whether it has done what another run would do a second time, but for what the journal keeps: from its first call on."""
        self._cursor: Cursor | None = None if has_steps else Cursor()
        self._random: random.Random | None = None
        self.queued: list[OutboxCall] = []
        """What goes into the outbox when the handler ends, or waits."""
        self.kept: tuple[DataChange, ...] = ()
        """What is written with the end beside what the context has changed, also where that is a failure: of what is kept elsewhere in memory too."""

    @property
    def row(self) -> int:
        """The place of what is handled in the inbox."""
        return self._key.row

    # ── being put aside ──────────────────────────────────────────────────────────────────────────────────────────────

    def suspend(self, why: str) -> NoReturn:
        """Put the handler aside, for good: what it has done stands in the journal, and another run goes on here."""
        if not self.suspended:
            self.suspended, self._put_aside = why, self._handler
        raise Suspended(
            f"the handler of {self.handled} is put aside, and goes on here when it runs again ({self.suspended}); this is no error: let it pass, and do not"
            " catch BaseException without raising it again"
        )

    def check(self) -> None:
        """Raise `Suspended` where the handler has been put aside, and went on all the same."""
        if self.suspended:
            self.suspend(self.suspended)

    def tell_of_swallowing(self) -> None:
        """It has caught what puts it aside; each handler is told of once."""
        from syncbot.runtime.durable.divergence import place_of  # deferred: handlers that do so are rare

        where = place_of(self._put_aside)
        if where not in self.facts.swallowing:
            self.facts.swallowing.add(where)
            _log.warning(
                "%s, on %s, has caught what puts it aside, and went on; what it did since is forgotten, and it runs again (this is told once)",
                where,
                self.handled,
            )

    # ── for the dispatcher ───────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def within(self, handler: Callable[..., object], options: HandlerOptions) -> Iterator[None]:
        """Within the block a handler runs, with what it says for itself."""
        before = self._handler, self._is_durable, self.interrupted, self._replies
        self._handler = handler
        self._is_durable = options.get("durable", self._is_durable)
        self.interrupted = options.get("interrupted", self.interrupted)
        self._replies = options.get("replies", self._replies)
        try:
            yield
        finally:
            self._handler, self._is_durable, self.interrupted, self._replies = before

    # ── for the context ──────────────────────────────────────────────────────────────────────────────────────────────

    def once(self, name: str, function: Callable[[], Any]) -> Any:
        """The result of a side effect, which is not done again in another run; see `Context.once`."""
        if not callable(function):
            raise TypeError(f"once({name!r}) takes a function and calls it itself: context.once({name!r}, lambda: …), not {function!r}")
        return self.value("once", name, function, f"the result of once({name!r})")

    def now(self) -> datetime:
        """The time, the same in each run; see `Context.now`."""
        return datetime.fromtimestamp(self.value("now", "", time.time, "the time"), UTC)

    @property
    def random(self) -> random.Random:
        """A source of chance that gives the same in each run; see `Context.random`."""
        if self._random is not None:
            return self._random
        made = random.Random(self.value("random", "", lambda: random.SystemRandom().getrandbits(64), "a seed"))  # noqa: S311 - seeded so that it can be repeated
        if self.is_here:
            self._random = made
        return made

    def check_claim(self) -> None:
        """Refuse what another process may be doing, or have done, since: it may have taken over what is handled here.

        Raises:
            ClaimGone: it may have.
        """
        if self._members is not None and not self._members.has(self._key.row, self._key.ticket):
            raise claim_gone("the database")

    def check_step(self, what: str) -> None:
        """Refuse a step where there can be none.

        Raises:
            Suspended: the handler has been put aside.
            RuntimeError: it is within a side effect.
        """
        self.check()
        try:
            self.check_claim()
        except ClaimGone as error:
            self._fail(error)
        if self.inside:
            raise RuntimeError(f"{what} within context.once({self.inside!r}): it is a step of its own; use it before or behind it")

    def value(self, what: str, name: str, make: Callable[[], Any], shown_as: str) -> Any:
        """The value of a step that is no call: the one of an earlier run, or a new one, which is written.

        Args:
            what: the step: "once", "now".
            name: what tells it from others of its kind.
            make: makes the value; a `Stopped` puts the handler aside.
            shown_as: what an error calls the value.

        Raises:
            TypeError, ValueError: it is no JSON value.
        """
        if not self.is_here:
            self._recorders.tell_of_other_thread(f"context.{what}")
            return self._made(make)
        self.check_step(f"context.{what}")
        self.has_acted |= what == "once"
        if not self.writes:
            return self._made(make)
        place = self.take(what, name)
        if place.recorded is not None and is_done(place.recorded.outcome):
            return read_outcome(place.recorded.outcome)
        assert place.number is not None
        self.inside, self._is_kept = name or what, False
        self._doing = step = partial(JournalStep, place.number, what, name)
        try:
            text = value_text(self._made(make), shown_as)
        except Exception:
            if not self._is_kept:  # what stands in the store stays done, whatever fails behind it
                self.write(step(UNDONE))
            raise
        finally:
            self.inside, self._doing = "", None
        if not self._is_kept:
            self.write(step(text))
        return read_outcome(text)

    def keep(self, write: Callable[[], _T], journal: Journal | None = None, *, durable: bool) -> _T:
        """Within the making of a value that is written into the store: write it, and its step in the same transaction, so that no death comes between.

        Args:
            write: writes it, and returns the value.
            journal: that of the store that is written into; None for the run's own.
            durable: as for `Journal.together`.

        Raises:
            StorageError: neither is written.
        """
        step, journal = self._doing, journal or self._journal
        if step is None or journal is None or not self.is_here:
            return write()
        with journal.together(durable=durable):
            result = write()
            journal.write(self._key, step(value_text(result, "what is written")))
        self._is_kept = True
        return result

    def awaited(self, what: str, wait: Callable[[int | None], str]) -> Any:
        """What came of a step that waits for something from outside; an error is returned, not raised.

        Args:
            what: the step: "ask", "choose", "sleep".
            wait: waits, as the step of this number (None where it does not stand in the journal), and returns what the journal keeps of it; the `Stopped` that
                it raises puts the handler aside.
        """
        if not self.is_here:
            raise RuntimeError(f"context.{what}() waits on the handler's own thread only, and this is another one")
        self.check_step(f"context.{what}")
        self.has_acted = True
        if not self.writes:
            return read_outcome(self._waited(wait, None))
        place = self.take(what, "")
        if place.recorded is not None:
            self.drop_queued()  # it went out when the waiting began
            if place.recorded.outcome is not None:
                return read_outcome(place.recorded.outcome)
        return read_outcome(self._waited(wait, place.number))

    def _waited(self, wait: Callable[[int | None], str], number: int | None) -> str:
        try:
            return wait(number)
        except Stopped as stopped:
            self.suspend(str(stopped))
        except StorageError as error:
            self._fail(error)

    def _made(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except Stopped:
            self.suspend("the runtime is stopping")

    # ── calls that go out with the end ───────────────────────────────────────────────────────────────────────────────

    def queues(self, method: str) -> bool:
        """Whether a call of this method goes out with the end of the handler."""
        return self._replies == "with the end" and self._queue is not None and self.writes and may_wait(method)

    def put(self, call: Call) -> None:
        """Let a call go out with the end; see `CallQueue.write_down`."""
        assert self._queue is not None
        self.queued.append(self._queue.write_down(call))

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Within the block no call waits for the end: of what is to be done whatever becomes of the handler."""
        before, self._replies = self._replies, "at once"
        try:
            yield
        finally:
            self._replies = before

    def drop_queued(self) -> None:
        """What is queued does not go out."""
        if self._queue is not None:
            self._queue.forget(self.queued)
        self.queued = []

    # ── the journal ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_here(self) -> bool:
        """Whether it is the calling thread's; that of a child which the handler has forked has none."""
        return self._here == (os.getpid(), threading.get_ident())

    @property
    def writes(self) -> bool:
        """Whether steps are looked up in the journal, and written into it, just now."""
        return self._journal is not None and self._is_durable

    @property
    def began_with(self) -> str:
        """The first step that earlier runs have left; "" where there is none."""
        left = self._loaded().left if self.writes and self.is_here else ()
        return left[0].what if left else ""

    def _loaded(self) -> Cursor:
        if self._cursor is None:
            self._cursor = Cursor(self._guarded(lambda journal: sound(journal.steps(self._key))))
        return self._cursor

    def take(self, what: str, target: str) -> Place:
        """The place of the next step; where it diverges, what the journal held from there on is forgotten, and told."""
        left = self._loaded().left
        place = self._loaded().take(what, target)
        self.facts.count(replayed=place.recorded is not None and is_done(place.recorded.outcome))
        if place.instead is not None and place.number is not None:
            self._diverged(shown(what, target), place.number, place.instead, [step for step in left if not only_asks(step.what)])
        return place

    def write(self, step: JournalStep) -> None:
        """Write a step, and wait for the journal where it cannot be used now.

        Raises:
            Suspended: the claim is gone, or the journal cannot be used any more; or the stop has come first.
        """
        self._guarded(lambda journal: journal.write(self._key, step))

    def begin(self, step: JournalStep) -> None:
        """Write that a step is under way.

        Raises:
            StorageError: it is not written, and must not be begun.
        """
        assert self._journal is not None
        self._journal.write(self._key, step)

    def end(self, step: JournalStep) -> None:
        """Write what came of a call that was made. It is not taken back where that cannot be written: then it counts as under way."""
        journal = self._journal
        assert journal is not None
        try:
            self.trouble.until_stop(lambda: journal.write(self._key, step))
        except StorageError as error:
            self._fail(error)

    def cut(self, number: int) -> None:
        """Forget the step of this number, and all behind it."""
        self._guarded(lambda journal: journal.cut(self._key, number))

    def _guarded(self, work: Callable[[Journal], _T]) -> _T:
        journal, found = self._journal, list[_T]()
        assert journal is not None
        try:
            if not self.trouble.until_stop(lambda: found.append(work(journal))):
                self.suspend("the runtime is stopping")
        except StorageError as error:
            self._fail(error)
        return found[0]

    def _fail(self, error: StorageError) -> NoReturn:
        """The claim is gone, or the journal cannot be used any more."""
        self.failure = error
        self.suspend(str(error))

    def _diverged(self, now: str, number: int, instead: JournalStep, left: list[JournalStep]) -> None:
        from syncbot.runtime.durable.divergence import Divergence, place_of  # deferred, as above

        assert self._cursor is not None
        again = tuple(shown(step.what, step.target) for step in left)
        self.divergence = Divergence(
            self.handled, place_of(self._handler), self.attempt, number, now, shown(instead.what, instead.target), self._cursor.replayed, again
        )
        self.facts.count(diverged=1)
        _log.warning("%s", self.divergence, extra={"divergence": self.divergence})
        self.cut(number)


class _NoTrouble:
    """`StorageTrouble` of a run without a journal, which cannot meet any."""

    def until_stop(self, work: Callable[[], object]) -> bool:
        """Do it, once."""
        work()
        return True


def unrecorded() -> DurableRun:
    """A run of which nothing is written, as where a handler is called without a runtime."""
    return DurableRun(Durability(None, "again", lambda: False, _NoTrouble()), JournalKey(0), "an update", 1)
