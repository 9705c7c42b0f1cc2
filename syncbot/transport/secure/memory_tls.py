"""TLS over memory buffers: what is sent and received passes through our hands, and so may travel with something else."""

from __future__ import annotations

import io
import os
import socket
import ssl
from contextlib import suppress
from typing import Any, cast

from syncbot.transport.secure.hello import HELLO_BYTES

_CHUNK_BYTES = 65_536


class MemoryTls:
    """The client's side of TLS, spoken through a connected socket, which may be TLS itself: what `http.client` and the dialer use of a socket.

    Args:
        sock: what it is spoken through; closed with it.
        context: of the client.
        host: the server's name.
        session: to be resumed, of this context; None for none.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None = None) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        self.flight = b""
        """The beginning of what was received."""
        self._files = 0
        self._closed = False

    @property
    def context(self) -> ssl.SSLContext:
        """The client's context."""
        return self._tls.context

    def first_flight(self) -> bytes:
        """The ClientHello, for whoever sends it himself; before `advance`."""
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outgoing.read()

    def feed(self, data: bytes) -> None:
        """Take what has been received; nothing at the end of the stream."""
        if not data:
            self._incoming.write_eof()
            return
        self._incoming.write(data)
        if len(self.flight) < HELLO_BYTES:
            self.flight += data[:HELLO_BYTES]

    def advance(self) -> bool:
        """Go on with the handshake; False where more has to be received for it.

        What its end has to say (TLS 1.3's Finished) waits for the first bytes that are sent, or for `flush`, and leaves with them in one segment: a relay
        that gathers small writes (Nagle) would hold the second of two until the first is acknowledged, a round trip later.

        Raises:
            OSError: it failed; `ssl.SSLError` where TLS says why.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return False
        except ssl.SSLError:
            with suppress(OSError):
                self.flush()  # the alert, which tells the server why
            raise
        return True

    def sendall(self, data: Any) -> None:
        """Send all of these bytes."""
        view = memoryview(data).cast("B")
        for begin in range(0, len(view), _CHUNK_BYTES):
            piece = view[begin : begin + _CHUNK_BYTES]
            while piece:
                piece = piece[self._tls.write(piece) :]  # a record each, and they leave together
            self.flush()

    def flush(self) -> None:
        """Send what TLS has to say, without waiting for more."""
        if self._outgoing.pending:
            self._sock.sendall(self._outgoing.read())

    def check(self) -> None:
        """Raise OSError where the connection is known to be broken: nothing that is sent now would leave."""
        if error := self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    def recv_into(self, buffer: Any) -> int:
        """Receive into a buffer; 0 at the end of the stream, also where it is cut without a word."""
        view = memoryview(buffer).cast("B")
        while True:
            try:
                return self._tls.read(len(view), view)  # type: ignore[return-value]  # with a buffer it returns a number
            except ssl.SSLWantReadError:
                self.flush()  # what TLS itself has to say, such as new keys
                self.feed(self._sock.recv(_CHUNK_BYTES))
            except ssl.SSLEOFError:
                return 0

    def recv(self, size: int) -> bytes:
        """Receive so many bytes at most; none at the end of the stream."""
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer)])

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """A file to read from; it keeps the connection until it is closed too."""
        self._files += 1
        return io.BufferedReader(socket.SocketIO(cast(socket.socket, self), "r"))  # all that it uses of one is here

    def _decref_socketios(self) -> None:
        """A file of `makefile` was closed."""
        self._files -= 1
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close the connection, as soon as no file reads from it."""
        self._closed = True
        if self._files <= 0:
            self._sock.close()

    def settimeout(self, seconds: float | None) -> None:
        """As of a socket."""
        self._sock.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """As of a socket."""
        return self._sock.gettimeout()

    def getsockopt(self, level: int, option: int) -> int:
        """As of a socket."""
        return self._sock.getsockopt(level, option)

    def fileno(self) -> int:
        """As of a socket."""
        return self._sock.fileno()

    def getpeercert(self) -> dict[str, Any] | None:
        """The server's certificate."""
        return self._tls.getpeercert()

    def version(self) -> str | None:
        """The version of TLS."""
        return self._tls.version()

    @property
    def session(self) -> ssl.SSLSession | None:
        """To be resumed by a later connection."""
        return self._tls.session

    @property
    def session_reused(self) -> bool:
        """Whether the handshake resumed a session."""
        return bool(self._tls.session_reused)
