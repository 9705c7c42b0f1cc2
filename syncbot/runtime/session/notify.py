"""Tells systemd how the service is, by the protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import contextlib
import socket


class ServiceNotifier:
    """Sends READY, WATCHDOG and STOPPING; does nothing where no service manager listens.

    Args:
        address: the value of NOTIFY_SOCKET ("" for none): a path, or "@" and the name of an abstract socket.
        watchdog_usec: the value of WATCHDOG_USEC ("" for none).
    """

    def __init__(self, address: str = "", watchdog_usec: str = "") -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds = int(watchdog_usec) / 1e6 if watchdog_usec.isdecimal() else 0.0
        """How often systemd wants to hear from the service at least; 0.0 when it does not."""

    def ready(self, status: str = "") -> None:
        """The bot has started; `status` is what `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """All is well; to be sent at least every `watchdog_seconds`."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The bot is about to stop."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A service manager that has gone away is no reason for the bot to fail.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier:
            notifier.settimeout(1.0)
            notifier.sendto(message.encode(), self._address)
