"""Files on their way to Telegram: where their bytes come from, and the multipart body that streams them.

Nothing here holds a file in memory as a whole: a path is opened anew for every attempt, an open file is wound back to where it stood, and
what cannot be wound back (a pipe, a socket) is copied to a temporary file first.
"""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from syncbot.regular import NotRegularError, opener

CHUNK_BYTES = 64 * 1024
"""How much of a file is in memory at a time."""
MEGABYTE = 1024 * 1024

Progress = Callable[[int, int], object]
"""Told the bytes of the body sent so far and their total, after each piece; what it raises ends the call."""

_CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029]")
_DEFAULT_NAMES = {
    "photo": "photo.jpg",
    "live_photo": "live_photo.mp4",
    "audio": "audio.mp3",
    "video": "video.mp4",
    "animation": "animation.mp4",
    "voice": "voice.ogg",
    "video_note": "video_note.mp4",
    "thumbnail": "thumbnail.jpg",
    "cover": "cover.jpg",
    "certificate": "certificate.pem",
}


class Source(Protocol):
    """Where the bytes of a file come from, as often as they are needed."""

    @property
    def size(self) -> int:
        """The exact number of bytes."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Hand out the bytes from the first to the last.

        Raises:
            ValueError: they cannot be read any more, or there are fewer of them by now.
        """
        ...


@dataclass(frozen=True)
class FilePart:
    """One file of a multipart body: the name of its field, its own name, and its bytes."""

    name: str
    filename: str
    source: Source = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class BytesSource:
    """Bytes that are in memory already."""

    data: bytes

    @property
    def size(self) -> int:
        """The exact number of bytes."""
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        """Hand out slices without copying the whole."""
        view = memoryview(self.data)
        return (bytes(view[start : start + CHUNK_BYTES]) for start in range(0, len(view), CHUNK_BYTES))


@dataclass(frozen=True)
class PathSource:
    """A file on disk, opened anew each time."""

    path: str
    size: int
    opener: Callable[[str, int], int] = opener

    def chunks(self) -> Iterator[bytes]:
        """Read the file; what it has grown by since the call began is left out, since the length is already promised."""
        try:
            file = open(self.path, "rb", buffering=0, opener=self.opener)  # noqa: SIM115 - a failure to open is told from one while it is sent
        except OSError as problem:
            raise ValueError(f"{self.path} cannot be read any more: {problem.strerror}") from None
        with file:
            yield from _read(file, self.size, self.path)


