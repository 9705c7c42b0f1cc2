"""Buttons that hold Python objects."""

import os
from typing import List, Tuple, cast

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import CallbackContext, CallbackQueryHandler, CommandHandler, InvalidCallbackData, PicklePersistence, Updater


def start(update: Update, context: CallbackContext) -> None:
    number_list: List[int] = []
    update.message.reply_text("Please choose:", reply_markup=build_keyboard(number_list))


def clear(update: Update, context: CallbackContext) -> None:
    context.bot.callback_data_cache.clear_callback_data()
    context.bot.callback_data_cache.clear_callback_queries()
    update.effective_message.reply_text("All clear!")


def build_keyboard(current_list: List[int]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_column([InlineKeyboardButton(str(i), callback_data=(i, current_list)) for i in range(1, 4)])


def list_button(update: Update, context: CallbackContext) -> None:
    query = update.callback_query
    query.answer()
    number, number_list = cast(Tuple[int, List[int]], query.data)
    number_list.append(number)
    query.edit_message_text(
        text=f"So far you've selected {number_list}. Choose the next item:",
        reply_markup=build_keyboard(number_list),
    )
    context.drop_callback_data(query)


def handle_invalid_button(update: Update, context: CallbackContext) -> None:
    update.callback_query.answer()
    update.effective_message.edit_text("Sorry, I could not process this button click. Please send /start to get a new keyboard.")


def main() -> None:
    persistence = PicklePersistence(filename="arbitrarycallbackdatabot.pickle", store_callback_data=True)
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"], persistence=persistence, arbitrary_callback_data=True)
    updater.dispatcher.add_handler(CommandHandler("start", start))
    updater.dispatcher.add_handler(CommandHandler("clear", clear))
    updater.dispatcher.add_handler(CallbackQueryHandler(handle_invalid_button, pattern=InvalidCallbackData))
    updater.dispatcher.add_handler(CallbackQueryHandler(list_button))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
