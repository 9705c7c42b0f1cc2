"""The same as conversationbot2, and a restart forgets nothing of it."""

import os

from telegram import ReplyKeyboardMarkup, Update
from telegram.ext import CallbackContext, CommandHandler, ConversationHandler, Filters, MessageHandler, PicklePersistence, Updater

CHOOSING, TYPING_REPLY, TYPING_CHOICE = range(3)
markup = ReplyKeyboardMarkup([["Age", "Favourite colour"], ["Something else..."], ["Done"]], one_time_keyboard=True)


def facts_to_str(user_data: dict) -> str:
    return "\n".join(f"{key} - {value}" for key, value in user_data.items())


def start(update: Update, context: CallbackContext) -> int:
    reply_text = "Hi! My name is Doctor Botter."
    if context.user_data:
        reply_text += f" You already told me your {', '.join(context.user_data.keys())}."
    update.message.reply_text(reply_text, reply_markup=markup)
    return CHOOSING


def regular_choice(update: Update, context: CallbackContext) -> int:
    text = update.message.text.lower()
    context.user_data["choice"] = text
    if context.user_data.get(text):
        reply_text = f"Your {text}? I already know the following about that: {context.user_data[text]}"
    else:
        reply_text = f"Your {text}? Yes, I would love to hear about that!"
    update.message.reply_text(reply_text)
    return TYPING_REPLY


def received_information(update: Update, context: CallbackContext) -> int:
    category = context.user_data["choice"]
    context.user_data[category] = update.message.text.lower()
    del context.user_data["choice"]
    update.message.reply_text(f"Neat! This is what you already told me: {facts_to_str(context.user_data)}", reply_markup=markup)
    return CHOOSING


def show_data(update: Update, context: CallbackContext) -> None:
    update.message.reply_text(f"This is what you already told me: {facts_to_str(context.user_data)}")


def done(update: Update, context: CallbackContext) -> int:
    context.user_data.pop("choice", None)
    update.message.reply_text(f"I learned these facts about you: {facts_to_str(context.user_data)} Until next time!")
    return ConversationHandler.END


def main() -> None:
    persistence = PicklePersistence(filename="conversationbot")
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"], persistence=persistence)
    conv_handler = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            CHOOSING: [MessageHandler(Filters.regex("^(Age|Favourite colour)$"), regular_choice)],
            TYPING_REPLY: [MessageHandler(Filters.text & ~(Filters.command | Filters.regex("^Done$")), received_information)],
        },
        fallbacks=[MessageHandler(Filters.regex("^Done$"), done)],
        name="my_conversation",
        persistent=True,
    )
    updater.dispatcher.add_handler(conv_handler)
    updater.dispatcher.add_handler(CommandHandler("show_data", show_data))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
