"""From the parameters of a call to the content of a message: text with its markup, keyboards, replies, and media."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncbot.testing.api.text.entities import clean, merge_entities, utf16_length
from syncbot.testing.api.text.markup import parse_markup
from syncbot.testing.world.file_store import FileStore, StoredFile, UploadedFile
from syncbot.testing.world.problems import bad_request
from syncbot.testing.world.world import ChatState, World
from syncbot.types import JSON

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CALLBACK_DATA = 64


@dataclass(frozen=True)
class ApiCall:
    """One call that is being carried out.

    Args:
        method: in Telegram's spelling.
        params: decoded.
        files: uploads by form field.
        world: the state, whose lock is held.
        store: the files.
        local: whether this is a local Bot API server.
        push: queues an update.
    """

    method: str
    params: JSON
    world: World
    store: FileStore
    files: dict[str, UploadedFile] = field(default_factory=dict)
    local: bool = False
    push: Callable[[str, Any], Any] = lambda kind, value: None

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, `default` where it is absent."""
        value = self.params.get(name)
        return default if value is None else value

    def integer(self, name: str, default: int = 0) -> int:
        """A parameter that is an integer, `default` where it is absent or anything else."""
        return whole(self.params, name, default)

    def chat(self) -> ChatState:
        """The chat that the call wants to write to."""
        return self.world.writable_chat(self.params.get("chat_id"))

    def file(self, value: Any, field_name: str) -> StoredFile:
        """The file that a parameter means: an upload, a file id, or a URL; raises `ApiProblem` where it means none."""
        if isinstance(value, str) and value.startswith("attach://"):
            field_name = value.removeprefix("attach://")
            value = None
        uploaded = self.files.get(field_name)
        if value is None or (value == "" and uploaded is not None):
            stored = self.store.find(uploaded.file_id) if uploaded is not None else None
            if stored is None:
                raise bad_request(f"there is no {field_name} in the request")
            if stored.size == 0:
                raise bad_request("file must be non-empty")
            return stored
        text = str(value)
        if (known := self.store.find(text)) is not None:
            return known
        if text.startswith(("http://", "https://")):
            return self.store.add([text.encode("utf-8")], name=text.partition("?")[0].rpartition("/")[2] or "file")
        if self.local and text.startswith("file:///"):
            return self._local_file(text.removeprefix("file://"))
        raise bad_request("wrong file identifier/HTTP URL specified")

    def _local_file(self, path: str) -> StoredFile:
        from pathlib import Path

        try:
            return self.store.add([Path(path).read_bytes()], name=path)
        except OSError:
            raise bad_request("wrong file identifier/HTTP URL specified") from None


def whole(params: JSON, name: str, default: int = 0) -> int:
    """A value that is an integer, `default` where it is absent or anything else."""
    value = params.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def formatted(text: Any, parse_mode: Any, entities: Any, *, limit: int, name: str) -> tuple[str, list[JSON]]:
    """A text without its markup, and its entities; raises `ApiProblem` where it is too long or its markup is broken."""
    raw = "" if text is None else str(text)
    given: list[JSON] = [e for e in entities if _is_entity(e)] if isinstance(entities, list) else []
    if parse_mode:
        raw, given = parse_markup(raw, str(parse_mode))
    raw, given = clean(raw, given)
    stripped = raw.rstrip()
    lead = len(stripped) - len(stripped.lstrip())
    if lead:
        shift = utf16_length(stripped[:lead])
        given = [{**e, "offset": e["offset"] - shift} for e in given if e["offset"] >= shift]
    plain = stripped[lead:]
    if len(plain) > limit:
        raise bad_request(f"{name} is too long")
    return plain, merge_entities(given, plain)


def _is_entity(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str) and all(isinstance(value.get(name), int) for name in ("offset", "length"))


def text_content(call: ApiCall) -> JSON:
    """The text of sendMessage and editMessageText."""
    text, entities = formatted(call.get("text"), call.get("parse_mode"), call.get("entities"), limit=MAX_TEXT, name="message")
    if not text:
        raise bad_request("message text is empty")
    content: JSON = {"text": text}
    if entities:
        content["entities"] = entities
    preview = call.get("link_preview_options")
    if not isinstance(preview, dict) and call.get("disable_web_page_preview") in (True, "true", "True", "1", 1):
        preview = {"is_disabled": True}
    if isinstance(preview, dict):
        content["link_preview_options"] = preview
    return content


def caption_content(params: JSON) -> JSON:
    """The caption of a call or of an InputMedia."""
    limit = MAX_CAPTION
    text, entities = formatted(params.get("caption"), params.get("parse_mode"), params.get("caption_entities"), limit=limit, name="message caption")
    content: JSON = {}
    if text:
        content["caption"] = text
        if entities:
            content["caption_entities"] = entities
        if params.get("show_caption_above_media"):
            content["show_caption_above_media"] = True
    if params.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return content


