"""PySocks' socket, with lengths that are right above 127."""

from __future__ import annotations

from typing import Any

import socks


class SocksSocket(socks.socksocket):  # type: ignore[misc]  # PySocks ships no types
    """Writes the length of a user and a password as one byte each, as RFC 1929 has it.

    PySocks 1.7.1 writes them as UTF-8, which has two bytes from 128 on: no proxy understands that, and users of rented proxies can be that long.
    """

    def makefile(self, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """What PySocks writes the greeting, the credentials and the address through."""
        file = super().makefile(mode, *args, **kwargs)
        return _Corrected(file, *self._pairs()) if mode == "wb" else file

    def _pairs(self) -> tuple[bytes, bytes]:
        """The credentials as PySocks writes them, and as they have to be."""
        parts = [part or b"" for part in self.proxy[4:6]]
        return (
            b"\x01" + b"".join(chr(len(part)).encode() + part for part in parts),
            b"\x01" + b"".join(bytes([len(part)]) + part for part in parts),
        )


class _Corrected:
    """A file for writing that exchanges one text for another."""

    def __init__(self, file: Any, wrong: bytes, right: bytes) -> None:
        self._file = file
        self._wrong = wrong
        self._right = right

    def write(self, data: bytes) -> int:
        """Write, or write what was meant."""
        return int(self._file.write(self._right if data == self._wrong else data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
