"""A bot that says back what it is told. Run it with `python examples/echo.py`; its settings come from the environment or from .env."""

import telegram

from syncbot import Bot, Context, Runtime, Settings, filters
from syncbot.logs import setup_logging

settings = Settings.load()
app = Runtime(Bot.from_settings(settings))


@app.command("start")
def start(update: telegram.Update, context: Context) -> None:
    """Greet whoever starts a conversation."""
    name = update.effective_user.first_name if update.effective_user else "there"
    context.reply(f"Hello, {name}! Tell me something.")


@app.message(filters.TEXT & ~filters.COMMAND)
def echo(update: telegram.Update, context: Context) -> None:
    """Say it back."""
    if update.message and update.message.text:
        context.reply(update.message.text)


@app.error
def failed(update: object, context: Context) -> None:
    """Say on the console what went wrong; the update itself waits among the dead letters."""
    print(f"An update could not be handled: {context.error}")


if __name__ == "__main__":
    setup_logging(settings.log_level)
    app.run()
