"""`DictPersistence`: in memory, in and out as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from syncbot.compat.ptb13.persistence.base import BasePersistence, CallbackData, ConversationKey
from syncbot.compat.ptb13.utils.helpers import (
    Conversations,
    decode_conversations_from_json,
    decode_user_chat_data_from_json,
    encode_conversations_to_json,
)

Owners = defaultdict[int, dict[Any, Any]]


class DictPersistence(BasePersistence[dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """Keeps everything in memory; what was kept elsewhere goes in and out as JSON.

    Args:
        store_user_data, store_chat_data, store_bot_data, store_callback_data: what is kept.
        user_data_json, chat_data_json, bot_data_json, conversations_json, callback_data_json: what the attributes of the same names gave before.

    Raises:
        TypeError: one of these is not JSON, or holds something else.
    """

    def __init__(
        self,
        store_user_data: bool = True,
        store_chat_data: bool = True,
        store_bot_data: bool = True,
        user_data_json: str = "",
        chat_data_json: str = "",
        bot_data_json: str = "",
        conversations_json: str = "",
        store_callback_data: bool = False,
        callback_data_json: str = "",
    ) -> None:
        super().__init__(store_user_data, store_chat_data, store_bot_data, store_callback_data)
        self._user_data: Owners | None = _read("user_data_json", user_data_json, decode_user_chat_data_from_json)
        self._chat_data: Owners | None = _read("chat_data_json", chat_data_json, decode_user_chat_data_from_json)
        self._bot_data: dict[Any, Any] | None = _read("bot_data_json", bot_data_json, json.loads)
        self._conversations: Conversations | None = _read("conversations_json", conversations_json, decode_conversations_from_json)
        self._callback_data: CallbackData | None = _read("callback_data_json", callback_data_json, _callback_data)
        if self._bot_data is not None and not isinstance(self._bot_data, dict):
            raise TypeError("bot_data_json must be serialized dict")

    @property
    def user_data(self) -> Owners | None:
        """What is kept of users; None before anything was."""
        return self._user_data

    @property
    def chat_data(self) -> Owners | None:
        """The same of chats."""
        return self._chat_data

    @property
    def bot_data(self) -> dict[Any, Any] | None:
        """The bot's."""
        return self._bot_data

    @property
    def conversations(self) -> Conversations | None:
        """The states by handler and key."""
        return self._conversations

    @property
    def callback_data(self) -> CallbackData | None:
        """What buttons hold."""
        return self._callback_data

    @property
    def user_data_json(self) -> str:
        """What is kept of users, as JSON."""
        return json.dumps(self._user_data)

    @property
    def chat_data_json(self) -> str:
        """The same of chats."""
        return json.dumps(self._chat_data)

    @property
    def bot_data_json(self) -> str:
        """The bot's."""
        return json.dumps(self._bot_data)

    @property
    def conversations_json(self) -> str:
        """The states."""
        return encode_conversations_to_json(self._conversations or {})

    @property
    def callback_data_json(self) -> str:
        """What buttons hold."""
        return json.dumps(self._callback_data)

    def get_user_data(self) -> Owners:
        if self._user_data is None:
            self._user_data = defaultdict(dict)
        return self._user_data

    def get_chat_data(self) -> Owners:
        if self._chat_data is None:
            self._chat_data = defaultdict(dict)
        return self._chat_data

    def get_bot_data(self) -> dict[Any, Any]:
        if self._bot_data is None:
            self._bot_data = {}
        return self._bot_data

    def get_callback_data(self) -> CallbackData | None:
        return None if self._callback_data is None else (self._callback_data[0], self._callback_data[1].copy())

    def get_conversations(self, name: str) -> dict[ConversationKey, Any]:
        if self._conversations is None:
            self._conversations = {}
        return self._conversations.get(name, {}).copy()

    def update_conversation(self, name: str, key: ConversationKey, new_state: Any) -> None:
        if self._conversations is None:
            self._conversations = {}
        self._conversations.setdefault(name, {})[key] = new_state

    def update_user_data(self, user_id: int, data: dict[Any, Any]) -> None:
        if self._user_data is None:
            self._user_data = defaultdict(dict)
        self._user_data[user_id] = data

    def update_chat_data(self, chat_id: int, data: dict[Any, Any]) -> None:
        if self._chat_data is None:
            self._chat_data = defaultdict(dict)
        self._chat_data[chat_id] = data

    def update_bot_data(self, data: dict[Any, Any]) -> None:
        self._bot_data = data

    def update_callback_data(self, data: CallbackData) -> None:
        self._callback_data = (data[0], data[1].copy())


def _read(name: str, text: str, read: Callable[[str], Any]) -> Any:
    if not text:
        return None
    try:
        return read(text)
    except (ValueError, AttributeError) as problem:
        raise TypeError(f"Unable to deserialize {name}. Not valid JSON") from problem


def _callback_data(text: str) -> CallbackData | None:
    given = json.loads(text)
    if given is None:
        return None
    try:
        keyboards = [(name, float(at), buttons) for name, at, buttons in given[0]]
        queries = given[1]
    except (ValueError, IndexError, KeyError, TypeError) as problem:
        raise TypeError("callback_data_json is not in the required format") from problem
    if not all(isinstance(name, str) and isinstance(buttons, dict) for name, _, buttons in keyboards) or not isinstance(queries, dict):
        raise TypeError("callback_data_json is not in the required format")
    return keyboards, queries
