"""Which methods of the Bot API a `Context` offers under which name, and what it fills in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from syncbot.client.api.table import MethodSpec, find_method, snake_case

PLACE = {"chat_id": "reply_chat_id", "business_connection_id": "business_connection_id"}
TOPIC = {"message_thread_id": "message_thread_id", "direct_messages_topic_id": "direct_messages_topic_id"}
MESSAGE = {"chat_id": "chat_id", "message_id": "message_id", "business_connection_id": "business_connection_id"}
EPHEMERAL = {"chat_id": "chat_id", "receiver_user_id": "receiver_user_id", "ephemeral_message_id": "ephemeral_message_id"}
ORIGIN = {"from_chat_id": "chat_id", "message_id": "message_id"}
MEMBER = {"chat_id": "chat_id", "user_id": "user_id"}

REPLIES = (
    "Message Photo LivePhoto Audio Document Video Animation Voice VideoNote PaidMedia MediaGroup Location Venue Contact Poll Checklist Dice"
    " Sticker RichMessage Invoice Game MessageDraft RichMessageDraft"
)
EDITS = {
    "edit": "editMessageText",
    "edit_caption": "editMessageCaption",
    "edit_media": "editMessageMedia",
    "edit_reply_markup": "editMessageReplyMarkup",
    "edit_live_location": "editMessageLiveLocation",
    "stop_live_location": "stopMessageLiveLocation",
    "edit_checklist": "editMessageChecklist",
    "stop_poll": "stopPoll",
}


@dataclass(frozen=True)
class Shortcut:
    """One method of a `Context`.

    Args:
        name: of the method ("reply_photo").
        method: of the Bot API ("sendPhoto").
        fixed: the parameters that the update says and a caller does not give, and the field of `ReplyTarget` that says each.
        defaults: those that the update says unless the caller gives them.
        edits: it is about a message of the bot.
    """

    name: str
    method: str
    fixed: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    edits: bool = False

    @cached_property
    def spec(self) -> MethodSpec:
        """What the Bot API says of the method."""
        spec = find_method(self.method)
        assert spec is not None, self.method
        return spec

    @property
    def quotable(self) -> bool:
        """It can be a reply to the message of the update."""
        return bool(self.defaults) and "reply_parameters" in self.spec.parameters

    @property
    def summary(self) -> str:
        """One line on what it does."""
        return self.spec.summary


def _replies() -> Iterable[Shortcut]:
    for word in REPLIES.split():
        name = "reply" if word == "Message" else "reply" + snake_case(word)
        yield Shortcut(name, f"send{word}", PLACE, TOPIC)
    yield Shortcut("send_chat_action", "sendChatAction", PLACE, TOPIC)


def _others() -> Iterable[Shortcut]:
    for name, method in EDITS.items():
        yield Shortcut(name, method, MESSAGE | {"inline_message_id": "inline_message_id"}, edits=True)
    yield Shortcut("delete", "deleteMessage", MESSAGE)
    yield Shortcut("pin", "pinChatMessage", MESSAGE)
    yield Shortcut("unpin", "unpinChatMessage", MESSAGE)
    yield Shortcut("react", "setMessageReaction", MESSAGE)
    yield Shortcut("forward", "forwardMessage", ORIGIN)
    yield Shortcut("copy", "copyMessage", ORIGIN)
    yield Shortcut("approve", "approveChatJoinRequest", MEMBER)
    yield Shortcut("decline", "declineChatJoinRequest", MEMBER)


SHORTCUTS: Mapping[str, Shortcut] = MappingProxyType({shortcut.name: shortcut for shortcut in (*_replies(), *_others())})
"""By name, except `answer`."""

FOR_EPHEMERAL: Mapping[str, Shortcut] = MappingProxyType(
    {
        name: Shortcut(name, method, EPHEMERAL, edits=name in EDITS)
        for name, method in (
            ("edit", "editEphemeralMessageText"),
            ("edit_caption", "editEphemeralMessageCaption"),
            ("edit_media", "editEphemeralMessageMedia"),
            ("edit_reply_markup", "editEphemeralMessageReplyMarkup"),
            ("delete", "deleteEphemeralMessage"),
        )
    }
)
"""What stands in for a shortcut where one user alone sees the message."""

ANSWERS: Mapping[str, Shortcut] = MappingProxyType(
    {
        kind: Shortcut("answer", method, {parameter: "query_id"})
        for kind, method, parameter in (
            ("callback_query", "answerCallbackQuery", "callback_query_id"),
            ("inline_query", "answerInlineQuery", "inline_query_id"),
            ("shipping_query", "answerShippingQuery", "shipping_query_id"),
            ("pre_checkout_query", "answerPreCheckoutQuery", "pre_checkout_query_id"),
            ("guest_message", "answerGuestQuery", "guest_query_id"),
            ("chat_join_request", "answerChatJoinRequestQuery", "chat_join_request_query_id"),
        )
    }
)
"""What `answer` is, by the kind of the update."""
