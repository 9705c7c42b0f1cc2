"""A bot that keeps notes. cron starts it each minute: it answers what has come meanwhile, and ends."""

from __future__ import annotations

import sys
from typing import Any

from syncbot import Bot, Context, Router, Runtime, filters

router = Router()


@router.command("start")
def start(update: Any, context: Context) -> None:
    """Say what the bot is for."""
    context.reply("Send me a note. /notes shows them all.")


@router.command("notes")
def show(update: Any, context: Context) -> None:
    """Show what is kept of this user."""
    notes = context.user_data.get("notes", [])
    context.reply("\n".join(notes) or "There are none.")


@router.message(filters.TEXT & ~filters.COMMAND)
def keep(update: Any, context: Context) -> None:
    """Keep a note; it is written when the handler returns, and there in the next run."""
    notes = [*context.user_data.get("notes", []), update.message.text]
    context.user_data["notes"] = notes
    context.reply(f"Noted. You have {len(notes)}.")


def make_app() -> Runtime:
    """The bot, with the settings of the environment or of .env: its token, and where its state is."""
    app = Runtime(Bot.from_env())
    app.include(router)
    return app


if __name__ == "__main__":
    sys.exit(make_app().run_once(max_seconds=50).exit_code)
