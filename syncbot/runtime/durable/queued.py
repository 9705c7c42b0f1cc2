"""Calls that go out with the end of their handler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.client.api.table import find_method
from syncbot.client.client import Call
from syncbot.client.recording import NoResult
from syncbot.runtime.durable.step import is_step, only_asks
from syncbot.storage import OutboxCall

_WANTED_AT_ONCE = ("create", "export", "upload", "save")
"""How the names of methods begin that are called for what they return."""


class Queued(NoResult):
    """What a call returns that is made when its handler has ended (`replies="with the end"`); it has no result yet, and says so.

    Args:
        method: of the Bot API.
    """

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} goes out when the handler ends or waits (replies='with the end'): it has no result yet")
        self.method = method


if TYPE_CHECKING:

    class CallQueue(Protocol):
        """Makes calls into what the outbox holds."""

        def write_down(self, call: Call) -> OutboxCall:
            """A call for the outbox; its files are copied.

            Raises:
                StorageError: a file cannot be copied.
                ValueError: it cannot be written.
            """
            ...

        def forget(self, calls: Iterable[OutboxCall]) -> None:
            """These are not made: their files go."""
            ...


def may_wait(method: str) -> bool:
    """Whether a call of this method can go out later: it sends, edits, deletes, answers or sets, and nobody needs what it returns."""
    spec = find_method(method)
    asks = spec.only_asks if spec is not None else only_asks(method)
    return is_step(method) and not asks and not method.startswith(_WANTED_AT_ONCE)


class QueuedCall:
    """`syncbot.client.recording.CallStep` of a call that is not made now."""

    is_over = True

    def __init__(self, call: Call) -> None:
        self.call = call

    def done(self, result: Any) -> None:
        """It is over before it is made."""

    def failed(self, error: Exception) -> None:
        """It is over before it is made."""

    def result(self) -> Any:
        """What stands for its result."""
        return Queued(self.call.method)
