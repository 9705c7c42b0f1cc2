"""Without telegram.ext: its own loop around getUpdates."""

import os
from time import sleep
from typing import NoReturn

import telegram
from telegram.error import NetworkError, Unauthorized

UPDATE_ID = None


def main() -> NoReturn:
    global UPDATE_ID
    bot = telegram.Bot(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    try:
        UPDATE_ID = bot.get_updates()[0].update_id
    except IndexError:
        UPDATE_ID = None
    while True:
        try:
            echo(bot)
        except NetworkError:
            sleep(0.1)
        except Unauthorized:
            UPDATE_ID += 1


def echo(bot: telegram.Bot) -> None:
    global UPDATE_ID
    for update in bot.get_updates(offset=UPDATE_ID, timeout=10):
        UPDATE_ID = update.update_id + 1
        if update.message and update.message.text:
            update.message.reply_text(update.message.text)


if __name__ == "__main__":
    main()
