"""Bots as functions: events of each provider in, its answer out; the secret, what comes again, questions, and calls that travel in the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from kits.function_events import gateway_http, gateway_rest, lambda_url, load_balancer
from kits.webhook_kit import SECRET, body_of

from syncbot import Bot, Runtime, keyboards
from syncbot.adapters.serverless import FunctionHook, aws_lambda, azure_function, google_function
from syncbot.errors import ConfigError
from syncbot.runtime.durable.queued import Queued
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport
from syncbot.webhook.edge import SECRET_HEADER, derived_secret

HEADERS = {"Content-Type": "application/json", SECRET_HEADER: SECRET}
SENT = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}}

Call = Callable[[bytes, dict[str, str], str], tuple[int, dict[str, str], str]]


class Bots:
    """Makes bots that write down what they are told, and answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.transport = FakeTransport(sendMessage=SENT, sendChatAction=True)
        self.seen: list[str] = []

    def app(self, state: str | None = "bot.db", **options: Any) -> Runtime[Any]:
        """One that echoes."""
        app = Runtime(Bot(TEST_TOKEN, transport=self.transport), state=None if state is None else self.folder / state, types=False, **options)

        @app.message()
        def echo(update: Any, context: Any) -> None:
            self.seen.append(update.message.text)
            context.reply(f"you said {update.message.text}")

        return app

    @property
    def called(self) -> list[str]:
        """The methods that were called by a connection."""
        return [request.method for request in self.transport.requests]


@pytest.fixture
def bots(tmp_path: Path) -> Bots:
    """Bots in an empty folder."""
    return Bots(tmp_path)


def by_lambda(shape: Callable[..., dict[str, Any]]) -> Callable[..., Call]:
    """Calls a function of AWS's with events of a shape."""

    def make(app: Runtime[Any], **options: Any) -> Call:
        handler = aws_lambda(app, **options)

        def call(body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, str], str]:
            answer = handler(json.loads(json.dumps(shape(body, headers, method))), object())
            assert json.loads(json.dumps(answer)) == answer
            return answer["statusCode"], answer["headers"], answer["body"]

        return call

    return make


def by_google(app: Runtime[Any], **options: Any) -> Call:
    """Calls a function of Google's through Flask, as its framework does."""
    import flask  # where it is needed, as the others: every process collects all tests

    server = flask.Flask("functions")
    function = google_function(app, **options)
    server.add_url_rule("/", "bot", lambda: function(flask.request), methods=["GET", "POST"])

    def call(body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, str], str]:
        answer = server.test_client().open("/", method=method, data=body, headers=headers)
        return answer.status_code, dict(answer.headers), answer.text

    return call


def by_azure(app: Runtime[Any], **options: Any) -> Call:
    """Calls a function of Azure's with its own library's request."""
    from azure.functions import HttpRequest

    function = azure_function(app, **options)

    def call(body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, str], str]:
        answer = function(HttpRequest(method=method, url="https://bot.azurewebsites.net/api/hook", headers=headers, body=body))
        return answer.status_code, {**dict(answer.headers), "Content-Type": str(answer.mimetype)}, answer.get_body().decode()

    return call


def by_wsgi(app: Runtime[Any], **options: Any) -> Call:
    """Calls what a CGI program runs."""
    import flask.testing

    hook = FunctionHook(app, **options)

    def call(body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, str], str]:
        answer = flask.testing.Client(hook.wsgi, flask.Response).open("/", method=method, data=body, headers=headers)
        return answer.status_code, dict(answer.headers), answer.text

    return call


PROVIDERS = {
    "lambda url": by_lambda(lambda_url),
    "gateway v2": by_lambda(gateway_http),
    "gateway v1": by_lambda(gateway_rest),
    "load balancer": by_lambda(load_balancer),
    "google": by_google,
    "azure": by_azure,
    "wsgi": by_wsgi,
}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each of the ways in."""
    made: Callable[..., Any] = PROVIDERS[request.param]
    return made


def test_an_update_is_handled_before_the_answer(bots: Bots, provider: Callable[..., Any]) -> None:
    """200, and the handler's call was made; the same update again is no second one."""
    call = provider(bots.app(), secret_token=SECRET)
    for _ in range(2):
        status, headers, body = call(body_of(1, "grüße"), HEADERS)
        assert (status, body) == (200, "")
        assert headers["Content-Type"].startswith("text/plain")
    assert bots.seen == ["grüße"]
    assert bots.called == ["sendMessage"]


