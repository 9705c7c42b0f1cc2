#!/usr/bin/env python3
"""Changes the code in small ways, and says which changes no test notices.

    scripts/mutations/mutate.py --sample 300                      of transport, client, storage and runtime
    scripts/mutations/mutate.py syncbot/transport --sample 40     of one folder or file
    scripts/mutations/mutate.py --minutes 30 --seed 7             as many as there is time for

A mutant is one changed comparison, boundary, condition, number, return value, or a call, lock or `finally` that is left out. It is killed when one of the
tests that run its line fails, or does not end in time. What survives is printed with its line and the change, and "never run" is one in a line that no
test was seen to run. One in a line that runs at the import is left to the tests of its file; where these are none, as in files of declarations alone, it is
"never run" and has to be judged by hand. Works on a copy of the checkout, in the interpreter that runs it, one mutant at a time for each of `--processes`.

Which test runs which line is found out once, by a run of the tests with coverage, and kept in .mutations/ until the code or the tests change
(`--map-only` does only that).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("syncbot/transport", "syncbot/client", "syncbot/storage", "syncbot/runtime")
TESTS = ("tests/transport", "tests/client", "tests/storage", "tests/runtime", "tests/webhook", "tests/cli", "tests/test_interleaving.py")
KEPT = ROOT / ".mutations"
SECONDS = 60.0
"""A test that takes longer than this has failed."""
FIRST_TESTS = 40
"""So many tests are the first to judge: those that run the fewest lines, which are the ones that are about it. What they let live, all others judge."""
COPIED = ("syncbot", "tests", "scripts", "examples", "docs", "pyproject.toml", "README.md", "constraints.txt", "CHANGELOG.md", "CONTRIBUTING.md")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: "killed", "slow" (its tests as a whole have not ended in time: nobody knows), "survived" or "never run"."""

    mutant: Mutant
    end: str
    tests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.end:<9} {self.mutant}  ({self.tests} tests, {self.seconds:.0f} s)"


