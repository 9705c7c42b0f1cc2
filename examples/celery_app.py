#!/usr/bin/env python3
"""Heavy work in Celery's tasks: a handler hands it over once, and the task answers through the outbox, in the state that both share.

    SYNCBOT_STATE=postgresql://bot@db/bot python celery_app.py         # the bot, on any number of machines
    SYNCBOT_STATE=postgresql://bot@db/bot celery -A celery_app worker  # the tasks, on any others

The broker carries the work, and nothing else: order, state and messages stand in the bot's state.
"""

import functools
import time

import telegram
from celery import Celery  # type: ignore[import-untyped]  # it ships no types

from syncbot import Bot, Context, Outbox, Runtime

tasks = Celery("celery_app")  # the broker is CELERY_BROKER_URL
tasks.config_from_envvar("CELERY_CONFIG_MODULE", silent=True)


@functools.cache
def outbox() -> Outbox:
    """The outbox of this process's worker: each call opens the state, and leaves nothing open."""
    return Outbox("auto", Bot.from_env())


@tasks.task(name="celery_app.count", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery ships no types
def count(chat_id: int, text: str) -> None:
    """What takes long: its answer is queued, and delivered when there is a way to Telegram."""
    seconds = time.monotonic()
    words = len(text.split())
    outbox().send_message(chat_id, f"{words} words, counted in {time.monotonic() - seconds:.1f} s")


def main() -> None:
    """Run the bot."""
    app = Runtime(Bot.from_env())

    @app.message()
    def hand_over(update: telegram.Update, context: Context) -> None:
        """Hand the text to a task; where this handler runs again, after a death, it is not handed over again."""
        message = update.message
        if message is not None and message.text:
            context.once("count", lambda: count.delay(message.chat_id, message.text).id)
            context.reply("I am at it.")

    app.run()


if __name__ == "__main__":
    main()
