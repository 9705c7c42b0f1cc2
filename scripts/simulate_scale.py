#!/usr/bin/env python3
"""Tells what a bot on a PostgreSQL is bound by first: the database, threads, processors, the order within a chat, or Telegram's own limits.

    scripts/simulate_scale.py --updates 500 --handler 0.2 --machines 4        # 500 updates a second, handlers of 0.2 s, four machines
    scripts/simulate_scale.py --updates 100000 --bots 5000 --machines 1000 --threads 128 --database-cores 32 --chats 1000000
    scripts/simulate_scale.py --measure                                       # what each step costs here, into scripts/scaling/costs.json
    scripts/simulate_scale.py --check                                         # the model beside real runs of 1 to 8 processes here

A discrete-event model (`scaling/model.py`), fed with measured costs. `--measure` and `--check` start a PostgreSQL of their own, or take the one that PG_URL
names. `--check` exits 1 where a prediction for a run that the model was not fitted to is off by more than a fifth.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # syncbot is found by it where nothing is installed

from scaling.model import TELEGRAM_A_SECOND, Costs, Outcome, Setting, Simulation, quantile

_TOLERATED = 0.2
_RUNS = 3
"""Of each kind, of which the middle one counts: what else runs on the machine changes from moment to moment."""
_CHECKED = (
    {"processes": 2},
    {"processes": 4},
    {"processes": 1, "handler": 0.1, "updates": 800},
    {"processes": 4, "handler": 0.1, "updates": 3200},
    {"processes": 8, "handler": 0.1, "updates": 6400},
)
_NEVER = 1e9


def main(argv: Sequence[str]) -> int:
    """Do what the command line asks for."""
    options = _parser().parse_args(argv)
    if options.measure:
        return _measure()
    if options.check:
        return _check()
    from scaling.measure import load_costs

    costs, facts = load_costs(options.costs) if options.costs else load_costs()
    print(f"costs measured on {facts['where']}")
    setting = _setting(options)
    print(*_report(setting, Simulation(setting, costs).run(), costs), sep="\n")
    return 0


def _report(setting: Setting, outcome: Outcome, costs: Costs) -> list[str]:
    """What came of it, in lines."""
    lines = [
        f"{setting.rate:,.0f} updates a second arrive at {setting.machines} machines with {setting.processes} processes of {setting.threads} threads each; "
        f"handlers of {setting.handler:g} s",
        f"handled {outcome.rate:,.0f} a second; from arrival to handler {quantile(outcome.waits, 0.5) * 1000:,.1f} ms in the median, "
        f"95 % within {quantile(outcome.waits, 0.95) * 1000:,.1f} ms",
        "",
        f"{'':36}{'busy':>8}{'enough for':>14} a second",
    ]
    found = capacities(setting, costs)
    for name, most in sorted(found.items(), key=lambda item: item[1]):
        lines.append(f"{name:36}{setting.rate / most:>8.1%}{most:>14,.0f}" if most < _NEVER else f"{name:36}{'-':>8}{'no end':>14}")
    first, most = min(found.items(), key=lambda item: item[1])
    lines += ["", f"bound first by {first}: at {most:,.0f} updates a second" + ("; it does not keep up" if most < setting.rate else "")]
    return lines


def capacities(setting: Setting, costs: Costs) -> dict[str, float]:
    """For how many updates a second each resource is enough, the others set aside.

    Groups are of sixteen chats with one update each; more of them wait together only under load.
    """
    calls, run, costs = setting.calls, 16, costs.crowded(setting.processes, setting.cores)
    database = costs.store(setting.batch) / setting.batch + costs.claim(run) / run + calls * costs.call
    python = costs.handle + calls * costs.send + costs.feed(run) / run
    thread = setting.handler + python + calls * (costs.call + costs.trip + costs.commit)
    processes = setting.machines * setting.processes
    return {
        "the database's processors": setting.database_cores / database,
        "the machines' processors": setting.machines * setting.cores / (python - costs.handle + costs.processor),
        "Python's lock in each process": processes / python,
        "threads": processes * setting.threads / thread,
        "Telegram's limit of 30 a second": setting.bots * TELEGRAM_A_SECOND / calls if calls and setting.limited else _NEVER,
        "the order within the busiest chat": 1 / thread / setting.hot if setting.hot else _NEVER,
    }


def _measure() -> int:
    from scaling.measure import commit_seconds, measure, save
    from scaling.real import servers

    with servers(os.environ.get("PG_URL")) as (api_url, postgres):
        costs, real = measure(postgres, api_url, os.cpu_count() or 1)
    costs = replace(costs, commit=commit_seconds())
    save(costs, real.rate, _where())
    print(costs)
    return 0


def _where() -> str:
    """The machine, in words."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end"


