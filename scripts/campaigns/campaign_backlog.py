"""Lets many updates wait, some of them behind a handler that hangs, and looks at order and memory.

    python scripts/campaigns/campaign_backlog.py --updates 10000 --chats 100

Exits 0 when all updates but those of the hanging chat were handled, in order in every chat, on 4 workers, and memory has grown by less than 10 MB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from campaign_kit import BotProcess, noted, out_of_order, wait_until

from syncbot.testing import BotApiServer

_MOST_GROWTH_KB = 10 * 1024
_ENDS_WITHIN_SECONDS = 300.0


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    each = options.updates // options.chats
    with tempfile.TemporaryDirectory() as name, BotApiServer(any_chat=True, keep_requests=100) as server, BotProcess(server, Path(name)) as bot:
        users = [server.user(id=100 + n) for n in range(options.chats)]
        for user in users:
            user.send("0")
        wait_until(lambda: len(noted(bot.notes)) == options.chats, _ENDS_WITHIN_SECONDS)
        before = most = bot.figures()["resident_kb"]
        began = time.monotonic()
        users[0].send("hang")
        for number in range(1, each):
            for user in users:
                user.send(str(number))
        wanted = each * (options.chats - 1) + 1
        handled = 0
        while handled < wanted and time.monotonic() - began < _ENDS_WITHIN_SECONDS:
            wait_until(lambda: False, 0.5)
            most = max(most, bot.figures()["resident_kb"])
            handled = sum(len(texts) for texts in noted(bot.notes).values())
        seconds = time.monotonic() - began
        health = bot.figures()["health"]
        disordered = [chat for chat, texts in noted(bot.notes).items() if out_of_order(texts)]
    print(
        f"{wanted} updates of {options.chats - 1} chats handled in {seconds:.1f} s beside one that hangs: {handled / seconds:.0f} a second; "
        f"{health['queue']} wait behind it; {len(disordered)} chats out of order; memory {before} KB, at most {most - before} KB more"
    )
    ok = handled == wanted and not disordered and most - before < _MOST_GROWTH_KB and health["in_flight"] == 1
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_backlog.py", description="Lets many updates wait behind a handler that hangs.")
    parser.add_argument("--updates", type=int, default=10_000, help="how many in all (default: 10000)")
    parser.add_argument("--chats", type=int, default=100, help="of how many chats (default: 100)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
