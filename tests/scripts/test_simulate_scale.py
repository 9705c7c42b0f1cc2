"""`scripts/simulate_scale.py`: the model does what is known of queues, and says what is bound first."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kits.scripts_kit import ROOT


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The model."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from scaling import model

    return model


@pytest.fixture
def costs(model: ModuleType) -> Any:
    """Costs that are easily reckoned with."""
    line = model.Line
    return model.Costs(line(1e-4, 1e-5), line(5e-4, 2e-5), call=1e-4, commit=1e-4, trip=2e-4, feed=line(3e-4, 5e-5), handle=2e-4, processor=2e-4, send=1e-3)


def rate(model: ModuleType, costs: Any, **facts: Any) -> float:
    """Handled a second, of what waits."""
    waiting = {"rate": 0.0, "waiting": 3000, "limited": False, "calls": 0, "cores": 8}
    return float(model.Simulation(model.Setting(**{**waiting, **facts}), costs).run().rate)


def test_every_update_is_handled_once(model: ModuleType, costs: Any) -> None:
    """What waits at the beginning is handled, no less and no more, with a chat that has a fifth of all too."""
    outcome = model.Simulation(model.Setting(rate=0.0, waiting=2000, chats=50, hot=0.2, handler=0.01, limited=False), costs).run()
    assert outcome.handled == outcome.arrived == len(outcome.waits) == 2000
    assert all(0 < wait <= outcome.seconds for wait in outcome.waits)


def test_slow_handlers_are_bound_by_threads(model: ModuleType, costs: Any) -> None:
    """With handlers of 100 ms on 16 threads a process comes to nearly 160 a second, and eight to nearly eight times as many."""
    one = rate(model, costs, handler=0.1)
    assert 130 < one <= 160
    assert 6.5 < rate(model, costs, handler=0.1, processes=8, waiting=24_000) / one <= 8.1


def test_handlers_that_do_nothing_are_bound_by_processors(model: ModuleType, costs: Any) -> None:
    """One process is bound by Python's lock; four on a machine of one core are no faster than that core."""
    python = costs.handle + costs.feed(256) / 256
    assert rate(model, costs, handler=0.0, chats=100) == pytest.approx(1 / python, rel=0.3)
    assert rate(model, costs, handler=0.0, processes=4, cores=1) <= 1.1 / python


def test_other_programs_take_their_share(model: ModuleType, costs: Any) -> None:
    """Where one other program wants the only core all the time, half of it is left."""
    alone = rate(model, costs, handler=0.0, cores=1)
    assert rate(model, costs, handler=0.0, cores=1, others=1.0) == pytest.approx(alone / 2, rel=0.15)


def test_many_processes_take_from_each_other(model: ModuleType, costs: Any) -> None:
    """Where each further process on a core has all of them take twice as long, five on two cores do a third of what they did."""
    alone = rate(model, costs, handler=0.0, cores=2, processes=5)
    assert rate(model, replace(costs, crowd=1.0), handler=0.0, cores=2, processes=5) == pytest.approx(alone / 3, rel=0.2)


def test_chats_are_claimed_ahead_of_idle_threads(model: ModuleType, costs: Any) -> None:
    """A far database holds fast handlers up less than it would if each of sixteen threads waited for it after each update."""
    far = replace(costs, trip=0.05)
    assert rate(model, far, handler=0.0) > 2 * 16 / (2 * far.trip)


def test_one_chat_is_handled_one_after_the_other(model: ModuleType, costs: Any) -> None:
    """However many threads there are, a single chat comes to no more than one handler at a time."""
    assert 8 < rate(model, costs, handler=0.1, chats=1, waiting=100, processes=4) <= 10


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"rate": 50.0, "calls": 1}, "Telegram's limit of 30 a second"),
        ({"rate": 500.0, "calls": 0, "handler": 1.0}, "threads"),
        ({"rate": 50_000.0, "calls": 0, "handler": 0.0, "machines": 100, "cores": 8, "processes": 8, "database_cores": 1}, "the database's processors"),
        ({"rate": 100.0, "calls": 0, "hot": 0.5}, "the order within the busiest chat"),
        ({"rate": 10_000.0, "calls": 0, "handler": 0.0}, "Python's lock in each process"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_bound_first_is_named(monkeypatch: pytest.MonkeyPatch, model: ModuleType, costs: Any, facts: dict[str, Any], name: str) -> None:
    """The report ends with what is bound first; the simulation does not keep up there either."""
    import simulate_scale

    setting = replace(model.Setting(seconds=3.0), **facts)
    found = simulate_scale.capacities(setting, costs)
    assert min(found, key=found.__getitem__) == name
    outcome = model.Simulation(setting, costs).run()
    assert f"bound first by {name}" in simulate_scale._report(setting, outcome, costs)[-1]
    assert outcome.rate < 0.9 * setting.rate


@pytest.mark.slow
def test_it_goes_up_to_a_hundred_thousand_a_second() -> None:
    """The command takes 1,000 machines and 100,000 updates a second, and prints its lines."""
    script = ROOT / "scripts" / "simulate_scale.py"
    facts = ["--updates", "100000", "--handler", "0", "--calls", "0", "--machines", "1000", "--chats", "100000", "--database-cores", "32", "--seconds", "0.2"]
    done = subprocess.run([sys.executable, str(script), *facts], capture_output=True, text=True, check=True, cwd=Path("/"), timeout=120)
    assert done.stdout.splitlines()[-1].startswith("bound first by ")


def test_costs_come_back_as_they_were_written(model: ModuleType, costs: Any, tmp_path: Path) -> None:
    """The file of costs is one that the model reads again."""
    from scaling.measure import load_costs, save

    costs = replace(costs, crowd=0.25)
    save(costs, 1234.0, "a machine", tmp_path / "costs.json")
    found, facts = load_costs(tmp_path / "costs.json")
    assert found == costs
    assert (facts["where"], facts["fitted_to"]) == ("a machine", 1234)


def test_the_fit_finds_the_cost_that_gives_the_rate(model: ModuleType, costs: Any) -> None:
    """Fitted to the rate that it has itself, the model finds its own cost."""
    from scaling.measure import fitted, setting_of
    from scaling.real import Load

    real = model.Simulation(setting_of(Load(updates=3000), 2), costs).run()
    found = fitted(costs, real.rate, costs.processor / 2, setting_of(Load(updates=3000), 2))
    assert (found.handle, found.weight) == (pytest.approx(costs.handle, rel=0.1), 1.0)


@pytest.mark.slow
def test_the_fit_finds_how_much_others_count(model: ModuleType, costs: Any) -> None:
    """Where a run was faster than other programs should have let it be, they count for less."""
    from scaling.measure import fitted, setting_of
    from scaling.real import Load

    busy = setting_of(Load(updates=3000), 2, others=8.0)
    real = model.Simulation(busy, replace(costs, weight=0.5)).run()
    found = fitted(costs, real.rate, costs.processor, busy)
    assert (found.handle, found.weight) == (costs.handle, pytest.approx(0.5, rel=0.1))
