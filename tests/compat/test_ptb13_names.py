"""What `install` puts in place: modules and names of python-telegram-bot 13, on the classes of the one that is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from syncbot.compat.ptb13 import ext
from syncbot.compat.ptb13.bot.renamed import named, translated
from syncbot.compat.ptb13.bot.request import Request
from syncbot.errors import ConfigError

LOOK = """
import json, sys
import syncbot.compat.ptb13.install, syncbot.compat.ptb13.install as again
again.install()
import telegram
found = {}
exec(sys.argv[1])
found["loaded"] = [name for name in sys.modules if name.startswith("telegram.ext._") or name == "httpcore"]
print(json.dumps(found))
"""


def look(program: str) -> dict[str, Any]:
    """What a program finds, in a process of its own."""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", LOOK, program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_modules_are_where_they_were() -> None:
    """Each module of 13 is found by its name, with today's classes in it or ours; today's own telegram.ext is never loaded."""
    found = look(
        """
import importlib
import telegram.ext.messagequeue as mq
from telegram.ext.dispatcher import DEFAULT_GROUP, Dispatcher, DispatcherHandlerStop, run_async
from telegram.ext.filters import BaseFilter, Filters, MessageFilter
from telegram.ext.jobqueue import Job, JobQueue
from telegram.ext.commandhandler import CommandHandler
from telegram.utils.request import Request
from telegram.utils.promise import Promise
from telegram.utils.types import JSONDict
from telegram.files.inputmedia import InputMediaPhoto
from telegram.inline.inlinekeyboardbutton import InlineKeyboardButton
from telegram.parsemode import ParseMode
from telegram.chataction import ChatAction
from telegram.update import Update
from telegram.bot import Bot
found["same"] = [Update is telegram.Update, Bot is telegram.Bot, ParseMode is telegram.ParseMode, InputMediaPhoto is telegram.InputMediaPhoto]
found["late"] = [telegram.utils.helpers.mention_html(1, "<"), telegram.message.Message is telegram.Message, telegram.ext.Updater.__name__]
found["values"] = [ParseMode.MARKDOWN_V2, ChatAction.UPLOAD_AUDIO, telegram.constants.MAX_MESSAGE_LENGTH, telegram.constants.CHATACTION_TYPING]
found["values"] += [telegram.constants.PARSEMODE_HTML, telegram.MAX_MESSAGE_LENGTH, telegram.constants.STICKER_CHIN, telegram.constants.CHATMEMBER_CREATOR]
try:
    from telegram.ext import ApplicationBuilder
except ImportError as error:
    found["not there"] = str(error)
try:
    import telegram.ext.nothing
except ModuleNotFoundError:
    found["no module"] = True
"""
    )
    assert found["same"] == [True] * 4
    assert found["late"] == ['<a href="tg://user?id=1">&lt;</a>', True, "Updater"]
    assert found["values"] == ["MarkdownV2", "upload_voice", 4096, "typing", "HTML", 4096, "chin", "creator"]
    assert "ApplicationBuilder" in found["not there"]
    assert found["no module"] is True
    assert found["loaded"] == []


def test_objects_have_the_fields_they_had() -> None:
    """By the names of then, and they may be changed."""
    found = look(
        """
