"""The part of a download: what somebody else has put into its place is left alone, and what was written is what takes the target's place."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from syncbot.client.bot import Bot
from syncbot.client.files.part_file import PartFile
from syncbot.client.files.remote_file import RemoteFile
from syncbot.errors import NetworkError
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.types import Request, Response

CONTENT = os.urandom(5000)
FILE = {"file_id": "the-id", "file_unique_id": "unique", "file_size": len(CONTENT), "file_path": "documents/file_1.bin"}
NOTE = json.dumps({"file": "unique", "size": len(CONTENT), "received": 1000}).encode()
PLANTED = b"evil" * 250 + NOTE + struct.pack(">I8s", len(NOTE), b"syncpart")
"""What looks like the first 1,000 bytes of the file, as an interrupted download would have left them."""


def _file(path: Path, mode: int = 0o644) -> None:
    path.write_bytes(PLANTED)
    path.chmod(mode)


def _of_another_owner(path: Path) -> None:
    _file(path)
    os.chown(path, 65534, 65534)


def _hard_link(path: Path) -> None:
    _file(path.with_name("precious"))
    os.link(path.with_name("precious"), path)


def _link(path: Path) -> None:
    _file(path.with_name("precious"))
    path.symlink_to(path.with_name("precious"))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


PLANTS: dict[str, Callable[[Path], object]] = {
    "writable by all": lambda path: _file(path, 0o646),
    "writable by a group": lambda path: _file(path, 0o660),
    "hard link": _hard_link,
    "link": _link,
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "pipe": os.mkfifo,
    "socket": _socket,
    "folder": os.mkdir,
}
if os.getuid() == 0:  # nobody else can give files away
    PLANTS["another owner"] = _of_another_owner


def bot_that_gets(*answers: bytes, cut: bool = False, spans: list[str] | None = None) -> Bot:
    """A bot to whom these bodies come, the last of them cut or not; the ranges that it asks for are noted."""
    left = list(answers)

    def answer(request: Request) -> Response:
        (spans if spans is not None else []).append(request.headers.get("Range", ""))
        assert request.sink is not None
        body = left.pop(0)
        status, headers = 200, {"Content-Length": str(len(CONTENT))}
        if "Range" in request.headers:
            start = len(CONTENT) - len(body)
            status, headers = 206, {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
        assert request.sink.begin(status, headers)
        request.sink.write(body)
        if cut and not left:
            raise NetworkError("the answer was cut short", method=request.method, stage="receive")
        return Response(status, headers, b"")

    class Line(FakeTransport):
        def send(self, request: Request) -> Response:
            return answer(request)

    return Bot(TEST_TOKEN, transport=Line(), retry=None)


def is_open(path: Path) -> bool:
    """Whether this process has a file open."""
    return str(path) in {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_what_somebody_has_planted_is_left_alone(plant: Callable[[Path], object], tmp_path: Path) -> None:
    """Whatever lies in the part's place and is not certainly this user's own part stays as it is, and the file comes whole from its first byte on."""
    part, spans = tmp_path / "a.part", list[str]()
    plant(part)
    before, names = part.lstat(), sorted(os.listdir(tmp_path))
    path = bot_that_gets(CONTENT, spans=spans).download(FILE, tmp_path / "a")
    assert path.read_bytes() == CONTENT
    assert spans == [""]
    after = part.lstat()
    assert (after.st_ino, after.st_mode, after.st_uid, after.st_size) == (before.st_ino, before.st_mode, before.st_uid, before.st_size)
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "a"])
    assert not os.path.samestat(before, path.stat())
    assert not is_open(part), "a descriptor is left for each download"
    for file in {part, tmp_path / "precious"}:
        if stat.S_ISREG(before.st_mode) and file.exists():
            assert file.read_bytes() == PLANTED
    with pytest.raises(NetworkError):
        bot_that_gets(CONTENT[:1000], cut=True).download(FILE, tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "a"]), "a part that no later download would find"


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_the_own_part_is_gone_on_with_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    """Until the file is whole nobody else can write to it; then it has the mode of any new file, gone on with in another call or not."""
    before, spans = os.umask(umask), list[str]()
    try:
        with pytest.raises(NetworkError):
            bot_that_gets(CONTENT[:1000], cut=True).download(FILE, tmp_path / "a")
        assert stat.S_IMODE((tmp_path / "a.part").stat().st_mode) == 0o666 & ~umask & ~0o022
        bot_that_gets(CONTENT[1000:], spans=spans).download(FILE, tmp_path / "a")
        bot_that_gets(CONTENT).download(FILE, tmp_path / "b")
    finally:
        os.umask(before)
    assert spans == ["bytes=1000-"]
    assert os.listdir(tmp_path) in (["a", "b"], ["b", "a"])
    for name in ("a", "b"):
        assert (tmp_path / name).read_bytes() == CONTENT
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("note", [b"[" * 4000, b'{"received":1000,"mode":"x"}', b"\xff", b"7"])
def test_a_note_that_says_nothing_counts_as_none(note: bytes, tmp_path: Path) -> None:
    """What stands at the end of the own part and makes no sense, however deep, means that the file is fetched anew."""
    (tmp_path / "a.part").write_bytes(bytes(1000) + note + struct.pack(">I8s", len(note), b"syncpart"))
    (tmp_path / "a.part").chmod(0o644)
    assert bot_that_gets(CONTENT).download(FILE, tmp_path / "a").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["a"]


def test_what_was_received_is_kept_when_the_same_file_is_named_again(tmp_path: Path) -> None:
    """A download whose way has expired asks for the file anew, in the middle, and goes on where it was; another file begins anew."""
    with PartFile(tmp_path / "a") as part:
        part.identify(RemoteFile("id", "unique", 5))
        part.write(b"who")
        part.identify(RemoteFile("id", "unique", 5))
        assert part.received == 3
        part.identify(RemoteFile("id", "another", 5))
        assert part.received == 0


class Disk:
    """Notes what is put on the disk, and when: (name, bytes) of each file and folder that is synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[tuple[str, int]] = []
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, fd: int) -> None:
        self._fsync(fd)
        path = os.path.realpath(f"/proc/self/fd/{fd}")
        self.synced.append((os.path.basename(path), 0 if os.path.isdir(path) else os.fstat(fd).st_size))


