"""Calls of a bot of python-telegram-bot 13, and what goes over the line. Runs under both; needs the standard library alone.

What the Bot API has in other words today is put into those of then.
"""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from ptb13.handler_table import ANN, ME, PRIVATE, pressed, said
from telegram import (
    Bot,
    Chat,
    ChatAction,
    ChatPermissions,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultPhoto,
    InputMediaPhoto,
    InputTextMessageContent,
    KeyboardButton,
    LabeledPrice,
    MessageEntity,
    ParseMode,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    TelegramError,
    Update,
)
from telegram.error import BadRequest, ChatMigrated, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut, Unauthorized
from telegram.ext import Defaults, ExtBot

GROUP = {"id": -21, "type": "group", "title": "Group"}
TOKEN = "123:" + "a" * 35
BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y"), InlineKeyboardButton("Site", "https://a.example")]])
MESSAGE = {**said("sent"), "from": ME}
MEMBER = {"user": ANN, "status": "member"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_path": "docs/a.txt"}
ANSWERS: dict[str, Any] = {
    "getMe": ME,
    "getFile": FILE,
    "getChat": {**GROUP, "accent_color_id": 0, "max_reaction_count": 1},
    "getChatMember": MEMBER,
    "getChatAdministrators": [MEMBER],
    "getChatMemberCount": 7,
    "getChatMembersCount": 7,
    "getUserProfilePhotos": {"total_count": 1, "photos": [[{**FILE, "width": 1, "height": 1}]]},
    "sendMediaGroup": [MESSAGE],
    "copyMessage": {"message_id": 5},
    "getUpdates": [],
    "sendChatAction": True,
    "exportChatInviteLink": "https://t.me/x",
    "getMyCommands": [{"command": "a", "description": "b"}],
}
REFUSALS: dict[str, Any] = {
    "400": {"error_code": 400, "description": "Bad Request: chat not found"},
    "401": {"error_code": 401, "description": "Unauthorized"},
    "403": {"error_code": 403, "description": "Forbidden: bot was blocked by the user"},
    "404": {"error_code": 404, "description": "Not Found"},
    "409": {"error_code": 409, "description": "Conflict: terminated by other getUpdates request"},
    "429": {"error_code": 429, "description": "Too Many Requests: retry after 100", "parameters": {"retry_after": 100}},
    "migrated": {"error_code": 400, "description": "Bad Request: group chat was upgraded", "parameters": {"migrate_to_chat_id": -100123}},
}


def is_true(name: str) -> bool:
    """Whether a method answers with a mere yes."""
    return not name.startswith(("send", "get", "edit", "forward", "stop", "copy", "export"))


class Line(BaseHTTPRequestHandler):
    """A Bot API server that notes what it is asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *values: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """A file."""
        self._send(200, b"content")

    def do_POST(self) -> None:
        """A call."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = self.path.rpartition("/")[2]
        fields = parameters(self.headers.get("Content-Type") or "", body)
        if method.startswith("edit"):
            fields.pop("disable_notification", None)  # nobody is notified of it
        if method == "getMe":
            self._answer(200, {"ok": True, "result": ME})
            return
        self.server.calls.append([method, fields])  # type: ignore[attr-defined]  # the server below has it
        refusal = REFUSALS.get(str(fields.get("text")))
        if refusal is not None:
            self._answer(refusal["error_code"], {"ok": False, **refusal})
            return
        self._answer(200, {"ok": True, "result": ANSWERS.get(method, True if is_true(method) else MESSAGE)})

    def _answer(self, status: int, envelope: Any) -> None:
        self._send(status, json.dumps(envelope).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def parameters(kind: str, body: bytes) -> dict[str, Any]:
    """The parameters of a call, whichever way they were written."""
    if kind.startswith("application/json"):
        found = json.loads(body or b"{}")
    elif kind.startswith("multipart/"):
        found = {}
        for part in body.split(b"--" + kind.partition("boundary=")[2].strip('"').encode()):
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]*)"', head)
            if name is not None:
                file = re.search(rb'filename="([^"]*)"', head)
                found[name[1].decode()] = f"file {file[1].decode()}: {value.rstrip().decode()}" if file else value.rstrip().decode()
    else:
        found = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return in_words_of_then({name: read(value) for name, value in found.items()})


