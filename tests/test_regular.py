"""Where a file is expected, a pipe or a device is refused at once, with words; files of ours are made for nobody else to read."""

from __future__ import annotations

import ast
import importlib
import os
import re
import sqlite3
import stat
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

import syncbot
from syncbot import Bot, Runtime
from syncbot.cli.monitor.alert import Alerts
from syncbot.cli.monitor.log_watch import Follower
from syncbot.cli.monitor.look import Look
from syncbot.cli.sending.attachments import file_calls
from syncbot.client.uploads import path_source
from syncbot.config import Settings
from syncbot.config.envfile import read_env_file, write_env_file
from syncbot.config.readers import ca_file
from syncbot.errors import ConfigError, StorageError
from syncbot.logs import setup_logging
from syncbot.regular import private, text_beside
from syncbot.storage import open_store
from syncbot.storage.bot_lock import BotLock
from syncbot.storage.sqlite.upgrade.turns_file import apply_turns_file
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.transport.secure.tls import Tls

LIMIT = 1_000_000
SECONDS = 20.0


def at_once(action: Callable[[], Any]) -> Any:
    """What an action returns or raises, as long as it does not hang."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append((action(), None))
        except Exception as error:
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert ended, "it hangs"
    result, error = ended[0]
    if error is not None:
        raise error
    return result


@pytest.fixture(params=["pipe", "device"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A named pipe, or a device, in the place of a file."""
    path = tmp_path / "special"
    if request.param == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        pytest.param(read_env_file, ConfigError, id="env file"),
        pytest.param(lambda path: write_env_file(path, {"A": "b"}), ConfigError, id="env file, written"),
        pytest.param(lambda path: Settings.load(path, environ={}), ConfigError, id="settings"),
        pytest.param(lambda path: ca_file(str(path), Path()), ConfigError, id="ca_file"),
        pytest.param(lambda path: Tls(path).context(), ConfigError, id="ca_file of a transport"),
        pytest.param(lambda path: open_store(path, 1), StorageError, id="state file"),
        pytest.param(lambda path: BotLock(path).acquire(), StorageError, id="lock file"),
        pytest.param(lambda path: setup_logging(file=path), ConfigError, id="log file"),
        pytest.param(lambda path: Runtime(Bot(TEST_TOKEN, transport=FakeTransport()), state=None, heartbeat_file=path), ConfigError, id="heartbeat"),
        pytest.param(lambda path: path_source(path, "document", LIMIT), ValueError, id="upload"),
        pytest.param(lambda path: file_calls([str(path)], None, {}), click.UsageError, id="syncbot send --file"),
        pytest.param(lambda path: Bot(TEST_TOKEN, transport=FakeTransport()).download("id", path), ValueError, id="download"),
    ],
)
def test_a_pipe_or_a_device_is_no_file(use: Callable[[Path], Any], kind: type[Exception], special: Path) -> None:
    """Each place that takes a path refuses it without waiting, says what it is or that it is no file, and leaves it there."""
    before = special.lstat()
    with pytest.raises(kind, match=r"a named pipe|a device|not a regular file"):
        at_once(lambda: use(special))
    assert os.path.samestat(before, special.lstat())


def test_what_takes_the_place_of_a_file_later_is_refused_too(tmp_path: Path) -> None:
    """A file that is a pipe by the time that it is sent, a pipe in the place of what an earlier release noted or of a watched log: nothing waits for it."""
    path = tmp_path / "a"
    path.write_bytes(b"data")
    source = path_source(path, "document", LIMIT)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match="cannot be read any more: it is a named pipe, not a regular file"):
        at_once(lambda: list(source.chunks()))
    with closing(sqlite3.connect(":memory:")) as db:
        apply_turns_file(db, path, 1)
    assert at_once(lambda: list(Follower(path).lines())) == []


def test_a_pipe_that_is_found_is_not_passed_over(tmp_path: Path) -> None:
    """A pipe called .env in the working folder is refused as well: the settings that it was to bring would be missed. A folder of that name is none."""
    (tmp_path / ".env").mkdir()
    assert at_once(lambda: Settings.load(environ={"HOME": str(tmp_path)}, cwd=tmp_path, require_token=False)).env_file is None
    (tmp_path / ".env").rmdir()
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(ConfigError, match=r"\.env cannot be read \(it is a named pipe"):
        at_once(lambda: Settings.load(environ={"HOME": str(tmp_path)}, cwd=tmp_path, require_token=False))


