"""Downloads: from Telegram, or from the disk of a local Bot API server, into a file, an open file or memory.

A file is received beside its target, as `<target>.part`, and takes the target's place when it is complete and on the disk. One that is cut goes on
from where it stood, in the same call and in a later one: a download that fails leaves its part, with a note at the end that says which file it is of.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from syncbot.bounds import check_call_seconds
from syncbot.client.client import Client
from syncbot.client.envelope import open_envelope
from syncbot.client.files.remote_file import RemoteFile
from syncbot.client.files.sink import DownloadBody, DownloadTarget, OpenFileTarget, TooLarge, TooMuch
from syncbot.client.retry import Retrier
from syncbot.client.uploads import MEGABYTE, Progress
from syncbot.errors import NetworkError, NotFound, NotSent, Phase
from syncbot.regular import opener
from syncbot.types import DEFAULT_BASE_URL, Request, Response

MAX_DOWNLOAD_BYTES = 20 * MEGABYTE
"""The most bytes of a file that the official server hands out (https://core.telegram.org/bots/api#getfile)."""
MAX_LOCAL_DOWNLOAD_BYTES = 2000 * MEGABYTE
"""The most bytes that are taken from a local server."""

_CHUNK_BYTES = 256 * 1024
_METHOD = "download"


def _too_large(most: int) -> NetworkError:
    text = f"the file has more than the {most / MEGABYTE:g} MB that may be downloaded here; Bot(max_download_bytes=…) sets the bound"
    return NetworkError(text, method=_METHOD, phase=Phase.ANSWERED, stage="receive", retryable=False)


class Downloads:
    """Fetches files for a bot.

    Args:
        client: the line to the server.
        call: makes a call of the Bot API: `Bot.call`.
        local: the server is a local one, whose files are on this machine.
        max_bytes: a larger file is refused, and one of unknown size ended there; None takes the most that the server hands out.
    """

    def __init__(self, client: Client, call: Callable[..., Any], *, local: bool, max_bytes: int | None) -> None:
        self._client = client
        self._call = call
        self._local = local
        usual = MAX_DOWNLOAD_BYTES if client.base_url == DEFAULT_BASE_URL and not local else MAX_LOCAL_DOWNLOAD_BYTES
        self._max_bytes = usual if max_bytes is None else max_bytes

    def to_path(self, file: Any, path: str | PathLike[str] | None, *, progress: Progress | None, timeout: float | None, deadline: float | None) -> Path:
        """Download into a file; see `Bot.download`."""
        from syncbot.client.files.part_file import PartFile, check_place  # deferred: it needs POSIX, and the other ways do not

        given = Path() if path is None else Path(path)
        in_folder = given.is_dir() or (path is not None and os.fspath(path).endswith(os.sep))
        check_place(given / "name" if in_folder else given)
        started = time.monotonic()
        remote = self.find(file, timeout=timeout, deadline=deadline)
        target = given / remote.name if in_folder else given
        check_place(target)
        with PartFile(target) as part:
            self.fetch(remote, part, progress=progress, timeout=timeout, deadline=_left(deadline, started))
            part.finish()
        return target

    def to_file(self, file: Any, out: IO[bytes], *, progress: Progress | None, timeout: float | None, deadline: float | None) -> int:
        """Download into an open file; see `Bot.download_to`."""
        if isinstance(out, io.TextIOBase):
            raise TypeError("the file is open as text; open it with mode 'wb'")
        started = time.monotonic()
        remote = self.find(file, timeout=timeout, deadline=deadline)
        target = OpenFileTarget(out)
        self.fetch(remote, target, progress=progress, timeout=timeout, deadline=_left(deadline, started))
        return target.received

    def to_bytes(self, file: Any, *, progress: Progress | None, timeout: float | None, deadline: float | None) -> bytes:
        """Download into memory; see `Bot.download_bytes`."""
        memory = io.BytesIO()
        self.to_file(file, memory, progress=progress, timeout=timeout, deadline=deadline)
        return memory.getvalue()

    def find(self, file: Any, *, timeout: float | None, deadline: float | None) -> RemoteFile:
        """Ask the server where a file is, unless the object says so already."""
        check_call_seconds(timeout, deadline)
        remote = RemoteFile.of(file)
        return self._bounded(remote) if remote.path else self._ask(remote, timeout, deadline)

    def _bounded(self, remote: RemoteFile) -> RemoteFile:
        if (remote.size or 0) > self._max_bytes:
            raise _too_large(self._max_bytes)
        return remote

    def _ask(self, remote: RemoteFile, timeout: float | None, deadline: float | None) -> RemoteFile:
        answer = self._call("getFile", file_id=remote.file_id, timeout=timeout, deadline=deadline)
        found = RemoteFile.of(answer) if isinstance(answer, dict) and isinstance(answer.get("file_path"), str) else None
        if found is None or not _is_path(found.path):
            raise NetworkError("Telegram named no path for the file", method="getFile", phase=Phase.ANSWERED, retryable=False)
        return self._bounded(replace(found, unique_id=found.unique_id or remote.unique_id, size=remote.size if found.size is None else found.size))

    def fetch(self, remote: RemoteFile, target: DownloadTarget, *, progress: Progress | None, timeout: float | None, deadline: float | None) -> None:
        """Bring a file into a target, whole.

        Args:
            remote: what `find` has found.
            target: what it is written to.
            progress: told the bytes received so far and their total, 0 where nobody knows it.
            timeout: seconds for one attempt, the time for the bytes of a large file coming on top; None takes the client's.
            deadline: seconds in all; None takes the client's, with time for a large file on top.

        Raises:
            NetworkError: it could not be brought within the retry policy and the deadline.
            ApiError: the server refuses it.
            OSError: it cannot be written here; or the file of a local server cannot be read.
        """
        if remote.path.startswith("/"):
            self._copy(remote, target, progress)
            return
        _Download(self._client, self._ask, target, progress, timeout, self._end(remote, timeout, deadline), self._max_bytes).run(remote)

    def _end(self, remote: RemoteFile, timeout: float | None, deadline: float | None) -> float:
        size = MAX_DOWNLOAD_BYTES if remote.size is None else remote.size
        seconds = deadline if deadline is not None else max(self._client.deadline, timeout or 0.0) + size / self._client.min_rate
        return time.monotonic() + seconds

    def _copy(self, remote: RemoteFile, target: DownloadTarget, progress: Progress | None) -> None:
        if not self._local:
            # Whoever answers for the server must not be able to have any file of this machine read.
            raise ValueError(
                "the server names a file of its own disk, as a local Bot API server does; set SYNCBOT_LOCAL=1, or make the bot with Bot(…, local=True)"
            )
        try:
            source = open(remote.path, "rb", buffering=0, opener=opener)  # noqa: SIM115 - a failure to open is told from one to write
        except FileNotFoundError as problem:
            raise FileNotFoundError(problem.errno, "the local Bot API server's file is not on this machine", remote.path) from None
        with source:
            self._bounded(replace(remote, size=os.fstat(source.fileno()).st_size))
            target.identify(replace(remote, unique_id=""))
            target.restart()
            size = remote.size or 0
            while chunk := source.read(_CHUNK_BYTES):
                if target.received + len(chunk) > self._max_bytes:  # it grows
                    target.restart()
                    raise _too_large(self._max_bytes)
                target.write(chunk)
                if progress is not None:
                    progress(target.received, size)
        if remote.size is not None and target.received != remote.size:
            raise NetworkError(f"the local server's file has {target.received} bytes, and {remote.size} were promised", method=_METHOD, phase=Phase.ANSWERED)


def _is_path(text: str) -> bool:
    """Whether it can be written into a URL, and be asked of a file system."""
    try:
        return b"\0" not in text.encode() and bool(text)
    except UnicodeEncodeError:
        return False


def _left(deadline: float | None, started: float) -> float | None:
    return None if deadline is None else max(0.0, deadline - (time.monotonic() - started))


@dataclass
class _Download:
    """One file on its way."""

    client: Client
    ask: Callable[[RemoteFile, float | None, float | None], RemoteFile]
    target: DownloadTarget
    progress: Progress | None
    timeout: float | None
    ends_at: float
    max_bytes: int
    etag: str = ""

    def run(self, remote: RemoteFile) -> None:
        started = time.monotonic()
        self.target.identify(remote)
        try:
            self._bring(remote)
        except NotFound:
            if not remote.file_id:
                raise
            # The way to a file holds for an hour.
            found = self.ask(remote, self.timeout, max(0.0, self.ends_at - time.monotonic()))
            self.target.identify(found)
            self._bring(found)
        except NetworkError as error:
            error.elapsed = time.monotonic() - started
            raise

    def _bring(self, remote: RemoteFile) -> None:
        """Try until it is here; attempts that got on do not count, so that a bad way takes longer rather than fails."""
        while True:
            before = self.target.received
            retrier = Retrier(self.client.retry, method=_METHOD, repeatable=True, deadline=self.ends_at, stop=self.client.stop)
            try:
                retrier.run(lambda: self._once(remote), already_done=None)
                return
            except NetworkError as error:
                got_on = self.target.received > before
                if not (got_on and error.retryable and self.client.retry.attempts > 1 and time.monotonic() < self.ends_at and not self.client.stop.is_set()):
                    raise

    def _once(self, remote: RemoteFile) -> None:
        if remote.size is not None and self.target.received == remote.size and remote.size:
            return  # it was cut just at its end
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise NotSent(f"the deadline was over {-left:.1f} s ago", method=_METHOD, stage="deadline", retryable=False)
        body = DownloadBody(self.target, remote, self.progress, self.max_bytes, self.etag, total=remote.size)
        headers = {}
        if self.target.received:
            headers["Range"] = f"bytes={self.target.received}-"
            if self.etag and not self.etag.startswith("W/"):
                headers["If-Range"] = self.etag
        request = Request(
            self.client.url(quote(remote.path), file=True),
            _METHOD,
            verb="GET",
            headers=headers,
            timeout=self.client.timeout if self.timeout is None else self.timeout,
            min_rate=self.client.min_rate,
            deadline=self.ends_at,
            sink=body,
        )
        too_large = False
        try:
            response = self.client.transport.send(request)
        except TooMuch:
            body.refused = "more bytes came than the file has"
        except TooLarge:
            too_large = True
        finally:
            self.etag = body.etag
        if too_large:
            self.target.restart()
            raise _too_large(self.max_bytes)
        if body.refused:  # what is there is dropped, and trying again may help
            self.etag = ""
            raise NetworkError(body.refused, method=_METHOD, phase=Phase.ANSWERED, stage="receive", retryable=self.target.restart())
        self._check(response, body)

    def _check(self, response: Response, body: DownloadBody) -> None:
        if response.status not in (200, 206):
            open_envelope(response, _METHOD, self.client.hide)
            raise NetworkError(f'HTTP {response.status} came with an answer that says "ok"', method=_METHOD, phase=Phase.ANSWERED, proxy=response.proxy)
        if body.total is not None and self.target.received < body.total:
            raise NetworkError(f"the file was cut: {self.target.received} of {body.total} bytes came", method=_METHOD, stage="receive", proxy=response.proxy)
