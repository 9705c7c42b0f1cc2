"""While the store is away, handlers that are at work wait for it; what they do is written when it is back, and nobody's update is a dead letter for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from kits.gate_kit import Gate
from kits.runtime_kit import SECONDS, becomes
from kits.storage_kit import set_state

from syncbot.errors import Stopped, StorageError
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.work.patient_data import PatientData
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import Scope, Store, open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    with open_store(None, 1) as store:
        store.data.save(Scope.USER, 1, {"name": "Ann"})
        set_state(store.data, 1, 1, "asked")
        yield store


class Away:
    """A store's data that cannot be read so many times."""

    def __init__(self, data: Any, times: int, *, retryable: bool = True) -> None:
        self._data = data
        self.left = times
        self._retryable = retryable

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._data, name)

        def read(*given: Any) -> Any:
            if self.left:
                self.left -= 1
                raise StorageError("the database is away", retryable=self._retryable)
            return found(*given)

        return read


class Impatient(threading.Event):
    """A stop event whose waits are over at once, unless it is set after some of them."""

    def __init__(self, stops_after: int = 1000) -> None:
        super().__init__()
        self._left = stops_after

    def wait(self, timeout: float | None = None) -> bool:
        self._left -= 1
        return self._left <= 0


def test_reads_wait_until_the_store_is_back(store: Store) -> None:
    """A handler gets what it reads, whenever that can be read again."""
    data = PatientData(Away(store.data, 3), StorageRetry(Impatient()))
    assert data.load(Scope.USER, 1) == {"name": "Ann"}
    data = PatientData(Away(store.data, 3), StorageRetry(Impatient()))
    assert data.get_state(1, 1) == "asked"


def test_a_stop_ends_the_waiting(store: Store) -> None:
    """At a stop the handler is put aside."""
    data = PatientData(Away(store.data, 1000), StorageRetry(Impatient(stops_after=2)))
    with pytest.raises(Stopped):
        data.load(Scope.USER, 1)


def test_what_does_not_pass_is_raised(store: Store) -> None:
    """A store that is damaged is nothing to wait for."""
    data = PatientData(Away(store.data, 1, retryable=False), StorageRetry(Impatient()))
    with pytest.raises(StorageError):
        data.load(Scope.USER, 1)


@pytest.mark.programs("postgres")
def test_a_handler_outlives_the_database(make_app: MakeApp, server: BotApiServer, postgres_url: str) -> None:
    """The connections to the database are cut while a handler is at work: it reads, answers and writes when they are back, once, and nothing is buried."""
    at_work, go_on = threading.Event(), threading.Event()
    with Gate(urlsplit(postgres_url).port or 5432) as gate:
        app = make_app(state=gate.url(postgres_url))

        @app.message()
        def handler(update: Any, context: Any) -> None:
            at_work.set()
            assert go_on.wait(SECONDS)
            number = context.chat_data.get("number", 0) + 1
            context.reply(f"number {number}")
            context.chat_data["number"] = number

        app.start()
        user = server.user()
        user.send("hello")
        assert at_work.wait(SECONDS)
        gate.cut()
        assert becomes(lambda: not app.health()["ok"])
        go_on.set()
        before = gate.refused
        assert becomes(lambda: gate.refused > before + 15)  # the handler's own among them
        gate.open()
        user.wait_for("number 1", timeout=40)
        user.send("again")
        user.wait_for("number 2", timeout=40)
        assert becomes(lambda: app.health()["ok"])
        assert app.store.dead_letters.count() == 0
        app.stop()
    assert [message.text for message in user.messages] == ["number 1", "number 2"]
