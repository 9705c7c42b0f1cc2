"""Pauses that grow, and what is said once."""

from __future__ import annotations

import pytest

from syncbot.trouble import Backoff, LastSaid


def test_pauses_double_up_to_the_longest() -> None:
    """Without jitter each failure in a row doubles the pause, and any number of failures leaves it at the longest."""
    pause = Backoff(0.5, 15.0, jitter=0.0)
    assert [pause.seconds(failures) for failures in (0, 1, 2, 4, 5, 1_000_000)] == [0.5, 1.0, 2.0, 8.0, 15.0, 15.0]


@pytest.mark.parametrize("jitter", [0.5, 1.0])
def test_jitter_shortens_a_pause_at_random(jitter: float) -> None:
    """A pause is between the part that is left without the jitter and the whole, and differs from time to time."""
    pauses = [Backoff(4.0, 6.0, jitter).seconds(3) for _ in range(200)]
    assert 6.0 * (1 - jitter) <= min(pauses) < 6.0 * (1 - jitter) + 0.5
    assert 5.5 < max(pauses) <= 6.0


def test_the_same_is_said_once() -> None:
    """A trouble is new when it begins, when it is another one, and when it comes back."""
    said = LastSaid()
    assert [said.is_new(words) for words in ("", "full", "full", "locked", "", "", "locked")] == [False, True, False, True, True, False, True]
