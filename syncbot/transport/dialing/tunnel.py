"""What is said to a proxy before the tunnel stands, and what it answers: HTTP CONNECT, and SOCKS5 where all of it is said at once."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable

from syncbot.secret import Secret
from syncbot.types import Proxy

_MAX_PROXY_HEAD_BYTES = 16_384
_SOCKS5, _NO_PASSWORD, _PASSWORD, _CONNECT = 5, 0, 2, 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}

Receive = Callable[[], bytes]
"""Receives some bytes, none at the end of the stream."""


class TunnelRefused(OSError):
    """The proxy answered with something else than a tunnel."""

    def __init__(self, text: str, *, wants_credentials: bool = False) -> None:
        super().__init__(text)
        self.wants_credentials = wants_credentials


def authorization_line(proxy: Proxy) -> Secret[str]:
    """The line of the Proxy-Authorization header (RFC 7617, UTF-8), with its end; empty without credentials."""
    if not proxy.username:
        return Secret("")
    return Secret(f"Proxy-Authorization: Basic {base64.b64encode(f'{proxy.username}:{proxy.password}'.encode()).decode('ascii')}\r\n")


def connect_head(target: str, proxy: Proxy) -> Secret[bytes]:
    """CONNECT to a target, a host and a port, as RFC 9110 section 9.3.6 has it."""
    return Secret(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization_line(proxy).reveal()}\r\n".encode("ascii"))


def read_connect_answer(receive: Receive, proxy: Proxy) -> bytes:
    """Read the answer to CONNECT; returns what came after it.

    Raises:
        TunnelRefused: it is no tunnel.
    """
    head, rest = _read_head(receive)
    version, _, status = head.partition(b"\r\n")[0].partition(b" ")
    code = status[:3].decode("ascii", "replace")
    if not version.startswith(b"HTTP/1."):
        raise TunnelRefused("the proxy's answer to CONNECT is not HTTP; is it a proxy of this kind?")
    if code in ("407", "401"):  # tinyproxy answers 401 to credentials that are wrong, 407 to none
        hint = "it refused this user and password" if proxy.username else "write them into its URL: http://user:password@host:port"
        raise TunnelRefused(f"the proxy wants a user and a password ({code}); {hint}", wants_credentials=True)
    if not code.startswith("2"):
        raise TunnelRefused(f"the proxy refused the tunnel with status {code}")
    return rest


def _read_head(receive: Receive) -> tuple[bytes, bytes]:
    """The header of the answer to CONNECT, and what came after it."""
    data = b""
    while len(data) < _MAX_PROXY_HEAD_BYTES:
        chunk = receive()
        if not chunk:
            raise TunnelRefused("the proxy closed the connection instead of answering CONNECT")
        data += chunk
        head, end, rest = data.partition(b"\r\n\r\n")
        if end:
            return head, rest
    raise TunnelRefused("the proxy's answer to CONNECT has no end")


def socks5_talk(host: str, port: int, proxy: Proxy) -> Secret[bytes]:
    """Greeting, credentials and request of SOCKS5 (RFC 1928 and 1929), for a proxy that is not waited for: one method is offered,
    so that its choice is known.

    Args:
        host: an address, or a name that the proxy looks up.
        port: where to.
        proxy: whose credentials are used.
    """
    greeting = Secret(bytes([_SOCKS5, 1, _NO_PASSWORD]))
    if proxy.username or proxy.password:
        user, password = _counted(Secret(proxy.username)), _counted(Secret(proxy.password))
        greeting = Secret(bytes([_SOCKS5, 1, _PASSWORD, 1]) + user.reveal() + password.reveal())
    return Secret(greeting.reveal() + bytes([_SOCKS5, _CONNECT, 0]) + _socks5_address(host) + port.to_bytes(2))


def _counted(text: Secret[str]) -> Secret[bytes]:
    """A text with its length before it."""
    return Secret(bytes([len(text.reveal().encode())]) + text.reveal().encode())


def _socks5_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def read_socks5_answers(receive: Receive, proxy: Proxy) -> bytes:
    """Read the answers to all of `socks5_talk`; returns what came after them.

    Raises:
        TunnelRefused: it is no tunnel.
    """
    front = _Front(receive)
    wanted = _PASSWORD if proxy.username or proxy.password else _NO_PASSWORD
    if front.take(2) != bytes([_SOCKS5, wanted]):
        raise TunnelRefused("the proxy wants to be greeted in another way")
    if wanted == _PASSWORD and front.take(2)[1] != 0:
        raise TunnelRefused("the proxy refused the user and password", wants_credentials=True)
    version, code, _, kind = front.take(4)
    if version != _SOCKS5 or code != 0:
        raise TunnelRefused(f"the proxy refused the tunnel with code {code}")
    front.take((front.take(1)[0] if kind == _NAME else _ADDRESS_BYTES.get(kind, 4)) + 2)
    return front.rest


class _Front:
    """Takes bytes off the front of what comes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.rest = b""

    def take(self, size: int) -> bytes:
        """The next bytes, so many."""
        while len(self.rest) < size:
            chunk = self._receive()
            if not chunk:
                raise TunnelRefused("the proxy closed the connection instead of answering")
            self.rest += chunk
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken
