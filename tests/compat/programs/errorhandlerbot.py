"""Tells its developer of each error."""

import html
import json
import os
import traceback

from telegram import ParseMode, Update
from telegram.ext import CallbackContext, CommandHandler, Updater

DEVELOPER_CHAT_ID = int(os.environ["DEVELOPER"])


def error_handler(update: object, context: CallbackContext) -> None:
    tb_list = traceback.format_exception(None, context.error, context.error.__traceback__)
    tb_string = "".join(tb_list)
    update_str = update.to_dict() if isinstance(update, Update) else str(update)
    text = json.loads(json.dumps(update_str))["message"]["text"]
    message = (
        "An exception was raised while handling an update\n"
        f"<pre>update = {html.escape(text)}</pre>\n\n"
        f"<pre>context.user_data = {html.escape(str(context.user_data))}</pre>\n\n"
        f"<pre>{html.escape(tb_string.splitlines()[-1].partition(':')[0])}</pre>"
    )
    context.bot.send_message(chat_id=DEVELOPER_CHAT_ID, text=message, parse_mode=ParseMode.HTML)


def bad_command(update: Update, context: CallbackContext) -> None:
    context.bot.wrong_method_name()


def start(update: Update, context: CallbackContext) -> None:
    update.effective_message.reply_html(f"Use /bad_command to cause an error.\nYour chat id is <code>{update.effective_chat.id}</code>.")


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    updater.dispatcher.add_handler(CommandHandler("start", start))
    updater.dispatcher.add_handler(CommandHandler("bad_command", bad_command))
    updater.dispatcher.add_error_handler(error_handler)
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
