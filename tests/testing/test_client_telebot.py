"""pyTelegramBotAPI, as it is, drives the fake server: texts, files as it writes them, polls, keyboards, chats, and its own polling."""

from __future__ import annotations

import datetime as dtm
import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import telebot
from telebot import apihelper, types
from telebot.apihelper import ApiTelegramException

from syncbot.testing import Answer, BotApiServer, Group, User

PHOTO = b"\xff\xd8 a photo"


@pytest.fixture(scope="module")
def server() -> Iterator[BotApiServer]:
    """telebot's module variables lead here, and stand afterwards as they stood."""
    with BotApiServer(slow_same_offset=False) as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr(apihelper, "API_URL", running.url + "/bot{0}/{1}")
        patch.setattr(apihelper, "FILE_URL", running.url + "/file/bot{0}/{1}")
        yield running
        apihelper._get_req_session().close()  # it keeps its connection for ever


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[telebot.TeleBot]:
    """A bot that does everything in the thread of the caller; what it sent was known to the server."""
    before = len(server.problems)
    server.queue.drop()
    yield telebot.TeleBot(server.token, threaded=False)
    assert server.problems[before:] == []


@pytest.fixture
def user(server: BotApiServer) -> User:
    return server.user(first_name="Ann")


@pytest.fixture
def group(server: BotApiServer, user: User) -> Group:
    return server.group("The group", members=[user])


def the(value: Any) -> Any:
    """A field that is there."""
    assert value is not None
    return value


def _files() -> list[Any]:
    return [io.BytesIO(b"one"), io.BytesIO(b"two")]


def markup(**fields: Any) -> Any:
    """A markup that the library would not make."""

    class Raw(types.JsonSerializable):  # type: ignore[misc]  # telebot has no types
        def to_json(self) -> str:
            return json.dumps(fields)

    return Raw()


# ---------------------------------------------------------------------- texts


def test_get_me(bot: telebot.TeleBot) -> None:
    """The bot knows itself."""
    assert bot.get_me().username == "test_bot"


def test_a_text(bot: telebot.TeleBot, user: User) -> None:
    """A text with markup arrives with its entities, and an option of old is understood."""
    sent = bot.send_message(user.id, "<b>hi</b> /help", parse_mode="HTML", disable_web_page_preview=True)
    assert [entity.type for entity in the(sent.entities)] == ["bold", "bot_command"]
    assert the(sent.link_preview_options).is_disabled
    user.wait_for("hi /help")


def test_long_texts(bot: telebot.TeleBot, user: User) -> None:
    """4096 emoji are a text, one more is none."""
    assert len(the(bot.send_message(user.id, "🙂" * 4096).text)) == 4096
    with pytest.raises(ApiTelegramException, match="message is too long"):
        bot.send_message(user.id, "🙂" * 4097)


def test_control_characters(bot: telebot.TeleBot, user: User) -> None:
    """A tab arrives as a space, a carriage return does not arrive."""
    assert bot.send_message(user.id, "a\tb\r\nc").text == "a b\nc"


def test_a_reply_with_a_quote(bot: telebot.TeleBot, user: User) -> None:
    """The quote stands in the answer."""
    first = bot.send_message(user.id, "one two")
    second = bot.send_message(user.id, "x", reply_parameters=types.ReplyParameters(first.message_id, quote="two"))
    assert the(second.reply_to_message).message_id == first.message_id
    assert (the(second.quote).text, the(second.quote).position) == ("two", 4)


def test_edits_and_deletes(bot: telebot.TeleBot, user: User) -> None:
    """A text is changed once and deleted once."""
    number = bot.send_message(user.id, "old").message_id
    assert bot.edit_message_text("new", user.id, number).text == "new"  # type: ignore[union-attr]  # a Message, since it is no inline one
    with pytest.raises(ApiTelegramException, match="message is not modified"):
        bot.edit_message_text("new", user.id, number)
    assert bot.delete_message(user.id, number)
    with pytest.raises(ApiTelegramException, match="message to delete not found"):
        bot.delete_message(user.id, number)


def test_forwards_and_copies(bot: telebot.TeleBot, user: User, group: Group) -> None:
    """A forward tells its origin, a copy does not, and a protected message stays where it is."""
    number = bot.send_message(user.id, "news").message_id
    assert the(bot.forward_message(group.id, user.id, number).forward_origin).type == "user"
    assert bot.copy_message(group.id, user.id, number).message_id
    secret = bot.send_message(user.id, "secret", protect_content=True).message_id
    with pytest.raises(ApiTelegramException, match="can't be copied"):
        bot.copy_message(group.id, user.id, secret)


