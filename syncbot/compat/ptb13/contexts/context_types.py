"""Which classes handlers meet."""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias
from typing import Any

from syncbot.compat.ptb13.contexts.callback_context import CallbackContext


class ContextTypes:
    """The classes that a dispatcher makes contexts and data of.

    Args:
        context: a subclass of `CallbackContext`.
        bot_data, chat_data, user_data: called without values for what is remembered of nobody yet.

    Raises:
        ValueError: `context` is no such class.
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # programs name its classes

    def __init__(
        self,
        context: type[CallbackContext] = CallbackContext,
        bot_data: Callable[[], Any] = dict,
        chat_data: Callable[[], Any] = dict,
        user_data: Callable[[], Any] = dict,
    ) -> None:
        if not issubclass(context, CallbackContext):
            raise ValueError("context has to be a subclass of CallbackContext")
        self.context = context
        self.bot_data = bot_data
        self.chat_data = chat_data
        self.user_data = user_data
