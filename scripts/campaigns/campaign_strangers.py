"""The strangers of the flood: connections that bring no good request, and come again whenever they are closed. A process of its own.

    campaign_strangers.py PORT CONNECTIONS SECONDS [CA_FILE]

A quarter of them each drips the head of a request, sends empty lines, repeats requests that are refused, and sends half a body and then drips.
At the end a line of JSON says what became of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

PAUSE_SECONDS = 0.2
CONNECT_SECONDS = 15.0
ADDRESSES = 8  # of 127.0.0.0/8; 127.0.0.1 is the good ones'
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen at the connect, so that they do not run out
GUESSED = b"POST /hook HTTP/1.1\r\nHost: bot.example\r\nContent-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: guessed\r\n"


def _drip() -> Iterator[bytes]:
    yield b"POST /hook HTTP/1.1\r\nX-Long: "
    yield from itertools.repeat(b"a")


def _empty_lines() -> Iterator[bytes]:
    yield from itertools.repeat(b"\r\n")


def _refused() -> Iterator[bytes]:
    yield from itertools.cycle((b"GET /hook HTTP/1.1\r\nHost: bot.example\r\n\r\n", GUESSED + b"Content-Length: 2\r\n\r\n{}"))


def _half_a_body() -> Iterator[bytes]:
    yield GUESSED + b"Content-Length: 2000\r\n\r\n" + b" " * 1000
    yield from itertools.repeat(b" ")


KINDS = (_drip, _empty_lines, _refused, _half_a_body)


@dataclass
class Tally:
    """What became of all of them; lives in seconds."""

    connections: int = 0
    not_let_in: int = 0
    answers: int = 0
    open: int = 0
    most_open: int = 0
    longest_life: float = 0.0


async def _connect(address: str, port: int, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket()
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname="127.0.0.1" if tls else None)
    except BaseException:
        sock.close()
        raise


async def _live(pieces: Iterator[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends_at: float, tally: Tally) -> None:
    """Send one piece after the other, until the connection is closed."""
    with contextlib.suppress(OSError):
        for piece in pieces:
            writer.write(piece)
            with contextlib.suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(65_536), PAUSE_SECONDS):
                    return
                tally.answers += 1
            if time.monotonic() > ends_at:
                return


async def _stranger(number: int, port: int, tls: ssl.SSLContext | None, ends_at: float, tally: Tally) -> None:
    address = f"127.0.0.{2 + number // len(KINDS) % ADDRESSES}"
    while time.monotonic() < ends_at:
        try:
            reader, writer = await asyncio.wait_for(_connect(address, port, tls), CONNECT_SECONDS)
        except OSError:  # TimeoutError is one
            tally.not_let_in += 1
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        began = time.monotonic()
        tally.connections += 1
        tally.open += 1
        tally.most_open = max(tally.most_open, tally.open)
        await _live(KINDS[number % len(KINDS)](), reader, writer, ends_at, tally)
        writer.transport.abort()
        tally.open -= 1
        tally.longest_life = max(tally.longest_life, time.monotonic() - began)


async def _all(port: int, connections: int, seconds: float, tls: ssl.SSLContext | None) -> Tally:
    tally, ends_at = Tally(), time.monotonic() + seconds
    await asyncio.gather(*(_stranger(number, port, tls, ends_at, tally) for number in range(connections)))
    return tally


def main() -> None:
    """Flood, for as long as the command line says."""
    os.nice(10)  # they would have a machine of their own
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    tls = ssl.create_default_context(cafile=sys.argv[4]) if len(sys.argv) > 4 else None
    print(json.dumps(asdict(asyncio.run(_all(port, connections, seconds, tls)))))


if __name__ == "__main__":
    main()
