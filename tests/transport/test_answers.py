"""Whatever comes back: what is Telegram's answer, what is not, and what each becomes."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from kits.transport_kit import Line, Peer, Script, answering

from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import (
    ApiError,
    BadRequest,
    ChatMigrated,
    Conflict,
    DeliveryUncertain,
    Forbidden,
    NetworkError,
    NotFound,
    NotSent,
    Phase,
    RetryAfter,
    ServerError,
    Unauthorized,
)
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer


def bot_at(url: str, ca_file: str | None = None, **options: object) -> Bot:
    settings = {"timeout": 20.0, "deadline": 40.0, "limits": None, "retry": RetryPolicy(attempts=2, first_wait=0.01), **options}
    return Bot(TEST_TOKEN, proxies=["direct"], base_url=url, ca_file=ca_file, **settings)  # type: ignore[arg-type]  # the names are those of Bot


@pytest.fixture
def bot(api: BotApiServer) -> Iterator[Bot]:
    with bot_at(api.url, api.ca_file) as bot:
        yield bot


# --- Not Telegram's.

FOREIGN = {
    "broken JSON": Answer.broken_json(),
    "a gateway's 502": Answer.gateway(502),
    "a gateway's 504": Answer.gateway(504),
    "a gateway's 401": Answer.gateway(401),
    "a captive portal's 404": Answer.captive_portal(),
    "a captive portal's 200": Answer.captive_portal(200),
    "a captive portal's redirect": Answer.redirect("http://portal.example/login"),
    "a permanent redirect": Answer.redirect("https://127.0.0.1:1/elsewhere", 308),
    "nothing": Answer.raw(b""),
    "204": Answer.raw(b"", status=204),
    "null": Answer.raw(b"null"),
    "a list": Answer.raw(b"[]"),
    "a number": Answer.raw(b"42"),
    "deep nesting": Answer.raw(b"[" * 200_000),
    "bad UTF-8": Answer.raw(b'{"ok":true,"result":"\xff\xfe"}'),
    "no ok": Answer.raw(b'{"result":true}'),
    "ok without a result": Answer.raw(b'{"ok":true}'),
    "ok as a text": Answer.raw(b'{"ok":"true","result":1}'),
    "ok as a number": Answer.raw(b'{"ok":1,"result":1}'),
    "a refusal without code": Answer.raw(b'{"ok":false,"description":"Bad Request"}', status=400),
    "a refusal without description": Answer.raw(b'{"ok":false,"error_code":401}', status=401),
    "a refusal with a text as its code": Answer.raw(b'{"ok":false,"error_code":"401","description":"x"}', status=401),
    "a refusal with true as its code": Answer.raw(b'{"ok":false,"error_code":true,"description":"x"}', status=401),
    "a refusal with a number as its description": Answer.raw(b'{"ok":false,"error_code":401,"description":1}', status=401),
    "somebody else's JSON": Answer.raw(b'{"error":{"code":403,"message":"blocked by policy"}}', status=403),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_telegrams_answer_is_never_an_api_error(name: str, api: BotApiServer, bot: Bot) -> None:
    """A method that may be repeated is, and ends as NetworkError; sendMessage is DeliveryUncertain at once; both know that an answer came."""
    api.script("*", FOREIGN[name], times=None)
    with pytest.raises(NetworkError) as caught:
        bot.call("getMe")
    assert not isinstance(caught.value, DeliveryUncertain)
    assert caught.value.attempts == api.count() == 2
    with pytest.raises(DeliveryUncertain) as uncertain:
        bot.call("sendMessage", chat_id=42, text="hi")
    assert uncertain.value.attempts == 1
    assert api.count() == 3
    for error in (caught.value, uncertain.value):
        assert error.phase is Phase.ANSWERED
        assert "not Telegram's" in str(error)
    api.wait_closed()


def test_an_odd_answer_that_passes_is_survived(api: BotApiServer, bot: Bot) -> None:
    """One page of a gateway, and the next attempt gets the answer."""
    api.answer_next(Answer.gateway(502))
    assert bot.call("getMe")["username"] == "test_bot"


def test_a_redirect_is_not_followed(api: BotApiServer, bot: Bot) -> None:
    """Not even to the same server: the token goes nowhere else."""
    api.script("getMe", Answer.redirect(f"{api.url}/bot{api.token}/getMe"), times=None)
    with pytest.raises(NetworkError):
        bot.call("getMe")
    assert api.count() == 2


# --- Not HTTP, or not all of it.


def says(answer: bytes) -> Script:
    """A script that answers so, and hangs up."""

    def serve(line: Line) -> None:
        line.request()
        line.sock.sendall(answer)

    return serve


HEAD = b"HTTP/1.1 200 OK\r\n"
GOOD = b'{"ok":true,"result":{"id":1}}'
BROKEN = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "another protocol": b"\x16\x03\x03\x00\x02\x02\x28",
    "an odd version": b"HTTP/9.9 200 OK\r\n\r\n" + GOOD,
    "a bad status": b"HTTP/1.1 abc OK\r\n\r\n" + GOOD,
    "a status line without end": b"HTTP/1.1 200 " + b"x" * 70_000,
    "a header that is too long": HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "too many headers": HEAD + b"X: y\r\n" * 500 + b"\r\n" + GOOD,
    "a body that is too short": HEAD + b"Content-Length: 100\r\n\r\n" + GOOD,
    "a chunk that is too short": HEAD + b"Transfer-Encoding: chunked\r\n\r\n50\r\n" + GOOD,
    "chunks without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + GOOD + b"\r\n",
    "a length of 400 digits": HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + GOOD,
    "a length of 5000 digits and too little": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + GOOD,
    "a chunk of 400 digits": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "a chunk of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "a wrong encoding": HEAD + b"Content-Encoding: gzip\r\nContent-Length: 29\r\n\r\n" + GOOD,
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_breaks_the_rules_is_a_network_error(name: str) -> None:
    """By method NetworkError or DeliveryUncertain, with words of our own and the phase MAYBE_SENT."""
    with Peer(says(BROKEN[name])) as peer, bot_at(peer.url) as bot:
        with pytest.raises(NetworkError) as caught:
            bot.call("getMe")
        with pytest.raises(DeliveryUncertain) as uncertain:
            bot.call("sendMessage", chat_id=42, text="hi")
        assert peer.wait_for(lambda: peer.ended == peer.accepted == 3)
    for error in (caught.value, uncertain.value):
        assert error.phase is Phase.MAYBE_SENT
        assert error.stage in ("receive", "body")
        assert "HTTPConnectionPool" not in str(error)
        assert "0x" not in str(error)


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5h"])
def test_a_proxy_that_talks_nonsense_is_not_sent(scheme: str) -> None:
    """Whatever it says, a call ends with `NotSent`: nothing but its own part has been said to it."""
    chance = random.Random(7)
    junk = [b"\x05\x00\x05\x00\x00\x09", b"\x05\x00\x05\x00\x00\x03\x02\xff\xff\x00\x50", b"\x00\x5a", b"HTTP/1.1 2", b"HTTP/1.1 " + b"9" * 5000 + b"\r\n\r\n"]
    junk += [b"\x05\x00" * (n % 2) + chance.randbytes(chance.randrange(40)) for n in range(20)]

    def serve(line: Line) -> None:
        line.sock.recv(4096)
        line.sock.sendall(junk.pop())
        line.sock.shutdown(socket.SHUT_WR)

    with Peer(serve) as peer, Bot(TEST_TOKEN, proxies=[f"{scheme}://127.0.0.1:{peer.port}"], base_url="https://127.0.0.1:9", retry=None, limits=None) as bot:
        for _ in list(junk):
            with pytest.raises(NotSent):
                bot.call("sendMessage", chat_id=1, text="x")


FINE = {
    "a length": HEAD + b"Content-Length: 29\r\n\r\n" + GOOD,
    "a length and more after it": HEAD + b"Content-Length: 29\r\n\r\n" + GOOD + b"HTTP/1.1 500 what is this\r\n\r\n",
    "no length": HEAD + b"\r\n" + GOOD,
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n" + GOOD[:9] + b"\r\n14\r\n" + GOOD[9:] + b"\r\n0\r\n\r\n",
    "chunks with extensions and trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1d;a=b\r\n" + GOOD + b"\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + GOOD,
    "100 Continue before it": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 29\r\n\r\n" + GOOD,
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 29\n\n" + GOOD,
}


@pytest.mark.parametrize("name", FINE)
def test_an_answer_within_the_rules_is_taken(name: str) -> None:
    """However an answer is framed, its result is the same, and the connection is closed."""
    with Peer(says(FINE[name])) as peer, bot_at(peer.url) as bot:
        assert bot.call("getMe") == {"id": 1}
        assert peer.wait_for(lambda: peer.ended == 1)


def test_endless_headers_are_not_read_for_ever(api: BotApiServer, bot: Bot) -> None:
    """The head of an answer is limited, well before the timeout."""
    api.script("*", Answer.endless_headers(), times=None)
    with pytest.raises(NetworkError) as caught:
        bot.call("getMe")
    assert caught.value.elapsed < 15.0
    api.wait_closed()


_HUGE = """
import resource, sys
from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import DeliveryUncertain, NetworkError
from syncbot.transport import OneShotTransport
from pathlib import Path

