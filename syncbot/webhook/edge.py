"""The WSGI edge: takes what Telegram posts to a webhook, and answers 200 only when it stands safely in the state file.

| what comes | answer |
|---|---|
| an update of Telegram's | 200, once it is stored; a known one too |
| another path | 404 |
| another method than POST | 405 |
| no secret, or a wrong one | 403 |
| no JSON by its content type | 415 |
| no length | 411 |
| more than 1 MB | 413 |
| no UTF-8, no JSON, no update, nested too deeply | 400 |
| a body that does not arrive in time | 408, or the end of the connection |
| nothing can be stored now: disk full, too many wait, another process polls | 503 with Retry-After; Telegram sends it again |
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from syncbot.errors import ConfigError, StorageError, SyncBotError
from syncbot.runtime.receiving.intake import NotAnUpdate
from syncbot.secret import Secret
from syncbot.trouble import LastSaid

_log = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
"""The largest body that is taken. Telegram's updates have some kilobytes."""
BODY_SECONDS = 10.0
"""How long a body may take to arrive, where the server lets us end it; `run_webhook` keeps the same bound for the whole request."""
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the name of a header
_RETRY_AFTER_SECONDS = 3
_START_AGAIN_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 1.0
_SAY_EVERY_SECONDS = 60.0
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")

StartResponse = Callable[[str, list[tuple[str, str]]], object]
"""What WSGI gives an application to begin its answer with."""


class Taker(Protocol):
    """What takes the updates: a `Runtime`."""

    def process(self, update: bytes, /) -> None:
        """Store an update."""
        ...

    def handle(self, update: bytes, /) -> object:
        """Store an update, and handle it in the calling thread."""
        ...

    def ensure_started(self) -> None:
        """Start to handle in this process, unless that has been done."""
        ...


@dataclass(frozen=True)
class Reply:
    """An HTTP answer.

    Args:
        status: its code.
        text: a line for whoever reads it.
        headers: further headers.
    """

    status: int
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()


_TAKEN = Reply(200)


def derived_secret(token: str | Secret[str]) -> str:
    """The secret for a webhook where none is chosen: made from the bot's token, so that each process and each start comes to the same one.

    The token cannot be found out from it.
    """
    return hmac.new(Secret(token).reveal().encode(), b"syncbot webhook secret", hashlib.sha256).hexdigest()


def check_secret(secret: str | Secret[str]) -> Secret[str]:
    """The secret, if Telegram would take it.

    Raises:
        ConfigError: it would not; the text does not repeat it.
    """
    secret = Secret(secret)
    if re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.reveal()):
        return secret
    raise ConfigError('secret_token: it may have 1 to 256 letters, digits, "_" and "-"; leave it out to have one derived from the bot\'s token')


