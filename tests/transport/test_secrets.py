"""Secrets in variables: whatever goes wrong, and while all goes well, no frame shows the token or a proxy's password."""

from __future__ import annotations

import contextlib
import json
import pickle
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kits.frames_kit import leaks_of, spellings, watched

from syncbot.adapters.http import request
from syncbot.auth import validate_login, validate_web_app_data
from syncbot.client.bot import Bot
from syncbot.config import Settings, check_setting
from syncbot.config.envfile import read_env_file, write_env_file
from syncbot.errors import Phase, SyncBotError
from syncbot.runtime.runtime import Runtime
from syncbot.secret import Hidden, Secret
from syncbot.testing import TEST_TOKEN, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.types import Proxy, Request, Response

USERNAME, PASSWORD = "proxy-user", "pa:ss@wörd/with%everything"
SECRETS = spellings(TEST_TOKEN, TEST_TOKEN.partition(":")[2], user="bot") | spellings(PASSWORD, user=USERNAME)
FAULTS = [Fault.parse(f"{fault.name}:after_seconds=0.07") if fault.name.startswith("idle") else fault for fault in Fault.all()]
WAYS = ["connect", "forward", "socks5h", "https", "socks5h early", "https early"]


@pytest.fixture(scope="module")
def plain_api() -> Iterator[BotApiServer]:
    """A Bot API server without TLS."""
    with BotApiServer() as server:
        yield server


@contextlib.contextmanager
def bot_behind(way: str, ca: TestCA, server: BotApiServer, seconds: float, *faults: Fault) -> Iterator[Bot]:
    """A bot behind a proxy of this kind, which has these faults."""
    scheme, _, early = way.partition(" ")
    kind, tls = ("https", ca.server_context()) if scheme == "https" else ("http", None)
    with FaultProxy(kind, tls=tls, username=USERNAME, password=PASSWORD, faults=faults, rate=1.0 if faults else 0.0) as proxy:
        url = proxy.url_for(scheme if scheme == "socks5h" else kind)
        options: dict[str, Any] = {"timeout": seconds, "deadline": seconds, "retry": None, "limits": None, "early": "always" if early else "never"}
        with Bot(TEST_TOKEN, proxies=[url], base_url=server.url, ca_file=ca.ca_file, **options) as bot:
            yield bot


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the bot gets to its server: a tunnel, a proxy that forwards the whole request, SOCKS, or a proxy that is reached by TLS itself; and in one flight."""
    return str(request.param)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_frame_of_an_error_shows_a_secret(fault: Fault, way: str, ca: TestCA, api: BotApiServer, plain_api: BotApiServer) -> None:
    """Whatever the fault: the variables of every frame that the error came through, and the attributes of every `self`, show nothing."""
    server = plain_api if way == "forward" else api
    with bot_behind(way, ca, server, 0.6, fault) as bot:
        error = None
        try:
            bot.call("sendMessage", chat_id=42, text="hi")
        except SyncBotError as problem:
            error = problem
    felt = error is not None or fault.phase is Phase.ANSWERED or fault.name.startswith(("tls_", "drip", "idle", "cut"))  # not each is felt on each way
    assert felt
    assert error is None or leaks_of(error, SECRETS) == set()


def test_no_frame_of_a_call_that_succeeds_shows_a_secret(way: str, ca: TestCA, api: BotApiServer, plain_api: BotApiServer) -> None:
    """Neither do those of a call that is under way, ours or the libraries': an error that is logged meanwhile brings the whole stack with it."""
    with bot_behind(way, ca, plain_api if way == "forward" else api, 30.0) as bot, watched(SECRETS) as (found, functions):
        assert bot.call("getMe")["is_bot"]
    assert {"call", "send", "_exchange", "_write_head", "putrequest"} <= functions
    assert found == set()


