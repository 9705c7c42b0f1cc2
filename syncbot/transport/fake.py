"""A transport without a network, for the tests of bots."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from syncbot.errors import NotSent
from syncbot.types import Request, Response

Answer = Any
"""What `FakeTransport` answers with: a result as plain JSON values, a `Response`, an exception to raise, or a function of the `FakeCall`.

The GET of a file is the method "download"; its content is bytes.
"""


@dataclass(frozen=True)
class FakeCall:
    """One call that a `FakeTransport` got: the Bot API method, and its parameters as they were sent (nested values, booleans and ids decoded)."""

    method: str
    parameters: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


class FakeTransport:
    """Answers Bot API calls from a script and remembers them.

    ```python
    transport = FakeTransport(getMe={"id": 1, "is_bot": True, "first_name": "B"}, sendMessage=[NotSent("no route"), {"message_id": 1}])
    bot = Bot("123456:any-token-will-do-here", transport=transport)
    ```

    A list is answered from front to back, its last element for good; an empty one is a result like any other. A method without an answer is an
    `AssertionError`.

    Args:
        answers: an `Answer` or a list of them by Bot API method.
    """

    def __init__(self, **answers: Answer) -> None:
        self.calls: list[FakeCall] = []
        self.requests: list[Request] = []
        self._lock = threading.Condition()
        self._answers: dict[str, list[Answer]] = {
            method: list(answer) if answer and isinstance(answer, list) else [answer] for method, answer in answers.items()
        }

    def answer(self, method: str, *answers: Answer) -> None:
        """Set the answers of a method anew."""
        with self._lock:
            self._answers[method] = list(answers)

    def send(self, request: Request) -> Response:
        """Answer from the script; see `syncbot.types.Transport.send`."""
        call = _read(request)
        with self._lock:
            answers = self._answers.get(request.method)
            if answers and request.sending is not None and not _is_unsent(answers[0]):
                request.sending()
            self.requests.append(request)
            self.calls.append(call)
            self._lock.notify_all()
            if not answers:
                raise AssertionError(f"FakeTransport has no answer for {request.method}; give it one: FakeTransport({request.method}=…)")
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(call)
        if isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException)):
            raise answer
        if isinstance(answer, bytes):
            answer = Response(200, {"Content-Type": "application/octet-stream", "Content-Length": str(len(answer))}, answer)
        if isinstance(answer, Response):
            return _poured(answer, request)
        return Response(200, {"Content-Type": "application/json"}, json.dumps({"ok": True, "result": answer}).encode())

    def parameters(self, method: str) -> list[Mapping[str, Any]]:
        """The parameters of every call of a method, in order."""
        return [call.parameters for call in self.calls if call.method == method]

    def wait_for(self, seen: Callable[[list[FakeCall]], bool], timeout: float = 20.0) -> bool:
        """Wait until the calls so far satisfy a condition; False when `timeout` seconds pass first."""
        with self._lock:
            return self._lock.wait_for(lambda: seen(self.calls), timeout)

    def abort(self, scope: str) -> int:
        """Nothing ever waits here, so there is nothing to abort."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


def _is_unsent(answer: Answer) -> bool:
    return isinstance(answer, NotSent) or (isinstance(answer, type) and issubclass(answer, NotSent))


def _poured(answer: Response, request: Request) -> Response:
    """An answer whose body went into the sink of the request, where that takes it."""
    if request.sink is None or not request.sink.begin(answer.status, answer.headers):
        return answer
    request.sink.write(answer.body)
    return replace(answer, body=b"")


def _read(request: Request) -> FakeCall:
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body or ())
    if kind.startswith("application/json"):
        return FakeCall(request.method, _decoded(json.loads(body).items()))
    if kind.startswith("multipart/form-data"):
        return FakeCall(request.method, *_read_multipart(kind, body))
    return FakeCall(request.method, _decoded(parse_qsl(body.decode(), keep_blank_values=True)))


def _read_multipart(kind: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    from email import message_from_bytes  # deferred: only uploads need it
    from email.policy import HTTP

    fields: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=HTTP).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if part.get_filename() is None:
            fields.append((name, data.decode()))
        else:
            files[name] = data
    return _decoded(fields), files


def _decoded(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Fields as they were sent, with structures, booleans and ids as values again; any other number stays text, which it may well be."""
    return {
        name: _value(text) if isinstance(text, str) and (text[:1] in "{[" or text in ("true", "false") or name.endswith("id")) else text
        for name, text in fields
    }


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
