"""`BasePersistence`: what a program subclasses to keep data and conversations in a place of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Generic, Self, TypeVar

from syncbot.compat.ptb13.persistence.bots import swapped

UD = TypeVar("UD")
CD = TypeVar("CD")
BD = TypeVar("BD")
ConversationKey = tuple[Any, ...]
CallbackData = tuple[list[tuple[str, float, dict[str, Any]]], dict[str, str]]
"""The keyboards (id, time of the last use, what each button holds), and the keyboard of each query."""


class BasePersistence(ABC, Generic[UD, CD, BD]):
    """Keeps what is remembered of users, chats and the bot, and the states of conversations.

    What is handed to the `update_…` methods holds no bot: `REPLACED_BOT` stands where one was, and what the `get_…` methods give gets this one's again.
    Not everything has to be kept: the `store_…` arguments say what is.
    """

    REPLACED_BOT: ClassVar[str] = "bot_instance_replaced_by_ptb_persistence"

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        for name in ("get_user_data", "get_chat_data", "get_bot_data", "get_callback_data"):
            setattr(self, name, self._giving(getattr(self, name)))
        for name in ("update_user_data", "update_chat_data", "update_bot_data", "update_callback_data"):
            setattr(self, name, self._taking(getattr(self, name)))
        return self

    def __init__(self, store_user_data: bool = True, store_chat_data: bool = True, store_bot_data: bool = True, store_callback_data: bool = False) -> None:
        self.store_user_data = store_user_data
        self.store_chat_data = store_chat_data
        self.store_bot_data = store_bot_data
        self.store_callback_data = store_callback_data
        self.bot: Any = None

    def set_bot(self, bot: Any) -> None:
        """Told by the dispatcher whose data it keeps."""
        self.bot = bot

    @classmethod
    def replace_bot(cls, obj: Any) -> Any:
        """A copy of a value in which `REPLACED_BOT` stands for each bot."""
        return swapped(obj, cls.REPLACED_BOT, cls.REPLACED_BOT)

    def insert_bot(self, obj: Any) -> Any:
        """A copy of a value in which this bot stands for each `REPLACED_BOT`, and for each other bot."""
        return swapped(obj, self.REPLACED_BOT, self.bot)

    def _giving(self, get: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(get)
        def given() -> Any:
            return self.insert_bot(get())

        return given

    def _taking(self, update: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(update)
        def taken(*values: Any, **named: Any) -> Any:
            return update(*map(self.replace_bot, values), **{name: self.replace_bot(value) for name, value in named.items()})

        return taken

    @abstractmethod
    def get_user_data(self) -> Any:
        """All data of users by their ids, a `defaultdict`; asked for once, when the dispatcher is made."""

    @abstractmethod
    def get_chat_data(self) -> Any:
        """The same of chats."""

    @abstractmethod
    def get_bot_data(self) -> Any:
        """The bot's."""

    def get_callback_data(self) -> CallbackData | None:
        """What buttons hold; asked for where `store_callback_data` says so."""
        raise NotImplementedError

    @abstractmethod
    def get_conversations(self, name: str) -> dict[ConversationKey, Any]:
        """The states of the conversations of one handler; asked for once."""

    @abstractmethod
    def update_conversation(self, name: str, key: ConversationKey, new_state: Any) -> None:
        """Keep a state; None ends the conversation."""

    @abstractmethod
    def update_user_data(self, user_id: int, data: UD) -> None:
        """Keep a user's data, after an update of theirs was handled."""

    @abstractmethod
    def update_chat_data(self, chat_id: int, data: CD) -> None:
        """The same of a chat."""

    @abstractmethod
    def update_bot_data(self, data: BD) -> None:
        """The same of the bot."""

    def update_callback_data(self, data: CallbackData) -> None:
        """The same of what buttons hold."""
        raise NotImplementedError

    def refresh_user_data(self, user_id: int, user_data: UD) -> None:
        """Called before an update is handled: bring the data up to date, in place."""

    def refresh_chat_data(self, chat_id: int, chat_data: CD) -> None:
        """The same of a chat."""

    def refresh_bot_data(self, bot_data: BD) -> None:
        """The same of the bot."""

    def flush(self) -> None:
        """Called at the end: the last time to write."""
