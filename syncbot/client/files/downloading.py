"""The downloads of a `Bot`, as methods."""

from __future__ import annotations

from abc import abstractmethod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import IO

    from syncbot.client.files.downloads import Downloads
    from syncbot.client.uploads import Progress


class DownloadMethods:
    """What a bot can do with files at Telegram; it says in `_downloads` what fetches them."""

    @abstractmethod
    def _downloads(self) -> Downloads:
        """What fetches them."""

    def download(
        self,
        file: Any,
        path: str | PathLike[str] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
    ) -> Path:
        """Download a file to disk.

        It is received as `<path>.part` and takes its place when it is whole and on the disk, replacing an older file at once. When it fails, the part
        stays, and the next download of the same file to the same path goes on with it.

        Args:
            file: a file id; or what has one: a `telegram.Document`, a `PhotoSize`, a `telegram.File` that `get_file` returned, a dict of the like.
            path: the file to write; or a folder that exists, where the server's name for the file is used, never the sender's; None takes the
                current folder.
            progress: told the bytes received so far and their total (0 where nobody knows it); it may go back, when the server begins anew. What it
                raises ends the download.
            timeout: seconds for one attempt, the time for the bytes of a large file coming on top.
            deadline: seconds in all. Without it: the bot's, and time for a large file on top.

        Returns:
            The path of the file.

        Raises:
            FileNotFoundError: the folder does not exist; nothing was asked.
            OSError: the file cannot be written, for instance because the disk is full.
            BadRequest: Telegram has no such file, or it has more than the 20 MB that the official server hands out.
            NetworkError: it could not be brought, or is larger than `max_download_bytes`; `phase` says nothing here, since trying again does no harm.
            ValueError: the path is a device or the like; or the server is a local one and the bot does not know it (`local=True`).
        """
        return self._downloads().to_path(file, path, progress=progress, timeout=timeout, deadline=deadline)

    def download_to(self, file: Any, out: IO[bytes], *, progress: Progress | None = None, timeout: float | None = None, deadline: float | None = None) -> int:
        """Download a file into an open binary file, from where it stands on; returns the number of bytes. For the rest see `download`.

        When the connection is cut and the server begins anew, the file is wound back; where that cannot be, the download fails with what is written.
        """
        return self._downloads().to_file(file, out, progress=progress, timeout=timeout, deadline=deadline)

    def download_bytes(self, file: Any, *, progress: Progress | None = None, timeout: float | None = None, deadline: float | None = None) -> bytes:
        """Download a file into memory. For the rest see `download`."""
        return self._downloads().to_bytes(file, progress=progress, timeout=timeout, deadline=deadline)
