"""The bot: made once in each process, when it is first needed."""

import functools
import os

import telegram

from syncbot import Bot, Context, Router, Runtime
from syncbot.webhook import WebhookApp
from tgbot.state import state

router = Router()


@router.command("start")
def start(update: telegram.Update, context: Context) -> None:
    """Greet whoever starts a conversation."""
    context.reply("Hello from Django!")


@router.message()
def echo(update: telegram.Update, context: Context) -> None:
    """Say back what was said, and in which process."""
    if update.message:
        context.reply(f"{os.getpid()}: {update.message.text}")


@functools.cache
def runtime() -> Runtime:
    """The runtime of this process."""
    app = Runtime(Bot.from_env(), state=state(), standby=True)
    app.include(router)
    return app


@functools.cache
def webhook() -> WebhookApp:
    """What takes the updates that Telegram posts."""
    return runtime().wsgi(None)  # the path is Django's affair
