"""Makes the poller, the supervisor (which monitors) or the deliverer of a bot raise at a random moment, and looks whether it says that it is well.

    python scripts/campaigns/campaign_threads.py --rounds 200

In each round something below one of these threads raises, once or from then on: a socket, the connection to the state file, or the clock.
Updates come all the time, so that a bot that polls asks for them several times a second. Exits 0 when no bot was "ok" (by `health()`, or by its
heartbeat file) more than 5 s after its last poll, and every process that ended did so with an exit code and a reason that `run` raised.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign_kit import BotDied, BotProcess, wait_until
from campaign_threads_bot import ERRORS

from syncbot.testing import BotApiServer

_MOST_SECONDS = 5.0
_WORTH_A_LINE_SECONDS = 3.5
_STRIKES_WITHIN_SECONDS = 15.0
_LOOK_FOR_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.1
_THREADS = ("syncbot-poller", "syncbot-supervisor", "syncbot-deliverer")
_LAYERS = ("socket", "storage", "clock")


@dataclass
class _Round:
    """What came of one fault."""

    fault: dict[str, Any]
    end: str = "was not struck"
    worst: float = 0.0
    """The longest time from a poll to a moment at which the bot still said that it was well."""
    problem: str = ""


class _Watch:
    """Looks at one bot.

    Args:
        server: whose bot it is.
        bot: its process.
        heartbeat: its heartbeat file.
    """

    def __init__(self, server: BotApiServer, bot: BotProcess, heartbeat: Path) -> None:
        self.worst = 0.0
        self.struck_at: float | None = None
        self._server, self._bot, self._heartbeat = server, bot, heartbeat
        self._user = server.user(id=1)

    def look(self, wish: str = "") -> bool:
        """Ask how it is, and hold that against its polls; whether it was well.

        Raises:
            BotDied: it has ended.
        """
        self._user.send("hello")
        asked_at = time.monotonic()
        figures = self._bot.figures(wish)
        self.struck_at = figures["struck_at"]
        signs = [asked_at] if figures["ok"] else []
        if self._heartbeat.exists():
            signs.append(asked_at - (time.time() - self._heartbeat.stat().st_mtime))
        for sign in signs:
            before = [poll for poll in self.polls() if poll <= sign]
            self.worst = max(self.worst, sign - before[-1] if before else 0.0)
        return bool(figures["ok"])

    def polls(self) -> list[float]:
        """When polls have come."""
        return [request.time for request in self._server.requests_for("getUpdates")]


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    rng = random.Random(options.seed)  # noqa: S311  # chance, not a secret
    faults = [_fault(number, rng) for number in range(options.rounds)]
    with ThreadPoolExecutor(options.at_once) as pool:
        rounds = list(pool.map(_run, faults))
    for one in rounds:
        if one.problem or one.worst > _WORTH_A_LINE_SECONDS:
            print(f"{one.fault}: {one.end}, well {one.worst:.1f} s after a poll {one.problem}")
    ends = Counter(one.end for one in rounds)
    print(f"{options.rounds} rounds: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    print(f"longest from a poll to a moment at which the bot was still said to be well: {max(one.worst for one in rounds):.2f} s")
    struck = options.rounds - ends["was not struck"]
    ok = all(one.worst <= _MOST_SECONDS and not one.problem for one in rounds) and struck >= 0.9 * options.rounds
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _fault(number: int, rng: random.Random) -> dict[str, Any]:
    """A fault: every thread meets every layer in turn, with a random error at a random moment."""
    thread, layer = _THREADS[number % 3], _LAYERS[number // 3 % 3]
    after = rng.randrange(5) if (thread, layer) == ("syncbot-supervisor", "socket") else rng.randrange(40)
    return {"thread": thread, "layer": layer, "error": rng.choice(ERRORS), "after": after, "lasting": rng.random() < 0.5}


def _run(fault: dict[str, Any]) -> _Round:
    found = _Round(fault)
    with tempfile.TemporaryDirectory() as name, BotApiServer(any_chat=True, slow_same_offset=False) as server:
        folder = Path(name)
        heartbeat = folder / "heartbeat"
        environment = {"NOTIFY_SOCKET": "@nobody-listens-here", "WATCHDOG_USEC": "1000000"}
        with BotProcess(server, folder, program="campaign_threads_bot.py", environment=environment, fault=fault, heartbeat=str(heartbeat)) as bot:
            watch = _Watch(server, bot, heartbeat)
            try:
                if wait_until(watch.look, 30.0) and wait_until(lambda: server.requests_for("sendMessage"), 30.0):
                    found.end = _strike(watch, lasting=fault["lasting"])
                else:
                    found.problem = "it never was well"
            except BotDied:
                found.end = f"ended with exit code {bot.process.returncode}"
                if bot.process.returncode <= 0 or "it has ended: " not in bot.log.read_text(encoding="utf-8"):
                    found.problem = "without an exit code or a reason"
            found.worst = watch.worst
    return found


def _strike(watch: _Watch, *, lasting: bool) -> str:
    """Arm the fault, and look at the bot until it polls as before, or for some seconds.

    Raises:
        BotDied: it has ended.
    """
    nobody, began = threading.Event(), time.monotonic()
    watch.look("arm")
    while time.monotonic() - began < _STRIKES_WITHIN_SECONDS + _LOOK_FOR_SECONDS:
        well, struck_at = watch.look(), watch.struck_at
        if struck_at is None:
            if time.monotonic() - began > _STRIKES_WITHIN_SECONDS:
                return "was not struck"
        elif not lasting and well and watch.polls()[-1] > struck_at + 1.0:
            return "went on"
        elif time.monotonic() - struck_at > _LOOK_FOR_SECONDS:
            return "went on" if well else "lives, and says that it is not well"
        nobody.wait(_LOOK_EVERY_SECONDS)
    return "was not struck"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_threads.py", description="Makes a bot's threads raise, and looks whether it says that it is well.")
    parser.add_argument("--rounds", type=int, default=200, help="how many faults (default: 200)")
    parser.add_argument("--at-once", type=int, default=3, help="how many bots run at the same time (default: 3)")
    parser.add_argument("--seed", type=int, default=None, help="of the random choices (default: another one each time)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
