"""pyTelegramBotAPI through `install`: its own polling through faults, its own errors, its own way back."""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import telebot
from kits.adapters_kit import all_texts, becomes, check_silent, nothing_left
from kits.timing_kit import tried
from telebot import apihelper

from syncbot.adapters.telebot import Installed, install
from syncbot.errors import ConfigError, DeliveryUncertain, NetworkError, NotSent, Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport
from syncbot.types import Response

CALLS = 200
LENGTHS = [pytest.param(CALLS, 0.05, marks=pytest.mark.slow), (CALLS // 5, 0.25)]
"""How many messages are answered, and what share of the TLS handshakes is cut meanwhile."""


@pytest.fixture(autouse=True)
def _settings_of_telebot(api: BotApiServer) -> Iterator[None]:
    """telebot's module variables lead to the test server, and stand afterwards as they stood."""
    names = ("API_URL", "FILE_URL", "proxy", "SESSION_TIME_TO_LIVE", "CONNECT_TIMEOUT", "READ_TIMEOUT", "CUSTOM_REQUEST_SENDER", "download_file")
    before = {name: getattr(apihelper, name) for name in names}
    point_to(api)
    yield
    for name, value in before.items():
        setattr(apihelper, name, value)


def point_to(api: BotApiServer) -> None:
    """Let telebot talk to a test server."""
    _set("API_URL", api.url + "/bot{0}/{1}")
    _set("FILE_URL", api.url + "/file/bot{0}/{1}")


def _set(name: str, value: Any) -> None:
    setattr(apihelper, name, value)


@pytest.fixture
def bot() -> telebot.TeleBot:
    """A bot that does everything in the thread of the caller."""
    return telebot.TeleBot(TEST_TOKEN, threaded=False)


class Polling:
    """A bot that echoes, polling in a thread of its own."""

    def __init__(self, poll_seconds: int = 2) -> None:
        self.bot = telebot.TeleBot(TEST_TOKEN, num_threads=4)
        self.poll_seconds = poll_seconds
        self.bot.register_message_handler(lambda message: self.bot.send_message(message.chat.id, f"echo {message.text}"), func=lambda message: True)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.bot.polling(non_stop=True, long_polling_timeout=self.poll_seconds, logger_level=logging.CRITICAL)
        except Exception as error:
            self.error = error

    def end(self, installed: Installed | None = None) -> None:
        """Stop polling, and wait for its threads."""
        stop: Any = self.bot  # telebot has no types for these
        stop.stop_polling()
        if installed is not None:
            installed.end_poll()
        self.thread.join(60)
        assert not self.thread.is_alive()
        stop.stop_bot()


def feed(api: BotApiServer, calls: int = CALLS) -> None:
    """So many messages of 20 users."""
    users = [api.user() for _ in range(20)]
    for number in range(calls):
        users[number % len(users)].send(f"message {number}")


@pytest.mark.parametrize(("calls", "rate"), LENGTHS)
def test_a_polling_bot_answers_all_through_a_proxy_that_cuts_handshakes(ca: TestCA, calls: int, rate: float) -> None:
    """Polling and sending through a proxy that cuts some of the TLS handshakes: every message is answered, once each, and nothing is left open."""
    with (
        BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api,
        FaultProxy(faults=[Fault.tls_drop()], rate=rate, seed=3) as proxy,
        nothing_left(),
        install(proxy.url, ca_file=api.ca_file) as installed,
    ):
        point_to(api)
        feed(api, calls)
        polling = Polling(poll_seconds=40)
        api.wait_until(lambda: api.recorder.by_method["sendMessage"] >= calls, 60.0, "not all were answered")
        started = time.monotonic()
        polling.end(installed)
        assert time.monotonic() - started < 20.0, "it does not wait for the end of a poll"
        assert polling.error is None
        assert proxy.struck["tls_drop"] >= 5
        assert sorted(message.text for message in api.sent) == sorted(f"echo message {number}" for number in range(calls))
        assert api.recorder.max_requests_per_connection == 1


def test_the_same_bot_without_it_stops(ca: TestCA, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own sessions, even a new one for each call, the first cut handshake ends the polling."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca.ca_file)
    with BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api, FaultProxy(faults=[Fault.tls_drop()], rate=0.05, seed=3) as proxy:
        point_to(api)
        _set("proxy", {"https": proxy.url})
        _set("SESSION_TIME_TO_LIVE", 0)
        feed(api)
        polling = Polling()
        polling.thread.join(30)
        polling.end()
        assert isinstance(polling.error, requests.ConnectionError)
        assert api.recorder.by_method["sendMessage"] < CALLS


def test_send_upload_and_download(api: BotApiServer, bot: telebot.TeleBot, tmp_path: Path) -> None:
    """Texts, files in every form, media groups and downloads arrive whole."""
    content = bytes(range(256)) * 1000
    path = tmp_path / "päper.pdf"
    path.write_bytes(content)
    with nothing_left(), install(ca_file=api.ca_file):
        bot.send_message(1, "ünï & code", disable_notification=True)
        with path.open("rb") as file, path.open("rb") as again:
            sent = bot.send_document(1, file)
            bot.send_document(1, telebot.types.InputFile(again, file_name="named.pdf"), caption="path")
        bot.send_document(1, content, visible_file_name="50%20off.bin")
        media: Any = [telebot.types.InputMediaPhoto(telebot.types.InputFile(io.BytesIO(piece)), caption=piece.decode()) for piece in (b"one", b"two")]
        group = bot.send_media_group(1, media)
        assert sent.document is not None
        assert bot.download_file(bot.get_file(sent.document.file_id).file_path or "") == content
    assert api.requests_for("sendMessage")[0].params["text"] == "ünï & code"
    uploads = [request.file("document") for request in api.requests_for("sendDocument")]
    assert [upload.name for upload in uploads] == ["päper.pdf", "named.pdf", "50%20off.bin"]
    assert {upload.sha256 for upload in uploads} == {hashlib.sha256(content).hexdigest()}
    assert [message.caption for message in group] == ["one", "two"]
    assert len(api.requests_for("sendMediaGroup")[0].files) == 2


def test_a_file_that_is_none_is_left_out(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """As `requests` does it, which telebot alone would give the files to."""
    with install(ca_file=api.ca_file):
        files = {"document": ("a.txt", b"content"), "thumbnail": None}
        apihelper._make_request(bot.token, "sendDocument", params={"chat_id": 1}, files=files, method="post")
    [request] = api.requests_for("sendDocument")
    assert [file.name for file in request.files] == ["a.txt"]


def test_nothing_of_a_call_stands_in_a_url(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """Parameters travel in the body: telebot alone puts them into the URL, which proxies and servers log."""
    with install(ca_file=api.ca_file):
        bot.send_message(1, "private words")
    (request,) = api.requests_for("sendMessage")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert int(request.headers["content-length"]) > 20


@pytest.mark.parametrize(
    ("answer", "code", "parameters"),
    [
        (Answer.retry_after(7), 429, {"retry_after": 7}),
        (Answer.migrated(-100123), 400, {"migrate_to_chat_id": -100123}),
        (Answer.error(403, "Forbidden: bot was blocked by the user"), 403, None),
        (Answer.server_error(), 500, None),
    ],
)
def test_telegrams_refusals_are_the_librarys_own(api: BotApiServer, bot: telebot.TeleBot, answer: Answer, code: int, parameters: Any) -> None:
    """`ApiTelegramException` with its code and parameters, after one call."""
    api.script("sendMessage", answer)
    with install(ca_file=api.ca_file), pytest.raises(apihelper.ApiTelegramException) as failure:
        bot.send_message(1, "hi")
    assert failure.value.error_code == code
    assert failure.value.result_json.get("parameters") == parameters
    assert len(api.requests_for("sendMessage")) == 1


@pytest.mark.parametrize(("asked", "seconds"), [("5" * 13, 3600), ("1e999", 3600), ("9" * 401, 3600), ("9" * 5000, 3600), ("-1", 0), ("NaN", 1), ('"x"', 1)])
def test_a_retry_after_can_be_waited_for(api: BotApiServer, bot: telebot.TeleBot, asked: str, seconds: int) -> None:
    """telebot's users sleep for as long as it says: an hour at most, whatever stands there."""
    body = b'{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":%b}}' % asked.encode()
    api.script("sendMessage", Answer.raw(body, status=429))
    with install(ca_file=api.ca_file), pytest.raises(apihelper.ApiTelegramException) as failure:
        bot.send_message(1, "hi")
    assert failure.value.result_json["parameters"]["retry_after"] == seconds


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b"{}", b'{"ok":false}', b'{"ok":false,"error_code":[],"description":"x"}'])
def test_json_that_is_not_telegrams_is_an_error_of_the_network(api: BotApiServer, bot: telebot.TeleBot, body: bytes) -> None:
    """telebot alone would end with a TypeError or a KeyError, which ends its polling."""
    api.script("sendMessage", Answer.raw(body))
    with install(ca_file=api.ca_file), pytest.raises(requests.ConnectionError) as failure:
        bot.send_message(1, "hi")
    assert isinstance(failure.value, NetworkError)
    assert failure.value.phase is Phase.ANSWERED


def test_other_answers_are_the_librarys_own_errors(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """A gateway's page, broken JSON, and a file that is not there."""
    api.script("sendMessage", Answer.gateway(502), Answer(200, {}, b"no json"))
    with install(ca_file=api.ca_file):
        with pytest.raises(apihelper.ApiHTTPException, match="502 Bad Gateway"):
            bot.send_message(1, "hi")
        with pytest.raises(apihelper.ApiInvalidJSONException):
            bot.send_message(1, "hi")
        with pytest.raises(apihelper.ApiHTTPException, match="404"):
            bot.download_file("no/such/file")


@pytest.mark.parametrize(
    ("fault", "theirs"),
    [
        (Fault.tls_drop(), requests.exceptions.SSLError),
        (Fault.tls_stall(), requests.ConnectTimeout),
        (Fault.bad_gateway(), requests.exceptions.ProxyError),
        (Fault.cut_before_answer(), requests.ConnectionError),
        (Fault.never_answer(), requests.ReadTimeout),
    ],
)
def test_what_the_network_does_is_an_error_of_requests_and_of_syncbot(
    api: BotApiServer, bot: telebot.TeleBot, fault: Fault, theirs: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """With its phase, in time, once, and without the token in it or in a log."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("TeleBot").setLevel(logging.DEBUG)

    def attempt(timeout: float) -> None:
        started = time.monotonic()
        with (
            FaultProxy(faults=[fault], rate=1.0, seed=1) as proxy,
            install([proxy.url], ca_file=api.ca_file, timeout=timeout, retry=None),
            pytest.raises(requests.RequestException) as failure,
        ):
            bot.send_message(1, "hi")
        assert time.monotonic() - started < timeout + 2.0
        error = failure.value
        assert isinstance(error, theirs)
        assert isinstance(error, NetworkError)
        assert isinstance(error, NotSent if fault.before_request else DeliveryUncertain)
        assert error.phase is (Phase.NOT_SENT if fault.before_request else Phase.MAYBE_SENT)
        assert error.method == "sendMessage"
        check_silent(TEST_TOKEN, error, caplog)

    tried(attempt, (0.5, 0.5, 6.0))


def test_an_answer_shows_no_token(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """The URL of an answer, which its own texts repeat, has something else in the token's place."""
    api.script("sendMessage", Answer.error(400, "Bad Request: no"))
    with install(ca_file=api.ca_file), pytest.raises(apihelper.ApiTelegramException) as failure:
        bot.send_message(1, "hi")
    with pytest.raises(requests.HTTPError) as status:
        failure.value.result.raise_for_status()
    assert TEST_TOKEN.partition(":")[2] not in f"{status.value!r} {failure.value.result.url}"
    assert "sendMessage" in str(status.value)


def test_what_may_have_been_sent_is_not_sent_again_and_what_was_not_is(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """Two cut handshakes are got over; a lost answer is an error at once."""
    with FaultProxy() as proxy, install(proxy.url, ca_file=api.ca_file, ahead=0):
        proxy.script(Fault.tls_drop(), Fault.tls_drop())
        bot.send_message(1, "first")
        proxy.script(Fault.cut_before_answer())
        with pytest.raises(DeliveryUncertain):
            bot.send_message(1, "second")
    assert [api.count_text(text) for text in ("first", "second")] == [1, 1]
    assert len(api.requests_for("sendMessage")) == 2


def test_the_proxy_of_telebot_counts_where_none_is_given(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """`apihelper.proxy` leads the way as before; a list given to `install` wins over it."""
    with FaultProxy() as own, FaultProxy() as given:
        _set("proxy", {"https": own.url})
        with nothing_left(), install(ca_file=api.ca_file, ahead=0):
            bot.send_message(1, "a")
            assert bot.download_file(bot.get_file(api.add_file(b"x")).file_path or "") == b"x"
        assert own.established == 3
        with install([given.url], ca_file=api.ca_file, ahead=0):
            bot.send_message(1, "b")
        assert (own.established, given.established) == (3, 1)
        _set("proxy", {"https": "gopher://x"})
        with install(ca_file=api.ca_file, ahead=0), pytest.raises(ConfigError, match=r"apihelper\.proxy"):
            bot.send_message(1, "c")


def test_times_come_from_telebot_unless_given() -> None:
    """CONNECT_TIMEOUT, READ_TIMEOUT and a call's own `timeout` become bounds; so does `install(timeout=…)`, on top of which a poll may wait."""
    transport = FakeTransport(getUpdates=[[]], sendMessage={"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}})
    bot = telebot.TeleBot(TEST_TOKEN, threaded=False)

    def calls() -> None:
        bot.send_message(1, "hi")
        bot.send_message(1, "hi", timeout=3)
        bot.get_updates(timeout=10, long_polling_timeout=20)

    began = time.monotonic()
    with install(transport=transport):
        calls()
    with install(transport=transport, timeout=4, deadline=8):
        calls()
    ended = time.monotonic()
    bounds = [(request.connect_timeout, request.timeout, request.wait) for request in transport.requests]
    assert bounds[:3] == [(15.0, 45.0, 0.0), (3.0, 6.0, 0.0), (10.0, 15.0, 20.0)]
    assert bounds[3:] == [(4, 4, 0.0), (3.0, 4, 0.0), (4, 4, 20.0)]
    for request, seconds in zip(transport.requests, (60, 60, 80, 8, 8, 28), strict=True):
        assert request.deadline is not None
        assert began + seconds - 0.1 < request.deadline < ended + seconds + 0.1


def test_end_poll_lets_a_poll_return_empty(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """A waiting poll returns no updates at once, and the next poll waits anew."""
    with install(ca_file=api.ca_file) as installed, ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            poll = pool.submit(bot.get_updates, long_polling_timeout=50)
            assert becomes(lambda: api.is_polled, 20.0)
            started = time.monotonic()
            installed.end_poll()
            assert poll.result(40.0) == []
            assert time.monotonic() - started < 20.0, "the poll would have waited for fifty seconds"
            assert becomes(lambda: not api.is_polled, 20.0)


def test_end_poll_ends_a_poll_that_is_about_to_begin(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """telebot has begun a poll that is not on its way yet: it returns at once too, and the one after it waits anew."""
    with install(ca_file=api.ca_file) as installed, ThreadPoolExecutor(1) as pool:
        installed.end_poll()
        started = time.monotonic()
        assert bot.get_updates(long_polling_timeout=50) == []
        assert time.monotonic() - started < 20.0, "the poll would have waited for fifty seconds"
        poll = pool.submit(bot.get_updates, long_polling_timeout=50)
        assert becomes(lambda: api.is_polled, 20.0)
        installed.end_poll()
        assert poll.result(20.0) == []


def test_uninstall_ends_everything_and_gives_telebot_its_own_way_back(api: BotApiServer, bot: telebot.TeleBot) -> None:
    """A send under way ends as an error, a poll returns empty, the hooks are the old ones, nothing is left; the second time nothing happens."""
    api.script("sendMessage", Answer(silent=True))
    before = apihelper.CUSTOM_REQUEST_SENDER, apihelper.download_file
    with nothing_left(), ThreadPoolExecutor(2) as pool:
        installed = install(ca_file=api.ca_file)
        assert apihelper.CUSTOM_REQUEST_SENDER is not None
        poll, send = pool.submit(bot.get_updates, long_polling_timeout=50), pool.submit(bot.send_message, 1, "hi")
        assert becomes(lambda: api.is_polled and len(api.requests_for("sendMessage")) == 1, 20.0)
        installed.uninstall()
        installed.uninstall()
        assert poll.result(30.0) == []
        with pytest.raises(DeliveryUncertain, match="aborted"):
            send.result(20.0)
    assert (apihelper.CUSTOM_REQUEST_SENDER, apihelper.download_file) == before


def test_somebody_elses_hook_is_left_alone(api: BotApiServer) -> None:
    """What was put there after `install` stays when it ends."""
    mine: Callable[..., Any] = lambda *values, **given: None  # noqa: E731  # a value to recognise
    with install(ca_file=api.ca_file):
        _set("CUSTOM_REQUEST_SENDER", mine)
    assert apihelper.CUSTOM_REQUEST_SENDER is mine


@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_error_page_shows_no_token(status: int) -> None:
    """A gateway's page may repeat the URL, as it is or escaped, and telebot prints it; the rest of the page stays as it is."""
    key = TEST_TOKEN.partition(":")[2]
    page = f"<h1>Sorry</h1> /bot{TEST_TOKEN}/ {quote(TEST_TOKEN, safe='')} {TEST_TOKEN.replace(':', '&#x3a;')} \u00e9".encode()
    fake = FakeTransport(getMe=Response(status, {"Content-Type": "text/html"}, page))
    with install(transport=fake), pytest.raises(Exception, match="Sorry") as failed:  # telebot's own classes, by status
        telebot.TeleBot(TEST_TOKEN, threaded=False).get_me()
    assert key not in all_texts(failed.value)
    assert key not in f"{failed.value.result.text} {failed.value.result.url}"  # type: ignore[attr-defined]  # what telebot's errors have
