"""What is remembered of users, chats and the bot: the values that are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from syncbot.storage.promises.outbox import OutboxCall
from syncbot.storage.promises.questions import QuestionAnswer


class Scope(StrEnum):
    """Whose data it is."""

    USER = "user"
    CHAT = "chat"
    BOT = "bot"
    """The bot's own; its owner id is 0."""


@dataclass(frozen=True, slots=True)
class DataChange:
    """What a handler changed in one of its dicts: only these keys are written.

    Args:
        scope: user, chat or bot.
        owner: the id of the user or chat; 0 for the bot.
        changed: the new JSON values by key.
        removed: the keys that are gone.
        expected: what has to stand there by key, as JSON text (None for nothing), or nothing is written; of keys that are not named anything may.
    """

    scope: Scope
    owner: int
    changed: Mapping[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    expected: Mapping[str, str | None] = field(default_factory=dict)


class DataConflict(NamedTuple):
    """A key under which something else stands than was expected."""

    scope: Scope
    owner: int
    key: str


@dataclass(frozen=True, slots=True)
class StateChange:
    """The new state of a conversation; None ends it.

    Args:
        chat: the id of the chat.
        user: the id of the user.
        state: any JSON value.
    """

    chat: int
    user: int
    state: Any = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that the end of a handler writes, in one transaction.

    Args:
        data: of the dicts.
        states: of the conversations.
        again: for whoever gives them to a store: makes them anew after conflicts (True: for the last time, so that they win); None where the handler is
            to run again. No store calls it.
    """

    data: tuple[DataChange, ...] = ()
    states: tuple[StateChange, ...] = ()
    again: Callable[[tuple[DataConflict, ...], bool], Changes | None] | None = field(default=None, compare=False, repr=False)
    answers: tuple[QuestionAnswer, ...] = ()
    """What the update has answered."""
    calls: tuple[OutboxCall, ...] = ()
    """What goes into the outbox."""


NO_CHANGES = Changes()
"""A handler that changed nothing."""
