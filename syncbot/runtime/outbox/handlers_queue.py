"""What handlers queue for their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from syncbot.client.client import Call
from syncbot.client.encode import body
from syncbot.runtime.outbox.written import ordering_key, write_down
from syncbot.storage import OutboxCall

if TYPE_CHECKING:
    from syncbot.runtime.outbox.queue_files import QueueFiles


class HandlersQueue:
    """`syncbot.runtime.durable.queued.CallQueue` beside a state file.

    Args:
        files: gives the place where copies of files are.
    """

    def __init__(self, files: Callable[[], QueueFiles]) -> None:
        self._files = files

    def write_down(self, call: Call) -> OutboxCall:
        """A call for the outbox; its files are copied."""
        body(call.encoded)  # finds out now what cannot be written
        fields = call.encoded.fields
        return OutboxCall(call.method, write_down(call.encoded), ordering_key(fields), self._files().copy(call.encoded.files))

    def forget(self, calls: Iterable[OutboxCall]) -> None:
        """These are not made: their files go."""
        for call in calls:
            self._files().remove(call.files)
