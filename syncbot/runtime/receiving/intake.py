"""The way in for updates that are brought rather than polled: read with suspicion, and stored durably before anybody is told "taken"."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from syncbot.errors import StorageError
from syncbot.runtime.handling.update_facts import album_of, order_key
from syncbot.storage import open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.store import StoreOptions

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Store

DEEPEST = 200
"""How deeply the JSON of an update may be nested. Telegram's stay far below; what is deeper could be read here and not in a handler's thread."""
_LOOK_EVERY_SECONDS = 0.5


class NotAnUpdate(ValueError):
    """What was brought is no update; the text says why, in words that may be shown to whoever sent it."""


def incoming_from(update: Mapping[str, Any] | str | bytes, album_kinds: Collection[str] = ()) -> Incoming:
    """Read an update.

    Args:
        update: its JSON, as a mapping, as text, or as UTF-8.
        album_kinds: the kinds of updates of which albums are collected.

    Raises:
        NotAnUpdate: it is none.
    """
    if isinstance(update, str | bytes):
        body = update if isinstance(update, bytes) else _encode(update)
        update = _parse(body)
    else:
        body = _dump(update)
        update = _parse(body)  # what is stored is what is looked at
    update_id = update.get("update_id")
    if type(update_id) is not int or not 0 <= update_id < 2**63:  # bool is an int too
        raise NotAnUpdate("there is no update_id, or it is not a whole number")
    return Incoming(update_id, order_key(update), body, album_of(update, album_kinds))


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotAnUpdate("the text cannot be written as UTF-8") from None


def _dump(update: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(dict(update), separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise NotAnUpdate(f"it cannot be written as JSON: {problem}") from None


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise NotAnUpdate("the body is not UTF-8") from None
    except RecursionError:
        raise NotAnUpdate("the JSON is nested too deeply") from None
    except ValueError:  # the parser's own words would repeat nothing useful
        raise NotAnUpdate("the body is not JSON") from None
    if not isinstance(value, dict):
        raise NotAnUpdate("the JSON is not an object")
    # Counting brackets is quick, and tells of nearly every update that it cannot be too deep.
    if body.count(b"{") + body.count(b"[") > DEEPEST and any(depth > DEEPEST for depth in _depths(value)):
        raise NotAnUpdate("the JSON is nested too deeply")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _depths(value: Any) -> Iterator[int]:
    """The depth of each list and object."""
    left = [(value, 1)]
    while left:
        one, depth = left.pop()
        yield depth
        inner = one.values() if isinstance(one, dict) else one
        left += [(each, depth + 1) for each in inner if isinstance(each, dict | list)]


class _Waiting:
    """An update whose caller waits for it to be stored."""

    def __init__(self, update: Incoming) -> None:
        self.update = update
        self.settled = False
        self.error: BaseException | None = None


class Intake:
    """Stores what is brought, in a process that need not be the one that handles.

    Callers that come at the same time share one transaction, and with it the wait for the disk: the first one writes, and whoever comes
    meanwhile is written with the next.

    Args:
        path: the state file, or the database.
        bot_id: whose it is.
        most_waiting: above so many waiting updates nothing is taken, so that the sender keeps them meanwhile.
        notify: told how many were stored.
        options: how the state file behaves.
    """

    def __init__(self, path: StatePlace, bot_id: int, most_waiting: int, notify: Callable[[int], None], options: StoreOptions) -> None:
        self.process = os.getpid()
        self._path = path
        self._bot_id = bot_id
        self._most_waiting = most_waiting
        self._notify = notify
        # The process that handles looks through the whole file when it opens it; here that would only cost time.
        self._options = replace(options, check=False)
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._writing = threading.Lock()
        self._store: Store | None = None
        self._look_at = 0.0
        self._too_many = 0

    def put(self, update: Incoming) -> None:
        """Store an update; when this returns, it is safe. One that is known already is passed over.

        Raises:
            StorageError: it was not stored; with `retryable` set, because too many wait already, or the disk is full, or another program holds the file.
        """
        waiting = _Waiting(update)
        with self._queue_lock:
            self._queue.append(waiting)
        with self._writing:
            if not waiting.settled:  # else whoever wrote before has written this one too
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._write(batch)
        if waiting.error is not None:
            raise waiting.error

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is being handled, by any process."""
        with self._writing:
            counts = self._open().inbox.counts()
        return counts.waiting + counts.running == 0

    def close(self) -> None:
        """Let go of the state file; a later `put` opens it again."""
        with self._writing:
            store, self._store = self._store, None
            if store is not None:
                store.close()

    def _write(self, batch: list[_Waiting]) -> None:
        try:
            store = self._open()
            self._check_room(store)
            fresh = store.inbox.store([each.update for each in batch])
        except BaseException as error:  # nobody may wait for ever, or take it for stored
            for each in batch:
                each.error = error
        finally:
            for each in batch:
                each.settled = True
        if batch[0].error is None and fresh:
            self._notify(fresh)

    def _open(self) -> Store:
        if self._store is None:
            self._store = open_store(self._path, self._bot_id, options=self._options)
        return self._store

    def _check_room(self, store: Store) -> None:
        """Look now and then how many wait; counting them at every call would cost more than storing."""
        now = time.monotonic()
        if now >= self._look_at:
            waiting = store.inbox.counts().waiting
            self._too_many = waiting if waiting > self._most_waiting else 0
            self._look_at = now + _LOOK_EVERY_SECONDS
        if self._too_many:
            raise StorageError(f"{self._too_many} updates wait to be handled already, and no more are taken until there are fewer", retryable=True)
