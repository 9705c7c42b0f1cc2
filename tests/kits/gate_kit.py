"""A TCP gate between a program and a server of this machine: it lets everything through, cuts it, or goes silent as a network does that is away."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_PIECE_BYTES = 65_536


class Gate:
    """Listens on a port of its own and leads to another one. A context manager.

    Args:
        target: the port of 127.0.0.1 that it leads to.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._is_cut = self._is_closed = False
        self.refused = 0
        """How many connections were ended at once."""
        self.on_piece: Callable[[object, bool, bytes], object] = lambda _connection, _is_answer, _piece: None
        """Told of each piece before it goes on: of which connection it is, and whether the server has said it."""
        threading.Thread(target=self._accept, name="gate", daemon=True).start()

    def url(self, url: str) -> str:
        """The same URL, through the gate."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{self.port}"))

    def cut(self) -> None:
        """End all connections; new ones end at once."""
        with self._lock:
            self._is_cut = True
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _end(*pair)

    def mute(self) -> None:
        """Nothing goes through any more, either way, and nobody is told."""
        self._flowing.clear()

    def open(self) -> None:
        """Let everything through (again), also what was held back meanwhile."""
        with self._lock:
            self._is_cut = False
        self._flowing.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_closed = True
        self.cut()
        self._flowing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._flowing.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=20.0)
        except OSError:
            _end(near)
            return
        far.settimeout(None)
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (near, far)
        with self._lock:
            is_cut = self._is_cut
            if not is_cut:
                self._pairs.add(pair)
            self.refused += is_cut
        if is_cut:
            _end(*pair)
            return
        for source, sink in (pair, pair[::-1]):
            threading.Thread(target=self._carry, args=(source, sink, pair), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                self._flowing.wait()
                self.on_piece(pair, source is pair[1], piece)
                sink.sendall(piece)
        with self._lock:
            self._pairs.discard(pair)
        _end(*pair)


def _end(*socks: socket.socket) -> None:
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