def test_no_frame_of_a_download_shows_a_secret(ca: TestCA, api: BotApiServer) -> None:
    """A file's URL holds the token too."""
    bot = Bot(TEST_TOKEN, proxies=["direct"], base_url=api.url, ca_file=ca.ca_file, retry=None, limits=None)
    with bot, watched(SECRETS) as (found, functions), pytest.raises(SyncBotError) as failed:
        bot.download_bytes({"file_id": "", "file_path": "photos/none.jpg"})
    assert "_write_head" in functions
    assert found | leaks_of(failed.value, SECRETS) == set()


def test_no_frame_of_an_interrupt_shows_a_secret(ca: TestCA, api: BotApiServer) -> None:
    """Ctrl-C comes through every frame below, those of the libraries too."""

    class Interrupted:
        size = 1

        def __iter__(self) -> Iterator[bytes]:
            raise KeyboardInterrupt

    transport = OneShotTransport(ca_file=Path(ca.ca_file))
    with pytest.raises(KeyboardInterrupt) as interrupt:
        transport.send(Request(Secret(f"{api.url}/bot{TEST_TOKEN}/getMe"), "getMe", body=Interrupted()))
    assert leaks_of(interrupt.value, SECRETS) == set()


def error_of(step: Callable[[], object]) -> BaseException:
    """What a step raises."""
    with pytest.raises((SyncBotError, TypeError, ValueError)) as failed:
        step()
    return failed.value


BAD_URL = f"http://{USERNAME}:{quote(PASSWORD, safe='')}@proxy:99999"
BAD_ENV = f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nno assignment {TEST_TOKEN}\n"