def test_a_download_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file is on the disk before it takes its place, and its new name afterwards: a loss of power leaves it whole, or not there."""
    disk = Disk(monkeypatch)
    bot_that_gets(CONTENT).download(FILE, tmp_path / "a")
    assert disk.synced == [("a.part", len(CONTENT)), (tmp_path.name, 0)]


def test_the_part_of_a_download_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are on the disk before the note that vouches for them, and the note afterwards."""
    disk = Disk(monkeypatch)
    with pytest.raises(NetworkError):
        bot_that_gets(CONTENT[:1000], cut=True).download(FILE, tmp_path / "a")
    assert disk.synced == [("a.part", 1000), ("a.part", (tmp_path / "a.part").stat().st_size)]
    assert disk.synced[1][1] > 1000


def test_many_downloads_leave_no_descriptor(tmp_path: Path) -> None:
    """Whole ones, cut ones, and those that go on: each gives back the file and the folder that it opened."""
    before = len(os.listdir("/proc/self/fd"))
    for number in range(30):
        with pytest.raises(NetworkError):
            bot_that_gets(CONTENT[:1000], cut=True).download(FILE, tmp_path / f"{number}")
        bot_that_gets(CONTENT[1000:]).download(FILE, tmp_path / f"{number}")
        bot_that_gets(CONTENT).download(FILE, tmp_path / f"{number}")
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    assert len(os.listdir(tmp_path)) == 30


def test_the_second_of_two_downloads_leaves_no_part_when_it_is_cut(tmp_path: Path) -> None:
    """No later download would find it; the first one's is where it was."""
    with PartFile(tmp_path / "a") as first:
        first.identify(RemoteFile("id", "unique", len(CONTENT)))
        with pytest.raises(NetworkError):
            bot_that_gets(CONTENT[:1000], cut=True).download(FILE, tmp_path / "a")
        assert os.listdir(tmp_path) == ["a.part"]


def test_only_what_was_written_takes_the_place(tmp_path: Path) -> None:
    """When another file lies in the part's place at the end, it does not become the download: that fails, and the other file stays."""

    def swapped() -> None:
        with PartFile(tmp_path / "a") as part:
            part.identify(RemoteFile("id", "unique", 5))
            part.write(b"whole")
            (tmp_path / "a.part").unlink()
            (tmp_path / "a.part").write_bytes(b"evil")
            part.finish()

    with pytest.raises(OSError, match="another file put in its place"):
        swapped()
    assert os.listdir(tmp_path) == ["a.part"]
    assert (tmp_path / "a.part").read_bytes() == b"evil"
