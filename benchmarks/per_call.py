"""What one call costs: a raw socket with TLS, `requests.post` as people write it, and `bot.call`, in turn in one run.

    python benchmarks/per_call.py [--calls 300]

The server is `syncbot.testing`'s, in a process of its own; every way makes the same getMe over TLS on a new connection. "naive" trusts the
certificates that requests trusts by default and the test server's own beside them, as somebody would who calls api.telegram.org.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
import requests.utils

from syncbot import Bot


@contextlib.contextmanager
def server() -> Iterator[dict[str, str]]:
    """A Bot API server over TLS in a process of its own; gives its url, ca_file and token."""
    command = [sys.executable, "-m", "syncbot.testing.serve", "--tls", "--keep", "100"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def raw_call(url: str, ca_file: str, path: str) -> Callable[[], object]:
    """The floor: a socket, TLS with a shared context, one request, one answer."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
    context = ssl.create_default_context(cafile=ca_file)
    request = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()

    def call() -> object:
        with socket.create_connection((host, port)) as plain, context.wrap_socket(plain, server_hostname=host) as sock:
            sock.sendall(request)
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    return call


def measure(ways: dict[str, Callable[[], object]], calls: int, rare: frozenset[str] = frozenset()) -> dict[str, tuple[float, float]]:
    """Median milliseconds, and CPU milliseconds, of each way; the ways take turns, the rare ones every fifth time."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(calls):
        for name, call in ways.items():
            if name in rare and turn % 5:
                continue
            began, began_cpu = time.perf_counter(), time.process_time()
            call()
            wall[name].append((time.perf_counter() - began) * 1000)
            cpu[name].append((time.process_time() - began_cpu) * 1000)
    return {name: (statistics.median(wall[name]), statistics.median(cpu[name])) for name in ways}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ.pop(name, None)  # they would win over the files that are given here
    with server() as api, tempfile.NamedTemporaryFile("w", suffix=".pem") as bundle:
        bundle.write(Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).read_text() + Path(api["ca_file"]).read_text())
        bundle.flush()
        path = f"/bot{api['token']}/getMe"
        with Bot(api["token"], base_url=api["url"], ca_file=bundle.name, proxies="direct") as bot:
            ways: dict[str, Callable[[], object]] = {
                "raw": raw_call(api["url"], bundle.name, path),
                "syncbot": lambda: bot.call("getMe"),
                "naive": lambda: requests.post(api["url"] + path, verify=bundle.name, timeout=10).json(),
            }
            for call in ways.values():
                call()
            figures = measure(ways, calls, rare=frozenset({"naive"}))
    print(f"one getMe over TLS on a new connection, medians of {calls} interleaved calls, Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}")
    print(f"{'':10}{'ms':>8}{'CPU ms':>8}{'of raw':>8}{'of naive':>10}")
    for name, (wall, cpu) in figures.items():
        print(f"{name:10}{wall:8.2f}{cpu:8.2f}{wall / figures['raw'][0]:8.2f}{wall / figures['naive'][0]:10.2f}")


if __name__ == "__main__":
    main()