base, token, ca_file, limit = sys.argv[1:]
transport = OneShotTransport(ca_file=Path(ca_file), **({"max_answer_bytes": int(limit)} if limit != "0" else {}))
bot = Bot(token, transport=transport, base_url=base, retry=RetryPolicy(1), limits=None)
bot.call("getMe", check=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for method, kind in (("getUpdates", NetworkError), ("sendMessage", DeliveryUncertain)):
    try:
        bot.call(method, check=False)
    except kind as error:
        print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
bot.close()
"""


def use_of_memory(url: str, ca_file: str, limit: int) -> tuple[list[str], int]:
    """The two errors, and by how many KiB the process grew."""
    command = [sys.executable, "-c", _HUGE, url, TEST_TOKEN, ca_file, str(limit)]
    *errors, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return errors, int(grown)


def test_an_answer_of_a_gigabyte_is_refused_and_memory_stays_flat(api: BotApiServer) -> None:
    """An answer that tells its size is not even begun; it is an error by method, as any other that cannot be used."""
    api.script("getUpdates", Answer.huge(1 << 30), times=None)
    api.script("sendMessage", Answer.huge(1 << 30), times=None)
    errors, grown = use_of_memory(api.url, api.ca_file, 0)
    assert len(errors) == 2
    assert "too large" in errors[0]
    assert "may have been carried out" in errors[1]
    assert grown < 4096, f"{grown} KiB"
    api.wait_closed()


def test_an_answer_that_does_not_tell_its_size_is_cut_at_the_limit(api: BotApiServer) -> None:
    """Without a length, as much is kept as is allowed, and then it ends."""

    def endless(line: Line) -> None:
        if b"getMe" in line.request():
            line.sock.sendall(HEAD + b"\r\n" + GOOD)
            return
        line.sock.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        for _ in range((1 << 30) // 65_536):
            line.sock.sendall(chunk)

    with Peer(endless) as peer:
        errors, grown = use_of_memory(peer.url, api.ca_file, 1 << 20)
        assert peer.wait_for(lambda: peer.ended == 3)
    assert len(errors) == 2
    assert "too large" in errors[0]
    assert grown < 8192, f"{grown} KiB"


# --- Telegram's own refusals.

REFUSALS: list[tuple[int, str, dict[str, object], type[ApiError]]] = [
    (400, "Bad Request: message text is empty", {}, BadRequest),
    (400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": -1001}, ChatMigrated),
    (401, "Unauthorized", {}, Unauthorized),
    (403, "Forbidden: bot was blocked by the user", {}, Forbidden),
    (404, "Not Found: method not found", {}, NotFound),
    (409, "Conflict: terminated by other getUpdates request", {}, Conflict),
    (429, "Too Many Requests: retry after 3600", {"retry_after": 3600}, RetryAfter),
    (500, "Internal Server Error: restart", {}, ServerError),
    (413, "Request Entity Too Large", {}, ApiError),
]


@pytest.mark.parametrize(("code", "description", "parameters", "kind"), REFUSALS, ids=[str(code) for code, *_ in REFUSALS])
def test_each_refusal_has_its_class_and_its_facts(
    code: int, description: str, parameters: dict[str, object], kind: type[ApiError], bot: Bot, api: BotApiServer
) -> None:
    """Telegram's envelope with "ok": false becomes the error of its code, with Telegram's words and parameters."""
    api.script("sendMessage", Answer.error(code, description, **parameters), times=None)
    with pytest.raises(ApiError) as caught:
        bot.call("sendMessage", chat_id=42, text="hi")
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.description, error.method, error.parameters) == (code, description, "sendMessage", parameters)
    assert str(error) == f"sendMessage: {description} ({code})"
    assert api.count() == 1
    if isinstance(error, ChatMigrated):
        assert error.new_chat_id == -1001
    if isinstance(error, RetryAfter):
        assert error.retry_after == 3600.0


def test_parameters_of_an_odd_shape_do_no_harm(bot: Bot, api: BotApiServer) -> None:
    """A `parameters` that is no object is left out."""
    body = {"ok": False, "error_code": 400, "description": "Bad Request: x", "parameters": ["odd"]}
    api.script("*", Answer.raw(json.dumps(body).encode(), status=400))
    with pytest.raises(BadRequest) as caught:
        bot.call("getMe")
    assert caught.value.parameters == {}


@pytest.mark.parametrize(("given", "seconds"), [(7, 7.0), (0.5, 0.5), (-3, 0.0), ("soon", 1.0), (None, 1.0), ([1], 1.0)])
def test_a_retry_after_of_an_odd_shape_is_a_second(given: object, seconds: float, bot: Bot, api: BotApiServer) -> None:
    """A 429 whose time makes no sense is still a 429."""
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": given}}
    api.script("*", Answer.raw(json.dumps(body).encode(), status=429), times=None)
    with pytest.raises(RetryAfter) as caught:
        bot.call("getMe", deadline=6.0)
    assert caught.value.retry_after == seconds


def test_a_wrong_token_is_unauthorized(api: BotApiServer) -> None:
    """The server's own 401, at the first attempt."""
    token = "123456789:ANOTHER-abcdefghijklmnopqrstuvwxyz01"
    with Bot(token, proxies=["direct"], base_url=api.url, ca_file=api.ca_file) as bot, pytest.raises(Unauthorized) as caught:
        bot.call("getMe")
    assert "abcdefghijklmnopqrstuvwxyz" not in str(caught.value)
    assert api.count() == 1


def test_an_unknown_chat_is_a_bad_request() -> None:
    """The server's own 400 for a chat that there is not."""
    with BotApiServer() as server, bot_at(server.url) as bot, pytest.raises(BadRequest, match="chat not found"):
        bot.call("sendMessage", chat_id=987654, text="hi")


def test_a_description_that_repeats_the_token_does_not_bring_it_out(bot: Bot, api: BotApiServer) -> None:
    """Somebody on the way who echoes the URL into an envelope, or into the content type, does not make us print it."""
    api.script("getMe", Answer.error(404, f"no route for /bot{api.token}/getMe"))
    with pytest.raises(NotFound) as refused:
        bot.call("getMe")
    api.script("getMe", Answer.raw(b"?", content_type=f"text/{api.token}"), times=2)
    with pytest.raises(NetworkError) as foreign:
        bot.call("getMe")
    for error in (refused.value, foreign.value):
        assert "<hidden>" in str(error)
        assert api.token not in repr(error) + str(error) + repr(vars(error))


def test_the_answer_of_a_server_that_echoes_is_closed_at_once() -> None:
    """After each answer the connection is closed by us, also where the server would keep it."""

    def keeps(line: Line) -> None:
        answering()(line)
        line.hold()

    with Peer(keeps) as peer, bot_at(peer.url) as bot:
        bot.call("getMe")
        assert peer.wait_for(lambda: peer.ended == 1)
