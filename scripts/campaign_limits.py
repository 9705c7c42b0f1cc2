"""Sends messages to many chats as fast as the rate limits allow, and holds that against the server's own count.

    python scripts/campaign_limits.py --messages 1000 --chats 50

Exits 0 when every message was delivered once, the server never saw more than Telegram's limits, and the time was within a tenth of what they
allow (and half a second for the start and the end).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from syncbot.client.bot import Bot
from syncbot.client.limits import Limits
from syncbot.testing import BotApiServer, RateLimits

_SLACK_SECONDS = 0.5


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    limits = Limits()
    with BotApiServer(any_chat=True, rate_limits=RateLimits()) as server, Bot(server.token, proxies=["direct"], base_url=server.url, deadline=600.0) as bot:

        def write(chat: int) -> None:
            for number in range(chat, options.messages, options.chats):
                bot.call("sendMessage", chat_id=chat + 1, text=f"message {number}")

        started = time.monotonic()
        with ThreadPoolExecutor(options.chats) as pool:
            list(pool.map(write, range(options.chats)))
        seconds = time.monotonic() - started
        delivered = [server.count_text(f"message {number}") for number in range(options.messages)]
        violations, most = server.meter.violations_total, server.meter.most_per_second
    allowed = _allowed_seconds(options.messages, options.chats, limits)
    print(
        f"{options.messages} messages to {options.chats} chats in {seconds:.2f} s; the limits allow {allowed:.2f} s ({seconds / max(allowed, 0.01):.3f} of it)"
    )
    print(f"most in a second {most}, over the limits {violations}, delivered once {delivered.count(1)}, twice {sum(count > 1 for count in delivered)}")
    ok = set(delivered) == {1} and violations == 0 and most <= limits.per_second and seconds <= allowed * 1.1 + _SLACK_SECONDS
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _allowed_seconds(messages: int, chats: int, limits: Limits) -> float:
    """The least time that the limits allow: that of all chats together, or that of the fullest chat."""
    together = (messages - 1) // limits.per_second * 1.0
    fullest = max(0, -(-messages // chats) - limits.chat_burst) * limits.chat_interval
    return max(together, fullest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_limits.py", description="Sends messages as fast as the rate limits allow.")
    parser.add_argument("--messages", type=int, default=1000, help="how many in all (default: 1000)")
    parser.add_argument("--chats", type=int, default=50, help="to how many chats (default: 50)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
