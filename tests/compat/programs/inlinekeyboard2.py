"""A conversation by buttons, whose message is edited in each state."""

import os

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import CallbackContext, CallbackQueryHandler, CommandHandler, ConversationHandler, Updater

FIRST, SECOND = range(2)
ONE, TWO, THREE, FOUR = range(4)


def _keyboard(*pairs: tuple) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=str(data)) for text, data in pairs]])


def start(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("Start handler, Choose a route", reply_markup=_keyboard(("1", ONE), ("2", TWO)))
    return FIRST


def start_over(update: Update, context: CallbackContext) -> int:
    query = update.callback_query
    query.answer()
    query.edit_message_text(text="Start handler, Choose a route", reply_markup=_keyboard(("1", ONE), ("2", TWO)))
    return FIRST


def one(update: Update, context: CallbackContext) -> int:
    query = update.callback_query
    query.answer()
    query.edit_message_text(text="First CallbackQueryHandler, Choose a route", reply_markup=_keyboard(("3", THREE), ("4", FOUR)))
    return FIRST


def two(update: Update, context: CallbackContext) -> int:
    query = update.callback_query
    query.answer()
    query.edit_message_text(text="Second CallbackQueryHandler, Choose a route", reply_markup=_keyboard(("1", ONE), ("3", THREE)))
    return FIRST


def three(update: Update, context: CallbackContext) -> int:
    query = update.callback_query
    query.answer()
    query.edit_message_text(text="Third CallbackQueryHandler. Do want to start over?", reply_markup=_keyboard(("Yes", ONE), ("Nah", TWO)))
    return SECOND


def end(update: Update, context: CallbackContext) -> int:
    query = update.callback_query
    query.answer()
    query.edit_message_text(text="See you next time!")
    return ConversationHandler.END


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    conv_handler = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            FIRST: [
                CallbackQueryHandler(one, pattern="^" + str(ONE) + "$"),
                CallbackQueryHandler(two, pattern="^" + str(TWO) + "$"),
                CallbackQueryHandler(three, pattern="^" + str(THREE) + "$"),
            ],
            SECOND: [CallbackQueryHandler(start_over, pattern="^" + str(ONE) + "$"), CallbackQueryHandler(end, pattern="^" + str(TWO) + "$")],
        },
        fallbacks=[CommandHandler("start", start)],
    )
    updater.dispatcher.add_handler(conv_handler)
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
