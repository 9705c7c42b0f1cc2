"""Bodies of requests as other libraries give them: fields, and files that are streamed from where they are."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncbot.client.uploads import BytesSource, FilePart, MultipartBody, Source, open_source


@dataclass(frozen=True)
class SourceBody:
    """A body that is one file and nothing else."""

    source: Source

    @property
    def size(self) -> int:
        """The exact length in bytes."""
        return self.source.size

    def __iter__(self) -> Iterator[bytes]:
        return self.source.chunks()


def multipart(fields: Mapping[str, str], files: Iterable[tuple[str, Any]], *, url_decoded: bool = True) -> MultipartBody:
    """A multipart/form-data body.

    Args:
        fields: the plain values by name.
        files: the name of each field, and what `requests` takes for it: an open file, bytes, text, or a tuple of a file name, one of
            these, and a content type where there is one. One that is None is left out.
        url_decoded: the server URL-decodes names, as Telegram's does.

    Raises:
        TypeError, ValueError: a file is none of these, or is closed.
    """
    parts = tuple(part for name, value in files if (part := _part(name, value)) is not None)
    return MultipartBody(dict(fields), parts, url_decoded=url_decoded)


def _part(name: str, value: Any) -> FilePart | None:
    filename, content_type = None, None
    if isinstance(value, tuple | list):
        if len(value) not in (2, 3):
            raise TypeError(f"the file {name!r} is a tuple of {len(value)}; give (file name, content) or (file name, content, content type)")
        filename, value, content_type = (*value, None)[:3]
    if value is None:
        return None
    if filename is None:
        path = getattr(value, "name", "")
        filename = (isinstance(path, str) and not path.startswith("<") and os.path.basename(path)) or name
    return FilePart(name, str(filename), source(value, name), content_type or "application/octet-stream")


def source(content: Any, what: str) -> Source:
    """Where the bytes of some content come from.

    Args:
        content: bytes, text, or an open file; one that is open as text is read at once, and goes out in UTF-8.
        what: its name, for an error.

    Raises:
        TypeError, ValueError: it is none of these, or is closed.
    """
    if isinstance(content, str):
        return BytesSource(content.encode())
    if isinstance(content, bytes | bytearray | memoryview):
        return BytesSource(bytes(content))
    if isinstance(content, io.TextIOBase):  # as requests takes one; its length in bytes is known only when it is read
        return BytesSource(content.read().encode())
    if not hasattr(content, "read"):
        raise TypeError(f"{what!r} is a {type(content).__name__}; give bytes, text, or an open file")
    return open_source(content, repr(what))
