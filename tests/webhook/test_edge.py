"""The WSGI application: who is let in, what is taken, and when 200 is answered."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from kits.storage_kit import finish
from kits.timing_kit import becomes
from kits.webhook_kit import SECRET, body_of, call, listen_to, update

from syncbot import Bot, ConfigError, Runtime
from syncbot.storage import Incoming, StoreOptions, open_store
from syncbot.testing import TEST_TOKEN
from syncbot.webhook.edge import MAX_BYTES, WebhookApp


def waiting(path: Path) -> list[bytes]:
    """What stands in the inbox of a state file that nobody handles, in order."""
    found = []
    with open_store(path, None) as store:
        store.inbox.recover()
        claimed = store.inbox.claim(1)
        while claimed:
            found.append(claimed[0].body)
            claimed = finish(store.inbox, claimed[0], claim=1)
    return found


@pytest.fixture
def storing(app: Runtime) -> WebhookApp:
    """An application in a process that does not handle."""
    return app.wsgi("/hook", SECRET, start=False)


def test_an_update_is_stored_before_200_is_answered(storing: WebhookApp, tmp_path: Path) -> None:
    """When 200 has been answered, the update stands in the state file, byte for byte."""
    assert call(storing, body_of(5, "ä€😀")).status == 200
    assert waiting(tmp_path / "bot.db") == [body_of(5, "ä€😀")]


def test_an_update_that_comes_twice_is_stored_once(storing: WebhookApp, tmp_path: Path) -> None:
    """A repeated update is answered with 200 too, and stored once."""
    assert [call(storing, body_of(5)).status for _ in range(3)] == [200, 200, 200]
    assert len(waiting(tmp_path / "bot.db")) == 1


def test_the_first_request_starts_the_runtime(hook: WebhookApp, app: Runtime) -> None:
    """An update that arrives is handled in the same process, without anything else having to be started."""
    seen = listen_to(app)
    assert call(hook, body_of(1, "hello")).status == 200
    assert seen.wait(1) == ["hello"]


def test_a_stopped_runtime_stores_and_does_not_start_again(hook: WebhookApp, app: Runtime, tmp_path: Path) -> None:
    """What comes between the stop of the runtime and the end of the server is kept for the next start."""
    seen = listen_to(app)
    call(hook, body_of(1))
    seen.wait(1)
    app.stop()
    assert call(hook, body_of(2)).status == 200
    assert app.health()["running"] is False
    app.stop()
    assert waiting(tmp_path / "bot.db") == [body_of(2)]


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": None}, 403),
        ({"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": ""}, 403),
        ({"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET + "x"}, 403),
        ({"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET.upper()}, 403),
        ({"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": "\xff\udc80"}, 403),
        ({"REQUEST_METHOD": "GET"}, 405),
        ({"REQUEST_METHOD": "PUT"}, 405),
        ({"PATH_INFO": "/"}, 404),
        ({"PATH_INFO": "/hook/"}, 404),
        ({"PATH_INFO": "/hook", "REQUEST_METHOD": "GET", "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": None}, 405),
        ({"CONTENT_TYPE": None}, 415),
        ({"CONTENT_TYPE": "text/plain"}, 415),
        ({"CONTENT_TYPE": "application/jsonp"}, 415),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, 415),
        ({"CONTENT_LENGTH": None}, 411),
        ({"CONTENT_LENGTH": ""}, 411),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "+5"}, 400),
        ({"CONTENT_LENGTH": "0x10"}, 400),
        ({"CONTENT_LENGTH": "٣"}, 400),
        ({"CONTENT_LENGTH": str(MAX_BYTES + 1)}, 413),
        ({"CONTENT_LENGTH": "9" * 5000}, 413),
        ({"CONTENT_LENGTH": "100000"}, 408),
    ],
)
def test_what_is_not_telegrams_request_is_refused(storing: WebhookApp, tmp_path: Path, environ: dict[str, Any], status: int) -> None:
    """A request that Telegram would not make is refused with the status that says why, and nothing is stored."""
    assert call(storing, body_of(1), **environ).status == status
    assert not (tmp_path / "bot.db").exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"{}",
        b"\xff\xfe{\x00}\x00",
        json.dumps(update(1)).encode("utf-16"),
        b"\xef\xbb\xbf" + body_of(1),
        body_of(1)[:-1],
        body_of(1) + b"x",
        body_of(1, "x").replace(b'"x"', b'"\xff"'),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"update_id":1,"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"update_id":1,"message":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"update_id":1,"message":' + b'{"a":' * 300 + b"1" + b"}" * 301,
        b'{"update_id":NaN}',
        b'{"update_id":1,"message":{"x":Infinity}}',
        b'{"update_id":"1"}',
        b'{"update_id":1.0}',
        b'{"update_id":true}',
        b'{"update_id":-1}',
        b'{"update_id":null}',
        b'{"update_id":9223372036854775808}',
        b'{"update_id":' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_no_update_is_answered_with_400(storing: WebhookApp, tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Malformed, misencoded, too deep or senseless JSON is answered with 400, without a traceback, and nothing is stored."""
    caplog.set_level(logging.DEBUG)
    answer = call(storing, body)
    assert (answer.status, answer.text != "") == (400, True)
    assert not any(record.exc_info for record in caplog.records)
    assert not (tmp_path / "bot.db").exists()