from telegram import *
user = {"id": 1, "is_bot": False, "first_name": "Ann"}
file = {"file_id": "f", "file_unique_id": "u"}
chat = {"id": -1, "type": "channel", "title": "C"}
def message(**fields):
    return Message.de_json({"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, **fields}, None)
one = message(forward_origin={"type": "user", "date": 5, "sender_user": user}, document={**file, "thumbnail": {**file, "width": 1, "height": 1}})
post = message(forward_origin={"type": "channel", "date": 5, "chat": chat, "message_id": 7, "author_signature": "A"})
hidden = message(forward_origin={"type": "hidden_user", "date": 5, "sender_user_name": "H"})
found["forwarded"] = [one.forward_from.id, one.forward_date.timestamp(), one.forward_from_chat, post.forward_from_chat.id, post.forward_from_message_id]
found["forwarded"] += [post.forward_signature, post.forward_from, hidden.forward_sender_name, message().forward_date]
found["thumb"] = one.document.thumb.file_id
found["voice chat"] = message(video_chat_ended={"duration": 5}).voice_chat_ended.duration
member = ChatMember.de_json({"status": "member", "user": user}, None)
found["member"] = [member.can_be_edited, member.until_date, member.custom_title, ChatMember.CREATOR, ChatMember.KICKED, member.can_manage_voice_chats]
found["chat"] = [one.chat.description, one.chat.photo, one.chat.all_members_are_administrators]
one.text, one.chat.title = "new", "title"
found["changed"] = [one.text, one.chat.title]
found["markup"] = [isinstance(kind, ReplyMarkup) for kind in (ForceReply(), InlineKeyboardMarkup([]), ReplyKeyboardRemove())]
found["permissions"] = ChatPermissions(True, True).can_send_media_messages
found["made"] = [InputTextMessageContent("t", "HTML", True).disable_web_page_preview, ForceReply(True, True).selective]
article = InlineQueryResultArticle(1, "t", InputTextMessageContent("t"), None, "https://a.example", True, "d", "https://t.example", 5, 6)
found["article"] = [article.description, article.thumb_url, article.thumb_width, article.thumb_height]
"""
    )
    assert found["forwarded"] == [1, 5.0, None, -1, 7, "A", None, "H", None]
    assert (found["thumb"], found["voice chat"]) == ("f", 5)
    assert found["member"] == [None, None, None, "creator", "kicked", None]
    assert found["chat"] == [None, None, None]
    assert found["changed"] == ["new", "title"]
    assert found["markup"] == [True] * 3
    assert found["permissions"] is True
    assert found["made"] == [True, True]
    assert found["article"] == ["d", "https://t.example", 5, 6]


def test_every_name_of_ext_is_there() -> None:
    """As 13.15's `telegram.ext.__all__` has them."""
    assert len(ext.__all__) == 39
    assert all(getattr(ext, name) is not None for name in ext.__all__)


def test_values_by_position() -> None:
    """They have the order of then; too many of them, or one given twice, is told by name."""
    assert named("Bot.send_message", (1, "t", "HTML", True), {"timeout": 5}) == {
        "chat_id": 1,
        "text": "t",
        "parse_mode": "HTML",
        "disable_web_page_preview": True,
        "timeout": 5,
    }
    with pytest.raises(TypeError, match=r"takes 4 values by position \(chat_id, action, timeout, api_kwargs\), and 5 were given"):
        named("Bot.send_chat_action", (1, 2, 3, 4, 5), {})
    with pytest.raises(TypeError, match="got chat_id twice"):
        named("Bot.send_chat_action", (1,), {"chat_id": 1})


def test_stickers_of_then() -> None:
    """A file for each format then, one list of stickers today."""
    assert translated("upload_sticker_file", {"user_id": 1, "png_sticker": "f"}) == {"user_id": 1, "sticker": "f", "sticker_format": "static"}
    assert translated("add_sticker_to_set", {"name": "n", "emojis": "😀", "tgs_sticker": "f"}) == {
        "name": "n",
        "sticker": {"sticker": "f", "format": "animated", "emoji_list": ["😀"]},
    }
    made = translated("create_new_sticker_set", {"name": "n", "webm_sticker": "f", "emojis": ["😀"], "contains_masks": True, "mask_position": "p"})
    assert made == {"name": "n", "stickers": [{"sticker": "f", "format": "video", "emoji_list": ["😀"], "mask_position": "p"}], "sticker_type": "mask"}


def test_the_network_of_a_program() -> None:
    """Proxy, credentials and timeouts become ways, and the time of an attempt and of a call; what nobody knows is told by name, and no password with it."""
    told = Request.of({"proxy_url": "socks5h://a:b@127.0.0.1:1", "con_pool_size": 8, "connect_timeout": 10.0, "read_timeout": 50.0}).options()
    assert (told["proxies"].scheme, told["proxies"].username, told["proxies"].password) == ("socks5h", "a", "b")
    assert (told["timeout"], told["deadline"]) == (60.0, 120.0)
    beside = Request.of({"proxy_url": "http://127.0.0.1:1", "urllib3_proxy_kwargs": {"username": "ann", "password": "pw"}}).options()
    assert (beside["proxies"].username, beside["proxies"].password, "timeout" in beside) == ("ann", "pw", False)
    assert Request().options() == {}
    with pytest.raises(ConfigError, match="nobody knows proxxy_url") as caught:
        Request.of({"proxxy_url": "http://a:secret@b"})
    assert "secret" not in str(caught.value)


def test_what_urllib3_was_told_is_told_to_be_of_no_use(caplog: pytest.LogCaptureFixture) -> None:
    """By name, once for each Request."""
    Request(proxy_url="http://127.0.0.1:1", urllib3_proxy_kwargs={"assert_hostname": False})
    assert "urllib3_proxy_kwargs: assert_hostname is not used" in caplog.text


@pytest.mark.slow
def test_downloads_fail_in_words_of_then() -> None:
    """What keeps a file from coming is an error of telegram.error, as of any call; it says whether anything was sent."""
    found = look(
        """
from telegram import Bot, File
from telegram.error import NetworkError
bot = Bot("123:" + "a" * 35, "http://127.0.0.1:9/bot")
file = File("f", "u", file_path="a.txt")
file.set_bot(bot)
for name, download in (("download", file.download), ("bytes", file.download_as_bytearray)):
    try:
        download()
    except NetworkError as error:
        found[name] = [type(error.__cause__).__name__, "never sent" in str(error)]
"""
    )
    assert found["download"] == found["bytes"] == ["NotSent", True]


def test_at_the_end_of_it_all_an_error_is_no_failure_of_a_handler() -> None:
    """What a handler raises while the runtime stops is handed on to it, which puts the update back; the error handlers are not told."""
    found = look(
        """
from telegram import Bot, Update
from telegram.ext import Dispatcher, TypeHandler
dispatcher = Dispatcher(Bot("123:" + "a" * 35), None, workers=0)
dispatcher.add_handler(TypeHandler(int, lambda update, context: [][1]))
dispatcher.add_error_handler(lambda update, context: found.setdefault("told", []).append(update))
dispatcher.handle(1, lambda: False)
try:
    dispatcher.handle(2, lambda: True)
except IndexError as error:
    found["raised"] = True
"""
    )
    assert (found["told"], found["raised"]) == ([1], True)
