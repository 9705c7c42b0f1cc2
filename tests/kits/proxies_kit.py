"""Real proxies of this machine on free loopback ports, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

KINDS = ("squid", "tinyproxy", "privoxy", "microsocks", "microsocks-password")
"""HTTP CONNECT through the first three, SOCKS5 through the last two."""

_USER, _PASSWORD = "ann", "s3cret-word"
_START_SECONDS = 60.0

_SQUID = """
http_port 127.0.0.1:{port}
acl loopback dst 127.0.0.0/8
http_access allow loopback
http_access deny all
pid_filename {folder}/squid.pid
access_log none
cache_log {folder}/squid.log
cache deny all
cache_mem 0 MB
coredump_dir {folder}
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
workers 1
visible_hostname localhost
max_filedescriptors 1024
"""

_TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 50
Allow 127.0.0.1
LogFile "{folder}/tinyproxy.log"
LogLevel Warning
"""

_PRIVOXY = """
listen-address 127.0.0.1:{port}
logdir {folder}
confdir {folder}
actionsfile allow.action
debug 4096
toggle 1
keep-alive-timeout 5
socket-timeout 60
"""

# Privoxy lets CONNECT through to port 443 alone, unless it is told otherwise.
_PRIVOXY_ACTIONS = "{ +limit-connect{-} }\n/\n"


class CannotRun(Exception):
    """A proxy is not installed, or does not start."""


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nobody listens; whoever is told may listen on it, and meanwhile the system gives it to nobody else."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield int(sock.getsockname()[1])


def program(name: str) -> str:
    """The path of a program; raises `CannotRun` where it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        where = "on this CI machine" if os.environ.get("CI") else "here"
        raise CannotRun(f"{name} is not installed {where}; what uses real proxies needs it: sudo apt-get install squid tinyproxy privoxy microsocks")
    return path


def command(kind: str, port: int, folder: Path) -> list[str]:
    """The command that runs a proxy in the foreground; its configuration is written into the folder."""

    def config(name: str, text: str) -> str:
        path = folder / name
        path.write_text(text.format(port=port, folder=folder).lstrip())
        return str(path)

    match kind:
        case "squid":
            return [program("squid"), "-N", "-f", config("squid.conf", _SQUID)]
        case "tinyproxy":
            return [program("tinyproxy"), "-d", "-c", config("tinyproxy.conf", _TINYPROXY)]
        case "privoxy":
            (folder / "allow.action").write_text(_PRIVOXY_ACTIONS)
            return [program("privoxy"), "--no-daemon", config("privoxy.conf", _PRIVOXY)]
        case "microsocks":
            return [program("microsocks"), "-i", "127.0.0.1", "-p", str(port)]
        case "microsocks-password":
            return [program("microsocks"), "-i", "127.0.0.1", "-p", str(port), "-u", _USER, "-P", _PASSWORD]
    raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")


@contextmanager
def running(kind: str, folder: Path) -> Iterator[str]:
    """Run a proxy, its files in this folder; yields its URL, credentials and all. Raises `CannotRun`."""
    log = folder / "output.log"
    with (
        kept_port() as port,
        log.open("wb") as output,
        subprocess.Popen(command(kind, port, folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_it_listens(process, port, kind, folder)
            secret = f"{_USER}:{_PASSWORD}@" if kind.endswith("password") else ""
            yield f"{'socks5h' if kind.startswith('microsocks') else 'http'}://{secret}127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, kind: str, folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    nobody = Event()
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        nobody.wait(0.05)
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log")))
    raise CannotRun(f"{kind} did not start (exit code {process.poll()}): {logs}")
