"""A bot on plain updates. `mypy --strict` has to accept it as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from syncbot import Bot, Router, Runtime, filters, plain

router = Router[plain.Decorator]()


@router.callback_query(r"buy:(\d+)")
def buy(update: plain.Update, context: plain.Context) -> None:
    assert update.callback_query is not None
    assert_type(update.callback_query.from_user, plain.User)
    assert_type(context.message, plain.Message)
    context.answer("Thank you")
    context.edit("Sold")


def is_long(update: plain.Update) -> bool:
    return update.message is not None and len(update.message.text or "") > 100


def register(app: Runtime[plain.Decorator]) -> None:
    """Register the handlers."""

    @app.command("size")
    def size(update: plain.Update, context: plain.Context) -> None:
        answer = context.ask("Which size?", timeout=60)
        assert_type(answer, plain.Message)
        sent = context.reply(f"You said {answer.text}")
        assert_type(sent, plain.Message)
        context.user_data["sent"] = sent.message_id
        assert_type(sent.date, int)

    @app.subscription("gold")
    def changed(update: plain.Update, context: plain.Context) -> None:
        assert update.subscription is not None
        assert_type(update.subscription.state, str)
        assert_type(update.subscription.user, plain.User)
        assert_type(context.edit_reply_markup(), plain.Message | bool)

    @app.message(filters.TEXT & ~filters.COMMAND & ~filters.as_filter(is_long))
    def echo(update: plain.Update, context: plain.Context) -> None:
        assert update.message is not None
        assert_type(update.message.text, str | None)
        assert_type(update.message.entities, list[plain.MessageEntity] | None)
        assert_type(update.effective_user, plain.User | None)
        raw: dict[str, Any] = update["message"]["from"]
        context.reply(f"{raw['id']}: {update.message.text}")
        assert_type(context.bot.get_me(), plain.User)
        assert_type(context.bot.delete_message(1, 2), bool)
        assert_type(context.bot.copy_messages(1, 2, [3]), list[plain.MessageId])
        assert_type(context.reply_media_group([{"type": "photo", "media": "F"}, {"type": "photo", "media": "G"}]), list[plain.Message])

    @app.message(filters.PHOTO)
    def photo(update: plain.Update, context: plain.Context) -> None:
        assert context.message.photo is not None
        context.reply_photo(context.message.photo[-1].file_id)

    @app.use
    def count(update: plain.Update, context: plain.Context, next: Callable[[], None]) -> None:
        context.bot_data["seen"] = context.bot_data.get("seen", 0) + 1
        next()

    @app.error
    def failed(update: object, context: plain.Context) -> None:
        context.reply(f"That went wrong: {context.error}")

    app.include(router)


def main(bot: Bot) -> None:
    """Put it together."""
    app = Runtime(bot, types=False, workers=2)
    assert_type(app, Runtime[plain.Decorator])
    register(app)
    app.run()
