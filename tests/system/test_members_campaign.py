"""Slices of the campaigns with several processes on one PostgreSQL, and that their judges notice what they are there for."""

from __future__ import annotations

from types import ModuleType

import pytest
from kits.campaigns_kit import CAMPAIGNS, run_campaign


@pytest.mark.programs("postgres", "initdb")
@pytest.mark.timeout(300)
def test_processes_are_struck_one_after_the_other() -> None:
    """One is killed, one stopped, one cut off, one left without an answer, and the server stopped hard: nothing is lost, twice, or out of order."""
    slice_of_it = ["--updates", "600", "--chats", "30", "--hits", "4", "--crashes", "1", "--lease", "2", "--seconds", "16", "--members", "3"]
    done = run_campaign(["campaign_members.py", *slice_of_it], 280.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.mark.programs("postgres", "initdb", "nginx")
@pytest.mark.timeout(300)
def test_one_of_two_web_machines_is_lost() -> None:
    """What was answered 200 by either of them is handled."""
    done = run_campaign(["campaign_machines.py", "--updates", "600"], 280.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The campaign as a module."""
    monkeypatch.syspath_prepend(str(CAMPAIGNS))
    import campaign_members

    return campaign_members


def test_the_judge_sees_runs_side_by_side(campaign: ModuleType) -> None:
    """Two runs of a chat that overlap are found, also in one process; of one that was hit counts what it did before."""
    one, other = campaign.Run(0, 0, 1, 0, begin=1.0, end=3.0), campaign.Run(1, 0, 2, 1, begin=2.0, end=4.0)
    assert campaign.overlapping([one, other], []) == 1
    assert campaign.overlapping([one, other], [campaign.Hit("stop", 1, 1.5)]) == 1
    assert campaign.overlapping([one, other], [campaign.Hit("stop", 0, 1.5)]) == 0
    assert campaign.overlapping([one, other], [campaign.Hit("crash", -1, 1.5)]) == 0
    assert campaign.overlapping([one, campaign.Run(0, 0, 2, 1, begin=3.5, end=4.0)], []) == 0


def test_what_a_struck_process_begins_in_vain_is_no_overlap(campaign: ModuleType) -> None:
    """Of two runs of one update that of the process that was struck does not count; two that nobody struck are one too many."""
    hit = campaign.Hit("stop", 0, 1.0, back=7.0)
    late, taker = campaign.Run(0, 0, 1, 0, begin=7.2, end=8.0), campaign.Run(1, 0, 1, 0, begin=6.9, end=7.5)
    assert campaign.overlapping([taker, late], [hit]) == 0
    assert campaign.overlapping([taker, late], []) == 1
    assert campaign.in_vain(late, [taker, late], [hit])
    assert not campaign.in_vain(taker, [taker, late], [hit])


def test_what_the_data_had_when_it_was_noted_is_no_overlap(campaign: ModuleType) -> None:
    """A process is stopped before a handler notes that it begins, and another one takes over that was struck before: what is noted late is in vain."""
    hits = [campaign.Hit("mute", 1, 0.0, back=2.0), campaign.Hit("stop", 0, 4.0, back=11.0), campaign.Hit("stop", 0, 40.0, back=47.0)]
    taker, next_one, late = campaign.Run(1, 0, 1, 0, 9.0, end=9.1), campaign.Run(1, 0, 2, 1, 9.2, end=9.3), campaign.Run(0, 0, 1, 0, 11.1)
    runs = [taker, next_one, late, campaign.Run(1, 0, 3, 2, 12.0, end=12.1)]
    assert campaign.overlapping(runs, hits) == 0
    assert campaign.in_vain(late, runs, hits)


def test_a_killed_process_does_not_cover_its_next_life(campaign: ModuleType) -> None:
    """What the process does that takes the place of one that was killed counts."""
    hit = campaign.Hit("kill", 0, 1.0, life=0, back=2.0)
    one, other = campaign.Run(0, 1, 1, 0, begin=2.5, end=3.0), campaign.Run(1, 0, 1, 0, begin=2.6, end=3.0)
    assert campaign.overlapping([one, other], [hit]) == 1


def test_the_judge_sees_what_is_out_of_order(campaign: ModuleType) -> None:
    """A run that does not find the one before it in the data came too early."""
    assert campaign.disordered([campaign.Run(0, 0, 1, 0, 1.0), campaign.Run(0, 0, 2, 1, 2.0)]) == 0
    assert campaign.disordered([campaign.Run(0, 0, 3, 1, 1.0)]) == 1


def test_the_time_until_others_go_on(campaign: ModuleType) -> None:
    """It is reckoned from the hit to the first other run of what the one that was hit had in hand; what it had ended before does not count."""
    hit = campaign.Hit("kill", 0, 10.0)
    runs = {
        7: [campaign.Run(0, 0, 1, 0, 9.0), campaign.Run(1, 0, 1, 0, 10.5), campaign.Run(2, 0, 1, 0, 12.0)],
        8: [campaign.Run(0, 0, 1, 0, 8.0, end=9.0), campaign.Run(1, 0, 2, 1, 11.0)],
    }
    assert campaign.takeovers(runs, hit) == [0.5]
