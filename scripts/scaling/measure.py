"""What each step costs here: the costs of `model`, measured on a PostgreSQL and one process of the bot."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scaling.model import MOST_AHEAD, Costs, Line, Setting, Simulation
from scaling.real import BOT_ID, Found, Load, fill, run, servers, updates_of
from syncbot.storage import End, JournalKey, JournalStep, Store, open_store

FILE = Path(__file__).with_name("costs.json")
_ROUNDS = 30
_SHARES = ("crowd", "weight")
"""Of the costs, those that are no times."""
_MANY = 8
"""Processes of a second run, which tells how much they take from each other."""


def measure(postgres: Any, api_url: str, cores: int, updates: int = 40_000) -> tuple[Costs, Found]:
    """Measure everything; returns the costs, and the real run that they were fitted to: the middle one of three.

    Args:
        postgres: the server (`tests/kits/postgres_kit.py`).
        api_url: of a Bot API server.
        cores: of this machine, which the database and the bot share.
        updates: of the real run.
    """
    url = postgres.create_database()
    with open_store(url, BOT_ID) as store:
        trip = _trip(store)
        processor = _processor_of(postgres)
        store_line, commit = _storing(store, processor, trip)
        store.inbox.recover()
        claim_line, feed_line, call = _claiming(store, processor)
    costs = Costs(store_line, claim_line, call, commit, trip, feed_line, handle=0.0, processor=0.0, send=0.0)
    real = sorted((run(postgres.create_database(), api_url, Load(updates=updates)) for _ in range(3)), key=lambda one: one.rate)[1]
    own = max(0.0, real.processor - feed_line(2 * MOST_AHEAD) / (2 * MOST_AHEAD))
    costs = fitted(costs, real.rate, own, setting_of(Load(updates=updates), cores, real.others))
    calls = run(postgres.create_database(), api_url, Load(updates=updates // 48, calls=1))
    costs = replace(costs, send=max(0.0, calls.processor - real.processor))
    load = Load(processes=_MANY, updates=updates)
    many = sorted((run(postgres.create_database(), api_url, load) for _ in range(3)), key=lambda one: one.rate)[1]
    return crowded(costs, many.rate, setting_of(load, cores, many.others)), real


def setting_of(load: Load, cores: int, others: float = 0.0) -> Setting:
    """The model's setting for a real run on this machine, on which so many other programs want a processor."""
    return Setting(
        rate=0.0, waiting=load.updates, handler=load.handler, calls=load.calls, limited=False, chats=load.chats, hot=load.hot,
        processes=load.processes, threads=load.threads, cores=cores, database_cores=0, others=others,
    )  # fmt: skip


def fitted(costs: Costs, rate: float, processor: float, setting: Setting) -> Costs:
    """The costs with which the model comes to what was measured of one process with handlers that do nothing.

    Where it is too fast, an update keeps Python's lock for longer than a processor; where it is too slow, other programs count for less.

    Args:
        costs: the others.
        rate: handled a second.
        processor: what the process took for an update, without what it took to feed it.
        setting: of that run.
    """
    costs = replace(costs, handle=processor, processor=processor, weight=1.0)
    is_slow = Simulation(setting, costs).run().rate < rate
    least, most = (0.0, 1.0) if is_slow else (processor, 0.01)
    for _ in range(14):
        middle = (least + most) / 2
        costs = replace(costs, weight=middle) if is_slow else replace(costs, handle=middle)
        found = Simulation(setting, costs).run()
        least, most = (middle, most) if found.rate > rate else (least, middle)
    return costs


def crowded(costs: Costs, rate: float, setting: Setting) -> Costs:
    """The costs with which the model comes to what was measured of many processes.

    Args:
        costs: those that were fitted to one process.
        rate: handled a second by the many.
        setting: of that run.
    """
    least, most = 0.0, 4.0
    for _ in range(10):
        middle = (least + most) / 2
        found = Simulation(setting, replace(costs, crowd=middle)).run()
        least, most = (middle, most) if found.rate > rate else (least, middle)
    return replace(costs, crowd=least)


