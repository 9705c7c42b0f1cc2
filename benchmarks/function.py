"""What a cold call of a function consists of, by where the state is: docs/functions.md has the figures.

    python benchmarks/function.py [--runs 15]

Each run is a process of its own that is handed an event of a Lambda function URL, twice, and answers it with the call in the answer, so that nothing goes out
and the time is syncbot's and the database's. PostgreSQL is one of its own on 127.0.0.1, with its files on the disk and commits that wait for it. The three
take turns. Milliseconds, of each stage the least of all runs, so that other programs count for little; behind a stroke those of the processor, without the
database's. Compiled files are warm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from kit import clean_environment  # noqa: E402  # its folder is put there above
from kits.function_events import lambda_url  # noqa: E402
from kits.postgres_kit import PostgresServer  # noqa: E402
from kits.webhook_kit import SECRET, body_of  # noqa: E402

from syncbot.testing import TEST_TOKEN  # noqa: E402
from syncbot.webhook.edge import SECRET_HEADER  # noqa: E402

STAGES = ("Python itself", "syncbot's modules", "the bot and its handler", "the first call", "each further call")
_PROGRAM = f"""
import json, sys, time
events, state, started = json.loads(sys.argv[1]), sys.argv[2] or None, float(sys.argv[3])
def mark():
    return time.perf_counter(), time.process_time()

before = (time.time() - started, time.process_time())
marks = [mark()]
from syncbot import Bot, Runtime
from syncbot.adapters.serverless import aws_lambda
marks.append(mark())
app = Runtime(Bot("{TEST_TOKEN}"), state=state, types=False)

@app.message()
def count(update, context):
    number = context.user_data["number"] = context.user_data.get("number", 0) + 1
    context.reply(str(number))

handler = aws_lambda(app, secret_token="{SECRET}", in_answer=True)
marks.append(mark())
for event in events:
    assert json.loads(handler(event, None)["body"])["method"] == "sendMessage"
    marks.append(mark())
print(json.dumps([before, *([b - a for a, b in zip(*both)] for both in zip(marks, marks[1:]))]))
"""


def main() -> None:
    """Print a table for the guide."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    clean_environment()
    with tempfile.TemporaryDirectory() as folder, PostgresServer(durable=True) as server:
        states = {"`state=None`": "", "a file": str(Path(folder) / "bot.db"), "PostgreSQL": server.create_database()}
        found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in states}
        for number in range(runs + 1):  # the first one makes the tables, and the compiled files
            for name, state in states.items():
                seconds = _cold(state, 1 + 2 * number)
                if number:
                    found[name].append(seconds)
    print(f"| | {' | '.join(STAGES)} | a cold call in all |\n|{' --- |' * (len(STAGES) + 2)}")
    for name, all_seconds in found.items():
        stages = [[min(values) * 1000 for values in zip(*one, strict=True)] for one in zip(*all_seconds, strict=True)]
        stages.append([sum(values) for values in zip(*stages[:-1], strict=True)])
        print(f"| {name} | {' | '.join(f'{wall:.0f} / {cpu:.0f}' for wall, cpu in stages)} |")


def _cold(state: str, first: int) -> list[tuple[float, float]]:
    """The seconds of each stage, and those of the processor."""
    headers = {"Content-Type": "application/json", SECRET_HEADER: SECRET}
    events = json.dumps([lambda_url(body_of(number, "hi"), headers) for number in (first, first + 1)])
    command = [sys.executable, "-c", _PROGRAM, events, state, str(time.time())]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seconds: list[tuple[float, float]] = json.loads(done.stdout)
    return seconds


if __name__ == "__main__":
    main()
