"""Greets, helps, and repeats what it is told."""

import os

from telegram import ForceReply, Update
from telegram.ext import CallbackContext, CommandHandler, Filters, MessageHandler, Updater


def start(update: Update, context: CallbackContext) -> None:
    update.message.reply_markdown_v2(rf"Hi {update.effective_user.mention_markdown_v2()}\!", reply_markup=ForceReply(selective=True))


def help_command(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Help!")


def echo(update: Update, context: CallbackContext) -> None:
    update.message.reply_text(update.message.text)


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(CommandHandler("start", start))
    dispatcher.add_handler(CommandHandler("help", help_command))
    dispatcher.add_handler(MessageHandler(Filters.text & ~Filters.command, echo))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
