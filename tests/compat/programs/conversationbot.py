"""Asks for four things, one after the other."""

import os

from telegram import ReplyKeyboardMarkup, ReplyKeyboardRemove, Update
from telegram.ext import CallbackContext, CommandHandler, ConversationHandler, Filters, MessageHandler, Updater

GENDER, PHOTO, LOCATION, BIO = range(4)


def start(update: Update, context: CallbackContext) -> int:
    reply_keyboard = [["Boy", "Girl", "Other"]]
    update.message.reply_text(
        "Hi! Send /cancel to stop talking to me.\n\nAre you a boy or a girl?",
        reply_markup=ReplyKeyboardMarkup(reply_keyboard, one_time_keyboard=True, input_field_placeholder="Boy or Girl?"),
    )
    return GENDER


def gender(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("I see! Please send me a photo of yourself, or send /skip if you don't want to.", reply_markup=ReplyKeyboardRemove())
    return PHOTO


def photo(update: Update, context: CallbackContext) -> int:
    photo_file = update.message.photo[-1].get_file()
    photo_file.download("user_photo.jpg")
    update.message.reply_text(f"Gorgeous, {os.path.getsize('user_photo.jpg')} bytes! Now, send me your location please, or send /skip.")
    return LOCATION


def skip_photo(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("I bet you look great! Now, send me your location please, or send /skip.")
    return LOCATION


def location(update: Update, context: CallbackContext) -> int:
    user_location = update.message.location
    update.message.reply_text(f"Maybe I can visit {user_location.latitude} / {user_location.longitude}! Tell me something about yourself.")
    return BIO


def skip_location(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("You seem a bit paranoid! At last, tell me something about yourself.")
    return BIO


def bio(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("Thank you! I hope we can talk again some day.")
    return ConversationHandler.END


def cancel(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("Bye! I hope we can talk again some day.", reply_markup=ReplyKeyboardRemove())
    return ConversationHandler.END


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"], base_file_url=os.environ["BASE_FILE_URL"])
    conv_handler = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            GENDER: [MessageHandler(Filters.regex("^(Boy|Girl|Other)$"), gender)],
            PHOTO: [MessageHandler(Filters.photo, photo), CommandHandler("skip", skip_photo)],
            LOCATION: [MessageHandler(Filters.location, location), CommandHandler("skip", skip_location)],
            BIO: [MessageHandler(Filters.text & ~Filters.command, bio)],
        },
        fallbacks=[CommandHandler("cancel", cancel)],
    )
    updater.dispatcher.add_handler(conv_handler)
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