WRONG: dict[str, Callable[[Path], object]] = {
    "token": lambda _: Bot(f"bot{TEST_TOKEN}"),
    "token of bytes": lambda _: Bot(TEST_TOKEN.encode()),  # type: ignore[arg-type]  # wrong on purpose
    "base URL": lambda _: Bot(TEST_TOKEN, base_url=f"http://host/bot{TEST_TOKEN}"),
    "CA file": lambda _: Bot(TEST_TOKEN, ca_file="/nowhere/ca.pem"),
    "number": lambda _: Bot(TEST_TOKEN, proxies=[f"http://{USERNAME}:{quote(PASSWORD, safe='')}@proxy:1"], timeout=-1),
    "proxy": lambda _: Bot(TEST_TOKEN, proxies=[BAD_URL]),
    "proxies as requests has them": lambda _: Bot(TEST_TOKEN, proxies={"https": BAD_URL}),  # type: ignore[arg-type]  # wrong on purpose
    "proxy value": lambda _: Proxy.parse(BAD_URL),
    "setting": lambda _: check_setting("SYNCBOT_TIMEOUT", TEST_TOKEN),
    "environment": lambda _: Settings.load("/dev/null", environ={"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_PROXY": BAD_URL}),
    "other setting": lambda _: Settings.load("/dev/null", environ={"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "NO_PROXY": BAD_URL, "SYNCBOT_DEADLINE": "x"}),
    "env file": lambda folder: Settings.load(written(folder, BAD_ENV), environ={"HTTPS_PROXY": BAD_URL}),
    "env file alone": lambda folder: read_env_file(written(folder, BAD_ENV)),
    "env file in another code": lambda folder: read_env_file(written(folder, f"A={TEST_TOKEN}é", "latin-1")),
    "env file to write": lambda folder: write_env_file(written(folder, f"A=1\nB='open\nC={TEST_TOKEN}\n"), {"NEW": f"a b {TEST_TOKEN}"}),
    "value to write": lambda folder: write_env_file(folder / "new", {"A": f"{TEST_TOKEN}\r", "B": Secret(TEST_TOKEN)}),
    "place to write": lambda folder: write_env_file("/proc/none/env", {"TELEGRAM_BOT_TOKEN": TEST_TOKEN}),
    "webhook's secret": lambda folder: Runtime(Bot(TEST_TOKEN), state=folder / "s.db").wsgi("/hook", f"{TEST_TOKEN}!"),
    "webhook's path": lambda folder: Runtime(Bot(TEST_TOKEN), state=folder / "s.db").wsgi("hook", TEST_TOKEN),
    "data of a Mini App": lambda _: validate_web_app_data("hash=0&auth_date=1", TEST_TOKEN),
    "data of the login widget": lambda _: validate_login({"hash": "0", "auth_date": 1}, TEST_TOKEN),
    "http": lambda _: request("GET", f"http://127.0.0.1:1/bot{TEST_TOKEN}/getMe", proxies="direct", deadline=0.2, retry=None),
    "http by a bad proxy": lambda _: request("GET", "http://127.0.0.1:1/", proxies=BAD_URL),
    "http by a dict": lambda _: request("GET", "http://127.0.0.1:1/", proxies={"http": BAD_URL}),
    "missing URL": lambda _: Request(),
}


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """An env file."""
    path = folder / "env"
    path.write_text(text, encoding)
    return path


@pytest.mark.parametrize("name", WRONG)
def test_no_frame_of_a_wrong_setting_shows_a_secret(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set wrongly is not shown, and neither is what stands beside it, in the environment for instance."""
    monkeypatch.setenv("SOMETHING_ELSE", TEST_TOKEN)
    assert leaks_of(error_of(lambda: WRONG[name](tmp_path)), SECRETS) == set()


def test_an_answer_that_repeats_the_token_is_shown_by_no_frame(api: BotApiServer) -> None:
    """A gateway's page and an envelope may hold the URL that was asked for; no variable of the frames that raise does."""
    page = f"<p>{quote(TEST_TOKEN, safe='')} {TEST_TOKEN}</p>".encode()
    echo = json.dumps({"ok": False, "error_code": 400, "description": f"no {TEST_TOKEN}", "parameters": {TEST_TOKEN: [ascii(TEST_TOKEN)]}}).encode()
    for body in (page, echo):
        fake = FakeTransport(getMe=Response(400, {"X": TEST_TOKEN, "Content-Type": f"text/{TEST_TOKEN}"}, body))
        with pytest.raises(SyncBotError) as failed:
            Bot(TEST_TOKEN, transport=fake, retry=None).call("getMe")
        assert leaks_of(failed.value, SECRETS) == set()


def test_a_secret_is_shown_by_nothing_that_holds_it() -> None:
    """Its own text, and those of lists, dicts, dataclasses and sockets' values around it, of text and of bytes."""

    @dataclass(frozen=True)
    class Holder:
        field_: Secret[bytes]
        hidden: Hidden = field(default=Hidden("x"), repr=False)

    secret, data = Secret(TEST_TOKEN), Secret(TEST_TOKEN.encode())
    proxy = Proxy("http", "host", 1, USERNAME, PASSWORD)
    everything = [secret, {"a": data}, Holder(data, TEST_TOKEN), (secret,), Request(secret), Settings(TEST_TOKEN), proxy, vars(proxy), vars(Request(secret))]
    shown = f"{everything} {secret} {data:>30} {secret!s} {everything[2]} {copy(secret)!r} {deepcopy(everything)!r}"
    assert [text for text in SECRETS if text in shown] == []
    assert (secret.reveal(), data.reveal(), Holder(data, TEST_TOKEN).hidden) == (TEST_TOKEN, TEST_TOKEN.encode(), TEST_TOKEN)


def test_values_with_hidden_fields_are_values_as_before() -> None:
    """They compare, hash, are replaced, copied and pickled, and their fields are read as texts."""
    proxy = Proxy("http", "host", 1, USERNAME, PASSWORD)
    same = Proxy("http", "host", 1, Secret(USERNAME), Secret(PASSWORD))
    assert (proxy, hash(proxy)) == (same, hash(same))
    assert proxy != replace(proxy, password="other")
    assert (replace(proxy, port=2).password, pickle.loads(pickle.dumps(proxy)), asdict(proxy)["username"]) == (PASSWORD, proxy, USERNAME)
    assert (Proxy("direct").password, bool(Secret("")), Secret("a") == Secret("a"), Secret("a") == "a") == ("", False, True, False)
