"""A tea shop in one file: commands, buttons, a picture of the order. Try it without a token: `syncbot try examples/shop.py`."""

import html

import telegram

from syncbot import Bot, Context, Runtime, Settings, filters
from syncbot.logs import setup_logging

settings = Settings.load()
app = Runtime(Bot.from_settings(settings))

DRINKS = {"tea": "Tea", "coffee": "Coffee"}


def menu() -> telegram.InlineKeyboardMarkup:
    """A button for each drink."""
    return telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton(name, callback_data=f"drink:{key}") for key, name in DRINKS.items()]])


@app.command("start")
def start(update: telegram.Update, context: Context) -> None:
    """Greet the guest, and show what there is."""
    context.reply("Welcome to the <b>tea shop</b>! What may it be?", parse_mode="HTML", reply_markup=menu())


@app.callback_query("^drink:")
def order(update: telegram.Update, context: Context) -> None:
    """A drink was chosen: confirm it under the button, and in the message itself."""
    assert update.callback_query is not None
    assert update.callback_query.message is not None
    assert update.effective_chat is not None
    drink = DRINKS[str(update.callback_query.data).removeprefix("drink:")]
    context.answer(f"{drink} is on its way")
    context.bot.edit_message_text(chat_id=update.effective_chat.id, message_id=update.callback_query.message.message_id, text=f"You ordered: {drink}")


@app.message(filters.TEXT & ~filters.COMMAND)
def note(update: telegram.Update, context: Context) -> None:
    """Anything else is a wish for the kitchen."""
    if update.message and update.message.text:
        context.reply(f"I have told the kitchen: <i>{html.escape(update.message.text)}</i>", parse_mode="HTML")


if __name__ == "__main__":
    setup_logging(settings.log_level)
    app.run()
