"""A bot in parts: routers, middleware, groups, error handlers, filters of all sorts. `mypy --strict` has to accept it as it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import telegram
from telegram.ext import filters as ptb

from syncbot import Context, NetworkError, Router, SyncBotError, filters
from syncbot.runtime.handling.handlers import CommandHandler, ContinuePropagation, Handler, PatternHandler, StopPropagation

admin = Router()
app = Router()
app.include(admin)


def long_text(update: telegram.Update) -> bool:
    """A filter of the update."""
    return len(update.message.text or "") > 20 if update.message else False


def in_trouble(update: telegram.Update, context: Context) -> bool:
    """A filter of update and context."""
    return bool(context.bot_data.get("trouble"))


class Odd(filters.Filter):
    """A filter of one's own."""

    def check(self, update: telegram.Update, context: Context) -> bool:
        """Whether the user's id is odd."""
        return (context.user_id or 0) % 2 == 1


@app.use
def timing(update: telegram.Update, context: Context, following: Callable[[], None]) -> None:
    """How long it took."""
    begin = time.monotonic()
    following()
    context.bot_data["seconds"] = time.monotonic() - begin


@app.message(group=-1)
def block(update: telegram.Update, context: Context) -> None:
    """Keeps the others from it."""
    if context.user_id in context.bot_data.get("blocked", []):
        raise StopPropagation


@admin.command("block", filters=filters.user(1, "@boss"), has_args=True)
def do_block(update: telegram.Update, context: Context) -> None:
    """Block those who are named."""
    context.bot_data["blocked"] = [int(word) for word in context.args]


@admin.message(filters.TEXT & long_text & ~filters.as_filter(in_trouble))
def long(update: telegram.Update, context: Context) -> None:
    """Leaves it to the next one."""
    raise ContinuePropagation


@admin.message(Odd() & filters.FORWARDED)
@admin.edited_message(long_text)
def odd(update: telegram.Update, context: Context) -> None:
    """Two decorators on one function."""
    context.forward(-100)


@admin.message(filters.TEXT & ptb.Regex("^x"))
@admin.message(ptb.VOICE | ptb.AUDIO)
@admin.message(lambda update: update.message is not None and update.message.dice is not None)
@admin.message(filters.PHOTO | (lambda update: False))
def theirs(update: telegram.Update, context: Context) -> None:
    """python-telegram-bot's filters, and nameless functions."""
    context.reply_dice(emoji="🎲")


def plain(update: telegram.Update, context: Context) -> None:
    """Added by hand."""
    context.delete()


app.add_handler(Handler("channel_post", plain, filters.TEXT))
app.add_handler(CommandHandler(["go", "run"], plain, has_args=False), group=3)
app.add_handler(PatternHandler("callback_query", plain, "x"))


@app.error(NetworkError)
def network(update: Any, context: Context) -> None:
    """Some errors only."""
    error = context.error
    assert isinstance(error, NetworkError)
    context.bot_data["trouble"] = error.phase


@app.error
def every(update: object, context: Context) -> None:
    """All errors."""
    if isinstance(update, telegram.Update) and not isinstance(context.error, SyncBotError):
        context.reply("Something went wrong")