def save(costs: Costs, rate: float, where: str, file: Path = FILE) -> None:
    """Write the costs down, in microseconds."""
    facts = asdict(costs)
    shares = {name: round(facts.pop(name), 3) for name in _SHARES}
    text = json.dumps({"where": where, "fitted_to": round(rate), **shares, "microseconds": _scaled(facts, 1e6)}, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def load_costs(file: Path = FILE) -> tuple[Costs, dict[str, Any]]:
    """The costs that were written down, and what is said of them."""
    found = json.loads(file.read_text(encoding="utf-8"))
    facts = _scaled(found["microseconds"], 1e-6)
    lines = {name: Line(**value) for name, value in facts.items() if isinstance(value, dict)}
    return Costs(**{**facts, **lines}, **{name: found[name] for name in _SHARES}), found


def _scaled(facts: dict[str, Any], by: float) -> dict[str, Any]:
    return {name: _scaled(value, by) if isinstance(value, dict) else round(value * by, 9 if by < 1 else 1) for name, value in facts.items()}


def commit_seconds() -> float:
    """How long a commit waits for the disk here: what a durable store of one update takes longer than one that is not, or what PG_URL's takes."""
    medians = []
    for durable in (True, False):
        with servers(os.environ.get("PG_URL"), durable=durable) as (_, postgres), open_store(postgres.create_database(), BOT_ID) as store:
            updates = [[update] for update in updates_of(Load(updates=100))]
            medians.append(statistics.median(_seconds(lambda one=one: store.inbox.store(one)) for one in updates))  # type: ignore[misc]
    return max(0.0, medians[0] - medians[1])


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _trip(store: Store) -> float:
    """Seconds of the cheapest question to the database: a round trip, and little else."""
    return statistics.median(_seconds(store.inbox.next_offset) for _ in range(200))


def _storing(store: Store, processor: Callable[[], float], trip: float) -> tuple[Line, float]:
    points, walls, first = [], [], 1
    for number in (1, 10, 100):
        rounds = _ROUNDS * (4 if number < 100 else 1)
        batches = []
        for _ in range(rounds):
            batches.append(list(updates_of(Load(updates=number, chats=5000), first)))
            first += number
        before = processor()
        seconds = [_seconds(lambda batch=batch: store.inbox.store(batch)) for batch in batches]  # type: ignore[misc]  # a lambda with a default
        points.append((number, (processor() - before) / rounds))
        walls.append(statistics.median(seconds))
    line = through(points)
    return line, max(0.0, walls[0] - line(1) - trip)


def _claiming(store: Store, processor: Callable[[], float]) -> tuple[Line, Line, float]:
    """Of rounds that settle so many updates and claim as many."""
    fill(store, Load(updates=40_000, chats=10_000, hot=0.0))
    database, client = [], []
    for chats, per_key in ((1, 1), (16, 1), (MOST_AHEAD, 2), (MOST_AHEAD, 4)):
        claimed, handled = store.inbox.claim(chats, per_key=per_key), 0
        before, mine, rounds = processor(), time.process_time(), _ROUNDS * (2 if per_key == 1 else 1)
        for _ in range(rounds):
            handled += len(claimed)
            claimed = store.inbox.settle([End(one) for one in claimed], claim=chats, per_key=per_key).claimed
        database.append((handled / rounds, (processor() - before) / rounds))
        client.append((handled / rounds, (time.process_time() - mine) / rounds))
        store.inbox.release(*claimed)
    [one] = store.inbox.claim()
    before = processor()
    for number in range(_ROUNDS * 4):
        store.journal.write(JournalKey(one.row, one.ticket), JournalStep(number, "sendMessage", "chat_id=1"))
    return through(database), through(client), (processor() - before) / (_ROUNDS * 4)


def through(points: Sequence[tuple[float, float]]) -> Line:
    """The line that lies nearest to points, each weighed as it is large: a small one is to be as near, in its measure, as a large one."""
    weights = [1.0 / max(y, 1e-9) ** 2 for _, y in points]
    total = sum(weights)
    x_mean = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    y_mean = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - x_mean) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    each = max(0.0, sum(w * (x - x_mean) * (y - y_mean) for w, (x, y) in zip(weights, points, strict=True)) / spread) if spread else 0.0
    return Line(max(0.0, y_mean - each * x_mean), each)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _processor_of(postgres: Any) -> Callable[[], float]:
    """Tells how much processor the database has taken so far: from the system where it is a process of ours, else how long we have waited for it."""
    if postgres.process_id is None:
        return lambda: time.monotonic() - time.process_time()
    return lambda: sum(_processor(folder) for folder in _family(postgres.process_id)) / 1e9


def _family(parent: int) -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent or folder.name == str(parent):
                yield folder
        except OSError:
            continue  # it has ended


def _processor(folder: Path) -> int:
    try:
        return int((folder / "schedstat").read_text().split()[0])
    except OSError:
        return 0
