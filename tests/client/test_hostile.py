"""Whatever answers for Telegram: numbers are finite and bounded where they come in, and no call raises anything but an error of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from syncbot.client.bot import Bot
from syncbot.errors import BadRequest, ChatMigrated, DeliveryUncertain, NetworkError, Phase, RetryAfter, SyncBotError, seconds_to_wait
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.types import Request, Response, stated_size

NO_TIMES = {"5e12": 3600, "1e999": 3600, "1" * 401: 3600, "5000000000000": 3600, "-1": 0, "-1e999": 0, "NaN": 1, '"30"': 1, "true": 1, "null": 1, "[]": 1}
"""What may stand for a `retry_after`, and what counts of it in seconds."""


def refusal(code: int, **parameters: str) -> Response:
    """A refusal whose parameters are written as they are given."""
    written = ",".join(f'"{name}":{value}' for name, value in parameters.items())
    return Response(code, {}, f'{{"ok":false,"error_code":{code},"description":"No","parameters":{{{written}}}}}'.encode())


def bot_of(**answers: Any) -> Bot:
    """A bot that tries once."""
    return Bot(TEST_TOKEN, transport=FakeTransport(**answers), retry=None)


@pytest.mark.parametrize("asked", NO_TIMES)
def test_a_retry_after_counts_for_an_hour_at_most(asked: str) -> None:
    """Whatever number stands there, the error and the limiter know of 0 to 3600 seconds; a call that may last longer then asks again."""
    bot = bot_of(sendMessage=refusal(429, retry_after=asked))
    with pytest.raises(RetryAfter) as caught:
        bot.call("sendMessage", chat_id=1, text="x", deadline=1e6)
    assert caught.value.retry_after == caught.value.parameters["retry_after"] == NO_TIMES[asked]
    assert bot.seconds_to_turn("sendMessage", 1) <= 3600.0


def test_a_retry_after_that_is_made_by_hand_is_bounded_too() -> None:
    """The error itself keeps the bound, wherever it comes from."""
    for asked, seconds in ((float("inf"), 3600), (float("nan"), 1), (10**401, 3600), (-5, 0), (7, 7), (True, 1), ("7", 1)):
        assert seconds_to_wait(asked) == RetryAfter(parameters={"retry_after": asked}).retry_after == seconds


@pytest.mark.parametrize("asked", ["true", '"-100"', "1.5", "NaN", "{}"])
def test_only_a_whole_number_is_the_id_of_a_new_chat(asked: str) -> None:
    """Anything else is an ordinary refusal: nothing is sent to a chat that was made of it."""
    with pytest.raises(BadRequest) as caught:
        bot_of(sendMessage=refusal(400, migrate_to_chat_id=asked)).call("sendMessage", chat_id=1, text="x")
    assert not isinstance(caught.value, ChatMigrated)
    with pytest.raises(ChatMigrated) as moved:
        bot_of(sendMessage=refusal(400, migrate_to_chat_id="-100123")).call("sendMessage", chat_id=1, text="x")
    assert moved.value.new_chat_id == -100123


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775807", 1 - 2**63),
        ("1234567890123456789", 1234567890123456789),
        ("9" * 5000, 2**63 - 1),
        ("-" + "9" * 5000, 1 - 2**63),
        ("-5e400", -1.7976931348623157e308),
        ("[NaN,Infinity,-Infinity,1.5]", [None, None, None, 1.5]),
    ],
)
def test_numbers_of_a_result_fit_into_64_bits(written: str, read: object) -> None:
    """Ids as Telegram gives them stay as they are; what is larger is brought within bounds, and what is no number is None."""
    assert bot_of(getMe=Response(200, {}, f'{{"ok":true,"result":{written}}}'.encode())).call("getMe") == read


def test_a_description_is_a_text_that_can_be_stored() -> None:
    """Half of a surrogate pair does not come through: neither a file nor a terminal takes it."""
    body = b'{"ok":false,"error_code":400,"description":"bad \\ud800 text"}'
    with pytest.raises(BadRequest, match=r"bad \? text"):
        bot_of(getMe=Response(400, {}, body)).call("getMe")


@pytest.mark.parametrize("text", ["", "-1", "1e3", "٣", "0x10", " 5"])
def test_what_states_no_size(text: str) -> None:
    """Only ASCII digits do."""
    assert stated_size(text) is None


def test_a_size_is_bounded() -> None:
    """A Content-Length of any number of digits is read, and is no more than anybody has."""
    assert stated_size("1048576") == 1_048_576
    assert stated_size("9" * 400) == stated_size("9" * 5000) == 10**15


# ── every public call ────────────────────────────────────────────────────────────────────────────────────────────────

RESULTS = [
    b"null", b"true", b"[]", b"{}", b"7", b'"x"', b"[[]]", b"1e999", b"NaN", b"9" * 400, b"9" * 5000, b"[" * 100_000, b"[" * 900 + b"]" * 900, b'"\xff"',
    b'{"message_id":1e999,"date":1e999,"chat":{"id":NaN,"type":[]}}',
    b'{"message_id":1,"date":' + b"9" * 400 + b',"chat":{"id":1,"type":"private"}}',
    b'{"file_id":[],"file_path":7}',
    b'{"file_id":"a","file_path":"\\ud800"}',
    b'{"file_id":"a","file_path":"a\\u0000"}',
    b'{"file_id":"a","file_path":"x","file_size":1e999}',
    b'{"file_id":"a","file_path":"x","file_size":' + b"9" * 400 + b"}",
    b'{"file_id":"a","file_unique_id":5,"file_path":"x","file_size":"5"}',
]  # fmt: skip
HEADERS: list[Mapping[str, str]] = [
    {},
    {"Content-Length": "9" * 400},
    {"content-length": "9" * 5000},
    {"Content-Range": f"bytes 0-{'9' * 5000}/*"},
    {"Content-Range": "bytes 0-0/" + "9" * 400, "Content-Type": "\ud800" * 3},
]


class Hostile:
    """A transport that gives everything the same answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._answer = status, headers, body

    def send(self, request: Request) -> Response:
        """Give it; into a sink where there is one."""
        status, headers, body = self._answer
        if request.sink is not None and request.sink.begin(status, headers):
            request.sink.write(body)
            body = b""
        return Response(status, headers, body)

    def abort(self, scope: str) -> int:
        """Nothing waits."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


CALLS: dict[str, Callable[[Bot, Path], object]] = {
    "call": lambda bot, folder: bot.call("getMe"),
    "send": lambda bot, folder: bot.send_message(chat_id=1, text="x"),
    "send_long": lambda bot, folder: bot.send_long(1, "x" * 4097),
    "get": lambda bot, folder: bot.get_me(),
    "count": lambda bot, folder: bot.get_chat_member_count(chat_id=1),
    "updates": lambda bot, folder: bot.get_updates(),
    "download": lambda bot, folder: bot.download("abc", folder),
    "download_bytes": lambda bot, folder: bot.download_bytes("abc"),
    "download of a part": lambda bot, folder: bot.download_bytes({"file_path": "x", "file_size": 10**400}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [200, 206, 429])
@pytest.mark.parametrize("heads", [1, pytest.param(len(HEADERS), marks=pytest.mark.slow)])
def test_a_hostile_answer_raises_an_error_of_ours(name: str, status: int, heads: int, tmp_path: Path) -> None:
    """Whatever stands in an answer or its head, a public call returns, or raises a `SyncBotError`: each answer with one head after another, or with all."""
    turn = cycle(HEADERS)
    for result in RESULTS:
        for body in (b'{"ok":true,"result":%b}' % result, b'{"ok":false,"error_code":%b,"description":"x","parameters":%b}' % (result, result), result):
            for headers in islice(turn, heads):
                bot = Bot(TEST_TOKEN, transport=Hostile(status, headers, body), retry=None, limits=None)
                with contextlib.suppress(SyncBotError):
                    CALLS[name](bot, tmp_path)


@pytest.mark.parametrize(("method", "kind"), [("get_me", NetworkError), ("send_message", DeliveryUncertain)])
def test_a_result_of_another_type_is_a_network_error(method: str, kind: type[NetworkError]) -> None:
    """Telegram's own answer has the type that its method promises: another one is none, and of a message nobody knows whether it was sent."""
    parameters = {} if method == "get_me" else {"chat_id": 1, "text": "x"}
    with pytest.raises(kind, match="is not what") as caught:
        getattr(bot_of(getMe=[[]], sendMessage=True), method)(**parameters)
    assert type(caught.value) is kind
    assert caught.value.phase is Phase.ANSWERED


@pytest.mark.parametrize("seconds", [10**400, -(10**400), float("inf"), float("nan")])
def test_a_wait_of_a_poll_is_bounded(seconds: float) -> None:
    """A number that a program gives is told to Telegram as it is, and what is waited for the answer is finite."""
    transport = FakeTransport(getUpdates=[[]])
    with contextlib.suppress(ValueError, TypeError):
        Bot(TEST_TOKEN, transport=transport).call("getUpdates", timeout=seconds)
    assert all(0 <= request.wait <= 1e6 for request in transport.requests)


def test_a_note_of_a_part_that_is_nested_too_deeply_counts_as_nothing(tmp_path: Path) -> None:
    """The download begins anew."""
    note = b"[" * 4000
    (tmp_path / "f.part").write_bytes(note + len(note).to_bytes(4, "big") + b"syncpart")
    bot = bot_of(getFile={"file_id": "a", "file_unique_id": "u", "file_path": "x", "file_size": 3}, download=b"abc")
    assert bot.download("a", tmp_path / "f").read_bytes() == b"abc"
