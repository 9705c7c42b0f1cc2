"""The bot of the real runs: its handler waits as long as it is told, and notes when it ended.

    python scripts/scaling/scale_bot.py '{"state": "postgresql://…", "url": …, "token": …, "threads": 16, "handler": 0.1, "calls": 0}'

It answers each line on standard input with one of JSON: "ready" when it has loaded everything, "go" when it handles, "stop" with what it noted.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from syncbot.client.bot import Bot
from syncbot.logs import setup_logging
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime


def main(options: dict[str, Any]) -> None:
    """Run until the word "stop"."""
    setup_logging("WARNING")
    bot = Bot(options["token"], proxies=["direct"], base_url=options["url"], timeout=5.0, limits=None)
    app = Runtime(bot, state=options["state"], workers=options["threads"], types=False, ahead=0)
    ends: list[float] = []
    waits: list[float] = []
    pause, seconds, before = threading.Event(), options["handler"], 0.0

    @app.message()
    def handler(update: Any, context: Context) -> None:
        text = update.message.text
        if text.startswith("at "):
            waits.append(time.monotonic() - float(text[3:]))
        if seconds:
            pause.wait(seconds)
        for _ in range(options["calls"]):
            context.reply(text)
        ends.append(time.monotonic())

    for line in sys.stdin:
        answer: dict[str, Any] = {}
        if line.strip() == "go":
            before = time.process_time()
            app.start(poll=False)
        elif line.strip() == "stop":
            answer = {"ends": ends, "waits": waits, "processor": time.process_time() - before}
            app.stop()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
