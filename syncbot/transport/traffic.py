"""Counts the bytes on the wire, for those who pay for them."""

from __future__ import annotations

import socket
import struct
import sys

from syncbot.process import ForkSafeLock

# struct tcp_info in Linux's include/uapi/linux/tcp.h: tcpi_bytes_acked and tcpi_bytes_received, both 64 bits, since Linux 4.1.
_BYTES_ACKED_OFFSET = 120
_TCP_INFO_BYTES = 136


class Traffic:
    """Bytes sent and received, TLS and proxy handshakes included, IP and TCP headers not.

    Counted by the kernel, and so on Linux only; elsewhere both stay 0.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self.sent_bytes = 0
        self.received_bytes = 0

    def add(self, sock: socket.socket) -> None:
        """Count what a connection has moved until now."""
        if not sys.platform.startswith("linux"):
            return
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        except OSError:
            return
        if len(info) >= _TCP_INFO_BYTES:
            acked, received = struct.unpack_from("=QQ", info, _BYTES_ACKED_OFFSET)
            with self._lock.here:
                self.sent_bytes += acked
                self.received_bytes += received

    def copy(self) -> Traffic:
        """One that counts on by itself."""
        copied = Traffic()
        with self._lock.here:
            copied.sent_bytes, copied.received_bytes = self.sent_bytes, self.received_bytes
        return copied
