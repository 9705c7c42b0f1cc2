"""Learning how long a poll may wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from syncbot.runtime.receiving.idle_limit import LONGEST_WAIT_SECONDS, IdleLimit


class Way:
    """A way to Telegram on which time is only counted.

    Args:
        cut_at: cuts what is idle for so long.
        stall_at: drops it without a word.
    """

    def __init__(self, cut_at: float = 1e9, stall_at: float = 1e9, jitter: float = 0.0, seed: int = 1) -> None:
        self.cut_at = cut_at
        self.stall_at = stall_at
        self._jitter = jitter
        self._random = random.Random(seed)
        self.cuts = 0

    def poll(self, idle: IdleLimit) -> int:
        """One quiet poll; returns the seconds that it asked for."""
        asked = idle.next_wait()
        limit = min(self.cut_at, self.stall_at) + self._random.uniform(-self._jitter, self._jitter)
        if asked < limit:
            idle.passed(asked)
        elif self.cut_at <= self.stall_at:
            self.cuts += 1
            idle.cut(limit)
        else:
            self.cuts += 1
            idle.stalled()
        return asked


def test_without_a_limit_polls_are_as_long_as_can_be() -> None:
    """A way that cuts nothing is polled for 50 s each time."""
    idle, way = IdleLimit(), Way()
    assert {way.poll(idle) for _ in range(500)} == {LONGEST_WAIT_SECONDS}


def test_two_cuts_at_one_age_teach_the_limit() -> None:
    """Two cuts near 20 s shorten polls to stay below; one cut alone is an accident."""
    learned: list[int | None] = []
    idle = IdleLimit(on_change=learned.append)
    idle.cut(20.1)
    assert idle.next_wait() == LONGEST_WAIT_SECONDS
    idle.cut(19.9)
    assert idle.next_wait() == 15
    assert learned == [15]


@pytest.mark.parametrize("ages", [(40.0, 44.2), (44.2, 40.0)])
def test_what_is_near_depends_on_the_longer_one(ages: tuple[float, float]) -> None:
    """A tenth of the longer one may lie between two cuts of one limit, whichever came first."""
    idle = IdleLimit()
    for age in ages:
        idle.cut(age)
    assert idle.next_wait() < 40


@pytest.mark.parametrize("ages", [(20.0, 8.0, 30.0, 12.0), (0.2, 0.3, 0.2, 0.25)], ids=["at all ages", "young"])
def test_cuts_that_are_no_idle_limit_teach_nothing(ages: tuple[float, ...]) -> None:
    """Cuts at different ages, or of connections that were not idle for even a second, are another trouble."""
    idle = IdleLimit()
    for age in ages:
        idle.cut(age)
    assert idle.next_wait() == LONGEST_WAIT_SECONDS


def test_a_few_quiet_polls_between_two_cuts_are_no_excuse() -> None:
    """A limit that strikes now and then, with polls that pass between, is learned all the same."""
    for quiet in (1, 3, 19):
        idle = IdleLimit()
        idle.cut(20.0)
        for _ in range(quiet):
            idle.passed(50.0)
        idle.cut(20.0)
        assert idle.next_wait() == 16


def test_a_longer_poll_that_passed_once_and_is_cut_later_is_tried_more_rarely() -> None:
    """Where a limit is near, one longer poll passes by chance: what follows from it is taken back, and the next try comes after twice as many polls."""

    def polls_until_the_next_try() -> int:
        for number in range(1, 1000):
            asked = idle.next_wait()
            idle.passed(asked)
            if idle.next_wait() > asked:
                return number
        raise AssertionError

    idle = IdleLimit(longest=50, learned=16)
    first = polls_until_the_next_try()
    idle.passed(idle.next_wait())  # the longer one passes
    for _ in range(2):
        idle.cut(20.0)
    assert polls_until_the_next_try() == 2 * first
    idle.passed(idle.next_wait())
    assert polls_until_the_next_try() == first, "this time it has lasted, and is no trial any more"
    idle.cut(20.0)
    assert polls_until_the_next_try() == 2 * first


def test_an_accident_is_forgotten_after_many_quiet_polls() -> None:
    """Two cuts with twenty quiet polls between them are two accidents."""
    idle = IdleLimit()
    idle.cut(20.0)
    for _ in range(20):
        idle.passed(50.0)
    idle.cut(20.0)
    assert idle.next_wait() == LONGEST_WAIT_SECONDS


def test_polls_that_an_update_ended_say_nothing() -> None:
    """Answers that come early neither forget a cut nor count as quiet."""
    idle = IdleLimit()
    idle.cut(20.0)
    for _ in range(100):
        idle.passed(1.0)
    idle.cut(20.0)
    assert idle.next_wait() == 16
    for _ in range(1000):
        idle.passed(1.0)
    assert idle.next_wait() == 16


@pytest.mark.parametrize("limit", [3.2, 5.0, 7.3, 10.0, 15.0, 20.0, 24.1, 30.0, 45.0, 49.9])
@pytest.mark.parametrize("jitter", [0.0, 0.2])
def test_after_learning_at_most_one_poll_in_twenty_is_cut(limit: float, jitter: float) -> None:
    """Whatever the limit: after it was learned, no more than one quiet poll in twenty is cut, over any stretch of a thousand."""
    idle, way = IdleLimit(), Way(cut_at=limit, jitter=jitter)
    while idle.next_wait() == LONGEST_WAIT_SECONDS and way.cuts < 10:
        way.poll(idle)
    for _ in range(5):
        way.cuts = 0
        waits = [way.poll(idle) for _ in range(1000)]
        assert way.cuts <= 50, (way.cuts, waits[:200])
        assert sum(waits) / len(waits) > 0.5 * limit - 1, "polls are not shorter than they need be"


def test_longer_polls_are_tried_again_and_come_back() -> None:
    """When the limit is gone, polls become as long as before, and what was learned is forgotten."""
    learned: list[int | None] = []
    idle, way = IdleLimit(on_change=learned.append), Way(cut_at=20.0)
    for _ in range(10):
        way.poll(idle)
    assert idle.next_wait() == 16
    way.cut_at = 1e9
    for _ in range(200):
        way.poll(idle)
    assert idle.next_wait() == LONGEST_WAIT_SECONDS
    assert learned[-1] is None


def test_trying_a_longer_poll_gets_rarer() -> None:
    """Each try that fails doubles the polls until the next one."""
    idle, way = IdleLimit(), Way(cut_at=20.0)
    waits = [way.poll(idle) for _ in range(1000)]
    probes = [n for n, wait in enumerate(waits) if n > 2 and wait > 16]
    gaps = [after - before for before, after in pairwise(probes)]
    assert gaps[0] >= 80
    assert gaps[1] >= 160


def test_stalled_polls_are_halved() -> None:
    """A way that drops idle connections without a word is found out by halves."""
    idle, way = IdleLimit(), Way(stall_at=15.0)
    for _ in range(6):
        way.poll(idle)
    assert idle.next_wait() == 12
    way.cuts = 0
    for _ in range(1000):
        way.poll(idle)
    assert way.cuts <= 50


def test_one_stall_is_an_accident() -> None:
    """A single poll without an answer changes nothing."""
    idle = IdleLimit()
    idle.stalled()
    assert idle.next_wait() == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize(("learned", "first"), [(16, 16), (None, 30), (99, 30), (0, 3)])
def test_what_an_earlier_run_learned_is_taken_up(learned: int | None, first: int) -> None:
    """A start begins with what was learned, within the bounds."""
    assert IdleLimit(30, learned).next_wait() == first


@pytest.mark.parametrize("longest", [50, 3, 1])
def test_polls_never_get_shorter_than_telegram_holds_them(longest: int) -> None:
    """Telegram holds a poll that repeats its offset for three seconds: asking for less is of no use, unless the user wants it so."""
    idle, way = IdleLimit(longest), Way(cut_at=1.0)
    shortest: Callable[[], int] = idle.next_wait
    for _ in range(50):
        way.poll(idle)
        assert min(3, longest) <= shortest() <= longest
