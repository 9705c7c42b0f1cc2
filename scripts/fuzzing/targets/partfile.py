"""Parts of downloads that somebody else may have put there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from fuzzing.findings import TOKEN
from fuzzing.target import Target
from syncbot import Bot
from syncbot.errors import ApiError, NetworkError
from syncbot.types import Request, Response

_CONTENT = bytes(range(256)) * 4
_FILE = {"file_id": "x", "file_unique_id": "u", "file_size": len(_CONTENT), "file_path": "photos/a.jpg"}


def _part(note: bytes, received: bytes, magic: bytes = b"syncpart") -> bytes:
    return received + note + struct.pack(">I8s", len(note), magic)


def _note(received: int) -> bytes:
    return b'{"file": "u", "size": 1024, "received": %d}' % received


@dataclass(frozen=True)
class _Done:
    """A download that came to its end: what it asked for first, and what became of it."""

    began_at: int
    content: bytes
    kind: int


class PartFiles(Target):
    """The first byte says what kind of thing lies beside the download, the second how the server answers, the rest is what is in it."""

    about = "parts of downloads: files, links, pipes and folders that lie in the way, with any content"
    words: ClassVar = (
        b"syncpart",
        b'"received": 4',
        b'{"file": "u", "size": 1024, "received": 100}',
        b"\x00\x00\x00\x2b",
        b"\x00\x00\x10\x00",
        b"1e999",
        b"NaN",
    )
    seeds: ClassVar = (
        b"00" + _part(_note(100), _CONTENT[:100]),
        b"01" + _part(_note(4), b"abcd"),
        b"02" + _part(_note(0), b""),
        b"10" + _part(b'{"file": "other", "size": 1024, "received": 4}', b"abcd"),
        b"20" + _part(_note(4), b"abcd"),
        b"30",
        b"40" + b"x" * 100,
        b"50",
        b"03" + _part(_note(4), b"abcd", b"sincpart"),
    )

    def open(self) -> None:
        """A bot whose transport has one file."""
        self.bot = Bot(TOKEN, transport=self, retry=None, limits=None)
        self.manner = 0
        self.began_at = -1

    def run(self, data: bytes) -> None:
        """One thing in the way."""
        place, other = self.folder / "place", self.folder / "other"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        other.write_bytes(b"somebody else's")
        kind, self.manner, self.began_at = data[:1] or b"0", data[1:2][0] % 4 if data[1:] else 0, -1
        with contextlib.suppress(OSError):
            _PLANTED[kind[0] % len(_PLANTED)](place / "a.jpg.part", other, data[2:])
        done = self.attempt(lambda: self._download(place / "a.jpg", kind[0]), NetworkError, ApiError, OSError)
        if kind[0] % len(_PLANTED) != _HARD_LINK or done is None:
            self.must(other.read_bytes() in (b"somebody else's", data[2:]), "somebody else's file was written to")
        if done is not None:
            self.must(len(done.content) == len(_CONTENT), f"the file has {len(done.content)} bytes")
            self.must(done.content[max(0, done.began_at) :] == _CONTENT[max(0, done.began_at) :], "the file is not what the server sent")

    def _download(self, path: Path, kind: int) -> _Done:
        self.bot.download(_FILE, path)
        return _Done(self.began_at, path.read_bytes(), kind)

    def send(self, request: Request) -> Response:
        """Part of `syncbot.types.Transport`: a server with one file, in four manners."""
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and self.manner != 1 else 0
        self.began_at = start if self.began_at < 0 or start == 0 else self.began_at
        status = 206 if start else 200
        headers = {"Content-Length": str(len(_CONTENT) - start), "ETag": '"e"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(_CONTENT) - 1}/{len(_CONTENT)}"
        body = _CONTENT[start:-5] if self.manner == 2 else _CONTENT[start:] + b"!" * (self.manner == 3)
        assert request.sink is not None
        if request.sink.begin(status, headers):
            request.sink.write(body)
            body = b""
        return Response(status, headers, body)

    def abort(self, scope: str) -> int:
        """Part of `syncbot.types.Transport`."""
        return 0

    def plant(self, value: Any) -> bool:
        """A bug for a part of four bytes that is gone on with, in an input that no seed begins like."""
        return bool(
            value.began_at > 0
            and value.began_at == 4
            and value.kind > 127
        )  # fmt: skip


def _link(part: Path, other: Path, data: bytes) -> None:
    part.symlink_to(other)


def _hard_link(part: Path, other: Path, data: bytes) -> None:
    other.write_bytes(data)
    part.hardlink_to(other)


_PLANTED: tuple[Callable[[Path, Path, bytes], Any], ...] = (
    lambda part, other, data: part.write_bytes(data),
    _link,
    _hard_link,
    lambda part, other, data: os.mkfifo(part),
    lambda part, other, data: os.close(os.open(part, os.O_CREAT, 0o444)),
    lambda part, other, data: part.mkdir(),
)
_HARD_LINK = 2
