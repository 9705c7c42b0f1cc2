"""What the bot's connections have learned of their ways, kept in the state file for the next run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from syncbot.config.learned_file import read_learned
from syncbot.errors import StorageError
from syncbot.types import Learns, Transport

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Meta

_LEARNED = "learned"
"""The name of the facts in `Store.meta`."""


class LearnedNote:
    """Gives a transport what an earlier run has learned, and keeps what this one learns.

    Args:
        meta: where it is kept.
        transport: who learns; one that does not is left alone.
    """

    def __init__(self, meta: Meta, transport: Transport) -> None:
        self._meta = meta
        self._learned = transport.learned if isinstance(transport, Learns) else None
        self._kept = 0
        if self._learned is not None:
            self._learned.take(meta.get(_LEARNED))
            self._learned.take(read_learned())  # of `syncbot doctor`, which has looked at ways that are new to the bot
            self._kept = self._learned.changes

    def keep(self) -> None:
        """Write what is new, if anything is.

        Raises:
            StorageError: it cannot be written.
        """
        if self._learned is not None and self._learned.changes != self._kept:
            changes = self._learned.changes  # before the facts: what changes meanwhile is written the next time
            self._meta.set(_LEARNED, self._learned.facts())
            self._kept = changes


def remember(meta: Meta, name: str, value: Any) -> None:
    """Keep a fact that can do without being kept, as on a full disk."""
    with suppress(StorageError):
        meta.set(name, value)
