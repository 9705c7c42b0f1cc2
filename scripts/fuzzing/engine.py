"""Runs a target: with atheris where that is installed, else with mutation that keeps what reaches something new."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzzing import corpus
from fuzzing.coverage import Tracer, make_tracer
from fuzzing.findings import Finding, Guard
from fuzzing.mutation import mutate
from fuzzing.target import Planted, Target
from fuzzing.targets import TARGETS, load

MODULES = ("syncbot", "fuzzing.targets", "dotenv", "socks", "urllib3", "waitress", "http")
"""Whose code guides."""
_CHECKPOINT_SECONDS = 2.0
_TOLD_EVERY_SECONDS = 30.0
_MOST_KEPT = 3000
_DISTILLED_INPUTS = 60
_DISTILLED_BYTES = 16_000


@dataclass
class Budget:
    """When a run ends: the first bound that is reached counts; None is none."""

    minutes: float | None = None
    cpu_minutes: float | None = None
    inputs: int | None = None


@dataclass
class Run:
    """One run of a target in one process.

    Args:
        folder: where what it finds is written: `status.json`, `findings.jsonl`, `corpus.jsonl`, and `current`, the input that is being run.
    """

    name: str
    folder: Path
    budget: Budget
    seed: int
    planting: bool = False
    found: dict[str, Finding] = field(default_factory=dict)

    def __enter__(self) -> Run:
        self._stack = ExitStack()
        kind = load(self.name)
        self.guard = Guard(kind.spare, kind.may_log_errors)
        self._stack.enter_context(self.guard.watching())
        self.target: Target = self._stack.enter_context(kind(self.guard, planting=self.planting))
        self._began, self._cpu_began = time.monotonic(), time.process_time()
        self._checkpoint_at, self._told_at = self._began, self._began + _TOLD_EVERY_SECONDS
        self._current = os.open(self.folder / "current", os.O_RDWR | os.O_CREAT, 0o600)
        return self

    def __exit__(self, *_: Any) -> None:
        os.close(self._current)
        self._stack.close()

    def one(self, data: bytes) -> None:
        """Run one input; a finding is written down."""
        os.ftruncate(self._current, 0)
        os.pwrite(self._current, data, 0)
        finding = self.guard.run(self.target.run, data)
        if finding is not None:
            self._note(finding)
        if time.monotonic() >= self._checkpoint_at:
            self.checkpoint()

    def finish(self) -> None:
        """Look at what can only be seen at the end."""
        finding = self.guard.run(lambda _: self.target.finish(), b"")
        if finding is not None:
            self._note(finding)
        os.ftruncate(self._current, 0)
        self.checkpoint(over=True)

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or the planted bug found."""
        budget = self.budget
        return (
            (budget.minutes is not None and time.monotonic() - self._began > budget.minutes * 60)
            or (budget.cpu_minutes is not None and time.process_time() - self._cpu_began > budget.cpu_minutes * 60)
            or (budget.inputs is not None and self.guard.inputs >= budget.inputs)
            or (self.planting and any(where.startswith(Planted.__name__) for where in self.found))
        )

    def _note(self, finding: Finding) -> None:
        if finding.where in self.found:
            return
        self.found[finding.where] = finding
        with (self.folder / "findings.jsonl").open("a", encoding="utf-8") as file:
            file.write(finding.as_json() + "\n")
        print(f"FOUND {finding.where}\n  by {finding.data[:300]!r}\n  {finding.text.strip()[-1500:]}", flush=True)

    def checkpoint(self, *, over: bool = False) -> None:
        """Write down how far it has come: a process that dies leaves it."""
        now = time.monotonic()
        self._checkpoint_at = now + _CHECKPOINT_SECONDS
        guard = self.guard
        status = {
            "over": over,
            "inputs": guard.inputs,
            "seconds": now - self._began,
            "cpu_seconds": time.process_time() - self._cpu_began,
            "slowest_seconds": guard.slowest_seconds,
            "outcomes": dict(guard.outcomes.most_common(20)),
            "findings": list(self.found),
        }
        (self.folder / "status.new").write_text(json.dumps(status), "utf-8")
        (self.folder / "status.new").replace(self.folder / "status.json")
        if now >= self._told_at:
            self._told_at = now + _TOLD_EVERY_SECONDS
            print(f"{now - self._began:.0f} s: {guard.inputs} inputs, {len(self.found)} findings, {dict(guard.outcomes.most_common(6))}", flush=True)


def inputs_of(name: str, folder: Path) -> dict[bytes, str]:
    """What a run begins with: the target's seeds, the committed corpus, and what earlier runs kept."""
    return dict.fromkeys(load(name).seeds, "") | corpus.read(folder / "corpus.jsonl") | corpus.read(corpus.COMMITTED / f"{name}.jsonl")


