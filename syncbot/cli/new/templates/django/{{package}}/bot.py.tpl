"""The bot: its handlers, and its runtime, which is made once in each process, when it is first needed."""

import functools
from typing import Any

from syncbot import Bot, Context, Router, Runtime, filters
from syncbot.webhook import WebhookApp

router = Router()


@router.command("start")
def start(update: Any, context: Context) -> None:
    """Say what the bot is for. Handlers that use the ORM begin with django.db.close_old_connections()."""
    context.reply("Hello from Django!")


@router.message(filters.TEXT & ~filters.COMMAND)
def count(update: Any, context: Context) -> None:
    """Count the messages of each user; the number is in the state file when the handler has returned."""
    number = context.user_data.get("number", 0) + 1
    context.user_data["number"] = number
    context.reply(f"That was message {number}.")


def make_app() -> Runtime:
    """The bot, with the settings of the environment or of .env: its token, and where its state is."""
    app = Runtime(Bot.from_env(), standby=True)
    app.include(router)
    return app


runtime = functools.cache(make_app)
"""The runtime of this process."""


@functools.cache
def webhook() -> WebhookApp:
    """What takes the updates that Telegram posts."""
    return runtime().wsgi(None)  # the path is Django's affair
