"""A bot that does things at times. `mypy --strict` has to accept it as it stands."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import telegram

from syncbot import Bot, Context, Runtime

READERS = 42


def make(bot: Bot) -> Runtime:
    """The bot, with its jobs."""
    app = Runtime(bot, state=None)

    @app.every(0.05)
    def count(context: Context) -> None:
        context.bot_data["rounds"] = int(context.bot_data.get("rounds", 0)) + 1
        if context.bot_data["rounds"] == 3:
            sent: telegram.Message = context.bot.send_message(chat_id=READERS, text=f"{context.job}: three rounds")
            context.bot_data["last"] = sent.message_id

    @app.daily("09:00", tz="Europe/Berlin", name="good morning")
    def greet(context: Context) -> telegram.Message:
        return context.bot.send_message(chat_id=READERS, text="Good morning")

    @app.daily("21:30:15", ZoneInfo("Europe/Lisbon"))
    @app.cron("*/5 8-18 * * mon-fri", UTC)
    def look(context: Context) -> None:
        greet(context)

    def remind(context: Context) -> None:
        context.bot.send_message(chat_id=READERS, text="Tea is ready")
        app.later(3600, name="second tea")(remind)

    app.later(0.05)(remind)
    app.every(3600)(lambda context: context.bot_data.clear())

    @app.command("look", durable=True, interrupted="skip")
    def now(update: telegram.Update, context: Context) -> None:
        rounds: int = context.once("rounds", lambda: 3 + context.args.count("more"))
        morning: bool = context.now().astimezone(UTC).hour < 12
        if morning and context.random.randrange(rounds) >= 0:
            look(context)

    @app.callback_query("again", durable=False)
    def again(update: telegram.Update, context: Context) -> None:
        look(context)

    @app.job("reminder", interrupted="skip")
    def reminder(context: Context) -> None:
        if context.job is not None:
            context.reply(f"{context.job.key}: {context.job.data}")
        context.bot_data.change("reminders", lambda number: int(number) + 1, default=0)

    @app.album(kinds=("message", "channel_post"))
    def photos(update: telegram.Update, context: Context) -> None:
        found: list[telegram.Message] = context.album
        kept = app.jobs.at(timedelta(hours=1), "reminder", chat_id=context.chat_id, data=[photo.caption for photo in found])
        app.jobs.daily("09:00", "reminder", tz="Europe/Berlin", key=kept.key)
        print(app.jobs.entries("reminder"), app.jobs.cancel(kept.key), [user for user, data in app.users() if data.get("name")])

    @app.error
    def failed(update: telegram.Update | None, context: Context) -> None:
        print(f"{context.job} failed: {context.error}")

    return app
