"""What names a file on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncbot.client.uploads import safe_filename


@dataclass(frozen=True)
class RemoteFile:
    """A file on the server.

    Args:
        file_id: what the server is asked by; empty where only the path is known.
        unique_id: stays the same for the same content.
        size: in bytes; None where Telegram does not say.
        path: where it is on the server; relative, or absolute on a local server. Holds no token.
    """

    file_id: str
    unique_id: str = ""
    size: int | None = None
    path: str = ""

    @classmethod
    def of(cls, file: Any) -> RemoteFile:
        """Read what names a file: a file id, or an object or dict that has one.

        Raises:
            TypeError: it names no file.
        """
        if isinstance(file, str) and file:
            return cls(str(file))
        names = ("file_id", "file_unique_id", "file_size", "file_path")
        file_id, unique_id, size, path = (file.get(name) if isinstance(file, Mapping) else getattr(file, name, None) for name in names)
        if not isinstance(file_id, str) and not isinstance(path, str):
            hint = "; of a photo's sizes give one, the last being the largest" if isinstance(file, tuple | list) else ""
            raise TypeError(f"a file id, or an object with a file_id, was expected, not {type(file).__name__}{hint}")
        # An object of an asyncio bot has a URL with a token here.
        known_path = path if isinstance(path, str) and "://" not in path else ""
        return cls(_text(file_id), _text(unique_id), size if type(size) is int and size >= 0 else None, known_path)

    @property
    def name(self) -> str:
        """A name that is safe in any folder: the server's own for the file, never the sender's, who could have meant another file of yours."""
        return safe_filename(self.path).lstrip(".") or safe_filename(self.unique_id or self.file_id)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
