"""A COMMIT whose answer is lost on the way: what became of it is found out, and nothing is written twice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from kits.gate_kit import Gate
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, ids, put
from kits.webhook_kit import eventually

from syncbot.errors import StorageError
from syncbot.storage import Changes, DataChange, End, OutboxCall, Scope, Settled, Store, StoreOptions, open_store

pytestmark = pytest.mark.programs("postgres")


_COMMIT = b"\0COMMIT\0"
"""The statement of a transaction; a word to others has its own in one text with it."""
_COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""Its answer, also where the statement is known to the server by a name; that of a word comes with one more."""
_TOLD = b"SET\0"
_SYNC = b"S\0\0\0\4"
"""Whoever sends it waits for the answers."""


class Cutter:
    """A relay before the server, which cuts a connection at its next COMMIT: behind it, so that the answer is lost, or before it comes through."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{parts.port}/", f":{self._listener.getsockname()[1]}/")
        self.cut = ""
        """ "behind", "behind, and away", "before" or "slowly behind": what happens at the next COMMIT."""
        self.cuts = 0
        self.refuses = False
        """Whether those that come anew are ended at once."""
        self.end_silent: Callable[[], object] = lambda: None
        """Has the server end a connection that has committed, and has not been asked for its answers."""
        self._holds_ends = threading.Event()
        self.is_closed = False
        self._relays: list[threading.Thread] = []
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuses:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for ends in ((client, server, True), (server, client, False)):
                    self._relays.append(threading.Thread(target=self._pass_on, args=ends, daemon=True))
                    self._relays[-1].start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_client and self.cut == "slowly behind" and _COMMIT in data:
                    self._end_slowly(source, target, data)
                    break
                if self.cut and (_COMMIT in data if is_client else _COMMITTED in data and _TOLD not in data) and is_client == (self.cut == "before"):
                    how, self.cut = self.cut, ""
                    self.refuses = how == "behind, and away"
                    self.cuts += 1
                    source.shutdown(socket.SHUT_RDWR)
                    break
                target.sendall(data)
        if is_client or not self._holds_ends.is_set():
            with suppress(OSError):
                target.shutdown(socket.SHUT_WR)

    def _end_slowly(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        """The COMMIT comes through, the server is told to end, and says so; that the connection has ended shows only when the client says more."""
        self.cut = ""
        self.cuts += 1
        self._holds_ends.set()
        server.sendall(data.removesuffix(_SYNC))
        self.end_silent()
        while client.recv(65536) == _SYNC:
            pass
        self._holds_ends.clear()
        client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all; nothing of it asks the database any more."""
        self.is_closed = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for relay in self._relays:
            relay.join(20.0)


@contextmanager
def cutter(url: str) -> Iterator[Cutter]:
    """A relay for the block."""
    made = Cutter(url)
    try:
        yield made
    finally:
        made.close()


def test_what_was_queued_is_queued_once(postgres_url: str) -> None:
    """The answer to the COMMIT is lost: the caller gets the numbers all the same, and the calls are there once."""
    with cutter(postgres_url) as relay, open_store(relay.url, BOT) as store:
        for number in range(5):
            relay.cut = "behind"
            [id] = store.outbox.put(OutboxCall("sendMessage", {"text": str(number)}, "7"))
            assert store.outbox.entries(after=id - 1)[0].call.params == {"text": str(number)}
        assert relay.cuts == 5
        assert len(store.outbox.entries()) == 5


def test_what_was_queued_while_the_server_was_told_to_end_is_queued_once(postgres: PostgresServer, postgres_url: str) -> None:
    """The server ends between a COMMIT and its answer, and says why: that is no word on what became of it. It was queued again."""
    silent = "FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active' AND wait_event = 'ClientRead'"
    with cutter(postgres_url) as relay, open_store(relay.url, BOT) as store:
        end = f"SELECT pg_terminate_backend(pid) {silent}"
        relay.end_silent = lambda: eventually(lambda: relay.is_closed or postgres.run(end, postgres_url), what="the COMMIT")
        relay.cut = "slowly behind"
        [id] = store.outbox.put(OutboxCall("sendMessage", {}, "7"))
        assert relay.cuts == 1
        assert [item.id for item in store.outbox.entries()] == [id]


def test_what_was_not_queued_is_told_so(postgres_url: str) -> None:
    """The COMMIT does not come through: nothing is there, the error says that it may be done again, and then it is there once."""
    with cutter(postgres_url) as relay, open_store(relay.url, BOT) as store:
        relay.cut = "before"
        with pytest.raises(StorageError) as lost:
            store.outbox.put(OutboxCall("sendMessage", {}, "7"))
        assert lost.value.retryable
        assert store.outbox.entries() == []
        store.outbox.put(OutboxCall("sendMessage", {}, "7"))
        assert len(store.outbox.entries()) == 1


