"""A bot as a function of a cloud, or as a CGI program: each update is handled within the request that brings it, and nothing runs in between.

```python
from syncbot.adapters.serverless import aws_lambda

handler = aws_lambda(app)
```

| where | what |
|---|---|
| AWS Lambda: function URL, API Gateway (HTTP and REST), load balancer | `handler = aws_lambda(app)` |
| Google Cloud Functions | `bot = google_function(app)`, with `bot` as the entry point |
| Azure Functions | `main = azure_function(app)` |
| CGI | `cgi(app)` |

All of them check the secret token, handle the update with `app.handle`, and answer when its handler has ended. With `in_answer=True` the last call of the
handler travels in the answer itself, where Telegram carries it out: a bot that answers with one message makes no connection at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from syncbot.client.bot import Bot
from syncbot.client.client import Call
from syncbot.errors import Suspended
from syncbot.runtime.durable.queued import QueuedCall, may_wait
from syncbot.runtime.durable.seam import RunRecorder
from syncbot.runtime.runtime import Runtime
from syncbot.secret import Secret
from syncbot.webhook.edge import MAX_BYTES, SECRET_HEADER, Reply, StartResponse, WebhookApp, derived_secret

if TYPE_CHECKING:
    from azure.functions import HttpRequest, HttpResponse

    from syncbot.client.recording import CallStep

_NOT_IN_AN_ANSWER = frozenset({"setWebhook", "deleteWebhook", "logOut", "close"})
"""Telegram does not carry them out there, or they end what carries them."""

LambdaHandler: TypeAlias = Callable[[Mapping[str, Any], object], dict[str, Any]]
GoogleHandler: TypeAlias = Callable[[Any], tuple[str, int, dict[str, str]]]


@dataclass(frozen=True)
class FunctionReply:
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: str


class FunctionHook:
    """A bot's webhook as one function: a request in, an answer out.

    Args:
        app: the runtime, which is not started.
        secret_token: the secret that was given to setWebhook; None takes the one that `syncbot webhook set` uses, which is derived from the bot's token.
        in_answer: let the last call of the handler travel in the answer, if it sends, edits, deletes, answers or sets something, without files. It returns a
            `Queued` to the handler, since nobody learns its result, nor that it was refused; and should the answer be lost on its way, so is the call.

    Raises:
        ConfigError: the secret is malformed.
    """

    def __init__(self, app: Runtime[Any], *, secret_token: str | Secret[str] | None = None, in_answer: bool = False) -> None:
        secret = Secret(derived_secret(app.bot._token) if secret_token is None else secret_token)
        del secret_token
        self._hook = WebhookApp(app.webhook, None, secret, inline=True)
        self._bot: Bot = app.bot
        self._in_answer = in_answer
        self._here = threading.local()
        if in_answer:
            app.use(self._hold)

    def answer(self, method: str, headers: Mapping[str, str], body: bytes) -> FunctionReply:
        """Take one request.

        Args:
            method: of HTTP.
            headers: by name, in any case.
            body: as it came.
        """
        if method.upper() != "POST":
            return _reply(Reply(405, "only POST is answered", (("Allow", "POST"),)))
        if len(body) > MAX_BYTES:
            return _reply(Reply(413, "the body is too large"))
        given = {name.lower(): Secret(value) for name, value in headers.items()}
        secret, content_type = given.get(SECRET_HEADER.lower(), Secret("")), given.get("content-type", Secret(""))
        self._here.update_id = _update_id(body) if self._in_answer else None
        self._here.held = None
        reply = self._hook.receive(body, secret=secret.reveal(), content_type=content_type.reveal())
        held: Call | None = self._here.held
        if reply.status != 200 or held is None:
            return _reply(reply)
        return FunctionReply(200, {"Content-Type": "application/json"}, json.dumps({"method": held.method, **held.encoded.fields}))

    def wsgi(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The same as a WSGI application."""
        headers = {name[5:].replace("_", "-"): str(value) for name, value in environ.items() if name.startswith("HTTP_")}
        size = str(environ.get("CONTENT_LENGTH") or "0")
        most = min(int(size), MAX_BYTES + 1) if size.isascii() and size.isdigit() and len(size) < 13 else MAX_BYTES + 1
        reply = self.answer(environ.get("REQUEST_METHOD", ""), headers | {"Content-Type": environ.get("CONTENT_TYPE") or ""}, environ["wsgi.input"].read(most))
        body = reply.body.encode()
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", [*reply.headers.items(), ("Content-Length", str(len(body)))])
        return [body]

    def _hold(self, update: Any, context: Any, next: Callable[[], None]) -> None:
        """The middleware that keeps the last call of the update that this request has brought; others in this thread go out as ever."""
        before = self._bot.recorders.here
        if update.update_id != getattr(self._here, "update_id", None) or not isinstance(before, RunRecorder):
            next()
            return
        recorder = _HoldingRecorder(before, self._bot)
        self._here.held = None  # a run of the same update before this one counts for nothing
        try:
            with self._bot.recorders.recording(recorder):
                next()
        except Suspended:  # the answer to a question comes with another request
            recorder.make_held()
            raise
        finally:
            self._here.held = recorder.held


