"""What all handlers have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import GenericAlias
from typing import Any

from telegram import Update

from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, DefaultValue

Callback = Callable[..., Any]


class Handler(ABC):
    """A function, and the updates that it wants.

    Args:
        callback: `callback(update, context)`; `callback(bot, update, …)` where the dispatcher was made with `use_context=False`.
        pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data: what an old callback gets by these names too.
        run_async: whether it runs in a thread of its own, so that the next update is begun meanwhile.
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # programs name the classes of update and context

    def __init__(
        self,
        callback: Callback,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        self.callback = callback
        self.pass_update_queue = pass_update_queue
        self.pass_job_queue = pass_job_queue
        self.pass_user_data = pass_user_data
        self.pass_chat_data = pass_chat_data
        self.run_async = run_async

    @abstractmethod
    def check_update(self, update: object) -> Any:
        """Whether it wants the update: None and False for no; anything else is handed on to `handle_update`."""

    def handle_update(self, update: Any, dispatcher: Any, check_result: Any, context: Any = None) -> Any:
        """Call the function, or have it called by a thread of its own.

        Returns:
            What it returns, or a `Promise` of that.
        """
        named: dict[str, Any] = {}
        if context is not None:
            self.collect_additional_context(context, update, dispatcher, check_result)
            values = (update, context)
        else:
            named = self.collect_optional_args(dispatcher, update, check_result)
            values = (dispatcher.bot, update)
        if self.runs_async(dispatcher):
            return dispatcher.run_async(self.callback, *values, update=update, **named)
        return self.callback(*values, **named)

    def runs_async(self, dispatcher: Any) -> bool:
        """Whether it runs in a thread of its own; what was not said to the handler, the bot's defaults say."""
        if self.run_async is DEFAULT_FALSE and dispatcher.bot.defaults is not None:
            return bool(dispatcher.bot.defaults.run_async)
        return bool(self.run_async)

    def collect_additional_context(self, context: Any, update: Any, dispatcher: Any, check_result: Any) -> None:  # noqa: B027  # subclasses may have nothing
        """Put what was found in the update into the context; for subclasses."""

    def collect_optional_args(self, dispatcher: Any, update: Any = None, check_result: Any = None) -> dict[str, Any]:
        """What an old callback gets by name."""
        found: dict[str, Any] = {}
        if self.pass_update_queue:
            found["update_queue"] = dispatcher.update_queue
        if self.pass_job_queue:
            found["job_queue"] = dispatcher.job_queue
        if isinstance(update, Update):
            user, chat = update.effective_user, update.effective_chat
            if self.pass_user_data:
                found["user_data"] = dispatcher.user_data[user.id if user else None]
            if self.pass_chat_data:
                found["chat_data"] = dispatcher.chat_data[chat.id if chat else None]
        return found


class PatternMixin:
    """What handlers have in common that look for a pattern, and hand on what it found."""

    pattern: Any = None
    pass_groups = False
    pass_groupdict = False

    def look_for(self, pattern: Any, pass_groups: bool = False, pass_groupdict: bool = False) -> None:
        """Take the pattern; None for none."""
        self.pattern = re.compile(pattern) if isinstance(pattern, str) else pattern
        self.pass_groups = pass_groups
        self.pass_groupdict = pass_groupdict

    def matched(self, text: str | None) -> Any:
        """What the pattern finds at the beginning of a text: a match or None; True where there is no pattern."""
        if not self.pattern:
            return True
        return re.match(self.pattern, text) if text else None

    def collect_additional_context(self, context: Any, update: Any, dispatcher: Any, check_result: Any) -> None:
        """Put the match into `context.matches`."""
        if self.pattern:
            context.matches = [check_result]

    def collect_optional_args(self, dispatcher: Any, update: Any = None, check_result: Any = None) -> dict[str, Any]:
        """What an old callback gets by name: the groups of the match too."""
        found: dict[str, Any] = super().collect_optional_args(dispatcher, update, check_result)  # type: ignore[misc]  # that of the Handler beside it
        if isinstance(check_result, re.Match):
            if self.pass_groups:
                found["groups"] = check_result.groups()
            if self.pass_groupdict:
                found["groupdict"] = check_result.groupdict()
        return found
