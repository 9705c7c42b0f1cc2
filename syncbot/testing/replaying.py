"""Whether a handler may be run again: it is put aside at each of its steps, and has to end as if it had not been."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncbot.client.bot import Bot
from syncbot.errors import Suspended
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.run import DurableRun
from syncbot.runtime.durable.seam import RunRecorder
from syncbot.runtime.handling.dispatcher import Dispatcher, HandlerFailed
from syncbot.runtime.handling.router import Router
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import NO_CHANGES, Changes, Incoming, JournalKey, Store, open_store
from syncbot.testing.given_answers import GivenAnswer, GivenAnswers
from syncbot.transport.fake import FakeCall, FakeTransport


@dataclass(frozen=True)
class Replayed:
    """What an update came to.

    Args:
        calls: what was called, in order.
        changes: what was written with its end.
        failed: the last line of the traceback, where the handler raised; "" where it returned.
        steps: how many steps the run had: calls, questions, and what `once`, `now` and `random` gave.
    """

    calls: tuple[FakeCall, ...]
    changes: Changes = NO_CHANGES
    failed: str = ""
    steps: int = 0


def replay(app: Router[Any], update: Mapping[str, Any], bot: Bot, *, answers: Sequence[GivenAnswer] = ()) -> Replayed:
    """Handle an update as a whole, and then once for each step: put aside before it, and run again. All have to come to the same.

    Each time begins with an empty store, so that the handler's data is empty too. Time and chance that do not come from the context, outside data that
    was not brought by `context.once`, and side effects outside of it are what makes a difference.

    Args:
        app: the runtime, or a router.
        update: the update as JSON, as Telegram sends it.
        bot: the bot that the handlers use, with a `FakeTransport` that answers the same each time.
        answers: what its questions are answered with, in order. For `context.ask` a text, or the fields of a message (`{"photo": […]}`); for `context.choose`
            the label of a button; `AskTimeout()` and `Cancelled()` end either. What is slept is over at once.

    Returns:
        What it comes to.

    Raises:
        AssertionError: a run that was put aside came to something else; the text says at which step, and what differs. Or there are more or fewer
            questions than answers, or an answer does not fit.
    """
    whole = _Try(app, update, bot, answers).run(None)
    for step in range(whole.steps):
        tried = _Try(app, update, bot, answers)
        found = tried.run(step)
        if tried.divergence:
            raise AssertionError(f"put aside before step {step}, it went another way: {tried.divergence}")
        for name in ("calls", "changes", "failed"):
            before, after = getattr(whole, name), getattr(found, name)
            if before != after:
                raise AssertionError(f"put aside before step {step} and run again, it came to other {name}:\n  as a whole: {before}\n  in two runs: {after}")
    return whole


class _Counted(DurableRun):
    """A run that counts its steps, and is put aside before one."""

    die_at: int | None = None
    count = 0

    def check_step(self, what: str) -> None:
        super().check_step(what)
        if self.count == self.die_at:
            self.suspend(f"it is tried before step {self.count}, {what}")
        self.count += 1


class _Try:
    """One update, in one run or in two."""

    def __init__(self, app: Router[Any], update: Mapping[str, Any], bot: Bot, answers: Sequence[GivenAnswer]) -> None:
        if not isinstance(bot.transport, FakeTransport):
            raise TypeError("replay() needs a bot with a FakeTransport: Bot(token, transport=FakeTransport(…), limits=None)")
        self.divergence = ""
        self._app = app
        self._update = update
        self._bot = bot
        self._transport = bot.transport
        self._answers = GivenAnswers(answers, update, bot, self._transport.calls)

    def run(self, die_at: int | None) -> Replayed:
        """Handle it; put aside before this step first, unless it is None."""
        before = len(self._transport.calls)
        with open_store(None, self._bot.id) as store:
            store.inbox.store([Incoming(int(self._update.get("update_id", 1)), "", json.dumps(self._update).encode())])
            store.inbox.recover()
            found = self._once(store, die_at)
            if found is None and not self._answers.trouble:
                found = self._once(store, None)
        left = f"nobody has asked for these answers: {list(self._answers.left)}" if self._answers.left else ""
        if trouble := self._answers.trouble or left:
            raise AssertionError(trouble)
        assert found is not None, "a handler that is not put aside comes to an end"
        changes, failed, steps = found
        return Replayed(tuple(self._transport.calls[before:]), changes, failed, steps)

    def _once(self, store: Store, die_at: int | None) -> tuple[Changes, str, int] | None:
        [claimed] = store.inbox.claim()
        stop = threading.Event()
        durability = Durability(store.journal, "again", stop.is_set, StorageRetry(stop), self._bot.recorders)
        run = _Counted(durability, JournalKey(claimed.row, claimed.ticket), f"update {claimed.update_id}", claimed.attempt)
        run.die_at = die_at
        self._answers.journal, self._answers.key = store.journal, JournalKey(claimed.row, claimed.ticket)
        try:
            with self._bot.recorders.recording(RunRecorder(run)):
                changes, failed = self._handled(store)
                run.check()
        except Suspended:
            store.inbox.release(claimed)
            return None
        self.divergence = str(run.divergence or "")
        return changes, failed, run.count

    def _handled(self, store: Store) -> tuple[Changes, str]:
        try:
            return Dispatcher(self._app.routes, self._bot, store.data).handle(dict(self._update), self._answers), ""
        except HandlerFailed as failure:
            return failure.changes, failure.reason.strip().rpartition("\n")[2]
