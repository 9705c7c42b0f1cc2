"""Odd input of every sort: the fake server answers properly, makes no mistake of its own, and goes on."""

from __future__ import annotations

import contextlib
import json
import random
import socket
from typing import Any

import pytest
from kits.server_kit import client_of, multipart, raw_socket

from syncbot.client.api.table import find_method, method_names
from syncbot.testing import TEST_TOKEN, BotApiServer

WORDS = ["", "x", "<b>", "*_`[", "/start @abcdef https://a.example", "\ud800", "😀" * 3, "1", "true", "{}", "attach://x", "@g", "x" * 5000, "\x00", "HTML"]
NUMBERS = [0, -1, 1, 42, 2**63, -(2**70), 10**30, 1.5, 1e308]
KEYS = ["type", "media", "text", "offset", "length", "inline_keyboard", "message_id", "chat_id", "url", "callback_data", "emoji", "tasks", "html", "user"]


def odd(source: random.Random, depth: int = 0) -> Any:
    match source.randrange(7):
        case 0:
            return source.choice(NUMBERS)
        case 1 | 2:
            return source.choice(WORDS)
        case 3:
            return source.choice([True, False, None])
        case 4 if depth < 3:
            return [odd(source, depth + 1) for _ in range(source.randrange(4))]
        case 5 if depth < 3:
            return {source.choice(KEYS): odd(source, depth + 1) for _ in range(source.randrange(5))}
    return 42


@pytest.mark.parametrize("seed", range(3))
def test_odd_parameters(seed: int) -> None:
    """Any method with any values is answered in the envelope, never with a mistake of the server."""
    source = random.Random(seed)
    names = [name for name in method_names() if name != "getUpdates"]
    with BotApiServer(any_chat=True) as server, client_of(server) as client:
        file_id = server.add_file(b"x")
        for _ in range(400):
            spec = find_method(source.choice(names))
            assert spec is not None
            params = {name: odd(source) for name, parameter in spec.parameters.items() if parameter.required or source.random() < 0.3}
            for name, good in (("chat_id", 42), ("from_chat_id", 42), ("user_id", 42), ("message_id", source.randrange(50)), ("photo", file_id)):
                if name in params and source.random() < 0.8:
                    params[name] = good
            client.call(spec.name, **params)
        assert [problem for problem in server.problems if "failed" in problem] == []
        assert server.count_status(200) > 20


def proper_requests() -> list[bytes]:
    body = json.dumps({"chat_id": 42, "text": "x"}).encode()
    parts = multipart({"document": ("d.txt", b"content")}, {"chat_id": 42})
    path = f"/bot{TEST_TOKEN}"
    return [
        f"GET {path}/getMe?a=b HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        f"POST {path}/sendMessage HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body,
        f"POST {path}/sendDocument HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=the=boundary\r\nContent-Length: {len(parts)}\r\n\r\n".encode()
        + parts,
        f"POST {path}/sendMessage HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode()
        + body
        + b"\r\n0\r\n\r\n",
    ]


def mutated(source: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(source.randrange(1, 6)):
        at = source.randrange(len(changed))
        match source.randrange(4):
            case 0:
                changed[at] = source.randrange(256)
            case 1:
                del changed[at : at + source.randrange(1, 20)]
            case 2:
                changed[at:at] = source.choice([b"\r\n", b"\r\n\r\n", b"--", b"\x00", b"%", b"9999999999", b":", b"\xff\xfe"])
            case 3:
                changed[at:at] = changed[at : at + 30]
        changed = changed or bytearray(b"x")
    return bytes(changed)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_requests(seed: int) -> None:
    """Requests with bytes changed, lost, added and doubled leave no thread, no open connection and no mistake; the next client is served."""
    source = random.Random(seed)
    with BotApiServer(any_chat=True) as server:
        for _ in range(150):
            with raw_socket(server) as sock, contextlib.suppress(ConnectionError):
                sock.sendall(mutated(source, source.choice(proper_requests())))
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65_536):
                    pass
        server.wait_closed()
        assert [problem for problem in server.problems if "failed" in problem] == []
        with client_of(server) as client:
            client.ok("getMe")
