"""The page's server on 127.0.0.1, of the standard library: a thread for each connection, so that open streams of events hold nobody up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from syncbot.testing.page.actions import Actions, WrongAction
from syncbot.testing.page.feed import Feed
from syncbot.testing.page.guard import RequestGuard
from syncbot.testing.page.playback import save
from syncbot.testing.page.saving import Story, shown, test_name
from syncbot.testing.page.trial import Trial
from syncbot.types import JSON

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_MAX_BODY = 50 << 20
_BEAT_SECONDS = 10.0
_SHOWN_INLINE = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
"""What a browser may show, by its first bytes; everything else is only downloaded."""


class PageServer:
    """Serves the page of a trial. A context manager; `url` is for the one browser that is meant.

    Args:
        trial: the trial, which runs.
        folder: where a saved test goes.
        port: a fixed port; 0 takes a free one.
    """

    def __init__(self, trial: Trial, folder: Path, port: int = 0) -> None:
        self.trial = trial
        self.folder = folder
        self.guard = RequestGuard()
        self.story = Story(trial.sandbox.server.world)
        self.actions = Actions(trial, self.story)
        self.saving = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.page = self
        self.guard.listen_on(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="syncbot-trial-page", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page, with its secret path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.guard.path}"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.trial.feed.close()  # ends the streams
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    page: PageServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60.0
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal belongs to the bot."""

    def do_GET(self) -> None:
        self._guarded({"": self._page, "api/snapshot": self._snapshot, "api/earlier": self._earlier, "api/events": self._events, "api/story": self._story})

    def do_POST(self) -> None:
        self._guarded({})

    # ------------------------------------------------------------------ answers

    def _guarded(self, table: dict[str, Callable[[], None]]) -> None:
        page = self.server.page
        target = urlsplit(self.path)
        if reason := page.guard.refusal(self.command, target.path, self.headers):  # type: ignore[arg-type]  # a Message is a mapping in all but name
            self.close_connection = True
            self._send(HTTPStatus.FORBIDDEN, f"refused: {reason}\n".encode(), "text/plain; charset=utf-8")
            return
        name = unquote(target.path[len(page.guard.path) :])
        try:
            if self.command == "POST":
                self._post(name)
            elif name in table:
                table[name]()
            elif name.startswith("file/"):
                self._file(name.removeprefix("file/"))
            else:
                self._static(name)
        except WrongAction as problem:
            self._json({"error": str(problem)}, HTTPStatus.BAD_REQUEST)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as problem:  # else the page would wait, and show nothing
            self.close_connection = True
            self._json({"error": f"{type(problem).__name__}: {problem}"}, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _send(self, status: HTTPStatus, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, json.dumps(value).encode("ascii"), "application/json")

    def _page(self) -> None:
        self._send(HTTPStatus.OK, _asset("page.html"), _TYPES[".html"], Set_Cookie=self.server.page.guard.cookie)

    def _static(self, name: str) -> None:
        kind = _TYPES.get(Path(name).suffix, "")
        if kind and "/" not in name and (content := _asset(name)):
            self._send(HTTPStatus.OK, content, kind)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"there is no such thing\n", "text/plain; charset=utf-8")

    def _query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def _snapshot(self) -> None:
        self._json(self.server.page.trial.snapshot())

    def _story(self) -> None:
        lines = self.server.page.story.lines()
        self._json({"lines": shown(lines), "name": test_name(lines)})

    def _earlier(self) -> None:
        query, trial = self._query(), self.server.page.trial
        chat = trial.sandbox.server.world.chats.get(_number(query.get("chat")))
        self._json({"messages": trial.messages(chat, _number(query.get("before"))) if chat is not None else []})

    def _file(self, file_id: str) -> None:
        stored = self.server.page.trial.sandbox.server.store.find(file_id)
        if stored is None:
            self._send(HTTPStatus.NOT_FOUND, b"there is no such file\n", "text/plain; charset=utf-8")
            return
        content = stored.read()
        kind = _sniffed(content)
        headers = {} if kind else {"Content_Disposition": "attachment"}
        self._send(HTTPStatus.OK, content, kind or "application/octet-stream", **headers)

    def _events(self) -> None:
        """The stream of events: what follows `after`; "lost" tells the page to fetch everything anew."""
        feed = self.server.page.trial.feed
        seen = _number(self.headers.get("Last-Event-ID") or self._query().get("after"))
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        for name, value in {**_HEADERS, "Content-Type": "text/event-stream; charset=utf-8", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(Exception):  # an answer to it would stand within the stream, which ends instead
            self._stream(feed, seen)

    def _stream(self, feed: Feed, seen: int) -> None:
        while not feed.closed:
            events = feed.after(seen, _BEAT_SECONDS)
            if events is None:
                self.wfile.write(b"event: lost\ndata: {}\n\n")
                return
            if events:
                seen = events[-1]["n"]
                data = json.dumps(events)
                self.wfile.write(f"id: {seen}\ndata: {data}\n\n".encode("ascii"))
            else:
                self.wfile.write(b": still here\n\n")
            self.wfile.flush()

    def _post(self, name: str) -> None:
        body = self._body()
        page = self.server.page
        if name == "api/upload":
            page.actions.upload(dict(self._query()), body)
            self._json({})
            return
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            raise WrongAction("the body is no JSON") from None
        if not isinstance(asked, dict) or not name.startswith("api/"):
            raise WrongAction("the body is no JSON object")
        if name == "api/save":
            self._json(self._save(asked))
        else:
            self._json(page.actions.carry_out(name.removeprefix("api/"), asked) or {})

    def _save(self, asked: JSON) -> JSON:
        page = self.server.page
        if page.trial.target is None:
            raise WrongAction("a test starts the bot itself: give it to syncbot try by its file or as MODULE:APP")
        if not page.saving.acquire(blocking=False):
            raise WrongAction("a test is being saved already")
        try:
            unticked = [int(number) for number in asked.get("without", [])]
            return save(page.story.lines(), page.trial.target, unticked, page.folder)
        finally:
            page.saving.release()

    def _body(self) -> bytes:
        length = _number(self.headers.get("Content-Length"))
        if length > _MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise WrongAction("a file has up to 50 MB")
        return self.rfile.read(length)


def _asset(name: str) -> bytes:
    with suppress(OSError):
        return files("syncbot.testing.page").joinpath("static", name).read_bytes()
    return b""


def _sniffed(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return "video/mp4"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SHOWN_INLINE if content.startswith(start)), "")


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.lstrip("-").isdecimal() and len(text) < 20 else 0
