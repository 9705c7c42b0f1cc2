"""Collects facts about its user, of kinds that are given or made up."""

import os

from telegram import ReplyKeyboardMarkup, ReplyKeyboardRemove, Update
from telegram.ext import CallbackContext, CommandHandler, ConversationHandler, Filters, MessageHandler, Updater

CHOOSING, TYPING_REPLY, TYPING_CHOICE = range(3)
reply_keyboard = [["Age", "Favourite colour"], ["Number of siblings", "Something else..."], ["Done"]]
markup = ReplyKeyboardMarkup(reply_keyboard, one_time_keyboard=True)


def facts_to_str(user_data: dict) -> str:
    facts = [f"{key} - {value}" for key, value in user_data.items()]
    return "\n".join(facts).join(["\n", "\n"])


def start(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("Hi! Why don't you tell me something about yourself?", reply_markup=markup)
    return CHOOSING


def regular_choice(update: Update, context: CallbackContext) -> int:
    text = update.message.text
    context.user_data["choice"] = text
    update.message.reply_text(f"Your {text.lower()}? Yes, I would love to hear about that!")
    return TYPING_REPLY


def custom_choice(update: Update, context: CallbackContext) -> int:
    update.message.reply_text('Alright, please send me the category first, for example "Most impressive skill"')
    return TYPING_CHOICE


def received_information(update: Update, context: CallbackContext) -> int:
    user_data = context.user_data
    category = user_data["choice"]
    user_data[category] = update.message.text
    del user_data["choice"]
    update.message.reply_text(f"Neat! This is what you already told me:{facts_to_str(user_data)}", reply_markup=markup)
    return CHOOSING


def done(update: Update, context: CallbackContext) -> int:
    user_data = context.user_data
    if "choice" in user_data:
        del user_data["choice"]
    update.message.reply_text(f"I learned these facts about you: {facts_to_str(user_data)}Until next time!", reply_markup=ReplyKeyboardRemove())
    user_data.clear()
    return ConversationHandler.END


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    conv_handler = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            CHOOSING: [
                MessageHandler(Filters.regex("^(Age|Favourite colour|Number of siblings)$"), regular_choice),
                MessageHandler(Filters.regex("^Something else...$"), custom_choice),
            ],
            TYPING_CHOICE: [MessageHandler(Filters.text & ~(Filters.command | Filters.regex("^Done$")), regular_choice)],
            TYPING_REPLY: [MessageHandler(Filters.text & ~(Filters.command | Filters.regex("^Done$")), received_information)],
        },
        fallbacks=[MessageHandler(Filters.regex("^Done$"), done)],
    )
    updater.dispatcher.add_handler(conv_handler)
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
