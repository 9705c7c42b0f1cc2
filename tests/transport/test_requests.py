"""What goes over the wire: one request a connection, its head and body, and nothing that the environment says."""

from __future__ import annotations

import http.client
import inspect
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest
import requests
import urllib3
from kits.background_kit import Background
from kits.ports_kit import free_port
from kits.timing_kit import tried
from kits.transport_kit import OK, Line, LogTexts, Peer, answering, becomes, everything_about, open_descriptors, send

from syncbot.errors import NetworkError, NotSent, Phase
from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import OneShotTransport
from syncbot.transport.failures import AnswerTooLarge, describe
from syncbot.types import Proxy, Request

TOKEN = "123456789:TEST-abcdefghijklmnopqrstuvwxyz0123"


@dataclass
class Chunks:
    """A body that streams, and knows how often it was begun."""

    chunks: list[bytes]
    begun: int = 0

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks))

    def __iter__(self) -> Iterator[bytes]:
        self.begun += 1
        yield from self.chunks


@dataclass
class Collector:
    """A sink that keeps what it gets."""

    takes: bool = True
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        self.status, self.headers = status, dict(headers)
        return self.takes

    def write(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


class Recorder:
    """A script that keeps each request, and each piece in which it came."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    def __call__(self, line: Line) -> None:
        self.requests.append(line.request())
        line.sock.sendall(self.answer)

    @property
    def lines(self) -> list[bytes]:
        """The head of the last request, line by line."""
        return self.requests[-1].partition(b"\r\n\r\n")[0].split(b"\r\n")


def request(url: str, **fields: object) -> Request:
    return replace(Request(f"{url}/bot{TOKEN}/getMe", "getMe", body=b"{}", timeout=20.0), **fields)  # type: ignore[arg-type]  # replace checks the names


# --- Connections.


def test_each_connection_carries_one_request_and_is_closed(transport: OneShotTransport, api: BotApiServer) -> None:
    """Every request comes on a connection of its own, says `Connection: close`, and leaves nothing open."""
    send(transport, request(api.url))
    api.wait_closed()
    descriptors = open_descriptors()
    for _ in range(20):
        assert send(transport, request(api.url)).error is None
    api.wait_closed()
    assert (api.count(), api.connections_total, api.max_requests_per_connection) == (21, 21, 1)
    assert {header for connection in api.connections for header in connection.connection_headers} == {"close"}
    assert [connection.trouble for connection in api.connections if connection.trouble] == []
    assert becomes(lambda: open_descriptors() <= descriptors)


def test_threads_share_a_transport(transport: OneShotTransport, api: BotApiServer) -> None:
    """Calls from many threads at once each get their own connection and their own answer."""
    calls = [Background(lambda: send(transport, request(api.url))) for _ in range(16)]
    assert all(call.result().answer.status == 200 for call in calls)
    assert api.max_requests_per_connection == 1


@pytest.mark.parametrize(
    "fault", [fault for fault in Fault.all() if fault.phase is not Phase.ANSWERED and not fault.name.startswith("idle")], ids=lambda fault: fault.name
)
def test_nothing_is_left_after_any_kind_of_failure(fault: Fault, ca: TestCA, api: BotApiServer) -> None:
    """After each fault: no connection at the server or the proxy, no descriptor, no thread but the watchdog's."""
    with FaultProxy(seed=1) as proxy:
        transport = OneShotTransport([Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file))
        assert send(transport, request(api.url)).error is None
        api.wait_closed()
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        descriptors, threads = open_descriptors(), threading.active_count()

        def attempt(timeout: float) -> None:
            proxy.script(fault)
            outcome = send(transport, request(api.url, timeout=timeout))
            assert isinstance(outcome.error, NetworkError)
            assert isinstance(outcome.error, NotSent) is fault.before_request
            assert outcome.error.phase is fault.phase

        tried(attempt, (0.3, 5.0))
        api.wait_closed()
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        assert becomes(lambda: open_descriptors() <= descriptors and threading.active_count() <= threads)
        assert send(transport, request(api.url)).error is None, "the next call is not harmed"
        transport.close()


# --- The request.


def test_head_and_body_of_a_small_request_leave_in_one_segment(transport: OneShotTransport) -> None:
    """One write, one segment: two small ones cost 40 ms where acknowledgements are delayed."""
    pieces: list[bytes] = []

    def serve(line: Line) -> None:
        pieces.append(line.sock.recv(65_536))
        line.sock.sendall(OK)

    with Peer(serve) as peer:
        assert send(transport, request(peer.url, body=b"x" * 1000)).error is None
    assert pieces[0].startswith(b"POST ")
    assert pieces[0].endswith(b"x" * 1000)


def test_the_head_has_what_is_needed_and_no_more(transport: OneShotTransport) -> None:
    """The real path, Host, Connection: close, the length, the given headers; no cookies, no credentials, no compression."""
    recorder = Recorder()
    with Peer(recorder) as peer:
        send(transport, request(peer.url, headers={"Content-Type": "application/json"}))
        assert recorder.lines[0] == f"POST /bot{TOKEN}/getMe HTTP/1.1".encode()
        assert sorted(recorder.lines[1:]) == sorted(
            [
                f"Host: 127.0.0.1:{peer.port}".encode(),
                b"User-Agent: syncbot",
                b"Accept: */*",
                b"Accept-Encoding: identity",
                b"Connection: close",
                b"Content-Length: 2",
                b"Content-Type: application/json",
            ]
        )


def test_the_port_stands_in_the_host_header_only_where_it_is_unusual(ca: TestCA) -> None:
    """Without a port in the URL there is none in the Host header, over TLS or not."""
    recorder = Recorder()
    for tls in (False, True):
        with Peer(recorder, tls=ca.server_context("api.example") if tls else None) as peer:
            address = (socket.AF_INET, (peer.host, peer.port))
            transport = OneShotTransport(ca_file=Path(ca.ca_file), look_up=lambda host, port, family, address=address: [address])  # type: ignore[misc]  # bound now
            scheme = "https" if tls else "http"
            for host, header in (("api.example", b"Host: api.example"), ("api.example:8443", b"Host: api.example:8443")):
                assert send(transport, request(f"{scheme}://{host}")).error is None
                assert header in recorder.lines
            transport.close()


def test_query_and_odd_characters_of_the_path_arrive_as_they_were_written(transport: OneShotTransport) -> None:
    """The path in the request line is the URL's, byte by byte; nothing is quoted anew."""
    recorder = Recorder()
    with Peer(recorder) as peer:
        send(transport, Request(f"{peer.url}/file/bot{TOKEN}/photos/a%20b%2Fc.jpg?x=%41&y=1", "download", body=b"", timeout=20.0))
    assert recorder.lines[0] == f"POST /file/bot{TOKEN}/photos/a%20b%2Fc.jpg?x=%41&y=1 HTTP/1.1".encode()


@pytest.mark.parametrize(("verb", "body", "length"), [("POST", None, b"Content-Length: 0"), ("POST", b"", b"Content-Length: 0"), ("GET", None, b"")])
def test_requests_without_a_body(verb: str, body: bytes | None, length: bytes, transport: OneShotTransport) -> None:
    """A POST always tells its length; a GET without a body has none."""
    recorder = Recorder()
    with Peer(recorder) as peer:
        assert send(transport, request(peer.url, verb=verb, body=body)).error is None
    assert recorder.lines[0].startswith(verb.encode())
    lengths = [line for line in recorder.lines if line.startswith(b"Content-Length")]
    assert lengths == ([length] if length else [])


@pytest.mark.parametrize("header", ["bad\r\nInjected: 1", "\x00", "nön-ascii\nX: y"])
def test_a_header_that_would_break_the_request_is_not_sent(header: str, transport: OneShotTransport) -> None:
    """A line break within a value cannot smuggle a second header in; nothing of the request leaves."""
    recorder = Recorder()
    with Peer(recorder) as peer:
        outcome = send(transport, request(peer.url, headers={"X-Given": header}))
        assert peer.wait_for(lambda: peer.ended == peer.accepted)
    if header != "\x00":
        assert isinstance(outcome.error, NotSent)
        assert not outcome.error.retryable, "it would break the next one too"
        assert recorder.requests == []


def test_the_environment_is_not_read(transport: OneShotTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, netrc and CA bundles of the environment are the settings' business: nothing below reads them a second time."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    netrc.chmod(0o600)
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    recorder = Recorder()
    with Peer(recorder) as peer:
        assert send(transport, request(peer.url)).error is None
    assert not any(line.lower().startswith((b"authorization", b"proxy-")) for line in recorder.lines)


def test_cookies_and_redirects_of_one_answer_do_not_reach_the_next_request(transport: OneShotTransport) -> None:
    """Nothing is remembered from call to call, and a redirect is an answer like any other."""
    recorder = Recorder(b"HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
    with Peer(recorder) as peer:
        for _ in range(2):
            outcome = send(transport, request(peer.url))
            assert outcome.answer is not None
            assert outcome.answer.status == 302
        assert peer.accepted == 2
    assert not any(line.startswith(b"Cookie") for line in recorder.lines)


# --- Bodies that stream.


@pytest.mark.parametrize("tls", [False, True])
def test_an_upload_streams_chunk_by_chunk_with_its_length(tls: bool, ca: TestCA, transport: OneShotTransport) -> None:
    """A `Body` is sent as it comes, with an exact Content-Length, and anew for each attempt."""
    recorder = Recorder()
    body = Chunks([b"a" * 70_000, b"", b"b" * 5, b"c" * 100_000])
    with Peer(recorder, tls=ca.server_context() if tls else None) as peer:
        for _ in range(2):
            assert send(transport, request(peer.url, body=body)).error is None
    assert body.begun == 2
    head, _, content = recorder.requests[-1].partition(b"\r\n\r\n")
    assert b"Content-Length: 170005" in head
    assert b"chunked" not in head.lower()
    assert content == b"".join(body.chunks)


class Unreadable(Exception):
    """An error of somebody's own code."""


@pytest.mark.parametrize("good_chunks", [0, 1, 3])
def test_an_error_of_a_body_passes_as_it_is(good_chunks: int, transport: OneShotTransport) -> None:
    """What reading an upload raises is not the network's failure: it comes out unchanged, and the connection is closed."""

    class Broken(Chunks):
        def __iter__(self) -> Iterator[bytes]:
            yield from self.chunks
            raise Unreadable("the disk is gone")

    with Peer(answering()) as peer:
        outcome = send(transport, request(peer.url, body=Broken([b"x" * 50_000] * good_chunks)))
        assert type(outcome.error) is Unreadable
        assert str(outcome.error) == "the disk is gone"
        assert peer.wait_for(lambda: peer.ended == peer.accepted), "without a single chunk there is no connection yet"
    assert TOKEN not in everything_about(outcome.error)


def test_an_answer_before_the_end_of_an_upload_is_taken(transport: OneShotTransport) -> None:
    """A server that refuses a large body early, and hangs up, is heard where its answer arrives."""

    def refuses(line: Line) -> None:
        line.head()
        line.sock.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        line.sock.shutdown(socket.SHUT_WR)
        while line.sock.recv(65_536):
            pass

    with Peer(refuses) as peer:
        outcome = send(transport, request(peer.url, body=Chunks([b"x" * 65_536] * 50)))
    assert outcome.answer is not None
    assert outcome.answer.status == 413


# --- Downloads.


def test_a_sink_takes_the_body_as_it_comes(transport: OneShotTransport) -> None:
    """The body goes to the sink piece by piece, and the answer's own body stays empty."""
    content = bytes(range(256)) * 2000
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    sink = Collector()
    with Peer(Recorder(head + content)) as peer:
        outcome = send(transport, request(peer.url, verb="GET", body=None, sink=sink))
    assert outcome.answer is not None
    assert outcome.answer.body == b""
    assert (sink.status, sink.headers["Content-Type"]) == (200, "image/png")
    assert b"".join(sink.chunks) == content
    assert max(map(len, sink.chunks)) <= 65_536


def test_a_sink_may_be_larger_than_an_answer_that_is_kept(ca: TestCA) -> None:
    """The limit on answers is for what is kept in memory; a download has none."""
    content = b"x" * 200_000
    transport = OneShotTransport(max_answer_bytes=1000)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    sink = Collector()
    with Peer(Recorder(head + content)) as peer:
        assert send(transport, request(peer.url, sink=sink)).error is None
        refused = send(transport, request(peer.url))
    transport.close()
    assert b"".join(sink.chunks) == content
    assert refused.failure.phase is Phase.MAYBE_SENT
    assert "too large" in str(refused.error)


def test_an_answer_that_a_sink_declines_is_collected(transport: OneShotTransport) -> None:
    """A refusal in place of a file is an ordinary answer."""
    sink = Collector(takes=False)
    with Peer(Recorder()) as peer:
        outcome = send(transport, request(peer.url, sink=sink))
    assert outcome.answer is not None
    assert outcome.answer.body == b'{"ok":true,"result":{}}'
    assert sink.chunks == []


@pytest.mark.parametrize("where", ["begin", "write"])
def test_an_error_of_a_sink_passes_as_it_is(where: str, transport: OneShotTransport) -> None:
    """A full disk is not the network's failure: the sink's own error comes out, and the connection is closed."""

    class Full(Collector):
        def begin(self, status: int, headers: Mapping[str, str]) -> bool:
            if where == "begin":
                raise OSError(28, "No space left on device")
            return True

        def write(self, chunk: bytes) -> None:
            raise OSError(28, "No space left on device")

    with Peer(Recorder()) as peer:
        outcome = send(transport, request(peer.url, sink=Full()))
        assert peer.wait_for(lambda: peer.ended == 1)
    assert type(outcome.error) is OSError
    assert outcome.error.errno == 28
    assert TOKEN not in everything_about(outcome.error)


def test_a_download_that_is_cut_is_an_error(transport: OneShotTransport) -> None:
    """A body that ends before its length is not a complete file."""
    sink = Collector()
    with Peer(Recorder(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 500)) as peer:
        outcome = send(transport, request(peer.url, sink=sink))
    assert outcome.failure.phase is Phase.MAYBE_SENT
    assert "cut short" in str(outcome.error)


# --- Bytes.


def test_the_bytes_on_the_wire_are_counted(transport: OneShotTransport, api: BotApiServer) -> None:
    """What was sent and received, TLS included, failed attempts too."""
    send(transport, request(api.url, body=b"x" * 10_000))
    sent, received = transport.traffic.sent_bytes, transport.traffic.received_bytes
    assert 10_000 < sent < 14_000
    assert 500 < received < 8_000
    send(transport, request(api.url))
    assert sent < transport.traffic.sent_bytes < sent + 4_000


# --- Words for every foreign error.


def public_errors(module: ModuleType) -> list[type[BaseException]]:
    """Every exception class of a module that raises them on purpose, warnings left out."""
    found = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Exception) and not issubclass(value, Warning)]
    return sorted(
        {kind for kind in found if kind.__module__.partition(".")[0] in ("requests", "urllib3", "http")},
        key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
    )


FOREIGN = [*public_errors(requests.exceptions), *public_errors(urllib3.exceptions), *public_errors(http.client)]
SECRET_URL = f"http://127.0.0.1/bot{TOKEN}/getMe"


def made(kind: type[BaseException]) -> BaseException:
    """An error of this class that holds a URL with the token wherever it can."""
    pool = urllib3.HTTPConnectionPool("127.0.0.1")
    answer = urllib3.HTTPResponse(b"", request_url=SECRET_URL)
    by_shape: list[tuple[object, ...]] = [
        (SECRET_URL,),
        (pool, SECRET_URL),
        (pool, SECRET_URL, "reason"),
        (SECRET_URL, SECRET_URL, 0),
        (answer, b"zz"),
        (None, b"x"),
    ]
    for arguments in by_shape:
        try:
            return kind(*arguments)
        except (TypeError, AttributeError):
            continue
    raise AssertionError(f"{kind} cannot be made like this; say how")


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_of_the_libraries_below_has_words_without_secrets(kind: type[BaseException]) -> None:
    """Each exception class of requests, urllib3 and http.client is described, alone and wrapped, and never by its own text."""
    error = made(kind)
    wrapped = requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError(SECRET_URL, error))
    for one in (error, wrapped):
        words = describe(one)
        assert len(words) > 8
        assert TOKEN not in words
        assert "/bot" not in words
        assert "object at" not in words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.exceptions.ReadTimeout(), "in time"),
        (urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("x"), "/", "m"), "in time"),
        (
            requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("x"))),
            "closed before an answer",
        ),
        (requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("x", ConnectionResetError(104, "Connection reset by peer"))), "reset"),
        (urllib3.exceptions.IncompleteRead(1, 2), "cut short"),
        (urllib3.exceptions.ProtocolError("x", http.client.IncompleteRead(b"x")), "cut short"),
        (http.client.LineTooLong("header line"), "too large"),
        (http.client.BadStatusLine("x"), "not HTTP"),
        (urllib3.exceptions.DecodeError("x"), "decompressed"),
        (ssl.SSLEOFError(8, "EOF"), "closed in the middle"),
        (ssl.SSLError(1, "x"), "TLS"),
        (BrokenPipeError(32, "Broken pipe"), "while the request was being written"),
        (OSError(113, "No route to host"), "No route to host"),
        (ValueError(SECRET_URL), "ValueError"),
        (AnswerTooLarge(), "too large"),
    ],
)
def test_the_words_say_what_happened(error: BaseException, words: str) -> None:
    """The cause that is wrapped innermost decides, not the class on the outside."""
    assert words in describe(error)


