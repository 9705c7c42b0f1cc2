"""The early opening: the proxy's part and the beginning of TLS are written together, in one segment, before anything is answered.

So every way through a proxy costs a round trip for TCP, one for all of the opening, and one for the call. It is no use with TLS within the proxy's own
answers only: SOCKS4 is not spoken so, and what goes to a plain-HTTP server has no handshake.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from syncbot.transport.dialing.tunnel import connect_head, read_connect_answer, read_socks5_answers, socks5_talk
from syncbot.transport.secure.memory_tls import MemoryTls
from syncbot.transport.secure.tls import Tls, server_name
from syncbot.types import Proxy

SCHEMES = ("http", "https", "socks5", "socks5h")
"""The proxies that may be spoken to so."""

_READ_BYTES = 65_536


def open_early(
    sock: socket.socket,
    proxy: Proxy,
    end: str,
    tls: Tls,
    server: tuple[str, int],
    *,
    seconds: float,
    tunnel_stands: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> MemoryTls:
    """Open a tunnel and TLS in it at once.

    Args:
        sock: connected to the proxy.
        proxy: spoken to.
        end: the server as the proxy is told of it, an address or a name.
        tls: makes the handshake.
        server: its host, by which its certificate is checked, and its port.
        seconds: how long all of it may take.
        tunnel_stands: told when the proxy's part is over.
        clock: seconds, never going backwards.

    Raises:
        OSError: it did not succeed; nothing of a request was written.
    """
    host, port = server
    ends_at = clock() + seconds

    def receive() -> bytes:
        sock.settimeout(max(0.001, ends_at - clock()))
        return sock.recv(_READ_BYTES)

    memory = tls.over_memory(sock, host, port)
    talk = socks5_talk(end, port, proxy) if proxy.is_socks else connect_head(server_name(end, port), proxy)
    # As a memoryview, which shows nothing in the frames of TLS's own Python code.
    sock.sendall(memoryview(talk.reveal() + memory.first_flight()))
    if flight := (read_socks5_answers if proxy.is_socks else read_connect_answer)(receive, proxy):
        memory.feed(flight)
    tunnel_stands()
    tls.finish(memory, host, port, receive)
    return memory
