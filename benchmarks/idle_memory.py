"""The memory of a bot that polls and has answered one message.

python benchmarks/idle_memory.py [--runs 3]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from bots import running_bot
from kit import Api, Row, Table, clean_environment, installed

from syncbot.testing import BotApiServer

BOTS = {
    "syncbot, inbox in a file": "syncbot",
    **{name: name for name in ("syncbot, inbox in memory", "syncbot, types=False", "syncbot, types=False, inbox in memory")},
    **{name: name for name in ("pyTelegramBotAPI", "python-telegram-bot", "aiogram")},
}
"""What the table calls them, and what they are called in `bots`."""


def resident_mb(process: int) -> float:
    """Megabytes that a process holds in memory."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines())
    return int(status["VmRSS"].split()[0]) / 1000


def one(name: str) -> float:
    """Run a bot until it has answered and polls again."""
    with BotApiServer(any_chat=True) as server, tempfile.TemporaryDirectory() as folder:
        user = server.user(id=42)
        with running_bot(name, Api(server.url, server.token, ""), "", Path(folder)) as process:
            server.wait_polled(60.0)
            user.send("hello")
            user.wait_for("hello", timeout=30.0)
            server.wait_confirmed(timeout=30.0)
            server.wait_polled(30.0)
            return resident_mb(process.pid)


def idle_memory(runs: int) -> Table:
    """The medians of some runs."""
    found = {name: [one(bot) for _ in range(runs)] for name, bot in installed(BOTS).items()}
    base = statistics.median(found["syncbot, inbox in a file"])
    rows = []
    for name, each in found.items():
        median = statistics.median(each)
        rows.append(Row(name, {"MB": f"{median:.1f}", "ratio": f"{median / base:.2f}"}, median, (min(each), max(each))))
    return Table("idle_memory", f"Memory of a bot that polls and has answered one message, medians of {runs} runs", "megabytes", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    number = parser.parse_args().runs
    clean_environment()
    print(idle_memory(number).text())
