"""Trying again: which failures, how often, how long, and what the last error says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest
from kits.call_kit import FakeStop, FakeTime

from syncbot.client.retry import Retrier, RetryPolicy
from syncbot.errors import (
    ApiError,
    BadRequest,
    Conflict,
    DeliveryUncertain,
    Forbidden,
    NetworkError,
    NotFound,
    NotSent,
    Phase,
    ProxyAuthRequired,
    RetryAfter,
    ServerError,
    Unauthorized,
)

POLICY = RetryPolicy(attempts=5, first_wait=1.0, longest_wait=6.0)


class Attempts:
    """Makes one attempt after the other from a script: an exception is raised, anything else returned; each takes a second."""

    def __init__(self, clock: FakeTime, script: Iterable[object]) -> None:
        self._clock = clock
        self._script = list(script)
        self.made = 0

    def __call__(self) -> object:
        self.made += 1
        self._clock.now += 1.0
        outcome = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Trial:
    """One call with its attempts, its stop event and its clock."""

    def __init__(self, *script: object, method: str = "sendMessage", repeatable: bool = False, seconds: float = 1000.0, policy: RetryPolicy = POLICY) -> None:
        self.clock = FakeTime()
        self.stop = FakeStop(self.clock)
        self.attempts = Attempts(self.clock, script)
        self.retrier = Retrier(policy, method=method, repeatable=repeatable, deadline=self.clock.now + seconds, stop=self.stop, clock=self.clock)

    def run(self) -> object:
        done: object = "done before"
        return self.retrier.run(self.attempts, done)

    def fails(self) -> NetworkError | ApiError:
        """The error that the call ends with."""
        try:
            result = self.run()
        except (NetworkError, ApiError) as error:
            return error
        raise AssertionError(f"it did not fail, it returned {result!r}")


def maybe_sent(**facts: object) -> NetworkError:
    return NetworkError("cut", phase=Phase.MAYBE_SENT, stage="receive", **facts)  # type: ignore[arg-type]  # the facts of NetworkError


def retry_after(seconds: float) -> RetryAfter:
    return RetryAfter("Too Many Requests", code=429, parameters={"retry_after": seconds})


def test_a_call_that_succeeds_is_made_once() -> None:
    """No failure, no further attempt and no wait."""
    trial = Trial("sent")
    assert trial.run() == "sent"
    assert (trial.attempts.made, trial.stop.waits) == (1, [])


@pytest.mark.parametrize("repeatable", [False, True])
def test_what_was_not_sent_is_tried_again_whatever_the_method(repeatable: bool) -> None:
    """After NotSent every method gets further attempts."""
    trial = Trial(NotSent("no route"), NotSent("refused"), "sent", repeatable=repeatable)
    assert trial.run() == "sent"
    assert trial.attempts.made == 3
    assert len(trial.stop.waits) == 2


def test_what_may_have_been_sent_is_repeated_only_where_that_does_no_harm() -> None:
    """A NetworkError in the phase MAYBE_SENT is tried again for a repeatable method, and is the end for any other."""
    assert Trial(maybe_sent(), "sent", repeatable=True).run() == "sent"
    trial = Trial(maybe_sent(), "sent")
    assert trial.fails().phase is Phase.MAYBE_SENT  # type: ignore[union-attr]  # a NetworkError
    assert trial.attempts.made == 1


@pytest.mark.parametrize("repeatable", [False, True])
def test_delivery_uncertain_is_never_repeated(repeatable: bool) -> None:
    """Whoever raised it has decided already."""
    trial = Trial(DeliveryUncertain("cut"), "sent", repeatable=repeatable)
    assert isinstance(trial.fails(), DeliveryUncertain)
    assert trial.attempts.made == 1


def test_a_failing_server_is_asked_again_only_where_that_does_no_harm() -> None:
    """A 5xx of Telegram's own is tried again for a repeatable method."""
    assert Trial(ServerError("restart", code=500), "sent", repeatable=True).run() == "sent"
    trial = Trial(ServerError("restart", code=500), "sent")
    assert isinstance(trial.fails(), ServerError)
    assert trial.attempts.made == 1


@pytest.mark.parametrize("kind", [BadRequest, Unauthorized, Forbidden, NotFound, Conflict, ApiError])
def test_telegrams_last_word_is_the_last(kind: type[ApiError]) -> None:
    """A refusal is not tried again, repeatable or not."""
    trial = Trial(kind("no"), "sent", repeatable=True)
    assert type(trial.fails()) is kind
    assert trial.attempts.made == 1


def test_an_error_that_no_attempt_can_mend_is_not_tried_again() -> None:
    """`retryable=False` (an expired certificate, wrong credentials) ends the call at once."""
    for error in (NotSent("expired", retryable=False), ProxyAuthRequired("407")):
        trial = Trial(error, "sent", repeatable=True)
        assert trial.fails() is error
        assert trial.attempts.made == 1


