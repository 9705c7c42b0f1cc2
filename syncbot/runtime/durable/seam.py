"""Where a handler's calls meet its journal: each is answered from it, or made and written down."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from syncbot.client.api.table import find_method
from syncbot.client.client import Call
from syncbot.client.recording import Recorders
from syncbot.errors import ApiError, DeliveryUncertain, NetworkError, NotSent, Phase, RetryAfter, ServerError, StorageError, Suspended
from syncbot.runtime.durable.cursor import Place
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.queued import QueuedCall
from syncbot.runtime.durable.results import SKIPPED, error_text, read_outcome, value_text
from syncbot.runtime.durable.run import DurableRun
from syncbot.runtime.durable.step import UNDONE, is_step, shown, target_of
from syncbot.storage import JournalKey, JournalStep

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def recorded(durability: Durability, key: JournalKey, handled: str, attempt: int = 1, *, has_steps: bool = True) -> Iterator[DurableRun]:
    """Within the block the calling thread runs the handler of something: what it does with the bot is written down, or was already.

    The steps stay in the journal until somebody ends them in the transaction that ends what was handled (`Inbox.settle` does so for updates).

    Args:
        durability: the runtime's.
        key: whose steps they are.
        handled: what is handled, in words: "update 17", "the job remind".
        attempt: which run it is.
        has_steps: whether the journal may hold what earlier runs have done.

    Raises:
        Suspended: the handler was put aside, and what is handled is to be put back. One that goes on all the same is told, and ends so too.
    """
    run = DurableRun(durability, key, handled, attempt, has_steps=has_steps)
    with durability.recorders.recording(RunRecorder(run)):
        try:
            try:
                yield run
            except Exception:
                if not run.suspended:
                    raise
            if run.suspended:
                run.tell_of_swallowing()
                run.check()
        except Suspended:
            run.drop_queued()
            raise


def run_of(recorder: object) -> DurableRun | None:
    """The run that a thread's recorder stands for."""
    return recorder.run if isinstance(recorder, RunRecorder) else None


def run_with_step(recorders: Recorders) -> DurableRun | None:
    """The run of the calling thread of which something is to be a step; None where there is none, and within `once`, which is one as a whole."""
    run = run_of(recorders.here)
    return None if run is None or run.inside else run


def note_act(recorders: Recorders) -> None:
    """The handler of the calling thread, if there is one, does something that another run of it would do a second time."""
    run = run_of(recorders.here)
    if run is not None:
        run.has_acted = True


class RunRecorder:
    """`syncbot.client.recording.Recorder` for one run."""

    def __init__(self, run: DurableRun) -> None:
        self.run = run

    def step(self, call: Call) -> RunCall | QueuedCall | None:
        """Take part in a call; one of a child that the handler has forked is left alone."""
        run = self.run
        if not run.is_here:
            return None
        run.check_step(call.method)
        if run.queues(call.method):
            run.put(call)
            return QueuedCall(call)
        run.has_acted = True
        if not run.writes or not is_step(call.method):
            return RunCall(run, call, Place(None))
        return RunCall(run, call, run.take(call.method, target_of(call.encoded.fields)))


