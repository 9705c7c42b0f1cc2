"""The kinds of updates. Written by scripts/generators/generate_kinds.py; do not edit."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of update: a field of `Update`.

    Args:
        name: the field ("message").
        type: the Bot API's word for what it holds ("Message").
        chat: where the chat stands in it; empty where there is none, and for guest messages: the chat into which a guest message calls the
            bot may have the id of another chat that the bot knows, so that no data, state or reply may go by it.
        user: where the user who caused it stands; empty where there is none.
        pattern: the field whose text tells updates of this kind apart; "" where there is none.
    """

    name: str
    type: str
    chat: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    pattern: str = ""


API_VERSION = "10.3"
"""The version of the Bot API that the table describes."""

KINDS: tuple[Kind, ...] = (
    Kind("message", "Message", chat=("chat",), user=("from",)),
    Kind("edited_message", "Message", chat=("chat",), user=("from",)),
    Kind("channel_post", "Message", chat=("chat",), user=("from",)),
    Kind("edited_channel_post", "Message", chat=("chat",), user=("from",)),
    Kind("business_connection", "BusinessConnection", user=("user",)),
    Kind("business_message", "Message", chat=("chat",), user=("from",)),
    Kind("edited_business_message", "Message", chat=("chat",), user=("from",)),
    Kind("deleted_business_messages", "BusinessMessagesDeleted", chat=("chat",)),
    Kind("guest_message", "Message", user=("from",)),
    Kind("message_reaction", "MessageReactionUpdated", chat=("chat",), user=("user",)),
    Kind("message_reaction_count", "MessageReactionCountUpdated", chat=("chat",)),
    Kind("inline_query", "InlineQuery", user=("from",), pattern="query"),
    Kind("chosen_inline_result", "ChosenInlineResult", user=("from",), pattern="result_id"),
    Kind("callback_query", "CallbackQuery", chat=("message", "chat"), user=("from",), pattern="data"),
    Kind("shipping_query", "ShippingQuery", user=("from",), pattern="invoice_payload"),
    Kind("pre_checkout_query", "PreCheckoutQuery", user=("from",), pattern="invoice_payload"),
    Kind("purchased_paid_media", "PaidMediaPurchased", user=("from",), pattern="paid_media_payload"),
    Kind("poll", "Poll"),
    Kind("poll_answer", "PollAnswer", user=("user",)),
    Kind("my_chat_member", "ChatMemberUpdated", chat=("chat",), user=("from",)),
    Kind("chat_member", "ChatMemberUpdated", chat=("chat",), user=("from",)),
    Kind("chat_join_request", "ChatJoinRequest", chat=("chat",), user=("from",)),
    Kind("chat_boost", "ChatBoostUpdated", chat=("chat",)),
    Kind("removed_chat_boost", "ChatBoostRemoved", chat=("chat",)),
    Kind("managed_bot", "ManagedBotUpdated", user=("user",)),
    Kind("subscription", "BotSubscriptionUpdated", user=("user",), pattern="invoice_payload"),
    Kind("stopped_message_generation", "MessageGenerationStopped", chat=("chat",), user=("chat",)),
)

_SERVICE = """\
new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created
channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id pinned_message gift unique_gift gift_upgrade_sent
connected_website proximity_alert_triggered boost_added chat_background_set checklist_tasks_done checklist_tasks_added community_chat_added
community_chat_joined community_chat_removed direct_message_price_changed forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
general_forum_topic_hidden general_forum_topic_unhidden giveaway_created giveaway_winners giveaway_completed managed_bot_created paid_message_price_changed
poll_option_added poll_option_deleted suggested_post_approved suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded
video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited
"""
SERVICE_FIELDS = frozenset(_SERVICE.split())
"""The fields that make a message a service message: nobody wrote it, so it is no answer to a question."""
