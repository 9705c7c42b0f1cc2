"""What a server has chosen, read from the ServerHello, which goes in the clear: Python tells it from 3.15 on."""

from __future__ import annotations

X25519 = 0x001D
"""The number of the group in RFC 8446, section 4.2.7."""
HELLO_BYTES = 512
"""As much of the server's first flight as is needed: what the other side sends of its key comes at the end."""

_HANDSHAKE, _SERVER_HELLO, _KEY_SHARE = 22, 2, 51
_RECORD_HEAD_BYTES, _MESSAGE_HEAD_BYTES, _VERSION_AND_RANDOM_BYTES = 5, 4, 34


def chosen_group(flight: bytes) -> int | None:
    """The group of the server's key share; None where the bytes, the beginning of its first flight, tell of none, as in TLS 1.2."""
    if len(flight) < _RECORD_HEAD_BYTES + 1 or flight[0] != _HANDSHAKE or flight[_RECORD_HEAD_BYTES] != _SERVER_HELLO:
        return None
    at = _RECORD_HEAD_BYTES + _MESSAGE_HEAD_BYTES + _VERSION_AND_RANDOM_BYTES
    at += 1 + int.from_bytes(flight[at : at + 1])  # the session's id
    at += 5  # the cipher, no compression, the length of what follows
    end = at + int.from_bytes(flight[at - 2 : at])
    while at + 6 <= min(end, len(flight)):
        kind, size = int.from_bytes(flight[at : at + 2]), int.from_bytes(flight[at + 2 : at + 4])
        if kind == _KEY_SHARE:
            return int.from_bytes(flight[at + 4 : at + 6])
        at += 4 + size
    return None
