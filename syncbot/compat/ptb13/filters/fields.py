"""Filters that look at one thing: whether a message has a field, where it was sent, and by which kind of update it came."""

from __future__ import annotations

import warnings
from typing import Any

from syncbot.compat.ptb13.filters.base import MessageFilter, UpdateFilter
from syncbot.compat.ptb13.utils.deprecate import TelegramDeprecationWarning


class All(MessageFilter):
    """Every message."""

    _name = "Filters.all"

    def filter(self, message: Any) -> bool:
        return True


class HasField(MessageFilter):
    """Messages in which one of the fields is there, and is not empty."""

    def __init__(self, name: str, *fields: str, shown: str | None = None) -> None:
        self.name = shown or f"Filters.{name}"
        self._fields = fields or (name.rpartition(".")[2],)

    def filter(self, message: Any) -> bool:
        return any(getattr(message, field, None) for field in self._fields)


class UserHas(UpdateFilter):
    """Updates from a user of whom something is true."""

    def __init__(self, name: str, field: str) -> None:
        self.name = f"Filters.{name}"
        self._field = field

    def filter(self, update: Any) -> bool:
        return bool(update.effective_user and getattr(update.effective_user, self._field, None))


class InChat(MessageFilter):
    """Messages sent in chats of some types."""

    def __init__(self, name: str, *types: str, instead: str = "") -> None:
        self.name = f"Filters.{name}"
        self._types = types
        self._instead = instead

    def filter(self, message: Any) -> bool:
        if self._instead:
            warnings.warn(f"{self.name} is deprecated. Use Filters.{self._instead} instead.", TelegramDeprecationWarning, stacklevel=3)
        return bool(message.chat.type in self._types)


class ChatType(MessageFilter):
    """Any message in a chat; the single types are its attributes."""

    _name = "Filters.chat_type"
    channel = InChat("chat_type.channel", "channel")
    group = InChat("chat_type.group", "group")
    supergroup = InChat("chat_type.supergroup", "supergroup")
    groups = InChat("chat_type.groups", "group", "supergroup")
    private = InChat("chat_type.private", "private")

    def filter(self, message: Any) -> bool:
        return bool(message.chat.type)


class UpdateHas(UpdateFilter):
    """Updates of some kinds."""

    def __init__(self, name: str, *fields: str) -> None:
        self.name = f"Filters.update.{name}"
        self._fields = fields or (name,)

    def filter(self, update: Any) -> bool:
        return any(getattr(update, field) is not None for field in self._fields)


class UpdateKind(UpdateFilter):
    """Messages and channel posts, edited or not; the single kinds are its attributes."""

    _name = "Filters.update"
    message = UpdateHas("message")
    edited_message = UpdateHas("edited_message")
    messages = UpdateHas("messages", "message", "edited_message")
    channel_post = UpdateHas("channel_post")
    edited_channel_post = UpdateHas("edited_channel_post")
    channel_posts = UpdateHas("channel_posts", "channel_post", "edited_channel_post")

    def filter(self, update: Any) -> bool:
        return bool(self.messages(update) or self.channel_posts(update))


class StatusUpdate(UpdateFilter):
    """Messages that tell of something in the chat; the single ones are its attributes."""

    _name = "Filters.status_update"
    new_chat_members = HasField("status_update.new_chat_members")
    left_chat_member = HasField("status_update.left_chat_member")
    new_chat_title = HasField("status_update.new_chat_title")
    new_chat_photo = HasField("status_update.new_chat_photo")
    delete_chat_photo = HasField("status_update.delete_chat_photo")
    chat_created = HasField("status_update.chat_created", "group_chat_created", "supergroup_chat_created", "channel_chat_created")
    message_auto_delete_timer_changed = HasField("status_update.message_auto_delete_timer_changed", shown="MessageAutoDeleteTimerChanged")
    migrate = HasField("status_update.migrate", "migrate_from_chat_id", "migrate_to_chat_id")
    pinned_message = HasField("status_update.pinned_message")
    connected_website = HasField("status_update.connected_website")
    proximity_alert_triggered = HasField("status_update.proximity_alert_triggered")
    voice_chat_scheduled = HasField("status_update.voice_chat_scheduled", "video_chat_scheduled")
    voice_chat_started = HasField("status_update.voice_chat_started", "video_chat_started")
    voice_chat_ended = HasField("status_update.voice_chat_ended", "video_chat_ended")
    voice_chat_participants_invited = HasField("status_update.voice_chat_participants_invited", "video_chat_participants_invited")
    video_chat_scheduled = HasField("status_update.video_chat_scheduled")
    video_chat_started = HasField("status_update.video_chat_started")
    video_chat_ended = HasField("status_update.video_chat_ended")
    video_chat_participants_invited = HasField("status_update.video_chat_participants_invited")
    web_app_data = HasField("status_update.web_app_data")
    forum_topic_created = HasField("status_update.forum_topic_created")
    forum_topic_closed = HasField("status_update.forum_topic_closed")
    forum_topic_reopened = HasField("status_update.forum_topic_reopened")

    def filter(self, update: Any) -> bool:
        return any(bool(each(update)) for each in vars(type(self)).values() if isinstance(each, HasField))
