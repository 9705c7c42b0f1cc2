"""The fake server's HTTP: connections, bodies, TLS, the end, and hostile input."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from kits.background_kit import Background
from kits.server_kit import Client, client_of, multipart, raw_socket, read_all
from kits.timing_kit import becomes

from syncbot.testing import TEST_TOKEN, BotApiServer, TestCA, WireTimes


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        yield running


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


# ---------------------------------------------------------------------- connections


def test_a_connection_is_kept_alive_and_recorded(server: BotApiServer, client: Client) -> None:
    """Several calls go over one connection, and the record says so."""
    for _ in range(3):
        assert client.ok("getMe")["username"] == "test_bot"
    assert [c.requests for c in server.connections] == [3]
    assert server.max_requests_per_connection == 3
    assert server.open_connections == 1
    client.close()
    server.wait_closed()
    assert not server.connections[0].is_open


def test_whoever_waits_is_told_of_every_change(server: BotApiServer, client: Client) -> None:
    """The status of an answer, a problem and a text wake whoever waits for them, though nothing else happens."""
    client.ok("getMe")
    client.close()
    server.wait_closed()
    request = server.requests[-1]
    changes: list[tuple[Callable[[], object], Callable[[], bool]]] = [
        (lambda: server.recorder.answered(request, 418), lambda: server.count_status(418) == 1),
        (lambda: server.recorder.problem("odd"), lambda: server.problems == ["odd"]),
        (lambda: server.recorder.delivered("hi"), lambda: server.count_text("hi") == 1),
    ]
    for change, seen in changes:
        looked = threading.Event()

        def look(seen: Callable[[], bool] = seen, looked: threading.Event = looked) -> bool:
            looked.set()
            return seen()

        waiting = Background(lambda look=look: server.wait_until(look, 30.0))  # type: ignore[misc]
        assert looked.wait(20.0)
        change()
        waiting.result()


def test_connection_close_is_obeyed(server: BotApiServer) -> None:
    """After a request with Connection: close the server answers, says close, and closes."""
    with raw_socket(server) as sock:
        sock.sendall(f"GET /bot{TEST_TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = read_all(sock).partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert json.loads(body)["ok"]
    server.wait_closed()
    assert list(server.connections[0].connection_headers) == ["close"]


def test_http_1_0_is_closed_unless_it_asks(server: BotApiServer) -> None:
    """An HTTP/1.0 client gets its answer and the end of the connection."""
    with raw_socket(server) as sock:
        sock.sendall(f"GET /bot{TEST_TOKEN}/getMe HTTP/1.0\r\n\r\n".encode())
        assert read_all(sock).endswith(b"}}")


def test_pipelined_requests_are_answered_in_order(server: BotApiServer) -> None:
    """Two requests in one segment get two answers."""
    one = f"GET /bot{TEST_TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n"
    two = f"GET /bot{TEST_TOKEN}/getMyName HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with raw_socket(server) as sock:
        sock.sendall((one + two).encode())
        assert read_all(sock).count(b"HTTP/1.1 200 OK") == 2
    assert [request.method for request in server.requests] == ["getMe", "getMyName"]


def test_requests_are_remembered_up_to_a_bound_and_counted_exactly() -> None:
    """With keep_requests=10 the lists stay short while the counters go on."""
    with BotApiServer(keep_requests=10) as server, client_of(server) as client:
        for _ in range(25):
            client.ok("getMe")
        assert len(server.requests) == 10
        assert server.count("getMe") == server.count() == 25
        assert server.requests[-1].number == 25


def test_get_me_costs_little(server: BotApiServer, client: Client) -> None:
    """A call over a kept-alive connection takes no more than eight times the processor's time of one to a server that only repeats bytes."""

    def cost(one: Client) -> float:
        best = float("inf")
        for _ in range(5):
            start = time.process_time()
            for _ in range(100):
                one.raw("GET", client.path("getMe"))
            best = min(best, time.process_time() - start)
        return best

    body = client.raw("GET", client.path("getMe"))[2]
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def repeat() -> None:
            with listener.accept()[0] as sock:
                while sock.recv(65_536):
                    sock.sendall(answer)

        repeating = threading.Thread(target=repeat)
        repeating.start()
        plain = Client(server)
        plain.connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=40)
        costs = cost(client), cost(plain)  # both share this process with their server
        plain.close()
        repeating.join()
    assert costs[0] < 8 * costs[1]


