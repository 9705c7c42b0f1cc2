"""The proxy without its faults: protocols, credentials, counters, way and life."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from kits.proxy_kit import ANSWER, Certificates, Client, Failed, Origin, attempt, request
from kits.timing_kit import becomes, soon, took

from syncbot.testing import Fault, FaultProxy
from syncbot.testing.proxy.counters import TunnelTarget
from syncbot.testing.proxy.fault_kinds import FaultPlan


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy() as proxy:
        yield proxy


@pytest.fixture
def plain() -> Iterator[Origin]:
    origin = Origin(None)
    yield origin
    origin.close()


def basic(name: str, password: str) -> str:
    return f"Proxy-Authorization: Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}\r\n"


@pytest.mark.parametrize("protocol", ["http", "socks5"])
def test_a_call_passes(protocol: str, proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """A call over TLS passes through both kinds of tunnel, and all of it is counted."""
    client = attempt(proxy, origin, protocol=protocol, context=certificates.client)
    assert client.received == ANSWER
    assert origin.done == [request()]
    assert proxy.wait_for(lambda: proxy.open_now == 0)
    assert (proxy.opened, proxy.established, proxy.struck) == (1, 1, {})
    assert proxy.bytes_up > len(request())
    assert proxy.bytes_down > len(ANSWER)
    assert proxy.targets == [TunnelTarget("connect" if protocol == "http" else "socks5", "localhost", origin.port)]


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("protocol", ["http", "socks5"])
def test_what_comes_early(protocol: str, drops: bool, origin: Origin, certificates: Certificates) -> None:
    """What a client writes before it is answered is passed on or dropped, as the proxy is told, and counted, and so is whether it came in one piece."""
    asks = {
        "http": [b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % origin.port],
        "socks5": [b"\x05\x01\x00", b"\x05\x01\x00\x03\x09localhost" + struct.pack(">H", origin.port)],
    }[protocol]
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        certificates.client.wrap_bio(ours, theirs, server_hostname="localhost").do_handshake()
    hello = theirs.read()
    with FaultProxy(drops_early=drops) as proxy:
        with Client(proxy) as client:
            client.sock.sendall(b"".join(asks) + hello)
            client.exactly(39 if protocol == "http" else 12)
            client.sock.settimeout(0.3 if drops else 20.0)
            with pytest.raises(TimeoutError) if drops else contextlib.nullcontext():
                assert client.sock.recv(1) == b"\x16", "the server's own first flight"
        assert (proxy.came_early, proxy.came_in_one) == (1, 1)
        assert proxy.summary()["came_early"] == 1
        attempt(proxy, origin, protocol=protocol, context=certificates.client)
        assert proxy.came_early == 1, "who waits for his answers is not early"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_socks5_names_and_addresses(host: str, proxy: FaultProxy) -> None:
    """SOCKS5 takes names, IPv4 and IPv6 addresses, and the proxy tells which it was asked for."""
    origin = Origin(None, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        with Client(proxy) as client:
            assert client.socks5(host, origin.port) == 0
            assert client.ask() == ANSWER
    finally:
        origin.close()
    assert proxy.targets == [TunnelTarget("socks5", host, origin.port)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_socks4_and_4a(host: str, proxy: FaultProxy, plain: Origin) -> None:
    """SOCKS4 takes an address, 4a a name."""
    named = host == "localhost"
    asked = b"\x04\x01" + struct.pack(">H", plain.port) + (b"\0\0\0\x01user\0localhost\0" if named else socket.inet_aton(host) + b"user\0")
    with Client(proxy) as client:
        client.sock.sendall(asked)
        assert client.exactly(8)[:2] == b"\x00\x5a"
        assert client.ask() == ANSWER
    assert proxy.targets == [TunnelTarget("socks4", host, plain.port)]


def test_bytes_sent_along_with_the_request_for_the_tunnel(proxy: FaultProxy, plain: Origin) -> None:
    """What a client writes before it has read the answer to CONNECT reaches the server."""
    with Client(proxy) as client:
        client.sock.sendall(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % plain.port + request())
        got = client.exactly(len(b"HTTP/1.1 200 Connection established\r\n\r\n") + len(ANSWER))
        assert got.endswith(ANSWER)


def test_a_talk_byte_by_byte(proxy: FaultProxy, plain: Origin) -> None:
    """A client may write its CONNECT one byte at a time."""
    with Client(proxy) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"CONNECT localhost:%d HTTP/1.1\r\nHost: x\r\n\r\n" % plain.port:
            client.sock.sendall(bytes([byte]))
        assert client.exactly(12) == b"HTTP/1.1 200"


def test_absolute_form(proxy: FaultProxy, plain: Origin) -> None:
    """A plain HTTP request in absolute form is passed on in origin form, without what was meant for the proxy, one to a connection."""
    with Client(proxy) as client:
        head = b"POST http://localhost:%d/a?b=http://c/d HTTP/1.1\r\nHost: localhost\r\nProxy-Connection: x\r\n" % plain.port
        client.sock.sendall(head + b"Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
        assert client.exactly(len(ANSWER)) == ANSWER
    assert plain.done == [b"POST /a?b=http://c/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"]
    assert proxy.targets == [TunnelTarget("http", "localhost", plain.port)]


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1", b"GET https://localhost/ HTTP/1.1", b"nonsense", b"CONNECT localhost:x HTTP/1.1", b"\x16\x03\x01"])
def test_nonsense_is_a_bad_request(line: bytes, proxy: FaultProxy) -> None:
    """What is no request to a proxy is answered with 400, and the connection ends."""
    with Client(proxy) as client:
        client.sock.sendall(line + b"\r\n\r\n")
        assert client.rest().startswith(b"HTTP/1.1 400 ")


def test_a_head_without_end_is_refused(proxy: FaultProxy) -> None:
    """A head that never ends is not collected for ever."""
    with Client(proxy) as client, contextlib.suppress(ConnectionError):
        client.sock.sendall(b"x" * 200_000)
        assert client.some().startswith(b"HTTP/1.1 400 ")
    assert proxy.wait_for(lambda: proxy.open_now == 0)


def test_credentials(plain: Origin) -> None:
    """With a user name and a password set, both protocols let the right ones pass and refuse wrong and missing ones, which is counted."""
    with FaultProxy(username="us:er", password="pä ss") as proxy:
        assert proxy.url == f"http://us%3Aer:p%C3%A4%20ss@127.0.0.1:{proxy.port}"
        assert proxy.url_for("socks5h", credentials=False) == f"socks5h://127.0.0.1:{proxy.port}"
        for headers in ("", basic("us:er", "wrong"), "Proxy-Authorization: Basic ?\r\n", "Proxy-Authorization: Bearer x\r\n"):
            with Client(proxy) as client:
                assert client.connect("localhost", plain.port, headers) == b"HTTP/1.1 407 Proxy Authentication Required"
        for credentials, code in ((None, 255), (("us:er", "wrong"), 254), (("other", "pä ss"), 254), (("us:er", "pä ss"), 0)):
            with Client(proxy) as client:
                assert client.socks5("localhost", plain.port, credentials) == code
        assert proxy.credential_failures == 7
    with FaultProxy(username="user", password="secret") as proxy, Client(proxy) as client:
        assert client.connect("localhost", plain.port, basic("user", "secret")).startswith(b"HTTP/1.1 200 ")
        assert client.ask() == ANSWER
        assert "secret" not in repr(proxy)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "example.org", "2001:db8::1", "127.0.0.1.example.org", ""])
def test_it_stays_on_this_machine(host: str, proxy: FaultProxy) -> None:
    """A target that is no loopback address is refused in both protocols, without a connection."""
    with Client(proxy) as client:
        assert client.connect(f"[{host}]" if ":" in host else host, 443) == b"HTTP/1.1 403 Forbidden"
    with Client(proxy) as client:
        assert client.socks5(host, 443) == 2
    assert proxy.refused_targets == 2


def test_names_are_mapped(plain: Origin) -> None:
    """A name, or a name with a port, is where `resolve` says, and never looked up."""
    mapped = {"api.telegram.test": f"127.0.0.1:{plain.port}", "other.test:80": f"127.0.0.1:{plain.port}", "away.test": "192.0.2.1"}
    with FaultProxy(resolve=mapped) as proxy:
        for host, port in (("api.telegram.test", 443), ("other.test", 80)):
            with Client(proxy) as client:
                assert client.socks5(host, port) == 0
                assert client.ask() == ANSWER
        with Client(proxy) as client:
            assert client.socks5("away.test", 443) == 2


def test_a_dead_server_is_a_bad_gateway(proxy: FaultProxy) -> None:
    """A target where nobody listens is answered with 502, and its counterpart in SOCKS."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with Client(proxy) as client:
            assert client.connect("127.0.0.1", nobody.getsockname()[1]) == b"HTTP/1.1 502 Bad Gateway"
        with Client(proxy) as client:
            assert client.socks5("127.0.0.1", nobody.getsockname()[1]) == 4
    assert proxy.struck == {}


