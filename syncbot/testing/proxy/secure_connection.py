"""The client's side of an HTTPS proxy: a connection in a loop that speaks TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable

from syncbot.testing.proxy.loop import Conn, Loop

_PIECE_BYTES = 262_144


class SecureConn(Conn):
    """A `Conn` whose peer is the client of a TLS connection; what `on_data` gets and `write` takes is in clear."""

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        pace: float,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(loop, sock, delay=0.0, pace=pace, on_data=on_data, on_lost=on_lost)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._machine = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken, self._over = False, False

    def write(self, data: bytes | memoryview, *, extra_delay: float = 0.0) -> None:
        """Encrypt and queue."""
        if data and self._shaken and not self.closed:
            with contextlib.suppress(ssl.SSLError):  # the end was written already
                self._machine.write(data)
        super().write(self._outgoing.read(), extra_delay=extra_delay)

    def end(self) -> None:
        """Say that there is no more, in TLS and below it."""
        if self._shaken and not self.closed:
            with contextlib.suppress(ssl.SSLError):  # it does not wait for the peer's
                self._machine.unwrap()
            super().write(self._outgoing.read())
        super().end()

    def _deliver(self, data: bytes) -> None:
        self._incoming.write(data)
        if not data:
            self._finish()
            return
        try:
            if not self._shaken:
                self._machine.do_handshake()
                self._shaken = True
            while not self.closed and (piece := self._machine.read(_PIECE_BYTES)):
                self._on_data(piece)
        except ssl.SSLWantReadError:
            super().write(self._outgoing.read())
        except ssl.SSLError:
            super().write(self._outgoing.read())
            self._on_lost()
        else:
            self._finish()

    def _finish(self) -> None:
        """The end came, by TLS or by TCP, whichever is first."""
        if not self._over and not self.closed:
            self._over = True
            self._on_data(b"")
