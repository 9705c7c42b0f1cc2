"""What an earlier release has left beside the state file: the file in which it noted which updates it had begun and ended since its last transaction.

It is a header and entries of fixed size. Each entry has a checksum that also covers the header's generation: what was half written when the process
died, and what is left from an earlier generation, is no entry. An entry names the update's row and id, so that the notes of one state file say nothing
about another one, such as a backup that was put back.
"""

from __future__ import annotations

import errno
import sqlite3
import struct
import zlib
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.regular import opener

_BEGUN, _ENDED = 1, 2
_HEADER = struct.Struct("<8sQQQ")
"""What it is, the run that has written it, the generation, and whether another run has taken over."""
_MAGIC = b"SYNBTURN"
_MARK = struct.Struct("<qqI")
_CHECK = struct.Struct("<I")
_BYTES = 8192
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""Errors that say nothing of the file: the system is short of something."""


def apply_turns_file(db: sqlite3.Connection, path: Path, run: int) -> None:
    """Write what an earlier release has noted into the tables.

    Args:
        db: in a transaction.
        path: the file; where there is none, or one that is damaged, nothing is written: what it told is handled again.
        run: the run that has handled last; what another one has noted stands in the tables already.

    Raises:
        StorageError: it cannot be read now, but later perhaps.
    """
    try:
        with open(path, "rb", opener=opener) as file:
            notes = file.read(_BYTES)
    except OSError as problem:
        if problem.errno in _PASSING:
            raise StorageError(f"{path}, which says what was handled last, cannot be read: {problem.strerror}", retryable=True) from problem
        return
    states = {_BEGUN: ("running", "state = 'waiting'"), _ENDED: ("done", "state IN ('waiting', 'running', 'yielded')")}
    for row, (update_id, mark) in _marks(notes, run).items():
        if mark in states:
            state, before = states[mark]
            db.execute(f"UPDATE inbox SET state = ? WHERE seq = ? AND update_id = ? AND {before}", (state, row, update_id))  # noqa: S608 - constants


def _marks(notes: bytes, run: int) -> dict[int, tuple[int, int]]:
    """By row, the update's id and the last mark."""
    marks: dict[int, tuple[int, int]] = {}
    if len(notes) < _BYTES:
        return marks
    magic, noted_by, generation, _ = _HEADER.unpack_from(notes)
    if magic != _MAGIC or noted_by != run:
        return marks
    seed = zlib.crc32(generation.to_bytes(8, "little"))
    for at in range(_HEADER.size, _BYTES - _MARK.size - _CHECK.size + 1, _MARK.size + _CHECK.size):
        entry = notes[at : at + _MARK.size]
        if _CHECK.unpack_from(notes, at + _MARK.size)[0] != zlib.crc32(entry, seed):
            break
        row, update_id, mark = _MARK.unpack(entry)
        marks[row] = (update_id, mark)
    return marks
