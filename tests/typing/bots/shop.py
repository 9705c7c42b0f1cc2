"""A shop: commands, buttons, inline queries, files, payments. `mypy --strict` has to accept it as it stands."""

from __future__ import annotations

from pathlib import Path

import telegram

from syncbot import Bot, Context, Router, Runtime, filters

router = Router()


@router.command("start", "help")
def start(update: telegram.Update, context: Context) -> None:
    """A deep link brings what somebody wants to see."""
    wanted = context.args[0] if context.args else "everything"
    keyboard = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Buy", callback_data="buy:12")]])
    sent: telegram.Message = context.reply(f"<b>{wanted}</b>", "HTML", reply_markup=keyboard, quote=True)
    context.user_data["last_offer"] = sent.message_id


@router.command("price", has_args=1, filters=filters.PRIVATE | filters.GROUPS)
def price(update: telegram.Update, context: Context) -> telegram.Message:
    """What a handler returns does not matter."""
    return context.reply(f"{context.args[0]} costs 5", disable_notification=True, deadline=10)


@router.callback_query(r"buy:(?P<id>\d+)$")
def buy(update: telegram.Update, context: Context) -> None:
    """A pressed button is answered, and its message changed."""
    assert context.match is not None
    context.answer("One moment", show_alert=False)
    context.edit(f"You chose number {context.match['id']}", reply_markup={"inline_keyboard": []})
    context.reply_invoice("Item", "A fine one", f"order-{context.match['id']}", "XTR", [telegram.LabeledPrice("Item", 5)])


@router.pre_checkout_query("order-")
def confirm(update: telegram.Update, context: Context) -> None:
    """A payment is confirmed."""
    context.answer(ok=True)


@router.shipping_query()
def ship(update: telegram.Update, context: Context) -> None:
    """Nothing is sent anywhere."""
    context.answer(ok=False, error_message="Only downloads")


@router.message(filters.SUCCESSFUL_PAYMENT)
def paid(update: telegram.Update, context: Context) -> None:
    """A file is sent from disk, with its progress."""
    context.send_chat_action("upload_document")
    context.reply_document(Path("item.pdf"), caption="Thank you", progress=lambda done, total: None)


@router.inline_query("find (.+)")
def find(update: telegram.Update, context: Context) -> None:
    """Results of an inline query."""
    text = telegram.InputTextMessageContent("found")
    context.answer([telegram.InlineQueryResultArticle("1", "Found", text)], cache_time=5, is_personal=True)


@router.chosen_inline_result()
def chosen(update: telegram.Update, context: Context) -> None:
    """The message that was sent through the bot can be changed."""
    context.edit("chosen")


@router.message(filters.PHOTO | filters.mime("image/"))
def picture(update: telegram.Update, context: Context) -> None:
    """A picture is sent back, with its own message typed without a question."""
    if context.message.photo:
        context.reply_photo(context.message.photo[-1], caption="Yours")
    context.react("👍")


@router.message(filters.LOCATION)
def place(update: telegram.Update, context: Context) -> None:
    """An album, a poll and a place."""
    context.reply_media_group([telegram.InputMediaPhoto("F"), telegram.InputMediaPhoto("G")])
    context.reply_poll("Near?", ["yes", "no"], is_anonymous=False)
    context.reply_location(location=context.message.location)


@router.chat_join_request()
def join(update: telegram.Update, context: Context) -> None:
    """Everybody may join."""
    context.approve()
    context.reply("Welcome")


@router.my_chat_member()
def member(update: telegram.Update, context: Context) -> None:
    """Kinds without a text have filters too."""
    if context.chat_id is not None:
        context.bot.send_message(context.chat_id, "hello")


@router.on("message_reaction", "poll_answer", filters=filters.user(42))
def others(update: telegram.Update, context: Context) -> None:
    """Any kinds in one handler."""
    context.bot_data["seen"] = context.bot_data.get("seen", 0) + 1


def main() -> None:
    """Run it."""
    with Bot.from_env() as bot:
        app = Runtime(bot, state="shop.db", workers=4, allowed_users={42})
        app.include(router)
        app.run()


if __name__ == "__main__":
    main()
