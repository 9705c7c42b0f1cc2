"""A peer on this machine that answers every connection with the same bytes."""

from __future__ import annotations

import contextlib
import socket
import threading


class Peer:
    """Accepts connections one after the other; each gets `answer` when its first bytes have come, and is then read to its end."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="fuzz-peer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5.0)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10.0)
                if connection.recv(65_536):
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass
