"""A bot that reminds each user of one thing a day; docs/writing-bots.md explains it. Try it without a token: `syncbot try examples/reminders.py`.

A menu, a conversation, settings, a job for each user, and commands for the admin alone: that is the chat that `syncbot init` has found (SYNCBOT_CHAT).
"""

import re
from typing import Any

import telegram

from syncbot import AskTimeout, Bot, Cancelled, Context, Runtime, Settings, filters, keyboards
from syncbot.logs import setup_logging

settings = Settings.load()
app = Runtime(Bot.from_settings(settings))

ZONES = {"London": "Europe/London", "Berlin": "Europe/Berlin", "New York": "America/New_York", "Tokyo": "Asia/Tokyo"}
NEW, SETTINGS = "New reminder", "Settings"
ADMIN = filters.chat(settings.chat or 0)


def wrong_time(message: telegram.Message) -> str | None:
    """What is to be said to an answer that is no time of day."""
    return None if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", message.text or "") else "A time of day, please, such as 08:30."


def put_job(context: Context) -> None:
    """Let the user's job be as the settings are; by its key the new one takes the place of the old one."""
    data, key = context.user_data, f"remind:{context.user_id}"
    if data["on"]:
        app.jobs.daily(data["time"], "remind", tz=data["zone"], key=key, chat_id=context.chat_id, user_id=context.user_id)
    else:
        app.jobs.cancel(key)


def settings_of(data: dict[str, Any]) -> dict[str, Any]:
    """The settings as a message: its text, and the buttons that change them."""
    switch = ("Switch off", "set:off") if data["on"] else ("Switch on", "set:on")
    text = f"{data['what']}: at {data['time']} ({data['zone']}), {'on' if data['on'] else 'off'}. Done so far: {data.get('done', 0)}."
    return {"text": text, "reply_markup": keyboards.inline([[switch, ("Another time", "set:time")]])}


@app.command("start")
def start(update: telegram.Update, context: Context) -> None:
    """Greet, and show the menu."""
    context.reply("I remind you of one thing, once a day.", reply_markup=keyboards.reply([[NEW, SETTINGS]]))


@app.command("new")
@app.message(filters.text(NEW))
def new(update: telegram.Update, context: Context) -> None:
    """A conversation: three questions, and then a job that outlives the process."""
    what = context.ask("What of?", filters=filters.TEXT).text
    zone = context.choose("Whose clock?", ZONES, columns=2)
    time = context.ask("At what time?", check=wrong_time).text
    context.user_data.update(what=what, zone=zone, time=time, on=True)
    put_job(context)
    context.reply(f"Every day at {time}: {what}.")


@app.command("settings")
@app.message(filters.text(SETTINGS))
def show_settings(update: telegram.Update, context: Context) -> None:
    """Show the settings, with buttons that change them."""
    if "what" in context.user_data:
        context.reply(**settings_of(context.user_data))
    else:
        context.reply(f"Nothing yet: {NEW} begins.")


@app.callback_query("set:(on|off)$")
def switch(update: telegram.Update, context: Context) -> None:
    """A pressed button: change the setting, and the message that shows it."""
    assert context.match is not None
    context.user_data["on"] = context.match[1] == "on"
    put_job(context)
    context.answer(f"Switched {context.match[1]}")
    context.edit(**settings_of(context.user_data))


@app.callback_query("set:time$")
def another_time(update: telegram.Update, context: Context) -> None:
    """A pressed button may begin a conversation too."""
    context.answer()
    context.user_data["time"] = context.ask("At what time?", check=wrong_time).text
    put_job(context)
    context.reply(**settings_of(context.user_data))


@app.job("remind")
def remind(context: Context) -> None:
    """The reminder, at the user's own time."""
    context.reply(context.user_data["what"], reply_markup=keyboards.inline([[("Done", "done")]]))


@app.callback_query("done$")
def done(update: telegram.Update, context: Context) -> None:
    """Count: of the user, and of all, where two handlers may count at the same time."""
    context.user_data["done"] = context.user_data.get("done", 0) + 1
    context.bot_data.change("done", lambda number: number + 1, default=0)
    context.answer("Well done!")
    context.edit(f"{context.user_data['what']} ✓")


@app.command("stats", filters=ADMIN)
def stats(update: telegram.Update, context: Context) -> None:
    """How many use it; to anybody but the admin there is no such command."""
    reminded = sum(bool(data.get("on")) for _, data in app.users())
    context.reply(f"Reminded: {reminded}. Done: {context.bot_data.get('done', 0)}.")


@app.command("tell", filters=ADMIN, has_args=True)
def tell(update: telegram.Update, context: Context) -> None:
    """Write to everybody: the outbox delivers it, as fast as Telegram allows, over restarts."""
    for user_id, _ in app.users():
        app.outbox.send_message(chat_id=user_id, text=" ".join(context.args))


@app.error(AskTimeout, Cancelled)
def given_up(update: telegram.Update, context: Context) -> None:
    """Nobody answered, or the user wrote /cancel."""
    context.reply("Never mind.")


@app.later(1)
def show_commands(context: Context) -> None:
    """Tell Telegram which commands to offer; once after each start."""
    context.bot.set_my_commands([("new", "a new reminder"), ("settings", "your settings"), ("cancel", "stop a question")])


if __name__ == "__main__":
    setup_logging(settings.log_level)
    app.run()