def test_connections_refused_for_a_while(proxy: FaultProxy, plain: Origin) -> None:
    """Within `refuse_connections` the port refuses, standing tunnels go on, and afterwards the same port serves again."""
    with Client(proxy) as standing:
        standing.connect("localhost", plain.port)
        with proxy.refuse_connections():
            with pytest.raises(ConnectionRefusedError):
                Client(proxy)
            assert standing.ask() == ANSWER
        attempt(proxy, plain, context=None)


def test_all_tunnels_cut(proxy: FaultProxy, plain: Origin) -> None:
    """`cut_all` ends what is open, and the proxy goes on."""
    with Client(proxy) as client:
        client.connect("localhost", plain.port)
        assert proxy.cut_all() == 1
        assert client.some() == b""
    attempt(proxy, plain, context=None)


def test_the_same_seed_gives_the_same_faults(proxy: FaultProxy) -> None:
    """Seed and order of tunnels decide on the faults; another seed gives others; what was scripted comes first."""

    def drawn(seed: int) -> list[str]:
        names = []
        with FaultProxy(faults=[Fault.refuse(), Fault.refuse(reset=False), Fault.auth_required()], rate=0.5, seed=seed) as proxy:
            assert proxy.seed == seed
            proxy.script(Fault.NONE, Fault.bad_gateway())
            for _ in range(40):
                before = proxy.opened
                with contextlib.suppress(ConnectionResetError), Client(proxy):
                    pass
                assert proxy.wait_for(partial(lambda before: proxy.opened > before, before))
                names.append(str(sorted(proxy.drawn.items())))
        return names

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert "bad_gateway" in drawn(7)[1]
    assert proxy.seed != FaultProxy().seed


