"""What a message from the shell costs: `syncbot send` against a script that imports requests, posts once with a new Session, and exits.

    python benchmarks/cold_start.py [--runs 40]

Both are whole processes that talk to the same server over TLS (`syncbot.testing`'s, in a process of its own), in turn, with compiled files warm in
a folder of their own. Time is from start to exit; memory is the largest resident size, as the kernel counts it. To reach: at most 1.20 of the
script's time and 1.15 of its memory; the exit code is 1 where that is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_TIME = 1.20
MOST_MEMORY = 1.15

_PEER = """
import sys
import requests

url, ca_file = sys.argv[1:]
answer = requests.Session().post(url, json={"chat_id": 1001, "text": "Hello"}, verify=ca_file, timeout=20)
answer.raise_for_status()
"""
_OURS = "from syncbot.cli import main; main()"


@dataclass(frozen=True)
class Run:
    """One process: seconds from start to exit, CPU seconds, and bytes of memory at most."""

    seconds: float
    cpu_seconds: float
    memory_bytes: int


@contextlib.contextmanager
def server() -> Iterator[dict[str, str]]:
    """A Bot API server over TLS in a process of its own; gives its url, ca_file and token."""
    command = [sys.executable, "-m", "syncbot.testing.serve", "--tls", "--any-chat", "--no-texts", "--keep", "100"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def run(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Run a process to its end.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], list(command), dict(environment))
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        raise RuntimeError(f"it ended with {os.waitstatus_to_exitcode(status)}: {' '.join(command[:4])}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compare(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], runs: int) -> dict[str, Run]:
    """The medians of each command, run in turn after one run of each to warm up."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            one = run(command, environment)
            if turn:
                found[name].append(one)
    return {
        name: Run(
            statistics.median(one.seconds for one in ended),
            statistics.median(one.cpu_seconds for one in ended),
            int(statistics.median(one.memory_bytes for one in ended)),
        )
        for name, ended in found.items()
    }


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    with server() as api, tempfile.TemporaryDirectory() as folder:
        peer = Path(folder) / "peer.py"
        peer.write_text(_PEER)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": folder,
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled"),
            "TELEGRAM_BOT_TOKEN": api["token"],
            "SYNCBOT_BASE_URL": api["url"],
            "SYNCBOT_CA_FILE": api["ca_file"],
            "SYNCBOT_CHAT": "1001",
        }
        commands = {
            "requests": [sys.executable, str(peer), f"{api['url']}/bot{api['token']}/sendMessage", api["ca_file"]],
            "syncbot": [sys.executable, "-c", _OURS, "send", "Hello"],
        }
        medians = compare(commands, environment, runs)
    base = medians["requests"]
    print(f"one message from the shell over TLS, medians of {runs} interleaved processes, Python {sys.version.split()[0]}")
    print(f"{'':10}{'ms':>8}{'CPU ms':>8}{'MB':>8}{'time':>8}{'CPU':>8}{'memory':>8}")
    for name, one in medians.items():
        figures = f"{one.seconds * 1000:8.1f}{one.cpu_seconds * 1000:8.1f}{one.memory_bytes / 1e6:8.1f}"
        ratios = f"{one.seconds / base.seconds:8.2f}{one.cpu_seconds / base.cpu_seconds:8.2f}{one.memory_bytes / base.memory_bytes:8.2f}"
        print(f"{name:10}{figures}{ratios}")
    ours = medians["syncbot"]
    return 0 if ours.seconds <= MOST_TIME * base.seconds and ours.memory_bytes <= MOST_MEMORY * base.memory_bytes else 1


if __name__ == "__main__":
    sys.exit(main())
