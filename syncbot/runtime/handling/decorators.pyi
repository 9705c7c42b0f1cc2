# Written by scripts/generators/generate_kinds.py for Bot API 10.3; do not edit.
import re
from abc import ABC, abstractmethod
from typing import Any, Generic, Unpack

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.filters import FilterLike
from syncbot.runtime.handling.handlers import D

class KindDecorators(ABC, Generic[D]):
    """The decorators of the 27 kinds of updates.

    Args:
        filters: what the update has to satisfy; see `syncbot.runtime.handling.filters`.
        pattern: a regular expression that matches from the start of the field that is named; its match becomes `context.match`.
        group: in ascending order, every group handles an update once: its first handler that fits.
        state: the state that the conversation with the user has to be in; None for no conversation, `ANY` for whichever.
        options: `durable`, `interrupted` and `replies`, see `syncbot.runtime.durable.options.HandlerOptions`.
    """

    @abstractmethod
    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D: ...
    def message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new message."""
    def edited_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a message that was edited."""
    def channel_post(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new post in a channel."""
    def edited_channel_post(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a post in a channel that was edited."""
    def business_connection(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a business account that connected the bot, disconnected it, or changed its rights."""
    def business_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new message of a connected business account."""
    def edited_business_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle an edited message of a connected business account."""
    def deleted_business_messages(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle messages that were deleted in a connected business account."""
    def guest_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a message that calls the bot into a chat where it is no member; `context.answer` answers it."""
    def message_reaction(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a user's new reaction to a message (the bot has to be an administrator)."""
    def message_reaction_count(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new count of anonymous reactions to a message (the bot has to be an administrator)."""
    def inline_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle an inline query; `context.answer` answers it. The pattern is for its `query`."""
    def chosen_inline_result(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle an inline result that a user chose. The pattern is for its `result_id`."""
    def callback_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a pressed button of an inline keyboard; `context.answer` ends its waiting. The pattern is for its `data`."""
    def shipping_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle the address for an invoice with a flexible price; `context.answer` answers it. The pattern is for its `invoice_payload`."""
    def pre_checkout_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a payment that is about to be made; `context.answer` has to confirm it within 10 seconds. The pattern is for its `invoice_payload`."""
    def purchased_paid_media(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle paid media with a payload that a user bought. The pattern is for its `paid_media_payload`."""
    def poll(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new state of a poll of the bot, or a poll that was stopped."""
    def poll_answer(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a user's answer in a poll that is not anonymous."""
    def my_chat_member(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new standing of the bot itself in a chat."""
    def chat_member(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a new standing of a member of a chat (the bot has to be an administrator)."""
    def chat_join_request(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a request to join a chat; `context.approve` and `context.decline` answer it."""
    def chat_boost(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a boost that was added to a chat or changed (the bot has to be an administrator)."""
    def removed_chat_boost(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a boost that was taken from a chat (the bot has to be an administrator)."""
    def managed_bot(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a bot that was made to be managed by this one, or has a new token or owner."""
    def subscription(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a user's subscription to the bot that was canceled, taken up again, or could not be paid. The pattern is for its `invoice_payload`."""
    def stopped_message_generation(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle a user who stopped the drafts of a message."""