def test_faults_in_a_row_can_be_limited() -> None:
    """After so many random faults a tunnel comes through; scripted ones are not counted."""
    plan = FaultPlan([Fault.refuse()], 1.0, seed=1, most_in_a_row=2)
    assert [plan.draw().name for _ in range(7)] == ["refuse", "refuse", "none", "refuse", "refuse", "none", "refuse"]
    plan.script([Fault.refuse(), Fault.refuse()])
    assert [plan.draw().name for _ in range(5)] == ["refuse", "refuse", "refuse", "none", "refuse"]


def test_a_seed_of_its_own_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that draws faults from a seed of its own logs it as a warning, so that a failed run can be repeated."""
    with FaultProxy(faults=[Fault.refuse()]) as proxy:
        assert f"seed={proxy.seed}" in caplog.records[-1].getMessage()
        assert caplog.records[-1].levelname == "WARNING"


def test_random_faults_at_a_rate(plain: Origin) -> None:
    """About the given share of the tunnels is struck, and exactly what is counted; the rate can be changed."""
    with FaultProxy(faults=[Fault.refuse()], rate=0.3, seed=3) as proxy:
        failed = 0
        for _ in range(100):
            with contextlib.suppress(Failed):
                attempt(proxy, plain, context=None)
                continue
            failed += 1
        assert 15 <= failed <= 45
        assert proxy.struck["refuse"] == failed == proxy.drawn["refuse"]
        proxy.set_random([Fault.refuse()], 1.0)
        with pytest.raises(Failed):
            attempt(proxy, plain, context=None)


def test_wrong_settings_are_refused() -> None:
    """A kind that does not exist and a rate that is no share are ValueErrors."""
    with pytest.raises(ValueError):
        FaultProxy("ftp")
    with pytest.raises(ValueError):
        FaultProxy(rate=5)
    with pytest.raises(ValueError):
        FaultProxy("relay")
    with pytest.raises(ValueError):
        FaultProxy("https")
    with pytest.raises(ValueError):
        FaultProxy("http", target="127.0.0.1:1")


def test_waiting_ends_with_its_time(proxy: FaultProxy) -> None:
    """`wait_for` says False when what it waits for did not come."""
    assert proxy.wait_for(lambda: proxy.opened == 1, 0.05) is False


def test_a_stalled_tunnel_ends_with_its_client(proxy: FaultProxy, origin: Origin, certificates: Certificates) -> None:
    """A stall is over at once when the client closes, at the server too."""
    proxy.script(Fault.tls_stall())
    with Client(proxy) as client:
        client.connect("localhost", origin.port)
        client.sock.sendall(b"\x16\x03\x01\x00\x05hello")
        assert proxy.wait_for(lambda: proxy.struck["tls_stall"] == 1)
        assert proxy.open_now == 1
    assert proxy.wait_for(lambda: proxy.open_now == 0)


def test_nothing_is_left_behind() -> None:
    """Closing with a hundred tunnels in every state, stalled ones among them, leaves no thread and no descriptor, and every client sees its end."""
    before = set(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    plain = Origin(None)
    clients = []
    with FaultProxy() as proxy:
        for turn in range(100):
            proxy.script((Fault.tls_stall(), Fault.never_answer(), Fault.drip_connect(bytes_per_second=1), Fault.NONE)[turn % 4])
            client = Client(proxy)
            client.sock.sendall(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % plain.port + (b"\x16\x03\x01" if turn % 4 == 0 else request()))
            clients.append(client)
        assert proxy.wait_for(lambda: sum(proxy.struck.values()) == 75 and proxy.open_now == 100)
    assert proxy.open_now == 0
    for client in clients:
        with contextlib.suppress(ConnectionResetError):
            client.rest()
        client.sock.close()
    plain.close()
    assert becomes(lambda: threading.active_count() <= threads)
    assert becomes(lambda: set(os.listdir("/proc/self/fd")) <= before)
    proxy.close()  # twice is no harm


def test_many_tunnels_at_once(proxy: FaultProxy, certificates: Certificates) -> None:
    """Three hundred tunnels stand at the same time, and each carries its own call."""
    origin = Origin(None)
    try:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(proxy, 60)) for _ in range(300)]
            for client in clients:
                client.connect("localhost", origin.port)
            assert proxy.open_now == 300
            with ThreadPoolExecutor(8) as pool:
                assert list(pool.map(lambda client: client.ask(), clients)) == [ANSWER] * 300
        assert len(origin.done) == 300
        assert proxy.wait_for(lambda: proxy.open_now == 0)
    finally:
        origin.close()


def test_a_slow_server_slows_the_client(proxy: FaultProxy, plain: Origin) -> None:
    """What the server does not read is not collected in the proxy; once it reads, all of it arrives."""
    plain.reading.clear()
    body = os.urandom(1_000_000) * 40
    with Client(proxy, 20) as client:
        client.connect("localhost", plain.port)
        writer = threading.Thread(target=client.sock.sendall, args=(request(body),))
        writer.start()
        assert not proxy.wait_for(lambda: proxy.bytes_up > 20_000_000, 0.3)
        plain.reading.set()
        writer.join()
        assert client.exactly(len(ANSWER)) == ANSWER
    assert plain.done == [request(body)]


def test_round_trip_time_without_a_loss_of_throughput(plain: Origin) -> None:
    """A CONNECT and a call take a round trip each; forty megabytes at once take little more than one."""

    def longest_of_two() -> float:
        with Client(proxy) as client:
            seconds = [took(lambda: client.connect("localhost", plain.port)), took(client.ask)]
        assert min(seconds) >= 0.1
        return max(seconds)

    with FaultProxy(rtt=0.1) as proxy:
        assert soon(0.25, longest_of_two)
        with Client(proxy, 80) as client:
            client.connect("localhost", plain.port)
            upload = took(lambda: client.ask(request(bytes(40_000_000))))
    assert 0.1 <= upload < 30, "a window of 64 KB each round trip would take a minute"


def test_round_trip_time_without_a_talk(plain: Origin) -> None:
    """Where no answer says that the tunnel stands, the TCP handshake with the server still takes its round trip."""

    def ask_once() -> float:
        with Client(proxy) as client:
            seconds = took(client.ask)
        assert seconds >= 0.2
        return seconds

    with FaultProxy("relay", target=f"127.0.0.1:{plain.port}", rtt=0.1) as proxy:
        assert soon(0.4, ask_once)


def test_a_relay(origin: Origin, certificates: Certificates) -> None:
    """A relay leads every connection to its target without a word, and its faults strike as in a proxy."""
    with FaultProxy("relay", target=f"127.0.0.1:{origin.port}") as proxy:
        assert proxy.url_for("https") == f"https://127.0.0.1:{proxy.port}"
        for fault, stage in ((Fault.NONE, "answered"), (Fault.tls_drop(), "tls"), (Fault.bad_gateway(), "tls"), (Fault.cut_before_answer(), "sent")):
            proxy.script(fault)
            with Client(proxy) as client:
                with contextlib.suppress(OSError):
                    client.tls(certificates.client)
                    client.ask()
                assert client.stage == stage
    assert origin.done == [request(), request()]
    assert proxy.targets[0] == TunnelTarget("relay", "127.0.0.1", origin.port)


def test_a_proxy_spoken_to_inside_tls(plain: Origin, certificates: Certificates) -> None:
    """With the kind "https" the talk and the tunnel run inside TLS, large bodies and half closed tunnels included."""
    with FaultProxy("https", tls=certificates.server, username="user", password="secret") as proxy:
        assert proxy.url == f"https://user:secret@127.0.0.1:{proxy.port}"
        big = request(os.urandom(5_000_000))
        with Client(proxy) as client:
            client.tls(certificates.client)
            assert client.connect("localhost", plain.port, basic("user", "secret")).startswith(b"HTTP/1.1 200 ")
            assert client.ask(big) == ANSWER
        with Client(proxy) as client:
            client.tls(certificates.client)
            assert client.connect("localhost", plain.port) == b"HTTP/1.1 407 Proxy Authentication Required"
            assert client.rest() == b""
        proxy.script(Fault.half_close(after_bytes=5))
        with Client(proxy) as client:
            client.tls(certificates.client)
            client.connect("localhost", plain.port, basic("user", "secret"))
            client.sock.sendall(request())
            assert client.rest() == ANSWER[:5]
            client.sock.sendall(request())
            assert plain.wait_for(lambda: len(plain.done) == 3)
        with Client(proxy) as client, contextlib.suppress(OSError):  # no TLS at all
            client.sock.sendall(b"CONNECT localhost:1 HTTP/1.1\r\n\r\n")
            client.rest()
        assert proxy.wait_for(lambda: proxy.open_now == 0)
    assert plain.done == [big, request(), request()]


def test_a_server_that_resets(proxy: FaultProxy) -> None:
    """When the server resets its side, the client sees the end of the stream, and the tunnel ends with the client."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Client(proxy) as client:
        client.connect("127.0.0.1", listener.getsockname()[1])
        server, _ = listener.accept()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        assert client.some() == b""
        client.sock.close()
        assert proxy.wait_for(lambda: proxy.open_now == 0)