class _HoldingRecorder(RunRecorder):
    """The recorder of a run, of whose calls the last one waits for the answer."""

    def __init__(self, before: RunRecorder, bot: Bot) -> None:
        super().__init__(before.run)
        self._before = before
        self._bot = bot
        self._held: tuple[Call, CallStep] | None = None

    @property
    def held(self) -> Call | None:
        """The call that waits."""
        return self._held[0] if self._held is not None else None

    def step(self, call: Call) -> Any:
        """Take part in a call: the one before it goes out first."""
        self.make_held()
        step = self._before.step(call)
        if step is None or step.is_over or self.run.inside or not _fits_an_answer(call):
            return step
        self._held = (call, step)
        return QueuedCall(call)

    def make_held(self) -> None:
        """Make the call that waits, as it would have been made at once.

        Raises:
            SyncBotError: as the call does.
        """
        held, self._held = self._held, None
        if held is not None:
            with self._bot.recorders.recording(_OneStep(held[1])):
                self._bot.carry(held[0])


def _fits_an_answer(call: Call) -> bool:
    return not call.encoded.files and may_wait(call.method) and call.method not in _NOT_IN_AN_ANSWER


@dataclass(frozen=True)
class _OneStep:
    """`syncbot.client.recording.Recorder` of a call whose step is known."""

    known: CallStep

    def step(self, call: Call) -> CallStep:
        """The step that is known."""
        return self.known


def aws_lambda(app: Runtime[Any], **options: Any) -> LambdaHandler:
    """The handler for AWS Lambda, behind a function URL, an HTTP or REST API of API Gateway (payload formats 2.0 and 1.0), or a load balancer.

    Args:
        app: the bot.
        options: those of `FunctionHook`.
    """
    hook = FunctionHook(app, **options)

    def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        method = event.get("httpMethod") or event.get("requestContext", {}).get("http", {}).get("method", "")
        # A load balancer with "multi-value headers" gives these instead.
        headers = event.get("headers") or {name: values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
        body = (event.get("body") or "").encode()
        if event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True)
            except binascii.Error:
                body = b""
        reply = hook.answer(method, headers, body)
        return {"statusCode": reply.status, "headers": reply.headers, "body": reply.body, "isBase64Encoded": False}

    return handler


def google_function(app: Runtime[Any], **options: Any) -> GoogleHandler:
    """The function for Google Cloud Functions, given a Flask request as `functions_framework.http` does.

    Args:
        app: the bot.
        options: those of `FunctionHook`.
    """
    hook = FunctionHook(app, **options)

    def function(request: Any) -> tuple[str, int, dict[str, str]]:
        reply = hook.answer(request.method, dict(request.headers), request.get_data())
        return reply.body, reply.status, reply.headers

    return function


def azure_function(app: Runtime[Any], **options: Any) -> Callable[[HttpRequest], HttpResponse]:
    """The function for Azure Functions, in both programming models.

    Args:
        app: the bot.
        options: those of `FunctionHook`.
    """
    hook = FunctionHook(app, **options)

    def main(req: HttpRequest) -> HttpResponse:
        from azure.functions import HttpResponse  # there where Azure runs it

        reply = hook.answer(req.method, dict(req.headers), req.get_body())
        headers = {name: value for name, value in reply.headers.items() if name != "Content-Type"}
        return HttpResponse(reply.body, status_code=reply.status, headers=headers, mimetype=reply.headers["Content-Type"].partition(";")[0], charset="utf-8")

    return main


def cgi(app: Runtime[Any], **options: Any) -> None:
    """Answer the one request that a web server has started this CGI program for (RFC 3875).

    Args:
        app: the bot.
        options: those of `FunctionHook`.
    """
    from wsgiref.handlers import CGIHandler  # a CGI program alone needs it

    CGIHandler().run(FunctionHook(app, **options).wsgi)


def _reply(reply: Reply) -> FunctionReply:
    return FunctionReply(reply.status, {"Content-Type": "text/plain; charset=utf-8", **dict(reply.headers)}, reply.text)


def _update_id(body: bytes) -> Any:
    """The id of the update in a body; None where there is none."""
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return update.get("update_id") if isinstance(update, dict) else None
