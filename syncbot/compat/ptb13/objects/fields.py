"""What objects had in 13 under names that they have no more."""

from __future__ import annotations

from abc import ABC
from typing import Any

import telegram
from telegram import constants

from syncbot.compat.ptb13.bot.bot import Bot
from syncbot.compat.ptb13.bot.errors import Unauthorized

_OF_MEMBERS = (
    "can_add_web_page_previews",
    "can_be_edited",
    "can_change_info",
    "can_delete_messages",
    "can_edit_messages",
    "can_invite_users",
    "can_manage_chat",
    "can_manage_topics",
    "can_manage_video_chats",
    "can_pin_messages",
    "can_post_messages",
    "can_promote_members",
    "can_restrict_members",
    "can_send_messages",
    "can_send_other_messages",
    "can_send_polls",
    "custom_title",
    "is_anonymous",
    "is_member",
    "until_date",
)
_OF_CHATS = (
    "active_usernames",
    "bio",
    "can_set_sticker_set",
    "description",
    "emoji_status_custom_emoji_id",
    "has_private_forwards",
    "has_protected_content",
    "has_restricted_voice_and_video_messages",
    "invite_link",
    "join_by_request",
    "join_to_send_messages",
    "linked_chat_id",
    "location",
    "message_auto_delete_time",
    "permissions",
    "photo",
    "pinned_message",
    "slow_mode_delay",
    "sticker_set_name",
)
_WITH_THUMBNAIL = (
    *("Animation", "Audio", "Document", "Sticker", "StickerSet", "Video", "VideoNote"),
    *("InputMediaAnimation", "InputMediaAudio", "InputMediaDocument", "InputMediaVideo"),
)
_ATTACHMENTS = (
    *("animation", "audio", "contact", "dice", "document", "game", "invoice", "location", "passport_data", "photo", "poll", "sticker"),
    *("successful_payment", "venue", "video", "video_note", "voice"),
)
_MESSAGES = (
    *("text", "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created"),
    *("supergroup_chat_created", "channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id"),
    *("pinned_message", "proximity_alert_triggered", "video_chat_scheduled", "video_chat_started", "video_chat_ended"),
    *("video_chat_participants_invited", "web_app_data", "forum_topic_created", "forum_topic_closed", "forum_topic_reopened"),
)


_CONSTANTS = (
    *("MAX_CAPTION_LENGTH", "MAX_FILESIZE_DOWNLOAD", "MAX_FILESIZE_UPLOAD", "MAX_MESSAGES_PER_MINUTE_PER_GROUP", "MAX_MESSAGES_PER_SECOND"),
    *("MAX_MESSAGES_PER_SECOND_PER_CHAT", "MAX_MESSAGE_LENGTH", "SUPPORTED_WEBHOOK_PORTS"),
)
"""Those that stood in the package itself."""


class ReplyMarkup(ABC):  # noqa: B024  # it has no methods; what is one is registered below
    """Any keyboard that goes below a message."""


def install() -> None:
    """Put the old names onto telegram's classes and modules."""
    _thaw()
    for name in _WITH_THUMBNAIL:
        _also(getattr(telegram, name), "thumb", "thumbnail")
    for below in _below(telegram.InlineQueryResult):
        for old, new in (("url", "url"), ("width", "width"), ("height", "height"), ("mime_type", "mime_type")):
            if hasattr(below, f"thumbnail_{new}"):
                _also(below, f"thumb_{old}", f"thumbnail_{new}")
    _updates(telegram.Update)
    _messages(telegram.Message)
    _members(telegram.ChatMember)
    chat: Any = telegram.Chat
    for name in _OF_CHATS:
        setattr(chat, name, None)
    _read(chat, "all_members_are_administrators", lambda chat: chat.api_kwargs.get("all_members_are_administrators"))
    _also(telegram.ChatPermissions, "can_send_media_messages", "can_send_photos")
    _read(telegram.StickerSet, "contains_masks", lambda one: one.sticker_type == "mask")
    _read(telegram.InputTextMessageContent, "disable_web_page_preview", lambda one: getattr(one.link_preview_options, "is_disabled", None))
    _names()


def _thaw() -> None:
    """Let programs set the fields of objects, and reach the bot by `object.bot`."""
    base: Any = telegram.TelegramObject
    base.__setattr__, base.__delattr__ = object.__setattr__, object.__delattr__
    base.bot = property(lambda self: self._bot, lambda self, bot: self.set_bot(bot))


def _below(kind: type) -> list[type]:
    found: list[type] = [kind]
    below: type
    for below in kind.__subclasses__():
        found += _below(below)
    return found


def _read(kind: Any, name: str, read: Any) -> None:
    if not hasattr(kind, name):
        setattr(kind, name, property(read))


def _also(kind: Any, old: str, new: str) -> None:
    """Let a field be read and set by its old name too."""
    if not hasattr(kind, old):
        setattr(kind, old, property(lambda self: getattr(self, new), lambda self, value: setattr(self, new, value)))


def _updates(kind: Any) -> None:
    """A post in a channel came from nobody, whoever signed it."""
    today = kind.effective_user.fget

    def effective_user(update: Any) -> Any:
        return None if update.channel_post or update.edited_channel_post else today(update)

    kind.effective_user = property(effective_user)


