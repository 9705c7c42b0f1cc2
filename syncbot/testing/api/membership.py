"""The methods about chats, their members, pins and reactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.world.problems import bad_request
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

_GIFTS = dict.fromkeys(("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), True)
ADMINISTRATOR_RIGHTS = (
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
_PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_edit_tag",
    "can_react_to_messages",
)


def get_chat(call: ApiCall) -> JSON:
    """getChat."""
    chat = call.world.find_chat(call.get("chat_id"))
    full: JSON = {**chat.card, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _GIFTS}
    full.update(
        {key: chat.more[key] for key in ("description", "permissions", "bio", "invite_link", "sticker_set_name", "photo", "community") if chat.more.get(key)}
    )
    if chat.type in ("group", "supergroup"):
        full.setdefault("permissions", dict.fromkeys(_PERMISSIONS, True))
    if chat.pinned and chat.pinned[-1] in chat.messages:
        full["pinned_message"] = chat.messages[chat.pinned[-1]]
    return full


def member_card(user: JSON, status: str) -> JSON:
    """A Bot API ChatMember."""
    card: JSON = {"user": user, "status": status}
    match status:
        case "creator":
            card["is_anonymous"] = False
        case "administrator":
            card.update({"can_be_edited": False, **dict.fromkeys(ADMINISTRATOR_RIGHTS, True), "is_anonymous": False})
        case "restricted":
            card.update({"is_member": True, "until_date": 0, **dict.fromkeys(_PERMISSIONS, False)})
        case "kicked":
            card["until_date"] = 0
    return card


def _user(call: ApiCall, problem: str = "user not found") -> JSON:
    user = call.world.users.get(call.get("user_id"))
    if user is None:
        raise bad_request(problem)
    return user


def get_chat_member(call: ApiCall) -> JSON:
    """getChatMember."""
    chat = call.chat()
    user = _user(call, "member not found" if chat.type != "private" else "user not found")
    return member_card(user, chat.members.get(user["id"], "left"))


def get_chat_administrators(call: ApiCall) -> list[JSON]:
    """getChatAdministrators."""
    chat = _group(call, "there are no administrators in the private chat")
    return [member_card(call.world.users[n], status) for n, status in chat.members.items() if status in ("creator", "administrator")]


def get_chat_member_count(call: ApiCall) -> int:
    """getChatMemberCount."""
    return sum(status not in ("left", "kicked") for status in call.chat().members.values())


def _group(call: ApiCall, problem: str) -> ChatState:
    chat = call.chat()
    if chat.type == "private":
        raise bad_request(problem)
    return chat


def _set_status(status: str, *, only_from: tuple[str, ...] = ()) -> Callable[[ApiCall], Any]:
    def change(call: ApiCall) -> bool:
        chat = _group(call, "method is available for supergroup and channel chats only")
        user = _user(call, "PARTICIPANT_ID_INVALID")
        if chat.members.get(user["id"]) == "creator":
            raise bad_request("can't remove chat owner")
        if not only_from or chat.members.get(user["id"], "left") in only_from:
            chat.members[user["id"]] = status
        return True

    return change


def promote(call: ApiCall) -> bool:
    """promoteChatMember: with no right at all the user is an ordinary member again."""
    has_rights = any(call.get(name) is True for name in call.params if name.startswith("can_"))
    return bool(_set_status("administrator" if has_rights else "member")(call))


def leave_chat(call: ApiCall) -> bool:
    """leaveChat."""
    chat = _group(call, "chat is a private chat")
    chat.members[call.world.bot["id"]] = "left"
    chat.refusal = f"bot is not a member of the {chat.type} chat"
    return True


def _set_fact(parameter: str, key: str, limit: int, *, is_fact: bool) -> Callable[[ApiCall], Any]:
    def set_text(call: ApiCall) -> bool:
        chat = _group(call, "can't change a private chat")
        text = str(call.get(parameter, ""))
        if len(text) > limit:
            raise bad_request(f"chat {key} is too long")
        kept = chat.facts if is_fact else chat.more
        if kept.get(key, "") == text:
            raise bad_request(f"chat {key} is not modified")
        kept[key] = text
        return True

    return set_text


def set_permissions(call: ApiCall) -> bool:
    """setChatPermissions."""
    given = call.get("permissions")
    if not isinstance(given, dict):
        raise bad_request("can't parse permissions JSON object")
    _group(call, "can't change a private chat").more["permissions"] = {name: bool(given.get(name, False)) for name in _PERMISSIONS}
    return True


def set_photo(call: ApiCall) -> bool:
    """setChatPhoto: an upload alone will do."""
    chat = _group(call, "can't change a private chat")
    value = call.get("photo")
    if value and not str(value).startswith("attach://"):
        raise bad_request("photo must be uploaded as an InputFile")
    stored = call.file(value, "photo")
    chat.more["photo"] = {
        "small_file_id": stored.file_id,
        "small_file_unique_id": f"{stored.unique_id}s",
        "big_file_id": stored.file_id,
        "big_file_unique_id": stored.unique_id,
    }
    return True


def delete_photo(call: ApiCall) -> bool:
    """deleteChatPhoto."""
    _group(call, "can't change a private chat").more.pop("photo", None)
    return True


def create_topic(call: ApiCall) -> JSON:
    """createForumTopic."""
    topic: JSON = {"message_thread_id": call.world.number(), "name": str(call.get("name")), "icon_color": call.get("icon_color", 7_322_096)}
    call.chat().more.setdefault("topics", {})[topic["message_thread_id"]] = topic
    return topic


# ---------------------------------------------------------------------- pins and reactions


def pin(call: ApiCall) -> bool:
    """pinChatMessage."""
    chat = call.chat()
    message = call.world.find_message(chat, call.get("message_id"), "message to pin not found")
    chat.unpin(message["message_id"])
    chat.pinned.append(message["message_id"])
    return True


def unpin(call: ApiCall) -> bool:
    """unpinChatMessage: the newest where no id is given."""
    chat = call.chat()
    if call.get("message_id") is None:
        if chat.pinned:
            chat.pinned.pop()
        return True
    chat.unpin(call.world.find_message(chat, call.get("message_id"), "message to unpin not found")["message_id"])
    return True


def unpin_all(call: ApiCall) -> bool:
    """unpinAllChatMessages."""
    call.chat().pinned.clear()
    return True


def set_reaction(call: ApiCall) -> bool:
    """setMessageReaction; the bot's reactions are kept beside the chat, since a Message does not show them."""
    chat = call.chat()
    message = call.world.find_message(chat, call.get("message_id"), "message to react not found")
    reaction = call.get("reaction", [])
    if not isinstance(reaction, list) or not all(isinstance(item, dict) and item.get("type") in ("emoji", "custom_emoji", "paid") for item in reaction):
        raise bad_request("REACTION_INVALID")
    if len(reaction) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    chat.more.setdefault("reactions", {})[message["message_id"]] = reaction
    call.world.changed.notify_all()
    return True


