"""One TLS context for all connections: loading the CA certificates costs more than a whole handshake."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncbot.errors import ConfigError
from syncbot.process import ForkSafeLock
from syncbot.regular import opener

_SESSION_SECONDS = 3600.0
"""A certificate is checked in full at least this often, whatever lifetime the server gives its session tickets."""
_FRUITLESS_READS = 3
_FAILURES_IN_A_ROW = 2
"""A handshake that ends without a word of TLS says little about the session that was offered in it; so many do."""
_NOT_RESUMED = 5
"""So many connections that were not resumed, though there is a session, mean that the server knows it no more; fewer may have been opened before it."""
NOT_YET_VALID, EXPIRED = 9, 10  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED in OpenSSL's x509_vfy.h
"""What `NetworkError.verify_code` holds for a certificate that is not valid at this time."""


@dataclass
class _Remembered:
    session: ssl.SSLSession | None = None
    until: float = 0.0
    fruitless_reads: int = 0
    failures: int = 0
    not_resumed: int = 0

    @property
    def usable(self) -> ssl.SSLSession | None:
        return self.session if self.until > time.monotonic() else None


class _Socket(ssl.SSLSocket):
    """Closes itself where the connection is gone before the handshake: `ssl` would leave that to the garbage collector."""

    def getpeername(self) -> Any:
        """The first thing that is asked of a new one, and an error if it is not connected."""
        try:
            return super().getpeername()
        except OSError as problem:
            self.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, f"the connection was gone before the handshake: {problem.strerror}") from None


class Tls:
    """Makes the shared `ssl.SSLContext` at the first use.

    Args:
        ca_file: PEM file of the CA certificates to trust instead of certifi's.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._sessions: dict[tuple[str, int], _Remembered] = {}
        self._lock = ForkSafeLock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The shared context: TLS 1.2 or newer, certificate and host name checked.

        Raises:
            ConfigError: the CA file cannot be read.
        """
        if self._context is None:
            with self._lock.here:
                self._context = self._context or self._load()
        return self._context

    def wrap(self, sock: socket.socket, host: str, port: int) -> ssl.SSLSocket:
        """Make the handshake, resuming the last session with this server where there is one: that saves the certificates and their check.

        Raises:
            OSError: the handshake failed; where the session may be why, it is forgotten.
        """
        known = self._sessions.setdefault((host, port), _Remembered())
        try:
            wrapped = self.context().wrap_socket(sock, server_hostname=host.rstrip("."), session=known.usable)
        except OSError as problem:
            known.failures += 1
            said_why = isinstance(problem, ssl.SSLError) and not isinstance(problem, ssl.SSLEOFError)
            if said_why or known.failures >= _FAILURES_IN_A_ROW:
                known.session = None
            raise
        known.failures = 0
        return wrapped

    def remember(self, sock: ssl.SSLSocket, host: str, port: int) -> None:
        """Keep the session of a connection on which something was read: in TLS 1.3 the tickets come after the handshake.

        Reading `SSLSocket.session` leaks 6.5 KB on some versions of Python (python/cpython#116810), so it is read only where the handshake was
        a full one and there is no session yet, or none that the server takes; and no more after some such reads that led to no resumption.
        """
        known = self._sessions.setdefault((host, port), _Remembered())
        if sock.session_reused:
            known.fruitless_reads = known.not_resumed = 0
            return
        if known.usable is not None:
            known.not_resumed += 1
            if known.not_resumed < _NOT_RESUMED:
                return
        known.not_resumed = 0
        if known.fruitless_reads < _FRUITLESS_READS:
            known.fruitless_reads += 1
            known.session = sock.session
            known.until = time.monotonic() + _SESSION_SECONDS

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslsocket_class = _Socket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        ca_file = str(self._ca_file) if self._ca_file is not None else _certifi_file()
        try:
            with open(ca_file, "rb", opener=opener):  # OpenSSL would wait for a named pipe
                context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as problem:
            reason = problem.strerror or type(problem).__name__
        else:
            return context
        raise ConfigError(
            f"ca_file: {ca_file} cannot be used ({reason}); give the path of a readable PEM file with CA certificates, "
            'for example "/etc/ssl/certs/ca-certificates.crt"'
        )


def _certifi_file() -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH  # deferred: only needed without a file of one's own

    return str(DEFAULT_CA_BUNDLE_PATH)


def describe_tls_error(error: BaseException) -> tuple[str, bool]:
    """What went wrong in a handshake, and whether trying again can help.

    A certificate that is not valid yet is worth another try: it means that this machine's clock has not been set yet, as on a router at boot.
    """
    if not isinstance(error, ssl.SSLCertVerificationError):
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        return f"TLS handshake failed ({reason})", True
    early = error.verify_code == NOT_YET_VALID
    hint = "; is this machine's clock right?" if error.verify_code in (NOT_YET_VALID, EXPIRED) else ""
    return f"the server's certificate is not accepted ({error.verify_message}){hint}", early