def keyboard_content(call: ApiCall, edited: JSON | None = None) -> JSON:
    """The inline keyboard that stays with a message, with the `force_reply` of the message that is edited; raises `ApiProblem` where it is none."""
    markup = call.get("reply_markup")
    if markup is None or markup == "":
        return {}
    if not isinstance(markup, dict):
        raise bad_request("can't parse reply keyboard markup JSON object")
    for name, kind in (("inline_keyboard", "InlineKeyboardMarkup"), ("keyboard", "ReplyKeyboardMarkup")):
        rows = markup.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise bad_request(f'field "{name}" of the {kind} must be an Array of Arrays')
    if "inline_keyboard" not in markup:
        return {}
    rows = markup["inline_keyboard"]
    if not all(isinstance(button, dict) for row in rows for button in row):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    for button in (button for row in rows for button in row):
        check_button(button)
    kept = [row for row in rows if row]
    forces = (markup if edited is None else edited.get("reply_markup", {})).get("force_reply") is True
    return {"reply_markup": {"inline_keyboard": kept, **({"force_reply": True} if forces else {})}} if kept else {}


def check_button(button: JSON) -> None:
    """Refuse a button that has no text, does nothing without being disabled, or brings too much."""
    if not button.get("text"):
        raise bad_request("can't parse inline keyboard button: text must be non-empty")
    if len(button) == 1 or set(button) <= {"text", "style", "icon_custom_emoji_id"}:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode("utf-8")) <= MAX_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")


def reply_content(call: ApiCall, chat: ChatState) -> JSON:
    """The message that is replied to; raises `ApiProblem` where it does not exist and the call insists on it."""
    reply = call.get("reply_parameters")
    if not isinstance(reply, dict):
        reply = {"message_id": call.get("reply_to_message_id"), "allow_sending_without_reply": call.get("allow_sending_without_reply")}
    if not reply.get("message_id"):
        if reply.get("ephemeral_message_id") and not call.get("ephemeral_message_parameters"):
            raise bad_request("message to be replied not found")
        return {}
    other = call.world.find_chat(reply["chat_id"]) if reply.get("chat_id") else chat
    try:
        target = call.world.find_message(other, reply["message_id"], "message to be replied not found")
    except Exception:
        if str(reply.get("allow_sending_without_reply")).lower() in ("true", "1"):
            return {}
        raise
    quote = _quote(reply, target)
    if other is not chat:
        return {"external_reply": {"origin": origin_of(target), "chat": other.card, "message_id": target["message_id"]}, **quote}
    return {"reply_to_message": {key: value for key, value in target.items() if key != "reply_to_message"}, **quote}


def _quote(reply: JSON, target: JSON) -> JSON:
    """The part of the other message that is quoted, which has to stand in it."""
    if not reply.get("quote"):
        return {}
    text, entities = formatted(reply["quote"], reply.get("quote_parse_mode"), reply.get("quote_entities"), limit=MAX_CAPTION, name="message quote")
    whole = str(target.get("text") or target.get("caption") or "")
    at = whole.find(text)
    if at < 0 or not text:
        raise bad_request("QUOTE_TEXT_INVALID")
    return {"quote": {"text": text, "position": utf16_length(whole[:at]), "is_manual": True, **({"entities": entities} if entities else {})}}


def common_content(call: ApiCall, chat: ChatState) -> JSON:
    """What every sending method takes: the reply, the keyboard, the topic, the protection."""
    content = {**reply_content(call, chat), **keyboard_content(call)}
    if call.get("message_thread_id"):
        check_thread(chat, call.get("message_thread_id"))
        content["message_thread_id"] = call.get("message_thread_id")
        content["is_topic_message"] = True
    if call.get("protect_content") is True:
        content["has_protected_content"] = True
    if call.get("message_effect_id"):
        content["effect_id"] = str(call.get("message_effect_id"))
    if call.get("business_connection_id"):
        content["business_connection_id"] = str(call.get("business_connection_id"))
    return content


def check_thread(chat: ChatState, thread_id: Any) -> None:
    """In a private chat a topic has to be there; groups have threads under any message."""
    known = thread_id in chat.more.get("topics", {}) or any(message.get("message_thread_id") == thread_id for message in chat.messages.values())
    if chat.type == "private" and not known:
        raise bad_request("message thread not found")


def origin_of(message: JSON) -> JSON:
    """Where a message came from at first, as a Bot API MessageOrigin."""
    if "forward_origin" in message:
        origin: JSON = message["forward_origin"]
        return origin
    if "from" in message:
        return {"type": "user", "date": message["date"], "sender_user": message["from"]}
    return {"type": "channel", "date": message["date"], "chat": message["chat"], "message_id": message["message_id"]}
