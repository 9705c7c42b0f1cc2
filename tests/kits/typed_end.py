"""A handler whose answers go out with its end, as a user writes it: `mypy --strict` must take it, and find the mistakes."""

from __future__ import annotations

from typing import assert_type

import telegram

from syncbot import Context, Queued, QueuedContext, Router

router = Router()


@router.message(replies="with the end")
def answers(update: telegram.Update, context: QueuedContext) -> None:
    """What is queued, and what is asked for."""
    assert_type(context.reply("hi"), Queued)
    assert_type(context.reply_photo("file-id", "caption"), Queued)
    assert_type(context.delete(), Queued)
    assert_type(context.answer(text="x"), Queued)
    assert_type(context.bot.send_message(7, "hi"), Queued)
    assert_type(context.bot.send_photo(7, "file-id", caption="caption"), Queued)
    assert_type(context.bot.edit_message_text("hi", 7, 1), Queued)
    assert_type(context.bot.send_long(7, "hi"), list[Queued])
    assert_type(context.bot.get_chat_member_count(7), int)
    assert_type(context.bot.create_chat_invite_link(7), telegram.ChatInviteLink)
    assert_type(context.ask("Name?"), telegram.Message)
    assert_type(context.choose("Size?", ["S", "M"]), str)
    context.user_data["n"] = 1
    helper(context)


@router.command("mistakes")
def mistakes(update: telegram.Update, context: QueuedContext) -> None:
    """What a checker must refuse."""
    context.reply()  # type: ignore[call-arg] # the text is missing
    message: telegram.Message = context.reply("hi")  # type: ignore[assignment] # it has not been sent
    context.bot.send_message(text="hi")  # type: ignore[call-arg] # the chat is missing
    answer: bool = context.bot.answer_callback_query("1")  # type: ignore[assignment] # it has not been sent either
    context.user_data["text"] = [message.text, answer]


def helper(context: Context) -> None:
    """What any handler calls with its context."""
