"""Answers inline queries with the text in capitals, bold and italic."""

import os

from telegram import InlineQueryResultArticle, InputTextMessageContent, ParseMode, Update
from telegram.ext import CallbackContext, CommandHandler, InlineQueryHandler, Updater
from telegram.utils.helpers import escape_markdown


def start(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Hi!")


def inlinequery(update: Update, context: CallbackContext) -> None:
    query = update.inline_query.query
    if query == "":
        return
    results = [
        InlineQueryResultArticle(id="1", title="Caps", input_message_content=InputTextMessageContent(query.upper())),
        InlineQueryResultArticle(
            id="2", title="Bold", input_message_content=InputTextMessageContent(f"*{escape_markdown(query)}*", parse_mode=ParseMode.MARKDOWN)
        ),
        InlineQueryResultArticle(
            id="3", title="Italic", input_message_content=InputTextMessageContent(f"_{escape_markdown(query)}_", parse_mode=ParseMode.MARKDOWN)
        ),
    ]
    update.inline_query.answer(results)


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    updater.dispatcher.add_handler(CommandHandler("start", start))
    updater.dispatcher.add_handler(InlineQueryHandler(inlinequery))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
