"""Polls through proxies that cut idle connections, and counts how many polls are cut once that was learned.

    python scripts/campaigns/campaign_idle.py --limit 20 --seconds 1800

Exits 0 when every bot learned its way's limit, and no more than one poll in twenty was cut afterwards.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from campaign_kit import wait_until

from syncbot.client.bot import Bot
from syncbot.runtime.runtime import Runtime
from syncbot.testing import BotApiServer, FaultProxy

_LEARNS_WITHIN = 3


@dataclass(frozen=True)
class _Way:
    """One bot and its way to Telegram."""

    server: BotApiServer
    proxy: FaultProxy
    app: Runtime

    @property
    def has_learned(self) -> bool:
        """Whether it has shortened a poll; the first one, which asks for what is there, does not wait."""
        return any(0 < int(request.params["timeout"]) < 50 for request in self.server.requests_for("getUpdates"))


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.getLogger("syncbot").setLevel(logging.ERROR)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways = [_way(stack, folder, number, options.limit) for number in range(options.bots)]
        learned = wait_until(lambda: all(way.has_learned for way in ways), options.limit * _LEARNS_WITHIN + 30)
        before = [(way.app.health()["polls"], way.proxy.struck["idle_cut"]) for way in ways]
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > options.seconds, options.seconds + 1)
        polls = sum(way.app.health()["polls"] - count for way, (count, _) in zip(ways, before, strict=True))
        cut = sum(way.proxy.struck["idle_cut"] - count for way, (_, count) in zip(ways, before, strict=True))
        waits = sorted({int(way.server.requests_for("getUpdates")[-1].params["timeout"]) for way in ways})
    print(f"{options.bots} bots, a limit of {options.limit:g} s: learned {learned}, then {polls} polls of {waits} s, {cut} cut")
    ok = learned and polls > 0 and cut <= polls / 20
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _way(stack: ExitStack, folder: Path, number: int, limit: float) -> _Way:
    server = stack.enter_context(BotApiServer(f"{number + 1}:{'campaign' * 5}"))
    proxy = stack.enter_context(FaultProxy(idle_cut_after_seconds=limit))
    bot = stack.enter_context(Bot(server.token, proxies=[proxy.url], base_url=server.url))
    app = Runtime(bot, state=folder / f"{number}.db")
    app.message()(lambda update, context: None)
    stack.enter_context(app)
    return _Way(server, proxy, app)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_idle.py", description="Polls through proxies that cut idle connections.")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds after which they cut (default: 20)")
    parser.add_argument("--seconds", type=float, default=1800.0, help="how long to count after it was learned (default: 1800)")
    parser.add_argument("--bots", type=int, default=4, help="how many bots, each with a way of its own (default: 4)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