def fuzz(run: Run, engine: str) -> None:
    """Run until the budget is spent."""
    if engine == "atheris":
        _with_atheris(run)
    else:
        _with_mutation(run, make_tracer(_folders()) if engine == "own" else Tracer(()))


def has_atheris() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def _folders() -> tuple[str, ...]:
    found = []
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        found += list(spec.submodule_search_locations or [spec.origin or name]) if spec is not None else []
    return tuple(found)


def _with_mutation(run: Run, tracer: Tracer) -> None:
    dice = random.Random(run.seed)  # noqa: S311  # repeatable, not secret
    tracer.start()
    kind = load(run.name)
    pool = list(inputs_of(run.name, run.folder))
    picked: Counter[bytes] = Counter()
    try:
        with run:
            for data in pool:
                run.one(data)
            seen = tracer.take()
            while not run.over:
                data = mutate(kind.shape, _origin(pool, picked, dice), dice, kind.words, pool, kind.longest)
                run.one(data)
                if (new := tracer.take() - seen) and len(pool) < _MOST_KEPT:
                    seen |= new
                    pool.append(data)
            run.finish()
    finally:
        tracer.stop()
    corpus.write(run.folder / "corpus.jsonl", dict.fromkeys(pool, ""))


def _origin(pool: list[bytes], picked: Counter[bytes], dice: random.Random) -> bytes:
    """What to change next: one of the newest, which lead on soonest, or of several the one that was changed least."""
    origin = dice.choice(pool[-10:]) if dice.random() < 0.3 else min((dice.choice(pool) for _ in range(4)), key=picked.__getitem__)
    picked[origin] += 1
    return origin


def _with_atheris(run: Run) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an optional tool without types

    # It stays in force: much of syncbot is imported when it is first needed.
    atheris.instrument_imports(include=list(MODULES)).__enter__()
    kind, units = load(run.name), run.folder / "units"
    shutil.rmtree(units, ignore_errors=True)
    units.mkdir()
    pool = list(inputs_of(run.name, run.folder))
    recent: deque[bytes] = deque(maxlen=20)
    for number, data in enumerate(pool):
        (units / f"0-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        if run.over:
            # libFuzzer has no way to return.
            run.finish()
            corpus.write(run.folder / "corpus.jsonl", dict.fromkeys(corpus.from_folder(units), ""))
            run.__exit__()
            sys.stdout.flush()
            os._exit(0)
        run.one(data)

    def custom(data: bytes, longest: int, seed: int) -> bytes:
        dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
        if data not in recent:  # what libFuzzer has kept meanwhile
            recent.append(data)
        if dice.random() < 0.25:
            return bytes(atheris.Mutate(data, longest))
        return mutate(kind.shape, data, dice, kind.words, [*pool, *recent], longest)

    quiet = [
        "-verbosity=0",
        "-detect_leaks=0",
        "-handle_int=0",
        "-handle_term=0",
        "-rss_limit_mb=0",
        "-timeout=300",
        "-print_final_stats=0",
        "-len_control=0",
        "-mutate_depth=1",
    ]
    bounds = [f"-max_len={kind.longest}", f"-seed={run.seed}", f"-artifact_prefix={run.folder}/"]
    run.__enter__()
    atheris.Setup(["fuzz", str(units), *quiet, *bounds], one, custom_mutator=custom)
    atheris.Fuzz()


def replay(run: Run, inputs: dict[bytes, str]) -> None:
    """Run the given inputs once."""
    with run:
        for data in inputs:
            run.one(data)
        run.finish()


def distil(run: Run, inputs: dict[bytes, str]) -> dict[bytes, str]:
    """Of many inputs those few that reach what all of them reach, as far as they fit; and those that once found something."""
    tracer = make_tracer(_folders())
    tracer.start()
    kept = {data: found for data, found in inputs.items() if found}
    seeds = set(load(run.name).seeds)
    reached: dict[bytes, set[Any]] = {}
    with run:
        for data in sorted(inputs, key=len):
            tracer.restart()
            run.one(data)
            reached[data] = tracer.take()
    tracer.stop()
    seen = set().union(*(reached[data] for data in [*seeds, *kept]))
    bytes_left = _DISTILLED_BYTES
    by_gain: Callable[[bytes], float] = lambda data: len(reached[data] - seen) / (len(data) + 20)  # noqa: E731  # it closes over what changes
    candidates = [data for data in inputs if data not in seeds and data not in kept]
    for _ in range(_DISTILLED_INPUTS):
        best = max(candidates, key=by_gain, default=b"")
        if not reached.get(best, set()) - seen or len(best) > bytes_left:
            break
        candidates.remove(best)
        seen |= reached[best]
        bytes_left -= len(best)
        kept[best] = ""
    return kept


def names() -> list[str]:
    """All targets."""
    return list(TARGETS)