def test_a_way_that_stands_ready_is_taken_without_a_wait() -> None:
    """`failover` means that the next attempt goes another way: at once, also after a 407."""
    for error in (NotSent("refused", failover=True), ProxyAuthRequired("407", failover=True)):
        trial = Trial(error, "sent")
        assert trial.run() == "sent"
        assert trial.stop.waits == []


def test_any_other_exception_passes_at_once() -> None:
    """An error of somebody's own code, or an interrupt, is no reason to try again."""
    for error in (ValueError("mine"), KeyboardInterrupt()):
        trial = Trial(error, "sent", repeatable=True)
        with pytest.raises(type(error)):
            trial.run()
        assert trial.attempts.made == 1
        later = Trial(NotSent("first"), error, "sent", repeatable=True)
        with pytest.raises(type(error)):
            later.run()
        assert later.attempts.made == 2


# --- How often, and how long.


def test_attempts_are_counted_in_all() -> None:
    """`attempts` is how many there are, the first one included."""
    for attempts in (1, 2, 5):
        trial = Trial(NotSent("no route"), policy=RetryPolicy(attempts, 1.0, 6.0))
        trial.fails()
        assert trial.attempts.made == attempts
        assert len(trial.stop.waits) == attempts - 1


def test_waits_are_random_parts_of_doubling_spans_up_to_a_longest() -> None:
    """The n-th wait lies between 0 and first_wait × 2ⁿ⁻¹, and below longest_wait; over many calls the whole span is used."""
    waits: list[list[float]] = []
    for _ in range(200):
        trial = Trial(NotSent("no route"))
        trial.fails()
        waits.append(trial.stop.waits)
    for position, span in enumerate((1.0, 2.0, 4.0, 6.0)):
        column = [row[position] for row in waits]
        assert min(column) >= 0.0
        assert max(column) <= span
        assert max(column) > span * 0.8
        assert min(column) < span * 0.2


def test_a_flood_wait_is_as_long_as_told() -> None:
    """After a 429 any method waits exactly `retry_after`, however long the policy's waits are."""
    trial = Trial(retry_after(30), retry_after(7.5), "sent")
    assert trial.run() == "sent"
    assert trial.stop.waits == [30.0, 7.5]


def test_a_flood_wait_beyond_the_deadline_is_not_begun() -> None:
    """Where the answer would come too late anyway, the caller hears of the 429 at once."""
    trial = Trial(retry_after(30), "sent", seconds=20.0)
    error = trial.fails()
    assert isinstance(error, RetryAfter)
    assert error.retry_after == 30.0
    assert trial.stop.waits == []
    assert Trial(retry_after(30), "sent", seconds=32.0).run() == "sent"


def test_no_wait_reaches_beyond_the_deadline() -> None:
    """The call ends early where its next attempt would begin after the deadline."""
    for _ in range(50):
        trial = Trial(NotSent("no route"), seconds=5.0, policy=RetryPolicy(1000, 1.0, 6.0))
        error = trial.fails()
        assert trial.clock.now <= 1000.0 + 5.0 + 1.0, "the deadline, and one attempt that began before it"
        assert isinstance(error, NotSent)


def test_an_attempt_that_came_too_late_to_begin_is_none() -> None:
    """When the wait ends just after the deadline, the call ends with what the last real attempt met, its way among it."""
    real = NotSent("no route", stage="connect", proxy="http://p:1")
    error = Trial(real, NotSent("the deadline was over", stage="deadline", retryable=False), seconds=2.0).fails()
    assert error is real
    assert isinstance(error, NotSent)
    assert error.attempts == 1


def test_a_stop_ends_the_wait_and_no_further_attempt_is_made() -> None:
    """Set during a wait, the event ends the call with the error of the last attempt."""
    trial = Trial(NotSent("first"), "sent")
    trial.stop.during = lambda seconds: trial.stop.set()
    error = trial.fails()
    assert str(error) == "first"
    assert trial.attempts.made == 1
    assert trial.clock.now == 1001.0


def test_a_stop_ends_a_flood_wait_too() -> None:
    """A 429's wait of an hour does not hold a stop up."""
    trial = Trial(retry_after(500), "sent")
    trial.stop.during = lambda seconds: trial.stop.set()
    assert isinstance(trial.fails(), RetryAfter)
    assert trial.attempts.made == 1


def test_after_a_stop_a_call_still_gets_its_first_attempt() -> None:
    """A handler that is let finish may send what it has to say, but nothing is tried twice any more."""
    trial = Trial("sent")
    trial.stop.set()
    assert trial.run() == "sent"
    failing = Trial(NotSent("no route"), "sent")
    failing.stop.set()
    failing.fails()
    assert (failing.attempts.made, failing.stop.waits) == (1, [])


# --- An earlier attempt did it.

