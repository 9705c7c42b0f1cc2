"""What a step is known by, so that another run of the handler can tell whether it does the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

_TARGETS = ("chat_id", "user_id", "message_id", "message_ids", "query_id")
"""How the names of the parameters end that say whom or what a call concerns."""
_NEVER = frozenset({"getFile", "getUpdates"})
"""Calls that are made anew each time: the path of a file holds for an hour only."""


UNDONE = '{"undone":true}'
"""What stands in the journal of a step that ended with an error which is not kept, and did nothing: another run does it anew, in its place."""

ANSWERED = "answer"
"""The step of an update that has answered a question, where handlers run for the rest of it."""


def is_done(outcome: str | None) -> TypeGuard[str]:
    """Whether this is what came of a step, which is not to be done again."""
    return outcome is not None and outcome != UNDONE


def is_step(method: str) -> bool:
    """Whether a call of this method stands in the journal."""
    return method not in _NEVER


def only_asks(what: str) -> bool:
    """Whether a step changes nothing: one run may make it and another one not, as where a handler keeps the answer for a while."""
    return what.startswith("get")


def target_of(fields: Mapping[str, str]) -> str:
    """What a call concerns: chat, message or query, "chat_id=7 message_id=3"; none of its texts.

    Args:
        fields: the encoded parameters.
    """
    return " ".join(f"{name}={fields[name]}" for name in sorted(fields) if name.endswith(_TARGETS))


def shown(what: str, target: str) -> str:
    """A step in words: "sendMessage to chat_id=7"."""
    return f"{what} ({target})" if target else what