NOT_SAID = {"cache_time": 300, "limit": 100, "allows_multiple_answers": False, "selective": False}
"""What 13 says of its own accord, and is so anyway."""


def read(value: Any) -> Any:
    """A value that may be JSON within JSON."""
    if value in ("True", "False"):
        return value == "True"
    if isinstance(value, str) and value not in REFUSALS:
        try:
            return read(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {name: read(inner) for name, inner in value.items() if inner is not None and NOT_SAID.get(name, ...) != inner}
    return [read(inner) for inner in value] if isinstance(value, list) else value


def in_words_of_then(found: dict[str, Any]) -> dict[str, Any]:
    """What has another name or place today."""
    text = json.dumps(found)
    for new, old in (("thumbnail", "thumb"), ("can_manage_video_chats", "can_manage_voice_chats")):
        text = text.replace(f'"{new}', f'"{old}')
    found = json.loads(text)
    if isinstance(reply := found.pop("reply_parameters", None), dict):
        found["reply_to_message_id"] = reply["message_id"]
        if "allow_sending_without_reply" in reply:
            found["allow_sending_without_reply"] = reply["allow_sending_without_reply"]
    if isinstance(preview := found.pop("link_preview_options", None), dict):
        found["disable_web_page_preview"] = preview["is_disabled"]
    if (right := found.pop("correct_option_ids", None)) is not None:
        found["correct_option_id"] = right[0]
    if isinstance(found.get("options"), list):
        found["options"] = [one["text"] if isinstance(one, dict) else one for one in found["options"]]
    if isinstance(button := found.pop("button", None), dict):
        found |= {"switch_pm_text": button["text"], "switch_pm_parameter": button["start_parameter"]}
    for result in found.get("results") or ():
        content = result.get("input_message_content", {})
        if isinstance(preview := content.pop("link_preview_options", None), dict):
            content["disable_web_page_preview"] = preview["is_disabled"]
    permissions = found.get("permissions")
    if isinstance(permissions, dict):
        media = [
            permissions.pop(name) for name in list(permissions) if re.fullmatch(r"can_send_(audios|documents|photos|videos|video_notes|voice_notes)", name)
        ]
        if media:
            permissions["can_send_media_messages"] = all(media)
    for part in found.get("media") or () if isinstance(found.get("media"), list) else [found.get("media")]:
        if isinstance(part, dict):
            part["media"] = re.sub(r"attach://.*", "attach://…", part["media"])
    if "reply_to_message_id" not in found:
        found.pop("allow_sending_without_reply", None)
    if isinstance(found.get("thumb"), str):
        found["thumb"] = re.sub("^file .*:", "file:", found["thumb"])
    found = {name: value for name, value in found.items() if NOT_SAID.get(name, ...) != value}
    return {re.sub(r"attached.*|file\d+|[0-9a-f]{32}", "attached", name): value for name, value in found.items()}


CALLS: dict[str, Callable[[Any], Any]] = {
    "send": lambda bot: bot.send_message(1, "hi"),
    "send, camel": lambda bot: bot.sendMessage(1, "hi"),
    "send, by position": lambda bot: bot.send_message(1, "hi", ParseMode.HTML, True, True, 5, BUTTONS, 9),
    "send, by name": lambda bot: bot.send_message(chat_id="@x", text="hi", disable_web_page_preview=True, reply_to_message_id=7, timeout=20),
    "send, without reply": lambda bot: bot.sendMessage(1, "hi", reply_to_message_id=7, allow_sending_without_reply=True),
    "send, entities": lambda bot: bot.send_message(1, "hi", entities=[MessageEntity("bold", 0, 2)]),
    "send, api_kwargs": lambda bot: bot.send_message(1, "hi", api_kwargs={"protect_content": True}),
    "send, keyboard": lambda bot: bot.send_message(1, "hi", reply_markup=ReplyKeyboardMarkup([["A", KeyboardButton("B", True)]], True, one_time_keyboard=True)),
    "send, no keyboard": lambda bot: bot.send_message(1, "hi", reply_markup=ReplyKeyboardRemove(True)),
    "send, force reply": lambda bot: bot.send_message(1, "hi", reply_markup=ForceReply(selective=True)),
    "photo": lambda bot: bot.send_photo(1, "id", "caption", True, 5, BUTTONS, 9, ParseMode.MARKDOWN),
    "photo, file": lambda bot: bot.sendPhoto(1, io.BytesIO(b"data"), filename="a.jpg"),
    "document": lambda bot: bot.send_document(1, io.BytesIO(b"data"), "a.txt", "caption"),
    "audio": lambda bot: bot.send_audio(1, "id", 5, "who", "what", thumb=io.BytesIO(b"t")),
    "video": lambda bot: bot.send_video(1, "id", 5, "caption", width=1, height=2, supports_streaming=True),
    "group": lambda bot: bot.send_media_group(1, [InputMediaPhoto("id", "caption", ParseMode.HTML), InputMediaPhoto("id2")]),
    "location": lambda bot: bot.send_location(1, 2.5, 3.5),
    "venue": lambda bot: bot.send_venue(1, 2.5, 3.5, "title", "address", "f"),
    "contact": lambda bot: bot.send_contact(1, "+1", "Ann", "Last"),
    "poll": lambda bot: bot.send_poll(1, "?", ["a", "b"], False, "quiz", False, 1),
    "dice": lambda bot: bot.send_dice(1, emoji="🎲"),
    "action": lambda bot: bot.send_chat_action(1, ChatAction.TYPING),
    "old action": lambda bot: bot.sendChatAction(chat_id=1, action=ChatAction.UPLOAD_PHOTO),
    "invoice": lambda bot: bot.send_invoice(1, "t", "d", "p", "token", "EUR", [LabeledPrice("a", 100)], "start", need_name=True),
    "forward": lambda bot: bot.forward_message(1, 2, 3, True),
    "copy": lambda bot: bot.copy_message(1, 2, 3, "caption", "HTML"),
    "edit": lambda bot: bot.edit_message_text("new", 1, 2, None, "HTML", True, BUTTONS),
    "edit inline": lambda bot: bot.editMessageText("new", inline_message_id="i"),
    "edit buttons": lambda bot: bot.edit_message_reply_markup(1, 2, reply_markup=None),
    "edit caption": lambda bot: bot.edit_message_caption(1, 2, None, "caption", BUTTONS),
    "edit media": lambda bot: bot.edit_message_media(1, 2, None, InputMediaPhoto("id")),
    "delete": lambda bot: bot.delete_message(1, 2),
    "answer": lambda bot: bot.answer_callback_query("1", "text", True, None, 5),
    "answer inline": lambda bot: bot.answer_inline_query(
        "1",
        [InlineQueryResultArticle("1", "title", InputTextMessageContent("text", "HTML", True), BUTTONS, "https://a.example", None, "what", "https://t")],
        5,
        True,
    ),
    "answer inline, more": lambda bot: bot.answerInlineQuery(
        "1", [InlineQueryResultPhoto("1", "https://p", "https://t", 5, 6, caption="c")], switch_pm_text="Go", switch_pm_parameter="x"
    ),
    "answer inline, plain": lambda bot: bot.answer_inline_query(
        "1",
        [
            InlineQueryResultArticle("1", "title", InputTextMessageContent("text")),
            InlineQueryResultArticle("2", "title", InputTextMessageContent("text", None)),
            InlineQueryResultPhoto("3", "https://p", "https://t", caption="c"),
        ],
    ),
    "until": lambda bot: bot.ban_chat_member(1, 2, until_date=datetime(2026, 1, 2, 3, 4, 5)),
    "kick": lambda bot: bot.kickChatMember(1, 2),
    "members": lambda bot: [bot.get_chat_members_count(1), bot.getChatMembersCount(1), message(bot, GROUP).chat.get_members_count()],
    "photo's file": lambda bot: update(bot, {"message": said("", photo=[{**FILE, "width": 1, "height": 1}])}).message.photo[-1].get_file().file_id,
    "shipping": lambda bot: bot.answer_shipping_query("1", False, error_message="no"),
    "checkout": lambda bot: bot.answer_pre_checkout_query("1", True),
    "permissions": lambda bot: bot.restrict_chat_member(1, 2, ChatPermissions(True, False), 1_700_000_000),
    "promote": lambda bot: bot.promote_chat_member(1, 2, can_delete_messages=True, can_manage_voice_chats=True),
    "unban": lambda bot: bot.unban_chat_member(1, 2, only_if_banned=True),
    "file": lambda bot: bytes(bot.get_file("f").download_as_bytearray()).decode(),
    "file into": lambda bot: download(bot),
    "chat": lambda bot: bot.get_chat("@x").title,
    "member": lambda bot: (lambda one: [one.status, one.user.id, one.can_be_edited, one.until_date, one.CREATOR])(bot.get_chat_member(1, 11)),
    "admins": lambda bot: [type(bot.get_chat_administrators(1)).__name__, len(bot.get_chat_administrators(1))],
    "count": lambda bot: bot.get_chat_member_count(1),
    "photos": lambda bot: bot.get_user_profile_photos(1, limit=1).photos[0][-1].file_id,
    "commands": lambda bot: bot.set_my_commands([("a", "does a"), ("b", "does b")]),
    "invite": lambda bot: bot.export_chat_invite_link(1),
    "pin": lambda bot: bot.pin_chat_message(1, 2, True),
    "hook": lambda bot: bot.set_webhook("https://a.example", max_connections=5, allowed_updates=["message"]),
    "updates": lambda bot: bot.get_updates(5, timeout=0, allowed_updates=["message"]),
    "itself": lambda bot: [bot.id, bot.username, bot.first_name, bot.name, bot.link, bot.bot.id, bot.token == TOKEN],
    "reply": lambda bot: message(bot).reply_text("hi"),
    "reply, quoting": lambda bot: message(bot).reply_text("hi", quote=True),
    "reply in a group": lambda bot: message(bot, GROUP).reply_text("hi"),
    "reply in a group, not quoting": lambda bot: message(bot, GROUP).reply_text("hi", quote=False),
    "reply, by position": lambda bot: message(bot).reply_text("hi", "HTML", True, True, 4, BUTTONS, 9),
    "reply, markdown": lambda bot: message(bot).reply_markdown_v2("*hi*", reply_markup=BUTTONS),
    "reply, html": lambda bot: message(bot).reply_html("<b>hi</b>", True),
    "reply, photo": lambda bot: message(bot).reply_photo("id", "caption", timeout=5),
    "reply, document": lambda bot: message(bot).reply_document(io.BytesIO(b"data"), "a.txt"),
    "reply, group": lambda bot: message(bot).reply_media_group([InputMediaPhoto("id")]),
    "reply, location": lambda bot: message(bot).reply_location(1.5, 2.5),
    "reply, action": lambda bot: message(bot).reply_chat_action("typing"),
    "message, edit": lambda bot: message(bot).edit_text("new", "HTML"),
    "message, buttons": lambda bot: message(bot).edit_reply_markup(BUTTONS),
    "message, delete": lambda bot: message(bot).delete(),
    "message, forward": lambda bot: message(bot).forward(5),
    "message, copy": lambda bot: message(bot).copy(5, "caption"),
    "message, pin": lambda bot: message(bot).pin(),
    "query": lambda bot: query(bot).answer("text", True),
    "query, edit": lambda bot: query(bot).edit_message_text("new", "HTML", reply_markup=BUTTONS),
    "query, caption": lambda bot: query(bot).edit_message_caption("new"),
    "query, buttons": lambda bot: query(bot).edit_message_reply_markup(),
    "query, delete": lambda bot: query(bot).delete_message(),
    "query, inline": lambda bot: query(bot, message=None, inline_message_id="i").edit_message_text("new"),
    "chat, send": lambda bot: message(bot).chat.send_message("hi"),
    "chat, action": lambda bot: message(bot).chat.send_action(ChatAction.TYPING),
    "chat, member": lambda bot: message(bot).chat.get_member(11).status,
    "user, send": lambda bot: message(bot).from_user.send_message("hi", "HTML"),
    "user, photos": lambda bot: message(bot).from_user.get_profile_photos().total_count,
    "inline query": lambda bot: update(bot, {"inline_query": {"id": "1", "from": ANN, "query": "q", "offset": ""}}).inline_query.answer([], 5),
    "a text": lambda bot: message(bot)["text"],
    "its bot": lambda bot: message(bot).bot is bot,
    "changed": lambda bot: changed(bot),
    "link": lambda bot: message(bot).from_user.mention_html("you"),
    "400": lambda bot: failing(bot, "400"),
    "401": lambda bot: failing(bot, "401"),
    "403": lambda bot: failing(bot, "403"),
    "404": lambda bot: failing(bot, "404"),
    "409": lambda bot: failing(bot, "409"),
    "429": lambda bot: failing(bot, "429"),
    "migrated": lambda bot: failing(bot, "migrated"),
    "reply, 403": lambda bot: failing(bot, "403", lambda text: message(bot).reply_text(text)),
    "a misspelt name": lambda bot: failing(bot, "x", lambda text: bot.send_message(1, text, paarse_mode="HTML")),
    "no method": lambda bot: failing(bot, "x", lambda text: bot.send_massage(1, text)),
    "no token": lambda bot: failing(bot, "x", lambda text: Bot("no token")),
}
DEFAULT_CALLS = ("send", "send, by name", "send, by position", "photo", "edit", "reply", "reply in a group", "reply, quoting", "poll", "answer", "reply, html")
DEFAULT_CALLS += ("answer inline", "answer inline, plain", "group", "edit media", "until")


class Zone(tzinfo):
    """Two hours east, in the way of pytz, which 13 needs."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Two hours."""
        return timedelta(hours=2)

    def dst(self, moment: datetime | None) -> timedelta:
        """None."""
        return timedelta(0)

    def localize(self, moment: datetime, is_dst: bool = False) -> datetime:
        """A time of this zone."""
        return moment.replace(tzinfo=self)


ERRORS = (BadRequest, ChatMigrated, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut, Unauthorized, TelegramError, TypeError, AttributeError)


def update(bot: Any, raw: dict[str, Any]) -> Any:
    """An update."""
    return Update.de_json({"update_id": 1, **raw}, bot)


def message(bot: Any, chat: Any = PRIVATE) -> Any:
    """A message that somebody has sent."""
    return update(bot, {"message": said("Hello", chat=chat)}).message


def query(bot: Any, **fields: Any) -> Any:
    """A pressed button."""
    return update(bot, pressed(data="x", **fields)).callback_query


def download(bot: Any) -> Any:
    """A file's content, into an object."""
    out = io.BytesIO()
    same = bot.get_file("f").download(out=out)
    return [same is out, out.getvalue().decode()]


def changed(bot: Any) -> Any:
    """Objects may be changed."""
    one = message(bot)
    one.text = "other"
    one.chat.title = "title"
    return [one.text, one.chat.title, isinstance(one.chat, Chat)]


def failing(bot: Any, text: str, call: Callable[[str], Any] | None = None) -> Any:
    """What is raised."""
    try:
        (call or (lambda text: bot.send_message(1, text)))(text)
    except ERRORS as error:
        more = [getattr(error, name) for name in ("retry_after", "new_chat_id") if hasattr(error, name)]
        kinds = [kind.__name__ for kind in ERRORS if isinstance(error, kind)]
        return [kinds, str(error) if isinstance(error, BadRequest | Unauthorized) else "", more]
    return "nothing"


def main() -> None:
    """Print each call's requests and its result."""
    warnings.simplefilter("ignore")
    logging.disable()
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Line)
    server.daemon_threads = True
    server.calls = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    address = {"base_url": f"{root}/bot", "base_file_url": f"{root}/file/bot"}
    told = {"defaults": Defaults(ParseMode.HTML, True, True, 9, True, Zone(), allow_sending_without_reply=True)}
    found: dict[str, Any] = {}
    for prefix, options, names in (("", {}, CALLS), ("defaults: ", told, DEFAULT_CALLS)):
        for name in names:
            server.calls.clear()
            result = CALLS[name](ExtBot(TOKEN, **address, **options))  # another each time: ours keep to Telegram's rates
            shown = result if isinstance(result, str | int | list | None) and not hasattr(result, "to_dict") else type(result).__name__
            shown = [one if isinstance(one, str | int | list | None) else type(one).__name__ for one in shown] if isinstance(shown, list) else shown
            found[prefix + name] = [list(server.calls), shown]
    print(json.dumps(found, sort_keys=True))


if __name__ == "__main__":
    main()
