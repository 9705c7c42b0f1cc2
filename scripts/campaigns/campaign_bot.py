"""The bot that the campaigns run in a process of its own: it notes every update in a file outside of its state, and does as the texts say.

    python scripts/campaigns/campaign_bot.py '{"url": …, "token": …, "state": …, "notes": …}'

A text "die" kills the process, "hang" hangs; all others are noted, a line each, and with `reply` answered. SIGUSR1 makes the disk full, SIGUSR2
makes room again. A line on standard input is answered with a line of figures as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import ApiError, NetworkError
from syncbot.logs import setup_logging
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime


def main(options: dict[str, Any]) -> None:
    """Run the bot until a signal."""
    setup_logging("WARNING")
    bot = Bot(
        options["token"],
        proxies=options.get("proxies") or ["direct"],
        base_url=options["url"],
        ca_file=options.get("ca_file"),
        timeout=options.get("timeout", 2.0),
        deadline=20.0,
        limits=None,
        retry=RetryPolicy(first_wait=0.05),
    )
    app = Runtime(bot, state=options["state"], workers=options.get("workers", 4), poll_wait=options.get("poll_wait", 50), grace=5.0)
    notes = os.open(options["notes"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    pause, for_ever = threading.Event(), threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        text = update.message.text
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "hang":
            for_ever.wait()
        os.write(notes, f"{update.message.chat.id} {text}\n".encode())  # one write of one line: whole, whatever happens next
        if options.get("work"):
            pause.wait(options["work"])
        if options.get("reply"):
            try:
                context.reply(text)
            except (NetworkError, ApiError):
                return  # noted it is; whether the answer came through is another campaign's question

    wishes: list[int | None] = []
    wished = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        wishes.append(1 if number == signal.SIGUSR1 else None)
        wished.set()

    def fill_and_empty() -> None:
        while wished.wait():
            wished.clear()
            store: Any = app.store
            store.limit_pages(wishes[-1])

    def report() -> None:
        for _ in sys.stdin:
            print(json.dumps(figures(app)), flush=True)

    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, on_signal)
    for target in (report, fill_and_empty):
        threading.Thread(target=target, daemon=True).start()
    app.run()


def figures(app: Runtime) -> dict[str, Any]:
    """What the process uses, and how the bot is."""
    with open("/proc/self/statm", encoding="ascii") as file:
        resident_pages = int(file.read().split()[1])
    used = {
        "resident_kb": resident_pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,
    }
    return used | {"health": app.health()}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