def test_an_answer_is_one_line_in_the_log(transport: OneShotTransport, all_logs: LogTexts) -> None:
    """At DEBUG each attempt that was answered says the method, the way, the status, the size and the time."""
    with Peer(Recorder(OK)) as peer:
        send(transport, request(peer.url))
    [record] = all_logs.records
    assert record.levelname == "DEBUG"
    assert re.fullmatch(r"getMe by way of direct: 200, \d+ bytes, after \d+\.\d{3} s", record.getMessage())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"junk\r\n\r\n"])
def test_no_error_or_log_record_tells_the_url(answer: bytes, transport: OneShotTransport, all_logs: LogTexts) -> None:
    """The libraries below never get to see the token, so their errors cannot hold it; they log nothing of a call, and our one line is clean."""
    with Peer(Recorder(answer)) as peer:
        outcome = send(transport, request(peer.url))
    assert outcome.error is not None
    assert outcome.error.__cause__ is None
    assert outcome.error.__context__ is None
    secret = TOKEN.partition(":")[2]
    assert secret not in everything_about(outcome.error)
    assert [record.name for record in all_logs.records] == ["syncbot.transport.oneshot"]
    assert "getMe by way of direct: the" in all_logs.text
    assert secret not in all_logs.text
    assert secret not in repr(request("http://x"))