class WebhookApp:
    """A WSGI application for one webhook. Made by `Runtime.wsgi`.

    For a framework that has its own views, `receive` is the same without WSGI.

    Args:
        runtime: what takes the updates.
        path: the path it answers at; None for every one.
        secret_token: what Telegram has to show.
        start: start the runtime with the first request in each process.
        inline: handle each update within its request, and start nothing.
        body_seconds: how long a body may take to arrive.
    """

    def __init__(
        self,
        runtime: Taker,
        path: str | None,
        secret_token: str | Secret[str],
        *,
        start: bool = True,
        inline: bool = False,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        secret_token = Secret(secret_token)
        if path is not None and not path.startswith("/"):
            raise ConfigError(f'path: {path!r} does not begin with a slash; for example "/hook"')
        self.path = path
        self._secret = check_secret(secret_token)
        self._runtime = runtime
        self._start = start and not inline
        self._inline = inline
        self._body_seconds = body_seconds
        self._look_at = 0.0
        self._start_trouble = ""
        self._trouble = LastSaid()
        self._say_at = 0.0

    @property
    def secret_token(self) -> str:
        """What Telegram has to show."""
        return self._secret.reveal()

    def start(self) -> None:
        """Start the runtime in this process now, not with its first request: for the hook of a server that runs when a worker process begins, so
        that a process takes over from a dead one even if no request comes.

        Raises:
            AlreadyRunning: another process polls for the bot.
            StorageError: the state file cannot be used.
        """
        self._runtime.ensure_started()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        reply = self._answer(environ)
        body = f"{reply.text}\n".encode() if reply.text else b""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *reply.headers]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [body]

    def receive(self, body: bytes, *, secret: str | None, content_type: str | None) -> Reply:
        """Take the body of a POST.

        Args:
            body: as it came.
            secret: the header X-Telegram-Bot-Api-Secret-Token; None where there was none.
            content_type: the header Content-Type; None where there was none.

        Returns:
            What to answer.
        """
        refusal = self._refusal(secret, content_type)
        del secret
        return refusal or self._take(body)

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, environ: dict[str, Any]) -> Reply:
        path = environ.get("PATH_INFO", "")
        if self.path is not None and self.path not in (path, environ.get("SCRIPT_NAME", "") + path):
            return Reply(404, "nothing is here")
        if environ.get("REQUEST_METHOD") != "POST":
            return Reply(405, "only POST is answered", (("Allow", "POST"),))
        refusal = self._refusal(environ.get("HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN"), environ.get("CONTENT_TYPE"))
        if refusal is not None:
            return refusal
        body = self._read(environ)
        return body if isinstance(body, Reply) else self._take(body)

    def _refusal(self, secret: str | None, content_type: str | None) -> Reply | None:
        # In bytes: text with other characters than ASCII cannot be compared in constant time.
        if not hmac.compare_digest((secret or "").encode("utf-8", "replace"), self._secret.reveal().encode()):
            self._say_stranger()
            return Reply(403, "the secret is missing or wrong")
        if (content_type or "").partition(";")[0].strip().lower() != "application/json":
            return Reply(415, "the content type is not application/json")
        return None

    def _say_stranger(self) -> None:
        now = time.monotonic()
        if now >= self._say_at:  # else whoever finds the URL could fill the disk
            self._say_at = now + _SAY_EVERY_SECONDS
            _log.info("a request without the right secret was refused; this is said once a minute at most")

    def _read(self, environ: dict[str, Any]) -> bytes | Reply:
        given = environ.get("CONTENT_LENGTH") or ""
        size = _size(given)
        if size is None and (given or not environ.get("wsgi.input_terminated")):
            return Reply(400 if given else 411, "there is no usable Content-Length")
        if size is not None and size > MAX_BYTES:
            return Reply(413, "the body is too large")
        try:
            with _cut_after(environ, self._body_seconds):
                body: bytes = environ["wsgi.input"].read(MAX_BYTES + 1 if size is None else size)
        except Exception as problem:  # each server has errors of its own for a body that breaks off
            _log.info("the body of a request could not be read: %s", type(problem).__name__)
            return Reply(408, "the body did not arrive")
        if len(body) > MAX_BYTES:
            return Reply(413, "the body is too large")
        if size is not None and len(body) < size:
            return Reply(408, "the body did not arrive as a whole")
        return body

    def _take(self, body: bytes) -> Reply:
        try:
            if self._start:
                self._start_once()
            if self._inline:
                self._runtime.handle(body)
            else:
                self._runtime.process(body)
        except NotAnUpdate as problem:
            _log.info("what was posted is no update: %s", problem)
            return Reply(400, str(problem))
        except SyncBotError as error:
            return self._not_now(error)
        self._trouble.is_new("")
        return _TAKEN

    def _start_once(self) -> None:
        """Start the runtime, or see that it runs; where it cannot be started, that is not tried at every request."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at, self._start_trouble = now + _LOOK_EVERY_SECONDS, ""
            try:
                self._runtime.ensure_started()
            except SyncBotError as error:
                self._look_at, self._start_trouble = time.monotonic() + _START_AGAIN_SECONDS, str(error)
        if self._start_trouble:
            raise StorageError(self._start_trouble, retryable=True)

    def _not_now(self, error: SyncBotError) -> Reply:
        """Nothing is lost: Telegram keeps what is not answered with 200. Said in the log once, not at every request."""
        words = str(error)
        if self._trouble.is_new(words):
            _log.error("updates cannot be taken, and are left with Telegram: %s", words)
        return Reply(503, "not now", (("Retry-After", str(_RETRY_AFTER_SECONDS)),))


def _size(text: str) -> int | None:
    """A Content-Length; None where it is none."""
    if not re.fullmatch(r"[0-9]+", text, re.ASCII):
        return None
    return int(text) if len(text) <= 12 else 10**12


@contextlib.contextmanager
def _cut_after(environ: dict[str, Any], seconds: float) -> Iterator[None]:
    """End the reading of a body that takes too long, where the server shows us its socket: a read would wait for the next byte for ever."""
    sock = next((environ[name] for name in _SOCKETS if name in environ), None)
    if sock is None:
        yield
        return
    timer = threading.Timer(seconds, _shut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already
        sock.shutdown(socket.SHUT_RD)
