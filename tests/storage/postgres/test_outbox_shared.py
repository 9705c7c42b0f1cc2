"""The outbox in PostgreSQL among several machines: files in the database, deliverers that die, and claims that two make at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT

from syncbot import Bot
from syncbot.client.uploads import BytesSource, FilePart
from syncbot.runtime.outbox.outbox import Flushed, Outbox
from syncbot.runtime.outbox.queue_files import StoredFiles
from syncbot.storage import OutboxCall, OutboxState, Store, open_store
from syncbot.storage.postgres.sending.outbox import PgOutbox
from syncbot.testing import TEST_TOKEN, BotApiServer

pytestmark = pytest.mark.programs("postgres")


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """A store in a database, by the real time."""
    with open_store(postgres_url, BOT) as opened:
        yield opened


def call(key: str = "") -> OutboxCall:
    return OutboxCall("sendMessage", {"chat_id": 1, "text": "hi"}, key)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])
def test_a_file_comes_out_as_it_went_in(store: Store, size: int) -> None:
    """Its bytes are kept in pieces, whatever their number, and read as often as they are sent."""
    data = os.urandom(size)
    files = StoredFiles(store.outbox_files)  # type: ignore[arg-type]  # a database has them
    [name] = files.copy([FilePart("document", "a.bin", BytesSource(data))])
    source = files.source(name)
    assert source.size == size
    for _ in range(2):
        assert b"".join(source.chunks()) == data
    files.remove([name, "no-such-copy"])
    with pytest.raises(FileNotFoundError):
        files.source(name)
    if size:
        with pytest.raises(ValueError, match="is gone"):
            list(source.chunks())


def test_a_file_that_cannot_be_read_leaves_nothing_behind(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """What was written of it before it broke off is deleted."""

    def broken() -> Iterator[bytes]:
        yield b"x" * 600_000
        raise ValueError("it became shorter")

    assert store.outbox_files is not None
    with pytest.raises(ValueError, match="shorter"):
        store.outbox_files.write(broken())
    assert postgres.run("SELECT count(*) FROM syncbot.outbox_file", postgres_url) == [(0,)]


def test_old_copies_that_no_call_speaks_of_are_swept(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """Those of a process that died between two steps go after a day; those of queued calls stay, and so do young ones."""
    files = store.outbox_files
    assert files is not None
    stray, kept = files.write([b"stray"]), files.write([b"kept"])
    store.outbox.put(OutboxCall("sendDocument", {"chat_id": 1}, "1", (kept,)))
    files.sweep()
    assert files.size(stray) == 5
    postgres.run("UPDATE syncbot.outbox_file SET at = at - interval '2 days'", postgres_url)
    files.sweep()
    assert files.size(stray) is None
    assert files.size(kept) == 4


def test_claims_that_are_made_at_once_share_the_calls(postgres_url: str) -> None:
    """Six deliverers, each with connections of its own: each call is claimed once, and those of a key one after the other, in their order."""
    with open_store(postgres_url, BOT) as store:
        ids = store.outbox.put(*(call(str(number % 7)) for number in range(70)))
    done: list[tuple[str, int]] = []
    at_once: Counter[str] = Counter()
    guard, problems = threading.Lock(), list[str]()

    def deliver(owner: str) -> None:
        with open_store(postgres_url, BOT) as own:
            while items := own.outbox.claim(owner, lease=60.0, limit=2) or (own.outbox.counts()[OutboxState.QUEUED] and [None]):
                for item in filter(None, items):
                    with guard:
                        at_once[item.call.key] += 1
                        if at_once[item.call.key] > 1:
                            problems.append(f"two of chat {item.call.key} at once")
                    assert own.outbox.sending(item.id, owner, lease=60.0)
                    with guard:
                        at_once[item.call.key] -= 1
                        done.append((item.call.key, item.id))
                    assert own.outbox.sent(item.id, owner)

    threads = [threading.Thread(target=deliver, args=(f"d{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(id for _, id in done) == ids
    for key in map(str, range(7)):
        mine = [id for k, id in done if k == key]
        assert mine == sorted(mine)


def test_leases_go_by_one_clock(store: Any) -> None:
    """Two machines whose clocks are an hour apart: neither takes the other's call for one whose lease ran out, and one that did run out is seen by both."""
    behind, ahead = (PgOutbox(store._database, lambda hours=hours: time.time() + hours * 3600.0, lambda: None, store.outbox_files) for hours in (-0.5, 0.5))
    behind.put(call("1"))
    [item] = behind.claim("behind", lease=60.0)
    assert ahead.claim("ahead", lease=60.0) == []
    assert behind.sending(item.id, "behind", lease=60.0)
    assert ahead.claim("ahead", lease=60.0, again=True) == []
    for machine, off in ((behind, -1800.0), (ahead, 1800.0)):
        next_time = machine.outlook().next_time
        assert next_time is not None
        assert 0.0 < next_time - (time.time() + off) <= 60.0, "in its own time"
    store._database.rows("UPDATE syncbot.outbox SET lease_until = lease_until - 60.1 RETURNING id")
    assert [again.id for again in ahead.claim("ahead", lease=60.0, again=True)] == [item.id]
    assert not behind.sent(item.id, "behind")