DONE_SHOWS = [
    ("editMessageText", "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"),
    ("editForumTopic", "Bad Request: TOPIC_NOT_MODIFIED"),
    ("setChatTitle", "Bad Request: CHAT_NOT_MODIFIED"),
    ("deleteMessage", "Bad Request: message to delete not found"),
    ("deleteForumTopic", "Bad Request: topic not found"),
]
UNCERTAIN = [maybe_sent(), NetworkError("a gateway's page", phase=Phase.ANSWERED), ServerError("restart", code=500)]


@pytest.mark.parametrize(("method", "description"), DONE_SHOWS)
@pytest.mark.parametrize("first", UNCERTAIN, ids=["cut", "gateway", "server error"])
def test_a_refusal_that_shows_that_an_uncertain_attempt_did_it_is_a_success(first: Exception, method: str, description: str) -> None:
    """ "Not modified" to a repeated change, "not found" to a repeated delete: the first one was carried out."""
    trial = Trial(first, BadRequest(description), method=method, repeatable=True)
    assert trial.run() == "done before"


@pytest.mark.parametrize(("method", "description"), DONE_SHOWS)
def test_the_same_refusal_without_an_uncertain_attempt_is_a_refusal(method: str, description: str) -> None:
    """At the first attempt, or after attempts that were not sent, nobody can have done it."""
    for script in ([BadRequest(description)], [NotSent("no route"), BadRequest(description)], [retry_after(1), BadRequest(description)]):
        assert isinstance(Trial(*script, method=method, repeatable=True).fails(), BadRequest)


@pytest.mark.parametrize(
    ("method", "description"),
    [
        ("editMessageText", "Bad Request: message to edit not found"),
        ("setChatTitle", "Bad Request: chat not found"),
        ("deleteMessage", "Bad Request: message can't be deleted"),
        ("getChat", "Bad Request: chat not found"),
    ],
)
def test_a_refusal_that_shows_nothing_of_the_kind_stays_one(method: str, description: str) -> None:
    """Only what a repetition of the same change would be told counts."""
    trial = Trial(maybe_sent(), BadRequest(description), method=method, repeatable=True)
    assert isinstance(trial.fails(), BadRequest)


# --- What the last error says.


def test_the_facts_cover_the_whole_call() -> None:
    """`attempts` and `elapsed` count all attempts and all waits."""
    trial = Trial(NotSent("first", attempts=1, elapsed=0.1), NotSent("last"), policy=RetryPolicy(2, 1.0, 6.0))
    error = trial.fails()
    assert isinstance(error, NotSent)
    assert str(error) == "last"
    assert error.attempts == 2
    assert error.elapsed == pytest.approx(2.0 + sum(trial.stop.waits))


def test_one_uncertain_attempt_makes_the_whole_call_uncertain() -> None:
    """Ends it with NotSent, the call as a whole may have been carried out all the same, and must not pass for NotSent."""
    trial = Trial(maybe_sent(), NotSent("no route", stage="connect", proxy="http://p:1"), repeatable=True, policy=RetryPolicy(2, 1.0, 6.0))
    error = trial.fails()
    assert isinstance(error, NetworkError)
    assert not isinstance(error, NotSent)
    assert error.phase is Phase.MAYBE_SENT
    assert (error.stage, error.proxy, error.method, error.attempts) == ("connect", "http://p:1", "sendMessage", 2)
    assert "earlier attempt" in str(error)
    assert "no route" in str(error)


def test_an_uncertain_last_attempt_after_ones_that_were_not_sent() -> None:
    """The last attempt's own phase counts."""
    error = Trial(NotSent("no route"), maybe_sent(), policy=RetryPolicy(2, 1.0, 6.0)).fails()
    assert isinstance(error, NetworkError)
    assert error.phase is Phase.MAYBE_SENT
    assert error.attempts == 2


def test_the_error_brings_no_chain_and_no_old_frames_along() -> None:
    """What is raised holds neither tenacity's wrapper nor the frames of earlier attempts, which would keep their bodies alive."""
    error = Trial(NotSent("no route")).fails()
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert not any("tenacity" in name for name in frames)


_LAZY = """
import sys
from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NotSent
from syncbot.transport import FakeTransport

fake = FakeTransport(getMe=[{"id": 1}, NotSent("x"), {"id": 2}])
bot = Bot("123456789:TEST-abcdefghijklmnopqrstuvwxyz0123", transport=fake, retry=RetryPolicy(first_wait=0.001))
assert bot.call("getMe") == {"id": 1}
assert "tenacity" not in sys.modules
assert bot.call("getMe") == {"id": 2}
assert "tenacity" in sys.modules
assert "asyncio" not in sys.modules
"""


def test_tenacity_is_loaded_at_the_first_failure_and_not_before() -> None:
    """A program whose calls succeed does not pay for it."""
    subprocess.run([sys.executable, "-c", _LAZY], check=True)
