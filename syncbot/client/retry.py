"""Trying again: what may be repeated is decided by how far the failed attempt had come.

- never sent: every method is tried again;
- maybe sent: only methods that may be carried out twice without harm (whoever calls says which; others fail as `DeliveryUncertain`);
- answered: a 429 waits as told, a 5xx is tried again where the method may be repeated, anything else is Telegram's last word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from syncbot.bounds import MOST_SECONDS, check_numbers
from syncbot.errors import ApiError, BadRequest, DeliveryUncertain, NetworkError, NotSent, Phase, RetryAfter, ServerError
from syncbot.trouble import Backoff

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a call is tried again.

    Args:
        attempts: how many attempts a call gets in all, 1 or more.
        first_wait: seconds; the first wait is a random part of this, each further one of twice as much.
        longest_wait: seconds that a wait has at most, unless Telegram asks for more.

    Raises:
        ConfigError: one of them is out of its range.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 15.0

    def __post_init__(self) -> None:
        check_numbers(
            ("attempts", self.attempts, 1, float("inf"), True, "6"),
            ("first_wait", self.first_wait, 0, MOST_SECONDS, False, "0.5"),
            ("longest_wait", self.longest_wait, 0, MOST_SECONDS, False, "15.0"),
        )


class Retrier:
    """Runs the attempts of one call.

    Args:
        policy: how often to try.
        method: the Bot API method.
        repeatable: whether carrying the call out twice does no harm.
        deadline: `clock()` at which the call must be over.
        stop: ends waits; no further attempt begins once it is set.
        clock: seconds, never going backwards.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        method: str,
        repeatable: bool,
        deadline: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._method = method
        self._repeatable = repeatable
        self._deadline = deadline
        self._stop = stop
        self._clock = clock
        self._started = clock()
        self._attempts_made = 0
        self._failure: NetworkError | ApiError = NotSent()
        self._last: NetworkError | ApiError = self._failure
        self._uncertain = False

    def run(self, once: Callable[[], _Result], already_done: _Result) -> _Result:
        """The result of the first attempt that succeeds.

        Args:
            once: makes one attempt.
            already_done: the result when Telegram's answer shows that an earlier attempt, whose answer was lost, did it.

        Raises:
            NetworkError, ApiError: what the last attempt ended with.
        """
        for _ in self._attempts():
            try:
                return once()
            except (NetworkError, ApiError) as error:
                self._failure = error
        if isinstance(self._last, BadRequest) and self._uncertain and shows_it_was_done(self._method, self._last):
            return already_done
        raise self._final(self._last)

    def _attempts(self) -> Iterator[None]:
        """As many as may be made, each at its time; whoever makes them leaves how each ended."""
        yield
        if not self._may_follow(1) or self._policy.attempts == 1:
            return
        import tenacity  # deferred: it is needed at the first failure, not at every start

        pause = Backoff(self._policy.first_wait, self._policy.longest_wait, jitter=1.0)

        def wait(state: tenacity.RetryCallState) -> float:
            if isinstance(self._last, RetryAfter):
                return self._last.retry_after
            return 0.0 if isinstance(self._last, NotSent) and self._last.failover else pause.seconds(state.attempt_number - 1)

        def give_up(state: tenacity.RetryCallState) -> bool:
            out_of_time = self._clock() + state.upcoming_sleep >= self._deadline
            return out_of_time or state.attempt_number >= self._policy.attempts or self._stop.is_set()

        def may_follow(state: tenacity.RetryCallState) -> bool:
            return self._may_follow(state.attempt_number)

        with suppress(NetworkError, ApiError):  # tenacity ends with the last failure, which is kept
            for attempt in tenacity.Retrying(retry=may_follow, wait=wait, stop=give_up, sleep=self._sleep, reraise=True):
                if attempt.retry_state.attempt_number > 1:  # the first one was made before tenacity was there
                    if self._stop.is_set():
                        return
                    yield
                with attempt:
                    raise self._failure

    def _may_follow(self, number: int) -> bool:
        """Whether another attempt may follow that of this number; how it ended is kept, if it was made at all."""
        error = self._failure
        if number > 1 and isinstance(error, NotSent) and error.stage == "deadline":
            return False  # the failure before tells more
        self._last, self._attempts_made = error, number
        self._uncertain = self._uncertain or isinstance(error, ServerError) or (isinstance(error, NetworkError) and error.phase is not Phase.NOT_SENT)
        return self._may_repeat(error)

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._stop.wait(seconds)

    def _may_repeat(self, error: NetworkError | ApiError) -> bool:
        if isinstance(error, DeliveryUncertain):
            return False
        if isinstance(error, NotSent):
            return error.retryable or error.failover
        if isinstance(error, NetworkError):
            return self._repeatable and error.retryable
        if isinstance(error, ServerError):
            return self._repeatable
        return isinstance(error, RetryAfter)

    def _final(self, failure: NetworkError | ApiError) -> NetworkError | ApiError:
        """The failure with its facts: one attempt that may have been carried out makes the whole call uncertain."""
        if isinstance(failure, NotSent) and self._uncertain:
            failure = NetworkError(
                f"an earlier attempt may have been carried out; the last one: {failure}",
                method=self._method,
                phase=Phase.MAYBE_SENT,
                stage=failure.stage,
                proxy=failure.proxy,
            )
        if isinstance(failure, NetworkError):
            failure.attempts = self._attempts_made
            failure.elapsed = self._clock() - self._started
        return failure.with_traceback(None)


def shows_it_was_done(method: str, error: BadRequest) -> bool:
    """Whether Telegram's refusal means that an earlier attempt, whose answer was lost, was carried out.

    A change that changes nothing is "not modified" ("message is not modified", "CHAT_NOT_MODIFIED"); what was deleted is "not found".
    """
    words = error.description.lower().replace("_", " ")
    return "not modified" in words or (method.startswith("delete") and "not found" in words)