def test_a_client_that_resets(proxy: FaultProxy, plain: Origin) -> None:
    """When the client resets its side in the middle of an upload, the tunnel and the server's connection end."""
    with Client(proxy) as client:
        client.connect("localhost", plain.port)
        client.sock.sendall(request(bytes(100_000))[:50_000])
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert proxy.wait_for(lambda: proxy.open_now == 0)
    assert plain.wait_for(lambda: len(plain.broken) == 1)


def test_it_starts_again(plain: Origin) -> None:
    """A closed proxy starts again on its port; a running one does not start twice."""
    proxy = FaultProxy()
    ports = []
    for _ in range(2):
        with proxy:
            ports.append(proxy.port)
            attempt(proxy, plain, context=None)
            with pytest.raises(RuntimeError):
                proxy.start()
    assert ports[0] == ports[1]
    with pytest.raises(RuntimeError):
        proxy.cut_all()


def test_a_limited_rate(plain: Origin) -> None:
    """A megabyte at two megabytes a second takes half a second."""

    def send_a_megabyte() -> float:
        with Client(proxy) as client:
            client.connect("localhost", plain.port)
            seconds = took(lambda: client.ask(request(bytes(1_000_000))))
        assert seconds > 0.35
        return seconds

    with FaultProxy(rate_limit_bytes=2_000_000) as proxy:
        assert soon(1.5, send_a_megabyte)