class Map:
    """Which tests run which lines, as a run with coverage has seen it."""

    def __init__(self, data: Path) -> None:
        from coverage import CoverageData  # with the extra `test`

        self._data = CoverageData(basename=str(data))
        self._data.read()
        self._sizes: Counter[str] = Counter()
        for file in self._data.measured_files():
            for tests in self._data.contexts_by_lineno(file).values():
                self._sizes.update(tests)

    def tests(self, file: str, lines: range) -> list[str]:
        """The tests that run one of these lines, those that run the fewest lines first."""
        found = self._data.contexts_by_lineno(str(ROOT / file))
        tests = {test for line in lines for test in found.get(line, []) if test}
        # What runs at the import only belongs to all tests of its file.
        return sorted(tests or {test for those in found.values() for test in those if test}, key=lambda test: self._sizes[test])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants; returns 0 however many survive."""
    options = _options(argv)
    data = _mapped(options.tests, options.map)
    if options.map_only:
        return 0
    chosen = _chosen(options.parts, options.sample, options.seed)
    ends_at = time.monotonic() + options.minutes * 60 if options.minutes else None
    print(f"{len(chosen)} mutants, seed {options.seed}, {options.processes} at a time", flush=True)
    outcomes = list(_judged(chosen, Map(data), options.processes, ends_at))
    ends = Counter(outcome.end for outcome in outcomes)
    print(f"{ends['killed']} of {len(outcomes)} killed ({ends['killed'] / max(1, len(outcomes)):.1%}): {dict(ends)}")
    for outcome in outcomes:
        if outcome.end != "killed":
            print(outcome)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutate.py", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="MODULE", help="files or folders (default: transport, client, storage and runtime)")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants, drawn evenly from the files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no mutant after so long (default: no end)")
    parser.add_argument("--processes", type=int, default=2, help="mutants at a time (default: %(default)s)")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="where the tests are that may kill one (default: %(default)s)")
    parser.add_argument("--map", type=Path, help="a file of coverage with a context for each test, in place of a run of the tests")
    parser.add_argument("--map-only", action="store_true", help="only find out which test runs which line")
    return parser.parse_args(argv)


# ── which test runs which line ───────────────────────────────────────────────────────────────────────────────────────────


def _mapped(tests: Sequence[str], given: Path | None) -> Path:
    """The file with the map; made anew when code or tests have changed."""
    if given is not None:
        return given
    mark = hashlib.sha256(repr(tests).encode())
    for path in sorted([*ROOT.glob("syncbot/**/*.py"), *ROOT.glob("tests/**/*.py")]):
        mark.update(path.read_bytes())
    KEPT.mkdir(exist_ok=True)
    data = KEPT / f"map-{mark.hexdigest()[:16]}"
    if not data.exists():
        print("finding out which test runs which line …", flush=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as parts:
            command = [sys.executable, "-m", "pytest", "-p", "mutation_plugin", "-p", "no:cacheprovider", "-n", "2", "--dist=loadfile", *tests]
            environment = {**os.environ, "MUTATION_MAP": parts, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).resolve().parent)])}
            if subprocess.call(command, cwd=ROOT, env=environment) != 0:
                print("tests fail without any mutant (see above); what they kill is worth nothing", file=sys.stderr)
            _together(sorted(Path(parts).iterdir()), data)
    return data


def _together(parts: Sequence[Path], data: Path) -> None:
    from coverage import CoverageData  # with the extra `test`

    whole = CoverageData(basename=f"{data}.new")
    for part in parts:
        one = CoverageData(basename=str(part))
        one.read()
        whole.update(one)
    whole.write()
    Path(f"{data}.new").replace(data)


# ── the mutants ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chosen(parts: Sequence[str], sample: int, seed: int) -> list[Mutant]:
    """A sample, drawn file by file in turn, so that a long file does not crowd out a short one; in the order of drawing."""
    dice = random.Random(seed)  # noqa: S311  # a sample, not a secret
    piles = [pile for file in _files(parts) if (pile := mutants_of(file, (ROOT / file).read_text(encoding="utf-8")))]
    for pile in piles:
        dice.shuffle(pile)
    chosen: list[Mutant] = []
    while piles and len(chosen) < sample:
        dice.shuffle(piles)
        chosen += [pile.pop() for pile in piles]
        piles = [pile for pile in piles if pile]
    return chosen[:sample]


def _files(parts: Sequence[str]) -> list[str]:
    found = [path for part in parts for path in ([ROOT / part] if part.endswith(".py") else sorted((ROOT / part).glob("**/*.py")))]
    generated = "do not edit"
    return [str(path.relative_to(ROOT)) for path in found if generated not in path.read_text(encoding="utf-8")[:300]]


def _judged(mutants: Sequence[Mutant], lines: Map, processes: int, ends_at: float | None) -> Iterator[Outcome]:
    """Each mutant in one of the copies that are free; printed as it ends."""
    tests = {mutant: lines.tests(mutant.file, mutant.lines) for mutant in mutants}
    places = threading.local()
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder, ThreadPoolExecutor(processes) as pool:

        def judge(mutant: Mutant) -> Outcome | None:
            if ends_at is not None and time.monotonic() > ends_at:
                return None
            if not hasattr(places, "copy"):
                places.copy = _copy(Path(tempfile.mkdtemp(dir=folder)))
            outcome = _judge(mutant, tests[mutant], places.copy)
            print(outcome, flush=True)
            return outcome

        yield from (outcome for outcome in pool.map(judge, mutants) if outcome is not None)


def _copy(place: Path) -> Path:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, place)
    return place


def _judge(mutant: Mutant, tests: Sequence[str], copy: Path) -> Outcome:
    if not tests:
        return Outcome(mutant, "never run", 0, 0.0)
    target, began = copy / mutant.file, time.monotonic()
    whole = target.read_text(encoding="utf-8")
    target.write_text(mutant.applied(whole), encoding="utf-8")
    try:
        end = _end_of(tests[:FIRST_TESTS], copy)
        if end == "survived" and tests[FIRST_TESTS:]:
            end = _end_of(tests[FIRST_TESTS:], copy)
    finally:
        target.write_text(whole, encoding="utf-8")
    return Outcome(mutant, end, len(tests), time.monotonic() - began)


def _end_of(tests: Sequence[str], copy: Path) -> str:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider", "-o", f"timeout={SECONDS}", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, cwd=copy, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        return "survived" if running.wait(SECONDS * (2 + len(tests) / 10)) == 0 else "killed"
    except subprocess.TimeoutExpired:
        return "slow"
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)  # the session that was begun for it, with what its tests have started
            running.wait()


if __name__ == "__main__":
    sys.exit(main())