def test_a_topic(bot: telebot.TeleBot, user: User) -> None:
    """An unknown thread of a private chat is refused."""
    topic = bot.create_forum_topic(user.id, "t")
    assert bot.send_message(user.id, "x", message_thread_id=topic.message_thread_id).message_thread_id == topic.message_thread_id
    with pytest.raises(ApiTelegramException, match="message thread not found"):
        bot.send_message(user.id, "x", message_thread_id=999_999)


# ---------------------------------------------------------------------- media


def test_a_photo(bot: telebot.TeleBot, user: User) -> None:
    """A photo is sent and fetched."""
    sent = bot.send_photo(user.id, PHOTO, caption="*c*", parse_mode="Markdown")
    assert sent.caption == "c"
    assert bot.download_file(the(bot.get_file(the(sent.photo)[-1].file_id).file_path)) == PHOTO


@pytest.mark.parametrize("name", ["a report of mine.pdf", "пример.pdf", "plain.pdf"])
def test_a_document_of_any_name(bot: telebot.TeleBot, user: User, name: str) -> None:
    """File names arrive as telebot writes them, spaces and other scripts included, and tell the type."""
    document = the(bot.send_document(user.id, b"content", visible_file_name=name).document)
    assert (document.file_name, document.mime_type) == (name, "application/pdf")


def test_a_thumbnail(bot: telebot.TeleBot, user: User) -> None:
    """A thumbnail stands in the message, under its older name too."""
    assert the(the(bot.send_video(user.id, b"v", thumbnail=b"thumb").video).thumbnail).file_size == 5
    assert the(the(bot.send_document(user.id, b"d", thumbnail=b"thumb").document).thumbnail).file_size == 5


@pytest.mark.parametrize("kind", ["audio", "voice", "animation", "video_note", "sticker", "video"])
def test_media_of_all_kinds(bot: telebot.TeleBot, user: User, kind: str) -> None:
    """Each kind comes back as its own."""
    send: Any = getattr(bot, f"send_{kind}")
    assert getattr(send(user.id, b"content"), kind) is not None


def test_an_album(bot: telebot.TeleBot, user: User) -> None:
    """Two items are a group, none are refused."""
    media: Any = [types.InputMediaPhoto(types.InputFile(name)) for name in _files()]
    first, second = bot.send_media_group(user.id, media)
    assert first.media_group_id == second.media_group_id
    with pytest.raises(ApiTelegramException, match="there are no messages to send"):
        bot.send_media_group(user.id, [])


def test_media_are_edited(bot: telebot.TeleBot, user: User) -> None:
    """A caption and a medium are changed."""
    number = bot.send_photo(user.id, PHOTO).message_id
    edited: Any = bot.edit_message_caption("c", user.id, number)
    assert edited.caption == "c"
    changed: Any = bot.edit_message_media(types.InputMediaDocument(types.InputFile(_files()[0])), user.id, number)
    assert changed.document is not None


def test_an_unknown_file(bot: telebot.TeleBot) -> None:
    """An id that nobody gave is refused."""
    with pytest.raises(ApiTelegramException, match="invalid file_id"):
        bot.get_file("nothing")


def test_places(bot: telebot.TeleBot, user: User) -> None:
    """Locations, venues, contacts and dice come back."""
    live = bot.send_location(user.id, 1.0, 2.0, live_period=60)
    assert the(bot.edit_message_live_location(3.0, 4.0, user.id, live.message_id).location).latitude == 3.0  # type: ignore[union-attr]  # a Message
    assert the(bot.send_venue(user.id, 1.0, 2.0, "title", "address").venue).title == "title"
    assert the(bot.send_contact(user.id, "+123456789", "Ann").contact).phone_number == "+123456789"
    assert 1 <= the(bot.send_dice(user.id).dice).value <= 6


# ---------------------------------------------------------------------- polls and keyboards


def test_a_poll(bot: telebot.TeleBot, user: User) -> None:
    """Options are texts or have markup; the poll is stopped once."""
    options: Any = [types.InputPollOption("a"), types.InputPollOption("<b>b</b>", text_parse_mode="HTML")]
    sent = bot.send_poll(user.id, "q?", options)
    assert [option.text for option in the(sent.poll).options] == ["a", "b"]
    assert bot.stop_poll(user.id, sent.message_id).is_closed
    with pytest.raises(ApiTelegramException, match="already been closed"):
        bot.stop_poll(user.id, sent.message_id)


