"""What is posted to a webhook: bodies behind a right head, and whole requests."""

from __future__ import annotations

import itertools
import json
import re
import socket
import threading
import time
from typing import Any, ClassVar

from fuzzing.findings import TOKEN, Guard
from fuzzing.mutation import mutate_json, mutate_message
from fuzzing.target import Target
from fuzzing.targets.envelope import MESSAGE, UPDATES, WORDS
from syncbot import Bot, Runtime
from syncbot.storage import StoreOptions
from syncbot.transport import FakeTransport
from syncbot.webhook.edge import MAX_BYTES, SECRET_HEADER
from syncbot.webhook.serving import Server

SECRET = "the-secret_of-the-fuzzer"  # noqa: S105  # it protects nothing
_ANSWER_SECONDS = 30.0
_ENOUGH_SECONDS = 0.05
"""A request that is not answered by then is taken for unfinished, and the connection for its end."""
_END_SECONDS = 60.0
_FRESH_AFTER = 2000
_FINAL = re.compile(rb"(?:HTTP/1\.1 100 Continue\r\n\r\n)?HTTP/1\.[01] (?!100)(\d{3}) ")
"""The beginning of an answer, behind the leave to send a body."""
_HEAD = f"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{SECRET_HEADER}: {SECRET}\r\n"


class _Hook(Target):
    """A runtime with a state file, and waitress in front of it; both are made anew after some thousand inputs."""

    may_log_errors = ("syncbot.runtime.handling.dispatcher",)
    longest = 16_384
    spare = 4
    allowed: ClassVar[frozenset[int]] = frozenset()

    def open(self) -> None:
        """Start them."""
        self.rounds = itertools.count()
        self._start()

    def close(self) -> None:
        """Stop them."""
        self.server.close()
        self.app.stop()

    def _start(self) -> None:
        self.taken: set[int] = set()
        self.left = _FRESH_AFTER
        bot = Bot(TOKEN, transport=FakeTransport(), retry=None, limits=None)
        options = StoreOptions(dead_limit=_FRESH_AFTER * 2)
        self.app = Runtime(bot, state=self.folder / f"bot{next(self.rounds)}.db", workers=2, most_waiting=_FRESH_AFTER * 2, store_options=options)

        @self.app.message()
        @self.app.callback_query()
        def note(update: Any, context: Any) -> None:
            context.user_data["last"] = update.update_id

        self.server = Server(self.app.wsgi("/hook", SECRET), "127.0.0.1", 0, threads=2)
        self.server.start()

    def run(self, data: bytes) -> None:
        """One request."""
        self.left -= 1
        if self.left < 0:
            self.finish()
            self.close()
            self._start()
        self.post(data)

    def post(self, data: bytes) -> None:
        """Send it, and look at the answer."""
        raise NotImplementedError

    def send(self, request: bytes, *, whole: bool) -> int:
        """The status of the answer; 0 where there was none. What is not whole may find no answer, and then ends."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=_ANSWER_SECONDS if whole else _ENOUGH_SECONDS) as connection:
            answer = b""
            try:
                connection.sendall(request)
                while not _FINAL.match(answer) and (piece := connection.recv(65_536)):
                    answer += piece
            except OSError:
                pass
        found = _FINAL.match(answer)
        status = int(found[1]) if found else 0
        self.guard.outcomes[str(status)] += 1
        self.guard.heard(answer.decode("latin-1"))
        self.must(status in self.allowed, f"the status is {status}: {answer[:100]!r}")
        return status

    def finish(self) -> None:
        """What was taken comes to an end, and a good request is answered as ever."""
        self.taken.add(10**9)
        body = f'{{"update_id":{10**9},"message":{MESSAGE}}}'.encode()
        self.must(self.send(_whole(body), whole=True) == 200, "a good request is not answered with 200 any more")
        deadline, pause = time.monotonic() + _END_SECONDS, threading.Event()
        while (ended := self.app.health()["handled"] + self.app.store.dead_letters.count()) < len(self.taken) and time.monotonic() < deadline:
            pause.wait(0.02)
        self.must(ended == len(self.taken), f"{len(self.taken)} updates were taken, and {ended} came to an end")


def _whole(body: bytes) -> bytes:
    return f"{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Bodies(_Hook):
    """Bodies in good requests. One that begins with a plus and a number has so many spaces behind it."""

    about = "webhook bodies, posted to a real server: 200, 400 or 413, and what is taken comes to an end"
    shape = staticmethod(mutate_json)
    allowed = frozenset({200, 400, 413})
    words: ClassVar = (*WORDS, b"+1048000", b"+1048576", b"+2000000", b"[" * 250, b'{"a":' * 250)
    seeds: ClassVar = (
        *(update.encode() for update in UPDATES),
        b"+1048000" + UPDATES[0].encode(),
        b"+1048577" + UPDATES[0].encode(),
        UPDATES[1].encode("utf-16"),
        b"[" * 100_000,
        b'{"update_id":1.0}',
    )

    def __init__(self, guard: Guard, *, planting: bool = False) -> None:
        super().__init__(guard, planting=planting)
        self.ids = itertools.count(1)

    def post(self, data: bytes) -> None:
        """Each update gets an id of its own, where it has one of the usual kind."""
        padding = re.match(rb"\+(\d{1,7})", data)
        body = data[padding.end() :] + b" " * min(int(padding[1]), 3_000_000) if padding else data
        body = re.sub(rb'^{\s*"update_id":\s*[0-9]{1,6}(?=[,}\s])', lambda _: b'{"update_id":%d' % next(self.ids), body, count=1)
        # What is too large is refused while it is still being sent.
        status = self.send(_whole(body) if len(body) <= MAX_BYTES else f"{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode(), whole=True)
        if status == 200:
            update = json.loads(body)
            self.taken.add(update["update_id"])
            self.planted(update)

    def plant(self, value: Any) -> bool:
        """A bug for a poll's answer that has no user and no choice."""
        return bool(
            "poll_answer" in value
            and isinstance(value["poll_answer"], dict)
            and "user" not in value["poll_answer"]
            and value["poll_answer"].get("option_ids") == []
        )  # fmt: skip


