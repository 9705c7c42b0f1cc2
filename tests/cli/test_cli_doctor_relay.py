"""`syncbot doctor` on ways whose relay gathers small packets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.proxies_kit import programs, running
from kits.timing_kit import becomes

from syncbot.cli.doctor.probe import Probe
from syncbot.cli.doctor.relay import small_packets
from syncbot.cli.doctor.result import Status
from syncbot.config import Settings
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, TestCA
from syncbot.types import Proxy

ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@contextlib.contextmanager
def tls_server(ca: TestCA, serve: Callable[[ssl.SSLSocket, int], None]) -> Iterator[int]:
    """A TLS server that leaves each request to `serve`, with its connection's number; gives its port."""
    context, over = ca.server_context(), threading.Event()

    def accept() -> None:
        number = 0
        while not over.is_set():
            with contextlib.suppress(OSError):
                plain, _ = listener.accept()
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # it is not to be the one that waits
                with plain, context.wrap_socket(plain, server_side=True) as sock:
                    if sock.recv(4096):
                        serve(sock, number)
                        number += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            over.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join(20.0)
            assert not thread.is_alive()


@contextlib.contextmanager
def probe_of(ca: TestCA, port: int) -> Iterator[Probe]:
    """The doctor's probe of a server."""
    probe = Probe(Settings(token=TEST_TOKEN, base_url=f"https://127.0.0.1:{port}", ca_file=Path(ca.ca_file)))
    yield probe
    probe.close()


def test_an_answer_that_is_held_on_new_connections_is_told(ca: TestCA) -> None:
    """Where each connection that is used at once gets its answer later, that is worth a note with what to do at the relay."""

    def serve(sock: ssl.SSLSocket, number: int) -> None:
        threading.Event().wait(0.5 if number % 2 == 0 else 0.0)  # new ones and those that stood come in turn
        sock.sendall(ANSWER)

    with tls_server(ca, serve) as port, FaultProxy() as proxy, probe_of(ca, port) as probe:
        found = small_packets(probe, Proxy.parse(proxy.url))
    assert found.status is Status.NOTE
    assert "longer on a new connection" in found.text
    assert "--no-delay" in found.advice


def test_a_way_that_holds_nothing_is_well(ca: TestCA) -> None:
    """As soon on a new connection as on one that has stood."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy() as proxy, probe_of(ca, server.port) as probe:
        assert becomes(lambda: small_packets(probe, Proxy.parse(proxy.url)).status is Status.OK)


def test_no_answer_is_no_finding(ca: TestCA) -> None:
    """A server that hangs up before it answers: skipped, with the reason."""
    with tls_server(ca, lambda sock, number: None) as port, FaultProxy() as proxy, probe_of(ca, port) as probe:
        found = small_packets(probe, Proxy.parse(proxy.url))
    assert found.status is Status.SKIPPED
    assert "closed" in found.text


@pytest.mark.programs(*programs("shadowsocks"))
@pytest.mark.parametrize(("kind", "status"), [("shadowsocks", Status.NOTE), ("shadowsocks-no-delay", Status.OK)])
def test_shadowsocks_with_and_without_no_delay(kind: str, status: Status, ca: TestCA, tmp_path: Path) -> None:
    """A server that does not hang up after its answer, behind shadowsocks as it comes, and with TCP_NODELAY at both ends."""

    def serve(sock: ssl.SSLSocket, _number: int) -> None:
        sock.sendall(ANSWER)
        sock.recv(1)  # the answer's end of the stream would push it out

    with tls_server(ca, serve) as port, running(kind, tmp_path) as proxy, probe_of(ca, port) as probe:
        assert becomes(lambda: small_packets(probe, Proxy.parse(proxy)).status is status)


def test_the_doctor_looks_at_ways_through_a_proxy(command: Callable[..., Any], ca: TestCA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step stands in the report of a way through a proxy, and not in that of a direct one."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy() as proxy:
        monkeypatch.setenv("SYNCBOT_CA_FILE", ca.ca_file)
        monkeypatch.setenv("SYNCBOT_BASE_URL", server.url)
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", server.token)
        monkeypatch.setenv("SYNCBOT_PROXY", f"{proxy.url},direct")
        ended = command("doctor", "--watch", "0")
    assert ended.out.count("small packets") == 1