# ---------------------------------------------------------------------- bodies


def test_parameters_come_from_query_form_json_and_multipart(server: BotApiServer, client: Client) -> None:
    """The four ways of passing parameters give the same decoded values."""
    server.user(42)
    client.raw("GET", client.path("sendMessage") + "?chat_id=42&text=7&reply_markup=%7B%22inline_keyboard%22%3A%5B%5D%7D")
    client.form("sendMessage", chat_id="42", text="7", reply_markup='{"inline_keyboard":[]}')
    client.ok("sendMessage", chat_id=42, text="7", reply_markup={"inline_keyboard": []})
    client.upload("sendMessage", {}, chat_id=42, text="7", reply_markup={"inline_keyboard": []})
    assert [dict(r.params) for r in server.requests] == [{"chat_id": 42, "text": "7", "reply_markup": {"inline_keyboard": []}}] * 4
    assert server.count_text("7") == 4


def test_a_chunked_body_is_read(server: BotApiServer, client: Client) -> None:
    """A body in chunks, with extensions and trailers, is put together."""
    server.user(42)
    body = b'{"chat_id":42,"text":"in chunks"}'
    chunks = b"5;x=y\r\n" + body[:5] + b"\r\n" + f"{len(body) - 5:x}\r\n".encode() + body[5:] + b"\r\n0\r\nTrailer: 1\r\n\r\n"
    head = f"POST {client.path('sendMessage')} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    with raw_socket(server) as sock:
        sock.sendall(head.encode() + chunks)
        assert b"200 OK" in read_all(sock)
    assert server.count_text("in chunks") == 1


