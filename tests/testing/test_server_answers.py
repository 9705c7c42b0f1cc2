"""The fake server's envelope, refusals, scripted answers, limits, and what it notices about parameters."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
from collections.abc import Iterator

import pytest
from kits.server_kit import Client, client_of, raw_socket, read_all
from kits.timing_kit import soon, took

from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, RateLimits
from syncbot.testing.server.rate_limits import RateMeter


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        running.user(42, "Ann")
        yield running


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


# ---------------------------------------------------------------------- the envelope


def test_the_test_token_looks_like_a_token() -> None:
    """The default token has the shape of a real one."""
    number, _, secret = TEST_TOKEN.partition(":")
    assert number.isdigit()
    assert len(secret) == 35


@pytest.mark.parametrize(
    ("token", "description"),
    [
        ("123456789:TEST-abcdefghijklmnopqrstuvwxyz9999", "Unauthorized"),
        ("987654321:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Unauthorized"),
        ("nonsense", "Unauthorized: invalid token specified"),
        ("0123:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Unauthorized: invalid token specified"),
        ("", "Unauthorized: invalid token specified"),
    ],
)
def test_a_wrong_token_is_401(server: BotApiServer, token: str, description: str) -> None:
    """An unknown and a malformed token get Telegram's two texts."""
    with client_of(server, token) as client:
        assert client.call("getMe") == {"ok": False, "error_code": 401, "description": description}
        assert client.raw("GET", f"/file/bot{token}/x")[0] == 401


