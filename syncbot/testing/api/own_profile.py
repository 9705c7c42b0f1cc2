"""The methods about the bot itself, its queries and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.world.problems import bad_request
from syncbot.types import JSON

DOWNLOAD_LIMIT = 20 << 20
"""Bytes that getFile hands out on Telegram's own server."""

_OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


def get_me(call: ApiCall) -> JSON:
    """getMe."""
    return call.world.me


def get_file(call: ApiCall) -> JSON:
    """getFile."""
    stored = call.store.find(str(call.get("file_id", "")))
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if stored.size > DOWNLOAD_LIMIT and not call.local:
        raise bad_request("file is too big")
    path = str(stored.disk) if call.local else stored.path
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size, "file_path": path}


def upload_sticker_file(call: ApiCall) -> JSON:
    """uploadStickerFile."""
    stored = call.file(call.get("sticker"), "sticker")
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}


def answer_callback_query(call: ApiCall) -> bool:
    """answerCallbackQuery."""
    state = call.world.callbacks.get(str(call.get("callback_query_id", "")))
    if state is None:
        raise bad_request(_OLD_QUERY)
    if len(str(call.get("text", ""))) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    state.answer = dict(call.params)
    call.world.changed.notify_all()
    return True


def _answer_query(id_name: str) -> Callable[[ApiCall], Any]:
    def answer(call: ApiCall) -> bool:
        query_id = str(call.get(id_name, ""))
        if query_id not in call.world.queries:
            raise bad_request(_OLD_QUERY)
        call.world.queries[query_id] = dict(call.params)
        call.world.changed.notify_all()
        return True

    return answer


# ---------------------------------------------------------------------- what the bot says about itself


def _scope_key(call: ApiCall, name: str) -> str:
    scope = call.get("scope", {})
    words = [str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope] if isinstance(scope, dict) else []
    return "/".join([name, *(words or ["default"]), str(call.get("language_code", ""))])


def set_my_commands(call: ApiCall) -> bool:
    """setMyCommands."""
    commands = call.get("commands")
    if not isinstance(commands, list) or not all(isinstance(item, dict) for item in commands):
        raise bad_request("can't parse commands JSON object")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for item in commands:
        name, description = str(item.get("command", "")).removeprefix("/"), str(item.get("description", ""))
        if not (1 <= len(name) <= 32 and all(c.isascii() and (c.islower() or c.isdigit() or c == "_") for c in name)):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept.append({"command": name, "description": description})
    call.world.settings[_scope_key(call, "commands")] = kept
    return True


def get_my_commands(call: ApiCall) -> list[JSON]:
    """getMyCommands."""
    found: list[JSON] = call.world.settings.get(_scope_key(call, "commands"), [])
    return found


def delete_my_commands(call: ApiCall) -> bool:
    """deleteMyCommands."""
    call.world.settings.pop(_scope_key(call, "commands"), None)
    return True


def _setter(name: str, limit: int) -> Callable[[ApiCall], Any]:
    def set_text(call: ApiCall) -> bool:
        text = str(call.get(name, ""))
        if len(text) > limit:
            raise bad_request(f"{name} is too long")
        call.world.settings[_scope_key(call, name)] = text
        return True

    return set_text


def _getter(name: str) -> Callable[[ApiCall], Any]:
    def get_text(call: ApiCall) -> JSON:
        fallback = call.world.bot["first_name"] if name == "name" else ""
        return {name: call.world.settings.get(_scope_key(call, name)) or fallback}

    return get_text


def set_chat_menu_button(call: ApiCall) -> bool:
    """setChatMenuButton."""
    call.world.settings[f"menu/{call.get('chat_id', '')}"] = call.get("menu_button") or {"type": "default"}
    return True


def get_chat_menu_button(call: ApiCall) -> JSON:
    """getChatMenuButton."""
    found: JSON = call.world.settings.get(f"menu/{call.get('chat_id', '')}", {"type": "commands"})
    return found


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "getMe": get_me,
    "getFile": get_file,
    "uploadStickerFile": upload_sticker_file,
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": _answer_query("inline_query_id"),
    "answerShippingQuery": _answer_query("shipping_query_id"),
    "answerPreCheckoutQuery": _answer_query("pre_checkout_query_id"),
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": _setter("name", 64),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description", 512),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description", 120),
    "getMyShortDescription": _getter("short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}
