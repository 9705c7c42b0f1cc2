# Written by scripts/generators/generate_methods.py for Bot API 10.3; do not edit.
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from typing import IO, Any, TypeAlias, overload

import telegram

from syncbot.client.api.table import MethodSpec

_ReplyMarkup: TypeAlias = telegram.InlineKeyboardMarkup | telegram.ReplyKeyboardMarkup | telegram.ReplyKeyboardRemove | telegram.ForceReply | Mapping[str, Any]
_Results: TypeAlias = Sequence[telegram.InlineQueryResult | Mapping[str, Any]]
_File: TypeAlias = str | bytes | PathLike[str] | IO[bytes] | telegram.InputFile

class BotMethods:
    """The methods of the Bot API, 185 of them, as Python methods.

    A parameter takes python-telegram-bot's objects or dicts. `timeout` and `deadline` are the call's own, in seconds; `progress` is told
    the bytes sent and their total; `api_kwargs` holds parameters that are newer than this table, and goes out unchecked.
    """

    _call_options: tuple[str, ...] | None

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any: ...
    def _chat_left_out(self, method: str) -> int | str | None: ...
    def get_updates(
        self,
        offset: int | None = None,
        limit: int | None = None,
        timeout: float | timedelta | None = None,
        allowed_updates: Sequence[str] | None = None,
        *,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Update, ...]:
        """Receive waiting updates by long polling."""
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Have updates delivered to an HTTPS address."""
    def delete_webhook(
        self,
        drop_pending_updates: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Remove the webhook, to go back to polling."""
    def get_webhook_info(
        self,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.WebhookInfo:
        """Tell the state of the webhook."""
    def get_me(self, *, timeout: float | None = None, deadline: float | None = None, api_kwargs: Mapping[str, Any] | None = None) -> telegram.User:
        """Tell who the bot is; the usual test of a token."""
    def log_out(self, *, timeout: float | None = None, deadline: float | None = None, api_kwargs: Mapping[str, Any] | None = None) -> bool:
        """Log the bot out of the official server, to move it to a local one."""
    def close_bot(self, *, timeout: float | None = None, deadline: float | None = None, api_kwargs: Mapping[str, Any] | None = None) -> bool:
        """Close the bot on a local server, to move it to another one."""
    @overload
    def send_message(
        self,
        *,
        text: str,
        parse_mode: str | None = None,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a text message, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.MessageId, ...]:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.MessageId:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.MessageId, ...]:
        """Send copies of several messages, without links to the originals."""
    @overload
    def send_photo(
        self,
        *,
        photo: _File | telegram.PhotoSize,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        parse_mode: str | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a photo, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a photo."""
    @overload
    def send_live_photo(
        self,
        *,
        live_photo: _File | telegram.LivePhoto,
        photo: _File | telegram.PhotoSize,
        business_connection_id: str | None = None,
        message_thread_id: int | None = None,
        direct_messages_topic_id: int | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a live photo: a still picture with its short video, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a live photo: a still picture with its short video."""
    @overload
    def send_audio(
        self,
        *,
        audio: _File | telegram.Audio,
        duration: float | timedelta | None = None,
        performer: str | None = None,
        title: str | None = None,
        caption: str | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an audio file for the music player (MP3 or M4A), to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an audio file for the music player (MP3 or M4A)."""
    @overload
    def send_document(
        self,
        *,
        document: _File | telegram.Document,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        parse_mode: str | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a file of any kind, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a file of any kind."""
    @overload
    def send_video(
        self,
        *,
        video: _File | telegram.Video,
        duration: float | timedelta | None = None,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a video, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a video."""
    @overload
    def send_animation(
        self,
        *,
        animation: _File | telegram.Animation,
        duration: float | timedelta | None = None,
        width: int | None = None,
        height: int | None = None,
        caption: str | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an animation: a GIF, or a video without sound, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an animation: a GIF, or a video without sound."""
    @overload
    def send_voice(
        self,
        *,
        voice: _File | telegram.Voice,
        duration: float | timedelta | None = None,
        caption: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a voice message, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a voice message."""
    @overload
    def send_video_note(
        self,
        *,
        video_note: _File | telegram.VideoNote,
        duration: float | timedelta | None = None,
        length: int | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a round video message, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a round video message."""
    @overload
    def send_paid_media(
        self,
        *,
        star_count: int,
        media: Sequence[telegram.InputPaidMedia | Mapping[str, Any]],
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send media that are paid for in Stars, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send media that are paid for in Stars."""
    @overload
    def send_media_group(
        self,
        *,
        media: Sequence[telegram.InputMedia | Mapping[str, Any]],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        direct_messages_topic_id: int | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        caption: str | None = None,
        parse_mode: str | None = None,
        caption_entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Message, ...]:
        """Send several photos, videos, documents or audio files as one album, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Message, ...]:
        """Send several photos, videos, documents or audio files as one album."""
    @overload
    def send_location(
        self,
        *,
        latitude: float | None = None,
        longitude: float | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        live_period: float | timedelta | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a point on the map, which may move (a live location), to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a point on the map, which may move (a live location)."""
    @overload
    def send_venue(
        self,
        *,
        latitude: float | None = None,
        longitude: float | None = None,
        title: str | None = None,
        address: str | None = None,
        foursquare_id: str | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a place: a point on the map with a name and an address, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a place: a point on the map with a name and an address."""
    @overload
    def send_contact(
        self,
        *,
        phone_number: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a phone contact, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a phone contact."""
    @overload
    def send_poll(
        self,
        *,
        question: str,
        options: Sequence[str | telegram.InputPollOption | Mapping[str, Any]],
        is_anonymous: bool | None = None,
        type: str | None = None,
        allows_multiple_answers: bool | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a poll or a quiz, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a poll or a quiz."""
    @overload
    def send_checklist(
        self,
        *,
        business_connection_id: str,
        checklist: telegram.InputChecklist | Mapping[str, Any],
        disable_notification: bool | None = None,
        protect_content: bool | None = None,
        message_effect_id: str | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a checklist on behalf of a business account, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a checklist on behalf of a business account."""
    @overload
    def send_dice(
        self,
        *,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        emoji: str | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        business_connection_id: str | None = None,
        direct_messages_topic_id: int | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        suggested_post_parameters: telegram.SuggestedPostParameters | Mapping[str, Any] | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an animated emoji that shows a random value, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an animated emoji that shows a random value."""
    @overload
    def send_message_draft(
        self,
        *,
        draft_id: int,
        text: str | None = None,
        message_thread_id: int | None = None,
        parse_mode: str | None = None,
        entities: Sequence[telegram.MessageEntity | Mapping[str, Any]] | None = None,
        can_stop: bool | None = None,
        keep_on_stop: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show a part of a message while the rest is being made, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show a part of a message while the rest is being made."""
    @overload
    def send_chat_action(
        self,
        *,
        action: str,
        message_thread_id: int | None = None,
        business_connection_id: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show what the bot is doing ("typing"), for five seconds, to the chat of the settings; not in handlers."""
    @overload
    def send_chat_action(
        self,
        chat_id: int | str,
        action: str,
        message_thread_id: int | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show what the bot is doing ("typing"), for five seconds."""
    def set_message_reaction(
        self,
        chat_id: int | str,
        message_id: int,
        reaction: str | telegram.ReactionType | Mapping[str, Any] | Sequence[str | telegram.ReactionType | Mapping[str, Any]] | None = None,
        is_big: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the bot's reactions to a message."""
    @overload
    def send_sticker(
        self,
        *,
        sticker: _File | telegram.Sticker,
        disable_notification: bool | None = None,
        reply_markup: _ReplyMarkup | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a sticker, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a sticker."""
    @overload
    def send_rich_message(
        self,
        *,
        rich_message: Mapping[str, Any],
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a rich message, laid out in blocks, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a rich message, laid out in blocks."""
    @overload
    def send_rich_message_draft(
        self,
        *,
        draft_id: int,
        rich_message: Mapping[str, Any],
        message_thread_id: int | None = None,
        can_stop: bool | None = None,
        keep_on_stop: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show a part of a rich message while the rest is being made, to the chat of the settings; not in handlers."""
    @overload
    def send_rich_message_draft(
        self,
        chat_id: int,
        draft_id: int,
        rich_message: Mapping[str, Any],
        *,
        message_thread_id: int | None = None,
        can_stop: bool | None = None,
        keep_on_stop: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show a part of a rich message while the rest is being made."""
    @overload
    def send_invoice(
        self,
        *,
        title: str,
        description: str,
        payload: str,
        currency: str,
        prices: Sequence[telegram.LabeledPrice | Mapping[str, Any]],
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an invoice, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send an invoice."""
    @overload
    def send_game(
        self,
        *,
        game_short_name: str,
        disable_notification: bool | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        protect_content: bool | None = None,
        message_thread_id: int | None = None,
        business_connection_id: str | None = None,
        allow_paid_broadcast: bool | None = None,
        message_effect_id: str | None = None,
        reply_parameters: telegram.ReplyParameters | Mapping[str, Any] | None = None,
        reply_to_message_id: int | None = None,
        allow_sending_without_reply: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a game, to the chat of the settings; not in handlers."""
    @overload
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Send a game."""
    def get_user_profile_photos(
        self,
        user_id: int,
        offset: int | None = None,
        limit: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.UserProfilePhotos:
        """List a user's profile photos."""
    def get_user_profile_audios(
        self,
        user_id: int,
        offset: int | None = None,
        limit: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.UserProfileAudios:
        """List the audio files on a user's profile."""
    def set_user_emoji_status(
        self,
        user_id: int,
        emoji_status_custom_emoji_id: str | None = None,
        emoji_status_expiration_date: int | datetime | timedelta | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set a user's emoji status, if the user allowed it."""
    def get_file(
        self,
        file_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.File:
        """Prepare a file for download, and tell its path and size."""
    def get_user_personal_chat_messages(
        self,
        user_id: int,
        limit: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Message, ...]:
        """List the last messages of a user's personal channel."""
    def get_user_chat_boosts(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.UserChatBoosts:
        """List the boosts a user gave to a chat."""
    def ban_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        until_date: int | datetime | timedelta | None = None,
        revoke_messages: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Ban a user from a group or channel."""
    def unban_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        only_if_banned: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Lift a user's ban."""
    def restrict_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        permissions: telegram.ChatPermissions | Mapping[str, Any],
        until_date: int | datetime | timedelta | None = None,
        use_independent_chat_permissions: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Make a user an administrator, or take rights away."""
    def set_chat_administrator_custom_title(
        self,
        chat_id: int | str,
        user_id: int,
        custom_title: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set an administrator's title."""
    def set_chat_member_tag(
        self,
        chat_id: int | str,
        user_id: int,
        tag: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set a member's tag."""
    def ban_chat_sender_chat(
        self,
        chat_id: int | str,
        sender_chat_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Ban a channel from writing in a chat."""
    def unban_chat_sender_chat(
        self,
        chat_id: int | str,
        sender_chat_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Lift a channel's ban."""
    def set_chat_permissions(
        self,
        chat_id: int | str,
        permissions: telegram.ChatPermissions | Mapping[str, Any],
        use_independent_chat_permissions: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set what all members may do by default."""
    def get_chat_administrators(
        self,
        chat_id: int | str,
        return_bots: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.ChatMember, ...]:
        """List the administrators of a chat."""
    def get_chat_member_count(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> int:
        """Count the members of a chat."""
    def get_chat_member(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatMember:
        """Tell a user's place in a chat."""
    def export_chat_invite_link(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a new primary invite link; the one before is revoked."""
    def create_chat_invite_link(
        self,
        chat_id: int | str,
        expire_date: int | datetime | timedelta | None = None,
        member_limit: int | None = None,
        name: str | None = None,
        creates_join_request: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatInviteLink:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatInviteLink:
        """Change an invite link that the bot made."""
    def create_chat_subscription_invite_link(
        self,
        chat_id: int | str,
        subscription_period: float | timedelta,
        subscription_price: int,
        name: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatInviteLink:
        """Make an invite link whose users pay for a subscription."""
    def edit_chat_subscription_invite_link(
        self,
        chat_id: int | str,
        invite_link: str,
        name: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatInviteLink:
        """Change a subscription invite link that the bot made."""
    def revoke_chat_invite_link(
        self,
        chat_id: int | str,
        invite_link: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatInviteLink:
        """Revoke an invite link that the bot made."""
    def approve_chat_join_request(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Let a user in who asked to join."""
    def decline_chat_join_request(
        self,
        chat_id: int | str,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Turn down a user who asked to join."""
    def answer_chat_join_request_query(
        self,
        chat_join_request_query_id: str,
        result: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Decide a request to join that came as a query."""
    def send_chat_join_request_web_app(
        self,
        chat_join_request_query_id: str,
        web_app_url: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show a Mini App to a user who asked to join, before deciding."""
    def set_chat_photo(
        self,
        chat_id: int | str,
        photo: _File | telegram.PhotoSize,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the photo of a chat."""
    def delete_chat_photo(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete the photo of a chat."""
    def set_chat_title(
        self,
        chat_id: int | str,
        title: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the title of a chat."""
    def set_chat_description(
        self,
        chat_id: int | str,
        description: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the description of a chat."""
    def pin_chat_message(
        self,
        chat_id: int | str,
        message_id: int,
        disable_notification: bool | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Pin a message."""
    def unpin_chat_message(
        self,
        chat_id: int | str,
        message_id: int | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Unpin a message; without message_id, the latest pinned one."""
    def unpin_all_chat_messages(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Unpin all messages of a chat."""
    def leave_chat(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Leave a group or channel."""
    def get_chat(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatFullInfo:
        """Tell all about a chat."""
    def set_chat_sticker_set(
        self,
        chat_id: int | str,
        sticker_set_name: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the sticker set of a supergroup."""
    def delete_chat_sticker_set(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Take the sticker set away from a supergroup."""
    def get_forum_topic_icon_stickers(
        self,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Sticker, ...]:
        """List the stickers that can be icons of forum topics."""
    def create_forum_topic(
        self,
        chat_id: int | str,
        name: str,
        icon_color: int | None = None,
        icon_custom_emoji_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ForumTopic:
        """Open a new forum topic."""
    def edit_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        name: str | None = None,
        icon_custom_emoji_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change the name and icon of a forum topic."""
    def close_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Close a forum topic."""
    def reopen_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Open a closed forum topic again."""
    def delete_forum_topic(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a forum topic with all its messages."""
    def unpin_all_forum_topic_messages(
        self,
        chat_id: int | str,
        message_thread_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Unpin all messages of a forum topic."""
    def edit_general_forum_topic(
        self,
        chat_id: int | str,
        name: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change the name of the "General" topic."""
    def close_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Close the "General" topic."""
    def reopen_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Open the closed "General" topic again."""
    def hide_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Hide the "General" topic."""
    def unhide_general_forum_topic(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Show the hidden "General" topic again."""
    def unpin_all_general_forum_topic_messages(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Unpin all messages of the "General" topic."""
    def answer_callback_query(
        self,
        callback_query_id: str,
        text: str | None = None,
        show_alert: bool | None = None,
        url: str | None = None,
        cache_time: float | timedelta | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Answer an inline query with results to choose from."""
    def answer_guest_query(
        self,
        guest_query_id: str,
        result: telegram.InlineQueryResult | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.SentGuestMessage:
        """Answer a query from a chat that the bot is not in."""
    def answer_web_app_query(
        self,
        web_app_query_id: str,
        result: telegram.InlineQueryResult | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.SentWebAppMessage:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.PreparedInlineMessage:
        """Store a message that a Mini App's user can send."""
    def save_prepared_keyboard_button(
        self,
        user_id: int,
        button: telegram.KeyboardButton | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.PreparedKeyboardButton:
        """Store a keyboard button that a Mini App can use."""
    def answer_shipping_query(
        self,
        shipping_query_id: str,
        ok: bool,
        shipping_options: Sequence[telegram.ShippingOption | Mapping[str, Any]] | None = None,
        error_message: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Answer a query for the ways and prices of shipping."""
    def answer_pre_checkout_query(
        self,
        pre_checkout_query_id: str,
        ok: bool,
        error_message: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Confirm or refuse an order, within ten seconds."""
    def set_my_commands(
        self,
        commands: Sequence[telegram.BotCommand | tuple[str, str] | Mapping[str, Any]],
        scope: telegram.BotCommandScope | Mapping[str, Any] | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the list of the bot's commands."""
    def delete_my_commands(
        self,
        scope: telegram.BotCommandScope | Mapping[str, Any] | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete the list of the bot's commands."""
    def get_my_commands(
        self,
        scope: telegram.BotCommandScope | Mapping[str, Any] | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.BotCommand, ...]:
        """List the bot's commands."""
    def set_my_name(
        self,
        name: str | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the bot's name."""
    def get_my_name(
        self,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.BotName:
        """Tell the bot's name."""
    def set_my_description(
        self,
        description: str | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set what an empty chat with the bot says."""
    def get_my_description(
        self,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.BotDescription:
        """Tell what an empty chat with the bot says."""
    def set_my_short_description(
        self,
        short_description: str | None = None,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the short text on the bot's profile."""
    def get_my_short_description(
        self,
        language_code: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.BotShortDescription:
        """Tell the short text on the bot's profile."""
    def set_my_profile_photo(
        self,
        photo: telegram.InputProfilePhoto | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the bot's profile photo."""
    def remove_my_profile_photo(self, *, timeout: float | None = None, deadline: float | None = None, api_kwargs: Mapping[str, Any] | None = None) -> bool:
        """Remove the bot's profile photo."""
    def set_chat_menu_button(
        self,
        chat_id: int | None = None,
        menu_button: telegram.MenuButton | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the menu button of a private chat, or the default one."""
    def get_chat_menu_button(
        self,
        chat_id: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.MenuButton:
        """Tell the menu button of a private chat, or the default one."""
    def set_my_default_administrator_rights(
        self,
        rights: telegram.ChatAdministratorRights | Mapping[str, Any] | None = None,
        for_channels: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the rights that the bot asks for as an administrator."""
    def get_my_default_administrator_rights(
        self,
        for_channels: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.ChatAdministratorRights:
        """Tell the rights that the bot asks for as an administrator."""
    def get_managed_bot_token(
        self,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> str:
        """Tell the token of a bot that this one manages."""
    def replace_managed_bot_token(
        self,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> str:
        """Revoke the token of a managed bot and make a new one."""
    def get_managed_bot_access_settings(
        self,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.BotAccessSettings:
        """Tell who may use a managed bot."""
    def set_managed_bot_access_settings(
        self,
        user_id: int,
        is_access_restricted: bool,
        added_user_ids: Sequence[int] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set who may use a managed bot."""
    def get_available_gifts(
        self,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Gifts:
        """List the gifts that the bot can send."""
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Give a Premium subscription to a user."""
    def verify_user(
        self,
        user_id: int,
        custom_description: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Verify a user on behalf of the bot's organization."""
    def verify_chat(
        self,
        chat_id: int | str,
        custom_description: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Verify a chat on behalf of the bot's organization."""
    def remove_user_verification(
        self,
        user_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Take the verification away from a user."""
    def remove_chat_verification(
        self,
        chat_id: int | str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Take the verification away from a chat."""
    def get_user_gifts(
        self,
        user_id: int,
        exclude_unlimited: bool | None = None,
        exclude_limited_upgradable: bool | None = None,
        exclude_limited_non_upgradable: bool | None = None,
        exclude_from_blockchain: bool | None = None,
        exclude_unique: bool | None = None,
        *,
        sort_by_price: bool | None = None,
        offset: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.OwnedGifts:
        """List the gifts that a user owns."""
    def get_chat_gifts(
        self,
        chat_id: int | str,
        exclude_unsaved: bool | None = None,
        exclude_saved: bool | None = None,
        exclude_unlimited: bool | None = None,
        exclude_limited_upgradable: bool | None = None,
        exclude_limited_non_upgradable: bool | None = None,
        *,
        exclude_from_blockchain: bool | None = None,
        exclude_unique: bool | None = None,
        sort_by_price: bool | None = None,
        offset: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.OwnedGifts:
        """List the gifts that a chat owns."""
    def get_my_star_balance(
        self,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.StarAmount:
        """Tell how many Stars the bot has."""
    def get_star_transactions(
        self,
        offset: int | None = None,
        limit: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.StarTransactions:
        """List the bot's Star transactions."""
    def refund_star_payment(
        self,
        user_id: int,
        telegram_payment_charge_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Pay Stars back."""
    def edit_user_star_subscription(
        self,
        user_id: int,
        telegram_payment_charge_id: str,
        is_canceled: bool,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a link to an invoice."""
    def get_business_connection(
        self,
        business_connection_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.BusinessConnection:
        """Tell about the bot's connection with a business account."""
    def read_business_message(
        self,
        business_connection_id: str,
        chat_id: int,
        message_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Mark a message as read for a business account."""
    def delete_business_messages(
        self,
        business_connection_id: str,
        message_ids: Sequence[int],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete messages for a business account."""
    def set_business_account_name(
        self,
        business_connection_id: str,
        first_name: str,
        last_name: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the name of a business account."""
    def set_business_account_username(
        self,
        business_connection_id: str,
        username: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the username of a business account."""
    def set_business_account_bio(
        self,
        business_connection_id: str,
        bio: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the bio of a business account."""
    def set_business_account_profile_photo(
        self,
        business_connection_id: str,
        photo: telegram.InputProfilePhoto | Mapping[str, Any],
        is_public: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the profile photo of a business account."""
    def remove_business_account_profile_photo(
        self,
        business_connection_id: str,
        is_public: bool | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Remove the profile photo of a business account."""
    def set_business_account_gift_settings(
        self,
        business_connection_id: str,
        show_gift_button: bool,
        accepted_gift_types: telegram.AcceptedGiftTypes | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set which gifts a business account takes."""
    def get_business_account_star_balance(
        self,
        business_connection_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.StarAmount:
        """Tell how many Stars a business account has."""
    def transfer_business_account_stars(
        self,
        business_connection_id: str,
        star_count: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move Stars from a business account to the bot."""
    def get_business_account_gifts(
        self,
        business_connection_id: str,
        exclude_unsaved: bool | None = None,
        exclude_saved: bool | None = None,
        exclude_unlimited: bool | None = None,
        exclude_unique: bool | None = None,
        sort_by_price: bool | None = None,
        *,
        exclude_limited_upgradable: bool | None = None,
        exclude_limited_non_upgradable: bool | None = None,
        exclude_from_blockchain: bool | None = None,
        offset: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.OwnedGifts:
        """List the gifts that a business account owns."""
    def convert_gift_to_stars(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Turn a gift into Stars."""
    def upgrade_gift(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        keep_original_details: bool | None = None,
        star_count: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Upgrade a gift to a unique one."""
    def transfer_gift(
        self,
        business_connection_id: str,
        owned_gift_id: str,
        new_owner_chat_id: int,
        star_count: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Story:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Story:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Story:
        """Change a story of a business account."""
    def delete_story(
        self,
        business_connection_id: str,
        story_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
        """Move a live location."""
    def stop_message_live_location(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
        """Stop a live location."""
    def edit_message_checklist(
        self,
        business_connection_id: str,
        chat_id: int | str,
        message_id: int,
        checklist: telegram.InputChecklist | Mapping[str, Any],
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message:
        """Change a checklist."""
    def edit_message_reply_markup(
        self,
        chat_id: int | str | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
        """Change the inline keyboard of a message."""
    def stop_poll(
        self,
        chat_id: int | str,
        message_id: int,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        business_connection_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Poll:
        """Stop a poll."""
    def approve_suggested_post(
        self,
        chat_id: int,
        message_id: int,
        send_date: int | datetime | timedelta | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Approve a suggested post."""
    def decline_suggested_post(
        self,
        chat_id: int,
        message_id: int,
        comment: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Decline a suggested post."""
    def delete_message(
        self,
        chat_id: int | str,
        message_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a message."""
    def delete_messages(
        self,
        chat_id: int | str,
        message_ids: Sequence[int],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete several messages."""
    def delete_message_reaction(
        self,
        chat_id: int | str,
        message_id: int,
        user_id: int | None = None,
        actor_chat_id: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete one user's reaction to a message."""
    def delete_all_message_reactions(
        self,
        chat_id: int | str,
        user_id: int | None = None,
        actor_chat_id: int | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change the text of an ephemeral message."""
    def edit_ephemeral_message_media(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        media: telegram.InputMedia | Mapping[str, Any],
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change the caption of an ephemeral message."""
    def edit_ephemeral_message_reply_markup(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        reply_markup: telegram.InlineKeyboardMarkup | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change the inline keyboard of an ephemeral message."""
    def delete_ephemeral_message(
        self,
        chat_id: int | str,
        receiver_user_id: int,
        ephemeral_message_id: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete an ephemeral message."""
    def get_sticker_set(
        self,
        name: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.StickerSet:
        """Tell about a sticker set."""
    def get_custom_emoji_stickers(
        self,
        custom_emoji_ids: Sequence[str],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.Sticker, ...]:
        """Tell about custom emoji."""
    def upload_sticker_file(
        self,
        user_id: int,
        sticker: _File | telegram.Sticker,
        sticker_format: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.File:
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
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Make a sticker set that belongs to a user."""
    def add_sticker_to_set(
        self,
        user_id: int,
        name: str,
        sticker: telegram.InputSticker | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Add a sticker to a set that the bot made."""
    def set_sticker_position_in_set(
        self,
        sticker: str,
        position: int,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move a sticker to a position in its set."""
    def delete_sticker_from_set(
        self,
        sticker: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a sticker from a set that the bot made."""
    def replace_sticker_in_set(
        self,
        user_id: int,
        name: str,
        old_sticker: str,
        sticker: telegram.InputSticker | Mapping[str, Any],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Put a new sticker in the place of another one."""
    def set_sticker_emoji_list(
        self,
        sticker: str,
        emoji_list: Sequence[str],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the emoji of a sticker."""
    def set_sticker_keywords(
        self,
        sticker: str,
        keywords: Sequence[str] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the search words of a sticker."""
    def set_sticker_mask_position(
        self,
        sticker: str,
        mask_position: telegram.MaskPosition | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set where a mask sits on a face."""
    def set_sticker_set_title(
        self,
        name: str,
        title: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the title of a sticker set."""
    def set_sticker_set_thumbnail(
        self,
        name: str,
        user_id: int,
        format: str,
        thumbnail: _File | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], object] | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the thumbnail of a sticker set."""
    def set_custom_emoji_sticker_set_thumbnail(
        self,
        name: str,
        custom_emoji_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set the thumbnail of a set of custom emoji."""
    def delete_sticker_set(
        self,
        name: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a sticker set that the bot made."""
    def set_passport_data_errors(
        self,
        user_id: int,
        errors: Sequence[telegram.PassportElementError | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> bool:
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
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> telegram.Message | bool:
        """Set a user's score in a game."""
    def get_game_high_scores(
        self,
        user_id: int,
        chat_id: int | None = None,
        message_id: int | None = None,
        inline_message_id: str | None = None,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        api_kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[telegram.GameHighScore, ...]:
        """List the high scores around a user in a game."""
