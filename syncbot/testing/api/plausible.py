"""A plausible result of the right type for every method that has no handler of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.api.membership import invite_link, member_card
from syncbot.testing.api.stickers import sticker_card
from syncbot.testing.world.problems import bad_request

if TYPE_CHECKING:
    from syncbot.client.api.table import MethodSpec


def plausible(call: ApiCall, spec: MethodSpec) -> Any:
    """A result of the method's type; a chat or a message that the call names has to exist, as with Telegram."""
    if "chat_id" in spec.parameters and call.get("chat_id") is not None:
        chat = call.chat()
        if spec.parameters.get("message_id") and call.get("message_id") is not None:
            call.world.find_message(chat, call.get("message_id"), "message not found")
    for kind in spec.returns:
        if kind in _BUILD:
            return _BUILD[kind](call)
        if kind.startswith("Array of ") and kind.removeprefix("Array of ") in _BUILD:
            return [_BUILD[kind.removeprefix("Array of ")](call)]
    raise bad_request(f"the test server cannot make a {' or '.join(spec.returns)}")


def _text(call: ApiCall) -> str:
    if call.method == "createInvoiceLink":
        return f"https://t.me/$test{call.world.number()}"
    return f"{987_000_000 + call.world.number()}:TEST-managed-bot-token-of-35-letter"


def _file(call: ApiCall) -> dict[str, Any]:
    stored = call.store.add([b"file"], name="file.bin")
    return {**stored.card, "file_path": stored.path}


def _sticker(call: ApiCall) -> dict[str, Any]:
    return sticker_card(call.store.add([b"sticker"], name="sticker.webp"), emoji="🙂", set_name="test_set")


def _message(call: ApiCall) -> Any:
    chat_id = call.get("chat_id") if call.get("chat_id") is not None else call.get("user_id")
    return call.world.add_message(call.world.writable_chat(chat_id), call.world.bot, {"text": call.method})


def _poll(call: ApiCall) -> dict[str, Any]:
    flags = {"is_closed": True, "is_anonymous": True, "allows_multiple_answers": False, "allows_revoting": True, "members_only": False}
    return {"id": str(call.world.number()), "question": "?", "options": [], "total_voter_count": 0, "type": "regular", **flags}


def _story(call: ApiCall) -> dict[str, Any]:
    return {"chat": {"id": call.world.bot["id"], "type": "private", "first_name": "Business"}, "id": call.get("story_id") or call.world.number()}


def _connection(call: ApiCall) -> dict[str, Any]:
    user = next((user for user in call.world.users.values() if not user["is_bot"]), call.world.bot)
    name = str(call.get("business_connection_id", "connection"))
    return {"id": name, "user": user, "user_chat_id": user["id"], "date": int(time.time()), "is_enabled": True}


_BUILD: Mapping[str, Callable[[ApiCall], Any]] = {
    "Boolean": lambda call: True,
    "True": lambda call: True,
    "Integer": lambda call: 1,
    "String": _text,
    "User": lambda call: call.world.bot,
    "Message": _message,
    "MessageId": lambda call: {"message_id": _message(call)["message_id"]},
    "File": _file,
    "Sticker": _sticker,
    "Poll": _poll,
    "Story": _story,
    "ChatInviteLink": lambda call: invite_link(call),
    "ChatMember": lambda call: member_card(call.world.bot, "member"),
    "UserProfileAudios": lambda call: {"total_count": 0, "audios": []},
    "UserChatBoosts": lambda call: {"boosts": []},
    "BusinessConnection": _connection,
    "BotAccessSettings": lambda call: {"is_access_restricted": False},
    "BotCommand": lambda call: {"command": "start", "description": "Start"},
    "BotName": lambda call: {"name": call.world.bot["first_name"]},
    "BotDescription": lambda call: {"description": ""},
    "BotShortDescription": lambda call: {"short_description": ""},
    "MenuButton": lambda call: {"type": "commands"},
    "Gifts": lambda call: {"gifts": [{"id": "1", "sticker": _sticker(call), "star_count": 15}]},
    "OwnedGifts": lambda call: {"total_count": 0, "gifts": []},
    "StarAmount": lambda call: {"amount": 100, "nanostar_amount": 0},
    "StarTransactions": lambda call: {"transactions": []},
    "SentWebAppMessage": lambda call: {"inline_message_id": f"inline-{call.world.number()}"},
    "SentGuestMessage": lambda call: {"inline_message_id": f"inline-{call.world.number()}"},
    "PreparedInlineMessage": lambda call: {"id": f"prepared-{call.world.number()}", "expiration_date": int(time.time()) + 86_400},
    "PreparedKeyboardButton": lambda call: {"id": f"prepared-{call.world.number()}"},
    "GameHighScore": lambda call: {"position": 1, "user": call.world.bot, "score": 1},
}
