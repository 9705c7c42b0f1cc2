"""The methods about the bot itself, its queries and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.api.media import photo_sizes
from syncbot.testing.api.membership import ADMINISTRATOR_RIGHTS
from syncbot.testing.world.problems import OLD_QUERY, bad_request
from syncbot.types import JSON

DOWNLOAD_LIMIT = 20 << 20
"""Bytes that getFile hands out on Telegram's own server."""


def get_me(call: ApiCall) -> JSON:
    """getMe."""
    return call.world.me


def get_file(call: ApiCall) -> JSON:
    """getFile."""
    stored = call.store.find(str(call.get("file_id", "")))
    if stored is None:
        raise bad_request("invalid file_id")
    if stored.size > DOWNLOAD_LIMIT and not call.local:
        raise bad_request("file is too big")
    return {**stored.card, "file_path": str(stored.disk) if call.local else stored.path}


def answer_callback_query(call: ApiCall) -> bool:
    """answerCallbackQuery."""
    state = call.world.callbacks.get(str(call.get("callback_query_id", "")))
    if state is None:
        raise bad_request(OLD_QUERY)
    if len(str(call.get("text", ""))) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    state.answer = dict(call.params)
    call.world.changed.notify_all()
    return True


def _answer_query(id_name: str) -> Callable[[ApiCall], Any]:
    def answer(call: ApiCall) -> bool:
        query_id = str(call.get(id_name, ""))
        if query_id not in call.world.queries:
            raise bad_request(OLD_QUERY)
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
        kept.append({"command": name, "description": description, **({"is_ephemeral": True} if item.get("is_ephemeral") is True else {})})
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


def set_administrator_rights(call: ApiCall) -> bool:
    """setMyDefaultAdministratorRights: none at all where no rights are given."""
    call.world.settings[_rights_key(call)] = {name: value for name, value in call.get("rights", {}).items() if isinstance(value, bool)}
    return True


def get_administrator_rights(call: ApiCall) -> JSON:
    """getMyDefaultAdministratorRights."""
    return {**dict.fromkeys(ADMINISTRATOR_RIGHTS, False), **call.world.settings.get(_rights_key(call), {})}


def _rights_key(call: ApiCall) -> str:
    return f"rights/{'channels' if call.get('for_channels') is True else 'groups'}"


# ---------------------------------------------------------------------- profile photos


def _own_photos(call: ApiCall) -> list[list[JSON]]:
    found: list[list[JSON]] = call.world.settings.setdefault("profile_photos", [])
    return found


def set_profile_photo(call: ApiCall) -> bool:
    """setMyProfilePhoto."""
    photo = call.get("photo")
    kind = photo.get("type") if isinstance(photo, dict) else None
    if kind not in ("static", "animated"):
        raise bad_request("can't parse InputProfilePhoto JSON object")
    name = "photo" if kind == "static" else "animation"
    if not str(photo.get(name)).startswith("attach://"):
        raise bad_request("profile photo must be uploaded as a file")
    _own_photos(call).insert(0, photo_sizes(call.file(photo[name], name)))
    return True


def remove_profile_photo(call: ApiCall) -> bool:
    """removeMyProfilePhoto: the newest one."""
    if _own_photos(call):
        _own_photos(call).pop(0)
    return True


def get_profile_photos(call: ApiCall) -> JSON:
    """getUserProfilePhotos: the bot's own; a user of the test server has none."""
    if call.get("user_id") not in call.world.users:
        raise bad_request("user not found")
    photos = _own_photos(call) if call.get("user_id") == call.world.bot["id"] else []
    first = max(call.integer("offset"), 0)
    return {"total_count": len(photos), "photos": photos[first : first + min(max(call.integer("limit", 100), 1), 100)]}


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "getMe": get_me,
    "getFile": get_file,
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": _answer_query("inline_query_id"),
    "answerShippingQuery": _answer_query("shipping_query_id"),
    "answerPreCheckoutQuery": _answer_query("pre_checkout_query_id"),
    "setMyDefaultAdministratorRights": set_administrator_rights,
    "getMyDefaultAdministratorRights": get_administrator_rights,
    "setMyProfilePhoto": set_profile_photo,
    "removeMyProfilePhoto": remove_profile_photo,
    "getUserProfilePhotos": get_profile_photos,
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