def test_dev_null_is_an_env_file_without_values(tmp_path: Path) -> None:
    """The one device that can be named is the one that says that there is none."""
    (tmp_path / ".env").symlink_to(os.devnull)
    assert read_env_file(os.devnull) == read_env_file(tmp_path / ".env") == {}


@pytest.mark.parametrize("umask", [0, 0o777])
def test_private_files(tmp_path: Path, umask: int) -> None:
    """What is made so has mode 600 whatever the umask, and what is there already gets it, unless it has another name elsewhere."""
    before = os.umask(umask)
    try:
        os.close(private(str(tmp_path / "new"), os.O_CREAT | os.O_WRONLY))
    finally:
        os.umask(before)
    for name in ("old", "linked"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    os.link(tmp_path / "linked", tmp_path / "other")
    for name in ("old", "linked"):
        os.close(private(str(tmp_path / name), os.O_WRONLY))
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old", "linked")] == [0o600, 0o600, 0o644]


SAFE_FLAGS = ("O_DIRECTORY", "O_EXCL", "O_PATH")
"""What makes `os.open` take nothing that was there before, nothing but a folder, or open nothing at all."""
BY_HAND = {
    "syncbot/regular.py": "it looks itself",
    "syncbot/storage/sqlite/file/news.py": "wants a pipe and nothing else, and looks itself",
    "syncbot/cli/console/output.py": "opens /dev/null, to write nowhere",
    "syncbot/cli/doctor/running.py": "reads /proc/locks, which is the system's",
}


def opened_without_care(path: Path) -> Iterator[str]:
    """The calls of a module that would open whatever lies at a path."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        takes_path = name in ("open", "io.open", "io.FileIO") and not (node.args and ast.unparse(node.args[0]) == "descriptor")
        by_method = name.endswith((".read_text", ".read_bytes", ".write_text", ".write_bytes", ".touch")) or (
            name.endswith(".open") and name != "os.open" and bool(node.args) and re.fullmatch(r"'[rwax]b?\+?'", ast.unparse(node.args[0])) is not None
        )
        by_system = name == "os.open" and not any(flag in ast.unparse(node) for flag in SAFE_FLAGS)
        if by_method or by_system or (takes_path and "opener" not in {keyword.arg for keyword in node.keywords}):
            yield f"{path.name}:{node.lineno}: {ast.get_source_segment(text, node)}"


def test_every_file_is_opened_with_care() -> None:
    """No module opens a path, which may name a pipe or a device, in any other way than by the openers that refuse those."""
    folder = Path(syncbot.__file__).parent
    modules = [path for path in folder.rglob("*.py") if "testing" not in path.parts and path.relative_to(folder.parent).as_posix() not in BY_HAND]
    assert len(modules) > 100
    assert [found for path in modules for found in opened_without_care(path)] == []


@pytest.mark.parametrize(
    "line", ["open(path)", "open(path, 'rb')", "path.open('rb')", "path.read_text()", "path.touch()", "os.open(path, os.O_RDONLY)", "io.FileIO(path)"]
)
def test_careless_ways_are_found(line: str, tmp_path: Path) -> None:
    """The check above knows the ways in which a file is usually opened."""
    (tmp_path / "a.py").write_text(f"def read(path):\n    return {line}\n")
    assert list(opened_without_care(tmp_path / "a.py")) == [f"a.py:2: {line}"]


def test_what_an_alert_remembers_is_private(tmp_path: Path) -> None:
    """The file in which `monitor --alert` keeps what it told has mode 600."""
    memory = tmp_path / "told.json"
    Alerts("bot", lambda _: True, memory).take(Look(1.0, ("bad",), {}, (), ""))
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600


def test_a_text_of_the_package_is_read_out_of_an_archive_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside a module is found where Python has found the module: in a folder, or in a zip archive."""
    text = "Größe\n"
    folder, archive = tmp_path / "in_a_folder", tmp_path / "packed.zip"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "table.txt").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("in_an_archive/__init__.py", "")
        packed.writestr("in_an_archive/table.txt", text)
    for place, name in ((tmp_path, "in_a_folder"), (archive, "in_an_archive")):
        monkeypatch.syspath_prepend(place)
        module = importlib.import_module(name)
        del sys.modules[name]
        assert text_beside(module.__spec__, "table.txt") == text