def start_command(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "syncbot.testing.proxy_main", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("by_signal", [True, False], ids=["sigterm", "stdin"])
def test_the_command(by_signal: bool) -> None:
    """The command prints where it is and its seed, serves with the faults it was given, and ends with its counters."""
    with start_command("--kind", "socks5h", "--seed", "5", "--script", "refuse:reset=0", "--fault", "tls_drop") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts == {"url": f"socks5h://127.0.0.1:{facts['port']}", "port": facts["port"], "seed": 5}
        with socket.create_connection(("127.0.0.1", facts["port"]), 20) as sock:
            assert sock.recv(1) == b""
        if by_signal:
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        summary = json.loads(process.stdout.readline())
        assert process.wait(30) == 0
        assert (summary["opened"], summary["struck"]) == (1, {"refuse": 1})


@pytest.mark.parametrize("arguments", [["--fault", "nothing"], ["--resolve", "x"]])
def test_a_wrong_argument_is_told(arguments: list[str]) -> None:
    """A fault or mapping that makes no sense ends the command with code 2 and says so."""
    with start_command(*arguments) as process:
        assert process.stderr is not None
        assert arguments[1] in process.stderr.read()
        assert process.wait(30) == 2


@pytest.mark.parametrize("wrong", ["tls_drop", Fault.tls_drop])
def test_a_fault_that_is_none_is_refused(wrong: Any) -> None:
    """It is told where it is given, and not by a tunnel that it would have struck."""
    with pytest.raises(TypeError, match=r"such as Fault\.tls_drop\(\)"):
        FaultProxy(faults=[wrong], rate=0.5, seed=1)
    with pytest.raises(TypeError, match=r"such as Fault\.tls_drop\(\)"):
        FaultProxy().script(Fault.NONE, wrong)


def test_a_proxy_that_was_not_started_has_no_url() -> None:
    """Port 0 would be a proxy that nobody reaches."""
    with pytest.raises(RuntimeError, match="use it with `with`"):
        _ = FaultProxy().url
