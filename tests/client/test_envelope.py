"""Telegram's envelope, opened: only what stands in it is Telegram's answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from syncbot.client.bot import Bot
from syncbot.client.envelope import open_envelope
from syncbot.errors import ApiError, BadRequest, NetworkError, NotFound, Phase, RetryAfter, ServerError
from syncbot.transport import FakeTransport
from syncbot.types import Response

SECRET = "SECRET-TOKEN"


def hide(text: str) -> str:
    return text.replace(SECRET, "<hidden>")


def opened(body: bytes | object, *, status: int = 200, kind: str = "application/json") -> Any:
    """What comes of an answer with this body, or with this JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return open_envelope(Response(status, {"CONTENT-type": kind}, content, "http://proxy:3128"), "getMe", hide)


@pytest.mark.parametrize("result", [True, False, None, 0, "", [], {}, {"id": 1}, [1, 2], "text", 2**62])
def test_any_result_is_a_result(result: object) -> None:
    """Also an empty one: it is what stands under "result" that counts."""
    assert opened({"ok": True, "result": result}) == result
    assert opened({"ok": True, "result": result, "description": "Webhook was set"}) == result


def test_numbers_are_bounded_from_the_first_that_is_too_large() -> None:
    """64 bits with a sign are what the Bot API promises: such a number is exact, and the next one, of as many digits or of thousands, is the largest."""
    most = 2**63 - 1
    for text, expected in {f"{most}": most, f"{most + 1}": most, "9" * 19: most, "9" * 18: 10**18 - 1, "9" * 5000: most, f"-{'9' * 19}": -most}.items():
        assert opened(b'{"ok":true,"result":%b}' % text.encode()) == expected


def test_the_envelope_counts_and_not_the_status() -> None:
    """A success is one with any HTTP status, and a refusal too."""
    assert opened({"ok": True, "result": 1}, status=500) == 1
    with pytest.raises(NotFound):
        opened({"ok": False, "error_code": 404, "description": "Not Found"}, status=200)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, BadRequest), (404, NotFound), (429, RetryAfter), (500, ServerError), (502, ServerError), (599, ServerError), (418, ApiError), (0, ApiError)],
)
def test_the_code_decides_the_class(code: int, kind: type[ApiError]) -> None:
    """Every code of Telegram's has a class; unknown ones are plain `ApiError`."""
    with pytest.raises(ApiError) as caught:
        opened({"ok": False, "error_code": code, "description": "No", "parameters": {"x": 1}}, status=code)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.description, caught.value.method, caught.value.parameters) == (code, "No", "getMe", {"x": 1})


@pytest.mark.parametrize("chat", ["-100", 1.5, True, None, {}])
def test_a_new_chat_without_an_id_is_not_told(chat: object) -> None:
    """What the error's parameters hold can be used as it stands: what is no whole number is left out, and all else stays."""
    with pytest.raises(BadRequest) as caught:
        opened({"ok": False, "error_code": 400, "description": "No", "parameters": {"migrate_to_chat_id": chat, "x": 1}})
    assert caught.value.parameters == {"x": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b'{"ok":true,"resu',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        {"result": 1},
        {"ok": True},
        {"ok": "true", "result": 1},
        {"ok": 1, "result": 1},
        {"ok": False},
        {"ok": False, "error_code": 400},
        {"ok": False, "description": "No"},
        {"ok": False, "error_code": "400", "description": "No"},
        {"ok": False, "error_code": True, "description": "No"},
        {"ok": False, "error_code": 400.0, "description": "No"},
        {"ok": False, "error_code": 400, "description": ["No"]},
        {"ok": None, "error_code": 400, "description": "No"},
        [],
        "ok",
        7,
        None,
    ],
)
def test_anything_else_is_not_telegrams(body: bytes | object) -> None:
    """It is a NetworkError that an answer came for, names its status, its kind and the proxy, and repeats nothing of its body."""
    with pytest.raises(NetworkError) as caught:
        opened(body, status=502, kind="text/html; charset=utf-8")
    error = caught.value
    assert (error.phase, error.stage, error.method, error.proxy) == (Phase.ANSWERED, "body", "getMe", "http://proxy:3128")
    assert "HTTP 502, text/html" in str(error)
    assert error.__context__ is None
    assert error.retryable


def test_what_comes_from_outside_is_cleaned() -> None:
    """A description or a content type that repeats the token does not bring it out, and a long content type is cut."""
    with pytest.raises(ApiError) as refused:
        opened({"ok": False, "error_code": 404, "description": f"no route for /bot{SECRET}/getMe"})
    assert refused.value.description == "no route for /bot<hidden>/getMe"
    with pytest.raises(NetworkError) as foreign:
        opened(b"", kind=f"text/{SECRET}" + "x" * 500)
    assert SECRET not in str(foreign.value)
    assert len(str(foreign.value)) < 250


def test_an_answer_without_a_content_type() -> None:
    """It is described all the same."""
    with pytest.raises(NetworkError, match="no content type"):
        open_envelope(Response(200, {}, b""), "getMe", hide)


def test_an_error_holds_no_token_however_the_answer_writes_it() -> None:
    """Neither the text of an ApiError nor its parameters, names and nested values among them; numbers stay, and what is nested without end is left out."""
    token = "123456789:AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0"
    key = token.partition(":")[2]
    forms = [token, quote(token, safe=""), quote(quote(token, safe=""), safe=""), token.replace(":", "&#58;"), token.replace(":", "\\x3a")]
    deep: list[Any] = [token]
    for _ in range(50):
        deep = [deep]
    parameters = {"retry_after": 7, "urls": forms, token: {"a": [token, None, 1.5, True]}, "deep": deep}
    body = json.dumps({"ok": False, "error_code": 429, "description": f"no: {' '.join(forms)}", "parameters": parameters}).encode()
    fake = FakeTransport(getMe=Response(429, {}, body))
    with pytest.raises(RetryAfter) as failed:
        Bot(token, transport=fake, retry=None).call("getMe")
    assert key not in f"{failed.value} {failed.value!r} {vars(failed.value)}"
    assert (failed.value.retry_after, failed.value.parameters["123456789:<hidden>"]["a"][1:]) == (7, [None, 1.5, True])
    assert failed.value.parameters["urls"][0] == "123456789:<hidden>"
