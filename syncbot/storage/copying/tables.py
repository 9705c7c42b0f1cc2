"""What a state consists of, whatever it stands in: tables and columns by the names that both sides have, and what copies from one to the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

Row = Sequence[Any]

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "meta": ("name", "value"),
        "inbox": ("seq", "update_id", "chat", "stored", "state", "attempts", "alone", "suspect", "json"),
        "seen": ("update_id", "seq", "at"),
        "dead_letter": ("id", "update_id", "chat", "stored", "died", "attempts", "reason", "json"),
        "data": ("scope", "owner", "name", "value"),
        "conversation": ("chat", "user", "state", "at"),
        "outbox": ("id", "chat", "method", "params", "files", "created", "not_before", "expires", "state", "attempts", "owner", "reason"),
        "journal": ("seq", "step", "what", "target", "outcome"),
        "job": ("key", "name", "rule", "next_time", "chat", "user", "data", "missed", "paused", "declared", "run"),
        "album": ("seq", "name", "began", "ready"),
        "question": ("seq", "step", "what", "chat", "user", "wants", "asked", "until"),
    }
)
"""By table, in the order in which they are copied."""
_FILES = COLUMNS["outbox"].index("files")


class CopySource(Protocol):
    """A state that is copied. Nothing handles it: all of it waits, or asks."""

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, in the order of its columns in `COLUMNS`, all tables as of one moment."""
        ...

    def file(self, name: str) -> Iterator[bytes]:
        """The bytes of a copy that a queued call names.

        Raises:
            StorageError: it is gone.
        """
        ...

    def finish(self) -> None:
        """All has been read.

        Raises:
            AlreadyRunning: a bot was started on it meanwhile.
        """
        ...


class CopyTarget(Protocol):
    """A state that is written; nothing of it is there before all of it is."""

    def write(self, table: str, rows: Iterable[Row]) -> int:
        """Write these; returns how many they were."""
        ...

    def write_file(self, chunks: Iterator[bytes]) -> str:
        """Keep the bytes of a file; returns the name by which a call names them here."""
        ...


def copy_all(source: CopySource, target: CopyTarget) -> dict[str, int]:
    """Write all of a state into another one; returns how many rows of each table, and how many files."""
    numbers = {table: target.write(table, source.rows(table)) for table in COLUMNS if table != "outbox"}
    files = 0

    def with_files() -> Iterator[Row]:
        nonlocal files
        for row in source.rows("outbox"):
            names = [target.write_file(source.file(name)) for name in json.loads(row[_FILES])]
            files += len(names)
            yield (*row[:_FILES], json.dumps(names, separators=(",", ":")), *row[_FILES + 1 :])

    numbers["outbox"] = target.write("outbox", with_files())
    source.finish()
    return numbers | {"file": files}
