# Written by scripts/generators/generate_methods.py for Bot API 10.3; do not edit.
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from typing import IO, Any, TypeAlias

import telegram

from syncbot.client.api.table import MethodSpec

_ReplyMarkup: TypeAlias = telegram.InlineKeyboardMarkup | telegram.ReplyKeyboardMarkup | telegram.ReplyKeyboardRemove | telegram.ForceReply | Mapping[str, Any]
_Results: TypeAlias = Sequence[telegram.InlineQueryResult | Mapping[str, Any]]
_File: TypeAlias = str | bytes | PathLike[str] | IO[bytes] | telegram.InputFile

class QueuedMethods:
    """The methods of the Bot API as Python methods that queue a call and return its number; those that only ask for something are left out.

    A parameter takes python-telegram-bot's objects or dicts. `ttl` is how many seconds the call may wait at most, `not_before` the earliest time
    of its first attempt, `connection` the application's own, in whose transaction it is queued. `api_kwargs` holds parameters that are newer than this
    table, and goes out unchecked.
    """

    def _queue_call(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int: ...
    def call(
        self,
        method: str,
        /,
        *,
        check: bool = True,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object = None,
        **parameters: Any,
    ) -> int:
        """Queue a call of any method of the Bot API."""
    def set_webhook(
        self,
        url: str,
        certificate: _File | None = None,
        max_connections: int | None = None,
        allowed_updates: Sequence[str] | None = None,
        ip_address: str | None = None,
        drop_pending_updates: bool | None = None,
        *,
        secret_token: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Have updates delivered to an HTTPS address."""
    def delete_webhook(
        self,
        drop_pending_updates: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Remove the webhook, to go back to polling."""
    def log_out(
        self,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Log the bot out of the official server, to move it to a local one."""
    def close_bot(
        self,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Close the bot on a local server, to move it to another one."""
    def send_message(
        self,
        chat_id: int | str,
        text: str,
        parse_mode: str | None = None,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        link_preview_options: telegram.LinkPreviewOptions | Mapping[str, Any] | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        disable_web_page_preview: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a text message."""
    def forward_message(
        self,
        chat_id: int | str,
        from_chat_id: int | str,
        message_id: int,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        direct_messages_topic_id: int | None = None,
        video_start_timestamp: float | timedelta | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Forward a message."""
    def forward_messages(
        self,
        chat_id: int | str,
        from_chat_id: int | str,
        message_ids: Sequence[int],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        direct_messages_topic_id: int | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Forward several messages."""
    def copy_message(
        self,
        chat_id: int | str,
        from_chat_id: int | str,
        message_id: int,
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        video_start_timestamp: float | timedelta | None = None,
        show_caption_above_media: bool | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a copy of a message, without a link to the original."""
    def copy_messages(
        self,
        chat_id: int | str,
        from_chat_id: int | str,
        message_ids: Sequence[int],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        direct_messages_topic_id: int | None = None,
        remove_caption: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send copies of several messages, without links to the originals."""
    def send_photo(
        self,
        chat_id: int | str,
        photo: _File | telegram.PhotoSize,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        parse_mode: str | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        has_spoiler: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a photo."""
    def send_live_photo(
        self,
        chat_id: int | str,
        live_photo: _File | telegram.LivePhoto,
        photo: _File | telegram.PhotoSize,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        *,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        has_spoiler: bool | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a live photo: a still picture with its short video."""
    def send_audio(
        self,
        chat_id: int | str,
        audio: _File | telegram.Audio,
        duration: float | timedelta | None = None,
        performer: str | None = None,
        title: str | None = None,
        caption: str | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        thumbnail: _File | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send an audio file for the music player (MP3 or M4A)."""
    def send_document(
        self,
        chat_id: int | str,
        document: _File | telegram.Document,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        parse_mode: str | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        thumbnail: _File | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        disable_content_type_detection: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a file of any kind."""
    def send_video(
        self,
        chat_id: int | str,
        video: _File | telegram.Video,
        duration: float | timedelta | None = None,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        width: int | None = None,
        height: int | None = None,
        thumbnail: _File | None = None,
        cover: _File | telegram.PhotoSize | None = None,
        start_timestamp: float | timedelta | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        has_spoiler: bool | None = None,
        supports_streaming: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a video."""
    def send_animation(
        self,
        chat_id: int | str,
        animation: _File | telegram.Animation,
        duration: float | timedelta | None = None,
        width: int | None = None,
        height: int | None = None,
        caption: str | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        thumbnail: _File | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        has_spoiler: bool | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send an animation: a GIF, or a video without sound."""
    def send_voice(
        self,
        chat_id: int | str,
        voice: _File | telegram.Voice,
        duration: float | timedelta | None = None,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a voice message."""
    def send_video_note(
        self,
        chat_id: int | str,
        video_note: _File | telegram.VideoNote,
        duration: float | timedelta | None = None,
        length: int | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        thumbnail: _File | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a round video message."""
    def send_paid_media(
        self,
        chat_id: int | str,
        star_count: int,
        media: Sequence[telegram.InputPaidMedia | Mapping[str, Any]],
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        payload: str | None = None,
        show_caption_above_media: bool | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send media that are paid for in Stars."""
    def send_media_group(
        self,
        chat_id: int | str,
        media: Sequence[telegram.InputMedia | Mapping[str, Any]],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        *,
        business_connection_id: str | None = None,
        direct_messages_topic_id: int | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send several photos, videos, documents or audio files as one album."""
    def send_location(
        self,
        chat_id: int | str,
        latitude: float | None = None,
        longitude: float | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        live_period: float | timedelta | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        horizontal_accuracy: float | None = None,
        heading: int | None = None,
        proximity_alert_radius: int | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        location: telegram.Location | Mapping[str, Any] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a point on the map, which may move (a live location)."""
    def send_venue(
        self,
        chat_id: int | str,
        latitude: float | None = None,
        longitude: float | None = None,
        title: str | None = None,
        address: str | None = None,
        foursquare_id: str | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        foursquare_type: str | None = None,
        google_place_id: str | None = None,
        google_place_type: str | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        venue: telegram.Venue | Mapping[str, Any] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a place: a point on the map with a name and an address."""
    def send_contact(
        self,
        chat_id: int | str,
        phone_number: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        vcard: str | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        contact: telegram.Contact | Mapping[str, Any] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a phone contact."""
    def send_poll(
        self,
        chat_id: int | str,
        question: str,
        options: Sequence[str | telegram.InputPollOption | Mapping[str, Any]],
        is_anonymous: bool | None = None,
        type: str | None = None,
        allows_multiple_answers: bool | None = None,
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        question_parse_mode: str | None = None,
        question_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        allows_revoting: bool | None = None,
        shuffle_options: bool | None = None,
        allow_adding_options: bool | None = None,
        hide_results_until_closes: bool | None = None,
        members_only: bool | None = None,
        country_codes: Sequence[str] | None = None,
        correct_option_ids: Sequence[int] | None = None,
        explanation: str | None = None,
        explanation_parse_mode: str | None = None,
        explanation_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        explanation_media: telegram.InputPollMedia | Mapping[str, Any] | None = None,
        open_period: float | timedelta | None = None,
        close_date: int | datetime | timedelta | None = None,
        is_closed: bool | None = None,
        description: str | None = None,
        description_parse_mode: str | None = None,
        description_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        media: telegram.InputPollMedia | Mapping[str, Any] | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        correct_option_id: int | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a poll or a quiz."""
    def send_checklist(
        self,
        business_connection_id: str,
        chat_id: int | str,
        checklist: telegram.InputChecklist | Mapping[str, Any],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_effect_id: str | None = None,
        *,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a checklist on behalf of a business account."""
    def send_dice(
        self,
        chat_id: int | str,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        emoji: str | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        business_connection_id: str | None = None,
        direct_messages_topic_id: int | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send an animated emoji that shows a random value."""
    def send_message_draft(
        self,
        chat_id: int,
        draft_id: int,
        text: str | None = None,
        message_thread_id: int | None = None,
        parse_mode: str | None = None,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        can_stop: bool | None = None,
        keep_on_stop: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Show a part of a message while the rest is being made."""
    def send_chat_action(
        self,
        chat_id: int | str,
        action: str,
        message_thread_id: int | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Show what the bot is doing ("typing"), for five seconds."""
    def set_message_reaction(
        self,
        chat_id: int | str,
        message_id: int,
        reaction: str | telegram.ReactionType | Mapping[str, Any] | Sequence[str | telegram.ReactionType | Mapping[str, Any]] | None = None,
        is_big: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the bot's reactions to a message."""
    def send_sticker(
        self,
        chat_id: int | str,
        sticker: _File | telegram.Sticker,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        business_connection_id: str | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        emoji: str | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        filename: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a sticker."""
    def send_rich_message(
        self,
        chat_id: int | str,
        rich_message: Mapping[str, Any],
        *,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        ephemeral_message_parameters: Mapping[str, Any] | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: _ReplyMarkup | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a rich message, laid out in blocks."""
    def send_rich_message_draft(
        self,
        chat_id: int,
        draft_id: int,
        rich_message: Mapping[str, Any],
        *,
        message_thread_id: int | None = None,
        can_stop: bool | None = None,
        keep_on_stop: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Show a part of a rich message while the rest is being made."""
    def send_invoice(
        self,
        chat_id: int | str,
        title: str,
        description: str,
        payload: str,
        currency: str,
        prices: Sequence[telegram.LabeledPrice | Mapping[str, Any]],
        *,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
        provider_token: str | None = None,
        max_tip_amount: int | None = None,
        suggested_tip_amounts: Sequence[int] | None = None,
        start_parameter: str | None = None,
        provider_data: str | None = None,
        photo_url: str | None = None,
        photo_size: int | None = None,
        photo_width: int | None = None,
        photo_height: int | None = None,
        need_name: bool | None = None,
        need_phone_number: bool | None = None,
        need_email: bool | None = None,
        need_shipping_address: bool | None = None,
        send_phone_number_to_provider: bool | None = None,
        send_email_to_provider: bool | None = None,
        is_flexible: bool | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send an invoice."""
    def send_game(
        self,
        chat_id: int | str,
        game_short_name: str,
        disable_notification: bool | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        *,
        business_connection_id: str | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a game."""
    def set_user_emoji_status(
        self,
        user_id: int,
        emoji_status_custom_emoji_id: str | None = None,
        emoji_status_expiration_date: int | datetime | timedelta | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set a user's emoji status, if the user allowed it."""
    def ban_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        until_date: int | datetime | timedelta | None = None,
        revoke_messages: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Ban a user from a group or channel."""
    def unban_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        only_if_banned: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Lift a user's ban."""
    def restrict_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        permissions: telegram.ChatPermissions | Mapping[str, Any],
        until_date: int | datetime | timedelta | None = None,
        use_independent_chat_permissions: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Restrict what a user may do in a supergroup."""
    def promote_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        can_change_info: bool | None = None,
        can_post_messages: bool | None = None,
        can_edit_messages: bool | None = None,
        can_delete_messages: bool | None = None,
        *,
        is_anonymous: bool | None = None,
        can_manage_chat: bool | None = None,
        can_manage_video_chats: bool | None = None,
        can_restrict_members: bool | None = None,
        can_promote_members: bool | None = None,
        can_invite_users: bool | None = None,
        can_post_stories: bool | None = None,
        can_edit_stories: bool | None = None,
        can_delete_stories: bool | None = None,
        can_pin_messages: bool | None = None,
        can_manage_topics: bool | None = None,
        can_manage_direct_messages: bool | None = None,
        can_manage_tags: bool | None = None,
        can_send_welcome_messages: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make a user an administrator, or take rights away."""
    def set_chat_administrator_custom_title(
        self,
        chat_id: int | str,
        user_id: int,
        custom_title: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set an administrator's title."""
    def set_chat_member_tag(
        self,
        chat_id: int | str,
        user_id: int,
        tag: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set a member's tag."""
    def ban_chat_sender_chat(
        self,
        chat_id: int | str,
        sender_chat_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Ban a channel from writing in a chat."""
    def unban_chat_sender_chat(
        self,
        chat_id: int | str,
        sender_chat_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Lift a channel's ban."""
    def set_chat_permissions(
        self,
        chat_id: int | str,
        permissions: telegram.ChatPermissions | Mapping[str, Any],
        use_independent_chat_permissions: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set what all members may do by default."""
    def export_chat_invite_link(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make a new primary invite link; the one before is revoked."""
    def create_chat_invite_link(
        self,
        chat_id: int | str,
        expire_date: int | datetime | timedelta | None = None,
        member_limit: int | None = None,
        name: str | None = None,
        creates_join_request: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make an additional invite link."""
    def edit_chat_invite_link(
        self,
        chat_id: int | str,
        invite_link: str,
        expire_date: int | datetime | timedelta | None = None,
        member_limit: int | None = None,
        name: str | None = None,
        creates_join_request: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change an invite link that the bot made."""
    def create_chat_subscription_invite_link(
        self,
        chat_id: int | str,
        subscription_period: float | timedelta,
        subscription_price: int,
        name: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make an invite link whose users pay for a subscription."""
    def edit_chat_subscription_invite_link(
        self,
        chat_id: int | str,
        invite_link: str,
        name: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change a subscription invite link that the bot made."""
    def revoke_chat_invite_link(
        self,
        chat_id: int | str,
        invite_link: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Revoke an invite link that the bot made."""
    def approve_chat_join_request(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Let a user in who asked to join."""
    def decline_chat_join_request(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Turn down a user who asked to join."""
    def answer_chat_join_request_query(
        self,
        chat_join_request_query_id: str,
        result: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Decide a request to join that came as a query."""
    def send_chat_join_request_web_app(
        self,
        chat_join_request_query_id: str,
        web_app_url: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Show a Mini App to a user who asked to join, before deciding."""
    def set_chat_photo(
        self,
        chat_id: int | str,
        photo: _File | telegram.PhotoSize,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the photo of a chat."""
    def delete_chat_photo(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete the photo of a chat."""
    def set_chat_title(
        self,
        chat_id: int | str,
        title: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the title of a chat."""
    def set_chat_description(
        self,
        chat_id: int | str,
        description: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the description of a chat."""
    def pin_chat_message(
        self,
        chat_id: int | str,
        message_id: int,
        disable_notification: bool | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Pin a message."""
    def unpin_chat_message(
        self,
        chat_id: int | str,
        message_id: int | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Unpin a message; without message_id, the latest pinned one."""
    def unpin_all_chat_messages(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Unpin all messages of a chat."""
    def leave_chat(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Leave a group or channel."""
    def set_chat_sticker_set(
        self,
        chat_id: int | str,
        sticker_set_name: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the sticker set of a supergroup."""
    def delete_chat_sticker_set(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Take the sticker set away from a supergroup."""
    def create_forum_topic(
        self,
        chat_id: int | str,
        name: str,
        icon_color: int | None = None,
        icon_custom_emoji_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Open a new forum topic."""
    def edit_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        name: str | None = None,
        icon_custom_emoji_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the name and icon of a forum topic."""
    def close_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Close a forum topic."""
    def reopen_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Open a closed forum topic again."""
    def delete_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete a forum topic with all its messages."""
    def unpin_all_forum_topic_messages(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Unpin all messages of a forum topic."""
    def edit_general_forum_topic(
        self,
        chat_id: int | str,
        name: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the name of the "General" topic."""
    def close_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Close the "General" topic."""
    def reopen_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Open the closed "General" topic again."""
    def hide_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Hide the "General" topic."""
    def unhide_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Show the hidden "General" topic again."""
    def unpin_all_general_forum_topic_messages(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Unpin all messages of the "General" topic."""
    def answer_callback_query(
        self,
        callback_query_id: str,
        text: str | None = None,
        show_alert: bool | None = None,
        url: str | None = None,
        cache_time: float | timedelta | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Answer a press of an inline button."""
    def answer_inline_query(
        self,
        inline_query_id: str,
        results: _Results | Callable[[int], _Results | None],
        cache_time: float | timedelta | None = None,
        is_personal: bool | None = None,
        next_offset: str | None = None,
        button: telegram.InlineQueryResultsButton | Mapping[str, Any] | None = None,
        *,
        current_offset: str | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Answer an inline query with results to choose from."""
    def answer_guest_query(
        self,
        guest_query_id: str,
        result: telegram.InlineQueryResult | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Answer a query from a chat that the bot is not in."""
    def answer_web_app_query(
        self,
        web_app_query_id: str,
        result: telegram.InlineQueryResult | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Answer a query of a Mini App, with a message in the user's name."""
    def save_prepared_inline_message(
        self,
        user_id: int,
        result: telegram.InlineQueryResult | Mapping[str, Any],
        allow_user_chats: bool | None = None,
        allow_bot_chats: bool | None = None,
        allow_group_chats: bool | None = None,
        allow_channel_chats: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a message that a Mini App's user can send."""
    def save_prepared_keyboard_button(
        self,
        user_id: int,
        button: telegram.KeyboardButton | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a keyboard button that a Mini App can use."""
    def answer_shipping_query(
        self,
        shipping_query_id: str,
        ok: bool,
        shipping_options: Sequence[telegram.ShippingOption | Mapping[str, Any]] | None = None,
        error_message: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Answer a query for the ways and prices of shipping."""
    def answer_pre_checkout_query(
        self,
        pre_checkout_query_id: str,
        ok: bool,
        error_message: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Confirm or refuse an order, within ten seconds."""
    def set_my_commands(
        self,
        commands: Sequence[telegram.BotCommand | tuple[str, str] | Mapping[str, Any]],
        scope: telegram.BotCommandScope | Mapping[str, Any] | None = None,
        language_code: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the list of the bot's commands."""
    def delete_my_commands(
        self,
        scope: telegram.BotCommandScope | Mapping[str, Any] | None = None,
        language_code: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete the list of the bot's commands."""
    def set_my_name(
        self,
        name: str | None = None,
        language_code: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the bot's name."""
    def set_my_description(
        self,
        description: str | None = None,
        language_code: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set what an empty chat with the bot says."""
    def set_my_short_description(
        self,
        short_description: str | None = None,
        language_code: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the short text on the bot's profile."""
    def set_my_profile_photo(
        self,
        photo: telegram.InputProfilePhoto | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the bot's profile photo."""
    def remove_my_profile_photo(
        self,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Remove the bot's profile photo."""
    def set_chat_menu_button(
        self,
        chat_id: int | None = None,
        menu_button: telegram.MenuButton | Mapping[str, Any] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the menu button of a private chat, or the default one."""
    def set_my_default_administrator_rights(
        self,
        rights: telegram.ChatAdministratorRights | Mapping[str, Any] | None = None,
        for_channels: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the rights that the bot asks for as an administrator."""
    def replace_managed_bot_token(
        self,
        user_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Revoke the token of a managed bot and make a new one."""
    def set_managed_bot_access_settings(
        self,
        user_id: int,
        is_access_restricted: bool,
        added_user_ids: Sequence[int] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set who may use a managed bot."""
    def send_gift(
        self,
        gift_id: str,
        text: str | None = None,
        text_parse_mode: str | None = None,
        text_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        pay_for_upgrade: bool | None = None,
        chat_id: int | str | None = None,
        *,
        user_id: int | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Send a gift to a user or channel."""
    def gift_premium_subscription(
        self,
        user_id: int,
        month_count: int,
        star_count: int,
        text: str | None = None,
        text_parse_mode: str | None = None,
        text_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Give a Premium subscription to a user."""
    def verify_user(
        self,
        user_id: int,
        custom_description: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Verify a user on behalf of the bot's organization."""
    def verify_chat(
        self,
        chat_id: int | str,
        custom_description: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Verify a chat on behalf of the bot's organization."""
    def remove_user_verification(
        self,
        user_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Take the verification away from a user."""
    def remove_chat_verification(
        self,
        chat_id: int | str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Take the verification away from a chat."""
    def refund_star_payment(
        self,
        user_id: int,
        telegram_payment_charge_id: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Pay Stars back."""
    def edit_user_star_subscription(
        self,
        user_id: int,
        telegram_payment_charge_id: str,
        is_canceled: bool,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Cancel or renew a user's Star subscription."""
    def create_invoice_link(
        self,
        title: str,
        description: str,
        payload: str,
        currency: str,
        prices: Sequence[telegram.LabeledPrice | Mapping[str, Any]],
        provider_token: str | None = None,
        *,
        business_connection_id: str | None = None,
        subscription_period: float | timedelta | None = None,
        max_tip_amount: int | None = None,
        suggested_tip_amounts: Sequence[int] | None = None,
        provider_data: str | None = None,
        photo_url: str | None = None,
        photo_size: int | None = None,
        photo_width: int | None = None,
        photo_height: int | None = None,
        need_name: bool | None = None,
        need_phone_number: bool | None = None,
        need_email: bool | None = None,
        need_shipping_address: bool | None = None,
        send_phone_number_to_provider: bool | None = None,
        send_email_to_provider: bool | None = None,
        is_flexible: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make a link to an invoice."""
    def read_business_message(
        self,
        business_connection_id: str,
        chat_id: int,
        message_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Mark a message as read for a business account."""
    def delete_business_messages(
        self,
        business_connection_id: str,
        message_ids: Sequence[int],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete messages for a business account."""
    def set_business_account_name(
        self,
        business_connection_id: str,
        first_name: str,
        last_name: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the name of a business account."""
    def set_business_account_username(
        self,
        business_connection_id: str,
        username: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the username of a business account."""
    def set_business_account_bio(
        self,
        business_connection_id: str,
        bio: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the bio of a business account."""
    def set_business_account_profile_photo(
        self,
        business_connection_id: str,
        photo: telegram.InputProfilePhoto | Mapping[str, Any],
        is_public: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the profile photo of a business account."""
    def remove_business_account_profile_photo(
        self,
        business_connection_id: str,
        is_public: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Remove the profile photo of a business account."""
    def set_business_account_gift_settings(
        self,
        business_connection_id: str,
        show_gift_button: bool,
        accepted_gift_types: telegram.AcceptedGiftTypes | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set which gifts a business account takes."""
    def transfer_business_account_stars(
        self,
        business_connection_id: str,
        star_count: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Move Stars from a business account to the bot."""
    def convert_gift_to_stars(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Turn a gift into Stars."""
    def upgrade_gift(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        keep_original_details: bool | None = None,
        star_count: int | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Upgrade a gift to a unique one."""
    def transfer_gift(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        new_owner_chat_id: int,
        star_count: int | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Give a unique gift to another owner."""
    def post_story(
        self,
        business_connection_id: str,
        content: telegram.InputStoryContent | Mapping[str, Any],
        active_period: float | timedelta,
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        areas: Sequence[telegram.StoryArea | Mapping[str, Any]] | None = None,
        post_to_chat_page: bool | None = None,
        protect_content: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Post a story for a business account."""
    def repost_story(
        self,
        business_connection_id: str,
        from_chat_id: int,
        from_story_id: int,
        active_period: float | timedelta,
        post_to_chat_page: bool | None = None,
        protect_content: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Post a story again for another business account."""
    def edit_story(
        self,
        business_connection_id: str,
        story_id: int,
        content: telegram.InputStoryContent | Mapping[str, Any],
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        *,
        areas: Sequence[telegram.StoryArea | Mapping[str, Any]] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change a story of a business account."""
    def delete_story(
        self,
        business_connection_id: str,
        story_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete a story of a business account."""
    def edit_message_text(
        self,
        text: str | None = None,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        parse_mode: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        business_connection_id: str | None = None,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        link_preview_options: telegram.LinkPreviewOptions | Mapping[str, Any] | None = None,
        rich_message: Mapping[str, Any] | None = None,
        disable_web_page_preview: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the text of a message."""
    def edit_message_caption(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        caption: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        parse_mode: str | None = None,
        *,
        business_connection_id: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the caption of a message."""
    def edit_message_media(
        self,
        media: telegram.InputMedia | Mapping[str, Any],
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the media of a message."""
    def edit_message_live_location(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        business_connection_id: str | None = None,
        live_period: float | timedelta | None = None,
        horizontal_accuracy: float | None = None,
        heading: int | None = None,
        proximity_alert_radius: int | None = None,
        location: telegram.Location | Mapping[str, Any] | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Move a live location."""
    def stop_message_live_location(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Stop a live location."""
    def edit_message_checklist(
        self,
        business_connection_id: str,
        chat_id: int | str,
        message_id: int,
        checklist: telegram.InputChecklist | Mapping[str, Any],
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change a checklist."""
    def edit_message_reply_markup(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the inline keyboard of a message."""
    def stop_poll(
        self,
        chat_id: int | str,
        message_id: int,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Stop a poll."""
    def approve_suggested_post(
        self,
        chat_id: int,
        message_id: int,
        send_date: int | datetime | timedelta | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Approve a suggested post."""
    def decline_suggested_post(
        self,
        chat_id: int,
        message_id: int,
        comment: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Decline a suggested post."""
    def delete_message(
        self,
        chat_id: int | str,
        message_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete a message."""
    def delete_messages(
        self,
        chat_id: int | str,
        message_ids: Sequence[int],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete several messages."""
    def delete_message_reaction(
        self,
        chat_id: int | str,
        message_id: int,
        user_id: int | None = None,
        actor_chat_id: int | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete one user's reaction to a message."""
    def delete_all_message_reactions(
        self,
        chat_id: int | str,
        user_id: int | None = None,
        actor_chat_id: int | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete the recent reactions of a user in a chat."""
    def edit_ephemeral_message_text(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        text: str | None = None,
        parse_mode: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        rich_message: Mapping[str, Any] | None = None,
        link_preview_options: telegram.LinkPreviewOptions | Mapping[str, Any] | None = None,
        disable_web_page_preview: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the text of an ephemeral message."""
    def edit_ephemeral_message_media(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        media: telegram.InputMedia | Mapping[str, Any],
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the media of an ephemeral message."""
    def edit_ephemeral_message_caption(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        caption: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        parse_mode: str | None = None,
        *,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        show_caption_above_media: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the caption of an ephemeral message."""
    def edit_ephemeral_message_reply_markup(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Change the inline keyboard of an ephemeral message."""
    def delete_ephemeral_message(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete an ephemeral message."""
    def upload_sticker_file(
        self,
        user_id: int,
        sticker: _File | telegram.Sticker,
        sticker_format: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Upload a file to make stickers from."""
    def create_new_sticker_set(
        self,
        user_id: int,
        name: str,
        title: str,
        stickers: Sequence[telegram.InputSticker | Mapping[str, Any]],
        sticker_type: str | None = None,
        needs_repainting: bool | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Make a sticker set that belongs to a user."""
    def add_sticker_to_set(
        self,
        user_id: int,
        name: str,
        sticker: telegram.InputSticker | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a sticker to a set that the bot made."""
    def set_sticker_position_in_set(
        self,
        sticker: str,
        position: int,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Move a sticker to a position in its set."""
    def delete_sticker_from_set(
        self,
        sticker: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete a sticker from a set that the bot made."""
    def replace_sticker_in_set(
        self,
        user_id: int,
        name: str,
        old_sticker: str,
        sticker: telegram.InputSticker | Mapping[str, Any],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Put a new sticker in the place of another one."""
    def set_sticker_emoji_list(
        self,
        sticker: str,
        emoji_list: Sequence[str],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the emoji of a sticker."""
    def set_sticker_keywords(
        self,
        sticker: str,
        keywords: Sequence[str] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the search words of a sticker."""
    def set_sticker_mask_position(
        self,
        sticker: str,
        mask_position: telegram.MaskPosition | Mapping[str, Any] | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set where a mask sits on a face."""
    def set_sticker_set_title(
        self,
        name: str,
        title: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the title of a sticker set."""
    def set_sticker_set_thumbnail(
        self,
        name: str,
        user_id: int,
        format: str,
        thumbnail: _File | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the thumbnail of a sticker set."""
    def set_custom_emoji_sticker_set_thumbnail(
        self,
        name: str,
        custom_emoji_id: str | None = None,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set the thumbnail of a set of custom emoji."""
    def delete_sticker_set(
        self,
        name: str,
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Delete a sticker set that the bot made."""
    def set_passport_data_errors(
        self,
        user_id: int,
        errors: Sequence[telegram.PassportElementError | Mapping[str, Any]],
        *,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Tell a user what is wrong in the Passport data."""
    def set_game_score(
        self,
        user_id: int,
        score: int,
        chat_id: int | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        force: bool | None = None,
        *,
        disable_edit_message: bool | None = None,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Set a user's score in a game."""
