"""The fuzzer itself: what it is to notice it notices, and coverage leads it to what chance alone does not find."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kits.fuzz_kit import ROOT, fuzz, wait_for, with_machinery

_GUARD = """
import logging, os, threading
from fuzzing import findings
from fuzzing.findings import Guard, TOKEN
from fuzzing.target import Problem
findings._CPU_SECONDS, findings._SETTLE_SECONDS, findings._WALL_SECONDS = 1.0, 0.5, {wall}
held = []
guard = Guard()
def step(data):
{step}
with guard.watching():
    for number in range(55):
        found = guard.run(lambda data: None, b"")
        assert found is None, found
    found = guard.run(step, b"x")
print(found.where if found else "nothing")
"""

_BAD = {
    "    raise KeyError(data)": "KeyError in",
    "    while True: pass": "Hang in",
    "    threading.Event().wait(30)": "Hang in",
    "    held.append(bytearray(300 << 20))": "memory grew by",
    "    held.append(os.dup(0))": "something is left open",
    "    threading.Thread(target=threading.Event().wait, daemon=True).start()": "something is left open",
    "    logging.getLogger('x').debug('at %s', TOKEN)": "a secret stands in a text",
    "    guard.heard(TOKEN.replace(':', '%3A'))": "a secret stands in a text",
    "    try: 1 / 0\n    except ZeroDivisionError: logging.getLogger('x').exception('goes on')": "ZeroDivisionError in",
    "    pass": "nothing",
}


@pytest.mark.parametrize("step", _BAD)
def test_what_is_wrong_is_a_finding(step: str) -> None:
    """An error, a hang, memory, a descriptor or a thread left, a secret in a text or an error in the log is a finding; an input that is taken is none."""
    ended = with_machinery(_GUARD.replace("{step}", step).replace("{wall}", "0.5" if "wait(30)" in step else "60.0"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(_BAD[step])


@pytest.mark.slow
def test_a_process_that_dies_is_a_finding(tmp_path: Path) -> None:
    """When the process that tries the inputs is killed, the input that it had is told, and a new process goes on."""
    program = subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "fuzz.py", "auth", "--cpu-minutes", "0.07", "--engine", "own", "--work", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        worker = wait_for(lambda: (tmp_path / "auth" / "status.json").exists() and _child(program.pid))
        tried = json.loads((tmp_path / "auth" / "status.json").read_text())["inputs"]
        os.kill(worker, signal.SIGKILL)
        out, _ = program.communicate(timeout=200)
    assert program.returncode == 1
    assert "FOUND in auth: the process died at input" in out
    [number] = re.findall(r"^auth: (\d+) inputs", out, re.MULTILINE)
    assert int(number) > tried


def _child(process: int) -> int:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(children[0]) if children else 0


@pytest.mark.slow
def test_coverage_leads_to_a_bug_behind_several_conditions() -> None:
    """A bug that is put behind three conditions, each met by few inputs, is found within some thousand of them."""
    ended = fuzz("auth", "--plant", "--engine", "own", "--inputs", "20000", "--seed", "1")
    assert "the planted bug was found" in ended.stdout, ended.stdout + ended.stderr


def test_every_reached_line_is_told_once() -> None:
    """The tracer tells the lines and branches of the folders it looks at, and what is new among them."""
    program = """
import json.decoder
from pathlib import Path
from fuzzing.coverage import make_tracer
tracer = make_tracer((str(Path(json.__file__).parent),))
tracer.start()
json.JSONDecoder().decode("[1]")
first = tracer.take()
tracer.restart()
json.JSONDecoder().decode("[1]")
again = tracer.take()
try: json.JSONDecoder().decode("[1] x")
except ValueError: pass
more = tracer.take() - again
tracer.stop()
print(len(first) > 5, len(again - first), len(more) > 0, {code.co_filename.rsplit("/", 2)[1] for code, *_ in first})
"""
    ended = with_machinery(program)
    assert ended.stdout == "True 0 True {'json'}\n", ended.stderr


def test_changed_trees_are_trees() -> None:
    """Changing JSON gives JSON, with what stood before it, and takes branches over from other inputs."""
    program = """
import json, random
from fuzzing.mutation import mutate_json
dice = random.Random(1)
first, other = b'call\\n{"ok": true, "result": {"a": 1}}', b'{"grafted": {"b": [2, 3]}}'
texts = [mutate_json(first, dice, [b"word"], [other]) for _ in range(300)]
assert all(text.startswith(b"call\\n") for text in texts)
values = [json.loads(text[5:]) for text in texts]
print(len({str(value) for value in values}) > 100, any("grafted" in str(value) for value in values))
"""
    ended = with_machinery(program)
    assert ended.stdout == "True True\n", ended.stderr