# ---------------------------------------------------------------------- invitations


def invite_link(call: ApiCall, **facts: Any) -> JSON:
    """A Bot API ChatInviteLink of this bot."""
    link: JSON = {
        "invite_link": f"https://t.me/+test{call.world.number():08d}",
        "creator": call.world.bot,
        "creates_join_request": bool(call.get("creates_join_request", False)),
        "is_primary": False,
        "is_revoked": False,
    }
    for name in ("name", "expire_date", "member_limit", "subscription_period", "subscription_price"):
        if call.get(name) is not None:
            link[name] = call.get(name)
    return {**link, **facts}


def create_link(call: ApiCall) -> JSON:
    """createChatInviteLink and createChatSubscriptionInviteLink."""
    chat = _group(call, "can't invite members to a private chat")
    link = invite_link(call)
    chat.more.setdefault("links", {})[link["invite_link"]] = link
    return link


def _change_link(*, revoke: bool) -> Callable[[ApiCall], Any]:
    def change(call: ApiCall) -> JSON:
        chat = _group(call, "can't invite members to a private chat")
        name = str(call.get("invite_link"))
        if name not in chat.more.get("links", {}):
            raise bad_request("INVITE_HASH_EXPIRED")
        old = chat.more["links"][name]
        new: JSON = {**old, **{k: call.get(k) for k in ("name", "expire_date", "member_limit", "creates_join_request") if call.get(k) is not None}}
        new["is_revoked"] = revoke or old["is_revoked"]
        chat.more["links"][name] = new
        return new

    return change


def export_link(call: ApiCall) -> str:
    """exportChatInviteLink."""
    chat = _group(call, "can't invite members to a private chat")
    chat.more["invite_link"] = f"https://t.me/+main{call.world.number():08d}"
    return str(chat.more["invite_link"])


def _join_request(status: str) -> Callable[[ApiCall], Any]:
    def decide(call: ApiCall) -> bool:
        chat = _group(call, "can't invite members to a private chat")
        waiting = chat.more.get("join_requests", set())
        if call.get("user_id") not in waiting:
            raise bad_request("HIDE_REQUESTER_MISSING")
        waiting.discard(call.get("user_id"))
        chat.members[call.get("user_id")] = status
        call.world.changed.notify_all()
        return True

    return decide


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "banChatMember": _set_status("kicked"),
    "unbanChatMember": _set_status("left", only_from=("kicked",)),
    "restrictChatMember": _set_status("restricted"),
    "promoteChatMember": promote,
    "leaveChat": leave_chat,
    "setChatTitle": _set_fact("title", "title", 128, is_fact=True),
    "setChatDescription": _set_fact("description", "description", 255, is_fact=False),
    "setChatPermissions": set_permissions,
    "setChatPhoto": set_photo,
    "deleteChatPhoto": delete_photo,
    "createForumTopic": create_topic,
    "pinChatMessage": pin,
    "unpinChatMessage": unpin,
    "unpinAllChatMessages": unpin_all,
    "setMessageReaction": set_reaction,
    "createChatInviteLink": create_link,
    "createChatSubscriptionInviteLink": create_link,
    "editChatInviteLink": _change_link(revoke=False),
    "editChatSubscriptionInviteLink": _change_link(revoke=False),
    "revokeChatInviteLink": _change_link(revoke=True),
    "exportChatInviteLink": export_link,
    "approveChatJoinRequest": _join_request("member"),
    "declineChatJoinRequest": _join_request("left"),
}
