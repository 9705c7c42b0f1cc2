"""What the server saw: requests, connections, and counters that stay exact however much is thrown away."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncbot.testing.world.file_store import UploadedFile


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived.

    Args:
        number: counts up from 1.
        time: `time.monotonic()` when it was complete.
        method: the Bot API method, spelled as Telegram spells it where it is known; the path where the request was for something else.
        params: parameters by name, JSON values and numbers decoded.
        files: what was uploaded.
        connection_id: the `ConnectionRecord` it came on.
        headers: by name in lower case.
        verb: the HTTP method.
    """

    number: int
    time: float
    method: str
    params: Mapping[str, Any]
    files: tuple[UploadedFile, ...]
    connection_id: int
    headers: Mapping[str, str]
    verb: str

    def file(self, field_name: str) -> UploadedFile:
        """The file of this field; raises KeyError where there is none."""
        for file in self.files:
            if file.field == field_name:
                return file
        raise KeyError(field_name)


@dataclass(frozen=True)
class Answered:
    """A request whose answer has left: with which HTTP status, and how many seconds after it was complete."""

    request: RecordedRequest
    status: int
    seconds: float


@dataclass
class ConnectionRecord:
    """One connection, kept up to date while it lives.

    Args:
        id: counts up from 1.
        tls: whether it speaks TLS.
        opened: `time.monotonic()` when it was accepted.
        closed: `time.monotonic()` when the server closed its side; None while it is open.
        requests: how many requests it carried.
        connection_headers: the Connection header of each request ("" where it had none), the last 1,000 of them.
        trouble: why it ended, where it did not end in peace ("tls: …", "broken request line").
    """

    id: int
    tls: bool
    opened: float
    closed: float | None = None
    requests: int = 0
    connection_headers: deque[str] = field(default_factory=lambda: deque(maxlen=1000), repr=False)
    trouble: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the server still holds it."""
        return self.closed is None


class RequestRecorder:
    """Keeps the last `keep` requests and connections, and counts all of them; every change wakes those who wait on `changed`."""

    def __init__(self, keep: int, keep_texts: bool, changed: threading.Condition) -> None:
        self._changed = changed
        self._keep_texts = keep_texts
        self.requests: deque[RecordedRequest] = deque(maxlen=keep)
        self.answers: deque[Answered] = deque(maxlen=keep)
        self.connections: deque[ConnectionRecord] = deque(maxlen=keep)
        self.problems: deque[str] = deque(maxlen=1000)
        self.by_method: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.texts: Counter[str] = Counter()
        self.requests_total = 0
        self.connections_total = 0
        self.open_connections = 0
        self.max_requests_per_connection = 0

    def opened(self, tls: bool) -> ConnectionRecord:
        """A connection was accepted."""
        with self._changed:
            self.connections_total += 1
            self.open_connections += 1
            record = ConnectionRecord(self.connections_total, tls, time.monotonic())
            self.connections.append(record)
            self._changed.notify_all()
            return record

    def closed(self, record: ConnectionRecord) -> None:
        """A connection was closed."""
        with self._changed:
            record.closed = time.monotonic()
            self.open_connections -= 1
            self._changed.notify_all()

    def request(
        self, method: str, params: Mapping[str, Any], files: tuple[UploadedFile, ...], connection: ConnectionRecord, headers: Mapping[str, str], verb: str
    ) -> RecordedRequest:
        """A request is complete."""
        with self._changed:
            self.requests_total += 1
            self.by_method[method] += 1
            connection.requests += 1
            connection.connection_headers.append(headers.get("connection", ""))
            self.max_requests_per_connection = max(self.max_requests_per_connection, connection.requests)
            record = RecordedRequest(self.requests_total, time.monotonic(), method, params, files, connection.id, headers, verb)
            self.requests.append(record)
            self._changed.notify_all()
            return record

    def delivered(self, text: str) -> None:
        """A message with this text or caption was accepted from the bot."""
        if self._keep_texts:
            with self._changed:
                self.texts[text] += 1
                self._changed.notify_all()

    def problem(self, text: str) -> None:
        """Something about a request was not as the Bot API wants it."""
        with self._changed:
            self.problems.append(text)
            self._changed.notify_all()

    def answered(self, record: RecordedRequest, status: int) -> None:
        """The answer to this request, with this HTTP status, is about to leave."""
        with self._changed:
            self.by_status[status] += 1
            self.answers.append(Answered(record, status, time.monotonic() - record.time))
            self._changed.notify_all()
