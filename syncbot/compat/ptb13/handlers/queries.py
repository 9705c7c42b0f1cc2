"""Handlers of what is no message: pressed buttons, inline queries, polls, members, payments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from telegram import Update

from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, DefaultValue
from syncbot.compat.ptb13.handlers.handler import Callback, Handler, PatternMixin


class CallbackQueryHandler(PatternMixin, Handler):
    """A handler of pressed buttons.

    Args:
        callback: see `Handler`, and so are those below that are not named here.
        pattern: what their data has to match from the beginning, a class that it has to be of, or a function that says so; None for all.
        pass_groups, pass_groupdict: what an old callback gets of the match.
    """

    def __init__(
        self,
        callback: Callback,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pattern: str | re.Pattern[str] | type | Callable[[object], bool | None] | None = None,
        pass_groups: bool = False,
        pass_groupdict: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        self.look_for(pattern, pass_groups, pass_groupdict)

    def check_update(self, update: object) -> Any:
        """See `Handler`."""
        if not isinstance(update, Update) or update.callback_query is None:
            return None
        data: Any = update.callback_query.data
        if not self.pattern:
            return True
        if data is None:
            return False
        if isinstance(self.pattern, type):
            return isinstance(data, self.pattern)
        if callable(self.pattern):
            return self.pattern(data)
        return self.matched(data) if isinstance(data, str) else None


class InlineQueryHandler(PatternMixin, Handler):
    """A handler of inline queries.

    Args:
        callback: see `Handler`, and so are those below that are not named here.
        pattern: what the query has to match from the beginning; None for all.
        pass_groups, pass_groupdict: what an old callback gets of the match.
        chat_types: in which kinds of chats it is written; None for any.
    """

    def __init__(
        self,
        callback: Callback,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pattern: str | re.Pattern[str] | None = None,
        pass_groups: bool = False,
        pass_groupdict: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
        chat_types: Sequence[str] | None = None,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        self.look_for(pattern, pass_groups, pass_groupdict)
        self.chat_types = chat_types

    def check_update(self, update: object) -> Any:
        """See `Handler`."""
        if not isinstance(update, Update) or update.inline_query is None:
            return None
        if self.chat_types is not None and update.inline_query.chat_type not in self.chat_types:
            return False
        return self.matched(update.inline_query.query)


class ChosenInlineResultHandler(PatternMixin, Handler):
    """A handler of inline results that were sent.

    Args:
        callback: see `Handler`, and so are those below that are not named here.
        pattern: what the result's id has to match from the beginning; None for all.
    """

    def __init__(
        self,
        callback: Callback,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
        pattern: str | re.Pattern[str] | None = None,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        self.look_for(pattern)

    def check_update(self, update: object) -> Any:
        """See `Handler`."""
        result = update.chosen_inline_result if isinstance(update, Update) else None
        return self.matched(result.result_id) if result is not None else None


class _OfKind(Handler):
    """A handler of all updates of a kind."""

    kind = ""

    def check_update(self, update: object) -> bool:
        """See `Handler`."""
        return isinstance(update, Update) and getattr(update, self.kind) is not None


class PollHandler(_OfKind):
    """A handler of polls that have changed."""

    kind = "poll"


class PollAnswerHandler(_OfKind):
    """A handler of votes in polls of the bot's that are not anonymous."""

    kind = "poll_answer"


class ShippingQueryHandler(_OfKind):
    """A handler of questions for what shipping there is."""

    kind = "shipping_query"


class PreCheckoutQueryHandler(_OfKind):
    """A handler of the last question before somebody pays."""

    kind = "pre_checkout_query"


class ChatJoinRequestHandler(_OfKind):
    """A handler of requests to join a chat."""

    kind = "chat_join_request"


class ChatMemberHandler(Handler):
    """A handler of members that come, go, or may do other things than before.

    Args:
        callback: see `Handler`, and so are those below that are not named here.
        chat_member_types: whose: MY_CHAT_MEMBER for the bot itself, CHAT_MEMBER for all others, ANY_CHAT_MEMBER.
    """

    MY_CHAT_MEMBER = -1
    CHAT_MEMBER = 0
    ANY_CHAT_MEMBER = 1

    def __init__(
        self,
        callback: Callback,
        chat_member_types: int = MY_CHAT_MEMBER,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        self.chat_member_types = chat_member_types

    def check_update(self, update: object) -> bool:
        """See `Handler`."""
        if not isinstance(update, Update):
            return False
        kinds = {self.MY_CHAT_MEMBER: ("my_chat_member",), self.CHAT_MEMBER: ("chat_member",)}
        wanted = kinds.get(self.chat_member_types, ("my_chat_member", "chat_member"))
        return any(getattr(update, kind) is not None for kind in wanted)
