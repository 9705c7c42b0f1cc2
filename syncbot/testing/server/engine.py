"""One request from its head to its reply: body, record, scripted answers, token, table, limits, method."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from syncbot.testing.api.content import ApiCall
from syncbot.testing.api.method_table import COUNTED, HANDLERS
from syncbot.testing.api.plausible import plausible
from syncbot.testing.server import contract, older_names
from syncbot.testing.server.answers import Answer, Script, envelope, error_envelope
from syncbot.testing.server.connection import Connection, HttpReply
from syncbot.testing.server.rate_limits import RateMeter
from syncbot.testing.server.records import RecordedRequest, RequestRecorder
from syncbot.testing.server.request_body import Form, read_form
from syncbot.testing.server.wire import HttpProblem, PeerGone, RequestHead, is_from_a_page
from syncbot.testing.world.file_store import FileStore, UploadedFile
from syncbot.testing.world.problems import ApiProblem, bad_request
from syncbot.testing.world.update_methods import WebhookState, delete_webhook, get_updates, get_webhook_info, set_webhook
from syncbot.testing.world.update_queue import UpdateQueue
from syncbot.testing.world.world import World

if TYPE_CHECKING:
    from syncbot.client.api.table import MethodSpec

_PATH = re.compile(r"/(file/)?bot([^/]*)/(.*)", re.DOTALL)
_TOKEN = re.compile(r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]{20,64}")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FILLER = b"x" * 65_536


@dataclass
class EngineSettings:
    """How the engine treats requests.

    Args:
        token: the one token that is known.
        strict: refuse what the table does not know with 400 instead of only noting it.
        local: behave as a local Bot API server.
        max_upload: bytes that one request may have.
        webhook_rules: refuse webhook URLs that Telegram would refuse.
    """

    token: str
    strict: bool
    local: bool
    max_upload: int
    webhook_rules: bool


@dataclass
class Engine:
    """Carries requests out. One engine serves all connections; its parts have their own locks."""

    settings: EngineSettings
    world: World
    queue: UpdateQueue
    store: FileStore
    recorder: RequestRecorder
    script: Script
    meter: RateMeter
    webhook: WebhookState = field(default_factory=WebhookState)

    def handle(self, connection: Connection, head: RequestHead) -> tuple[HttpReply, Answer | None] | None:
        """Take one request; the reply, and the order that shapes it where there is one."""
        if is_from_a_page(head):
            raise HttpProblem(403, "a web page may not speak to this server")
        path = _PATH.fullmatch(unquote(_target_path(head.target)))
        name = path[3] if path and not path[1] else ""
        form = self._read(connection, head)
        checked = contract.check(name, form.params, frozenset(file.field for file in form.files))
        method = checked.spec.name if checked.spec else name or ("getFile content" if path else head.target)
        record = self.recorder.request(method, checked.params, tuple(form.files), connection.record, head.headers, head.verb)
        answer = self.script.take(record)
        if answer is not None and not (answer.real or answer.done):
            reply = _scripted(answer)
        else:
            reply = self._file(head, path) if path and path[1] else self._call(connection, record, checked, path)
            if answer is not None and answer.done:
                reply = _scripted(answer)
        self.recorder.answered(record, reply.status)
        return reply, answer

    def _read(self, connection: Connection, head: RequestHead) -> Form:
        if head.verb not in ("GET", "POST", "HEAD"):
            raise HttpProblem(405, "method not allowed")
        return read_form(head, connection.body(head, self.settings.max_upload), self.store)

    def _call(self, connection: Connection, record: RecordedRequest, checked: contract.Checked, path: re.Match[str] | None) -> HttpReply:
        try:
            if path is None:
                raise ApiProblem(404, "Not Found")
            self._check_token(path[2])
            return HttpReply(200, envelope(self._result(connection, record, checked)))
        except ApiProblem as problem:
            for file in record.files:
                self.store.forget(file.file_id)
            return problem_reply(problem)
        except PeerGone:
            raise
        except Exception as problem:  # whatever a client sends, the server goes on; a mistake of its own is told in `problems`
            where = "".join(traceback.format_exception(problem)[-2:])
            self.recorder.problem(f"{record.method}: the test server failed: {where}")
            return problem_reply(ApiProblem(500, "Internal Server Error"))

    def _check_token(self, token: str) -> None:
        if token == self.settings.token:
            return
        raise ApiProblem(401, "Unauthorized" if _TOKEN.fullmatch(token) else "Unauthorized: invalid token specified")

    def _result(self, connection: Connection, record: RecordedRequest, checked: contract.Checked) -> Any:
        if checked.spec is None:
            raise ApiProblem(404, "Not Found: method not found")
        self._note(record, checked)
        params, name = checked.params, checked.spec.name
        if name == "getUpdates":
            return get_updates(self.queue, self.webhook, params, connection)
        with self.world.changed:
            if name == "setWebhook":
                cert = any(file.field == "certificate" for file in record.files)
                return set_webhook(self.queue, self.webhook, params, has_certificate=cert, any_url=not self.settings.webhook_rules)
            if name == "deleteWebhook":
                return delete_webhook(self.queue, self.webhook, params)
            if name == "getWebhookInfo":
                return get_webhook_info(self.queue, self.webhook)
            return self.carry_out(checked.spec, params, record.files)

    def carry_out(self, spec: MethodSpec, params: dict[str, Any], uploads: Iterable[UploadedFile]) -> Any:
        """Carry out a method that is neither getUpdates nor about the webhook; the world's lock is held. Raises `ApiProblem`."""
        self._check_rate(spec.name, params)
        files = {older_names.field_name(spec, file.field): file for file in uploads}
        call = ApiCall(spec.name, params, self.world, self.store, files, self.settings.local, self.queue.push)
        handler = HANDLERS.get(spec.name)
        result = handler(call) if handler is not None else plausible(call, spec)
        if spec.name in COUNTED:
            self._count_text(params, result)
        return result

    def _note(self, record: RecordedRequest, checked: contract.Checked) -> None:
        """Note what the table does not know; refuse it where the server is strict, and what is missing in any case."""
        for kind, names in (("unknown", checked.unknown), ("ill-typed", checked.ill_typed), ("missing", checked.missing)):
            for name in names:
                self.recorder.problem(f"{record.method}: {kind} parameter {name}")
        if self.settings.strict and checked.unknown:
            raise bad_request(f"unknown parameter {checked.unknown[0]}")
        if self.settings.strict and checked.ill_typed:
            raise bad_request(f"parameter {checked.ill_typed[0]} has a wrong type")
        for name in checked.unreadable:
            if name != "reply_markup":  # which has words of its own
                raise bad_request(f"can't parse {name} JSON object")
        if checked.missing:
            raise bad_request(_missing(checked.missing[0], checked.spec.parameters[checked.missing[0]].types if checked.spec else ()))

    def _check_rate(self, name: str, params: dict[str, Any]) -> None:
        if name in COUNTED and (seconds := self.meter.message(self.world.chat_number(params.get("chat_id")))):
            raise ApiProblem(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    def _count_text(self, params: dict[str, Any], result: Any) -> None:
        text = params.get("text") if params.get("text") is not None else params.get("caption")
        if isinstance(text, str):
            self.recorder.delivered(text)
        elif isinstance(result, list):
            for message in result:
                if isinstance(message.get("caption"), str):
                    self.recorder.delivered(message["caption"])

    def _file(self, head: RequestHead, path: re.Match[str]) -> HttpReply:
        try:
            self._check_token(path[2])
            stored = self.store.find_path(path[3])
            if stored is None or self.settings.local:
                raise ApiProblem(404, "Not Found")
        except ApiProblem as problem:
            return problem_reply(problem)
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": f'"{stored.sha256[:16]}"'}
        start, stop, status = 0, stored.size, 200
        wanted = _RANGE.fullmatch(head.headers.get("range", ""))
        if wanted and (wanted[1] or wanted[2]) and head.headers.get("if-range", headers["ETag"]) == headers["ETag"]:
            start = int(wanted[1]) if wanted[1] else max(0, stored.size - int(wanted[2]))
            stop = min(stored.size, int(wanted[2]) + 1) if wanted[1] and wanted[2] else stored.size
            if start >= stop:
                return HttpReply(416, b"", {**headers, "Content-Range": f"bytes */{stored.size}"})
            status, headers["Content-Range"] = 206, f"bytes {start}-{stop - 1}/{stored.size}"
        return HttpReply(status, headers=headers, pieces=stored.chunks(start, stop), size=stop - start)


def _target_path(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:
        raise HttpProblem(400, "broken request target") from None


def _missing(name: str, types: tuple[str, ...]) -> str:
    """Telegram's words for a required parameter that is not there."""
    if name == "text":
        return "message text is empty"
    if "InputFile" in types:
        return f"there is no {name} in the request"
    return f"{name} is empty" if name.endswith("_id") else f'parameter "{name}" is required'


def problem_reply(problem: ApiProblem) -> HttpReply:
    """Telegram's refusal as an HTTP answer."""
    retry = problem.parameters.get("retry_after")
    headers = {"Retry-After": str(retry)} if retry is not None else {}
    return HttpReply(problem.code, error_envelope(problem.code, problem.description, problem.parameters), headers)


def _scripted(answer: Answer) -> HttpReply:
    if answer.fill:
        return HttpReply(answer.status, headers=answer.headers, pieces=_filler(answer.fill), size=answer.fill)
    return HttpReply(answer.status, answer.body, answer.headers)


def _filler(size: int) -> Iterator[bytes]:
    """A JSON envelope of exactly this size, made as it is sent."""
    start, end = b'{"ok":true,"result":"', b'"}'
    left = max(0, size - len(start) - len(end))
    yield start
    while left:
        piece = _FILLER[: min(left, len(_FILLER))]
        left -= len(piece)
        yield piece
    yield end