def test_a_quiz(bot: telebot.TeleBot, user: User) -> None:
    """A quiz tells why, and knows its right answer."""
    quiz: Any = {"type": "quiz", "explanation": "*why*", "explanation_parse_mode": "MarkdownV2"}
    sent = bot.send_poll(user.id, "q?", ["a", "b"], correct_option_id=1, **quiz)
    assert (the(sent.poll).explanation, the(the(sent.poll).explanation_entities)[0].type) == ("why", "bold")
    with pytest.raises(ApiTelegramException, match="correct option"):
        bot.send_poll(user.id, "q?", ["a", "b"], **quiz)
    with pytest.raises(ApiTelegramException, match="non-empty"):
        bot.send_poll(user.id, "q?", ["a", " "])


def test_a_pressed_button(bot: telebot.TeleBot, user: User) -> None:
    """A press is an update, and its answer reaches the user."""
    bot.send_message(user.id, "Sure?", reply_markup=types.InlineKeyboardMarkup([[types.InlineKeyboardButton("Yes", callback_data="yes")]]))
    press = user.press("Yes")
    (update,) = bot.get_updates()
    assert the(update.callback_query).data == "yes"
    bot.answer_callback_query(the(update.callback_query).id, "done")
    assert press.wait_answer()["text"] == "done"


def test_keyboards_of_other_kinds(bot: telebot.TeleBot, user: User) -> None:
    """They pass; one that is no array does not."""
    keyboard = types.ReplyKeyboardMarkup()
    keyboard.add("a", "b")
    for one in (keyboard, types.ReplyKeyboardRemove(), types.ForceReply()):
        assert bot.send_message(user.id, "x", reply_markup=one).reply_markup is None
    with pytest.raises(ApiTelegramException, match="must be an Array of Arrays"):
        bot.send_message(user.id, "x", reply_markup=markup(keyboard="Yes"))


def test_a_chat_action(bot: telebot.TeleBot, user: User) -> None:
    """Known actions pass, others do not."""
    assert bot.send_chat_action(user.id, "typing")
    with pytest.raises(ApiTelegramException, match="wrong parameter action"):
        bot.send_chat_action(user.id, "dancing")


# ---------------------------------------------------------------------- chats


def test_members(server: BotApiServer, bot: telebot.TeleBot, group: Group) -> None:
    """Members are counted, promoted, restricted and thrown out."""
    other = server.user(first_name="Bob")
    group.join(other)
    assert bot.get_chat_member_count(group.id) == 3
    bot.promote_chat_member(group.id, other.id, can_delete_messages=True)
    assert bot.get_chat_member(group.id, other.id).status == "administrator"
    bot.restrict_chat_member(group.id, other.id, permissions=types.ChatPermissions(can_send_messages=False))
    assert bot.get_chat_member(group.id, other.id).status == "restricted"
    bot.ban_chat_member(group.id, other.id, until_date=int(time.time()) + 3600)
    assert group.status_of(other) == "kicked"


def test_the_look_of_a_chat(bot: telebot.TeleBot, group: Group) -> None:
    """Title and photo stand in getChat."""
    bot.set_chat_title(group.id, "New")
    bot.set_chat_photo(group.id, PHOTO)
    chat = bot.get_chat(group.id)
    assert chat.title == "New"
    assert bot.get_file(the(chat.photo).big_file_id).file_size == len(PHOTO)
    bot.delete_chat_photo(group.id)
    assert bot.get_chat(group.id).photo is None


def test_invitations(server: BotApiServer, bot: telebot.TeleBot, group: Group) -> None:
    """The date of a link, a decimal as telebot writes a datetime, is kept when it is edited."""
    date = dtm.datetime(2030, 1, 1, 12, 30, 15, 900_000)
    link = bot.create_chat_invite_link(group.id, expire_date=date)
    assert link.expire_date == int(date.timestamp())
    edited = bot.edit_chat_invite_link(group.id, link.invite_link, expire_date=date + dtm.timedelta(days=1))
    assert edited.expire_date == int(date.timestamp()) + 86_400
    assert bot.revoke_chat_invite_link(group.id, link.invite_link).is_revoked
    other = server.user(first_name="Bob")
    other.request_to_join(group)
    assert bot.approve_chat_join_request(group.id, other.id)
    assert group.status_of(other) == "member"


def test_pins_and_reactions(bot: telebot.TeleBot, group: Group) -> None:
    """A message is pinned, and gets a reaction."""
    number = bot.send_message(group.id, "pin me").message_id
    bot.pin_chat_message(group.id, number)
    assert the(bot.get_chat(group.id).pinned_message).text == "pin me"
    bot.set_message_reaction(group.id, number, [types.ReactionTypeEmoji("👍")])
    assert group.reaction_of_bot(number) == [{"type": "emoji", "emoji": "👍"}]


