"""What a command's connections learn, kept for the next command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from syncbot.config.learned_file import read_learned, write_learned
from syncbot.types import Learns, Transport


@contextmanager
def kept_between_commands(transport: Transport) -> Iterator[None]:
    """Within it a transport knows what earlier commands have learned; what it learns anew is kept for later ones."""
    if not isinstance(transport, Learns):
        yield
        return
    learned = transport.learned
    learned.take(read_learned())
    changes = learned.changes
    try:
        yield
    finally:
        if learned.changes != changes:
            learned.take(read_learned())  # another command may have learned of other ways meanwhile
            write_learned(learned.facts())
