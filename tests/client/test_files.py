"""Downloads and uploads: whole or not at all, resumed, measured, and safe in the folder that they are put into."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import telegram
from hypothesis import given
from hypothesis import strategies as st
from kits.timing_kit import tried

from syncbot.client.bot import Bot
from syncbot.client.files.part_file import PartFile
from syncbot.client.files.remote_file import RemoteFile
from syncbot.client.retry import RetryPolicy
from syncbot.errors import BadRequest, DeliveryUncertain, NetworkError, NotFound, Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport
from syncbot.types import Request, Response

CONTENT = os.urandom(300_000)
QUICK = RetryPolicy(attempts=4, first_wait=0.001, longest_wait=0.002)
FILE = {"file_id": "the-id", "file_unique_id": "unique", "file_size": len(CONTENT), "file_path": "documents/file_1.bin"}

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NO_LENGTH = {"Content-Length": ""}


@pytest.fixture
def server(ca: TestCA) -> Iterator[BotApiServer]:
    """A server over TLS."""
    with BotApiServer(tls=True, ca=ca, any_chat=True) as server:
        yield server


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[Bot]:
    """A bot of that server that tries again quickly."""
    with Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies="direct", retry=QUICK) as bot:
        yield bot


def ranges(server: BotApiServer) -> list[str]:
    """The parts of files that were asked for, "" for a whole one."""
    return [request.headers.get("range", "") for request in server.requests if request.verb == "GET"]


# ------------------------------------------------------------------ the plain way


def test_download_to_a_path(bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """A file comes whole, its progress is told, an older file is replaced, and no part is left."""
    file_id, target, told = server.add_file(CONTENT, name="a.bin"), tmp_path / "b.bin", []
    target.write_bytes(b"old")
    assert bot.download(file_id, target, progress=lambda received, total: told.append((received, total))) == target
    assert target.read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["b.bin"]
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert ranges(server) == [""]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_download_into_a_folder(bot: Bot, server: BotApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder, or the current one, a file has the server's own name for it, whatever its sender called it."""
    file_id = server.add_file(CONTENT, name="../../.bashrc")
    found = bot.download(file_id, tmp_path)
    assert found.parent == tmp_path
    assert found.name.startswith("file_")
    assert bot.download(file_id, f"{tmp_path}{os.sep}") == found
    monkeypatch.chdir(tmp_path)
    found.unlink()
    here = bot.download(file_id)
    assert here == Path(found.name)
    assert found.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [0, 1, 65_536])
