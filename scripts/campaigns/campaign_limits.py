"""Sends messages to many chats as fast as the rate limits allow, and holds that against the server's own count.

    python scripts/campaigns/campaign_limits.py --messages 1000 --chats 50

Exits 0 when every message was delivered once, the server never saw more than Telegram's limits, and the time was within a tenth of what they
allow (and half a second for the start and the end).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from syncbot.client.bot import Bot
from syncbot.client.limits import Limits

_SLACK_SECONDS = 0.5


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    limits = Limits()
    with _server() as server, Bot(server.facts["token"], proxies=["direct"], base_url=server.facts["url"], deadline=600.0) as bot:

        def write(chat: int) -> None:
            for number in range(chat, options.messages, options.chats):
                bot.call("sendMessage", chat_id=chat + 1, text=f"message {number}")

        bot.call("getMe")  # what is loaded at the first call would hold the first messages up, and so bring them nearer to the next
        started = time.monotonic()
        with ThreadPoolExecutor(options.chats) as pool:
            list(pool.map(write, range(options.chats)))
        seconds = time.monotonic() - started
        seen = server.statistics()
    allowed = _allowed_seconds(options.messages, options.chats, limits)
    refused, most = seen["statuses"].get("429", 0), seen["most_per_second"]
    once = seen["texts_delivered"] == options.messages and seen["texts_repeated"] == 0
    print(
        f"{options.messages} messages to {options.chats} chats in {seconds:.2f} s; the limits allow {allowed:.2f} s ({seconds / max(allowed, 0.01):.3f} of it)"
    )
    print(f"most in a second {most}, over the limits {refused}, delivered {seen['texts_delivered']}, twice {seen['texts_repeated']}")
    ok = once and refused == 0 and most <= limits.per_second and seconds <= allowed * 1.1 + _SLACK_SECONDS
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


class _Server:
    """The server in a process of its own, so that the two do not hold each other up."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.facts = self._line()

    def statistics(self) -> dict[str, Any]:
        """What it has counted."""
        assert self._process.stdin is not None
        self._process.stdin.write("stats\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        facts: dict[str, Any] = json.loads(self._process.stdout.readline())
        return facts


@contextmanager
def _server() -> Iterator[_Server]:
    command = [sys.executable, "-m", "syncbot.testing.serve", "--any-chat", "--rate-limits"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Server(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # ends it


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
