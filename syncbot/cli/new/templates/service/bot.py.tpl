"""A bot that takes orders. It runs for good, and goes on in the middle of a conversation when it was started anew."""

from __future__ import annotations

from typing import Any

from syncbot import AskTimeout, Bot, Cancelled, Context, Router, Runtime
from syncbot.logs import setup_logging

router = Router()


@router.command("start")
def start(update: Any, context: Context) -> None:
    """Say what the bot is for."""
    context.reply("Hello! /order takes an order.")


@router.command("order")
def order(update: Any, context: Context) -> None:
    """A conversation in straight lines: each question waits for its answer, over restarts too."""
    size = context.choose("Which size?", ["S", "L"])
    what = context.ask("What may it be?", timeout=600).text
    number = context.user_data.get("orders", 0) + 1
    context.user_data["orders"] = number
    context.reply(f"Order {number}: {what} ({size}), with pleasure.")


@router.error(AskTimeout, Cancelled)
def given_up(update: Any, context: Context) -> None:
    """Nobody answered in time, or the user wrote /cancel."""
    context.reply("Never mind.")


def make_app() -> Runtime:
    """The bot, with the settings of the environment or of .env: its token, and where its state is."""
    app = Runtime(Bot.from_env())
    app.include(router)
    return app


if __name__ == "__main__":
    setup_logging()
    make_app().run()
