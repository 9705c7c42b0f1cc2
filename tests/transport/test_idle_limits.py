"""What is known of how long a connection may stand idle on a way, and from what."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line

from syncbot.transport.standing.idle_limits import IdleLimits

WAY, OTHER = "api.example:443 by way of direct", "api.example:443 by way of http://proxy.example:3128"
DAY_SECONDS = 86_400.0


class Now:
    """A time of day that a test puts forward."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def limits(now: Now) -> IdleLimits:
    return IdleLimits(now)


def test_what_nothing_is_known_of(limits: IdleLimits) -> None:
    """A way that no poll has shown begins at 15 seconds, and another way's facts are not its own."""
    limits.poll_passed(OTHER, 50.0)
    assert limits.stand_seconds(WAY) == 15.0


def test_a_poll_that_passed_shows_what_the_way_bears(limits: IdleLimits) -> None:
    """One may stand for four fifths of the longest silence that was answered, and a short one takes nothing away."""
    limits.poll_passed(WAY, 50.0)
    limits.poll_passed(WAY, 3.0)
    assert limits.stand_seconds(WAY) == 40.0


def test_short_polls_do_not_make_it_shorter(limits: IdleLimits) -> None:
    """Updates that come after a second say nothing about how long the way bears silence."""
    limits.poll_passed(WAY, 1.0)
    assert limits.stand_seconds(WAY) == 15.0


def test_a_poll_that_was_cut_is_a_limit_until_a_longer_one_passes(limits: IdleLimits) -> None:
    """One stays below the age of the cut with a margin, and an accident is forgotten with the next longer poll."""
    limits.poll_passed(WAY, 50.0)
    limits.poll_ended(WAY, 20.0, silent=False)
    assert limits.stand_seconds(WAY) == 16.0
    limits.poll_passed(WAY, 19.0)
    assert limits.stand_seconds(WAY) == 16.0
    limits.poll_passed(WAY, 50.0)
    assert limits.stand_seconds(WAY) == 40.0


def test_a_poll_that_ended_young_was_not_idle(limits: IdleLimits) -> None:
    """Within two seconds nothing is cut for being idle."""
    limits.poll_ended(WAY, 1.9, silent=False)
    assert limits.stand_seconds(WAY) == 15.0


def test_after_a_poll_that_was_never_answered_only_what_passes_counts(limits: IdleLimits) -> None:
    """Nobody knows at what age it died: one stands for what polls have passed since, until one as long passes again."""
    limits.poll_passed(WAY, 50.0)
    limits.poll_ended(WAY, 50.0, silent=True)
    assert limits.stand_seconds(WAY) == 0.0
    limits.poll_passed(WAY, 10.0)
    assert limits.stand_seconds(WAY) == 8.0
    limits.poll_passed(WAY, 51.0)
    assert limits.stand_seconds(WAY) == pytest.approx(40.8)


def test_what_is_closed_twice_at_the_same_age_has_a_limit_there(limits: IdleLimits, now: Now) -> None:
    """One that the other end closes may be an accident; two of one age are a limit, for a day."""
    limits.poll_passed(WAY, 50.0)
    limits.spare_closed(WAY, 10.0)
    assert limits.stand_seconds(WAY) == 40.0
    limits.spare_closed(WAY, 25.0)
    assert limits.stand_seconds(WAY) == 40.0
    limits.spare_closed(WAY, 24.5)
    assert limits.stand_seconds(WAY) == pytest.approx(19.6)
    now.seconds += DAY_SECONDS
    assert limits.stand_seconds(WAY) == 40.0


def test_what_died_in_silence_is_not_tried_again_for_longer_each_time(limits: IdleLimits, now: Now) -> None:
    """After one answer that was lost in silence none is older than two seconds on that way: for a day, then for two, then for four."""
    limits.poll_passed(WAY, 50.0)
    for days in (1, 2, 4):
        limits.spare_lost(WAY, 30.0, silent=True)
        assert limits.stand_seconds(WAY) == 2.0
        now.seconds += days * DAY_SECONDS - 1.0
        assert limits.stand_seconds(WAY) == 2.0
        now.seconds += 1.0
        assert limits.stand_seconds(WAY) == 40.0


