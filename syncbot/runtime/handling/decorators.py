"""One decorator for each kind of update. Written by scripts/generators/generate_kinds.py; do not edit."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.filters import FilterLike
from syncbot.runtime.handling.handlers import ANY, D

if TYPE_CHECKING:
    from typing import Unpack


class KindDecorators(ABC, Generic[D]):
    """The decorators of the 27 kinds of updates of Bot API 10.3.

    Args:
        filters: what the update has to satisfy; see `syncbot.runtime.handling.filters`.
        pattern: a regular expression that matches from the start of the field that is named; its match becomes `context.match`.
        group: in ascending order, every group handles an update once: its first handler that fits.
        state: the state that the conversation with the user has to be in; None for no conversation, `ANY` for whichever.
        options: `durable`, `interrupted` and `replies`, see `syncbot.runtime.durable.options.HandlerOptions`.
    """

    @abstractmethod
    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D:
        """Make what registers a handler."""

    def message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new message."""
        return self._decorate("message", filters, None, group, state, options)

    def edited_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a message that was edited."""
        return self._decorate("edited_message", filters, None, group, state, options)

    def channel_post(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new post in a channel."""
        return self._decorate("channel_post", filters, None, group, state, options)

    def edited_channel_post(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a post in a channel that was edited."""
        return self._decorate("edited_channel_post", filters, None, group, state, options)

    def business_connection(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a business account that connected the bot, disconnected it, or changed its rights."""
        return self._decorate("business_connection", filters, None, group, state, options)

    def business_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new message of a connected business account."""
        return self._decorate("business_message", filters, None, group, state, options)

    def edited_business_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle an edited message of a connected business account."""
        return self._decorate("edited_business_message", filters, None, group, state, options)

    def deleted_business_messages(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle messages that were deleted in a connected business account."""
        return self._decorate("deleted_business_messages", filters, None, group, state, options)

    def guest_message(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a message that calls the bot into a chat where it is no member; `context.answer` answers it."""
        return self._decorate("guest_message", filters, None, group, state, options)

    def message_reaction(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a user's new reaction to a message (the bot has to be an administrator)."""
        return self._decorate("message_reaction", filters, None, group, state, options)

    def message_reaction_count(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new count of anonymous reactions to a message (the bot has to be an administrator)."""
        return self._decorate("message_reaction_count", filters, None, group, state, options)

    def inline_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle an inline query; `context.answer` answers it. The pattern is for its `query`."""
        return self._decorate("inline_query", filters, pattern, group, state, options)

    def chosen_inline_result(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle an inline result that a user chose. The pattern is for its `result_id`."""
        return self._decorate("chosen_inline_result", filters, pattern, group, state, options)

    def callback_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a pressed button of an inline keyboard; `context.answer` ends its waiting. The pattern is for its `data`."""
        return self._decorate("callback_query", filters, pattern, group, state, options)

    def shipping_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle the address for an invoice with a flexible price; `context.answer` answers it. The pattern is for its `invoice_payload`."""
        return self._decorate("shipping_query", filters, pattern, group, state, options)

    def pre_checkout_query(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a payment that is about to be made; `context.answer` has to confirm it within 10 seconds. The pattern is for its `invoice_payload`."""
        return self._decorate("pre_checkout_query", filters, pattern, group, state, options)

    def purchased_paid_media(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle paid media with a payload that a user bought. The pattern is for its `paid_media_payload`."""
        return self._decorate("purchased_paid_media", filters, pattern, group, state, options)

    def poll(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new state of a poll of the bot, or a poll that was stopped."""
        return self._decorate("poll", filters, None, group, state, options)

    def poll_answer(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a user's answer in a poll that is not anonymous."""
        return self._decorate("poll_answer", filters, None, group, state, options)

    def my_chat_member(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new standing of the bot itself in a chat."""
        return self._decorate("my_chat_member", filters, None, group, state, options)

    def chat_member(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a new standing of a member of a chat (the bot has to be an administrator)."""
        return self._decorate("chat_member", filters, None, group, state, options)

    def chat_join_request(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a request to join a chat; `context.approve` and `context.decline` answer it."""
        return self._decorate("chat_join_request", filters, None, group, state, options)

    def chat_boost(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a boost that was added to a chat or changed (the bot has to be an administrator)."""
        return self._decorate("chat_boost", filters, None, group, state, options)

    def removed_chat_boost(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a boost that was taken from a chat (the bot has to be an administrator)."""
        return self._decorate("removed_chat_boost", filters, None, group, state, options)

    def managed_bot(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a bot that was made to be managed by this one, or has a new token or owner."""
        return self._decorate("managed_bot", filters, None, group, state, options)

    def subscription(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a user's subscription to the bot that was canceled, taken up again, or could not be paid. The pattern is for its `invoice_payload`."""
        return self._decorate("subscription", filters, pattern, group, state, options)

    def stopped_message_generation(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ANY, **options: Unpack[HandlerOptions]) -> D:
        """Handle a user who stopped the drafts of a message."""
        return self._decorate("stopped_message_generation", filters, None, group, state, options)
