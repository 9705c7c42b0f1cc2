"""`responses` and requests-mock around code that calls a bot: they get its calls as those of any program on requests."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
import responses
import urllib3
from kits.frames_kit import leaks_of
from responses import matchers

from syncbot import BadRequest, Bot, DeliveryUncertain, NetworkError, NotSent, RetryPolicy, Runtime
from syncbot.errors import Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer

API = f"https://api.telegram.org/bot{TEST_TOKEN}"
MESSAGE = {"message_id": 7, "date": 0, "chat": {"id": 42, "type": "private"}, "text": "hi"}
SENT = {"ok": True, "result": MESSAGE}


class MadeSocketError(AssertionError):
    """Something made a socket of the Internet."""


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No test here makes a socket, unless it says so."""
    if "api" in request.fixturenames:
        return

    def refuse(*_: object, **__: object) -> None:
        raise MadeSocketError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A bot as somebody makes it who tests with a mock."""
    with Bot(TEST_TOKEN, proxies="direct", retry=None) as bot:
        yield bot


def failure_of(call: Callable[[], object]) -> NetworkError:
    """What a call fails with."""
    with pytest.raises(NetworkError) as failed:
        call()
    return failed.value


# --- responses.


@responses.activate
def test_responses_gets_the_call_with_the_url_of_the_bot_api(bot: Bot) -> None:
    """The URL is the one that stands in the Bot API's documentation, with the token, and the answer comes back as Telegram's would."""
    responses.post(f"{API}/sendMessage", json=SENT)
    message = bot.send_message(chat_id=42, text="hi")
    assert (message.message_id, message.text) == (7, "hi")
    assert [(call.request.method, call.request.url) for call in responses.calls] == [("POST", f"{API}/sendMessage")]


@responses.activate
def test_responses_matches_json(bot: Bot) -> None:
    """The body is the JSON of the parameters, and is matched as that."""
    responses.post(f"{API}/sendMessage", json=SENT, match=[matchers.json_params_matcher({"chat_id": "42", "text": "hi"})])
    bot.send_message(chat_id=42, text="hi")
    with pytest.raises(NotSent, match=r"request\.body doesn't match"):
        bot.send_message(chat_id=42, text="something else")


@responses.activate
def test_responses_matches_an_upload(bot: Bot, tmp_path: Path) -> None:
    """A file that is sent from disk comes in one piece, as requests would have written the same form."""
    (tmp_path / "report.txt").write_bytes(b"all is well")
    told: list[tuple[int, int]] = []
    form = matchers.multipart_matcher({"document": ("report.txt", b"all is well", "application/octet-stream")}, data={"chat_id": "42", "caption": "now"})
    responses.post(f"{API}/sendDocument", json=SENT, match=[form])
    bot.send_document(chat_id=42, document=tmp_path / "report.txt", caption="now", progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0


@responses.activate
def test_an_error_of_telegram_is_one_from_a_mock_too(bot: Bot) -> None:
    """What the mock answers is read as Telegram's envelope."""
    responses.post(f"{API}/sendMessage", status=400, json={"ok": False, "error_code": 400, "description": "Bad Request: chat not found"})
    with pytest.raises(BadRequest, match="chat not found"):
        bot.send_message(chat_id=42, text="hi")


@responses.activate
def test_a_file_is_downloaded_from_a_mock(bot: Bot, tmp_path: Path) -> None:
    """getFile, and the GET of the file after it."""
    responses.post(f"{API}/getFile", json={"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_size": 5, "file_path": "photos/a.jpg"}})
    responses.get(f"https://api.telegram.org/file/bot{TEST_TOKEN}/photos/a.jpg", body=b"12345")
    assert bot.download("f", tmp_path).read_bytes() == b"12345"


@responses.activate
def test_a_call_that_no_mock_knows_shows_the_words_of_responses_at_once() -> None:
    """It is not tried again, and says what was asked for and what there is; the token alone is hidden."""
    responses.post(f"{API}/getChat", json=SENT)
    with Bot(TEST_TOKEN, proxies="direct") as bot:
        error = failure_of(lambda: bot.send_message(chat_id=42, text="hi"))
    assert isinstance(error, NotSent)
    assert error.attempts == 1
    for words in ("Connection refused by Responses", "- POST https://api.telegram.org/bot", "/sendMessage", "/getChat URL does not match"):
        assert words in str(error)
    assert TEST_TOKEN.partition(":")[2] not in str(error)


