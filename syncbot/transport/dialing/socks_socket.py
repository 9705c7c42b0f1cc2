"""PySocks' socket, which never gets to see the credentials, and writes their lengths as they have to be."""

from __future__ import annotations

from typing import Any

import socks

from syncbot.secret import Secret
from syncbot.types import Proxy

_USER, _PASSWORD = "user", "password"
"""What PySocks knows instead, and writes into its variables."""
_SOCKS4 = _USER.encode()
_SOCKS5 = b"\x01\x04user\x08password"
"""What it writes of them."""


class SocksSocket(socks.socksocket):  # type: ignore[misc]  # PySocks ships no types
    """Puts the real user and password into what PySocks writes, with the length of each as one byte, as RFC 1929 has it.

    PySocks 1.7.1 writes lengths as UTF-8, which has two bytes from 128 on: no proxy understands that, and users of rented proxies can be that long.
    """

    _written: tuple[bytes, Secret[bytes]] | None = None

    def log_in(self, proxy: Proxy) -> None:
        """Use a proxy's credentials, as far as it has some; after `set_proxy`."""
        kind, host, port, rdns, *_ = self.proxy
        self.set_proxy(kind, host, port, rdns, _USER if proxy.username else None, _PASSWORD if proxy.password else None)
        if kind == socks.SOCKS4:
            self._written = _SOCKS4, Secret(proxy.username.encode())
        else:
            user, password = Secret(proxy.username.encode()), Secret(proxy.password.encode())
            lengths = len(user.reveal()), len(password.reveal())
            self._written = _SOCKS5, Secret(bytes([1, lengths[0]]) + user.reveal() + bytes([lengths[1]]) + password.reveal())

    def makefile(self, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """What PySocks writes the greeting, the credentials and the address through."""
        file = super().makefile(mode, *args, **kwargs)
        return _Corrected(file, *self._written) if mode == "wb" and self._written is not None else file


class _Corrected:
    """A file for writing that exchanges one text for another."""

    def __init__(self, file: Any, wrong: bytes, right: Secret[bytes]) -> None:
        self._file = file
        self._wrong = wrong
        self._right = right

    def write(self, data: bytes) -> int:
        """Write, or write what was meant."""
        return int(self._file.write(self._right.reveal() if data == self._wrong else data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
