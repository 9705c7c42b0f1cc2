#!/usr/bin/env python3
"""The fuzzer: throws mutated inputs at everything that reads what others send, and keeps those that reach something new.

    scripts/fuzz.py --list
    scripts/fuzz.py TARGET --minutes 10      # or --cpu-minutes, or --inputs; findings are told as they come
    scripts/fuzz.py all --replay             # the committed corpus, once: the tests do it, too
    scripts/fuzz.py TARGET --plant           # put a bug in, and see how long it takes to be found
    scripts/fuzz.py TARGET --distil          # take over into the committed corpus what the last runs have reached

With atheris (pip install atheris) the coverage is that of libFuzzer; without, Python's own tracing guides a simpler search. A run goes on from where
the last one stood: what it keeps is in .fuzz/TARGET, with `findings.jsonl` and the inputs that led there. It ends with 1 when there was a finding, and
prints a line for the table in docs/security.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # syncbot is found by it where nothing is installed

from fuzzing import corpus
from fuzzing.engine import Budget, Run, distil, fuzz, has_atheris, inputs_of, names, replay
from fuzzing.findings import Finding
from fuzzing.target import Planted
from fuzzing.targets import TARGETS, load

_MOST_DEATHS = 20


def main() -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    if options.list:
        print("\n".join(f"{name:10} {load(name).about}" for name in TARGETS))
        return 0
    chosen = names() if options.target == "all" else [options.target]
    if options.worker is not None:
        return _work(options, Path(options.worker))
    if options.distil:
        return max(_distil(name) for name in chosen)
    return max(_supervise(name, options) for name in chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=[*names(), "all"], nargs="?", default="all", metavar="TARGET")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--minutes", type=float, help="how long to run")
    parser.add_argument("--cpu-minutes", type=float, help="how much CPU to use")
    parser.add_argument("--inputs", type=int, help="how many inputs to try")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    parser.add_argument(
        "--engine",
        choices=["atheris", "own", "blind"],
        default="atheris" if has_atheris() else "own",
        help="default: atheris, if installed; blind: without coverage",
    )
    parser.add_argument("--replay", action="store_true", help="run the seeds and the committed corpus, and nothing else")
    parser.add_argument("--plant", action="store_true", help="put a bug in, and stop when it is found")
    parser.add_argument("--distil", action="store_true", help="choose the committed corpus anew")
    parser.add_argument("--work", type=Path, default=corpus.ROOT / ".fuzz", help="folder of what is found (default: .fuzz)")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


# ── the process that tries the inputs ────────────────────────────────────────────────────────────────────────────────


def _work(options: argparse.Namespace, folder: Path) -> int:
    logging.raiseExceptions = True
    run = Run(options.target, folder, Budget(options.minutes, options.cpu_minutes, options.inputs), options.seed, options.plant)
    if options.replay:
        replay(run, dict.fromkeys(load(options.target).seeds, "") | corpus.read(corpus.COMMITTED / f"{options.target}.jsonl"))
    else:
        fuzz(run, options.engine)
    return 0


# ── the process that looks after it ──────────────────────────────────────────────────────────────────────────────────


def _supervise(name: str, options: argparse.Namespace) -> int:
    """Run a target in a process of its own, and anew where an input kills that."""
    with tempfile.TemporaryDirectory() as fresh:
        folder = Path(fresh) / name if options.replay or options.plant else options.work / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "findings.jsonl").unlink(missing_ok=True)
        total: dict[str, Any] = {"inputs": 0, "seconds": 0.0, "cpu_seconds": 0.0, "slowest_seconds": 0.0, "outcomes": {}, "findings": []}
        for life in range(_MOST_DEATHS):
            status = _one_life(name, options, folder, total, life)
            _add(total, status)
            if status["over"]:
                break
            _note_death(name, folder, total)
            if not status.get("inputs"):
                break  # it cannot even begin
        _tell(name, options, total)
        return 1 if total["findings"] else 0


def _one_life(name: str, options: argparse.Namespace, folder: Path, total: dict[str, Any], life: int) -> dict[str, Any]:
    (folder / "status.json").unlink(missing_ok=True)
    command = [sys.executable, __file__, name, "--worker", str(folder), "--engine", options.engine, "--seed", str(options.seed + life)]
    command += [f"--{flag}" for flag in ("replay", "plant") if getattr(options, flag)]
    minutes = 1.0 if options.minutes is None and options.cpu_minutes is None and options.inputs is None else options.minutes
    if minutes is not None:
        command += ["--minutes", str(max(0.01, minutes - total["seconds"] / 60))]
    if options.cpu_minutes is not None:
        command += ["--cpu-minutes", str(max(0.01, options.cpu_minutes - total["cpu_seconds"] / 60))]
    if options.inputs is not None:
        command += ["--inputs", str(max(1, options.inputs - total["inputs"]))]
    subprocess.run(command, check=False)
    path = folder / "status.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {"over": False}


def _add(total: dict[str, Any], status: dict[str, Any]) -> None:
    for key in ("inputs", "seconds", "cpu_seconds"):
        total[key] += status.get(key, 0)
    total["slowest_seconds"] = max(total["slowest_seconds"], status.get("slowest_seconds", 0.0))
    for outcome, number in status.get("outcomes", {}).items():
        total["outcomes"][outcome] = total["outcomes"].get(outcome, 0) + number
    total["findings"] += [where for where in status.get("findings", []) if where not in total["findings"]]


def _note_death(name: str, folder: Path, total: dict[str, Any]) -> None:
    current = folder / "current"
    data = current.read_bytes() if current.exists() else b""
    where = f"the process died at input {data[:60]!r}"
    with (folder / "findings.jsonl").open("a", encoding="utf-8") as file:
        file.write(Finding(where, "", data).as_json() + "\n")
    print(f"FOUND in {name}: {where}", flush=True)
    total["findings"] += [where] * (where not in total["findings"])


def _tell(name: str, options: argparse.Namespace, total: dict[str, Any]) -> None:
    outcomes = ", ".join(f"{outcome} {number}" for outcome, number in sorted(total["outcomes"].items(), key=lambda item: -item[1])[:8])
    print(f"{name}: {total['inputs']} inputs in {total['seconds']:.1f} s; slowest {total['slowest_seconds'] * 1000:.0f} ms; {outcomes}")
    if options.replay:
        print(f"{name}: {len(total['findings'])} findings")
    elif options.plant:
        struck = any(where.startswith(Planted.__name__) for where in total["findings"])
        print(f"{name}: the planted bug was {'found' if struck else 'NOT found'} after {total['cpu_seconds']:.1f} s of CPU, {total['inputs']} inputs")
    else:
        found = "; ".join(total["findings"]) or "nothing"
        day = time.strftime("%Y-%m-%d")
        print(f"| {name} | {options.engine} | {day} | {total['cpu_seconds'] / 60:.1f} | {total['inputs']:,} | {found} |", flush=True)


def _distil(name: str) -> int:
    """Choose the committed corpus of a target from it, and from what the last runs have kept."""
    path = corpus.COMMITTED / f"{name}.jsonl"
    with tempfile.TemporaryDirectory() as folder:
        inputs = inputs_of(name, corpus.ROOT / ".fuzz" / name)
        kept = distil(Run(name, Path(folder), Budget(), 1), inputs)
    corpus.write(path, kept)
    print(f"{name}: {len(kept)} of {len(inputs)} inputs, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
