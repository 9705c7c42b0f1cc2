"""What the tests of webhooks share: updates, requests over real sockets, and an application that writes down what it handled."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncbot import Runtime
from syncbot.webhook.edge import SECRET_HEADER, WebhookApp

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "the-secret_of-tests"
JSON_TYPE = "application/json"


def update(update_id: int, text: str = "hi", chat: int = 7) -> dict[str, Any]:
    """A message in a private chat."""
    person = {"id": chat, "is_bot": False, "first_name": "Anna"}
    return {
        "update_id": update_id,
        "message": {"message_id": update_id, "date": 1_700_000_000, "chat": {"id": chat, "type": "private"}, "from": person, "text": text},
    }


def body_of(update_id: int, text: str = "hi", chat: int = 7) -> bytes:
    """The same as Telegram posts it."""
    return json.dumps(update(update_id, text, chat)).encode()


class Seen:
    """What handlers saw, in order; a test waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        """A handler saw this."""
        with self._changed:
            self.texts.append(text)
            self._changed.notify_all()

    def wait(self, number: int, timeout: float = 30.0) -> list[str]:
        """The texts, as soon as there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.texts) >= number, timeout), f"only {self.texts} came"
            return list(self.texts)


def listen_to(app: Runtime) -> Seen:
    """Let a runtime write down the texts of messages."""
    seen = Seen()
    app.message()(lambda update, context: seen.add(update.message.text))
    return seen


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def call(app: WebhookApp, body: bytes = b"", **environ: Any) -> Answer:
    """Call a WSGI application as a server would; None leaves a variable out."""
    usual = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/hook",
        "CONTENT_TYPE": JSON_TYPE,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET,
        "wsgi.input": io.BytesIO(body),
    }
    got: list[tuple[str, dict[str, str]]] = []
    whole = b"".join(app({k: v for k, v in (usual | environ).items() if v is not None}, lambda status, headers: got.append((status, dict(headers)))))
    [(status, headers)] = got
    assert headers["Content-Length"] == str(len(whole))
    return Answer(int(status[:3]), whole.decode().strip(), headers)


def post(port: int, body: bytes, *, path: str = "/hook", secret: str | None = SECRET, timeout: float = 30.0, content_type: str = JSON_TYPE) -> Answer:
    """POST to a server on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        return post_on(connection, body, path=path, secret=secret, content_type=content_type)


def post_on(connection: http.client.HTTPConnection, body: bytes, *, path: str = "/hook", secret: str | None = SECRET, content_type: str = JSON_TYPE) -> Answer:
    """POST on a connection that stays."""
    given = {"Content-Type": content_type, **({SECRET_HEADER: secret} if secret is not None else {})}
    connection.request("POST", path, body, given)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read().decode(), dict(answer.headers))


def get(port: int, path: str) -> Answer:
    """GET from a server on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode(), dict(answer.headers))


def eventually(condition: Callable[[], Any], timeout: float = 60.0, what: str = "it") -> Any:
    """Ask until the answer is yes, and return it; for what happens in other processes."""
    end = time.monotonic() + timeout
    pause = threading.Event()
    while not (answer := condition()):
        assert time.monotonic() < end, f"{what} did not happen within {timeout} s"
        pause.wait(0.02)
    return answer


def wait_for_port(port: int, timeout: float = 60.0) -> None:
    """Wait until somebody listens there."""

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
        return False

    eventually(listens, timeout, f"listening on port {port}")


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Program:
    """A program under test: its output goes to a file, and nothing of it is left at the end."""

    def __init__(self, argv: list[str], log: Path, environment: Mapping[str, str], folder: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=dict(environment), cwd=folder, start_new_session=True)

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, timeout: float = 40.0) -> int:
        """Ask it to end, and return its exit code."""
        self.send(number)
        return self.process.wait(timeout)

    def close(self) -> None:
        """End what is left of it, children included (it leads a process group of its own)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


Start = Callable[..., Program]


@contextlib.contextmanager
def programs(folder: Path, environment: Mapping[str, str]) -> Iterator[Start]:
    """Starts programs, and ends them all at the end of the block."""
    started: list[Program] = []

    def start(*argv: str, **extra: str) -> Program:
        log = folder / f"program{len(started)}.log"
        started.append(Program(list(argv), log, {**environment, **extra}, folder))
        return started[-1]

    try:
        yield start
    finally:
        for program in started:
            program.close()