class Heads(_Hook):
    """Whole requests, head and body."""

    about = "whole requests to a webhook, head and body: refused or answered, and never a 500"
    shape = staticmethod(mutate_message)
    allowed = frozenset({0, 200, 400, 403, 404, 405, 408, 411, 413, 414, 415, 431, 501, 503})
    words: ClassVar = (
        *(
            b"Content-Length: 5\r",
            b"Content-Length: -1\r",
            b"Content-Length: 1048577\r",
            b"Content-Length: \xb2\r",
            b"Content-Length: 5, 5\r",
            b"Content-Length: +5\r",
        ),
        *(
            b"Transfer-Encoding: chunked\r",
            b"Transfer-Encoding: gzip\r",
            b"Transfer-Encoding: chunked, identity\r",
            b"Expect: 100-continue\r",
            b"Connection: close\r",
        ),
        *(
            b"Connection: keep-alive\r",
            b"X-Forwarded-For: 1.1.1.1\r",
            b"Content-Type: application/json; charset=utf-16\r",
            b"GET / HTTP/1.1\r",
            b"POST /hook HTTP/9.9\r",
        ),
        *(
            b"POST http://x/hook HTTP/1.1\r",
            b"POST //hook HTTP/1.1\r",
            b"POST /hook?a=b%ff HTTP/1.0\r",
            b"OPTIONS * HTTP/1.1\r",
            b"PRI * HTTP/2.0\r",
            b" folded\r",
        ),
        *(
            f"{SECRET_HEADER}: {SECRET}\r".encode(),
            f"{SECRET_HEADER}: x\xe9\r".encode("latin-1"),
            b"5\r",
            b"0\r",
            b"\r",
            b"ffffffffffff\r",
            b"5;x=y\r",
            b"A" * 3000,
        ),
    )
    seeds: ClassVar = (
        _whole(UPDATES[0].encode()),
        _HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"GET /hook HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /other HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
        b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        _HEAD.encode() + b"Content-Length: 99999999\r\n\r\n{",
        _HEAD.encode() + b"\r\n",
        b"\r\n\r\n\x16\x03\x01\x02\x00",
    )

    def post(self, data: bytes) -> None:
        """As it stands."""
        status = self.send(data, whole=False)
        self.planted((status, data))

    def finish(self) -> None:
        """A good request is answered as ever."""
        body = f'{{"update_id":{10**9},"message":{MESSAGE}}}'.encode()
        self.must(self.send(_whole(body), whole=True) == 200, "a good request is not answered with 200 any more")

    def plant(self, value: Any) -> bool:
        """A bug for a chunked request that is refused, from a client that would wait for leave to send it."""
        return bool(
            value[0] == 400
            and b"chunked" in value[1]
            and b"Expect" in value[1]
        )  # fmt: skip