def test_what_was_cut_when_it_was_used_stands_for_half_as_long(limits: IdleLimits) -> None:
    """An answer that was cut may have been cut for another reason: the limit falls step by step, to two seconds."""
    limits.poll_passed(WAY, 50.0)
    seen = []
    for _ in range(6):
        limits.spare_lost(WAY, limits.stand_seconds(WAY), silent=False)
        seen.append(limits.stand_seconds(WAY))
    assert seen == [20.0, 10.0, 5.0, 2.5, 2.0, 2.0]


def test_an_answer_that_was_lost_on_a_young_one_says_nothing(limits: IdleLimits) -> None:
    """What had stood for two seconds or less did not die of standing."""
    limits.spare_lost(WAY, 2.0, silent=True)
    assert limits.stand_seconds(WAY) == 15.0


def test_it_is_kept_from_one_run_to_the_next(limits: IdleLimits, now: Now) -> None:
    """What `facts` gives, `take` takes, and what was learned since wins."""
    limits.poll_passed(WAY, 50.0)
    limits.spare_lost(OTHER, 30.0, silent=True)
    later = IdleLimits(now)
    later.take(limits.facts())
    assert later.facts() == limits.facts()
    assert (later.stand_seconds(WAY), later.stand_seconds(OTHER)) == (40.0, 2.0)
    newer = IdleLimits(now)
    newer.poll_passed(WAY, 30.0)
    newer.take(limits.facts())
    assert (newer.stand_seconds(WAY), newer.stand_seconds(OTHER)) == (24.0, 2.0)


def test_what_changes_is_counted_and_what_is_not_worth_a_write_is_not(limits: IdleLimits) -> None:
    """A poll that passes as the one before it did changes nothing; a longer one, a cut and a loss do."""
    steps: list[Callable[[], None]] = [
        lambda: limits.poll_passed(WAY, 2.0),
        lambda: limits.poll_passed(WAY, 50.0),
        lambda: limits.poll_passed(WAY, 50.4),
        lambda: limits.poll_ended(WAY, 1.0, silent=False),
        lambda: limits.poll_ended(WAY, 30.0, silent=False),
        lambda: limits.poll_passed(WAY, 50.2),
        lambda: limits.spare_lost(WAY, 1.0, silent=True),
        lambda: limits.spare_lost(WAY, 10.0, silent=True),
    ]
    changed = []
    for step in steps:
        before = limits.changes
        step()
        changed.append(limits.changes > before)
    assert changed == [False, True, False, False, True, True, False, True]


def test_a_clock_that_was_put_back_keeps_nothing_for_ever(now: Now) -> None:
    """What is kept until a day in the far future is kept for 64 days at most."""
    first = IdleLimits(lambda: 10.0 * now.seconds)
    first.spare_lost(WAY, 30.0, silent=True)
    later = IdleLimits(now)
    later.take(first.facts())
    assert later.stand_seconds(WAY) == 2.0
    now.seconds += 64 * DAY_SECONDS
    assert later.stand_seconds(WAY) == 15.0


@pytest.mark.parametrize(
    "wrong", [None, 5, {}, {"passed": "50"}, {"passed": math.nan}, {"passed": -1.0}, {"passed": math.inf}, {"silent": 1}, {"deaths": 1.5}, {"deaths": True}]
)
def test_what_makes_no_sense_is_not_taken(wrong: Any, limits: IdleLimits, now: Now) -> None:
    """A file that somebody else wrote bounds nothing, and raises nothing."""
    limits.poll_passed(WAY, 50.0)
    good = limits.facts()[WAY]
    later = IdleLimits(now)
    later.take({WAY: {**good, **wrong} if isinstance(wrong, dict) and wrong else wrong, OTHER: good})
    assert (later.stand_seconds(WAY), later.stand_seconds(OTHER)) == (15.0, 40.0)


def test_two_threads_that_learn_at_once_have_done_so_one_after_the_other() -> None:
    """A poll that passes and a spare that is lost at once leave both facts."""

    def make() -> Steps:
        limits = IdleLimits(Now())

        def check() -> None:
            facts = limits.facts()[WAY]
            assert (facts["passed"], facts["unused"], facts["deaths"]) == (50.0, 2.0, 2)

        def lost() -> None:
            limits.spare_lost(WAY, 30.0, silent=True)

        def second() -> None:
            lost()
            limits.poll_passed(WAY, 50.0)

        return Steps(lost, second, check)

    assert at_every_line(make, "transport/standing/idle_limits.py") > 3