@dataclass(frozen=True)
class FileSource:
    """An open file that can be wound back to where it stood."""

    file: IO[bytes]
    start: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Read the file from where it stood when the call began."""
        try:
            self.file.seek(self.start)
        except OSError as problem:
            raise ValueError(f"the open file cannot be wound back: {problem.strerror}") from None
        return _read(self.file, self.size, "the open file")


def _read(file: IO[bytes] | io.RawIOBase, size: int, what: str) -> Iterator[bytes]:
    left = size
    while left:
        try:
            chunk = file.read(min(left, CHUNK_BYTES))
        except OSError as problem:
            # Not an OSError: while a request is written those speak of the network.
            raise ValueError(f"{what} cannot be read: {problem.strerror}") from None
        if not chunk:
            raise ValueError(f"{what} became shorter while it was sent: {left} of {size} bytes are missing")
        left -= len(chunk)
        yield chunk


def path_source(path: Any, what: str, limit: int) -> PathSource:
    """Look at a file on disk before anything is sent.

    Args:
        path: a path as text or `PathLike`.
        what: the parameter, for the text of an error.
        limit: the most bytes that may be sent.

    Raises:
        OSError: there is no such file (FileNotFoundError), it cannot be read (PermissionError), or it is a folder (IsADirectoryError).
        ValueError: it is not a regular file, is empty, or is over the limit.
    """
    name = os.fsdecode(path)
    try:
        with open(name, "rb", buffering=0, opener=opener) as file:
            size = os.fstat(file.fileno()).st_size
    except NotRegularError:
        raise ValueError(f"{what}: {name!r} is not a regular file; open it and give the open file") from None
    except OSError as problem:
        raise type(problem)(problem.errno, f"{what}: {problem.strerror}", name) from None
    return PathSource(os.path.abspath(name), _checked(size, what, limit, name))


def file_source(file: Any, what: str, limit: int) -> Source:
    """Look at an open file before anything is sent; see `open_source`.

    Raises:
        TypeError: it is not open for reading bytes.
        ValueError: nothing is left to read in it, or more than the limit.
    """
    source = open_source(file, what, limit)
    if source.size <= 0 < source.start:
        raise ValueError(f"{what}: nothing is left to read in the open file, which stands at its end; seek(0) before")
    _checked(source.size, what, limit)
    return source


def open_source(file: Any, what: str, limit: float = math.inf) -> FileSource:
    """What is left to read in an open file. One that cannot be wound back is copied to a temporary file, of more than the limit only the beginning.

    Raises:
        TypeError: it is not open for reading bytes.
        ValueError: it is closed.
    """
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"{what}: the file is open as text; open it with mode 'rb'")
    if getattr(file, "closed", False):
        raise ValueError(f"{what}: the file is closed")
    try:
        start = file.tell()
        file.seek(0, os.SEEK_END)
        size = file.tell() - start
        file.seek(start)
    except (OSError, AttributeError, ValueError):
        return _spooled(file, what, limit)
    return FileSource(file, start, size)


def _spooled(file: Any, what: str, limit: float) -> FileSource:
    import tempfile  # only here: few programs send from a pipe
    import weakref

    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the source that reads it
    size = 0
    try:
        while chunk := file.read(CHUNK_BYTES):
            if not isinstance(chunk, bytes):
                raise TypeError(f"{what}: reading gives {type(chunk).__name__}, not bytes; open the file with mode 'rb'")
            size += len(chunk)
            copy.write(chunk)
            if size > limit:
                break
    except BaseException:
        copy.close()
        raise
    source = FileSource(copy, 0, size)
    weakref.finalize(source, copy.close)
    return source


def bytes_source(data: bytes, what: str, limit: int) -> BytesSource:
    """Look at bytes before they are sent.

    Raises:
        ValueError: there are none, or more than the limit.
    """
    _checked(len(data), what, limit)
    return BytesSource(data)


def _checked(size: int, what: str, limit: int, name: str = "") -> int:
    shown = f"{what}: {name!r}" if name else f"{what}: the file"
    if size <= 0:
        raise ValueError(f"{shown} is empty, and Telegram takes no empty files")
    if size > limit:
        raise ValueError(f"{shown} has more than the {limit / MEGABYTE:g} MB that may be sent here")
    return size


def safe_filename(name: str, parameter: str = "") -> str:
    """Make a file's name fit to be sent: folders, control characters and what is not a name at all are taken away.

    Args:
        name: a name or path, in any script, of any system.
        parameter: the parameter that the file is for; tells the name where none is left.
    """
    last = _CONTROL.sub("", name).replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    last = last.encode("utf-8", "replace").decode("utf-8")
    return last if last not in ("", ".", "..") else _DEFAULT_NAMES.get(parameter, "file")


class MultipartBody:
    """A multipart/form-data body (RFC 7578) that streams its files; iterating it anew starts from the first byte.

    Args:
        fields: the plain values by name.
        files: the files, in order.
        progress: told about every piece that was taken.
        url_decoded: the server URL-decodes the names of fields and files, as Telegram's does; others take a "%" as it stands.
    """

    def __init__(self, fields: dict[str, str], files: tuple[FilePart, ...], progress: Progress | None = None, *, url_decoded: bool = True) -> None:
        quote = _percent_encoded if url_decoded else _quoted
        boundary = f"syncbot-{os.urandom(16).hex()}"
        begin = f"--{boundary}\r\nContent-Disposition: form-data; name="
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._progress = progress
        self._files = files
        head = "".join(f'{begin}"{quote(name)}"\r\n\r\n{value}\r\n' for name, value in fields.items()).encode()
        self._heads = [
            f'{begin}"{quote(part.name)}"; filename="{quote(part.filename)}"\r\nContent-Type: {part.content_type}\r\n\r\n'.encode() for part in files
        ]
        self._end = f"--{boundary}--\r\n".encode()
        if files:
            self._heads[0], self._end = head + self._heads[0], b"\r\n" + self._end
        else:
            self._end = head + self._end
        between = 2 * max(0, len(files) - 1)
        self._size = sum(map(len, self._heads)) + sum(part.source.size for part in files) + between + len(self._end)

    @property
    def size(self) -> int:
        """The exact length in bytes."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for chunk in self._chunks():
            yield chunk
            sent += len(chunk)
            if self._progress is not None:
                self._progress(sent, self._size)

    def _chunks(self) -> Iterator[bytes]:
        for place, (head, part) in enumerate(zip(self._heads, self._files, strict=True)):
            yield b"\r\n" + head if place else head
            yield from part.source.chunks()
        yield self._end


def _percent_encoded(text: str) -> str:
    """The same for a server that decodes it again, and takes a backslash for the beginning of an escape."""
    return _quoted(text.replace("%", "%25").replace("\\", "%5C"))


def _quoted(text: str) -> str:
    """Escape a name as browsers do: UTF-8 as it is, and only what would end the quotes or the line percent-encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
