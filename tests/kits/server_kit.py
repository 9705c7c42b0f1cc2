"""What the tests of the fake server share: a small client with a connection of its own, and raw sockets."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from syncbot.testing import BotApiServer


class Client:
    """Calls methods over one kept-alive connection."""

    def __init__(self, server: BotApiServer, token: str | None = None) -> None:
        self.server = server
        self.token = server.token if token is None else token
        if server.tls:
            context = ssl.create_default_context(cafile=server.ca_file)
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=40, context=context)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)

    def raw(self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        self.connection.request(verb, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def path(self, method: str) -> str:
        return f"/bot{quote(self.token, safe=':')}/{method}"

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a call as JSON; returns the envelope, checked against the HTTP status."""
        status, _, body = self.raw("POST", self.path(method), json.dumps(params).encode(), {"Content-Type": "application/json"})
        envelope: dict[str, Any] = json.loads(body)
        assert status == (200 if envelope["ok"] else envelope["error_code"])
        return envelope

    def ok(self, method: str, **params: Any) -> Any:
        envelope = self.call(method, **params)
        assert envelope["ok"], envelope
        return envelope["result"]

    def refused(self, method: str, **params: Any) -> str:
        envelope = self.call(method, **params)
        assert not envelope["ok"], envelope
        return str(envelope["description"])

    def form(self, method: str, **params: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        _, _, body = self.raw("POST", self.path(method), urlencode(params).encode(), headers)
        envelope: dict[str, Any] = json.loads(body)
        return envelope

    def upload(self, method: str, files: dict[str, tuple[str, bytes]], **params: Any) -> dict[str, Any]:
        headers = {"Content-Type": 'multipart/form-data; boundary="the=boundary"'}
        _, _, body = self.raw("POST", self.path(method), multipart(files, params), headers)
        envelope: dict[str, Any] = json.loads(body)
        return envelope

    def close(self) -> None:
        self.connection.close()


def multipart(files: dict[str, tuple[str, bytes]], params: dict[str, Any]) -> bytes:
    parts = []
    for name, value in params.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'--the=boundary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for name, (file_name, content) in files.items():
        shown = file_name.replace("\\", "\\\\").replace('"', '\\"')
        head = f'--the=boundary\r\nContent-Disposition: form-data; name="{name}"; filename="{shown}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--the=boundary--\r\n"


@contextmanager
def client_of(server: BotApiServer, token: str | None = None) -> Iterator[Client]:
    client = Client(server, token)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def raw_socket(server: BotApiServer) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=40) as sock:
        yield sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the server closes."""
    data = b""
    while piece := sock.recv(65_536):
        data += piece
    return data