def test_expect_100_continue_is_answered(server: BotApiServer, client: Client) -> None:
    """A client that waits for leave to send its body gets it."""
    head = f"POST {client.path('getMe')} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with raw_socket(server) as sock:
        sock.sendall(head.encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(b"{}")
        assert b"200 OK" in read_all(sock)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_multipart_is_read_whatever_the_pieces(server: BotApiServer, client: Client, piece: int) -> None:
    """Files and fields survive byte by byte, also when a file holds something like the delimiter."""
    server.user(42)
    content = b"\r\n--the=boundar\r\n--the=boundarx--\r\n\r\n" * 3
    body = multipart({"document": ('we"ird\\näme.txt', content), "thumbnail": ("t.jpg", b"\r")}, {"chat_id": 42, "caption": "ü\r\n--x"})
    head = f"POST {client.path('sendDocument')} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=the=boundary\r\nContent-Length: {len(body)}\r\n\r\n"
    with raw_socket(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(head.encode())
        for at in range(0, len(body), piece):
            sock.sendall(body[at : at + piece])
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    request = server.requests[0]
    assert request.params == {"chat_id": 42, "caption": "ü\r\n--x"}
    assert [(f.field, f.name, f.size, f.sha256) for f in request.files] == [
        ("document", 'we"ird\\näme.txt', len(content), hashlib.sha256(content).hexdigest()),
        ("thumbnail", "t.jpg", 1, hashlib.sha256(b"\r").hexdigest()),
    ]


def test_a_large_upload_stays_out_of_memory(server: BotApiServer, client: Client) -> None:
    """30 MB go through without standing in memory, and can be fetched again in the same state."""
    server.user(42)
    piece, pieces = os.urandom(1 << 20), 20
    expected = hashlib.sha256(piece * pieces).hexdigest()
    start, end = multipart({"document": ("big.bin", b"@")}, {"chat_id": 42}).split(b"@")
    size = len(start) + len(piece) * pieces + len(end)

    def stream() -> Iterator[bytes]:
        yield start
        for _ in range(pieces):
            yield piece
        yield end

    tracemalloc.start()
    try:
        client.connection.request(
            "POST", client.path("sendDocument"), stream(), {"Content-Type": "multipart/form-data; boundary=the=boundary", "Content-Length": str(size)}
        )
        answer = json.loads(client.connection.getresponse().read())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    assert server.requests[0].file("document").sha256 == expected
    path = client.ok("getFile", file_id=answer["result"]["document"]["file_id"])["file_path"]
    client.connection.request("GET", f"/file/bot{TEST_TOKEN}/{path}")
    digest, response = hashlib.sha256(), client.connection.getresponse()
    while data := response.read(65_536):
        digest.update(data)
    assert digest.hexdigest() == expected


def test_an_upload_over_the_limit_is_refused() -> None:
    """A request larger than max_upload is answered with 413 in Telegram's envelope, and the connection ends."""
    with BotApiServer(max_upload=1000) as server, client_of(server) as client:
        answer = client.upload("sendDocument", {"document": ("a", b"x" * 2000)}, chat_id=1)
        assert answer == {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}
        client.close()
        server.wait_closed()


# ---------------------------------------------------------------------- TLS


def test_tls_1_3_with_close_notify() -> None:
    """The server speaks TLS 1.3 with a certificate of its authority and ends with close_notify."""
    with BotApiServer(tls=True) as server:
        assert server.url.startswith("https://")
        context = ssl.create_default_context(cafile=server.ca_file)
        with raw_socket(server) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as tls:
            assert tls.version() == "TLSv1.3"
            tls.sendall(f"GET /bot{TEST_TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert b'"ok":true' in read_all(tls)  # a missing close_notify would raise here
        server.wait_closed()
        assert server.connections[0].tls


@pytest.mark.parametrize(("kind", "reason"), [("expired", "expired"), ("not_yet_valid", "not yet valid"), ("wrong_host", "IP address mismatch")])
def test_certificates_that_are_wrong_in_a_chosen_way(kind: str, reason: str) -> None:
    """Each bad certificate is refused by a client for its own reason, and noted by the server; a good one serves again after."""
    with BotApiServer(tls=True) as server:
        server.use_certificate(kind)  # type: ignore[arg-type]  # a parametrized test has plain strings
        with client_of(server) as client, pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.call("getMe")
        server.wait_closed()
        assert server.connections[0].trouble.startswith("tls: ")
        server.use_certificate("valid")
        with client_of(server) as client:
            client.ok("getMe")


def test_an_authority_can_be_shared() -> None:
    """Two servers with one TestCA are trusted with one file, which outlives them."""
    with TestCA() as ca:
        for _ in range(2):
            with BotApiServer(tls=True, ca=ca) as server, client_of(server) as client:
                assert server.ca_file == ca.ca_file
                client.ok("getMe")
        assert os.path.exists(ca.ca_file)
        chain, key = ca.write_server_files(os.path.dirname(ca.ca_file), "proxy.example")
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    assert not os.path.exists(ca.ca_file)


# ---------------------------------------------------------------------- the end


@pytest.mark.parametrize("tls", [False, True])
def test_close_leaves_no_thread_and_no_socket(tls: bool) -> None:
    """Idle keep-alive connections, waiting polls, silent clients and half a request: all end with the server."""
    threads, fds = threading.active_count(), descriptors()
    with BotApiServer(tls=tls) as server:
        idle, polling = Client(server), Client(server)
        idle.ok("getMe")
        poll = Background(lambda: polling.ok("getUpdates", timeout=50))
        server.wait_polled()
        silent = socket.create_connection(("127.0.0.1", server.port))
        half = socket.create_connection(("127.0.0.1", server.port))
        half.sendall(b"GET / HT")
        server.wait_until(lambda: server.open_connections == 4)
        begin = time.monotonic()
    assert time.monotonic() - begin < 8.0, "it waits for none of them to its end"
    with pytest.raises((http.client.HTTPException, OSError)):
        poll.result()
    for ending in (idle, polling, silent, half):
        ending.close()
    assert becomes(lambda: threading.active_count() <= threads)
    assert becomes(lambda: descriptors() <= fds)


def test_close_ends_a_client_that_does_not_read() -> None:
    """An answer that nobody reads does not hold up the end of the server."""
    from syncbot.testing import Answer

    threads = threading.active_count()
    with BotApiServer() as server, raw_socket(server) as sock:
        server.answer_next(Answer.huge())
        sock.sendall(f"GET /bot{TEST_TOKEN}/getMe HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.wait_count("getMe", 1)
        begin = time.monotonic()
        server.close()
        assert time.monotonic() - begin < 10.0, "it would be more than that if it had to be left behind"
    assert becomes(lambda: threading.active_count() <= threads)


def test_a_server_can_be_started_again_on_its_port() -> None:
    """After close() the same object serves again, and a second close() does nothing."""
    server = BotApiServer()
    server.start()
    server.close()
    server.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    with server, client_of(server) as client:
        client.ok("getMe")


def test_a_port_in_use_is_an_error_that_leaves_nothing() -> None:
    """Starting on a taken port raises OSError and leaves no temporary file of the authority."""
    with BotApiServer() as server, pytest.raises(OSError, match="in use"):
        BotApiServer(tls=True, port=server.port).start()


def test_connections_can_be_dropped(server: BotApiServer, client: Client) -> None:
    """drop_connections ends what is open, as a restart would."""
    client.ok("getMe")
    assert server.drop_connections() == 1
    server.wait_closed()
    client.close()
    client.ok("getMe")


# ---------------------------------------------------------------------- hostile input

HEAD = f"POST /bot{TEST_TOKEN}/getMe HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"no line end with carriage return\n", 400),
        (b"G" * 270_000, 431),
        (b"GET / HTTP/1.1\r\nNo colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300 + b"\r\n", 431),
        (HEAD.encode() + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD.encode() + b"Content-Length: 1_0\r\n\r\n", 400),
        (HEAD.encode() + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (HEAD.encode() + b"Content-Length: 99999999999999999\r\n\r\n", 413),
        (HEAD.encode() + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HEAD.encode() + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx", 400),
        (HEAD.encode() + b"Content-Type: application/json\r\nContent-Length: 5\r\n\r\n{nope", 400),
        (HEAD.encode() + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000, 400),
        (HEAD.encode() + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\n\xff\xfe=1", 400),
        (HEAD.encode() + b"Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\nab", 400),
        (HEAD.encode() + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 2\r\n\r\nab", 400),
        (HEAD.encode() + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n--b\r\nab\r\n", 400),
        (b"DELETE / HTTP/1.1\r\n\r\n", 405),
        (b"GET //[x HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_broken_requests_end_in_a_clear_status(server: BotApiServer, sent: bytes, status: int) -> None:
    """What is not a proper request is answered with 4xx and the end of the connection, and the next client is served."""
    with raw_socket(server) as sock:
        sock.sendall(sent)
        answer = read_all(sock)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    server.wait_closed()
    assert server.connections[0].trouble
    with client_of(server) as client:
        client.ok("getMe")


def test_headers_that_never_end_are_cut(server: BotApiServer) -> None:
    """A head that goes on for ever is refused at 64 KB."""
    with raw_socket(server) as sock:
        sent = 0
        with pytest.raises(OSError):  # noqa: PT012  (the write that fails is one of many)
            sock.sendall(b"GET / HTTP/1.1\r\n")
            for n in range(100_000):
                sock.sendall(b"X-%d: %s\r\n" % (n, b"y" * 1000))
                sent += 1000
        assert sent < 30_000_000
    server.wait_closed()
    assert "too large" in server.connections[0].trouble


def test_slow_clients_are_cut() -> None:
    """A head that drips, a body that stops, and a silent client end when their time is up."""
    clients = (b"GET / HT", HEAD.encode() + b"Content-Length: 5\r\n\r\nab", b"")
    for seconds in (0.2, 4.0):  # on a busy machine a client may be taken for a silent one before it has sent anything
        found = []
        with BotApiServer(times=WireTimes(idle=seconds, head=seconds, piece=seconds)) as server:
            for sent in clients:
                with raw_socket(server) as sock, contextlib.suppress(ConnectionError):
                    if sent:
                        sock.sendall(sent)
                    found.append(read_all(sock)[:12])
            server.wait_closed()
        if found == [b"HTTP/1.1 408"] * 2 + [b""]:
            break
    assert found == [b"HTTP/1.1 408"] * 2 + [b""]


def test_a_client_that_hangs_up_in_the_middle(server: BotApiServer) -> None:
    """A request that breaks off is no request: nothing is recorded but the trouble."""
    with raw_socket(server) as sock:
        sock.sendall(HEAD.encode() + b"Content-Length: 50\r\n\r\n{")
    server.wait_until(lambda: server.connections_total == 1 and server.open_connections == 0)
    assert server.count() == 0
    assert "in the middle" in server.connections[0].trouble
