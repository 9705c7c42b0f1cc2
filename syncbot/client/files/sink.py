"""Where the bytes of a download go, and what is looked at on their way there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Protocol

from syncbot.client.files.remote_file import RemoteFile
from syncbot.client.uploads import Progress
from syncbot.types import stated_size

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")


class DownloadTarget(Protocol):
    """Where the bytes of a download go."""

    @property
    def received(self) -> int:
        """How many bytes it has, from the first on."""
        ...

    def identify(self, remote: RemoteFile) -> None:
        """Learn which file it is to be; drop what is there of another one."""
        ...

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...

    def restart(self) -> bool:
        """Drop all bytes; False where that cannot be."""
        ...


class OpenFileTarget:
    """An open binary file, written from where it stands."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.received = 0

    def identify(self, remote: RemoteFile) -> None:
        """Nothing: it is written in one call."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; a raw file may take fewer at a time."""
        view = memoryview(chunk)
        while view:
            written = self._file.write(view)
            view = view[len(view) if written is None else written :]
        self.received += len(chunk)

    def restart(self) -> bool:
        """Go back to where the download began."""
        if self.received:
            try:
                self._file.seek(-self.received, 1)
                self._file.truncate()
            except (OSError, ValueError, AttributeError):
                return False
            self.received = 0
        return True


@dataclass
class DownloadBody:
    """The sink of one attempt: looks whether the answer is what was asked for, and hands its bytes on."""

    target: DownloadTarget
    remote: RemoteFile
    progress: Progress | None
    most: int
    etag: str = ""
    refused: str = ""
    total: int | None = None

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take a body that is the file, or the rest of it; any other is left for the envelope."""
        if status not in (200, 206):
            self.refused = "the server has no such part of the file" if status == 416 else ""
            return False
        found = {name.lower(): value for name, value in headers.items()}
        self.refused = self._unfit(status, found)
        if self.refused:
            return False
        self.etag = found.get("etag", "")
        if status == 200 and not self.target.restart():
            self.refused = "the server begins the file anew, and what was written cannot be taken back"
            return False
        return True

    def _unfit(self, status: int, headers: Mapping[str, str]) -> str:
        if headers.get("content-encoding", "identity") != "identity":
            return "the file came compressed"
        if self.etag and headers.get("etag", self.etag) != self.etag:
            return "the file has changed on the server" if status == 206 else ""
        size = stated_size(headers.get("content-length", ""))
        if status == 206:
            span = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
            if span is None or int(span[1]) != self.target.received:
                return "another part of the file came than was asked for"
            size = int(span[3]) if span[3] != "*" else None
        if size is not None and self.remote.size is not None and size != self.remote.size:
            return f"{self.remote.size} bytes were expected, and {size} are offered"
        if (size or 0) > self.most:
            raise TooLarge
        self.total = size if self.remote.size is None else self.remote.size
        return ""

    def write(self, chunk: bytes) -> None:
        """Hand on the next bytes, unless they are more than the file has."""
        if self.total is not None and self.target.received + len(chunk) > self.total:
            raise TooMuch
        if self.target.received + len(chunk) > self.most:
            raise TooLarge
        self.target.write(chunk)
        if self.progress is not None:
            self.progress(self.target.received, self.total or 0)


class TooMuch(Exception):
    """The body is longer than the file."""


class TooLarge(Exception):
    """The file is larger than may be downloaded."""
