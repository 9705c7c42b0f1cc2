"""Ports of this machine that no other program takes meanwhile."""

from __future__ import annotations

import atexit
import socket

_KEPT: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, kept until the end: whoever is told may listen on it, and the system gives it to nobody else.

    A socket that is bound and does not listen keeps it. Until somebody listens there, whoever connects is refused.
    """
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    _KEPT.append(sock)
    return int(sock.getsockname()[1])


@atexit.register
def _let_go() -> None:
    for sock in _KEPT:
        sock.close()
