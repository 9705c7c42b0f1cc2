"""The bot of the webhook campaign: it writes down when each handler begins and ends, and in which process.

The journal (JOURNAL) gets one line an event, appended in one write each, so that no kill tears it: `begin PID CHAT TEXT` and `end PID CHAT TEXT`.
As a program it serves the webhook with waitress; gunicorn takes `application`, and this module as its configuration (`-c python:…`).
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from syncbot import Bot, Runtime

SECRET = "the-secret_of-the-campaign"  # noqa: S105  # it protects nothing

app = Runtime(Bot.from_env(), workers=4, most_waiting=10_000)
application = app.wsgi("/hook", SECRET)
journal = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@app.message()
def note(update: Any, context: Any) -> None:
    """Write down that it was here."""
    where = f"{os.getpid()} {context.chat_id} {update.message.text}\n"
    os.write(journal, f"begin {where}".encode())
    context.chat_data["last"] = update.message.text
    os.write(journal, f"end {where}".encode())


# ── gunicorn's configuration ─────────────────────────────────────────────────────────────────────────────────────────

workers = 4
threads = 4
worker_class = "gthread"
keepalive = 30
graceful_timeout = 10


def post_worker_init(worker: object) -> None:
    """Stand by from the beginning, not from the first request on."""
    application.start()


def worker_exit(server: object, worker: object) -> None:
    """Give the lock up in an orderly way."""
    app.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    port = int(sys.argv[1])
    app.run_webhook(f"http://127.0.0.1:{port}/hook", port=port, secret_token=SECRET, threads=16)