def test_an_unknown_method_is_404_and_case_does_not_matter(client: Client) -> None:
    """Method names match in any case; others are 404."""
    assert client.ok("GETME") == client.ok("getme")
    assert client.call("getWeather") == {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
    assert client.call("get_me")["error_code"] == 404
    status, _, body = client.raw("GET", "/")
    assert (status, json.loads(body)["description"]) == (404, "Not Found")


def test_unknown_parameters_are_ignored_and_noted(server: BotApiServer, client: Client) -> None:
    """A misspelt parameter changes nothing in the answer, and stands in `problems`."""
    client.ok("sendMessage", chat_id=42, text="x", parse_mod="HTML", reply_to_message_id=None)
    assert server.problems == ["sendMessage: unknown parameter parse_mod"]


def test_missing_and_ill_typed_parameters(server: BotApiServer, client: Client) -> None:
    """What is required and missing is refused; what has a wrong type is noted."""
    assert client.refused("sendMessage", text="x") == "Bad Request: chat_id is empty"
    assert client.refused("sendMessage", chat_id=42) == "Bad Request: message text is empty"
    assert client.refused("sendPhoto", chat_id=42) == "Bad Request: there is no photo in the request"
    assert client.refused("setChatTitle", chat_id=42) == 'Bad Request: parameter "title" is required'
    client.ok("sendMessage", chat_id=42, text="x", disable_notification="maybe")
    assert client.ok("sendMessage", chat_id=42, text=7)["text"] == "7"
    assert client.refused("sendMessage", chat_id=[42], text="x") == "Bad Request: can't parse chat_id JSON object"
    assert client.refused("sendPoll", chat_id=42, question="?", options="a,b") == "Bad Request: can't parse options JSON object"
    assert "sendMessage: ill-typed parameter disable_notification" in server.problems


def test_a_strict_server_refuses_them() -> None:
    """With strict=True an unknown or ill-typed parameter is 400."""
    with BotApiServer(strict=True) as server, client_of(server) as client:
        server.user(42)
        assert client.refused("sendMessage", chat_id=42, text="x", parse_mod="HTML") == "Bad Request: unknown parameter parse_mod"
        assert client.refused("sendMessage", chat_id=42, text="x", reply_markup=5) == "Bad Request: parameter reply_markup has a wrong type"
        client.ok("sendMessage", chat_id=42, text="x", reply_parameters={"message_id": 1, "allow_sending_without_reply": True})


# ---------------------------------------------------------------------- answers to order


def test_scripted_answers_are_used_in_order_and_used_up(server: BotApiServer, client: Client) -> None:
    """Each ordered answer is given as often as ordered, for its method only; then the real one again."""
    server.script("sendmessage", Answer.retry_after(3), times=2)
    server.script("sendMessage", Answer.server_error())
    client.ok("getMe")
    for _ in range(2):
        status, headers, body = client.raw("POST", client.path("sendMessage?chat_id=42&text=x"))
        assert status == 429
        assert headers["Retry-After"] == "3"
        assert json.loads(body)["parameters"] == {"retry_after": 3}
    assert client.call("sendMessage", chat_id=42, text="x") == {"ok": False, "error_code": 500, "description": "Internal Server Error: restart"}
    assert server.scripted_left == 0
    client.ok("sendMessage", chat_id=42, text="x")
    assert server.count_text("x") == 1
    assert (server.count_status(429), server.count_status(500)) == (2, 1)


def test_scripted_answers_for_some_requests_and_for_ever(server: BotApiServer, client: Client) -> None:
    """`when` chooses by the request, times=None lasts until it is cleared, answer_next takes any method."""
    server.user(43)
    server.script("sendMessage", Answer.migrated(-1005), times=None, when=lambda request: request.params["chat_id"] == 43)
    server.answer_next(Answer.ok({"id": 1}))
    assert client.ok("getChat") == {"id": 1}
    client.ok("sendMessage", chat_id=42, text="x")
    for _ in range(3):
        assert client.call("sendMessage", chat_id=43, text="x")["parameters"] == {"migrate_to_chat_id": -1005}
    server.clear_script("sendMessage")
    client.ok("sendMessage", chat_id=43, text="x")


@pytest.mark.parametrize(
    ("answer", "status", "content_type", "found"),
    [
        (Answer.gateway(502), 502, "text/html", b"<h1>502 Bad Gateway</h1>"),
        (Answer.gateway(504), 504, "text/html", b"504 Gateway Time-out"),
        (Answer.captive_portal(), 404, "text/html", b"sign in"),
        (Answer.redirect("http://portal.example/"), 302, "text/html", b""),
        (Answer.broken_json(), 200, "application/json", b'{"ok":true,"result":{'),
        (Answer.raw(b"\xff\xfe", status=299, content_type="x/y"), 299, "x/y", b"\xff\xfe"),
        (Answer.error(403, "Forbidden: bot was blocked by the user"), 403, "application/json", b'"error_code":403'),
    ],
)
def test_answers_that_are_not_telegrams(server: BotApiServer, client: Client, answer: Answer, status: int, content_type: str, found: bytes) -> None:
    """Gateways, captive portals, redirects and broken JSON come as ordered."""
    server.answer_next(answer)
    got, headers, body = client.raw("GET", client.path("getMe"))
    assert (got, headers["Content-Type"]) == (status, content_type)
    assert found in body
    if status == 302:
        assert headers["Location"] == "http://portal.example/"


def test_a_huge_answer_is_made_as_it_is_sent(server: BotApiServer, client: Client) -> None:
    """An answer of 1 GB is announced and begins at once; one of 3 MB is complete and proper JSON."""
    server.answer_next(Answer.huge(), Answer.huge(3_000_000))
    client.connection.request("GET", client.path("getMe"))
    answer = client.connection.getresponse()
    assert answer.headers["Content-Length"] == str(1 << 30)
    assert answer.read(21) == b'{"ok":true,"result":"'
    answer.close()
    client.close()
    body = client.raw("GET", client.path("getMe"))[2]
    assert len(body) == 3_000_000
    assert json.loads(body)["ok"]


def test_headers_without_end(server: BotApiServer, client: Client) -> None:
    """A head that never ends goes on until the client leaves."""
    server.answer_next(Answer.endless_headers())
    with raw_socket(server) as sock:
        sock.sendall(f"GET {client.path('getMe')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        read = 0
        while read < 1_000_000:
            piece = sock.recv(65_536)
            assert b"\r\n\r\n" not in piece
            read += len(piece)
    server.wait_closed()


def test_delayed_and_dripped_answers(server: BotApiServer, client: Client) -> None:
    """`after` delays the first byte, `dripped` spaces single bytes; the answer is the real one."""

    def ask_once() -> float:
        server.answer_next(Answer.normal().after(0.3))
        seconds = took(lambda: client.ok("getMe"))
        assert seconds >= 0.3
        return seconds

    assert soon(0.8, ask_once)
    server.answer_next(Answer.normal().dripped(0.001))
    begin = time.monotonic()
    client.ok("getMe")
    assert time.monotonic() - begin > 0.3


def test_a_client_that_leaves_ends_what_it_waits_for(server: BotApiServer, client: Client) -> None:
    """Never answered, delayed and dripped answers end when the client hangs up."""
    for answer in (Answer.never(), Answer.normal().after(60), Answer.normal().dripped(60)):
        server.answer_next(answer)
        before = server.count("getMe")
        with raw_socket(server) as sock:
            sock.sendall(f"GET {client.path('getMe')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            server.wait_count("getMe", before + 1)
        server.wait_closed()


@pytest.mark.parametrize("at", [0, 10, 200])
def test_an_answer_that_is_cut(server: BotApiServer, client: Client, at: int) -> None:
    """The connection ends after exactly so many bytes, and the call was carried out all the same."""
    server.answer_next(Answer.normal().cut(at))
    with raw_socket(server) as sock:
        sock.sendall(f"GET {client.path('sendMessage')}?chat_id=42&text=done HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert len(read_all(sock)) == at
    assert server.count_text("done") == 1


def test_an_answer_that_is_cut_with_a_reset(server: BotApiServer, client: Client) -> None:
    """reset=True ends the connection with RST."""
    server.answer_next(Answer.normal().cut(reset=True))
    with raw_socket(server) as sock:
        sock.sendall(f"GET {client.path('getMe')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_cut_under_tls_has_no_close_notify() -> None:
    """A cut answer looks like a broken line to a TLS client too."""
    with BotApiServer(tls=True) as server:
        server.answer_next(Answer.normal().cut(20))
        context = ssl.create_default_context(cafile=server.ca_file)
        with raw_socket(server) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as tls:
            tls.sendall(f"GET /bot{TEST_TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert len(tls.recv(100)) == 20
            with pytest.raises(ssl.SSLEOFError):
                tls.recv(100)


def test_done_and_told_otherwise(server: BotApiServer, client: Client) -> None:
    """once_done carries the call out and gives the ordered answer."""
    server.script("sendMessage", Answer.gateway(504).once_done())
    assert client.raw("POST", client.path("sendMessage?chat_id=42&text=x"))[0] == 504
    assert server.count_text("x") == 1
    server.script("sendMessage", Answer.gateway(504))
    client.raw("POST", client.path("sendMessage?chat_id=42&text=x"))
    assert server.count_text("x") == 1


def test_a_script_that_makes_no_sense_is_refused(server: BotApiServer) -> None:
    """No answer at all, or zero times, is a ValueError, and something else than an answer a TypeError."""
    with pytest.raises(ValueError, match="no answer"):
        server.script("getMe")
    with pytest.raises(ValueError, match="1 or more"):
        server.script("getMe", Answer.ok(), times=0)
    with pytest.raises(TypeError, match=r"such as Answer\.error"):
        server.script("getMe", {"ok": True})  # type: ignore[arg-type]  # wrong on purpose


# ---------------------------------------------------------------------- limits


def test_limits_per_chat_and_group_are_enforced_and_recorded() -> None:
    """A burst passes, then 429 with a time; other chats are not concerned; a group has a limit of its own."""
    limits = RateLimits(chat_burst=3, chat_per_second=0.01, per_group=2, group_window=300)
    with BotApiServer(rate_limits=limits) as server, client_of(server) as client:
        server.user(42)
        server.user(43)
        group = server.group("g")
        for _ in range(3):
            client.ok("sendMessage", chat_id=42, text="x")
        refused = client.call("sendMessage", chat_id=42, text="x")
        assert refused["error_code"] == 429
        assert 80 <= refused["parameters"]["retry_after"] <= 100
        client.ok("sendMessage", chat_id=43, text="x")
        client.ok("sendChatAction", chat_id=42, action="typing")
        for _ in range(2):
            client.ok("sendMessage", chat_id=group.id, text="x")
        assert client.call("sendMessage", chat_id=group.id, text="x")["parameters"]["retry_after"] in range(280, 301)
        assert [(v.rule, v.chat_id) for v in server.meter.violations] == [("chat", 42), ("group", group.id)]
        assert server.meter.violations_total == 2
        assert server.count_text("x") == 6


def test_the_limit_over_all_chats() -> None:
    """More than so many messages in one second are refused, whatever the chat."""
    for _ in range(4):  # a busy machine may take a second for them, but hardly each time
        with BotApiServer(rate_limits=RateLimits(per_second=5), any_chat=True) as server, client_of(server) as client:
            answers = [client.call("sendMessage", chat_id=n, text="x")["ok"] for n in range(1, 8)]
            most = server.meter.most_per_second
        if not all(answers):
            break
    assert (answers, most) == ([True] * 5 + [False] * 2, 5)


def test_the_limits_forget_with_time() -> None:
    """The second, the burst of a chat and the minute of a group are windows that slide."""
    meter = RateMeter(RateLimits(per_second=2, chat_burst=1, per_group=1, group_window=60), keep=10)
    assert [meter.message(1, now=0.0), meter.message(2, now=0.1), meter.message(3, now=0.5), meter.message(3, now=1.05)] == [0, 0, 1, 0]
    assert [meter.message(1, now=4.0), meter.message(1, now=4.6), meter.message(1, now=5.0)] == [0, 1, 0]
    assert [meter.message(-1, now=10.0), meter.message(-1, now=20.0), meter.message(-1, now=70.5)] == [0, 50, 0]
    assert [violation.rule for violation in meter.violations] == ["global", "chat", "group"]


def test_without_limits_everything_passes_and_is_counted(server: BotApiServer, client: Client) -> None:
    """By default nothing is refused, and the most in one second is known."""
    for _ in range(50):
        client.ok("sendMessage", chat_id=42, text="x")
    assert server.meter.violations_total == 0
    assert server.meter.most_per_second > 10


def test_a_mistake_of_the_server_is_told(server: BotApiServer, client: Client) -> None:
    """When the server itself fails over a call, it answers 500, says so in `problems`, and goes on."""
    server.world.settings["menu/42"] = object()  # nothing that JSON can say
    assert client.call("getChatMenuButton", chat_id=42)["error_code"] == 500
    assert "the test server failed" in server.problems[-1]
    client.ok("getMe")


def test_a_reset_by_the_client_is_survived(server: BotApiServer, client: Client) -> None:
    """A client that resets in the middle of an answer leaves nothing behind."""
    server.answer_next(Answer.huge())
    with raw_socket(server) as sock:
        sock.sendall(f"GET {client.path('getMe')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        sock.recv(1000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.wait_closed()
    client.ok("getMe")