_HOLDER = """import sys
from syncbot.storage import open_store
store = open_store(sys.argv[1], int(sys.argv[2]))
lock = store.outbox_files.lock("one")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_dead_deliverer_is_known_at_once(store: Store, postgres_url: str) -> None:
    """While its process lives it is not taken for dead, and when it is killed it is, without a lease to wait for."""
    assert store.outbox_files is not None
    child = subprocess.Popen([sys.executable, "-c", _HOLDER, postgres_url, str(BOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert not store.outbox_files.is_dead("one")
        assert not store.outbox_files.is_dead("one"), "looking takes nothing"
        child.send_signal(signal.SIGKILL)
        child.wait()
        pause = threading.Event()
        assert any(store.outbox_files.is_dead("one") or pause.wait(0.05) for _ in range(400))
    finally:
        child.kill()
        child.communicate()


def test_a_deliverer_whose_connection_broke_takes_its_lock_anew(store: Store, postgres: PostgresServer, postgres_url: str) -> None:
    """Before it claims again others see again that it lives; released, it is dead to them."""
    assert store.outbox_files is not None
    lock = store.outbox_files.lock("one")
    sql = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = {}"
    postgres.run(sql.format("(SELECT oid FROM pg_database WHERE datname = current_database())"), postgres_url)
    pause = threading.Event()
    assert any(store.outbox_files.is_dead("one") or pause.wait(0.05) for _ in range(400))
    store.outbox.claim("one", lease=30.0)
    assert not store.outbox_files.is_dead("one")
    lock.release()
    assert any(store.outbox_files.is_dead("one") or pause.wait(0.05) for _ in range(400))


def test_an_outbox_by_url_sends_files_from_any_machine(postgres_url: str, tmp_path: Path) -> None:
    """What one program queues, with a file of its own, another one delivers without that file; then nothing is left in the database."""
    path = tmp_path / "report.txt"
    path.write_bytes(b"figures" * 100_000)
    with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url) as bot:
        chat = server.user()
        chat.start()
        Outbox(postgres_url, bot).send_document(chat_id=chat.id, document=path)
        path.unlink()
        with Outbox(postgres_url, bot) as outbox:
            assert outbox.flush(20.0) == Flushed(1, 0, 0, 0)
        message: Any = chat.wait_for(lambda message: "document" in message.data)
        assert message.data["document"]["file_size"] == 700_000
        assert "s3cret" not in repr(Outbox(postgres_url, bot))
    with open_store(postgres_url, bot.id) as store:
        assert store.outbox.entries() == []
