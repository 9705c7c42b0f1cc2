"""A web application with a polling bot in its worker processes: exactly one of them polls, and another takes over when it ends.

Run it with `gunicorn --chdir examples -c gunicorn_conf.py gunicorn_app:application`; gunicorn_conf.py starts and stops the bot in each worker.
No webhook, no second service: the bot lives and dies with the web application.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import telegram

from syncbot import Bot, Context, Runtime

app = Runtime(Bot.from_env(), standby=True)


@app.message()
def echo(update: telegram.Update, context: Context) -> None:
    """Say back what was said, and in which process."""
    if update.message:
        context.reply(f"{os.getpid()}: {update.message.text}")


def application(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """The web application: tells how the bot is in the process that answers."""
    health = {"process": os.getpid(), **app.health()}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(health).encode()]