def test_nesting_far_beyond_telegrams_is_still_taken(hook: WebhookApp, app: Runtime) -> None:
    """An update nested 150 deep is stored and handled; the bound is above whatever Telegram sends."""
    seen = listen_to(app)
    nested = body_of(1, "deep").replace(b'"text"', b'"extra": ' + b"[" * 150 + b"]" * 150 + b', "text"')
    assert call(hook, nested).status == 200
    assert seen.wait(1) == ["deep"]


def test_wide_json_is_no_deep_json(storing: WebhookApp) -> None:
    """Many brackets side by side are not taken for many inside each other."""
    assert call(storing, body_of(1).replace(b'"text"', b'"entities": [' + b"[]," * 5000 + b'[]], "text"')).status == 200


def test_a_body_up_to_one_megabyte_is_taken(storing: WebhookApp) -> None:
    """The bound of one megabyte belongs to what is taken."""
    body = body_of(1)
    assert call(storing, body + b" " * (MAX_BYTES - len(body))).status == 200
    assert call(storing, body_of(2) + b" " * (MAX_BYTES - len(body) + 1)).status == 413


def test_a_body_without_a_length_is_read_to_its_end_where_the_server_marks_it(storing: WebhookApp) -> None:
    """A chunked body is taken from a server that ends it, up to the same bound."""
    ends: dict[str, Any] = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
    assert call(storing, body_of(1), **ends).status == 200
    assert call(storing, b" " * (MAX_BYTES + 1), **ends).status == 413


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", " application/json ;charset=UTF-8"])
def test_the_content_type_may_be_written_in_any_way(storing: WebhookApp, content_type: str) -> None:
    """The case of the content type and its parameters do not matter."""
    assert call(storing, body_of(1), CONTENT_TYPE=content_type).status == 200


@pytest.mark.parametrize(("script", "path"), [("/hook", ""), ("/bots", "/hook"), ("", "/hook")])
def test_it_may_be_mounted_anywhere(app: Runtime, script: str, path: str) -> None:
    """An application that another one has mounted under a prefix is found by its whole path, and by its own."""
    assert call(app.wsgi(script + path, SECRET, start=False), body_of(1), SCRIPT_NAME=script, PATH_INFO=path).status == 200
    assert call(app.wsgi(None, SECRET, start=False), body_of(1), SCRIPT_NAME="/any", PATH_INFO="/where").status == 200


