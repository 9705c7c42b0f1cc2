"""Delivery by webhook: updates go out by POST, chat by chat in order, again after a failure, as Telegram sends them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from syncbot.testing.server import contract
from syncbot.testing.server.engine import Engine
from syncbot.testing.server.request_body import Form, read_body
from syncbot.testing.server.wire import HttpProblem
from syncbot.testing.world.problems import ApiProblem, bad_request
from syncbot.types import JSON

_RECUT_SECONDS = 0.05
_NOT_IN_AN_ANSWER = ("setWebhook", "deleteWebhook", "close", "logOut")


@dataclass(frozen=True)
class Delivery:
    """One POST to the webhook: `status` is 0 where no HTTP answer came."""

    update_id: int
    status: int
    attempt: int
    time: float


@dataclass(frozen=True)
class _Answered:
    status: int = 0
    retry_after: float | None = None
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class RetryWaits:
    """Seconds between two tries of a POST: the first wait, doubled up to the longest; and the longest Retry-After that is honoured."""

    first: float = 1.0
    longest: float = 60.0
    longest_retry_after: float = 3600.0

    def after(self, attempt: int, retry_after: float | None) -> float:
        """The wait after this many tries."""
        if retry_after is not None:
            return min(retry_after, self.longest_retry_after)
        return min(self.first * 2.0 ** min(attempt - 1, 30), self.longest)


class WebhookSender:
    """Delivers what waits in the queue to the webhook that is set. Made by `BotApiServer.deliver_webhook`.

    `deliveries` holds the last POSTs, `delivered` counts those that were answered with 2xx.
    """

    def __init__(self, engine: Engine, waits: RetryWaits, *, timeout: float, ca_file: str | None, connections: int) -> None:
        self._engine = engine
        self._waits = waits
        self._timeout = timeout
        self._ca_file = ca_file
        self._connections = connections
        self._changed = engine.world.changed
        self._stopping = False
        self._busy: set[object] = set()
        self._posting: set[http.client.HTTPConnection] = set()
        self._next_try: dict[int, tuple[float, int]] = {}
        self._threads: list[threading.Thread] = []
        self.deliveries: deque[Delivery] = deque(maxlen=engine.world.keep)
        self.delivered = 0

    def start(self) -> None:
        """Start the threads."""
        for n in range(self._connections):
            thread = threading.Thread(target=self._run, name=f"syncbot-webhook-{n}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the threads; a POST that is under way is cut."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            while thread.is_alive():
                self._cut_posts()  # again and again: one may only just be connecting
                thread.join(_RECUT_SECONDS)

    def _cut_posts(self) -> None:
        with self._changed:
            for connection in self._posting:
                if connection.sock is not None:
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def wait_delivered(self, count: int, timeout: float = 20.0) -> None:
        """Wait until this many POSTs were answered with 2xx; raises TimeoutError where they are not."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.delivered >= count, timeout):
                raise TimeoutError(f"{count} updates were not delivered within {timeout} s")

    def _run(self) -> None:
        while True:
            with self._changed:
                update, wait = self._choose()
                if self._stopping:
                    return
                if update is None:
                    self._changed.wait(wait)
                    continue
                key = _order_key(update)
                self._busy.add(key)
                url, secret = self._engine.webhook.url, self._engine.webhook.secret
            answer = self._post(url, secret, update)
            with self._changed:
                self._busy.discard(key)
                self._settle(update, answer.status, answer.retry_after)
                self._changed.notify_all()
            if 200 <= answer.status < 300:
                self._run_method(answer.content_type, answer.body)

    def _choose(self) -> tuple[JSON | None, float | None]:
        """The next update whose chat is free and whose time has come; else how long to wait."""
        if not self._engine.webhook.url or len(self._busy) >= self._engine.webhook.max_connections:
            return None, None
        now, soonest, passed = time.monotonic(), None, set(self._busy)
        for update in self._engine.queue.pending:
            key = _order_key(update)
            if key in passed:
                continue
            due = self._next_try.get(update["update_id"], (0.0, 0))[0]
            if due <= now:
                return update, None
            passed.add(key)  # what follows in this chat waits with it
            soonest = due if soonest is None else min(soonest, due)
        return None, None if soonest is None else soonest - now

    def _post(self, url: str, secret: str, update: JSON) -> _Answered:
        parts = urlsplit(url)
        headers = {"Content-Type": "application/json"}
        if secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self._ca_file)
            connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=self._timeout, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=self._timeout)
        with self._changed:
            if self._stopping:
                return _Answered()
            self._posting.add(connection)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, json.dumps(update, separators=(",", ":")).encode("ascii"), headers)
            answer = connection.getresponse()
            retry_after = answer.headers.get("Retry-After", "")
            wait = float(retry_after) if retry_after.isdigit() else None
            return _Answered(answer.status, wait, answer.headers.get("Content-Type", ""), answer.read(self._engine.settings.max_upload))
        except (OSError, http.client.HTTPException) as problem:
            with self._changed:
                self._engine.webhook.last_error = f"Connection failed: {problem}"
                self._engine.webhook.last_error_date = int(time.time())
            return _Answered()
        finally:
            with self._changed:
                self._posting.discard(connection)
            connection.close()

    def _settle(self, update: JSON, status: int, retry_after: float | None) -> None:
        """Drop what was taken; remember when to try the rest again."""
        update_id = update["update_id"]
        attempt = self._next_try.get(update_id, (0.0, 0))[1] + 1
        self.deliveries.append(Delivery(update_id, status, attempt, time.monotonic()))
        if 200 <= status < 300:
            self.delivered += 1
            self._next_try.pop(update_id, None)
            self._engine.queue.take(update_id)
            return
        if status:
            self._engine.webhook.last_error = f"Wrong response from the webhook: {status} {http.client.responses.get(status, '')}".rstrip()
            self._engine.webhook.last_error_date = int(time.time())
        self._next_try[update_id] = (time.monotonic() + self._waits.after(attempt, retry_after), attempt)

    def _run_method(self, content_type: str, body: bytes) -> None:
        """Carry out the method that a 2xx answer may name, as JSON, form or multipart; its result is never seen."""
        engine, form = self._engine, Form()
        try:
            read_body(form, content_type, iter([body]), engine.store)
        except HttpProblem:
            return
        name = form.params.pop("method", None)
        checked = contract.check(str(name), form.params, frozenset(file.field for file in form.files))
        if checked.spec is None or checked.spec.name.startswith("get") or checked.spec.name in _NOT_IN_AN_ANSWER:
            return
        with self._changed:
            try:
                if checked.missing:
                    raise bad_request(f"{checked.missing[0]} is missing")
                engine.carry_out(checked.spec, checked.params, form.files)
            except ApiProblem as problem:
                engine.recorder.problem(f"{checked.spec.name}, called by a webhook's answer: {problem.description}")
            except Exception as problem:  # whatever the answer holds, deliveries go on
                engine.recorder.problem(f"{checked.spec.name}: the test server failed: {problem!r}")
            engine.recorder.by_method[checked.spec.name] += 1


def _order_key(update: JSON) -> Any:
    """What is delivered one after the other: a chat, or a user where there is no chat."""
    for value in update.values():
        if isinstance(value, dict):
            holder = value.get("message", value) if "message" in value and isinstance(value["message"], dict) else value
            for name in ("chat", "from", "user"):
                if isinstance(holder.get(name), dict):
                    return holder[name].get("id")
    return update["update_id"]
