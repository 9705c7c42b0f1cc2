"""One decorator for each kind of update. Written by scripts/generators/generate_kinds.py; do not edit."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.filters import FilterLike
from syncbot.runtime.handling.handlers import ANY, D
from syncbot.runtime.handling.kinds import KINDS

_SUMMARIES = """a new message
a message that was edited
a new post in a channel
a post in a channel that was edited
a business account that connected the bot, disconnected it, or changed its rights
a new message of a connected business account
an edited message of a connected business account
messages that were deleted in a connected business account
a message that calls the bot into a chat where it is no member; `context.answer` answers it
a user's new reaction to a message (the bot has to be an administrator)
a new count of anonymous reactions to a message (the bot has to be an administrator)
an inline query; `context.answer` answers it. The pattern is for its `query`
an inline result that a user chose. The pattern is for its `result_id`
a pressed button of an inline keyboard; `context.answer` ends its waiting. The pattern is for its `data`
the address for an invoice with a flexible price; `context.answer` answers it. The pattern is for its `invoice_payload`
a payment that is about to be made; `context.answer` has to confirm it within 10 seconds. The pattern is for its `invoice_payload`
paid media with a payload that a user bought. The pattern is for its `paid_media_payload`
a new state of a poll of the bot, or a poll that was stopped
a user's answer in a poll that is not anonymous
a new standing of the bot itself in a chat
a new standing of a member of a chat (the bot has to be an administrator)
a request to join a chat; `context.approve` and `context.decline` answer it
a boost that was added to a chat or changed (the bot has to be an administrator)
a boost that was taken from a chat (the bot has to be an administrator)
a bot that was made to be managed by this one, or has a new token or owner
a user's subscription to the bot that was canceled, taken up again, or could not be paid. The pattern is for its `invoice_payload`
a user who stopped the drafts of a message
"""


class KindDecorators(ABC, Generic[D]):
    """The decorators of the 27 kinds of updates of Bot API 10.3; see the stub beside this file."""

    @abstractmethod
    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D:
        """Make what registers a handler."""


def _decorator(kind: str) -> Callable[..., Any]:
    def decorator(self: Any, filters: Any = None, *, group: int = 0, state: Any = ANY, **options: Any) -> Any:
        return self._decorate(kind, filters, None, group, state, options)

    return decorator


def _pattern_decorator(kind: str) -> Callable[..., Any]:
    def decorator(self: Any, pattern: Any = None, *, filters: Any = None, group: int = 0, state: Any = ANY, **options: Any) -> Any:
        return self._decorate(kind, filters, pattern, group, state, options)

    return decorator


for _kind, _summary in zip(KINDS, _SUMMARIES.splitlines(), strict=True):
    _made = _pattern_decorator(_kind.name) if _kind.pattern else _decorator(_kind.name)
    _made.__name__, _made.__qualname__, _made.__doc__ = _kind.name, f"KindDecorators.{_kind.name}", f"Handle {_summary}."
    setattr(KindDecorators, _kind.name, _made)
