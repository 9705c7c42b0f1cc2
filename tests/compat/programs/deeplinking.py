"""Links that start the bot with something to say."""

import os

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ParseMode, Update
from telegram.ext import CallbackContext, CallbackQueryHandler, CommandHandler, Filters, Updater
from telegram.utils import helpers

CHECK_THIS_OUT = "check-this-out"
USING_ENTITIES = "using-entities-here"
USING_KEYBOARD = "using-keyboard-here"
SO_COOL = "so-cool"
KEYBOARD_CALLBACKDATA = "keyboard-callback-data"


def start(update: Update, context: CallbackContext) -> None:
    url = helpers.create_deep_linked_url(context.bot.username, CHECK_THIS_OUT, group=True)
    update.message.reply_text("Feel free to tell your friends about it:\n\n" + url)


def deep_linked_level_1(update: Update, context: CallbackContext) -> None:
    url = helpers.create_deep_linked_url(context.bot.username, SO_COOL)
    keyboard = InlineKeyboardMarkup.from_button(InlineKeyboardButton(text="Continue here!", url=url))
    update.message.reply_text("Awesome, you just accessed hidden functionality!", reply_markup=keyboard)


def deep_linked_level_2(update: Update, context: CallbackContext) -> None:
    url = helpers.create_deep_linked_url(context.bot.username, USING_ENTITIES)
    update.message.reply_text(f'You can also mask the deep-linked URLs as links: <a href="{url}">here</a>.', ParseMode.HTML, True)


def deep_linked_level_3(update: Update, context: CallbackContext) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton(text="Like this!", callback_data=KEYBOARD_CALLBACKDATA)]])
    update.message.reply_text("It is also possible to make deep-linking using InlineKeyboardButtons.", reply_markup=keyboard)


def deep_link_level_3_callback(update: Update, context: CallbackContext) -> None:
    url = helpers.create_deep_linked_url(context.bot.username, USING_KEYBOARD)
    update.callback_query.answer(url=url)


def deep_linked_level_4(update: Update, context: CallbackContext) -> None:
    payload = context.args
    update.message.reply_text(f"Congratulations! This is as deep as it gets\n\nThe payload was: {payload}")


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(CommandHandler("start", deep_linked_level_1, Filters.regex(CHECK_THIS_OUT)))
    dispatcher.add_handler(CommandHandler("start", deep_linked_level_2, Filters.regex(SO_COOL)))
    dispatcher.add_handler(CommandHandler("start", deep_linked_level_3, Filters.regex(USING_ENTITIES)))
    dispatcher.add_handler(CommandHandler("start", deep_linked_level_4, Filters.regex(USING_KEYBOARD)))
    dispatcher.add_handler(CallbackQueryHandler(deep_link_level_3_callback, pattern=KEYBOARD_CALLBACKDATA))
    dispatcher.add_handler(CommandHandler("start", start))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
