"""A file that appears under its name only when it is whole: it grows as `<name>.part`, and an unfinished one says at its end what it is of."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import stat
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from syncbot.client.files.remote_file import RemoteFile
from syncbot.process import sync_folder
from syncbot.regular import no_link, what_else

_MAGIC = b"syncpart"
_TAIL = struct.Struct(">I8s")
_MAX_NOTE_BYTES = 4096
_ATTEMPTS = 100
_OTHERS_WRITE = 0o022


def check_place(path: Path) -> None:
    """See that a file can be put at a path, before anything is fetched for it.

    Raises:
        FileNotFoundError, NotADirectoryError: its folder does not exist, or is none.
        ValueError: something other than a file is there, which a download must not replace (a device, a pipe).
    """
    folder = path.parent
    if not folder.is_dir():
        missing = not folder.exists()
        kind, number = (FileNotFoundError, errno.ENOENT) if missing else (NotADirectoryError, errno.ENOTDIR)
        raise kind(number, "the folder for the download does not exist" if missing else "the download's folder is a file", str(folder))
    if wrong := what_else(path):
        raise ValueError(f"{str(path)!r}: {wrong}, and a download replaces what it is given; open it and use download_to")


class PartFile:
    """The target of a download into a file; use it with `with`, and `finish` it when it is whole.

    One that is left unfinished stays as `<name>.part` for a later download of the same file to go on with, except after an OSError, such as a full disk's.
    Two downloads to one path at the same time do not mix: the second takes another part, and leaves none. So does one that finds something of another
    user in the part's place, or what others may write, or have under another name, or what is no file: that stays as it is.

    Args:
        path: where the whole file is to be; an older file there is replaced at once.
    """

    def __init__(self, path: Path) -> None:
        self.received = 0
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._shared = True
        self._mode = 0
        self._finished = False
        self._identity: dict[str, object] = {}
        self._known: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._fd = self._open()
        self._read_note()
        return self

    def _open(self) -> int:
        for _ in range(_ATTEMPTS):
            try:
                fd = self._take()
            except FileNotFoundError:
                continue  # another download has just taken it away; or there is no folder, as will be found below
            if fd is None:
                break
            try:
                if _lock(fd) and _is_at(fd, self._part):
                    return fd
                if _is_at(fd, self._part):
                    os.close(fd)
                    break  # another download to the same path is under way
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # that one has just ended, and has taken the part with it
        self._shared = False
        self._part = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.part")
        return self._make()

    def _make(self) -> int:
        fd = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._mode = stat.S_IMODE(os.fstat(fd).st_mode)
        _set_mode(fd, self._mode & ~_OTHERS_WRITE)
        return fd

    def _take(self) -> int | None:
        """Make the part, or open the one that is there; None where that is not certainly what an earlier download of this user has left."""
        with contextlib.suppress(FileExistsError):
            return self._make()
        try:
            fd = no_link(str(self._part), os.O_RDWR)
        except FileNotFoundError:
            raise
        except OSError:
            return None
        if not _is_own(fd):
            os.close(fd)
            return None
        self._mode = stat.S_IMODE(os.fstat(fd).st_mode)
        return fd

    def _read_note(self) -> None:
        """See what is there from an earlier download; anything that is not whole and consistent counts as nothing."""
        size = os.fstat(self._fd).st_size
        tail = os.pread(self._fd, _TAIL.size, max(0, size - _TAIL.size))
        if len(tail) < _TAIL.size:
            return
        length, magic = _TAIL.unpack(tail)
        start = size - _TAIL.size - length
        if magic != _MAGIC or length > _MAX_NOTE_BYTES or start < 0:
            return
        with contextlib.suppress(ValueError, RecursionError):
            note = json.loads(os.pread(self._fd, length, start))
            if isinstance(note, dict) and note.pop("received", None) == start and isinstance(mode := note.pop("mode", self._mode), int):
                self._known = note
                self._mode = mode & 0o777
                self.received = start

    def identify(self, remote: RemoteFile) -> None:
        """Keep what is there where it is of this very file, and drop it otherwise."""
        self._identity = {"file": remote.unique_id, "size": remote.size} if remote.unique_id else {}
        if self._identity != self._known or not self._identity or self.received > (remote.size if remote.size is not None else self.received):
            self.restart()
        self._known = self._identity
        os.ftruncate(self._fd, self.received)
        os.lseek(self._fd, self.received, os.SEEK_SET)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._fd, view) :]
        self.received += len(chunk)

    def restart(self) -> bool:
        """Drop all bytes."""
        self.received = 0
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        return True

    def finish(self) -> None:
        """Put the whole file on the disk, and then in its place."""
        os.fsync(self._fd)
        # Where others may rename files of this user, they may do so afterwards as well; elsewhere what has this name now keeps it.
        if not _is_at(self._fd, self._part):
            raise OSError(errno.ESTALE, "it was taken away, or another file put in its place, while it was received", str(self._part))
        _set_mode(self._fd, self._mode)
        os.replace(self._part, self._path)
        self._finished = True
        with contextlib.suppress(OSError):  # not every file system can do it, and the file itself is safe by now
            sync_folder(self._path.parent)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if not self._finished and _is_at(self._fd, self._part):  # an interrupt may come when it has taken its place already
                fit = self._shared and _is_own(self._fd)  # for a later download to take it
                self._leave(keep=fit and not isinstance(error, OSError) and bool(self._identity) and self.received > 0)
        finally:
            os.close(self._fd)

    def _leave(self, *, keep: bool) -> None:
        if keep:
            try:
                self._write_note()
                return
            except OSError:
                keep = False  # what cannot say what it is of is of no use
        with contextlib.suppress(OSError):
            self._part.unlink()

    def _write_note(self) -> None:
        # The bytes are on the disk before the note that vouches for them: after a loss of power there is either both or no note.
        os.fsync(self._fd)
        note = json.dumps(self._identity | {"received": self.received, "mode": self._mode}).encode()
        data = note + _TAIL.pack(len(note), _MAGIC)
        if os.pwrite(self._fd, data, self.received) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._fd)


def _set_mode(fd: int, mode: int) -> None:
    if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
        with contextlib.suppress(OSError):  # a file system without modes
            os.fchmod(fd, mode)


def _is_own(fd: int) -> bool:
    """Whether a file is this user's, has no other name, and nobody else can have it open for writing."""
    facts = os.fstat(fd)
    return facts.st_uid == os.geteuid() and facts.st_nlink == 1 and not facts.st_mode & _OTHERS_WRITE


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks; two downloads to one path at once are the caller's to avoid there
    return True


def _is_at(fd: int, path: Path) -> bool:
    """Whether an open file is still the one that a path names."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False
