# Written by scripts/generators/generate_types.py for Bot API 10.3; do not edit.
# The same methods hand out other objects than those of syncbot.Bot and syncbot.Context:
# mypy: disable-error-code="assignment, override, misc"
from collections.abc import Callable
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from syncbot.client.bot import Bot as _Bot
from syncbot.runtime.handling.context import Context as _Context
from syncbot.runtime.handling.handlers import PlainDecorator as _Decorator

Decorator = _Decorator

_P = ParamSpec("_P")
_R = TypeVar("_R")

class _Gives(Generic[_R]):
    def __call__(self, method: Callable[Concatenate[Any, _P], object]) -> Callable[Concatenate[Any, _P], _R]: ...

class Object(dict[str, Any]):
    """A JSON object of the Bot API, its fields as attributes too."""

class AcceptedGiftTypes(Object):
    unlimited_gifts: Final[bool]
    limited_gifts: Final[bool]
    unique_gifts: Final[bool]
    premium_subscription: Final[bool]
    gifts_from_channels: Final[bool]

class AffiliateInfo(Object):
    affiliate_user: Final[User | None]
    affiliate_chat: Final[Chat | None]
    commission_per_mille: Final[int]
    amount: Final[int]
    nanostar_amount: Final[int | None]

class Animation(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    width: Final[int]
    height: Final[int]
    duration: Final[int]
    thumbnail: Final[PhotoSize | None]
    file_name: Final[str | None]
    mime_type: Final[str | None]
    file_size: Final[int | None]

class Audio(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    duration: Final[int]
    performer: Final[str | None]
    title: Final[str | None]
    file_name: Final[str | None]
    mime_type: Final[str | None]
    file_size: Final[int | None]
    thumbnail: Final[PhotoSize | None]

class BackgroundFill(Object):
    type: Final[str]
    color: Final[int | None]
    top_color: Final[int | None]
    bottom_color: Final[int | None]
    rotation_angle: Final[int | None]
    colors: Final[list[int] | None]

class BackgroundType(Object):
    type: Final[str]
    fill: Final[BackgroundFill | None]
    dark_theme_dimming: Final[int | None]
    document: Final[Document | None]
    is_blurred: Final[bool | None]
    is_moving: Final[bool | None]
    intensity: Final[int | None]
    is_inverted: Final[bool | None]
    theme_name: Final[str | None]

class Birthdate(Object):
    day: Final[int]
    month: Final[int]
    year: Final[int | None]

class BotAccessSettings(Object):
    is_access_restricted: Final[bool]
    added_users: Final[list[User] | None]

class BotCommand(Object):
    command: Final[str]
    description: Final[str]
    is_ephemeral: Final[bool | None]

class BotDescription(Object):
    description: Final[str]

class BotName(Object):
    name: Final[str]

class BotShortDescription(Object):
    short_description: Final[str]

class BotSubscriptionUpdated(Object):
    user: Final[User]
    invoice_payload: Final[str]
    state: Final[str]

class BusinessBotRights(Object):
    can_reply: Final[bool | None]
    can_read_messages: Final[bool | None]
    can_delete_sent_messages: Final[bool | None]
    can_delete_all_messages: Final[bool | None]
    can_edit_name: Final[bool | None]
    can_edit_bio: Final[bool | None]
    can_edit_profile_photo: Final[bool | None]
    can_edit_username: Final[bool | None]
    can_change_gift_settings: Final[bool | None]
    can_view_gifts_and_stars: Final[bool | None]
    can_convert_gifts_to_stars: Final[bool | None]
    can_transfer_and_upgrade_gifts: Final[bool | None]
    can_transfer_stars: Final[bool | None]
    can_manage_stories: Final[bool | None]

class BusinessConnection(Object):
    id: Final[str]
    user: Final[User]
    user_chat_id: Final[int]
    date: Final[int]
    rights: Final[BusinessBotRights | None]
    is_enabled: Final[bool]

class BusinessIntro(Object):
    title: Final[str | None]
    message: Final[str | None]
    sticker: Final[Sticker | None]

class BusinessLocation(Object):
    address: Final[str]
    location: Final[Location | None]

class BusinessMessagesDeleted(Object):
    business_connection_id: Final[str]
    chat: Final[Chat]
    message_ids: Final[list[int]]

class BusinessOpeningHours(Object):
    time_zone_name: Final[str]
    opening_hours: Final[list[BusinessOpeningHoursInterval]]

class BusinessOpeningHoursInterval(Object):
    opening_minute: Final[int]
    closing_minute: Final[int]

class CallbackGame(Object): ...

class CallbackQuery(Object):
    id: Final[str]
    from_user: Final[User]
    message: Final[Message | None]
    inline_message_id: Final[str | None]
    chat_instance: Final[str]
    data: Final[str | None]
    game_short_name: Final[str | None]

class Chat(Object):
    id: Final[int]
    type: Final[str]
    title: Final[str | None]
    username: Final[str | None]
    first_name: Final[str | None]
    last_name: Final[str | None]
    is_forum: Final[bool | None]
    is_direct_messages: Final[bool | None]

class ChatAdministratorRights(Object):
    is_anonymous: Final[bool]
    can_manage_chat: Final[bool]
    can_delete_messages: Final[bool]
    can_manage_video_chats: Final[bool]
    can_restrict_members: Final[bool]
    can_promote_members: Final[bool]
    can_change_info: Final[bool]
    can_invite_users: Final[bool]
    can_post_stories: Final[bool]
    can_edit_stories: Final[bool]
    can_delete_stories: Final[bool]
    can_post_messages: Final[bool | None]
    can_edit_messages: Final[bool | None]
    can_pin_messages: Final[bool | None]
    can_manage_topics: Final[bool | None]
    can_manage_direct_messages: Final[bool | None]
    can_manage_tags: Final[bool | None]
    can_send_welcome_messages: Final[bool]

class ChatBackground(Object):
    type: Final[BackgroundType]

class ChatBoost(Object):
    boost_id: Final[str]
    add_date: Final[int]
    expiration_date: Final[int]
    source: Final[ChatBoostSource]

class ChatBoostAdded(Object):
    boost_count: Final[int]

class ChatBoostRemoved(Object):
    chat: Final[Chat]
    boost_id: Final[str]
    remove_date: Final[int]
    source: Final[ChatBoostSource]

class ChatBoostSource(Object):
    source: Final[str]
    user: Final[User | None]
    giveaway_message_id: Final[int | None]
    prize_star_count: Final[int | None]
    is_unclaimed: Final[bool | None]

class ChatBoostUpdated(Object):
    chat: Final[Chat]
    boost: Final[ChatBoost]

class ChatFullInfo(Object):
    id: Final[int]
    type: Final[str]
    title: Final[str | None]
    username: Final[str | None]
    first_name: Final[str | None]
    last_name: Final[str | None]
    is_forum: Final[bool | None]
    is_direct_messages: Final[bool | None]
    accent_color_id: Final[int]
    max_reaction_count: Final[int]
    photo: Final[ChatPhoto | None]
    active_usernames: Final[list[str] | None]
    birthdate: Final[Birthdate | None]
    business_intro: Final[BusinessIntro | None]
    business_location: Final[BusinessLocation | None]
    business_opening_hours: Final[BusinessOpeningHours | None]
    personal_chat: Final[Chat | None]
    parent_chat: Final[Chat | None]
    available_reactions: Final[list[ReactionType] | None]
    background_custom_emoji_id: Final[str | None]
    profile_accent_color_id: Final[int | None]
    profile_background_custom_emoji_id: Final[str | None]
    emoji_status_custom_emoji_id: Final[str | None]
    emoji_status_expiration_date: Final[int | None]
    bio: Final[str | None]
    has_private_forwards: Final[bool | None]
    has_restricted_voice_and_video_messages: Final[bool | None]
    join_to_send_messages: Final[bool | None]
    join_by_request: Final[bool | None]
    description: Final[str | None]
    invite_link: Final[str | None]
    pinned_message: Final[Message | None]
    permissions: Final[ChatPermissions | None]
    accepted_gift_types: Final[AcceptedGiftTypes]
    can_send_paid_media: Final[bool | None]
    slow_mode_delay: Final[int | None]
    unrestrict_boost_count: Final[int | None]
    message_auto_delete_time: Final[int | None]
    has_aggressive_anti_spam_enabled: Final[bool | None]
    has_hidden_members: Final[bool | None]
    has_protected_content: Final[bool | None]
    has_visible_history: Final[bool | None]
    sticker_set_name: Final[str | None]
    can_set_sticker_set: Final[bool | None]
    custom_emoji_sticker_set_name: Final[str | None]
    linked_chat_id: Final[int | None]
    location: Final[ChatLocation | None]
    rating: Final[UserRating | None]
    first_profile_audio: Final[Audio | None]
    unique_gift_colors: Final[UniqueGiftColors | None]
    paid_message_star_count: Final[int | None]
    guard_bot: Final[User | None]
    community: Final[Community | None]

class ChatInviteLink(Object):
    invite_link: Final[str]
    creator: Final[User]
    creates_join_request: Final[bool]
    is_primary: Final[bool]
    is_revoked: Final[bool]
    name: Final[str | None]
    expire_date: Final[int | None]
    member_limit: Final[int | None]
    pending_join_request_count: Final[int | None]
    subscription_period: Final[int | None]
    subscription_price: Final[int | None]

class ChatJoinRequest(Object):
    chat: Final[Chat]
    from_user: Final[User]
    user_chat_id: Final[int]
    date: Final[int]
    bio: Final[str | None]
    invite_link: Final[ChatInviteLink | None]
    query_id: Final[str | None]

class ChatLocation(Object):
    location: Final[Location]
    address: Final[str]

class ChatMember(Object):
    status: Final[str]
    user: Final[User]
    is_anonymous: Final[bool | None]
    custom_title: Final[str | None]
    can_be_edited: Final[bool | None]
    can_manage_chat: Final[bool | None]
    can_delete_messages: Final[bool | None]
    can_manage_video_chats: Final[bool | None]
    can_restrict_members: Final[bool | None]
    can_promote_members: Final[bool | None]
    can_change_info: Final[bool | None]
    can_invite_users: Final[bool | None]
    can_post_stories: Final[bool | None]
    can_edit_stories: Final[bool | None]
    can_delete_stories: Final[bool | None]
    can_post_messages: Final[bool | None]
    can_edit_messages: Final[bool | None]
    can_pin_messages: Final[bool | None]
    can_manage_topics: Final[bool | None]
    can_manage_direct_messages: Final[bool | None]
    can_manage_tags: Final[bool | None]
    can_send_welcome_messages: Final[bool | None]
    tag: Final[str | None]
    until_date: Final[int | None]
    is_member: Final[bool | None]
    can_send_messages: Final[bool | None]
    can_send_audios: Final[bool | None]
    can_send_documents: Final[bool | None]
    can_send_photos: Final[bool | None]
    can_send_videos: Final[bool | None]
    can_send_video_notes: Final[bool | None]
    can_send_voice_notes: Final[bool | None]
    can_send_polls: Final[bool | None]
    can_send_other_messages: Final[bool | None]
    can_add_web_page_previews: Final[bool | None]
    can_react_to_messages: Final[bool | None]
    can_edit_tag: Final[bool | None]

class ChatMemberUpdated(Object):
    chat: Final[Chat]
    from_user: Final[User]
    date: Final[int]
    old_chat_member: Final[ChatMember]
    new_chat_member: Final[ChatMember]
    invite_link: Final[ChatInviteLink | None]
    via_join_request: Final[bool | None]
    via_chat_folder_invite_link: Final[bool | None]

class ChatOwnerChanged(Object):
    new_owner: Final[User]

class ChatOwnerLeft(Object):
    new_owner: Final[User | None]

class ChatPermissions(Object):
    can_send_messages: Final[bool | None]
    can_send_audios: Final[bool | None]
    can_send_documents: Final[bool | None]
    can_send_photos: Final[bool | None]
    can_send_videos: Final[bool | None]
    can_send_video_notes: Final[bool | None]
    can_send_voice_notes: Final[bool | None]
    can_send_polls: Final[bool | None]
    can_send_other_messages: Final[bool | None]
    can_add_web_page_previews: Final[bool | None]
    can_react_to_messages: Final[bool | None]
    can_edit_tag: Final[bool | None]
    can_change_info: Final[bool | None]
    can_invite_users: Final[bool | None]
    can_pin_messages: Final[bool | None]
    can_manage_topics: Final[bool | None]

class ChatPhoto(Object):
    small_file_id: Final[str]
    small_file_unique_id: Final[str]
    big_file_id: Final[str]
    big_file_unique_id: Final[str]

class ChatShared(Object):
    request_id: Final[int]
    chat_id: Final[int]
    title: Final[str | None]
    username: Final[str | None]
    photo: Final[list[PhotoSize] | None]

class Checklist(Object):
    title: Final[str]
    title_entities: Final[list[MessageEntity] | None]
    tasks: Final[list[ChecklistTask]]
    others_can_add_tasks: Final[bool | None]
    others_can_mark_tasks_as_done: Final[bool | None]

class ChecklistTask(Object):
    id: Final[int]
    text: Final[str]
    text_entities: Final[list[MessageEntity] | None]
    completed_by_user: Final[User | None]
    completed_by_chat: Final[Chat | None]
    completion_date: Final[int | None]

class ChecklistTasksAdded(Object):
    checklist_message: Final[Message | None]
    tasks: Final[list[ChecklistTask]]

class ChecklistTasksDone(Object):
    checklist_message: Final[Message | None]
    marked_as_done_task_ids: Final[list[int] | None]
    marked_as_not_done_task_ids: Final[list[int] | None]

class ChosenInlineResult(Object):
    result_id: Final[str]
    from_user: Final[User]
    location: Final[Location | None]
    inline_message_id: Final[str | None]
    query: Final[str]

class Community(Object):
    id: Final[int]
    name: Final[str]

class CommunityChatAdded(Object):
    community: Final[Community]

class CommunityChatJoined(Object):
    community: Final[Community]

class CommunityChatRemoved(Object): ...

class Contact(Object):
    phone_number: Final[str]
    first_name: Final[str]
    last_name: Final[str | None]
    user_id: Final[int | None]
    vcard: Final[str | None]

class CopyTextButton(Object):
    text: Final[str]

class Dice(Object):
    emoji: Final[str]
    value: Final[int]

class DirectMessagePriceChanged(Object):
    are_direct_messages_enabled: Final[bool]
    direct_message_star_count: Final[int | None]

class DirectMessagesTopic(Object):
    topic_id: Final[int]
    user: Final[User | None]

class DisabledButton(Object): ...

class Document(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    thumbnail: Final[PhotoSize | None]
    file_name: Final[str | None]
    mime_type: Final[str | None]
    file_size: Final[int | None]

class EncryptedCredentials(Object):
    data: Final[str]
    hash: Final[str]
    secret: Final[str]

class EncryptedPassportElement(Object):
    type: Final[str]
    data: Final[str | None]
    phone_number: Final[str | None]
    email: Final[str | None]
    files: Final[list[PassportFile] | None]
    front_side: Final[PassportFile | None]
    reverse_side: Final[PassportFile | None]
    selfie: Final[PassportFile | None]
    translation: Final[list[PassportFile] | None]
    hash: Final[str]

class ExternalReplyInfo(Object):
    origin: Final[MessageOrigin]
    chat: Final[Chat | None]
    message_id: Final[int | None]
    link_preview_options: Final[LinkPreviewOptions | None]
    animation: Final[Animation | None]
    audio: Final[Audio | None]
    document: Final[Document | None]
    live_photo: Final[LivePhoto | None]
    paid_media: Final[PaidMediaInfo | None]
    photo: Final[list[PhotoSize] | None]
    sticker: Final[Sticker | None]
    story: Final[Story | None]
    video: Final[Video | None]
    video_note: Final[VideoNote | None]
    voice: Final[Voice | None]
    has_media_spoiler: Final[bool | None]
    checklist: Final[Checklist | None]
    contact: Final[Contact | None]
    dice: Final[Dice | None]
    game: Final[Game | None]
    giveaway: Final[Giveaway | None]
    giveaway_winners: Final[GiveawayWinners | None]
    invoice: Final[Invoice | None]
    location: Final[Location | None]
    poll: Final[Poll | None]
    venue: Final[Venue | None]

class File(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    file_size: Final[int | None]
    file_path: Final[str | None]

class ForumTopic(Object):
    message_thread_id: Final[int]
    name: Final[str]
    icon_color: Final[int]
    icon_custom_emoji_id: Final[str | None]
    is_name_implicit: Final[bool | None]

class ForumTopicClosed(Object): ...

class ForumTopicCreated(Object):
    name: Final[str]
    icon_color: Final[int]
    icon_custom_emoji_id: Final[str | None]
    is_name_implicit: Final[bool | None]

class ForumTopicEdited(Object):
    name: Final[str | None]
    icon_custom_emoji_id: Final[str | None]

class ForumTopicReopened(Object): ...

class Game(Object):
    title: Final[str]
    description: Final[str]
    photo: Final[list[PhotoSize]]
    text: Final[str | None]
    text_entities: Final[list[MessageEntity] | None]
    animation: Final[Animation | None]

class GameHighScore(Object):
    position: Final[int]
    user: Final[User]
    score: Final[int]

class GeneralForumTopicHidden(Object): ...
class GeneralForumTopicUnhidden(Object): ...

class Gift(Object):
    id: Final[str]
    sticker: Final[Sticker]
    star_count: Final[int]
    upgrade_star_count: Final[int | None]
    is_premium: Final[bool | None]
    has_colors: Final[bool | None]
    total_count: Final[int | None]
    remaining_count: Final[int | None]
    personal_total_count: Final[int | None]
    personal_remaining_count: Final[int | None]
    background: Final[GiftBackground | None]
    unique_gift_variant_count: Final[int | None]
    publisher_chat: Final[Chat | None]

class GiftBackground(Object):
    center_color: Final[int]
    edge_color: Final[int]
    text_color: Final[int]

class GiftInfo(Object):
    gift: Final[Gift]
    owned_gift_id: Final[str | None]
    convert_star_count: Final[int | None]
    prepaid_upgrade_star_count: Final[int | None]
    is_upgrade_separate: Final[bool | None]
    can_be_upgraded: Final[bool | None]
    text: Final[str | None]
    entities: Final[list[MessageEntity] | None]
    is_private: Final[bool | None]
    unique_gift_number: Final[int | None]

class Gifts(Object):
    gifts: Final[list[Gift]]

class Giveaway(Object):
    chats: Final[list[Chat]]
    winners_selection_date: Final[int]
    winner_count: Final[int]
    only_new_members: Final[bool | None]
    has_public_winners: Final[bool | None]
    prize_description: Final[str | None]
    country_codes: Final[list[str] | None]
    prize_star_count: Final[int | None]
    premium_subscription_month_count: Final[int | None]

class GiveawayCompleted(Object):
    winner_count: Final[int]
    unclaimed_prize_count: Final[int | None]
    giveaway_message: Final[Message | None]
    is_star_giveaway: Final[bool | None]

class GiveawayCreated(Object):
    prize_star_count: Final[int | None]

class GiveawayWinners(Object):
    chat: Final[Chat]
    giveaway_message_id: Final[int]
    winners_selection_date: Final[int]
    winner_count: Final[int]
    winners: Final[list[User]]
    additional_chat_count: Final[int | None]
    prize_star_count: Final[int | None]
    premium_subscription_month_count: Final[int | None]
    unclaimed_prize_count: Final[int | None]
    only_new_members: Final[bool | None]
    was_refunded: Final[bool | None]
    prize_description: Final[str | None]

class InlineKeyboardButton(Object):
    text: Final[str]
    icon_custom_emoji_id: Final[str | None]
    style: Final[str | None]
    url: Final[str | None]
    callback_data: Final[str | None]
    web_app: Final[WebAppInfo | None]
    login_url: Final[LoginUrl | None]
    switch_inline_query: Final[str | None]
    switch_inline_query_current_chat: Final[str | None]
    switch_inline_query_chosen_chat: Final[SwitchInlineQueryChosenChat | None]
    copy_text: Final[CopyTextButton | None]
    callback_game: Final[CallbackGame | None]
    pay: Final[bool | None]
    disabled: Final[DisabledButton | None]

class InlineKeyboardMarkup(Object):
    inline_keyboard: Final[list[list[InlineKeyboardButton]]]
    force_reply: Final[bool | None]

class InlineQuery(Object):
    id: Final[str]
    from_user: Final[User]
    query: Final[str]
    offset: Final[str]
    chat_type: Final[str | None]
    location: Final[Location | None]

class Invoice(Object):
    title: Final[str]
    description: Final[str]
    start_parameter: Final[str]
    currency: Final[str]
    total_amount: Final[int]

class Link(Object):
    url: Final[str]

class LinkPreviewOptions(Object):
    is_disabled: Final[bool | None]
    url: Final[str | None]
    prefer_small_media: Final[bool | None]
    prefer_large_media: Final[bool | None]
    show_above_text: Final[bool | None]

class LivePhoto(Object):
    photo: Final[list[PhotoSize] | None]
    file_id: Final[str]
    file_unique_id: Final[str]
    width: Final[int]
    height: Final[int]
    duration: Final[int]
    mime_type: Final[str | None]
    file_size: Final[int | None]

class Location(Object):
    latitude: Final[float]
    longitude: Final[float]
    horizontal_accuracy: Final[float | None]
    live_period: Final[int | None]
    heading: Final[int | None]
    proximity_alert_radius: Final[int | None]

class LoginUrl(Object):
    url: Final[str]
    forward_text: Final[str | None]
    bot_username: Final[str | None]
    request_write_access: Final[bool | None]

class ManagedBotCreated(Object):
    bot: Final[User]

class ManagedBotUpdated(Object):
    user: Final[User]
    bot: Final[User]

class MaskPosition(Object):
    point: Final[str]
    x_shift: Final[float]
    y_shift: Final[float]
    scale: Final[float]

class MenuButton(Object):
    type: Final[str]
    text: Final[str | None]
    web_app: Final[WebAppInfo | None]

class Message(Object):
    message_id: Final[int]
    message_thread_id: Final[int | None]
    direct_messages_topic: Final[DirectMessagesTopic | None]
    from_user: Final[User | None]
    sender_chat: Final[Chat | None]
    sender_boost_count: Final[int | None]
    sender_business_bot: Final[User | None]
    sender_tag: Final[str | None]
    receiver_user: Final[User | None]
    ephemeral_message_id: Final[int | None]
    date: Final[int]
    guest_query_id: Final[str | None]
    business_connection_id: Final[str | None]
    chat: Final[Chat]
    forward_origin: Final[MessageOrigin | None]
    is_topic_message: Final[bool | None]
    is_automatic_forward: Final[bool | None]
    reply_to_message: Final[Message | None]
    external_reply: Final[ExternalReplyInfo | None]
    quote: Final[TextQuote | None]
    reply_to_story: Final[Story | None]
    reply_to_checklist_task_id: Final[int | None]
    reply_to_poll_option_id: Final[str | None]
    via_bot: Final[User | None]
    guest_bot_caller_user: Final[User | None]
    guest_bot_caller_chat: Final[Chat | None]
    edit_date: Final[int | None]
    has_protected_content: Final[bool | None]
    is_from_offline: Final[bool | None]
    is_paid_post: Final[bool | None]
    media_group_id: Final[str | None]
    author_signature: Final[str | None]
    paid_star_count: Final[int | None]
    text: Final[str | None]
    entities: Final[list[MessageEntity] | None]
    link_preview_options: Final[LinkPreviewOptions | None]
    suggested_post_info: Final[SuggestedPostInfo | None]
    effect_id: Final[str | None]
    rich_message: Final[RichMessage | None]
    animation: Final[Animation | None]
    audio: Final[Audio | None]
    document: Final[Document | None]
    live_photo: Final[LivePhoto | None]
    paid_media: Final[PaidMediaInfo | None]
    photo: Final[list[PhotoSize] | None]
    sticker: Final[Sticker | None]
    story: Final[Story | None]
    video: Final[Video | None]
    video_note: Final[VideoNote | None]
    voice: Final[Voice | None]
    caption: Final[str | None]
    caption_entities: Final[list[MessageEntity] | None]
    show_caption_above_media: Final[bool | None]
    has_media_spoiler: Final[bool | None]
    checklist: Final[Checklist | None]
    contact: Final[Contact | None]
    dice: Final[Dice | None]
    game: Final[Game | None]
    poll: Final[Poll | None]
    venue: Final[Venue | None]
    location: Final[Location | None]
    new_chat_members: Final[list[User] | None]
    left_chat_member: Final[User | None]
    chat_owner_left: Final[ChatOwnerLeft | None]
    chat_owner_changed: Final[ChatOwnerChanged | None]
    new_chat_title: Final[str | None]
    new_chat_photo: Final[list[PhotoSize] | None]
    delete_chat_photo: Final[bool | None]
    group_chat_created: Final[bool | None]
    supergroup_chat_created: Final[bool | None]
    channel_chat_created: Final[bool | None]
    message_auto_delete_timer_changed: Final[MessageAutoDeleteTimerChanged | None]
    migrate_to_chat_id: Final[int | None]
    migrate_from_chat_id: Final[int | None]
    pinned_message: Final[Message | None]
    invoice: Final[Invoice | None]
    successful_payment: Final[SuccessfulPayment | None]
    refunded_payment: Final[RefundedPayment | None]
    users_shared: Final[UsersShared | None]
    chat_shared: Final[ChatShared | None]
    gift: Final[GiftInfo | None]
    unique_gift: Final[UniqueGiftInfo | None]
    gift_upgrade_sent: Final[GiftInfo | None]
    connected_website: Final[str | None]
    write_access_allowed: Final[WriteAccessAllowed | None]
    passport_data: Final[PassportData | None]
    proximity_alert_triggered: Final[ProximityAlertTriggered | None]
    boost_added: Final[ChatBoostAdded | None]
    chat_background_set: Final[ChatBackground | None]
    checklist_tasks_done: Final[ChecklistTasksDone | None]
    checklist_tasks_added: Final[ChecklistTasksAdded | None]
    community_chat_added: Final[CommunityChatAdded | None]
    community_chat_joined: Final[CommunityChatJoined | None]
    community_chat_removed: Final[CommunityChatRemoved | None]
    direct_message_price_changed: Final[DirectMessagePriceChanged | None]
    forum_topic_created: Final[ForumTopicCreated | None]
    forum_topic_edited: Final[ForumTopicEdited | None]
    forum_topic_closed: Final[ForumTopicClosed | None]
    forum_topic_reopened: Final[ForumTopicReopened | None]
    general_forum_topic_hidden: Final[GeneralForumTopicHidden | None]
    general_forum_topic_unhidden: Final[GeneralForumTopicUnhidden | None]
    giveaway_created: Final[GiveawayCreated | None]
    giveaway: Final[Giveaway | None]
    giveaway_winners: Final[GiveawayWinners | None]
    giveaway_completed: Final[GiveawayCompleted | None]
    managed_bot_created: Final[ManagedBotCreated | None]
    paid_message_price_changed: Final[PaidMessagePriceChanged | None]
    poll_option_added: Final[PollOptionAdded | None]
    poll_option_deleted: Final[PollOptionDeleted | None]
    suggested_post_approved: Final[SuggestedPostApproved | None]
    suggested_post_approval_failed: Final[SuggestedPostApprovalFailed | None]
    suggested_post_declined: Final[SuggestedPostDeclined | None]
    suggested_post_paid: Final[SuggestedPostPaid | None]
    suggested_post_refunded: Final[SuggestedPostRefunded | None]
    video_chat_scheduled: Final[VideoChatScheduled | None]
    video_chat_started: Final[VideoChatStarted | None]
    video_chat_ended: Final[VideoChatEnded | None]
    video_chat_participants_invited: Final[VideoChatParticipantsInvited | None]
    web_app_data: Final[WebAppData | None]
    reply_markup: Final[InlineKeyboardMarkup | None]
    is_accessible: Final[bool]

class MessageAutoDeleteTimerChanged(Object):
    message_auto_delete_time: Final[int]

class MessageEntity(Object):
    type: Final[str]
    offset: Final[int]
    length: Final[int]
    url: Final[str | None]
    user: Final[User | None]
    language: Final[str | None]
    custom_emoji_id: Final[str | None]
    unix_time: Final[int | None]
    date_time_format: Final[str | None]

class MessageGenerationStopped(Object):
    chat: Final[Chat]
    message_thread_id: Final[int | None]
    draft_id: Final[int]

class MessageId(Object):
    message_id: Final[int]

class MessageOrigin(Object):
    type: Final[str]
    date: Final[int]
    sender_user: Final[User | None]
    sender_user_name: Final[str | None]
    sender_chat: Final[Chat | None]
    author_signature: Final[str | None]
    chat: Final[Chat | None]
    message_id: Final[int | None]

class MessageReactionCountUpdated(Object):
    chat: Final[Chat]
    message_id: Final[int]
    date: Final[int]
    reactions: Final[list[ReactionCount]]

class MessageReactionUpdated(Object):
    chat: Final[Chat]
    message_id: Final[int]
    user: Final[User | None]
    actor_chat: Final[Chat | None]
    date: Final[int]
    old_reaction: Final[list[ReactionType]]
    new_reaction: Final[list[ReactionType]]

class OrderInfo(Object):
    name: Final[str | None]
    phone_number: Final[str | None]
    email: Final[str | None]
    shipping_address: Final[ShippingAddress | None]

class OwnedGift(Object):
    type: Final[str]
    gift: Final[Gift | UniqueGift]
    owned_gift_id: Final[str | None]
    sender_user: Final[User | None]
    send_date: Final[int]
    text: Final[str | None]
    entities: Final[list[MessageEntity] | None]
    is_private: Final[bool | None]
    is_saved: Final[bool | None]
    can_be_upgraded: Final[bool | None]
    was_refunded: Final[bool | None]
    convert_star_count: Final[int | None]
    prepaid_upgrade_star_count: Final[int | None]
    is_upgrade_separate: Final[bool | None]
    unique_gift_number: Final[int | None]
    can_be_transferred: Final[bool | None]
    transfer_star_count: Final[int | None]
    next_transfer_date: Final[int | None]

class OwnedGifts(Object):
    total_count: Final[int]
    gifts: Final[list[OwnedGift]]
    next_offset: Final[str | None]

class PaidMedia(Object):
    type: Final[str]
    live_photo: Final[LivePhoto | None]
    photo: Final[list[PhotoSize] | None]
    width: Final[int | None]
    height: Final[int | None]
    duration: Final[int | None]
    video: Final[Video | None]

class PaidMediaInfo(Object):
    star_count: Final[int]
    paid_media: Final[list[PaidMedia]]

class PaidMediaPurchased(Object):
    from_user: Final[User]
    paid_media_payload: Final[str]

class PaidMessagePriceChanged(Object):
    paid_message_star_count: Final[int]

class PassportData(Object):
    data: Final[list[EncryptedPassportElement]]
    credentials: Final[EncryptedCredentials]

class PassportFile(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    file_size: Final[int]
    file_date: Final[int]

class PhotoSize(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    width: Final[int]
    height: Final[int]
    file_size: Final[int | None]

class Poll(Object):
    id: Final[str]
    question: Final[str]
    question_entities: Final[list[MessageEntity] | None]
    options: Final[list[PollOption]]
    total_voter_count: Final[int]
    is_closed: Final[bool]
    is_anonymous: Final[bool]
    type: Final[str]
    allows_multiple_answers: Final[bool]
    allows_revoting: Final[bool]
    members_only: Final[bool]
    country_codes: Final[list[str] | None]
    correct_option_ids: Final[list[int] | None]
    explanation: Final[str | None]
    explanation_entities: Final[list[MessageEntity] | None]
    explanation_media: Final[PollMedia | None]
    open_period: Final[int | None]
    close_date: Final[int | None]
    description: Final[str | None]
    description_entities: Final[list[MessageEntity] | None]
    media: Final[PollMedia | None]

class PollAnswer(Object):
    poll_id: Final[str]
    voter_chat: Final[Chat | None]
    user: Final[User | None]
    option_ids: Final[list[int]]
    option_persistent_ids: Final[list[str]]

class PollMedia(Object):
    animation: Final[Animation | None]
    audio: Final[Audio | None]
    document: Final[Document | None]
    link: Final[Link | None]
    live_photo: Final[LivePhoto | None]
    location: Final[Location | None]
    photo: Final[list[PhotoSize] | None]
    sticker: Final[Sticker | None]
    venue: Final[Venue | None]
    video: Final[Video | None]

class PollOption(Object):
    persistent_id: Final[str]
    text: Final[str]
    text_entities: Final[list[MessageEntity] | None]
    media: Final[PollMedia | None]
    voter_count: Final[int]
    added_by_user: Final[User | None]
    added_by_chat: Final[Chat | None]
    addition_date: Final[int | None]

class PollOptionAdded(Object):
    poll_message: Final[Message | None]
    option_persistent_id: Final[str]
    option_text: Final[str]
    option_text_entities: Final[list[MessageEntity] | None]

class PollOptionDeleted(Object):
    poll_message: Final[Message | None]
    option_persistent_id: Final[str]
    option_text: Final[str]
    option_text_entities: Final[list[MessageEntity] | None]

class PreCheckoutQuery(Object):
    id: Final[str]
    from_user: Final[User]
    currency: Final[str]
    total_amount: Final[int]
    invoice_payload: Final[str]
    shipping_option_id: Final[str | None]
    order_info: Final[OrderInfo | None]

class PreparedInlineMessage(Object):
    id: Final[str]
    expiration_date: Final[int]

class PreparedKeyboardButton(Object):
    id: Final[str]

class ProximityAlertTriggered(Object):
    traveler: Final[User]
    watcher: Final[User]
    distance: Final[int]

class ReactionCount(Object):
    type: Final[ReactionType]
    total_count: Final[int]

class ReactionType(Object):
    type: Final[str]
    emoji: Final[str | None]
    custom_emoji_id: Final[str | None]

class RefundedPayment(Object):
    currency: Final[str]
    total_amount: Final[int]
    invoice_payload: Final[str]
    telegram_payment_charge_id: Final[str]
    provider_payment_charge_id: Final[str | None]

class RevenueWithdrawalState(Object):
    type: Final[str]
    date: Final[int | None]
    url: Final[str | None]

class RichBlock(Object):
    type: Final[str]
    text: Final[str | list[Any] | RichText | None]
    size: Final[int | None]
    language: Final[str | None]
    expression: Final[str | None]
    name: Final[str | None]
    items_: Final[list[RichBlockListItem] | None]
    blocks: Final[list[RichBlock] | None]
    credit: Final[str | list[Any] | RichText | None]
    caption: Final[RichBlockCaption | str | list[Any] | RichText | None]
    cells: Final[list[list[RichBlockTableCell]] | None]
    is_bordered: Final[bool | None]
    is_striped: Final[bool | None]
    is_compact: Final[bool | None]
    summary: Final[str | list[Any] | RichText | None]
    is_open: Final[bool | None]
    location: Final[Location | None]
    zoom: Final[int | None]
    width: Final[int | None]
    height: Final[int | None]
    buttons: Final[list[RichMessageButton] | None]
    align: Final[str | None]
    animation: Final[Animation | None]
    has_spoiler: Final[bool | None]
    audio: Final[Audio | None]
    document: Final[Document | None]
    photo: Final[list[PhotoSize] | None]
    video: Final[Video | None]
    voice_note: Final[Voice | None]

class RichBlockCaption(Object):
    text: Final[str | list[Any] | RichText]
    credit: Final[str | list[Any] | RichText | None]

class RichBlockListItem(Object):
    label: Final[str]
    blocks: Final[list[RichBlock]]
    has_checkbox: Final[bool | None]
    is_checked: Final[bool | None]
    value: Final[int | None]
    type: Final[str | None]

class RichBlockTableCell(Object):
    text: Final[str | list[Any] | RichText | None]
    is_header: Final[bool | None]
    colspan: Final[int | None]
    rowspan: Final[int | None]
    align: Final[str]
    valign: Final[str]

class RichMessage(Object):
    blocks: Final[list[RichBlock]]
    is_rtl: Final[bool | None]

class RichMessageButton(Object):
    text: Final[str | list[Any] | RichText]
    style: Final[str | None]
    url: Final[str | None]
    callback_data: Final[str | None]
    web_app: Final[WebAppInfo | None]
    login_url: Final[LoginUrl | None]
    switch_inline_query: Final[str | None]
    switch_inline_query_current_chat: Final[str | None]
    switch_inline_query_chosen_chat: Final[SwitchInlineQueryChosenChat | None]
    copy_text: Final[CopyTextButton | None]
    disabled: Final[DisabledButton | None]

class RichText(Object):
    type: Final[str]
    text: Final[str | list[Any] | RichText | None]
    unix_time: Final[int | None]
    date_time_format: Final[str | None]
    user: Final[User | None]
    custom_emoji_id: Final[str | None]
    alternative_text: Final[str | None]
    expression: Final[str | None]
    url: Final[str | None]
    email_address: Final[str | None]
    phone_number: Final[str | None]
    bank_card_number: Final[str | None]
    username: Final[str | None]
    hashtag: Final[str | None]
    cashtag: Final[str | None]
    bot_command: Final[str | None]
    button: Final[RichMessageButton | None]
    name: Final[str | None]
    anchor_name: Final[str | None]
    reference_name: Final[str | None]

class SentGuestMessage(Object):
    inline_message_id: Final[str]

class SentWebAppMessage(Object):
    inline_message_id: Final[str | None]

class SharedUser(Object):
    user_id: Final[int]
    first_name: Final[str | None]
    last_name: Final[str | None]
    username: Final[str | None]
    photo: Final[list[PhotoSize] | None]

class ShippingAddress(Object):
    country_code: Final[str]
    state: Final[str]
    city: Final[str]
    street_line1: Final[str]
    street_line2: Final[str]
    post_code: Final[str]

class ShippingQuery(Object):
    id: Final[str]
    from_user: Final[User]
    invoice_payload: Final[str]
    shipping_address: Final[ShippingAddress]

class StarAmount(Object):
    amount: Final[int]
    nanostar_amount: Final[int | None]

class StarTransaction(Object):
    id: Final[str]
    amount: Final[int]
    nanostar_amount: Final[int | None]
    date: Final[int]
    source: Final[TransactionPartner | None]
    receiver: Final[TransactionPartner | None]

class StarTransactions(Object):
    transactions: Final[list[StarTransaction]]

class Sticker(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    type: Final[str]
    width: Final[int]
    height: Final[int]
    is_animated: Final[bool]
    is_video: Final[bool]
    thumbnail: Final[PhotoSize | None]
    emoji: Final[str | None]
    set_name: Final[str | None]
    premium_animation: Final[File | None]
    mask_position: Final[MaskPosition | None]
    custom_emoji_id: Final[str | None]
    needs_repainting: Final[bool | None]
    file_size: Final[int | None]

class StickerSet(Object):
    name: Final[str]
    title: Final[str]
    sticker_type: Final[str]
    stickers: Final[list[Sticker]]
    thumbnail: Final[PhotoSize | None]

class Story(Object):
    chat: Final[Chat]
    id: Final[int]

class SuccessfulPayment(Object):
    currency: Final[str]
    total_amount: Final[int]
    invoice_payload: Final[str]
    subscription_expiration_date: Final[int | None]
    is_recurring: Final[bool | None]
    is_first_recurring: Final[bool | None]
    shipping_option_id: Final[str | None]
    order_info: Final[OrderInfo | None]
    telegram_payment_charge_id: Final[str]
    provider_payment_charge_id: Final[str]

class SuggestedPostApprovalFailed(Object):
    suggested_post_message: Final[Message | None]
    price: Final[SuggestedPostPrice]

class SuggestedPostApproved(Object):
    suggested_post_message: Final[Message | None]
    price: Final[SuggestedPostPrice | None]
    send_date: Final[int]

class SuggestedPostDeclined(Object):
    suggested_post_message: Final[Message | None]
    comment: Final[str | None]

class SuggestedPostInfo(Object):
    state: Final[str]
    price: Final[SuggestedPostPrice | None]
    send_date: Final[int | None]

class SuggestedPostPaid(Object):
    suggested_post_message: Final[Message | None]
    currency: Final[str]
    amount: Final[int | None]
    star_amount: Final[StarAmount | None]

class SuggestedPostPrice(Object):
    currency: Final[str]
    amount: Final[int]

class SuggestedPostRefunded(Object):
    suggested_post_message: Final[Message | None]
    reason: Final[str]

class SwitchInlineQueryChosenChat(Object):
    query: Final[str | None]
    allow_user_chats: Final[bool | None]
    allow_bot_chats: Final[bool | None]
    allow_group_chats: Final[bool | None]
    allow_channel_chats: Final[bool | None]

class TextQuote(Object):
    text: Final[str]
    entities: Final[list[MessageEntity] | None]
    position: Final[int]
    is_manual: Final[bool | None]

class TransactionPartner(Object):
    type: Final[str]
    transaction_type: Final[str | None]
    user: Final[User | None]
    affiliate: Final[AffiliateInfo | None]
    invoice_payload: Final[str | None]
    subscription_period: Final[int | None]
    paid_media: Final[list[PaidMedia] | None]
    paid_media_payload: Final[str | None]
    gift: Final[Gift | None]
    premium_subscription_duration: Final[int | None]
    chat: Final[Chat | None]
    sponsor_user: Final[User | None]
    commission_per_mille: Final[int | None]
    withdrawal_state: Final[RevenueWithdrawalState | None]
    request_count: Final[int | None]

class UniqueGift(Object):
    gift_id: Final[str]
    base_name: Final[str]
    name: Final[str]
    number: Final[int]
    model: Final[UniqueGiftModel]
    symbol: Final[UniqueGiftSymbol]
    backdrop: Final[UniqueGiftBackdrop]
    is_premium: Final[bool | None]
    is_burned: Final[bool | None]
    is_from_blockchain: Final[bool | None]
    colors: Final[UniqueGiftColors | None]
    publisher_chat: Final[Chat | None]

class UniqueGiftBackdrop(Object):
    name: Final[str]
    colors: Final[UniqueGiftBackdropColors]
    rarity_per_mille: Final[int]

class UniqueGiftBackdropColors(Object):
    center_color: Final[int]
    edge_color: Final[int]
    symbol_color: Final[int]
    text_color: Final[int]

class UniqueGiftColors(Object):
    model_custom_emoji_id: Final[str]
    symbol_custom_emoji_id: Final[str]
    light_theme_main_color: Final[int]
    light_theme_other_colors: Final[list[int]]
    dark_theme_main_color: Final[int]
    dark_theme_other_colors: Final[list[int]]

class UniqueGiftInfo(Object):
    gift: Final[UniqueGift]
    origin: Final[str]
    text: Final[str | None]
    entities: Final[list[MessageEntity] | None]
    is_private: Final[bool | None]
    last_resale_currency: Final[str | None]
    last_resale_amount: Final[int | None]
    owned_gift_id: Final[str | None]
    transfer_star_count: Final[int | None]
    next_transfer_date: Final[int | None]

class UniqueGiftModel(Object):
    name: Final[str]
    sticker: Final[Sticker]
    rarity_per_mille: Final[int]
    rarity: Final[str | None]

class UniqueGiftSymbol(Object):
    name: Final[str]
    sticker: Final[Sticker]
    rarity_per_mille: Final[int]

class Update(Object):
    update_id: Final[int]
    message: Final[Message | None]
    edited_message: Final[Message | None]
    channel_post: Final[Message | None]
    edited_channel_post: Final[Message | None]
    business_connection: Final[BusinessConnection | None]
    business_message: Final[Message | None]
    edited_business_message: Final[Message | None]
    deleted_business_messages: Final[BusinessMessagesDeleted | None]
    guest_message: Final[Message | None]
    message_reaction: Final[MessageReactionUpdated | None]
    message_reaction_count: Final[MessageReactionCountUpdated | None]
    inline_query: Final[InlineQuery | None]
    chosen_inline_result: Final[ChosenInlineResult | None]
    callback_query: Final[CallbackQuery | None]
    shipping_query: Final[ShippingQuery | None]
    pre_checkout_query: Final[PreCheckoutQuery | None]
    purchased_paid_media: Final[PaidMediaPurchased | None]
    poll: Final[Poll | None]
    poll_answer: Final[PollAnswer | None]
    my_chat_member: Final[ChatMemberUpdated | None]
    chat_member: Final[ChatMemberUpdated | None]
    chat_join_request: Final[ChatJoinRequest | None]
    chat_boost: Final[ChatBoostUpdated | None]
    removed_chat_boost: Final[ChatBoostRemoved | None]
    managed_bot: Final[ManagedBotUpdated | None]
    subscription: Final[BotSubscriptionUpdated | None]
    stopped_message_generation: Final[MessageGenerationStopped | None]
    effective_message: Final[Message | None]
    effective_chat: Final[Chat | None]
    effective_user: Final[User | None]
    effective_sender: Final[User | Chat | None]

class User(Object):
    id: Final[int]
    is_bot: Final[bool]
    first_name: Final[str]
    last_name: Final[str | None]
    username: Final[str | None]
    language_code: Final[str | None]
    is_premium: Final[bool | None]
    added_to_attachment_menu: Final[bool | None]
    can_join_groups: Final[bool | None]
    can_read_all_group_messages: Final[bool | None]
    supports_guest_queries: Final[bool | None]
    supports_inline_queries: Final[bool | None]
    can_connect_to_business: Final[bool | None]
    has_main_web_app: Final[bool | None]
    has_topics_enabled: Final[bool | None]
    allows_users_to_create_topics: Final[bool | None]
    can_manage_bots: Final[bool | None]
    supports_join_request_queries: Final[bool | None]

class UserChatBoosts(Object):
    boosts: Final[list[ChatBoost]]

class UserProfileAudios(Object):
    total_count: Final[int]
    audios: Final[list[Audio]]

class UserProfilePhotos(Object):
    total_count: Final[int]
    photos: Final[list[list[PhotoSize]]]

class UserRating(Object):
    level: Final[int]
    rating: Final[int]
    current_level_rating: Final[int]
    next_level_rating: Final[int | None]

class UsersShared(Object):
    request_id: Final[int]
    users: Final[list[SharedUser]]

class Venue(Object):
    location: Final[Location]
    title: Final[str]
    address: Final[str]
    foursquare_id: Final[str | None]
    foursquare_type: Final[str | None]
    google_place_id: Final[str | None]
    google_place_type: Final[str | None]

class Video(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    width: Final[int]
    height: Final[int]
    duration: Final[int]
    thumbnail: Final[PhotoSize | None]
    cover: Final[list[PhotoSize] | None]
    start_timestamp: Final[int | None]
    qualities: Final[list[VideoQuality] | None]
    file_name: Final[str | None]
    mime_type: Final[str | None]
    file_size: Final[int | None]

class VideoChatEnded(Object):
    duration: Final[int]

class VideoChatParticipantsInvited(Object):
    users: Final[list[User]]

class VideoChatScheduled(Object):
    start_date: Final[int]

class VideoChatStarted(Object): ...

class VideoNote(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    length: Final[int]
    duration: Final[int]
    thumbnail: Final[PhotoSize | None]
    file_size: Final[int | None]

class VideoQuality(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    width: Final[int]
    height: Final[int]
    codec: Final[str]
    file_size: Final[int | None]

class Voice(Object):
    file_id: Final[str]
    file_unique_id: Final[str]
    duration: Final[int]
    mime_type: Final[str | None]
    file_size: Final[int | None]

class WebAppData(Object):
    data: Final[str]
    button_text: Final[str]

class WebAppInfo(Object):
    url: Final[str]

class WebhookInfo(Object):
    url: Final[str]
    has_custom_certificate: Final[bool]
    pending_update_count: Final[int]
    ip_address: Final[str | None]
    last_error_date: Final[int | None]
    last_error_message: Final[str | None]
    last_synchronization_error_date: Final[int | None]
    max_connections: Final[int | None]
    allowed_updates: Final[list[str] | None]

class WriteAccessAllowed(Object):
    from_request: Final[bool | None]
    web_app_name: Final[str | None]
    from_attachment_menu: Final[bool | None]

class Bot(_Bot):
    """A bot whose methods hand out plain objects, and that loads no telegram."""

    get_updates = _Gives[list[Update]]()(_Bot.get_updates)
    get_webhook_info = _Gives[WebhookInfo]()(_Bot.get_webhook_info)
    get_me = _Gives[User]()(_Bot.get_me)
    send_message = _Gives[Message]()(_Bot.send_message)
    forward_message = _Gives[Message]()(_Bot.forward_message)
    forward_messages = _Gives[list[MessageId]]()(_Bot.forward_messages)
    copy_message = _Gives[MessageId]()(_Bot.copy_message)
    copy_messages = _Gives[list[MessageId]]()(_Bot.copy_messages)
    send_photo = _Gives[Message]()(_Bot.send_photo)
    send_live_photo = _Gives[Message]()(_Bot.send_live_photo)
    send_audio = _Gives[Message]()(_Bot.send_audio)
    send_document = _Gives[Message]()(_Bot.send_document)
    send_video = _Gives[Message]()(_Bot.send_video)
    send_animation = _Gives[Message]()(_Bot.send_animation)
    send_voice = _Gives[Message]()(_Bot.send_voice)
    send_video_note = _Gives[Message]()(_Bot.send_video_note)
    send_paid_media = _Gives[Message]()(_Bot.send_paid_media)
    send_media_group = _Gives[list[Message]]()(_Bot.send_media_group)
    send_location = _Gives[Message]()(_Bot.send_location)
    send_venue = _Gives[Message]()(_Bot.send_venue)
    send_contact = _Gives[Message]()(_Bot.send_contact)
    send_poll = _Gives[Message]()(_Bot.send_poll)
    send_checklist = _Gives[Message]()(_Bot.send_checklist)
    send_dice = _Gives[Message]()(_Bot.send_dice)
    send_sticker = _Gives[Message]()(_Bot.send_sticker)
    send_rich_message = _Gives[Message]()(_Bot.send_rich_message)
    send_invoice = _Gives[Message]()(_Bot.send_invoice)
    send_game = _Gives[Message]()(_Bot.send_game)
    get_user_profile_photos = _Gives[UserProfilePhotos]()(_Bot.get_user_profile_photos)
    get_user_profile_audios = _Gives[UserProfileAudios]()(_Bot.get_user_profile_audios)
    get_file = _Gives[File]()(_Bot.get_file)
    get_user_personal_chat_messages = _Gives[list[Message]]()(_Bot.get_user_personal_chat_messages)
    get_user_chat_boosts = _Gives[UserChatBoosts]()(_Bot.get_user_chat_boosts)
    get_chat_administrators = _Gives[list[ChatMember]]()(_Bot.get_chat_administrators)
    get_chat_member = _Gives[ChatMember]()(_Bot.get_chat_member)
    create_chat_invite_link = _Gives[ChatInviteLink]()(_Bot.create_chat_invite_link)
    edit_chat_invite_link = _Gives[ChatInviteLink]()(_Bot.edit_chat_invite_link)
    create_chat_subscription_invite_link = _Gives[ChatInviteLink]()(_Bot.create_chat_subscription_invite_link)
    edit_chat_subscription_invite_link = _Gives[ChatInviteLink]()(_Bot.edit_chat_subscription_invite_link)
    revoke_chat_invite_link = _Gives[ChatInviteLink]()(_Bot.revoke_chat_invite_link)
    get_chat = _Gives[ChatFullInfo]()(_Bot.get_chat)
    get_forum_topic_icon_stickers = _Gives[list[Sticker]]()(_Bot.get_forum_topic_icon_stickers)
    create_forum_topic = _Gives[ForumTopic]()(_Bot.create_forum_topic)
    answer_guest_query = _Gives[SentGuestMessage]()(_Bot.answer_guest_query)
    answer_web_app_query = _Gives[SentWebAppMessage]()(_Bot.answer_web_app_query)
    save_prepared_inline_message = _Gives[PreparedInlineMessage]()(_Bot.save_prepared_inline_message)
    save_prepared_keyboard_button = _Gives[PreparedKeyboardButton]()(_Bot.save_prepared_keyboard_button)
    get_my_commands = _Gives[list[BotCommand]]()(_Bot.get_my_commands)
    get_my_name = _Gives[BotName]()(_Bot.get_my_name)
    get_my_description = _Gives[BotDescription]()(_Bot.get_my_description)
    get_my_short_description = _Gives[BotShortDescription]()(_Bot.get_my_short_description)
    get_chat_menu_button = _Gives[MenuButton]()(_Bot.get_chat_menu_button)
    get_my_default_administrator_rights = _Gives[ChatAdministratorRights]()(_Bot.get_my_default_administrator_rights)
    get_managed_bot_access_settings = _Gives[BotAccessSettings]()(_Bot.get_managed_bot_access_settings)
    get_available_gifts = _Gives[Gifts]()(_Bot.get_available_gifts)
    get_user_gifts = _Gives[OwnedGifts]()(_Bot.get_user_gifts)
    get_chat_gifts = _Gives[OwnedGifts]()(_Bot.get_chat_gifts)
    get_my_star_balance = _Gives[StarAmount]()(_Bot.get_my_star_balance)
    get_star_transactions = _Gives[StarTransactions]()(_Bot.get_star_transactions)
    get_business_connection = _Gives[BusinessConnection]()(_Bot.get_business_connection)
    get_business_account_star_balance = _Gives[StarAmount]()(_Bot.get_business_account_star_balance)
    get_business_account_gifts = _Gives[OwnedGifts]()(_Bot.get_business_account_gifts)
    post_story = _Gives[Story]()(_Bot.post_story)
    repost_story = _Gives[Story]()(_Bot.repost_story)
    edit_story = _Gives[Story]()(_Bot.edit_story)
    edit_message_text = _Gives[Message | bool]()(_Bot.edit_message_text)
    edit_message_caption = _Gives[Message | bool]()(_Bot.edit_message_caption)
    edit_message_media = _Gives[Message | bool]()(_Bot.edit_message_media)
    edit_message_live_location = _Gives[Message | bool]()(_Bot.edit_message_live_location)
    stop_message_live_location = _Gives[Message | bool]()(_Bot.stop_message_live_location)
    edit_message_checklist = _Gives[Message]()(_Bot.edit_message_checklist)
    edit_message_reply_markup = _Gives[Message | bool]()(_Bot.edit_message_reply_markup)
    stop_poll = _Gives[Poll]()(_Bot.stop_poll)
    get_sticker_set = _Gives[StickerSet]()(_Bot.get_sticker_set)
    get_custom_emoji_stickers = _Gives[list[Sticker]]()(_Bot.get_custom_emoji_stickers)
    upload_sticker_file = _Gives[File]()(_Bot.upload_sticker_file)
    set_game_score = _Gives[Message | bool]()(_Bot.set_game_score)
    get_game_high_scores = _Gives[list[GameHighScore]]()(_Bot.get_game_high_scores)
    def send_long(self, chat_id: int | str, text: str, parse_mode: str | None = None, **options: Any) -> list[Message]: ...

class Context(_Context):
    """What a handler gets beside a plain update."""

    bot: Bot
    update: Final[Update]
    message: Final[Message]
    album: Final[list[Message]]
    ask = _Gives[Message]()(_Context.ask)
    reply = _Gives[Message]()(_Context.reply)
    reply_photo = _Gives[Message]()(_Context.reply_photo)
    reply_live_photo = _Gives[Message]()(_Context.reply_live_photo)
    reply_audio = _Gives[Message]()(_Context.reply_audio)
    reply_document = _Gives[Message]()(_Context.reply_document)
    reply_video = _Gives[Message]()(_Context.reply_video)
    reply_animation = _Gives[Message]()(_Context.reply_animation)
    reply_voice = _Gives[Message]()(_Context.reply_voice)
    reply_video_note = _Gives[Message]()(_Context.reply_video_note)
    reply_paid_media = _Gives[Message]()(_Context.reply_paid_media)
    reply_media_group = _Gives[list[Message]]()(_Context.reply_media_group)
    reply_location = _Gives[Message]()(_Context.reply_location)
    reply_venue = _Gives[Message]()(_Context.reply_venue)
    reply_contact = _Gives[Message]()(_Context.reply_contact)
    reply_poll = _Gives[Message]()(_Context.reply_poll)
    reply_checklist = _Gives[Message]()(_Context.reply_checklist)
    reply_dice = _Gives[Message]()(_Context.reply_dice)
    reply_sticker = _Gives[Message]()(_Context.reply_sticker)
    reply_rich_message = _Gives[Message]()(_Context.reply_rich_message)
    reply_invoice = _Gives[Message]()(_Context.reply_invoice)
    reply_game = _Gives[Message]()(_Context.reply_game)
    edit = _Gives[Message | bool]()(_Context.edit)
    edit_caption = _Gives[Message | bool]()(_Context.edit_caption)
    edit_media = _Gives[Message | bool]()(_Context.edit_media)
    edit_reply_markup = _Gives[Message | bool]()(_Context.edit_reply_markup)
    edit_live_location = _Gives[Message | bool]()(_Context.edit_live_location)
    stop_live_location = _Gives[Message | bool]()(_Context.stop_live_location)
    edit_checklist = _Gives[Message]()(_Context.edit_checklist)
    stop_poll = _Gives[Poll]()(_Context.stop_poll)
    forward = _Gives[Message]()(_Context.forward)
    copy = _Gives[MessageId]()(_Context.copy)