def test_a_read_that_fails_is_no_error_of_ours(storing: WebhookApp, caplog: pytest.LogCaptureFixture) -> None:
    """When the client goes away in the middle of its body, that is answered and not reported as an error."""

    class Gone(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("gone")

    broken: dict[str, Any] = {"wsgi.input": Gone()}
    assert call(storing, body_of(1), **broken).status == 408
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_dripping_body_is_cut_where_the_server_shows_its_socket(app: Runtime) -> None:
    """A read that waits for bytes that never come ends after the time for a body."""
    hook = WebhookApp(app, "/hook", SECRET, start=False, body_seconds=0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb") as stream:
        ours.sendall(b'{"update_id":1')
        environ: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": "500", "gunicorn.socket": theirs}
        assert call(hook, **environ).status == 408


def test_many_requests_leave_no_thread(app: Runtime) -> None:
    """What would have cut a body that takes too long is gone when the body is there."""
    hook = WebhookApp(app, "/hook", SECRET, start=False, body_seconds=3600.0)
    before = threading.active_count()
    for number in range(30):
        ours, theirs = socket.socketpair()
        with ours, theirs, theirs.makefile("rb") as stream:
            body = b'{"update_id":%d}' % number
            ours.sendall(body)
            environ: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": str(len(body)), "gunicorn.socket": theirs}
            assert call(hook, **environ).status == 200
    assert becomes(lambda: threading.active_count() <= before, 5.0)


def test_full_disk_is_answered_with_503_and_nothing_is_lost(bot: Bot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While nothing can be stored, Telegram is told to come again; the reason is logged once."""
    app = Runtime(bot, state=tmp_path / "full.db", store_options=StoreOptions(max_pages=40))
    hook = app.wsgi("/hook", SECRET, start=False)
    statuses = [call(hook, body_of(number, "x" * 3000)).status for number in range(1, 60)]
    app.stop()
    assert set(statuses) == {200, 503}
    again = call(hook, body_of(99, "x" * 3000))
    assert (again.status, again.headers["Retry-After"]) == (503, "3")
    app.stop()
    assert len(waiting(tmp_path / "full.db")) == statuses.count(200)
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_too_many_waiting_updates_are_left_with_telegram(bot: Bot, tmp_path: Path) -> None:
    """Above the number of waiting updates that the runtime bears no more are taken."""
    app = Runtime(bot, state=tmp_path / "bot.db", most_waiting=10)
    with open_store(tmp_path / "bot.db", bot.id) as store:
        store.inbox.store([Incoming(number, "7", b"{}") for number in range(11)])
    answer = call(app.wsgi("/hook", SECRET, start=False), body_of(100))
    app.stop()
    assert (answer.status, answer.headers.get("Retry-After")) == (503, "3")


def test_requests_at_the_same_time_are_all_stored(app: Runtime, storing: WebhookApp, tmp_path: Path) -> None:
    """Requests that come together share transactions, and each 200 stands for a stored update; one chat's stay in order."""
    statuses: list[int] = []

    def chat(number: int) -> None:
        statuses.extend(call(storing, body_of(1000 * number + n, str(n), chat=number)).status for n in range(40))

    threads = [threading.Thread(target=chat, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 320
    app.stop()
    stored = [json.loads(body)["message"] for body in waiting(tmp_path / "bot.db")]
    for number in range(1, 9):
        assert [message["text"] for message in stored if message["chat"]["id"] == number] == [str(n) for n in range(40)]


def test_without_a_state_file_there_is_no_webhook(bot: Bot) -> None:
    """A webhook without a state file is refused with words: 200 must not be answered for what a crash would lose."""
    app = Runtime(bot, state=None)
    for attempt in (app.wsgi, lambda: app.process(update(1)), lambda: app.start(poll=False)):
        with pytest.raises(ConfigError, match="needs a state file"):
            attempt()


@pytest.mark.parametrize("secret", ["", " ", "a b", "ä", "x" * 257, "a:b"])
def test_a_secret_that_telegram_would_refuse_is_refused_at_once(app: Runtime, secret: str) -> None:
    """A malformed secret is a ConfigError that does not repeat it; there is no webhook without a secret."""
    with pytest.raises(ConfigError, match="secret_token") as refused:
        app.wsgi("/hook", secret)
    assert len(secret) < 2 or secret not in str(refused.value)


def test_the_default_secret_is_the_same_everywhere_and_tells_nothing(app: Runtime, server: Any) -> None:
    """Without a secret one is derived from the token: another bot's differs, Telegram would take it, and the token is not in it."""
    secret = app.wsgi("/hook").secret_token
    assert secret == app.wsgi("/other").secret_token
    assert len(secret) == 64
    assert secret.isalnum()
    with Bot("987654321:" + "x" * 35, base_url=server.url) as other:
        assert Runtime(other, state="unused.db").wsgi("/hook").secret_token != secret
    assert TEST_TOKEN.partition(":")[2] not in secret


def test_a_path_without_a_slash_is_refused(app: Runtime) -> None:
    """A path that no request can have is a ConfigError."""
    with pytest.raises(ConfigError, match="slash"):
        app.wsgi("hook", SECRET)


def test_receive_is_for_frameworks_with_views_of_their_own(hook: WebhookApp, app: Runtime) -> None:
    """The same checks without WSGI: the secret, the content type, the body."""
    seen = listen_to(app)
    assert hook.receive(body_of(1, "by hand"), secret=SECRET, content_type="application/json").status == 200
    assert hook.receive(body_of(2), secret=None, content_type="application/json").status == 403
    assert hook.receive(body_of(2), secret=SECRET, content_type=None).status == 415
    assert hook.receive(b"[", secret=SECRET, content_type="application/json").status == 400
    assert seen.wait(1) == ["by hand"]
