"""What a handler gets beside its update."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Self

from telegram import Update

if TYPE_CHECKING:
    from queue import Queue


class CallbackContext:
    """What a handler gets beside its update: what was found in it, what is remembered of its user and chat, the bot.

    Args:
        dispatcher: which calls the handler; it has to be one with `use_context=True`.
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # programs name the classes of its data: CallbackContext[dict, ChatData, dict]

    def __init__(self, dispatcher: Any) -> None:
        if not dispatcher.use_context:
            raise ValueError("a dispatcher with use_context=False hands out no CallbackContext")
        self._dispatcher = dispatcher
        self._chat_id_and_data: tuple[int, Any] | None = None
        self._user_id_and_data: tuple[int, Any] | None = None
        self.args: list[str] | None = None
        """The words behind a command."""
        self.matches: list[re.Match[str]] | None = None
        """What the patterns found."""
        self.error: BaseException | None = None
        """In error handlers: what was raised."""
        self.job: Any = None
        """In jobs: the job."""
        self.async_args: Sequence[Any] | None = None
        self.async_kwargs: Mapping[str, Any] | None = None

    @classmethod
    def from_update(cls, update: object, dispatcher: Any) -> Self:
        """One for the handlers of an update."""
        self = cls(dispatcher)
        if isinstance(update, Update):
            chat, user = update.effective_chat, update.effective_user
            if chat is not None:
                self._chat_id_and_data = (chat.id, dispatcher.chat_data[chat.id])
            if user is not None:
                self._user_id_and_data = (user.id, dispatcher.user_data[user.id])
        return self

    @classmethod
    def from_error(
        cls, update: object, error: BaseException, dispatcher: Any, async_args: Sequence[Any] | None = None, async_kwargs: Mapping[str, Any] | None = None
    ) -> Self:
        """One for error handlers.

        Args:
            update: where it happened; None for a job.
            error: what was raised.
            dispatcher: which tells them.
            async_args, async_kwargs: what the function was given that ran in a thread of its own.
        """
        self = cls.from_update(update, dispatcher)
        self.error = error
        self.async_args = async_args
        self.async_kwargs = async_kwargs
        return self

    @classmethod
    def from_job(cls, job: Any, dispatcher: Any) -> Self:
        """One for a job's function."""
        self = cls(dispatcher)
        self.job = job
        return self

    @property
    def dispatcher(self) -> Any:
        """The dispatcher."""
        return self._dispatcher

    @property
    def bot(self) -> Any:
        """The bot."""
        return self._dispatcher.bot

    @property
    def job_queue(self) -> Any:
        """The dispatcher's job queue; None where it has none."""
        return self._dispatcher.job_queue

    @property
    def update_queue(self) -> Queue[object] | None:
        """What is put here is handled as an update."""
        queue: Queue[object] | None = self._dispatcher.update_queue
        return queue

    @property
    def bot_data(self) -> Any:
        """What is remembered of all: the same dict for each update. It is changed, never replaced."""
        return self._dispatcher.bot_data

    @property
    def chat_data(self) -> Any:
        """The same of the chat; None where the update has none. It is changed, never replaced."""
        return self._chat_id_and_data[1] if self._chat_id_and_data is not None else None

    @property
    def user_data(self) -> Any:
        """The same of the user; None where the update has none. It is changed, never replaced."""
        return self._user_id_and_data[1] if self._user_id_and_data is not None else None

    @property
    def match(self) -> re.Match[str] | None:
        """What the first pattern found."""
        return self.matches[0] if self.matches else None

    def refresh_data(self) -> None:
        """Let the persistence bring the data of this update's user and chat, and the bot's, up to date."""
        persistence = self._dispatcher.persistence
        if not persistence:
            return
        if persistence.store_bot_data:
            persistence.refresh_bot_data(self.bot_data)
        if persistence.store_chat_data and self._chat_id_and_data is not None:
            persistence.refresh_chat_data(*self._chat_id_and_data)
        if persistence.store_user_data and self._user_id_and_data is not None:
            persistence.refresh_user_data(*self._user_id_and_data)

    def drop_callback_data(self, callback_query: Any) -> None:
        """Forget what a button held.

        Raises:
            RuntimeError: the bot keeps no callback data of its own.
            KeyError: the query is not known.
        """
        if not getattr(self.bot, "arbitrary_callback_data", False):
            raise RuntimeError("this bot was made without arbitrary_callback_data=True")
        self.bot.callback_data_cache.drop_data(callback_query)

    def update(self, data: Mapping[str, Any]) -> None:
        """Set several attributes: what data filters have found."""
        for name, value in data.items():
            setattr(self, name, value)
