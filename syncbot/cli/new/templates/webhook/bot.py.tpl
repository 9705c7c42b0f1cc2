"""A bot that takes what Telegram posts: `python bot.py https://bot.example/hook`, behind a web server that ends TLS."""

from __future__ import annotations

import sys
from typing import Any

from syncbot import Bot, Context, Router, Runtime, filters
from syncbot.logs import setup_logging

router = Router()


@router.command("start")
def start(update: Any, context: Context) -> None:
    """Say what the bot is for."""
    context.reply("Hello! I count what you write.")


@router.message(filters.TEXT & ~filters.COMMAND)
def count(update: Any, context: Context) -> None:
    """Count the messages of each user; the number is in the state file when the handler has returned."""
    number = context.user_data.get("number", 0) + 1
    context.user_data["number"] = number
    context.reply(f"That was message {number}.")


def make_app() -> Runtime:
    """The bot, with the settings of the environment or of .env: its token, and where its state is."""
    app = Runtime(Bot.from_env())
    app.include(router)
    return app


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python bot.py https://bot.example/hook [PORT]")
    setup_logging()
    make_app().run_webhook(sys.argv[1], port=int(sys.argv[2]) if len(sys.argv) > 2 else 8080)
