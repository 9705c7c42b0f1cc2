#!/usr/bin/env python3
"""Two web machines behind nginx serve one bot on one PostgreSQL, and one of them is lost in the middle.

    scripts/campaigns/campaign_machines.py [--updates 5000] [--connections 16]

Each machine is a gunicorn with two workers. Telegram's part is played by connections that post each update again until it is answered with 200. In the
middle all processes of one machine are killed, and never come back. Exits 0 when every update that was answered with 200 was handled, each chat's in its
order, and no more of them twice than that machine can have had in hand.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(ROOT), str(ROOT / "tests")]

from campaign_kit import kept_port, listens, wait_until  # noqa: E402  # found by the line above where this is no program but a module
from campaign_nginx import Nginx  # noqa: E402
from campaign_webhook import WORKERS, Journal, Outcome, Sender, judge  # noqa: E402
from kits.postgres_kit import PostgresServer  # noqa: E402

from syncbot.testing import TEST_TOKEN, BotApiServer  # noqa: E402  # found by the line above where nothing is installed

PROCESSES = 2
_STARTS_WITHIN_SECONDS = 90.0


class Machine:
    """A gunicorn with so many workers, in a process group of its own. A context manager."""

    def __init__(self, port: int, folder: Path, environment: dict[str, str]) -> None:
        name = "campaign_webhook_bot"
        argv = [sys.executable, "-m", "gunicorn", "-c", f"python:{name}", "-w", str(PROCESSES), "-b", f"127.0.0.1:{port}", f"{name}:application"]
        self.log = folder / f"machine.{port}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | environment, start_new_session=True)
        if not wait_until(lambda: listens(port), _STARTS_WITHIN_SECONDS):
            raise TimeoutError(f"the machine did not start:\n{self.log.read_text()}")

    def lose(self) -> set[int]:
        """kill -9 of all of it; returns the workers' ids."""
        workers = {int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()}
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return workers

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30.0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def campaign(updates: int, connections: int, *, timeout: float = 300.0) -> Outcome:
    """Run it."""
    shares = [updates // connections + (number < updates % connections) for number in range(connections)]
    outcome, lock, killed = Outcome(updates, twice_allowed=2 * PROCESSES * WORKERS), threading.Lock(), threading.Event()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "nginx").mkdir()
        journal = Journal(folder / "journal")
        postgres, api = stack.enter_context(PostgresServer(own=True)), stack.enter_context(BotApiServer())
        environment = {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": api.url,
            "SYNCBOT_PROXY": "direct",
            "SYNCBOT_STATE": postgres.create_database(),
            "JOURNAL": str(folder / "journal"),
            "PYTHONPATH": os.pathsep.join([str(FOLDER), str(ROOT)]),
        }
        edge_port, *ports = [stack.enter_context(kept_port()) for _ in range(3)]
        machines = [stack.enter_context(Machine(port, folder, environment)) for port in ports]
        nginx = stack.enter_context(Nginx(folder / "nginx", edge_port, *ports))
        wait_until(lambda: listens(edge_port), _STARTS_WITHIN_SECONDS)
        began = time.monotonic()
        senders = [Sender(edge_port, number, share, outcome, lock, killed, nginx.context) for number, share in enumerate(shares)]
        threads = [threading.Thread(target=sender.run, args=(began + timeout,)) for sender in senders]
        for thread in threads:
            thread.start()
        journal.wait_until(updates // 2, timeout)
        _lose_one(machines[0], journal, outcome)
        killed.set()
        for thread in threads:
            thread.join()
        outcome.seconds = time.monotonic() - began
        judge(journal.wait_until(updates, 90.0), outcome, shares)
        if not outcome.good:
            print(*(machine.log.read_text(errors="replace")[-10_000:] for machine in machines), file=sys.stderr)
    return outcome


def _lose_one(machine: Machine, journal: Journal, outcome: Outcome) -> None:
    """Lose a machine, and measure how long it takes until what it had in hand goes on."""
    workers = machine.lose()
    lost_at = time.monotonic()
    outcome.killed += sorted(workers)
    events = journal.events()
    ended = {(chat, text) for kind, _, chat, text in events if kind == "end"}
    in_hand = {(chat, text) for kind, pid, chat, text in events if kind == "begin" and int(pid) in workers} - ended
    for chat, text in in_hand:
        if wait_until(lambda chat=chat, text=text: ["end", chat, text] in [[kind, *rest[1:]] for kind, *rest in journal.events()], 60.0):  # type: ignore[misc]
            outcome.takeover_seconds.append(time.monotonic() - lost_at)


def main(argv: Sequence[str]) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--updates", type=int, default=5000, help="how many (default: 5000)")
    parser.add_argument("--connections", type=int, default=16, help="on how many connections at once (default: 16)")
    options = parser.parse_args(argv)
    outcome = campaign(options.updates, options.connections)
    print(f"two machines: {outcome}")
    print("ok" if outcome.good else "FAILED")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