# ---------------------------------------------------------------------- the bot


def test_commands(bot: telebot.TeleBot, user: User) -> None:
    """Commands of a scope are kept apart."""
    scope = types.BotCommandScopeChat(user.id)
    bot.set_my_commands([types.BotCommand("help", "Help me")], scope=scope)
    assert [command.command for command in bot.get_my_commands(scope, None)] == ["help"]


def test_default_rights(bot: telebot.TeleBot) -> None:
    """Rights are kept."""
    rights = types.ChatAdministratorRights(*[True] * 12)
    bot.set_my_default_administrator_rights(rights)
    assert bot.get_my_default_administrator_rights().can_delete_messages


def test_profile_photos(bot: telebot.TeleBot, user: User) -> None:
    """A new user has no photo."""
    assert bot.get_user_profile_photos(user.id).total_count == 0


def test_a_sticker_set(bot: telebot.TeleBot, user: User) -> None:
    """A set is made, filled and shown."""
    name = f"set_{user.id}"
    one, two = _files()
    bot.create_new_sticker_set(user.id, name, "Title", stickers=[types.InputSticker(types.InputFile(one), ["🙂"], "static")])
    bot.add_sticker_to_set(user.id, name, [], sticker=types.InputSticker(types.InputFile(two), ["👍"], "static"))
    assert [sticker.emoji for sticker in bot.get_sticker_set(name).stickers] == ["🙂", "👍"]
    assert bot.delete_sticker_set(name)


def test_an_inline_query(server: BotApiServer, bot: telebot.TeleBot, user: User) -> None:
    """Results reach whoever asked."""
    query = user.inline_query("cats")
    (update,) = bot.get_updates()
    result = types.InlineQueryResultArticle("1", "Title", types.InputTextMessageContent("text"))
    assert bot.answer_inline_query(the(update.inline_query).id, [result])
    assert server.answer_to(query)["results"][0]["title"] == "Title"


def test_a_webhook(server: BotApiServer, bot: telebot.TeleBot) -> None:
    """A webhook with a certificate of its own is set, shown and deleted."""
    (certificate, _) = _files()
    bot.set_webhook("https://bot.example/hook", certificate=certificate, secret_token="secret")
    info = bot.get_webhook_info()
    assert (info.url, info.has_custom_certificate) == ("https://bot.example/hook", True)
    assert bot.delete_webhook(drop_pending_updates=True)


def test_refusals(server: BotApiServer, bot: telebot.TeleBot, user: User) -> None:
    """Code, description and parameters come through."""
    with pytest.raises(ApiTelegramException, match="chat not found"):
        bot.send_message(7, "x")
    user.block()
    with pytest.raises(ApiTelegramException) as caught:
        bot.send_message(user.id, "x")
    assert caught.value.error_code == 403
    server.script("sendMessage", Answer.retry_after(7))
    with pytest.raises(ApiTelegramException) as caught:
        bot.send_message(user.id, "x")
    assert caught.value.result_json["parameters"]["retry_after"] == 7


# ---------------------------------------------------------------------- polling


def test_a_polling_bot(server: BotApiServer, user: User) -> None:
    """It answers a command, a text, a document and a pressed button, and confirms what it got."""
    server.queue.drop()
    bot = telebot.TeleBot(server.token, num_threads=2)
    go = types.InlineKeyboardMarkup([[types.InlineKeyboardButton("Go", callback_data="go")]])
    bot.register_message_handler(lambda message: bot.reply_to(message, "Hello", reply_markup=go), commands=["start"])
    bot.register_message_handler(lambda message: bot.send_message(message.chat.id, f"echo {message.text}"), content_types=["text"])
    bot.register_message_handler(lambda message: bot.send_message(message.chat.id, message.document.file_name), content_types=["document"])
    bot.register_callback_query_handler(lambda query: bot.answer_callback_query(query.id, "gone"), func=lambda query: True)
    polling = threading.Thread(target=bot.polling, kwargs={"long_polling_timeout": 1, "logger_level": logging.CRITICAL})
    polling.start()
    user.start()
    user.wait_for("Hello")
    user.send("hi")
    user.wait_for("echo hi")
    user.send_document(b"x", name="mine.txt")
    user.wait_for("mine.txt")
    assert user.press("Go").wait_answer()["text"] == "gone"
    server.wait_confirmed()
    bot.stop_polling()
    polling.join(30)
    assert not polling.is_alive()
    bot.stop_bot()
