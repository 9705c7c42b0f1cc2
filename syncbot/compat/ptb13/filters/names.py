"""The names under which a bot of python-telegram-bot 13 finds its filters."""

from __future__ import annotations

from syncbot.compat.ptb13.filters.documents import Document
from syncbot.compat.ptb13.filters.fields import All, ChatType, HasField, InChat, StatusUpdate, UpdateKind, UserHas
from syncbot.compat.ptb13.filters.people import chat, forwarded_from, sender_chat, user, via_bot
from syncbot.compat.ptb13.filters.texts import Command, Dice, HasText, caption_entity, caption_regex, entity, language, regex
from syncbot.compat.ptb13.utils.helpers import ATTACHMENT_TYPES


class Filters:
    """All filters of `telegram.ext`: instances such as `Filters.text`, and classes such as `Filters.regex("^order")`."""

    all = All()
    text = HasText("text")
    caption = HasText("caption")
    command = Command()
    regex = regex
    caption_regex = caption_regex
    entity = entity
    caption_entity = caption_entity
    language = language

    reply = HasField("reply", "reply_to_message")
    forwarded = HasField("forwarded", "forward_date")
    audio = HasField("audio")
    document = Document()
    animation = HasField("animation")
    photo = HasField("photo")
    sticker = HasField("sticker")
    video = HasField("video")
    voice = HasField("voice")
    video_note = HasField("video_note")
    contact = HasField("contact")
    location = HasField("location")
    venue = HasField("venue")
    game = HasField("game")
    invoice = HasField("invoice")
    successful_payment = HasField("successful_payment")
    passport_data = HasField("passport_data")
    poll = HasField("poll")
    dice = Dice()
    attachment = HasField("attachment", *ATTACHMENT_TYPES)
    is_automatic_forward = HasField("is_automatic_forward")
    is_topic_message = HasField("is_topic_message")
    has_protected_content = HasField("has_protected_content")
    status_update = StatusUpdate()

    user_attachment = UserHas("user_attachment", "added_to_attachment_menu")
    premium_user = UserHas("premium_user", "is_premium")
    user = user
    via_bot = via_bot
    chat = chat
    forwarded_from = forwarded_from
    sender_chat = sender_chat
    chat_type = ChatType()
    private = InChat("private", "private", instead="chat_type.private")
    group = InChat("group", "group", "supergroup", instead="chat_type.groups")
    update = UpdateKind()