def test_what_is_not_telegrams_is_refused(bots: Bots, provider: Callable[..., Any]) -> None:
    """Without the secret, with a wrong one, by GET, as a form, without JSON, too large: nothing is handled, and the status says why."""
    call = provider(bots.app(), secret_token=SECRET)
    wrong = [
        call(body_of(1), {"Content-Type": "application/json"}),
        call(body_of(1), HEADERS | {SECRET_HEADER: "other"}),
        call(b"", HEADERS, "GET"),
        call(body_of(1), HEADERS | {"Content-Type": "text/plain"}),
        call(b"{", HEADERS),
        call(b"[" * 1000, HEADERS),
        call(b" " * ((1 << 20) + 1), HEADERS),
    ]
    assert [status for status, _, _ in wrong] == [403, 403, 405, 415, 400, 400, 413]
    assert wrong[2][1]["Allow"] == "POST"
    assert bots.seen == []


def test_the_last_call_travels_in_the_answer(bots: Bots, provider: Callable[..., Any]) -> None:
    """A bot that answers with one message makes no connection at all, with a state file and without one."""
    for state in (None, "bot.db"):
        call = provider(bots.app(state), secret_token=SECRET, in_answer=True)
        status, headers, body = call(body_of(1, "hi & <b>"), HEADERS)
        assert status == 200
        assert headers["Content-Type"].startswith("application/json")
        answer = json.loads(body)
        assert (answer["method"], answer["text"], int(answer["chat_id"])) == ("sendMessage", "you said hi & <b>", 7)
    assert bots.called == []


def test_the_derived_secret_is_the_one_of_the_command(bots: Bots) -> None:
    """Nothing needs to be given where `syncbot webhook set` has set the webhook; a malformed secret is refused at once."""
    hook = FunctionHook(bots.app())
    given = {"content-type": "application/json", SECRET_HEADER.lower(): derived_secret(TEST_TOKEN)}
    assert hook.answer("POST", given, body_of(1)).status == 200
    with pytest.raises(ConfigError, match="secret_token"):
        FunctionHook(bots.app(), secret_token="no spaces")


def test_a_body_that_is_no_base64_is_refused(bots: Bots) -> None:
    """An event that says base64 and holds something else is 400."""
    handler = aws_lambda(bots.app(), secret_token=SECRET)
    event = gateway_http(b"x", HEADERS) | {"body": "no base64!"}
    assert handler(event, None)["statusCode"] == 400


def test_calls_before_the_last_one_are_made_in_order(bots: Bots) -> None:
    """Three messages: two go out by connections, in order, the third in the answer; what the handler gets for each says that there is no result yet."""
    app = Runtime(Bot(TEST_TOKEN, transport=bots.transport), state=bots.folder / "bot.db", types=False)
    results: list[Any] = []

    @app.message()
    def count(update: Any, context: Any) -> None:
        results.extend(context.reply(str(number)) for number in range(3))

    hook = FunctionHook(app, secret_token=SECRET, in_answer=True)
    answer = json.loads(hook.answer("POST", HEADERS, body_of(1)).body)
    assert answer["text"] == "2"
    assert [call.parameters["text"] for call in bots.transport.calls] == ["0", "1"]
    assert all(isinstance(result, Queued) for result in results)


def test_calls_whose_result_is_needed_or_that_hold_files_go_out(bots: Bots) -> None:
    """getMe and an upload make connections even where they come last; what was held before them goes first."""
    bots.transport = FakeTransport(sendMessage=SENT, getMe={"id": 1, "is_bot": True, "first_name": "b", "username": "b"}, sendDocument=SENT)
    app = Runtime(Bot(TEST_TOKEN, transport=bots.transport), state=bots.folder / "bot.db", types=False)

    @app.message()
    def work(update: Any, context: Any) -> None:
        context.reply("first")
        assert context.bot.get_me().username == "b"
        context.reply("second")
        context.bot.send_document(7, b"content")

    hook = FunctionHook(app, secret_token=SECRET, in_answer=True)
    assert hook.answer("POST", HEADERS, body_of(1)).body == ""
    assert bots.called == ["sendMessage", "getMe", "sendMessage", "sendDocument"]


def test_a_handler_that_fails_still_sends_what_it_had_sent(bots: Bots, caplog: pytest.LogCaptureFixture) -> None:
    """Its update goes to the dead letters, the answer is 200 and holds the call."""
    app = Runtime(Bot(TEST_TOKEN, transport=bots.transport), state=bots.folder / "bot.db", types=False)

    @app.message()
    def fail(update: Any, context: Any) -> None:
        context.reply("before")
        raise ValueError("as asked")

    reply = FunctionHook(app, secret_token=SECRET, in_answer=True).answer("POST", HEADERS, body_of(1))
    assert (reply.status, json.loads(reply.body)["text"]) == (200, "before")
    assert "as asked" in caplog.text


