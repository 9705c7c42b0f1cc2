"""Typical calls, as a user writes them: `mypy --strict` must take every one, and so must the methods themselves."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_type

import telegram
from telegram.constants import ChatAction, ParseMode

from syncbot.client.api.bot_methods import BotMethods


def messages(bot: BotMethods) -> None:
    """Texts, replies, keyboards."""
    assert_type(bot.send_message(1, "hi"), telegram.Message)
    bot.send_message(chat_id="@channel", text="<b>hi</b>", parse_mode=ParseMode.HTML, disable_web_page_preview=True, timeout=5, deadline=30)
    bot.send_message(1, "hi", reply_to_message_id=5, allow_sending_without_reply=True)
    bot.send_message(1, "hi", reply_parameters=telegram.ReplyParameters(5), link_preview_options={"is_disabled": True})
    keyboard = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("a", callback_data="b")]])
    bot.send_message(1, "hi", reply_markup=keyboard)
    bot.send_message(1, "hi", reply_markup={"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]})
    bot.send_message(1, "hi", entities=[telegram.MessageEntity("bold", 0, 1), {"type": "bold", "offset": 0, "length": 1}])
    assert_type(bot.forward_message(1, 2, 3), telegram.Message)
    assert_type(bot.copy_message(1, 2, 3), telegram.MessageId)
    assert_type(bot.copy_messages(1, 2, [3, 4]), tuple[telegram.MessageId, ...])
    assert_type(bot.edit_message_text("hi", 1, 2), telegram.Message | bool)
    assert_type(bot.edit_message_reply_markup(1, 2, reply_markup=keyboard), telegram.Message | bool)
    assert_type(bot.delete_message(1, 2), bool)
    bot.send_chat_action(1, ChatAction.TYPING)
    bot.set_message_reaction(1, 2, "👍")
    bot.set_message_reaction(1, 2, [telegram.ReactionTypeEmoji("👍")], is_big=True)
    bot.send_rich_message(1, rich_message={"html": "<b>hi</b>"})


def files(bot: BotMethods, path: Path, photo: telegram.PhotoSize) -> None:
    """Uploads of every kind."""
    bot.send_photo(1, path, "caption", progress=lambda sent, total: print(sent, total))
    bot.send_photo(1, photo)
    bot.send_photo(1, "https://example.com/a.jpg")
    bot.send_document(1, b"data", filename="a.bin", thumbnail=path)
    bot.send_document(1, io.BytesIO(b"data"))
    bot.send_video(1, telegram.InputFile(b"data"), duration=timedelta(seconds=5), cover=photo)
    media = [telegram.InputMediaPhoto(b"data"), telegram.InputMediaVideo("file-id")]
    assert_type(bot.send_media_group(1, media, caption="both"), tuple[telegram.Message, ...])
    bot.send_media_group(1, [{"type": "photo", "media": path}, telegram.InputMediaPhoto("file-id")])
    bot.edit_message_media({"type": "photo", "media": path}, 1, 2)
    bot.edit_message_media(telegram.InputMediaPhoto("file-id"), 1, 2)
    bot.send_paid_media(1, 5, [telegram.InputPaidMediaPhoto("file-id")])
    bot.post_story("connection", telegram.InputStoryContentPhoto(b"data"), timedelta(days=1))
    bot.send_poll(1, "question", ["a"], media=telegram.InputMediaPhoto("file-id"))
    bot.set_my_profile_photo(telegram.InputProfilePhotoStatic(b"data"))
    bot.add_sticker_to_set(1, "set", telegram.InputSticker(b"data", ["😀"], "static"))
    assert_type(bot.get_file("file-id"), telegram.File)


def chats(bot: BotMethods, venue: telegram.Venue, contact: telegram.Contact) -> None:
    """Members, places, polls and the rest."""
    bot.ban_chat_member(1, 2, until_date=datetime(2030, 1, 1, tzinfo=UTC))
    bot.ban_chat_member(1, 2, timedelta(hours=1))
    bot.restrict_chat_member(1, 2, telegram.ChatPermissions.no_permissions())
    assert_type(bot.get_chat_member(1, 2), telegram.ChatMember)
    assert_type(bot.get_chat(1), telegram.ChatFullInfo)
    assert_type(bot.get_chat_member_count(1), int)
    assert_type(bot.export_chat_invite_link(1), str)
    bot.send_location(1, 52.5, 13.4)
    bot.send_location(1, location=telegram.Location(13.4, 52.5))
    bot.send_venue(1, venue=venue)
    bot.send_contact(1, contact=contact)
    bot.send_poll(1, "question", ["a", telegram.InputPollOption("b"), {"text": "c"}], correct_option_ids=[1], open_period=60)
    bot.set_my_commands([("start", "Begin"), telegram.BotCommand("help", "Help")], scope=telegram.BotCommandScopeDefault())
    bot.answer_callback_query("id", "done", show_alert=True, cache_time=timedelta(minutes=1))
    bot.answer_inline_query("id", [telegram.InlineQueryResultArticle("1", "title", telegram.InputTextMessageContent("text"))])
    bot.answer_inline_query("id", lambda page: [{"type": "article", "id": str(page)}], current_offset="")
    assert_type(bot.get_updates(offset=1, timeout=50, allowed_updates=["message"], deadline=70), tuple[telegram.Update, ...])
    assert_type(bot.get_me(api_kwargs={"newer": 1}), telegram.User)
    bot.set_chat_menu_button(1, telegram.MenuButtonCommands())
    bot.set_passport_data_errors(1, [telegram.PassportElementErrorFiles("bank_statement", ["hash"], "wrong")])
    bot.close_bot()


def mistakes(bot: BotMethods) -> None:
    """What a checker must refuse: were it to take one of these, its ignore would be unused, which is an error too."""
    bot.send_message(1)  # type: ignore[call-overload] # the text is missing
    bot.send_message(1, "hi", chat_idd=1)  # type: ignore[call-overload] # misspelt
    bot.send_mesage(1, "hi")  # type: ignore[attr-defined] # misspelt
    bot.send_message(1, 5)  # type: ignore[call-overload] # a text is a str
    bot.send_message(1, "hi", progress=print)  # type: ignore[call-overload] # there is no file in it
    bot.get_me().text  # type: ignore[attr-defined] # noqa: B018 - a user has no text, and the checker must say so
