"""The files that the fake server holds: small ones in memory, large ones in a folder of its own, the oldest forgotten first."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IN_MEMORY = 262_144
"""Bytes up to which a file is kept in memory."""

_FOLDERS = {"image": "photos", "video": "videos", "audio": "music"}


@dataclass(frozen=True)
class UploadedFile:
    """A file that came with a request.

    Args:
        field: the name of the form field ("photo", or the name after "attach://").
        name: the file name as the client gave it.
        content_type: as the client gave it, empty where it gave none.
        size: in bytes.
        sha256: of the content, in hexadecimal digits.
        file_id: under which the server keeps it.
    """

    field: str
    name: str
    content_type: str
    size: int
    sha256: str
    file_id: str


@dataclass(frozen=True)
class StoredFile:
    """A file that can be sent by its id and fetched.

    Args:
        file_id: the id that the Bot API hands out.
        unique_id: stays the same for the same content.
        name: the name that the uploader gave.
        mime_type: guessed from the name, whatever the uploader said, as Telegram does.
        size: in bytes.
        sha256: of the content, in hexadecimal digits.
        path: the `file_path` of getFile, relative.
        data: the content, where it is small; None where it is on disk.
        disk: where it lies on disk; None where it is in memory.
    """

    file_id: str
    unique_id: str
    name: str
    mime_type: str
    size: int
    sha256: str
    path: str
    data: bytes | None = field(default=None, repr=False)
    disk: Path | None = None

    @property
    def card(self) -> dict[str, Any]:
        """What every Bot API object of a file says of it."""
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` in pieces."""
        stop = self.size if stop is None else stop
        if self.data is not None:
            yield self.data[start:stop]
        elif self.disk is not None:
            with self.disk.open("rb") as file:
                file.seek(start)
                left = stop - start
                while left > 0 and (piece := file.read(min(65_536, left))):
                    left -= len(piece)
                    yield piece

    def read(self) -> bytes:
        """The whole content."""
        return b"".join(self.chunks())


class FileStore:
    """Receives, keeps and finds files.

    Args:
        keep: how many files are kept; the oldest are forgotten first.
        on_disk: write every file to disk, as a local Bot API server does.
    """

    def __init__(self, *, keep: int, on_disk: bool) -> None:
        self._lock = threading.Lock()
        self._keep = keep
        self._on_disk = on_disk
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._paths: dict[str, str] = {}
        self._count = 0

    def receive(self, field_name: str, name: str, content_type: str, pieces: Iterable[bytes]) -> UploadedFile:
        """Take an upload as it arrives."""
        stored = self.add(pieces, name=name)
        return UploadedFile(field_name, name, content_type, stored.size, stored.sha256, stored.file_id)

    def add(self, pieces: Iterable[bytes], *, name: str) -> StoredFile:
        """Keep a new file and give it an id."""
        with self._lock:
            self._count += 1
            number = self._count
        digest, size, memory, disk = hashlib.sha256(), 0, bytearray(), None
        writer = None
        try:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                if writer is None and (self._on_disk or size > IN_MEMORY):
                    disk = self._root() / f"{number}.part"
                    writer = disk.open("wb")
                    writer.write(memory)
                    memory.clear()
                if writer is None:
                    memory += piece
                else:
                    writer.write(piece)
        except BaseException:
            if disk is not None:
                disk.unlink(missing_ok=True)
            raise
        finally:
            if writer is not None:
                writer.close()
        return self._keep_file(number, name, size, digest.hexdigest(), bytes(memory) if disk is None else None, disk)

    def find(self, file_id: str) -> StoredFile | None:
        """The file with this id."""
        with self._lock:
            return self._files.get(file_id)

    def find_path(self, path: str) -> StoredFile | None:
        """The file with this `file_path`."""
        with self._lock:
            return self._files.get(self._paths.get(path, ""))

    def forget(self, file_id: str) -> None:
        """Drop a file, as a refused request does with what it uploaded."""
        with self._lock:
            stored = self._files.pop(file_id, None)
            if stored is not None:
                self._drop(stored)

    def close(self) -> None:
        """Drop everything."""
        with self._lock:
            self._files.clear()
            self._paths.clear()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _keep_file(self, number: int, name: str, size: int, sha256: str, data: bytes | None, disk: Path | None) -> StoredFile:
        base = re.split(r"[/\\]", name)[-1]
        mime = mimetypes.guess_type(base)[0] or "application/octet-stream"
        suffix = re.sub(r"[^a-z0-9.]", "", os.path.splitext(base)[1].lower())[:10]
        path = f"{_FOLDERS.get(mime.partition('/')[0], 'documents')}/file_{number}{suffix}"
        if disk is None and self._on_disk:
            disk, data = self._root() / f"{number}.part", None
            disk.touch()
        if disk is not None:
            target = self._root() / path
            target.parent.mkdir(exist_ok=True)
            disk = disk.rename(target)
        file_id = f"BQACAgIAAxkBAAI{number:07d}{sha256[:32]}AQADAgADcw4"
        stored = StoredFile(file_id, f"AgAD{sha256[:12]}", base, mime, size, sha256, path, data, disk)
        with self._lock:
            self._files[file_id] = stored
            self._paths[path] = file_id
            while len(self._files) > self._keep:
                self._drop(self._files.popitem(last=False)[1])
        return stored

    def _drop(self, stored: StoredFile) -> None:
        self._paths.pop(stored.path, None)
        if stored.disk is not None:
            stored.disk.unlink(missing_ok=True)

    def _root(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="syncbot-files-")
            return Path(self._folder.name)
