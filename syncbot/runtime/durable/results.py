"""What came of a step, as the journal keeps it: a JSON value, or an error of ours with its class and its fields."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from syncbot import errors
from syncbot.client.recording import NoResult
from syncbot.errors import ApiError, AskTimeout, Cancelled, NetworkError, Phase, SyncBotError
from syncbot.runtime.durable.step import is_done
from syncbot.storage import JournalStep
from syncbot.storage.codec import Unreadable, decode, encode

_log = logging.getLogger(__name__)

_NETWORK_FACTS = ("method", "phase", "stage", "proxy", "attempts", "elapsed", "retryable", "failover", "timed_out")
_API_FACTS = ("method", "code", "parameters")
_QUESTION_FACTS = ("message_id",)


def _below(kind: type[SyncBotError]) -> Iterator[type[SyncBotError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _below(below)


_KINDS: Mapping[str, type[SyncBotError]] = MappingProxyType(
    {kind.__name__: kind for root in (NetworkError, ApiError, AskTimeout, Cancelled) for kind in _below(root)}
)
"""The errors that a call, or a question, can end with, by name."""


SKIPPED = '{"skipped":true}'
"""What stands in the journal of a call that was gone on without."""


def value_text(value: Any, what: str) -> str:
    """A value as the journal keeps it.

    Raises:
        TypeError, ValueError: it is not JSON; `what` stands in the text.
    """
    return '{"value":' + encode(value, what) + "}"


def error_text(error: NetworkError | ApiError | AskTimeout | Cancelled) -> str:
    """An error as the journal keeps it; one of a class that is not ours as the nearest of ours."""
    kind = next(known for known in type(error).__mro__ if _KINDS.get(known.__name__) is known)
    names = _NETWORK_FACTS if isinstance(error, NetworkError) else _API_FACTS if isinstance(error, ApiError) else _QUESTION_FACTS
    facts = {name: getattr(error, name) for name in names}
    words = error.description if isinstance(error, ApiError) else str(error)
    return encode({"error": kind.__name__, "words": words, "facts": facts}, "an error")


def read_outcome(text: str, what: str = "") -> Any:
    """The value that a text of the journal stands for; an error is returned, not raised.

    Args:
        text: it.
        what: the step, for the words of what was skipped.

    Raises:
        Unreadable: it is damaged.
    """
    found = decode(text)
    if isinstance(found, dict):
        if "value" in found:
            return found["value"]
        if "skipped" in found:
            return NoResult(f"{what} was under way when the process died, and is not made again (interrupted='skip'): nobody knows its result")
        kind, words, facts = _KINDS.get(str(found.get("error"))), found.get("words"), found.get("facts")
        if kind is not None and isinstance(words, str) and isinstance(facts, dict):
            return _error(kind, words, facts)
    raise Unreadable("is nothing that can come of a step")


def _error(kind: type[SyncBotError], words: str, facts: dict[str, Any]) -> SyncBotError:
    if issubclass(kind, AskTimeout | Cancelled):
        over = kind(words)
        over.message_id = facts.get("message_id") if type(facts.get("message_id")) is int else None
        return over
    try:
        if issubclass(kind, NetworkError):
            facts["phase"] = Phase(facts["phase"])
        return kind(words, **facts)
    except (TypeError, ValueError, KeyError) as problem:
        raise Unreadable(f"is no {kind.__name__}: {problem}") from None


def sound(steps: Iterable[JournalStep]) -> list[JournalStep]:
    """The steps up to the first one whose outcome cannot be read."""
    found: list[JournalStep] = []
    for step in steps:
        if is_done(step.outcome):
            try:
                read_outcome(step.outcome)
            except Unreadable as problem:
                _log.error("a step in the journal is damaged (its outcome %s); it is passed over, and what follows it", problem)
                break
        found.append(step)
    return found
