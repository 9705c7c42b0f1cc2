"""The lock that lets one process handle a bot's updates."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from kits.runtime_kit import SECONDS, Process
from kits.timing_kit import soon, took
from kits.user_kit import as_ordinary_user

from syncbot.client.uploads import BytesSource, FilePart
from syncbot.errors import StorageError
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.storage.bot_lock import BotLock, file_lock_path, lock_path

HOLDER = """
import os, sys
from pathlib import Path
from syncbot.storage.bot_lock import BotLock
lock = BotLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.readline()
"""


def test_one_holds_it_at_a_time(tmp_path: Path) -> None:
    """A second one does not get it, in the same process either, until the first lets go; the file stays."""
    first, second = BotLock(tmp_path / "a.lock"), BotLock(tmp_path / "a.lock")
    assert first.acquire()
    assert first.held
    assert not second.acquire()
    first.release()
    assert not first.held
    assert (tmp_path / "a.lock").exists()
    assert second.acquire()
    second.release()
    second.release()


def test_it_may_be_let_go_in_another_thread(tmp_path: Path) -> None:
    """Taken in one thread, freed in another."""
    lock, other = BotLock(tmp_path / "a.lock"), BotLock(tmp_path / "a.lock")
    taker = threading.Thread(target=lock.acquire)
    taker.start()
    taker.join()
    lock.release()
    assert other.acquire()
    other.release()


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    """kill -9 frees it at once, and who stands by has it within a second."""

    def take_from_a_killed_one() -> float:
        lock, probes = BotLock(tmp_path / "a.lock"), threading.Event()
        with Process(HOLDER, str(tmp_path / "a.lock")) as holder:
            assert holder.line() == "True"
            got: list[bool] = []
            waiting = threading.Thread(target=lambda: got.append(lock.wait(threading.Event(), probes.set)))
            waiting.start()
            assert probes.wait(SECONDS)
            assert not got
            holder.signal(signal.SIGKILL)
            seconds = took(lambda: waiting.join(SECONDS))
        assert got == [True]
        lock.release()
        return seconds

    assert soon(2.0, take_from_a_killed_one)


def test_standing_by_ends_at_a_stop(tmp_path: Path) -> None:
    """A stop ends the waiting for the lock without it."""
    holder, waiter, stop = BotLock(tmp_path / "a.lock"), BotLock(tmp_path / "a.lock"), threading.Event()
    assert holder.acquire()
    stop.set()
    assert not waiter.wait(stop)
    assert not waiter.held
    holder.release()


def test_a_forked_child_neither_holds_nor_frees_it(tmp_path: Path) -> None:
    """A child's copy of the lock is worth nothing: it frees nothing when it goes, and holds nothing when the parent dies."""
    source = """
import gc, os, sys
from pathlib import Path
from syncbot.storage.bot_lock import BotLock
lock = BotLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
child = os.fork()
if not child:
    lock.release()
    del lock
    gc.collect()
    print(BotLock(Path(sys.argv[1])).acquire(), flush=True)
    sys.stdin.readline()
    os._exit(0)
sys.stdin.readline()
"""
    other = BotLock(tmp_path / "a.lock")
    with Process(source, str(tmp_path / "a.lock")) as parent:
        assert parent.line() == "True"
        assert parent.line() == "False", "the child does not get what its parent holds"
        assert not other.acquire(), "the child has not freed it"
        parent.signal(signal.SIGKILL)
        parent.process.wait(SECONDS)
        assert other.wait(_soon()), "the child does not hold it"
    other.release()


def test_a_copy_of_its_descriptor_holds_nothing_back(tmp_path: Path) -> None:
    """A child that was forked past Python has the file open for as long as it lives: what is let go is free all the same."""
    lock, other = BotLock(tmp_path / "a.lock"), BotLock(tmp_path / "a.lock")
    assert lock.acquire()
    descriptors = [int(name) for name in os.listdir("/proc/self/fd") if os.path.realpath(f"/proc/self/fd/{name}") == str(tmp_path / "a.lock")]
    copies = [os.dup(descriptor) for descriptor in descriptors]
    assert copies
    try:
        lock.release()
        assert other.acquire()
        other.release()
    finally:
        for copy in copies:
            os.close(copy)


