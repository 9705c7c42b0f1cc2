"""One TLS context for all connections, and a second one that offers less: loading the CA certificates costs more than a whole handshake."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from syncbot.errors import ConfigError
from syncbot.process import ForkSafeLock
from syncbot.regular import opener
from syncbot.transport.learned import Learned
from syncbot.transport.secure.hello import X25519, chosen_group
from syncbot.transport.secure.memory_tls import MemoryTls

_SESSION_SECONDS = 3600.0
"""A certificate is checked in full at least this often, whatever lifetime the server gives its session tickets."""
_FRUITLESS_READS = 3
_FAILURES_IN_A_ROW = 2
"""A handshake that ends without a word of TLS says little about the session that was offered in it; so many do."""
_NOT_RESUMED = 5
"""So many connections that were not resumed, though there is a session, mean that the server knows it no more; fewer may have been opened before it."""
_OFFERS_TWO_KEYS = (3, 5)
"""From this version on OpenSSL offers a post-quantum key beside the other one, and a ClientHello no longer fits one segment."""
_LEAN = "X25519"
_READ_BYTES = 65_536
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


class _Offer(NamedTuple):
    """What a handshake is begun with."""

    server: str
    context: ssl.SSLContext
    known: _Remembered
    lean: bool
    curious: bool
    """Its server's choice is to be learned."""


class Tls:
    """Makes the shared `ssl.SSLContext` at the first use, and makes handshakes with it.

    Args:
        ca_file: PEM file of the CA certificates to trust instead of certifi's.
        groups: the keys that are offered: "default" for all that the library has, "learn" for what the server was seen to take, or the name of one.
        learned: where it is written down what a server takes.

    Raises:
        ConfigError: there is no group of this name.
    """

    def __init__(self, ca_file: Path | None = None, groups: str = "default", learned: Learned | None = None) -> None:
        self._ca_file = ca_file
        self._learns = groups == "learn" and ssl.OPENSSL_VERSION_INFO >= _OFFERS_TWO_KEYS
        self._group = "" if groups in ("learn", "default") else groups
        self._learned = learned or Learned()
        self._sessions: dict[tuple[str, int, bool], _Remembered] = {}
        self._lock = ForkSafeLock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        if self._group:
            _offer_only(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self._group)

    def context(self) -> ssl.SSLContext:
        """The shared context: TLS 1.2 or newer, certificate and host name checked.

        Raises:
            ConfigError: the CA file cannot be read.
        """
        return self._context(self._group)

    def wrap(self, sock: socket.socket, host: str, port: int) -> ssl.SSLSocket | MemoryTls:
        """Make the handshake, resuming the last session with this server where there is one: that saves the certificates and their check.

        Raises:
            OSError: the handshake failed; where the session may be why, it is forgotten.
        """
        offer = self._offer(host, port)
        if offer.curious or isinstance(sock, ssl.SSLSocket | MemoryTls):
            memory = self._begin(sock, host, offer)
            self._shake(memory, offer, lambda: sock.recv(_READ_BYTES))
            return memory
        with self._watched(offer):
            return offer.context.wrap_socket(sock, server_hostname=host.rstrip("."), session=offer.known.usable)

    def over_memory(self, sock: socket.socket, host: str, port: int) -> MemoryTls:
        """A connection whose handshake is still to be made, and is given to `finish` for that."""
        return self._begin(sock, host, self._offer(host, port))

    def finish(self, memory: MemoryTls, host: str, port: int, receive: Callable[[], bytes]) -> None:
        """Make the handshake of a connection whose first flight has been sent; `receive` receives what is missing, nothing at the end of the stream.

        Raises:
            OSError: the handshake failed; where the session may be why, it is forgotten.
        """
        self._shake(memory, self._offer(host, port, memory.context), receive)

    def _begin(self, sock: socket.socket, host: str, offer: _Offer) -> MemoryTls:
        return MemoryTls(sock, offer.context, host.rstrip("."), offer.known.usable)

    def _shake(self, memory: MemoryTls, offer: _Offer, receive: Callable[[], bytes]) -> None:
        with self._watched(offer):
            while not memory.advance():
                memory.feed(receive())
        if offer.curious:  # not before it is complete: only then it is certain that nobody has tampered with the server's choice
            self._learned.chose(offer.server, lean=chosen_group(memory.flight) == X25519)

    def _offer(self, host: str, port: int, context: ssl.SSLContext | None = None) -> _Offer:
        """What the next handshake with a server is begun with, or was where its context is given."""
        server = server_name(host, port)
        facts = self._learned.server(server) if self._learns else None
        lean = facts is not None and facts.lean if context is None else self._is_lean(context)
        context = context or self._context(_LEAN if lean else self._group)
        return _Offer(server, context, self._known(host, port, lean=lean), lean, curious=self._learns and not lean and facts is None)

    def _is_lean(self, context: ssl.SSLContext) -> bool:
        return self._learns and context is self._contexts.get(_LEAN)

    def _known(self, host: str, port: int, *, lean: bool) -> _Remembered:
        """What is remembered of a server; a session is of the context that it was made with."""
        return self._sessions.setdefault((host, port, lean), _Remembered())

    @contextmanager
    def _watched(self, offer: _Offer) -> Iterator[None]:
        """A handshake within this teaches by how it ends."""
        known = offer.known
        try:
            yield
        except OSError as problem:
            known.failures += 1
            said_why = isinstance(problem, ssl.SSLError) and not isinstance(problem, ssl.SSLEOFError)
            if said_why or known.failures >= _FAILURES_IN_A_ROW:
                known.session = None
            if offer.lean:
                self._learned.doubt(offer.server)
            raise
        known.failures = 0

    def remember(self, sock: ssl.SSLSocket | MemoryTls, host: str, port: int) -> None:
        """Keep the session of a connection on which something was read: in TLS 1.3 the tickets come after the handshake.

        Reading `SSLSocket.session` leaks 6.5 KB on some versions of Python (python/cpython#116810), so it is read only where the handshake was
        a full one and there is no session yet, or none that the server takes; and no more after some such reads that led to no resumption.
        """
        known = self._known(host, port, lean=self._is_lean(sock.context))
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

    def _context(self, group: str) -> ssl.SSLContext:
        """The context that offers this group alone, or all of them for ""."""
        if group not in self._contexts:
            with self._lock.here:
                self._contexts[group] = self._contexts.get(group) or self._load(group)
        return self._contexts[group]

    def _load(self, group: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if group:
            _offer_only(context, group)
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


def server_name(host: str, port: int) -> str:
    """By which a server is known."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _offer_only(context: ssl.SSLContext, group: str) -> None:
    try:
        context.set_ecdh_curve(group)
    except (ValueError, ssl.SSLError):
        known = None
    else:
        return
    raise ConfigError(f'tls_groups: {group!r} is no group that the TLS library knows; write "learn", "default", or a name such as "X25519"') from known


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