class RunCall:
    """`syncbot.client.recording.CallStep`, and the call's own witness.

    Args:
        run: whose call it is.
        call: the call.
        place: where it stands in the journal; one without a number is made without it.
    """

    def __init__(self, run: DurableRun, call: Call, place: Place) -> None:
        self.call = replace(call, witness=self)
        self.is_over = False
        self._run = run
        self._place = place
        self._has_begun = place.recorded is not None and place.recorded.outcome is None
        self._is_mine = False
        self._result: Any = None
        self._error: Exception | None = None
        if place.recorded is not None and place.recorded.outcome != UNDONE:
            self._look_up(place.recorded)

    # ── the witness of the call ──────────────────────────────────────────────────────────────────────────────────────

    def sending(self) -> None:
        """Its first byte is about to leave: from here on nobody knows, should the process die.

        Raises:
            StorageError: it must not leave: the claim is gone, or that it is under way is not written.
        """
        self._run.check_claim()
        if not self._has_begun and self._place.number is not None:
            self._run.begin(self._step(None))
            self._has_begun = self._is_mine = True

    def refused(self) -> None:
        """Nothing was done by this attempt. What an earlier run has begun stays begun."""
        if self._is_mine and self._place.number is not None:
            if self._place.recorded is None:
                self._run.cut(self._place.number)
            else:  # what follows it stays
                self._run.write(self._place.recorded)
            self._has_begun = self._is_mine = False

    # ── how it ends ──────────────────────────────────────────────────────────────────────────────────────────────────

    def done(self, result: Any) -> None:
        """It was made, and this came of it."""
        self._end(value_text(result, f"the result of {self.call.method}") if self._place.number is not None else "", result)

    def failed(self, error: Exception) -> None:
        """It ended with an error. Our own troubles are no result: where the journal cannot be used now, the call is made again."""
        run = self._run
        if isinstance(error, StorageError) and self._place.number is not None:
            run.write(self._step(None))  # which waits for it
            self._has_begun = self._is_mine = True
        elif isinstance(error, NetworkError | ApiError):
            if run.is_stopping() and self._is_cut_short(error):
                run.suspend("the runtime is stopping")
            self._end(error_text(error), None, error)
        else:  # of the caller's own parts, such as a file: nothing was done
            if self._place.number is not None and self._has_begun is self._is_mine:
                run.write(self._step(UNDONE))
            self._end("", None, error)

    def result(self) -> Any:
        """What came of it.

        Raises:
            SyncBotError: that was an error.
        """
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # its traceback holds this frame: a circle

    def _is_cut_short(self, error: NetworkError | ApiError) -> bool:
        """Whether it would have been tried again, had the stop not come, and did nothing that a later try would do twice."""
        return isinstance(error, NotSent | RetryAfter) or (self.call.repeatable and isinstance(error, NetworkError | ServerError))

    def _look_up(self, recorded: JournalStep) -> None:
        """What came of it in an earlier run; or what follows where nobody knows."""
        if recorded.outcome is None:
            self._was_interrupted()
        else:
            self._over(read_outcome(recorded.outcome, recorded.what))

    def _was_interrupted(self) -> None:
        run, call = self._run, self.call
        run.facts.count(interrupted=1)
        policy = "again" if call.repeatable else run.interrupted
        follows = {"again": "it is made again", "raise": "a DeliveryUncertain is raised", "skip": "it is not made again"}[policy]
        twice = ", and may be there twice" if policy == "again" and not call.repeatable else ""
        where = shown(call.method, self._step(None).target)
        _log.warning("%s: %s was under way when the process died, and nobody knows whether it was carried out; %s%s", run.handled, where, follows, twice)
        if policy == "raise":
            error = DeliveryUncertain(
                "the process died while this was under way; it may have been carried out", method=call.method, phase=Phase.MAYBE_SENT, stage="send"
            )
            self._end(error_text(error), None, error)
        elif policy == "skip":
            spec = find_method(call.method)
            text = value_text(True, "") if spec is not None and spec.returns == ("Boolean",) else SKIPPED
            self._end(text, read_outcome(text, call.method))

    def _end(self, text: str, result: Any, error: Exception | None = None) -> None:
        if text and self._place.number is not None:
            self._run.end(self._step(text))
        self._over(result if error is None else error)

    def _over(self, outcome: Any) -> None:
        self.is_over = True
        if isinstance(outcome, Exception):
            self._error = outcome
        else:
            self._result = outcome

    def _step(self, outcome: str | None) -> JournalStep:
        assert self._place.number is not None
        return JournalStep(self._place.number, self.call.method, target_of(self.call.encoded.fields), outcome)