def _messages(kind: Any) -> None:
    """A message tells where it was forwarded from in one object today, and in six fields then."""

    def from_origin(*names: str) -> Any:
        return lambda message: next((found for name in names if (found := getattr(message.forward_origin, name, None)) is not None), None)

    _read(kind, "forward_from", from_origin("sender_user"))
    _read(kind, "forward_from_chat", from_origin("chat", "sender_chat"))
    _read(kind, "forward_from_message_id", from_origin("message_id"))
    _read(kind, "forward_signature", from_origin("author_signature"))
    _read(kind, "forward_sender_name", from_origin("sender_user_name"))
    _read(kind, "forward_date", from_origin("date"))
    for what in ("started", "ended", "scheduled", "participants_invited"):
        _also(kind, f"voice_chat_{what}", f"video_chat_{what}")
    kind.ATTACHMENT_TYPES = list(_ATTACHMENTS)
    kind.MESSAGE_TYPES = [*_ATTACHMENTS, *_MESSAGES]


def _members(kind: Any) -> None:
    """Each member had all fields then, and None in those that do not concern it."""
    kind.CREATOR, kind.KICKED = kind.OWNER, kind.BANNED
    for name in _OF_MEMBERS:
        setattr(kind, name, None)
    _also(kind, "can_manage_voice_chats", "can_manage_video_chats")
    _read(kind, "can_send_media_messages", lambda member: getattr(member, "can_send_photos", None))


def _names() -> None:
    """The names of the package itself."""
    for markup in (telegram.InlineKeyboardMarkup, telegram.ReplyKeyboardMarkup, telegram.ReplyKeyboardRemove, telegram.ForceReply):
        ReplyMarkup.register(markup)
    flat = _constants()
    for name, value in flat.items():
        if not hasattr(constants, name):
            setattr(constants, name, value)
    known: Any = telegram
    known.Bot = Bot
    known.ReplyMarkup = ReplyMarkup
    known.ParseMode = constants.ParseMode
    known.ChatAction = _ChatAction
    known.TelegramError = known.error.TelegramError
    known.TelegramDecryptionError = known.error.TelegramDecryptionError = known.error.PassportDecryptionError
    known.error.Unauthorized = Unauthorized
    known.bot_api_version = flat["BOT_API_VERSION"]
    for what in ("Started", "Ended", "Scheduled", "ParticipantsInvited"):
        setattr(known, f"VoiceChat{what}", getattr(known, f"VideoChat{what}"))
    for name in _CONSTANTS:
        setattr(known, name, flat[name])
    known.__all__ = sorted({*known.__all__, *_CONSTANTS, "ChatAction", "ParseMode", "ReplyMarkup", "TelegramDecryptionError", "TelegramError"})


class _ChatAction:
    """What a chat sees the bot do; each is a text."""

    RECORD_AUDIO = "record_voice"
    UPLOAD_AUDIO = "upload_voice"


for _action in constants.ChatAction:
    setattr(_ChatAction, _action.name, _action.value)


def _constants() -> dict[str, Any]:
    """The constants of 13, which had no classes then."""
    found: dict[str, Any] = {
        "BOT_API_VERSION": constants.BOT_API_VERSION,
        "CHATACTION_RECORD_AUDIO": _ChatAction.RECORD_AUDIO,
        "CHATACTION_UPLOAD_AUDIO": _ChatAction.UPLOAD_AUDIO,
        "CHATMEMBER_CREATOR": "creator",
        "CHATMEMBER_KICKED": "kicked",
        "MAX_ANSWER_CALLBACK_QUERY_TEXT_LENGTH": 200,
        "MAX_CAPTION_LENGTH": 1024,
        "MAX_FILESIZE_DOWNLOAD": 20_000_000,
        "MAX_FILESIZE_UPLOAD": 50_000_000,
        "MAX_INLINE_QUERY_RESULTS": 50,
        "MAX_MESSAGES_PER_MINUTE_PER_GROUP": 20,
        "MAX_MESSAGES_PER_SECOND": 30,
        "MAX_MESSAGES_PER_SECOND_PER_CHAT": 1,
        "MAX_MESSAGE_ENTITIES": 100,
        "MAX_MESSAGE_LENGTH": 4096,
        "MAX_PHOTOSIZE_UPLOAD": 10_000_000,
        "MAX_POLL_OPTION_LENGTH": 100,
        "MAX_POLL_QUESTION_LENGTH": 300,
        "SUPPORTED_WEBHOOK_PORTS": [443, 80, 88, 8443],
        "DICE_ALL_EMOJI": [one.value for one in constants.DiceEmoji],
        "MESSAGEENTITY_ALL_TYPES": [one.value for one in constants.MessageEntityType],
        "UPDATE_ALL_TYPES": [one.value for one in constants.UpdateType],
    }
    classes = {
        "BOT_COMMAND_SCOPE": constants.BotCommandScopeType,
        "CHAT": constants.ChatType,
        "CHATACTION": constants.ChatAction,
        "CHATMEMBER": constants.ChatMemberStatus,
        "DICE": constants.DiceEmoji,
        "MENU_BUTTON": constants.MenuButtonType,
        "MESSAGEENTITY": constants.MessageEntityType,
        "PARSEMODE": constants.ParseMode,
        "POLL": constants.PollType,
        "UPDATE": constants.UpdateType,
    }
    several: list[tuple[str, Any]] = [*classes.items(), ("STICKER", constants.MaskPosition), ("STICKER", constants.StickerType)]
    for prefix, kind in several:
        found |= {f"{prefix}_{one.name}": one.value for one in kind}
    return found