def test_a_file_that_its_holder_deletes_is_not_taken_for_the_lock(tmp_path: Path) -> None:
    """Holders that delete the file when they let go, as deliverers do: two never hold it at once."""
    path, holding, most = tmp_path / "a.lock", 0, [0]
    guard = threading.Lock()

    def take_turns() -> None:
        nonlocal holding
        lock = BotLock(path)
        for _ in range(300):
            if lock.acquire():
                with guard:
                    holding += 1
                    most[0] = max(most[0], holding)
                with guard:
                    holding -= 1
                path.unlink()
                lock.release()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert most == [1]
    assert not path.exists()


def _soon() -> threading.Event:
    stop = threading.Event()
    timer = threading.Timer(SECONDS, stop.set)
    timer.daemon = True
    timer.start()
    return stop


def test_a_lock_file_that_cannot_be_made_is_a_clear_error() -> None:
    """Where the folder cannot be written, the text says which file and what to do."""
    with pytest.raises(StorageError, match=r"/proc/nothing/a\.lock cannot be made"):
        BotLock(Path("/proc/nothing/a.lock")).acquire()


def test_the_folder_is_made(tmp_path: Path) -> None:
    """A missing folder is made, for nobody else to read."""
    lock = BotLock(tmp_path / "new" / "a.lock")
    assert lock.acquire()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    lock.release()


@pytest.mark.parametrize("umask", [0, 0o077])
def test_nobody_else_can_take_it(tmp_path: Path, umask: int) -> None:
    """Whoever may read the file could hold the lock: it has mode 600, also where it is there with a wider one."""
    (tmp_path / "old.lock").touch()
    (tmp_path / "old.lock").chmod(0o644)
    before = os.umask(umask)
    try:
        for name in ("new.lock", "old.lock"):
            lock = BotLock(tmp_path / name)
            assert lock.acquire()
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
            lock.release()
    finally:
        os.umask(before)


def test_where_it_lies(tmp_path: Path) -> None:
    """Beside the state file, or by the bot's id where there is none."""
    assert lock_path(tmp_path / "bot.db", 7, tmp_path / "state") == tmp_path / "bot.db.lock"
    assert lock_path(None, 7, tmp_path / "state") == tmp_path / "state" / "7.lock"
    assert os.fspath(lock_path("bot.db", 7, tmp_path)) == os.path.abspath("bot.db.lock")


def test_a_file_with_two_names_has_one_lock(tmp_path: Path) -> None:
    """Whoever names the state file by a link stands by for whoever names it by itself, and both find the copies of the outbox's files in one folder."""
    real, link = tmp_path / "real" / "bot.db", tmp_path / "bot.db"
    link.symlink_to(real)
    assert lock_path(link, 7, tmp_path) == lock_path(real, 7, tmp_path) == file_lock_path(link) == tmp_path / "real" / "bot.db.lock"
    real.parent.mkdir()
    folders = [QueueFolder.beside(path) for path in (real, link)]
    [name] = folders[0].copy([FilePart("document", "a.txt", BytesSource(b"text"), "text/plain")])
    assert folders[1].file(name).read_bytes() == b"text"
    (tmp_path / "bot.db.outbox").mkdir()  # by an earlier release
    assert QueueFolder.beside(link).file(name).parent == tmp_path / "bot.db.outbox"


def test_a_read_only_lock_file_of_another_user_is_told(tmp_path: Path) -> None:
    """A lock file that one may not write is a clear error too."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "a.lock"
        file.touch(0o444)
        Path(name).chmod(0o755)
        with as_ordinary_user(), pytest.raises(StorageError, match=r"a\.lock cannot be made"):
            BotLock(file).acquire()
