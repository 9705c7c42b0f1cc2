"""What watches a program's HTTP calls, Sentry and OpenTelemetry with their standard integrations, and http.client's debug level: none sees a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from kits.frames_kit import spellings

from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, TestCA

USERNAME, PASSWORD = "proxy-user", "pa:ss@word/with%25"
SECRETS = spellings(TEST_TOKEN, TEST_TOKEN.partition(":")[2], user="bot") | spellings(PASSWORD, user=USERNAME)
SECRETS |= {quote(secret, safe="") for secret in SECRETS} | {ascii(secret)[1:-1] for secret in SECRETS}

# Each is a program of its own, since what watches stays in the process. Its own variables hold no secret: the settings come from the environment.
_CALLS = """
import logging, os
from syncbot import Bot, SyncBotError

def calls():
    with Bot.from_env(limits=None, retry=None, timeout=10.0) as bot:
        bot.call("getMe")
        bot.call("sendMessage", chat_id=42, text="hi")
        for step in (lambda: bot.call("sendMessage", chat_id="@nobody_is_there", text=""), lambda: bot.download_bytes({"file_id": "", "file_path": "p/1.jpg"})):
            try:
                step()
            except SyncBotError as error:
                yield error
    os.environ["SYNCBOT_BASE_URL"] = "http://127.0.0.1:9"
    with Bot.from_env(limits=None, retry=None, timeout=10.0) as bot:
        try:
            bot.call("getMe")
        except SyncBotError as error:
            yield error
"""

_SENTRY = """
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

class Kept(Transport):
    def capture_envelope(self, envelope):
        print(envelope.serialize().decode())

every_record = LoggingIntegration(level=logging.DEBUG, event_level=logging.DEBUG)  # an event each, with the variables of the whole stack
sentry_sdk.init(
    "http://key@127.0.0.1:9/1", transport=Kept, traces_sample_rate=1.0, attach_stacktrace=True, send_default_pii=True, integrations=[every_record],
    auto_enabling_integrations=False,  # those of web frameworks and databases, which would load all that is installed here, and see no call of ours
)
logging.getLogger("syncbot").setLevel(logging.DEBUG)
logging.getLogger("syncbot").propagate = False
with sentry_sdk.start_transaction(name="calls"):
    for error in calls():
        sentry_sdk.capture_exception(error)
sentry_sdk.flush()
"""

_OPENTELEMETRY = """
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
for instrumentor in (RequestsInstrumentor, URLLibInstrumentor, URLLib3Instrumentor):
    instrumentor().instrument()
with trace.get_tracer("test").start_as_current_span("calls") as span:
    for error in calls():
        span.record_exception(error)
"""

_DEBUG_LEVEL = """
import http.client

http.client.HTTPConnection.debuglevel = 1
print([type(error).__name__ for error in calls()])
"""


@pytest.fixture(params=["tunnel", "forward", *(pytest.param(way, marks=pytest.mark.slow) for way in ("socks5h", "direct"))])
def settings(request: pytest.FixtureRequest, ca: TestCA, api: BotApiServer) -> Iterator[Mapping[str, str]]:
    """The environment of a bot that goes each way."""
    with BotApiServer(any_chat=True) as plain, FaultProxy(username=USERNAME, password=PASSWORD) as proxy:
        way = request.param
        yield {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": plain.url if way == "forward" else api.url,
            "SYNCBOT_CA_FILE": str(ca.ca_file),
            "SYNCBOT_PROXY": "direct" if way == "direct" else proxy.url_for("socks5h" if way == "socks5h" else "http"),
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST": ".*",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE": ".*",
        }


def told_by(program: str, settings: Mapping[str, str]) -> str:
    """All that a program with the calls above prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    done = subprocess.run([sys.executable, "-c", _CALLS + program], env={**inherited, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def shown_in(text: str) -> list[str]:
    """The secrets that a text shows, with what stands before them."""
    return [text[max(0, text.find(secret) - 300) : text.find(secret)] for secret in SECRETS if secret in text]


def test_sentry_sees_no_secret(settings: Mapping[str, str]) -> None:
    """No event, span or breadcrumb of Sentry's integrations, not even one with the variables of every frame; what it shows is the method."""
    told = told_by(_SENTRY, settings)
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    spans = [span for line in lines for span in line.get("spans", [])]
    assert [span["description"] for span in spans if span["op"] == "http.client" and "/getMe" in span["description"]], "the integration has watched"
    assert any("vars" in frame for line in lines for thread in line.get("threads", {}).get("values", []) for frame in thread["stacktrace"]["frames"])
    assert shown_in(told) == []


def test_opentelemetry_sees_no_secret(settings: Mapping[str, str]) -> None:
    """No span of its instrumentations of requests, urllib3 and urllib, headers and exceptions included; what it shows is the method."""
    told = told_by(_OPENTELEMETRY, settings)
    assert told.count("/getMe") >= 2
    assert "exception.stacktrace" in told
    assert shown_in(told) == []


def test_the_debug_level_of_http_client_shows_no_secret(settings: Mapping[str, str]) -> None:
    """With http.client at debug level 1 nothing is printed."""
    told = told_by(_DEBUG_LEVEL, settings)
    assert told.count("\n") == 1
    assert shown_in(told) == []
