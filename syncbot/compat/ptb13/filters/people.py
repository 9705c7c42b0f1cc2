"""Filters by who: users and chats by id or by username, which may be added and taken away while the bot runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from threading import Lock
from typing import Any

from syncbot.compat.ptb13.filters.base import MessageFilter

Ids = int | Collection[int] | None
Usernames = str | Collection[str] | None


class _Whom(MessageFilter):
    """By ids, or by usernames, with their @ or without it; never by both at once. Where neither is given, `allow_empty` decides."""

    _ids_name = "chat_id"

    def __init__(self, chat_id: Ids = None, username: Usernames = None, allow_empty: bool = False) -> None:
        self.chat_id_name = self._ids_name
        self.username_name = "username"
        self.allow_empty = allow_empty
        self._lock = Lock()
        self._chat_ids: frozenset[int] = frozenset()
        self._usernames: frozenset[str] = frozenset()
        self.chat_ids = chat_id
        self.usernames = username

    @abstractmethod
    def get_chat_or_user(self, message: Any) -> Any:
        """Whom it looks at in a message, which may be one that Telegram shows no more."""

    @property
    def chat_ids(self) -> frozenset[int]:
        """The ids; setting them takes the place of all."""
        return self._chat_ids

    @chat_ids.setter
    def chat_ids(self, chat_id: Ids) -> None:
        with self._lock:
            self._refuse_both(self._usernames if chat_id else None, self.chat_id_name, self.username_name)
            self._chat_ids = _ids(chat_id)

    @property
    def usernames(self) -> frozenset[str]:
        """The usernames, without their @; setting them takes the place of all."""
        return self._usernames

    @usernames.setter
    def usernames(self, username: Usernames) -> None:
        with self._lock:
            self._refuse_both(self._chat_ids if username else None, self.username_name, self.chat_id_name)
            self._usernames = _names(username)

    def add_chat_ids(self, chat_id: Ids) -> None:
        """Let more of them through."""
        with self._lock:
            self._refuse_both(self._usernames, self.chat_id_name, self.username_name)
            self._chat_ids |= _ids(chat_id)

    def remove_chat_ids(self, chat_id: Ids) -> None:
        """Let them through no longer."""
        with self._lock:
            self._refuse_both(self._usernames, self.chat_id_name, self.username_name)
            self._chat_ids -= _ids(chat_id)

    def add_usernames(self, username: Usernames) -> None:
        """Let more of them through."""
        with self._lock:
            self._refuse_both(self._chat_ids, self.username_name, self.chat_id_name)
            self._usernames |= _names(username)

    def remove_usernames(self, username: Usernames) -> None:
        """Let them through no longer."""
        with self._lock:
            self._refuse_both(self._chat_ids, self.username_name, self.chat_id_name)
            self._usernames -= _names(username)

    @staticmethod
    def _refuse_both(others: Collection[object] | None, name: str, other: str) -> None:
        if others:
            raise RuntimeError(f"Can't set {name} in conjunction with (already set) {other}s.")

    def filter(self, message: Any) -> bool:
        found = self.get_chat_or_user(message)
        ids, usernames = self._chat_ids, self._usernames
        if not found:
            return False
        if ids:
            return found.id in ids
        return bool(found.username and found.username in usernames) if usernames else self.allow_empty

    @property
    def name(self) -> str | None:
        return f"Filters.{type(self).__name__}({', '.join(str(each) for each in self._usernames or self._chat_ids)})"

    @name.setter
    def name(self, name: str | None) -> None:
        raise RuntimeError(f"Cannot set name for Filters.{type(self).__name__}")


class user(_Whom):  # named as its users call it
    """Messages from these users."""

    _ids_name = "user_id"

    def __init__(self, user_id: Ids = None, username: Usernames = None, allow_empty: bool = False) -> None:
        super().__init__(user_id, username, allow_empty)

    def get_chat_or_user(self, message: Any) -> Any:
        return getattr(message, "from_user", None)

    user_ids = _Whom.chat_ids
    add_user_ids = _Whom.add_chat_ids
    remove_user_ids = _Whom.remove_chat_ids


class via_bot(_Whom):  # as above
    """Messages sent by way of these inline bots."""

    _ids_name = "bot_id"

    def __init__(self, bot_id: Ids = None, username: Usernames = None, allow_empty: bool = False) -> None:
        super().__init__(bot_id, username, allow_empty)

    def get_chat_or_user(self, message: Any) -> Any:
        return getattr(message, "via_bot", None)

    bot_ids = _Whom.chat_ids
    add_bot_ids = _Whom.add_chat_ids
    remove_bot_ids = _Whom.remove_chat_ids


class chat(_Whom):  # as above
    """Messages in these chats."""

    def get_chat_or_user(self, message: Any) -> Any:
        return message.chat


class forwarded_from(_Whom):  # as above
    """Messages forwarded from these users or chats; who hides that when forwarded is not found."""

    def get_chat_or_user(self, message: Any) -> Any:
        return getattr(message, "forward_from", None) or getattr(message, "forward_from_chat", None)


class _SentAs(MessageFilter):
    """Messages sent in the name of a chat of this type."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self._kind = kind

    def filter(self, message: Any) -> bool:
        sender: Any = getattr(message, "sender_chat", None)
        return bool(sender) and sender.type == self._kind


class sender_chat(_Whom):  # as above
    """Messages sent in the name of these chats; `Filters.sender_chat.channel` and `.super_group`: of any of that type."""

    super_group = _SentAs("_SuperGroup", "supergroup")
    channel = _SentAs("_Channel", "channel")

    def get_chat_or_user(self, message: Any) -> Any:
        return getattr(message, "sender_chat", None)


def _ids(given: Ids) -> frozenset[int]:
    if given is None:
        return frozenset()
    return frozenset({given} if isinstance(given, int) else given)


def _names(given: Usernames) -> frozenset[str]:
    if given is None:
        return frozenset()
    return frozenset(each.removeprefix("@") for each in ([given] if isinstance(given, str) else given))
