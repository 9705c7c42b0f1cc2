"""The committed inputs of the fuzzer: each of them is taken as promised, those that once were not among them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from kits.fuzz_kit import CORPUS, TARGETS, fuzz, with_machinery

REPLAY = """
import pathlib, sys, tempfile
from fuzzing import corpus
from fuzzing.engine import Budget, Run, inputs_of, replay
for name in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(name, pathlib.Path(folder), Budget(), 1)
        replay(run, inputs_of(name, run.folder))
        print(f"{name}: {run.guard.inputs} inputs, {len(run.found)} findings")
"""


def test_every_target_is_replayed() -> None:
    """The targets of these tests are those of the fuzzer."""
    ended = fuzz("--list")
    assert tuple(line.split()[0] for line in ended.stdout.splitlines()) == TARGETS


@pytest.fixture(scope="module")
def replayed() -> str:
    """What is told where one process replays all targets: what each of them loads is loaded once."""
    ended = with_machinery(REPLAY, *TARGETS)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_in_the_corpus(replayed: str, target: str) -> None:
    """Seeds and committed inputs leave no error that is not documented, no secret in a text, nothing open, and no promise broken."""
    [(inputs, findings)] = re.findall(rf"^{target}: (\d+) inputs, (\d+) findings$", replayed, re.MULTILINE)
    assert int(findings) == 0, replayed
    assert int(inputs) > _lines(CORPUS / f"{target}.jsonl")


def test_the_fuzzer_replays_a_target() -> None:
    """So does the command: it says how many inputs there were, and that nothing was found."""
    ended = fuzz("auth", "--replay")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    assert re.search(r"^auth: [1-9]\d* inputs in .*^auth: 0 findings$", ended.stdout, re.MULTILINE | re.DOTALL), ended.stdout


def test_the_corpus_is_small_and_readable() -> None:
    """Each input is a line of JSON with its text, or with its bytes in hexadecimal; all of them have less than 300 KB."""
    files = list(CORPUS.iterdir())
    assert {file.stem for file in files} <= set(TARGETS)
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        for line in file.read_text("ascii").splitlines():
            entry = json.loads(line)
            assert set(entry) - {"found"} in ({"text"}, {"hex"})


@pytest.mark.slow
def test_a_thousand_bodies_end_in_three_statuses(tmp_path: Path) -> None:
    """A thousand bodies from nearly right to wholly wrong: 200, 400 or 413, no traceback, and no update that is taken and lost."""
    ended = fuzz("webhook", "--inputs", "1000", "--seed", "7", "--engine", "blind", "--work", str(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    [told] = re.findall(r"^webhook: \d+ inputs in .*; slowest .*?; (.*)$", ended.stdout, re.MULTILINE)
    statuses = {status: int(number) for status, number in (part.split() for part in told.split(", "))}
    assert set(statuses) == {"200", "400", "413"}
    assert statuses["200"] > 100


def _lines(path: Path) -> int:
    return len(path.read_text("ascii").splitlines())
