"""Conversations in both ways, and a bot that is written on the app itself. `mypy --strict` has to accept it as it stands."""

from __future__ import annotations

from enum import StrEnum

import telegram

from syncbot import AskTimeout, Bot, Context, Router, Runtime, filters


class Step(StrEnum):
    """Where a conversation stands."""

    NAME = "name"
    AGE = "age"


def register(app: Router) -> None:
    """Register the handlers on an app or a router."""

    @app.command("register", state=None)
    def begin(update: telegram.Update, context: Context) -> None:
        context.state = Step.NAME
        context.reply("Your name?")

    @app.command("cancel")
    def cancel(update: telegram.Update, context: Context) -> None:
        context.state = None
        context.user_data.clear()

    @app.message(filters.TEXT & ~filters.COMMAND, state=Step.NAME)
    def name(update: telegram.Update, context: Context) -> None:
        context.user_data["name"] = context.message.text
        context.state = Step.AGE
        context.reply("Your age?", reply_markup=telegram.ForceReply())

    @app.message(filters.regex(r"^\d+$"), state=Step.AGE)
    def age(update: telegram.Update, context: Context) -> None:
        assert context.match is not None
        context.user_data["age"] = int(context.match[0])
        context.state = None
        context.reply(f"Welcome, {context.user_data['name']}")

    @app.message(filters.TEXT & filters.state(Step.AGE))
    def no_age(update: telegram.Update, context: Context) -> None:
        context.reply("A number, please", quote=True)

    @app.command("order")
    def order(update: telegram.Update, context: Context) -> None:
        try:
            size: telegram.Message = context.ask("Which size?", timeout=60)
            place = context.ask("And <b>where</b>?", "HTML", timeout=60, reply_markup=telegram.ReplyKeyboardRemove())
        except AskTimeout:
            context.reply("Another time, then")
            return
        context.chat_data.setdefault("orders", []).append([size.text, place.text])
        context.reply("Ordered")


def main() -> None:
    """Run it once, as from cron."""
    app = Runtime(Bot("123456789:" + "A" * 35, proxies=["socks5h://127.0.0.1:1080", "direct"]))
    register(app)
    print(app.run_once(max_seconds=20))


if __name__ == "__main__":
    main()
