"""A small server and a small client of our own, so that the proxy is tested by something that shares no code with it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import trustme

from syncbot.testing.proxy.fault_proxy import FaultProxy

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"a" * 300


class Origin:
    """Answers each whole request with `ANSWER`, and knows which it carried out; over TLS 1.3, TLS 1.2 or neither."""

    def __init__(self, tls: ssl.SSLContext | None, *, family: socket.AddressFamily = socket.AF_INET, hang_up: bool = False) -> None:
        self.done: list[bytes] = []
        self.broken: list[bytes] = []
        self.connections = 0
        self.gate = threading.Event()
        self.reading = threading.Event()
        self.gate.set()
        self.reading.set()
        self.changed = threading.Condition()
        self._tls, self._hang_up = tls, hang_up
        self._listener = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family, backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def wait_for(self, predicate: Callable[[], object], timeout: float = 40.0) -> bool:
        with self.changed:
            return bool(self.changed.wait_for(predicate, timeout))

    def close(self) -> None:
        self.gate.set()
        self.reading.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        with self.changed:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                self.connections += 1
                self._open.add(sock)
                self.changed.notify_all()
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, raw: socket.socket) -> None:
        self.reading.wait()
        got = bytearray()
        sock = raw
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(raw, server_side=True)
            while self._one(sock, got) and not self._hang_up:
                got.clear()
        except OSError:
            pass
        finally:
            with self.changed:
                if got:
                    self.broken.append(bytes(got))
                self._open.discard(raw)
                self.changed.notify_all()
            sock.close()

    def _one(self, sock: socket.socket, got: bytearray) -> bool:
        """Read one request, and answer it; False at the end of the stream."""
        while (end := got.find(b"\r\n\r\n")) < 0:
            if not (data := sock.recv(65_536)):
                return False
            got += data
        size = end + 4 + int(got[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        while len(got) < size:
            if not (data := sock.recv(262_144)):
                return False
            got += data
        with self.changed:
            self.done.append(bytes(got))
            got.clear()
            self.changed.notify_all()
        self.gate.wait()
        sock.sendall(ANSWER)
        return True


@dataclass(frozen=True)
class Certificates:
    """A test authority, and contexts for both sides."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def make_certificates() -> Certificates:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(server, client)


def request(body: bytes = b"b" * 500) -> bytes:
    return b"POST /send HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Failed(Exception):
    """The client got no further than `stage`: "connect", "proxy", "tls", "sent"."""

    def __init__(self, stage: str, received: bytes = b"") -> None:
        super().__init__(stage)
        self.stage, self.received = stage, received


class Client:
    """One connection through the proxy, with a deadline in total.

    Knows how far it came, which is the truth that a fault's phase is held against.
    """

    def __init__(self, proxy: FaultProxy, timeout: float = 20.0) -> None:
        self._end = time.monotonic() + timeout
        self.stage = "connect"
        self.received = b""
        self.sock = socket.create_connection(("127.0.0.1", proxy.port), timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.some(size - len(data))
            if not piece:
                raise ConnectionError("the end of the stream")
            data += piece
        return data

    def some(self, size: int = 65_536) -> bytes:
        self.sock.settimeout(max(0.001, self._end - time.monotonic()))
        return self.sock.recv(size)

    def rest(self) -> bytes:
        """Everything to the end of the stream."""
        data = b""
        while piece := self.some():
            data += piece
        return data

    def connect(self, host: str, port: int, headers: str = "") -> bytes:
        """HTTP CONNECT; returns the status line."""
        self.stage = "proxy"
        self.sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        return head.partition(b"\r\n")[0]

    def socks5(self, host: str, port: int, credentials: tuple[str, str] | None = None) -> int:
        """SOCKS5; returns the reply's code, 255 where no method was accepted, 254 where the password was not."""
        self.stage = "proxy"
        self.sock.sendall(b"\x05\x01\x02" if credentials else b"\x05\x01\x00")
        if (method := self.exactly(2)[1]) == 255:
            return 255
        if method == 2 and credentials:
            name, password = (text.encode() for text in credentials)
            self.sock.sendall(bytes([1, len(name)]) + name + bytes([len(password)]) + password)
            if self.exactly(2)[1]:
                return 254
        self.sock.sendall(b"\x05\x01\x00" + _socks_address(host) + struct.pack(">H", port))
        reply = self.exactly(4)
        self.exactly(6 if reply[3] == 1 else self.exactly(1)[0] + 2)
        return reply[1]

    def tls(self, context: ssl.SSLContext) -> None:
        self.stage = "tls"
        self.sock.settimeout(max(0.001, self._end - time.monotonic()))
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")

    def ask(self, data: bytes = b"") -> bytes:
        """One request and its answer."""
        self.stage = "sent"
        self.sock.sendall(data or request())
        self.received = b""
        while len(self.received) < len(ANSWER):
            if not (piece := self.some()):
                raise ConnectionError("the end of the stream")
            self.received += piece
        self.stage = "answered"
        return self.received


def _socks_address(host: str) -> bytes:
    for kind, family in ((b"\x01", socket.AF_INET), (b"\x04", socket.AF_INET6)):
        with contextlib.suppress(OSError):
            return kind + socket.inet_pton(family, host)
    return b"\x03" + bytes([len(host)]) + host.encode()


def attempt(proxy: FaultProxy, origin: Origin, *, protocol: str = "http", context: ssl.SSLContext | None, timeout: float = 20.0) -> Client:
    """One whole call on a connection of its own; returns the closed client. Raises `Failed`."""
    try:
        client = Client(proxy, timeout)
    except ConnectionResetError as problem:  # a connection that is reset at once may never look connected
        raise Failed("connect") from problem
    with client:
        try:
            if protocol == "http":
                if b" 200 " not in client.connect("localhost", origin.port):
                    raise Failed("proxy")
            elif client.socks5("localhost", origin.port):
                raise Failed("proxy")
            if context is not None:
                client.tls(context)
            client.ask()
        except OSError as problem:
            raise Failed(client.stage, client.received) from problem
    return client
