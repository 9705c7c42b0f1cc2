"""The bot of which `campaign_members.py` runs several: it notes when each handler begins and ends, what it found in the data, and counts there.

    python scripts/campaigns/campaign_members_bot.py '{"url": …, "token": …, "state": "postgresql://…", "notes": …}'

The texts are numbers, counted from 1 in each chat. A line of the notes is "TIME KIND CHAT NUMBER LAST", appended in one write: at "begin" LAST is the number
that the chat's data has as its last one. A line on standard input is answered with the health as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.logs import setup_logging
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import StoreOptions


def main(options: dict[str, Any]) -> None:
    """Run the bot until a signal."""
    setup_logging("INFO")
    bot = Bot(options["token"], proxies=["direct"], base_url=options["url"], timeout=5.0, deadline=20.0, limits=None, retry=RetryPolicy(first_wait=0.05))
    app = Runtime(
        bot,
        state=options["state"],
        workers=options.get("workers", 8),
        poll_wait=options.get("poll_wait", 2),
        grace=5.0,
        most_waiting=options.get("most_waiting", 1000),
        store_options=StoreOptions(lease_seconds=options["lease_seconds"]),
        types=False,
    )
    notes = os.open(options["notes"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    work_seconds, every = options.get("work_seconds", 0.0), options.get("reply_every", 4)
    pause = threading.Event()

    def note(kind: str, chat: int, number: int, last: int) -> None:
        os.write(notes, f"{time.monotonic():.6f} {kind} {chat} {number} {last}\n".encode())

    @app.message()
    def handler(update: Any, context: Context) -> None:
        chat, number, data = update.message.chat.id, int(update.message.text), context.chat_data
        last = data.get("last", 0)
        note("begin", chat, number, last)
        if work_seconds:
            pause.wait(work_seconds)
        if number % every == 0:
            context.reply(str(number))
            note("reply", chat, number, last)
        data["last"], data["count"] = number, data.get("count", 0) + 1
        note("end", chat, number, last)

    def report() -> None:
        for _ in sys.stdin:
            print(json.dumps(app.health() | {"polling": is_polling(app)}), flush=True)

    threading.Thread(target=report, daemon=True).start()
    app.run()


def is_polling(app: Runtime) -> bool:
    """Whether this process is the one that polls."""
    try:
        members = app.store.members
    except RuntimeError:  # it does not run yet, or any more
        return False
    return members is not None and members.may_poll


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