@pytest.mark.parametrize("in_answer", [True, False])
def test_a_question_is_asked_once_and_goes_on_in_another_call(bots: Bots, in_answer: bool) -> None:
    """`context.ask` in straight lines, each update handled by a process of its own, so to say: nothing is sent twice."""
    texts: list[str] = []

    def send(text: str, update_id: int) -> None:
        app = Runtime(Bot(TEST_TOKEN, transport=bots.transport), state=bots.folder / "bot.db", types=False)

        @app.message()
        def start(update: Any, context: Any) -> None:
            context.reply("Welcome")
            answer = context.ask("Your name?")
            context.reply(f"Hello, {answer.text}")

        before = len(bots.transport.calls)
        reply = FunctionHook(app, secret_token=SECRET, in_answer=in_answer).answer("POST", HEADERS, body_of(update_id, text))
        assert reply.status == 200
        texts.extend(call.parameters["text"] for call in bots.transport.calls[before:])
        if reply.body:
            texts.append(json.loads(reply.body)["text"])

    send("/start", 1)
    assert texts == ["Welcome", "Your name?"]
    send("Ann", 2)
    assert texts == ["Welcome", "Your name?", "Hello, Ann"]


def test_telegram_carries_the_answer_out(tmp_path: Path) -> None:
    """Through a server that delivers webhooks: the user reads the message, and the bot has made no connection."""
    with BotApiServer(slow_same_offset=False) as api:
        app = Runtime(Bot(api.token, base_url=api.url), state=tmp_path / "bot.db", types=False)

        @app.message()
        def echo(update: Any, context: Any) -> None:
            context.reply(f"you said {update.message.text}", quote=True, reply_markup=keyboards.inline([[("A & b", "1")]]))

        hook = FunctionHook(app, secret_token=SECRET, in_answer=True)
        server = make_server("127.0.0.1", 0, hook.wsgi, handler_class=_Silent)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with Bot(api.token, base_url=api.url) as bot:
                bot.call("setWebhook", url=f"http://127.0.0.1:{server.server_port}/", secret_token=SECRET)
            connections = api.recorder.connections_total
            user = api.user()
            user.send("hello")
            api.deliver_webhook()
            assert user.wait_for("you said hello").text == "you said hello"
            assert api.recorder.connections_total == connections
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


CGI_PROGRAM = f"""
#!{sys.executable}
from syncbot import Bot, Runtime, keyboards
from syncbot.adapters.serverless import cgi

app = Runtime(Bot("{TEST_TOKEN}"), state="bot.db", types=False)

@app.message()
def echo(update, context):
    context.reply("you said " + update.message.text)

cgi(app, secret_token="{SECRET}", in_answer=True)
"""


def test_a_cgi_program_answers(tmp_path: Path) -> None:
    """Started as a web server starts it: the request in its environment and standard input, head and body on standard output."""
    program = tmp_path / "bot.cgi"
    program.write_text(textwrap.dedent(CGI_PROGRAM).lstrip())
    program.chmod(0o755)
    body = body_of(1, "grüße")
    environ = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "bot.example",
        "SERVER_PORT": "443",
        "SCRIPT_NAME": "/cgi-bin/bot.cgi",
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET,
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join(filter(None, sys.path)),
    }
    done = subprocess.run([str(program)], env=environ, cwd=tmp_path, input=body, capture_output=True, timeout=60)
    head, _, answer = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"Status: 200 OK"), done.stderr
    assert json.loads(answer)["text"] == "you said grüße"
    environ["HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN"] = "wrong"
    refused = subprocess.run([str(program)], env=environ, cwd=tmp_path, input=body, capture_output=True, timeout=60)
    assert refused.stdout.startswith(b"Status: 403 Forbidden"), refused.stderr


POSTGRES_PROGRAM = f"""
import json, sys
from syncbot import Bot, Runtime
from syncbot.adapters.serverless import aws_lambda

app = Runtime(Bot("{TEST_TOKEN}"), state=sys.argv[1], types=False)

@app.message()
def count(update, context):
    number = context.user_data["number"] = context.user_data.get("number", 0) + 1
    context.reply(f"{{number}}: {{update.message.text}}")

print(json.dumps(aws_lambda(app, secret_token="{SECRET}", in_answer=True)(json.load(sys.stdin), None)))
"""


@pytest.mark.programs("postgres")
def test_cold_calls_share_their_state_in_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Each call is a process of its own, on a machine of its own for all it knows, and what the first remembers the second knows."""
    known: list[str] = []
    for number in (1, 2, 2):
        event = json.dumps(lambda_url(body_of(number, "hi"), HEADERS))
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": ":".join(filter(None, sys.path))}
        done = subprocess.run([sys.executable, "-c", POSTGRES_PROGRAM, postgres_url], env=environ, input=event, capture_output=True, text=True, timeout=60)
        answer = json.loads(done.stdout)
        assert answer["statusCode"] == 200, done.stderr
        known.append(json.loads(answer["body"])["text"] if answer["body"] else "")
    assert known == ["1: hi", "2: hi", ""]
