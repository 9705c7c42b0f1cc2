"""A service manager for tests: what systemd is to a service."""

from __future__ import annotations

import select
import socket

from kits.runtime_kit import SECONDS


class Manager:
    """A service manager: takes datagrams at an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(SECONDS)

    def next(self) -> str:
        """The next message."""
        return self._socket.recv(4096).decode()

    def drain(self) -> list[str]:
        """All that is there."""
        self._socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            self._socket.settimeout(SECONDS)
            return found

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing comes for a time."""
        return not select.select([self._socket], [], [], seconds)[0]

    def close(self) -> None:
        """Go away."""
        self._socket.close()