def test_what_was_claimed_without_an_answer_is_not_nobodys(postgres_url: str) -> None:
    """A process ends that has claimed something and never heard of it: others take that over. It was nobody's, for ever."""
    options = StoreOptions(busy_timeout=0.5)
    with cutter(postgres_url) as relay, open_store(postgres_url, BOT) as other:
        with open_store(relay.url, BOT, options=options) as store:
            store.inbox.recover()
            put(store.inbox, (1, "a"))
            relay.cut = "behind, and away"
            with pytest.raises(StorageError) as unknown:
                store.inbox.claim()
            assert unknown.value.retryable
            relay.refuses = False
        other.inbox.recover()
        assert ids(eventually(other.inbox.claim, 20.0, "the taking over")) == [1]


@pytest.mark.parametrize("away_hours", [0, 20])
def test_an_end_that_was_written_without_an_answer_is_found_out(away_hours: int, postgres: PostgresServer, postgres_url: str) -> None:
    """Ended again, it is told as lost, since it has ended already; the update is not handled again, and what came with it is there once. So it is where the
    database was away for most of a day, and another process comes back to it first, and tidies up.
    """
    options = StoreOptions(busy_timeout=0.5)
    with cutter(postgres_url) as relay, open_store(relay.url, BOT, options=options) as store, open_store(postgres_url, BOT) as other:
        store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "a"))
        [claimed] = store.inbox.claim()
        end = End(claimed, Changes((DataChange(Scope.CHAT, 1, {"n": 1}),), calls=(OutboxCall("sendMessage", {}, "7"),)))
        relay.cut = "behind, and away"
        with pytest.raises(StorageError):
            store.inbox.settle([end], claim=1)
        postgres.run(f"UPDATE syncbot.written SET at = at - interval '{away_hours} h'", postgres_url)
        other.inbox.prune()
        relay.refuses = False
        settled = eventually(lambda: _settled(store, end), 20.0, "the answer")
        assert (ids(settled.claimed), ids(list(settled.lost))) == ([2], [1])
        assert store.data.load(Scope.CHAT, 1) == {"n": 1}
        assert len(store.outbox.entries()) == 1


def test_what_a_crash_has_undone_counts_as_undone() -> None:
    """The server crashes at a COMMIT, and gives the number of that transaction to another one when it is back: nothing of it is taken for written."""
    with PostgresServer(own=True) as postgres:
        url = postgres.create_database()
        with Gate(postgres.port) as gate, open_store(gate.url(url), BOT, options=StoreOptions(busy_timeout=30.0)) as store:
            store.inbox.recover()
            put(store.inbox, (1, "7"))
            [claimed] = store.inbox.claim()
            end = End(claimed, Changes((DataChange(Scope.CHAT, 7, {"last": 1}),)))
            assert _crashed_at_commit(postgres, gate, url, lambda: store.inbox.settle([end])).retryable
            assert store.data.load(Scope.CHAT, 7) == {}
            assert store.inbox.settle([end]).lost == ()
            assert store.data.load(Scope.CHAT, 7) == {"last": 1}
            assert _crashed_at_commit(postgres, gate, url, lambda: store.outbox.put(OutboxCall("sendMessage", {}, "7"))).retryable
            assert store.outbox.entries() == []


def _crashed_at_commit(postgres: PostgresServer, gate: Gate, url: str, verb: Callable[[], object]) -> StorageError:
    """Do something, crash the server before it gets the COMMIT, and have others commit there before anybody can ask; returns what was raised."""
    came = threading.Event()

    def cut_at_commit(_connection: object, is_answer: bool, piece: bytes) -> None:
        if _COMMIT in piece and not is_answer:
            gate.cut()
            came.set()

    gate.on_piece = cut_at_commit
    with ThreadPoolExecutor(1) as other:
        raised = other.submit(verb)
        assert came.wait(20.0)
        gate.on_piece = lambda *_: None
        postgres.crash()
        postgres.start()
        postgres.run("DO $$ BEGIN FOR i IN 1..50 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$", url)
        gate.open()
        with pytest.raises(StorageError) as lost:
            raised.result(40.0)
    return lost.value


def test_marks_that_nobody_asks_for_are_forgotten(postgres: PostgresServer, postgres_url: str, held: Callable[[str, str], Any]) -> None:
    """Those of connections that have written nothing for a day go with the housekeeping, which does not wait for one that is just writing again."""
    old = "gen_random_uuid(), n, now() - interval '25 hours' FROM generate_series(7, 9) AS n"
    with open_store(postgres_url, BOT) as store:
        postgres.run(f"INSERT INTO syncbot.written (bot, connection, number, at) SELECT {BOT}, {old}", postgres_url)
        held(postgres_url, "UPDATE syncbot.written SET at = now() WHERE number = 9")
        store.data.save(Scope.CHAT, 7, {"n": 1})
        store.maintain()
        assert {number for (number,) in postgres.run("SELECT number FROM syncbot.written WHERE number > 6", postgres_url)} == {9}
        assert postgres.run("SELECT 1 FROM syncbot.written WHERE number < 7", postgres_url)


def _settled(store: Store, end: End) -> Settled | None:
    try:
        return store.inbox.settle([end], claim=1)
    except StorageError:
        return None
