"""Which updates were begun and ended since the last transaction: a small file beside the state file, mapped into memory.

A transaction for each update that is handed out, and for each that ends, would cost more than everything else that is done with it, and wear out
flash memory. So the process that handles notes here what it begins and ends, in a microsecond, and writes it into the state file for many updates
at once, or when there is nothing else to do. What is noted survives the death of the process, however sudden, since the system keeps the mapped
pages; the next one to handle reads it. A power cut can undo it, as it can undo a transaction without an fsync.

The file is a header and entries of fixed size. Each entry has a checksum that also covers the header's generation: what was half written when
the process died, and what is left from an earlier generation, is no entry. An entry names the update's row and id, so that the notes of one state
file say nothing about another one, such as a backup that was put back.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from syncbot.errors import StorageError
from syncbot.regular import no_link

BEGUN, ENDED = 1, 2

_MAGIC = b"SYNBTURN"
_HEADER = struct.Struct("<8sQQQ")
"""What it is, the run that writes it, the generation, and whether another run has taken over."""
_GENERATION, _REPLACED = 16, 24
_MARK = struct.Struct("<qqI")
_CHECK = struct.Struct("<I")
_ENTRY_BYTES = _MARK.size + _CHECK.size
_BYTES = 8192
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""Errors that say nothing of the file: the system is short of something."""


class TurnLog:
    """The notes of the process that handles, from `recover` on. The caller serialises the calls.

    Args:
        path: the file; an earlier one is replaced.
        run: the number that `recover` gave to this process's time as the one that handles.

    Raises:
        OSError: it cannot be made here.
    """

    def __init__(self, path: Path, run: int) -> None:
        self._path = path
        new = path.with_name(path.name + ".new")
        with suppress(FileNotFoundError):
            new.unlink()  # left by a process that died here; never written through, since it may be a link
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            # Every byte is written, so that the file takes its room on the disk now: a mapped page for which there is none kills the process.
            _write_all(descriptor, _HEADER.pack(_MAGIC, run, 0, 0).ljust(_BYTES, b"\0"))
            self._map = mmap.mmap(descriptor, _BYTES)
            self._inode = os.fstat(descriptor).st_ino
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        finally:
            os.close(descriptor)
        self._generation = 0
        self._seed = _seed(0)
        self._at = _HEADER.size

    @property
    def has_room(self) -> bool:
        """Whether another entry fits in."""
        return self._at + _ENTRY_BYTES <= _BYTES

    @property
    def used(self) -> float:
        """How full it is, from 0 to 1."""
        return self._at / _BYTES

    @property
    def replaced(self) -> bool:
        """Whether another process has read it to go on in this one's place."""
        return self._map[_REPLACED] != 0

    def note(self, row: int, update_id: int, mark: int) -> None:
        """Note that an update was begun, or has ended; there has to be room."""
        entry = _MARK.pack(row, update_id, mark)
        end = self._at + _ENTRY_BYTES
        self._map[self._at : end] = entry + _CHECK.pack(zlib.crc32(entry, self._seed))
        self._at = end

    def clear(self) -> None:
        """Everything that is noted stands in the state file."""
        if self._at > _HEADER.size:
            self._generation += 1
            self._seed = _seed(self._generation)
            self._map[_GENERATION : _GENERATION + 8] = self._generation.to_bytes(8, "little")
            self._at = _HEADER.size

    def close(self, *, remove: bool) -> None:
        """Let go of it; with `remove`, and where it is still this process's, the file goes too."""
        if remove and not self.replaced:
            with suppress(OSError):
                if self._path.stat().st_ino == self._inode:
                    self._path.unlink()
        self._map.close()


Marks = dict[int, tuple[int, int]]
"""By row, the update's id and the last mark."""


def take_over(path: Path, run: int) -> Marks:
    """Read what an earlier run has noted, and tell it that it is replaced.

    Args:
        path: the file.
        run: the run that has handled last; what another one has noted stands in the state file already.

    Returns: nothing where there is no file, or one that is damaged.

    Raises:
        StorageError: it cannot be read now, but later perhaps.
    """
    try:
        with open(path, "r+b", opener=no_link) as file, mmap.mmap(file.fileno(), _BYTES) as notes:
            if notes[: len(_MAGIC)] == _MAGIC:
                notes[_REPLACED] = 1
            return _marks(notes[:], run)
    except (OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno in _PASSING:
            raise StorageError(f"{path}, which says what was handled last, cannot be read: {problem.strerror}", retryable=True) from problem
        return {}  # a file that is not there or too short tells nothing; what it told is then handled again


def look(path: Path, run: int) -> Marks:
    """Read what a run has noted so far, as `take_over` does, but leave it alone."""
    with suppress(OSError), open(path, "rb", opener=no_link) as file:
        return _marks(file.read(_BYTES), run)
    return {}


def _marks(notes: bytes, run: int) -> Marks:
    marks: Marks = {}
    if len(notes) < _BYTES:
        return marks
    magic, noted_by, generation, _ = _HEADER.unpack_from(notes)
    if magic != _MAGIC or noted_by != run:
        return marks
    for at in range(_HEADER.size, _BYTES - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        entry = notes[at : at + _MARK.size]
        if _CHECK.unpack_from(notes, at + _MARK.size)[0] != zlib.crc32(entry, _seed(generation)):
            break
        row, update_id, mark = _MARK.unpack(entry)
        marks[row] = (update_id, mark)
    return marks


def _seed(generation: int) -> int:
    return zlib.crc32(generation.to_bytes(8, "little"))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