def _check() -> int:
    """Measure, and compare with the other runs; it is fitted to those of handlers that do nothing, in one process and in eight.

    No commit waits for a disk that others may keep busy.
    """
    from scaling.measure import commit_seconds, measure, save, setting_of
    from scaling.real import Load, run, servers

    cores, off = os.cpu_count() or 1, []
    with servers(os.environ.get("PG_URL")) as (api_url, postgres):
        costs, fit = measure(postgres, api_url, cores)
        costs = replace(costs, commit=0.0)
        print(f"{'run':44}{'real':>10}{'model':>10}{'off':>8}{'others':>8}")
        print(f"{'1 process, handlers of 0 s: fitted to this':44}{fit.rate:>10,.0f}{'':>18}{fit.others:>8.1f}", flush=True)
        for facts in _CHECKED:
            load = replace(Load(updates=40_000), **facts)
            pairs = []
            for _ in range(_RUNS):
                real = run(postgres.create_database(), api_url, load)
                pairs.append((Simulation(setting_of(load, cores, real.others), costs).run().rate, real))
            model, real = sorted(pairs, key=lambda pair: pair[0] / pair[1].rate)[_RUNS // 2]
            off.append(model / real.rate - 1)
            name = f"{load.processes} processes, handlers of {load.handler:g} s"
            print(f"{name:44}{real.rate:>10,.0f}{model:>10,.0f}{off[-1]:>+8.1%}{real.others:>8.1f}", flush=True)
    save(replace(costs, commit=commit_seconds()), fit.rate, _where())
    return int(any(abs(share) > _TOLERATED for share in off))


def _setting(options: argparse.Namespace) -> Setting:
    seconds = options.seconds or max(3.0, 5 * options.handler)
    batch = options.batch or max(1, min(100, round(options.updates * 0.05)))
    return Setting(
        rate=options.updates, seconds=seconds, batch=batch, handler=options.handler, calls=options.calls, bots=options.bots, chats=options.chats,
        hot=options.hot, machines=options.machines, processes=options.processes, threads=options.threads, cores=options.cores,
        database_cores=options.database_cores,
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulate_scale.py", description="Tells what a bot on a PostgreSQL is bound by first.")
    parser.add_argument("--updates", type=float, default=100.0, help="that arrive a second (default: 100)")
    parser.add_argument("--batch", type=int, default=0, help="how many are stored at once; 1 for webhooks (default: what 50 ms of polling bring, up to 100)")
    parser.add_argument("--handler", type=float, default=0.1, help="seconds that a handler waits for others (default: 0.1)")
    parser.add_argument("--calls", type=int, default=1, help="messages that each handler sends (default: 1)")
    parser.add_argument("--bots", type=int, default=1, help="over how many bots they are spread (default: 1)")
    parser.add_argument("--chats", type=int, default=10_000, help="of how many chats they are (default: 10000)")
    parser.add_argument("--hot", type=float, default=0.0, help="the share of one chat (default: 0)")
    parser.add_argument("--machines", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--processes", type=int, default=1, help="of each machine (default: 1)")
    parser.add_argument("--threads", type=int, default=16, help="of each process (default: 16)")
    parser.add_argument("--cores", type=int, default=2, help="of each machine (default: 2)")
    parser.add_argument("--database-cores", type=int, default=4, help="of the database's machine (default: 4)")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long is looked at (default: 3, or five handlers)")
    parser.add_argument("--costs", type=Path, help="a file that --measure has made (default: scripts/scaling/costs.json)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--measure", action="store_true", help="measure what each step costs here, and write it down")
    what.add_argument("--check", action="store_true", help="measure, and compare the model with real runs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