def test_sizes(size: int, bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """Small files, and one of no bytes, come as well."""
    assert bot.download(server.add_file(CONTENT[:size]), tmp_path / "a").read_bytes() == CONTENT[:size]
    assert bot.download_bytes(server.add_file(CONTENT[:size])) == CONTENT[:size]


def test_what_names_a_file(bot: Bot, server: BotApiServer) -> None:
    """A file id, an object of telegram's that has one, a dict, and a File with or without its path all do."""
    ann = server.user(first_name="Ann")
    ann.send_document(CONTENT, name="a.bin")
    [update] = bot.get_updates()
    assert update.message is not None
    document = update.message.document
    assert document is not None
    for file in (document, document.file_id, document.to_dict(), bot.get_file(document.file_id), bot.call("getFile", file_id=document.file_id)):
        assert bot.download_bytes(file) == CONTENT
    foreign = telegram.File(document.file_id, "unique", file_path=f"https://api.telegram.org/file/bot{TEST_TOKEN}/documents/file_1.bin")
    assert bot.download_bytes(foreign) == CONTENT
    assert server.count("getFile") == 6


@pytest.mark.parametrize("thing", [None, 5, "", [telegram.PhotoSize("a", "b", 1, 1)], {"name": "a"}, object()])
def test_what_names_no_file_is_refused(thing: Any, bot: Bot, server: BotApiServer) -> None:
    """Anything else is a TypeError before anything is asked; of a photo's sizes one has to be chosen."""
    with pytest.raises(TypeError, match="of a photo's sizes give one" if isinstance(thing, list) else "file id"):
        bot.download_bytes(thing)
    assert server.count() == 0


def test_download_to_an_open_file(bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """An open file is written from where it stands, and not closed; one that is open as text is refused."""
    file_id = server.add_file(CONTENT)
    with (tmp_path / "a").open("wb") as out:
        out.write(b"head")
        assert bot.download_to(file_id, out) == len(CONTENT)
        out.write(b"tail")
    assert (tmp_path / "a").read_bytes() == b"head" + CONTENT + b"tail"
    with (tmp_path / "b").open("w", encoding="utf-8") as text, pytest.raises(TypeError, match="mode 'wb'"):
        bot.download_to(file_id, text)  # type: ignore[arg-type]  # what a checker would refuse is the point


# ------------------------------------------------------------------ where a file may be put


def test_places_are_looked_at_before_anything_is_asked(bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """A missing folder, one that is a file, and a path that is no regular file are told at once."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="folder for the download does not exist"):
        bot.download("id", tmp_path / "missing" / "a")
    with pytest.raises(FileNotFoundError):
        bot.download("id", f"{tmp_path}/missing/")
    with pytest.raises(NotADirectoryError):
        bot.download("id", tmp_path / "file" / "a")
    for special in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(ValueError, match="download_to"):
            bot.download("id", special)
    assert server.count() == 0


@given(st.one_of(st.text(), st.lists(st.sampled_from(["..", ".", "/", "\\", "\x00", "\n", "a", ".b", "~", "C:"]), max_size=8).map("".join)))
def test_no_name_leads_out_of_the_folder(path: str) -> None:
    """Whatever path a server names, the file's own name has no folder in it, is not hidden, and is never empty."""
    name = RemoteFile("the-id", "unique", path=path).name
    assert name
    assert not name.startswith(".")
    assert not set(name) & set("/\\\x00\n")
    assert (Path("/folder") / name).parent == Path("/folder")


WRITE_MORE_THAN_FITS = """
import errno, os, resource, sys
from syncbot.client.bot import Bot
from syncbot.transport import FakeTransport
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
file = {"file_id": "a", "file_unique_id": "b", "file_path": "c"}
bot = Bot("123456:a-token-of-the-right-shape-1234567", transport=FakeTransport(getFile=file, download=b"x" * 300_000))
try:
    bot.download("a", sys.argv[1])
except OSError as problem:
    assert type(problem) is OSError and problem.errno == errno.EFBIG, problem
else:
    raise AssertionError("it fits")
assert os.listdir(os.path.dirname(sys.argv[1])) == []
"""


def test_what_the_disk_refuses_is_an_oserror(tmp_path: Path) -> None:
    """An error of the disk reaches the caller as it is, without another try, and its part is taken away to make room."""
    done = subprocess.run([sys.executable, "-c", WRITE_MORE_THAN_FITS, str(tmp_path / "a")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------ cut and resumed


def test_a_cut_download_goes_on(server: BotApiServer, tmp_path: Path) -> None:
    """After a cut the rest is asked for, from the byte on that is missing, and the file is what it was."""
    content = os.urandom(2_000_000)
    with (
        FaultProxy() as proxy,
        Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies=proxy.url, retry=QUICK) as bot,
    ):
        file_id = server.add_file(content)
        proxy.script(Fault.NONE, Fault.cut_response(after_bytes=700_000), Fault.cut_response(after_bytes=700_000, reset=True))
        assert bot.download(file_id, tmp_path / "a").read_bytes() == content
        first, *later = ranges(server)
        assert first == ""
        assert len(later) >= 1
        assert all(0 < int(span.removeprefix("bytes=").removesuffix("-")) < len(content) for span in later)
        assert server.count("getFile") == 1


def test_attempts_that_get_on_do_not_count(server: BotApiServer, tmp_path: Path) -> None:
    """A way that is cut again and again brings a file all the same, as long as each attempt brings a part of it."""
    content = os.urandom(1_500_000)
    with (
        FaultProxy() as proxy,
        Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies=proxy.url, retry=QUICK) as bot,
    ):
        file_id = server.add_file(content)
        proxy.script(Fault.NONE, *[Fault.cut_response(after_bytes=150_000)] * 30)
        assert bot.download_bytes(file_id) == content
        assert len(ranges(server)) > QUICK.attempts


def test_a_failed_download_is_gone_on_with_by_the_next_call(server: BotApiServer, tmp_path: Path) -> None:
    """A part stays after a failure, and the next download of the same file begins where it ends."""
    content, target = os.urandom(1_000_000), tmp_path / "a"
    once = RetryPolicy(attempts=1)
    with (
        FaultProxy() as proxy,
        Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies=proxy.url, retry=once) as bot,
    ):
        file_id = server.add_file(content)
        proxy.script(Fault.NONE, Fault.cut_response(after_bytes=400_000))
        with pytest.raises(NetworkError) as caught:
            bot.download(file_id, target)
        assert caught.value.method == "download"
        assert os.listdir(tmp_path) == ["a.part"]
        assert TEST_TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
        told: list[int] = []
        bot.download(file_id, target, progress=lambda received, _: told.append(received))
        assert target.read_bytes() == content
        assert os.listdir(tmp_path) == ["a"]
        [_, span] = ranges(server)
        assert 0 < int(span.removeprefix("bytes=").removesuffix("-")) < told[0]


def cut_once(bot: Bot, tmp_path: Path, transport: Line, file: Any = FILE) -> Path:
    """Leave a part of 1,000 bytes of a file."""
    transport.add(transport.file(stop=1000, cut=True))
    with pytest.raises(NetworkError):
        bot.download(file, tmp_path / "a")
    assert (tmp_path / "a.part").stat().st_size > 1000
    return tmp_path / "a"


class Line:
    """A transport whose answers are written by hand: each is a function of the request; beyond them nothing is asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: list[Callable[[Request], Response]] = []

    def add(self, *answers: Callable[[Request], Response]) -> None:
        """Order the next answers."""
        self._answers += answers

    def file(
        self,
        *,
        status: int = 200,
        content: bytes = CONTENT,
        start: int = 0,
        stop: int | None = None,
        cut: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Callable[[Request], Response]:
        """An answer that brings a part of a file, and is cut after it or not."""
        usual = {"Content-Length": str(len(content) - start)}
        if status == 206:
            usual["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        given = {name: value for name, value in {**usual, **headers}.items() if value}

        def answer(request: Request) -> Response:
            assert request.sink is not None
            body = content[start:stop]
            if not request.sink.begin(status, given):
                return Response(status, given, body)
            for place in range(0, len(body), 1000):
                request.sink.write(body[place : place + 1000])
            if cut:
                raise NetworkError("the answer was cut short", method=request.method, stage="receive")
            return Response(status, given, b"")

        return answer

    def json(self, result: Mapping[str, Any]) -> Callable[[Request], Response]:
        """An answer of the Bot API."""
        return lambda _: Response(200, {}, json.dumps({"ok": True, "result": result}).encode())

    def send(self, request: Request) -> Response:
        """Give the next answer."""
        self.requests.append(request)
        return self._answers.pop(0)(request)

    def abort(self, scope: str) -> int:
        """Nothing waits here."""
        return 0

    def close(self) -> None:
        """Nothing is held."""

    @property
    def spans(self) -> list[str]:
        """The Range of each request."""
        return [request.headers.get("Range", "") for request in self.requests]


@pytest.fixture
def line() -> Line:
    """A transport with answers to order."""
    return Line()


@pytest.fixture
def scripted(line: Line) -> Bot:
    """A bot on it that tries again."""
    return Bot(TEST_TOKEN, transport=line, retry=QUICK)


@pytest.fixture
def hasty(line: Line) -> Bot:
    """A bot on it that tries once."""
    return Bot(TEST_TOKEN, transport=line, retry=None)


def test_a_server_without_ranges_begins_anew(scripted: Bot, line: Line, tmp_path: Path) -> None:
    """Where the whole file comes instead of its rest, what was there is dropped, and progress goes back."""
    told: list[int] = []
    line.add(line.file(stop=5000, cut=True), line.file())
    path = scripted.download(FILE, tmp_path / "a", progress=lambda received, total: told.append(received))
    assert path.read_bytes() == CONTENT
    assert line.spans == ["", "bytes=5000-"]
    assert told[4:6] == [5000, 1000]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content-Range": "bytes 4000-299999/300000"},
        {"Content-Range": "bytes 5000-299999/400000"},
        {"Content-Range": "nonsense"},
        {"Content-Range": ""},
        {"ETag": '"new"'},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_part_that_does_not_fit_is_never_joined(wrong: dict[str, str], scripted: Bot, line: Line, tmp_path: Path) -> None:
    """Another part, another size, another version or a compressed one: all of it is asked for anew."""
    line.add(line.file(stop=5000, cut=True, headers={"ETag": '"old"'}), line.file(status=206, start=5000, headers=wrong), line.file(headers={"ETag": '"new"'}))
    assert scripted.download(FILE, tmp_path / "a").read_bytes() == CONTENT
    assert line.spans == ["", "bytes=5000-", ""]
    assert line.requests[1].headers["If-Range"] == '"old"'


def test_weak_tags_are_no_condition(scripted: Bot, line: Line) -> None:
    """A weak ETag says too little to join parts by, and is not sent."""
    line.add(line.file(stop=5000, cut=True, headers={"ETag": 'W/"a"'}), line.file(status=206, start=5000, headers={"ETag": 'W/"a"'}))
    assert scripted.download_bytes(FILE) == CONTENT
    assert "If-Range" not in line.requests[1].headers


def test_a_part_that_is_too_long_begins_anew(scripted: Bot, line: Line) -> None:
    """416 means that what is there is not of this file."""
    line.add(line.file(stop=5000, cut=True), line.file(status=416), line.file())
    assert scripted.download_bytes(FILE) == CONTENT
    assert line.spans == ["", "bytes=5000-", ""]


def test_a_cut_just_at_the_end_needs_nothing_more(scripted: Bot, line: Line) -> None:
    """When every byte is here, a cut after it asks for nothing."""
    line.add(line.file(cut=True))
    assert scripted.download_bytes(FILE) == CONTENT
    assert line.spans == [""]


def test_a_wrong_size_is_no_file(hasty: Bot, line: Line, tmp_path: Path) -> None:
    """Another length than Telegram's, told or found, is a NetworkError, and nothing is put in place: a sign-in page of a hotel is no document."""
    page = b"<html>Please sign in</html>"
    line.add(line.file(content=page), line.file(content=page, headers=NO_LENGTH), line.file(content=CONTENT + b"more", headers=NO_LENGTH))
    with pytest.raises(NetworkError, match=r"300000 bytes were expected, and 27 are offered"):
        hasty.download(FILE, tmp_path / "a")
    with pytest.raises(NetworkError, match="27 of 300000 bytes came"):
        hasty.download({**FILE, "file_unique_id": ""}, tmp_path / "b")
    with pytest.raises(NetworkError, match="more bytes came"):
        hasty.download(FILE, tmp_path / "c")
    assert os.listdir(tmp_path) == []


def test_a_size_that_nobody_knows(scripted: Bot, line: Line, tmp_path: Path) -> None:
    """Without a size from Telegram the answer's own counts, and without that the end of the answer; progress then has no total."""
    unknown = {**FILE, "file_size": None}
    told: list[tuple[int, int]] = []
    line.add(line.file(headers=NO_LENGTH))
    assert scripted.download_bytes(unknown, progress=lambda received, total: told.append((received, total))) == CONTENT
    assert told[-1] == (len(CONTENT), 0)
    line.add(line.file(stop=1000), line.file(status=206, start=1000))
    assert scripted.download_bytes(unknown) == CONTENT
    assert line.spans[1:] == ["", "bytes=1000-"]


def test_a_way_that_has_expired_is_asked_for_anew(scripted: Bot, line: Line, tmp_path: Path) -> None:
    """A path holds for an hour; after a 404 the file id gives a new one, and what was received stays."""
    target = cut_once(Bot(TEST_TOKEN, transport=line, retry=None), tmp_path, line)
    line.add(line.file(status=404, content=b'{"ok":false,"error_code":404,"description":"Not Found"}'))
    line.add(line.json({**FILE, "file_path": "documents/file 2.bin"}), line.file(status=206, start=1000))
    assert scripted.download(FILE, target).read_bytes() == CONTENT
    assert line.spans == ["", "bytes=1000-", "", "bytes=1000-"]
    assert line.requests[-1].url.endswith("/documents/file%202.bin")


def test_a_file_that_is_not_there(bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """Telegram's refusals come as they are: an unknown id, a path that is gone for good, a server's page."""
    with pytest.raises(BadRequest):
        bot.download("BQACAgIAAxkBAAI", tmp_path / "a")
    with pytest.raises(NotFound):
        bot.download_bytes({"file_path": "documents/none.bin"})
    server.script("getFile content", Answer.gateway(), times=None)
    with pytest.raises(NetworkError, match="not Telegram's") as caught:
        bot.download(server.add_file(CONTENT), tmp_path / "a")
    assert caught.value.phase is Phase.ANSWERED
    assert caught.value.attempts == QUICK.attempts
    assert os.listdir(tmp_path) == []


def test_a_file_without_a_path() -> None:
    """When Telegram names no path, that is said."""
    bot = Bot(TEST_TOKEN, transport=FakeTransport(getFile={"file_id": "a", "file_unique_id": "b"}))
    with pytest.raises(NetworkError, match="no path"):
        bot.download_bytes("a")


def test_a_part_of_another_file_is_dropped(hasty: Bot, line: Line, tmp_path: Path) -> None:
    """A part is gone on with only where it is of this very file: another file, another size, a note that is damaged or missing begin anew."""
    target = cut_once(hasty, tmp_path, line)
    part = tmp_path / "a.part"
    left = part.read_bytes()
    others: list[tuple[bytes, dict[str, Any]]] = [
        (left, {**FILE, "file_unique_id": "another"}),
        (left, {**FILE, "file_unique_id": ""}),
        (left, {**FILE, "file_size": None}),
        (left[:1000], FILE),
        (left[:-1], FILE),
        (left + b"x", FILE),
        (left[5:], FILE),
        (b"", FILE),
        (b"\xff\xff\xff\xffsyncpart", FILE),
        (left[:1000] + b"[1]" + (3).to_bytes(4, "big") + b"syncpart", FILE),
    ]
    for content, file in others:
        part.write_bytes(content)
        line.add(line.file())
        assert hasty.download(file, target).read_bytes() == CONTENT
        assert line.spans[-1] == ""
        assert os.listdir(tmp_path) == ["a"]


def test_a_part_survives_more_than_one_failure(hasty: Bot, line: Line, tmp_path: Path) -> None:
    """Each call goes on where the one before it was cut, and a failure without a byte more keeps what is there."""
    target = cut_once(hasty, tmp_path, line)
    line.add(line.file(status=206, start=1000, stop=5000, cut=True), line.file(status=206, start=5000, stop=5000, cut=True), line.file(status=206, start=5000))
    for _ in range(2):
        with pytest.raises(NetworkError):
            hasty.download(FILE, target)
    assert hasty.download(FILE, target).read_bytes() == CONTENT
    assert line.spans == ["", "bytes=1000-", "bytes=5000-", "bytes=5000-"]


def test_what_progress_raises_ends_the_download(scripted: Bot, line: Line, tmp_path: Path) -> None:
    """A caller can break off; what came stays for another time."""

    class Enough(Exception):
        pass

    def progress(received: int, total: int) -> None:
        if received >= 3000:
            raise Enough

    line.add(line.file(), line.file(status=206, start=3000))
    with pytest.raises(Enough):
        scripted.download(FILE, tmp_path / "a", progress=progress)
    assert os.listdir(tmp_path) == ["a.part"]
    assert scripted.download(FILE, tmp_path / "a").read_bytes() == CONTENT


def test_two_downloads_to_one_path(line: Line, tmp_path: Path) -> None:
    """Two at once do not mix: both end well, the file is one of the two, and no part is left."""
    other = os.urandom(len(CONTENT))
    started, go_on = threading.Event(), threading.Event()
    whole = line.file()

    def slow(request: Request) -> Response:
        started.set()
        assert go_on.wait(40)
        return whole(request)

    line.add(slow, line.file(content=other))
    bot = Bot(TEST_TOKEN, transport=line, limits=None)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bot.download, FILE, tmp_path / "a")
        assert started.wait(40)
        second = bot.download({**FILE, "file_unique_id": "other"}, tmp_path / "a")
        assert second.read_bytes() == other
        go_on.set()
        assert first.result(40).read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["a"]


class OneWay(io.RawIOBase):
    """An open file that cannot be wound back, and takes few bytes at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(data[:700])
        self.content += taken
        return len(taken)


def test_a_pipe_takes_the_rest_but_nothing_twice(scripted: Bot, line: Line) -> None:
    """What cannot be wound back gets the rest after a cut; when the whole comes again instead, the download fails and nothing is written twice."""
    out = OneWay()
    line.add(line.file(stop=5000, cut=True), line.file(status=206, start=5000))
    assert scripted.download_to(FILE, out) == len(CONTENT)  # type: ignore[arg-type]  # a raw file serves as well
    assert out.content == CONTENT
    again = OneWay()
    line.add(line.file(stop=5000, cut=True), line.file())
    with pytest.raises(NetworkError, match="cannot be taken back"):
        scripted.download_to(FILE, again)  # type: ignore[arg-type]  # the same
    assert again.content == CONTENT[:5000]
    assert len(line.requests) == 4


def test_a_file_in_memory_is_wound_back(scripted: Bot, line: Line) -> None:
    """An open file that can be wound back begins anew from where it stood."""
    out = io.BytesIO(b"head")
    out.seek(4)
    line.add(line.file(stop=5000, cut=True), line.file())
    scripted.download_to(FILE, out)
    assert out.getvalue() == b"head" + CONTENT


# ------------------------------------------------------------------ size


def endless(request: Request) -> Response:
    """An answer without a length that goes on until it is no longer taken, or for 100 MB."""
    assert request.sink is not None
    assert request.sink.begin(200, {})
    for _ in range(100):
        request.sink.write(bytes(1024 * 1024))
    return Response(200, {}, b"")


UNKNOWN = {**FILE, "file_size": None}


@pytest.mark.parametrize("bound", [None, 5_000_000])
def test_a_file_of_unstated_size_ends_at_a_bound(bound: int | None, line: Line, tmp_path: Path) -> None:
    """What the official server would not hand out ends there, or at the bound that was set: no other try, nothing in memory or on the disk."""
    bot = Bot(TEST_TOKEN, transport=line, retry=QUICK, max_download_bytes=bound)
    out = io.BytesIO(b"head")
    out.seek(4)
    line.add(*[endless] * 3)
    words = "more than the 20 MB that may be downloaded" if bound is None else r"more than the 4\.76837 MB .* Bot\(max_download_bytes"
    with pytest.raises(NetworkError, match=words) as caught:
        bot.download(UNKNOWN, tmp_path / "a")
    assert (caught.value.retryable, caught.value.phase) == (False, Phase.ANSWERED)
    with pytest.raises(NetworkError, match=words):
        bot.download_to(UNKNOWN, out)
    with pytest.raises(NetworkError, match=words):
        bot.download_bytes(UNKNOWN)
    assert out.getvalue() == b"head"
    assert os.listdir(tmp_path) == []
    assert len(line.requests) == 3


def test_a_file_of_unstated_size_may_be_as_large_as_the_bound(line: Line) -> None:
    """Only what is larger is refused."""
    line.add(line.file(headers={"Content-Length": ""}))
    assert Bot(TEST_TOKEN, transport=line, retry=None, max_download_bytes=len(CONTENT)).download_bytes(UNKNOWN) == CONTENT


@pytest.mark.parametrize(("options", "most"), [({}, 20 << 20), ({"local": True}, 2000 << 20), ({"base_url": "http://127.0.0.1:8081"}, 2000 << 20)])
def test_a_stated_size_above_the_bound_is_refused(options: dict[str, Any], most: int, line: Line, tmp_path: Path) -> None:
    """A size that Telegram or the answer states is believed: too large a file is not begun, one just below it is, of a local server too."""
    bot = Bot(TEST_TOKEN, transport=line, retry=QUICK, **options)
    for size in (most + 1, int("9" * 400)):
        with pytest.raises(NetworkError, match="may be downloaded") as caught:
            bot.download({**FILE, "file_size": size}, tmp_path / "a")
        assert not caught.value.retryable
    assert line.requests == []
    for length in (str(most + 1), "9" * 400, "9" * 5000):
        line.add(line.file(headers={"Content-Length": length}))
        with pytest.raises(NetworkError, match="may be downloaded"):
            bot.download(UNKNOWN, tmp_path / "a")
    assert len(line.requests) == 3
    line.add(line.file(headers={"Content-Length": str(most)}, cut=True))
    with pytest.raises(NetworkError, match="cut short"):
        Bot(TEST_TOKEN, transport=line, retry=None, **options).download(UNKNOWN, tmp_path / "b")
    assert os.listdir(tmp_path) == ["b.part"]


def test_a_size_below_nothing_is_none(scripted: Bot, line: Line) -> None:
    """A size that no file has is taken for one that is not known."""
    line.add(line.file())
    assert scripted.download_bytes({**FILE, "file_size": -1}) == CONTENT


def test_a_local_server_s_file_above_the_bound_is_not_copied(tmp_path: Path) -> None:
    """What is larger on the disk of a local server, or no file there, is refused as well, and nothing is left."""
    large, out = tmp_path / "large", tmp_path / "out"
    with large.open("wb") as file:
        file.truncate(1001)
    out.mkdir()
    bot = Bot(TEST_TOKEN, transport=FakeTransport(), local=True, max_download_bytes=1000)
    with pytest.raises(NetworkError, match="may be downloaded"):
        bot.download({**UNKNOWN, "file_path": str(large)}, out / "a")
    large.unlink()
    os.mkfifo(large)
    with pytest.raises(OSError, match="it is a named pipe, not a regular file"):
        bot.download({**UNKNOWN, "file_path": str(large)}, out / "a")
    assert os.listdir(out) == []


# ------------------------------------------------------------------ time


def test_a_download_that_stalls_ends_in_time(server: BotApiServer, tmp_path: Path) -> None:
    """A deadline bounds the whole download, whatever its attempts do."""
    with (
        FaultProxy() as proxy,
        Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies=proxy.url, retry=QUICK) as bot,
    ):
        file_id = server.add_file(CONTENT)
        proxy.script(Fault.NONE)
        proxy.set_random([Fault.never_answer()], 1.0)

        def attempt(deadline: float) -> None:
            started = time.monotonic()
            with pytest.raises(NetworkError) as caught:
                bot.download(file_id, tmp_path / "a", timeout=0.3 * deadline, deadline=deadline)
            assert 0.5 * deadline < time.monotonic() - started < deadline + 1.0
            assert caught.value.elapsed < deadline + 1.0

        tried(attempt, (1.0, 1.0, 4.0))
        with pytest.raises(NetworkError):
            bot.download(file_id, tmp_path / "a", deadline=0.0)


def test_bounds_reach_the_transport(scripted: Bot, line: Line) -> None:
    """An attempt has the timeout given, and the deadline allows a large file its time at the least rate."""
    line.add(line.file(), line.file())
    now = time.monotonic()
    scripted.download_bytes(FILE, timeout=3)
    scripted.download_bytes({**FILE, "file_size": None}, deadline=5)
    took = time.monotonic() - now
    first, second = line.requests
    assert first.timeout == 3
    assert first.deadline is not None
    assert 60 + len(CONTENT) / first.min_rate <= first.deadline - now <= took + 60 + len(CONTENT) / first.min_rate
    assert second.deadline is not None
    assert 5 <= second.deadline - now < took + 6
    assert TEST_TOKEN not in repr(first)


def test_a_stop_ends_the_tries(line: Line) -> None:
    """When the bot stops, a failed attempt is the last."""
    bot = Bot(TEST_TOKEN, transport=line, retry=RetryPolicy(attempts=50, first_wait=30, longest_wait=30))

    def stopping(request: Request) -> Response:
        bot.stop_event.set()
        return line.file(stop=5000, cut=True)(request)

    line.add(stopping)
    started = time.monotonic()
    with pytest.raises(NetworkError):
        bot.download_bytes(FILE)
    assert time.monotonic() - started < 25, "the first wait may be as long as thirty"


# ------------------------------------------------------------------ local servers


def test_a_local_server_s_files_are_copied(tmp_path: Path) -> None:
    """With a local server the file is copied from its disk, with progress, and its own stays."""
    with BotApiServer(local=True) as server, Bot(TEST_TOKEN, base_url=server.url, local=True) as bot:
        file_id = server.add_file(CONTENT, name="a.bin")
        told: list[tuple[int, int]] = []
        path = bot.download(file_id, tmp_path, progress=lambda received, total: told.append((received, total)))
        assert path.read_bytes() == CONTENT
        assert told[-1] == (len(CONTENT), len(CONTENT))
        own = Path(bot.get_file(file_id).file_path or "")
        assert own.read_bytes() == CONTENT
        assert own != path
        assert bot.download_bytes(file_id) == CONTENT
        assert os.listdir(tmp_path) == [path.name]
        assert server.count() == 3


def test_files_of_this_machine_are_read_for_a_local_server_alone(tmp_path: Path) -> None:
    """Whoever answers in a server's place cannot have a file of this machine read; a local server's file that is elsewhere is told."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    answer = {**FILE, "file_path": str(secret), "file_size": 1}
    with pytest.raises(ValueError, match="local=True"):
        Bot(TEST_TOKEN, transport=FakeTransport(getFile=answer)).download_bytes("a")
    bot = Bot(TEST_TOKEN, transport=FakeTransport(getFile=[answer, {**answer, "file_path": "/nowhere/a"}, {**answer, "file_size": 2}]), local=True)
    assert bot.download_bytes("a") == b"x"
    with pytest.raises(FileNotFoundError, match="not on this machine"):
        bot.download_bytes("a")
    with pytest.raises(NetworkError, match="1 bytes, and 2 were promised"):
        bot.download_bytes("a")


def test_local_limits_and_paths_of_uploads(tmp_path: Path) -> None:
    """To a local server more than 50 MB may be sent, and an absolute path is named instead of sent; to the official one neither."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    with BotApiServer(local=True, any_chat=True) as server, Bot(TEST_TOKEN, base_url=server.url, local=True) as bot:
        bot.send_document(1, large)
        assert server.requests[-1].file("document").size == 51 * 1024 * 1024
        bot.call("sendDocument", chat_id=1, document=str(large))
        assert server.requests[-1].params["document"] == large.as_uri()
    official = Bot(TEST_TOKEN, transport=FakeTransport())
    with pytest.raises(ValueError, match="50 MB"):
        official.send_document(1, large)
    with pytest.raises(ValueError, match=r"pathlib\.Path"):
        official.send_document(1, str(large))


# ------------------------------------------------------------------ uploads


def test_upload_progress(bot: Bot, server: BotApiServer, tmp_path: Path) -> None:
    """The bytes of an upload are told as they go, by methods and by `call` alike."""
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    told: list[tuple[int, int]] = []

    def progress(sent: int, total: int) -> None:
        told.append((sent, total))

    for by_method in (True, False):
        told.clear()
        if by_method:
            bot.send_document(1, path, progress=progress)
        else:
            bot.call("sendDocument", chat_id=1, document=path, progress=progress)
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1] > len(CONTENT)
        assert len(told) > 4
        assert server.requests[-1].file("document").size == len(CONTENT)


@pytest.mark.parametrize("name", ["100% sure.txt", "a%20b.txt", 'a"b%22.txt', "пример %.txt"])
def test_a_file_name_arrives_as_it_is(bot: Bot, server: BotApiServer, name: str) -> None:
    """Telegram's server URL-decodes file names, so a % is sent as %25."""
    bot.send_document(42, b"content", filename=name)
    assert server.requests_for("sendDocument")[-1].file("document").name == name


def test_a_cut_upload_is_uncertain(server: BotApiServer, tmp_path: Path) -> None:
    """An upload that is cut may have arrived as far as anyone here knows, and is not repeated."""
    with (
        FaultProxy() as proxy,
        Bot(TEST_TOKEN, base_url=server.url, ca_file=server.ca_file, proxies=proxy.url, retry=QUICK) as bot,
    ):
        proxy.script(Fault.cut_request(after_bytes=1_000_000))
        told: list[int] = []
        with pytest.raises(DeliveryUncertain) as caught:
            bot.send_document(1, bytes(30_000_000), progress=lambda sent, _: told.append(sent))
        assert caught.value.attempts == 1
        assert caught.value.phase is Phase.MAYBE_SENT
        assert 0 < told[-1] < 30_000_000  # more than the buffers of the sockets on the way hold
        assert proxy.opened == 1


MEASURE = """
import sys
from pathlib import Path
from syncbot.client.bot import Bot

url, ca_file, proxy, token, folder, small, large = sys.argv[1:]
folder = Path(folder)
with Bot(token, base_url=url, ca_file=ca_file, proxies=proxy, limits=None) as bot:
    def peak():  # of this process alone: ru_maxrss would remember the larger one that started it
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    bot.download(small, folder / "down")
    bot.send_document(1, folder / "down")
    before = peak()
    bot.send_document(1, folder / "up")
    after_up = peak()
    bot.download(large, folder / "down")
    after_down = peak()
    assert (folder / "down").stat().st_size == 20 * 1024 * 1024
    print(f"{after_up - before:.2f} {after_down - after_up:.2f}")
"""


def test_memory_stays_small(server: BotApiServer, tmp_path: Path) -> None:
    """50 MB up and 20 MB down, through a proxy, raise the peak memory of a process by less than 5 MB each."""
    megabyte = 1024 * 1024
    with (tmp_path / "up").open("wb") as file:
        file.truncate(50 * megabyte)
    small, large = server.add_file(CONTENT), server.add_file(os.urandom(megabyte) * 20)
    with FaultProxy() as proxy:
        command = [sys.executable, "-c", MEASURE, server.url, server.ca_file, proxy.url, TEST_TOKEN, str(tmp_path), small, large]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    up, down = map(float, done.stdout.split())
    assert up < 5
    assert down < 5


def test_an_interrupt_leaves_a_file_alone_that_has_taken_its_place(tmp_path: Path) -> None:
    """Ctrl-C comes right after the whole file was put in its place, and the next download to the same path has begun: both files stay as they are."""
    path = tmp_path / "a.bin"
    following = PartFile(path)

    def interrupted() -> None:
        with PartFile(path) as part:
            part.identify(RemoteFile("id", "unique", 5))
            part.write(b"whole")
            os.replace(f"{path}.part", path)  # as far as `finish` had come
            following.__enter__()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"whole"
    assert Path(f"{path}.part").exists()
    following.__exit__(None, None, None)