REFUSED = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]  # nobody looks at the connection
CUT = urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
FAILURES = [
    (requests.ConnectionError("no route"), NotSent, "connect", "no route"),
    (requests.ConnectTimeout(), NotSent, "connect", "ConnectTimeout"),
    (requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", REFUSED)), NotSent, "connect", "refused"),  # type: ignore[arg-type]  # the same
    (requests.exceptions.ProxyError("407"), NotSent, "proxy", "407"),
    (requests.exceptions.SSLError("bad handshake"), NotSent, "tls", "bad handshake"),
    (socket.gaierror(-2, "Name or service not known"), NotSent, "resolve", "not known"),
    (requests.ReadTimeout(), DeliveryUncertain, "receive", "no complete answer came in time"),
    (requests.ReadTimeout("slow"), DeliveryUncertain, "receive", "slow"),
    (requests.ConnectionError(CUT), DeliveryUncertain, "receive", "Connection aborted"),
    (requests.exceptions.ProxyError(CUT), DeliveryUncertain, "receive", "Connection aborted"),
    (requests.exceptions.ChunkedEncodingError("cut"), DeliveryUncertain, "receive", "cut"),
    (ConnectionResetError(104, "reset by peer"), DeliveryUncertain, "receive", "reset by peer"),
    (TimeoutError(), DeliveryUncertain, "receive", "in time"),
]


@pytest.mark.parametrize("library", ["responses", "requests_mock"])
@pytest.mark.parametrize(("raised", "kind", "stage", "words"), FAILURES, ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "")
def test_what_a_mock_raises_has_the_phase_of_the_real_thing(
    raised: Exception, kind: type[NetworkError], stage: str, words: str, library: str, bot: Bot
) -> None:
    """A connection that cannot be made was not sent; an answer that does not come may have been sent."""

    def answer(*_: object) -> Any:
        raise raised

    if library == "responses":
        with responses.RequestsMock() as mock:
            mock.add_callback(responses.POST, f"{API}/sendMessage", answer)
            error = failure_of(lambda: bot.send_message(chat_id=42, text="hi"))
    else:
        with requests_mock.Mocker() as mocker:
            mocker.post(f"{API}/sendMessage", text=answer)
            error = failure_of(lambda: bot.send_message(chat_id=42, text="hi"))
    assert (type(error), error.stage, error.method, error.proxy) == (kind, stage, "sendMessage", "direct")
    assert error.phase is (Phase.NOT_SENT if kind is NotSent else Phase.MAYBE_SENT)
    assert words in str(error)
    assert error.__cause__ is error.__context__ is None


@responses.activate
def test_what_was_not_sent_in_a_mock_is_tried_again() -> None:
    """The phase counts as it does in earnest: what was not sent is sent again, what may have been is not."""
    responses.post(f"{API}/sendMessage", body=requests.ConnectionError("no route"))
    responses.post(f"{API}/sendMessage", json=SENT)
    with Bot(TEST_TOKEN, proxies="direct", retry=RetryPolicy(first_wait=0.0)) as bot:
        assert bot.send_message(chat_id=42, text="hi").message_id == 7
    assert len(responses.calls) == 2


@responses.activate
def test_a_mistake_in_a_callback_comes_out_as_it_is(bot: Bot) -> None:
    """An assertion within the mock is the test's own failure, and no failure of a network."""

    def check(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert json.loads(request.body or "")["text"] == "Hello"
        return 200, {}, json.dumps(SENT)

    responses.add_callback(responses.POST, f"{API}/sendMessage", check)
    with pytest.raises(AssertionError):
        bot.send_message(chat_id=42, text="hi")


# --- requests-mock.


def test_requests_mock_gets_the_call(bot: Bot) -> None:
    """The same with requests-mock: URL, JSON, and the answer."""
    with requests_mock.Mocker(case_sensitive=True) as mocker:
        mocker.post(f"{API}/sendMessage", json=SENT)
        assert bot.send_message(chat_id=42, text="hi").message_id == 7
    [request] = mocker.request_history
    assert (request.method, request.url, request.json()) == ("POST", f"{API}/sendMessage", {"chat_id": "42", "text": "hi"})


def test_requests_mock_gets_an_upload(bot: Bot) -> None:
    """The form comes in one piece."""
    with requests_mock.Mocker() as mocker:
        mocker.post(f"{API}/sendDocument", json=SENT)
        bot.send_document(chat_id=42, document=b"all is well", filename="report.txt")
    assert b'filename="report.txt"' in mocker.last_request.body
    assert b"all is well" in mocker.last_request.body


def test_a_call_that_requests_mock_does_not_know_shows_its_words_at_once() -> None:
    """It is not tried again."""
    with requests_mock.Mocker(), Bot(TEST_TOKEN, proxies="direct") as bot:
        error = failure_of(lambda: bot.send_message(chat_id=42, text="hi"))
    assert error.attempts == 1
    assert isinstance(error, NotSent)
    assert "No mock address: POST https://api.telegram.org/bot" in str(error)
    assert TEST_TOKEN.partition(":")[2] not in str(error)


# --- Both.


@responses.activate
def test_a_whole_runtime_runs_on_a_mock_and_nothing_is_opened_ahead() -> None:
    """Polling, answering and opening ahead make no socket, from whatever thread."""
    update = {"update_id": 1, "message": {**MESSAGE, "text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}}
    update["message"]["from"] = {"id": 42, "is_bot": False, "first_name": "Ann"}  # type: ignore[index]  # it is a dict
    responses.post(f"{API}/getMe", json={"ok": True, "result": {"id": 123456789, "is_bot": True, "first_name": "B", "username": "b_bot"}})
    responses.post(re.compile(r".*/deleteWebhook|.*/getWebhookInfo"), json={"ok": True, "result": {"url": "", "pending_update_count": 0}})
    responses.post(f"{API}/getUpdates", json={"ok": True, "result": [update]})
    responses.post(f"{API}/getUpdates", json={"ok": True, "result": []})
    responses.post(f"{API}/sendMessage", json=SENT)
    with Bot(TEST_TOKEN, proxies="direct", retry=None, ahead=3) as bot:
        app = Runtime(bot, state=None)

        @app.command("start")
        def start(update: Any, context: Any) -> None:
            for _ in range(4):
                context.reply("Hello")

        app.run_once(max_seconds=20.0)
    assert [json.loads(call.request.body)["text"] for call in responses.calls if call.request.url.endswith("/sendMessage")] == ["Hello"] * 4


def test_what_only_watches_requests_is_no_mock(bot: Bot, api: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapper around `Session.send` or `HTTPAdapter.send`, as those who trace programs put there, sees no token."""
    seen: list[str] = []
    send = requests.Session.send

    def traced(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(str(request.url))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", traced)
    with Bot(api.token, proxies="direct", base_url=api.url, ca_file=api.ca_file) as watched:
        assert watched.call("getMe")["is_bot"]
    assert seen == [f"{api.url}/getMe"]


def test_after_a_mock_the_token_is_hidden_again(api: BotApiServer) -> None:
    """Where the mock has gone, requests gets the public URL, and frames show nothing."""
    with Bot(TEST_TOKEN, proxies="direct", base_url=api.url, ca_file=api.ca_file, retry=None) as bot:
        with responses.RequestsMock() as mock:
            mock.post(f"{api.url}/bot{TEST_TOKEN}/getMe", json={"ok": True, "result": {"mocked": True}})
            assert bot.call("getMe") == {"mocked": True}
        assert "mocked" not in bot.call("getMe")
        with pytest.raises(BadRequest) as failed:
            bot.call("sendMessage", chat_id=-1, text="")
    assert leaks_of(failed.value, {TEST_TOKEN}) == set()


@pytest.mark.parametrize("library", ["responses", "requests_mock"])
def test_what_a_mock_lets_through_goes_the_usual_way(library: str, api: BotApiServer) -> None:
    """On a connection of its own, over TLS with the bot's own certificates, and with the phase that was reached."""
    with Bot(api.token, proxies="direct", base_url=api.url, ca_file=api.ca_file, retry=None) as bot:
        if library == "responses":
            with responses.RequestsMock() as mock:
                mock.add_passthru(api.url)
                assert bot.call("getMe")["is_bot"]
                api.script("sendMessage", Answer.normal().cut())
                assert isinstance(failure_of(lambda: bot.send_message(chat_id=42, text="hi")), DeliveryUncertain)
        else:
            with requests_mock.Mocker(real_http=True):
                assert bot.call("getMe")["is_bot"]
                api.script("sendMessage", Answer.normal().cut())
                assert isinstance(failure_of(lambda: bot.send_message(chat_id=42, text="hi")), DeliveryUncertain)
    assert api.max_requests_per_connection == 1


def test_a_wrapped_mock_is_one(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What traces a program may stand around the mock."""
    import functools

    with responses.RequestsMock() as mock:
        mock.post(f"{API}/getMe", json={"ok": True, "result": {"mocked": True}})
        inner = requests.adapters.HTTPAdapter.send

        @functools.wraps(inner)
        def traced(*values: Any, **options: Any) -> requests.Response:
            return inner(*values, **options)

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", traced)
        assert bot.call("getMe") == {"mocked": True}
        monkeypatch.undo()


GUIDE = Path(__file__).parents[2] / "docs" / "testing-your-bot.md"


def examples() -> dict[str, Callable[[], None]]:
    """The tests that the guide shows."""
    [section] = re.findall(r"^## responses and requests-mock$(.*?)^## ", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    for program in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        exec(program, names)
    return {name: found for name, found in names.items() if name.startswith("test_")}


@pytest.mark.parametrize("example", examples().values(), ids=examples())
def test_the_examples_of_the_guide_run(example: Callable[[], None]) -> None:
    """What the guide shows of testing with mocks works as it stands there."""
    example()


def test_the_guide_has_examples_of_both() -> None:
    """None was lost on the way."""
    assert len(examples()) == 4
