"""Real proxies of this machine on free loopback ports, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

CONNECT_KINDS = ("squid", "tinyproxy", "tinyproxy-password", "privoxy", "v2ray-http", "v2ray-http-password")
"""Asked for a tunnel by HTTP CONNECT."""
SOCKS_KINDS = ("microsocks", "microsocks-password", "v2ray-socks", "v2ray-socks-password", "shadowsocks", "shadowsocks-no-delay", "ssh")
"""SOCKS5. Shadowsocks is `ss-local` before an `ss-server`, both as they come or with `--no-delay`; ssh is `ssh -D` to an `sshd`."""
KINDS = CONNECT_KINDS + SOCKS_KINDS

PACKAGES = {
    "ss-local": "shadowsocks-libev",
    "ss-server": "shadowsocks-libev",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-analyze": "systemd",
    "chromedriver": "chromium-driver",
    "postgres": "postgresql",
    "initdb": "postgresql",
    "pg_dump": "postgresql-client",
    "python3.11": "python3.11-venv",
}
"""Of Debian and Ubuntu, where the package is not called as its program."""
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
Timeout 600
MaxClients 100
Allow 127.0.0.1
LogFile "{folder}/tinyproxy.log"
LogLevel Warning
"""

_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""

_PRIVOXY = """
listen-address 127.0.0.1:{port}
logdir {folder}
confdir {folder}
actionsfile allow.action
debug 4096
toggle 1
keep-alive-timeout 5
socket-timeout 300
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
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)  # which keeps a server's programs out of PATH
    path = shutil.which(name, path=":".join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *debian]))
    if path is None:
        package = PACKAGES.get(name, name)
        raise CannotRun(f"{name} is not installed here; scripts/test --all installs as root what the tests need, else: sudo apt-get install {package}")
    return path


def programs(kind: str) -> tuple[str, ...]:
    """The programs that a kind of proxy consists of."""
    name = kind.partition("-")[0]
    return {"shadowsocks": ("ss-local", "ss-server"), "ssh": ("ssh", "sshd", "ssh-keygen")}.get(name, (name,))


@contextmanager
def running(kind: str, folder: Path) -> Iterator[str]:
    """Run a proxy, its files in this folder; yields its URL, credentials and all. Raises `CannotRun`.

    Args:
        kind: one of `KINDS`.
        folder: an empty one.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    with ExitStack() as stack:
        port = stack.enter_context(kept_port())
        if kind.startswith("shadowsocks") or kind == "ssh":
            far_port = stack.enter_context(kept_port())
            stack.enter_context(_process(_far_command(kind, far_port, folder), far_port, folder / "far.log"))
            command = _near_command(kind, port, far_port, folder)
        else:
            command = _command(kind, port, folder)
        stack.enter_context(_process(command, port, folder / "output.log"))
        secret = f"{_USER}:{_PASSWORD}@" if kind.endswith("password") else ""
        yield f"{'socks5h' if kind in SOCKS_KINDS else 'http'}://{secret}127.0.0.1:{port}"


def _command(kind: str, port: int, folder: Path) -> list[str]:
    """The command that runs a proxy in the foreground; its configuration is written into the folder."""

    def config(name: str, text: str) -> str:
        path = folder / name
        path.write_text(text.format(port=port, folder=folder).lstrip())
        return str(path)

    match kind:
        case "squid":
            return [program("squid"), "-N", "-f", config("squid.conf", _SQUID)]
        case "tinyproxy" | "tinyproxy-password":
            password = f"BasicAuth {_USER} {_PASSWORD}\n" if kind.endswith("password") else ""
            return [program("tinyproxy"), "-d", "-c", config("tinyproxy.conf", _TINYPROXY + password)]
        case "privoxy":
            (folder / "allow.action").write_text(_PRIVOXY_ACTIONS)
            return [program("privoxy"), "--no-daemon", config("privoxy.conf", _PRIVOXY)]
        case "microsocks" | "microsocks-password":
            credentials = ["-u", _USER, "-P", _PASSWORD] if kind.endswith("password") else []
            return [program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *credentials]
    path = folder / "v2ray.json"
    path.write_text(json.dumps(_v2ray(kind, port)))
    return [program("v2ray"), "-config", str(path)]


def _v2ray(kind: str, port: int) -> dict[str, object]:
    """The configuration of a v2ray that leads on to the target itself."""
    accounts = [{"user": _USER, "pass": _PASSWORD}] if kind.endswith("password") else []
    protocol = "http" if "http" in kind else "socks"
    settings = {"accounts": accounts} | ({"auth": "password" if accounts else "noauth"} if protocol == "socks" else {})
    inbound = {"listen": "127.0.0.1", "port": port, "protocol": protocol, "settings": settings}
    return {"log": {"loglevel": "warning"}, "inbounds": [inbound], "outbounds": [{"protocol": "freedom"}]}


def _far_command(kind: str, port: int, folder: Path) -> list[str]:
    """The half of a proxy from where Telegram can be reached."""
    if kind != "ssh":
        return [program("ss-server"), "-s", "127.0.0.1", "-p", str(port), *_shadowsocks_options(kind)]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where its service has never been started, nobody has made it
    for name in ("host_key", "key"):
        subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    config = folder / "sshd_config"
    config.write_text(_SSHD.format(port=port, folder=folder).lstrip())
    return [program("sshd"), "-D", "-e", "-f", str(config)]


def _near_command(kind: str, port: int, far_port: int, folder: Path) -> list[str]:
    """The half of a proxy that stands on the user's machine."""
    if kind != "ssh":
        return [program("ss-local"), "-s", "127.0.0.1", "-p", str(far_port), "-b", "127.0.0.1", "-l", str(port), *_shadowsocks_options(kind)]
    options = ("BatchMode=yes", "ExitOnForwardFailure=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known_hosts")
    told = [word for option in options for word in ("-o", option)]
    return [program("ssh"), "-F", "none", "-N", "-D", f"127.0.0.1:{port}", "-i", str(folder / "key"), *told, "-p", str(far_port), "127.0.0.1"]


def _shadowsocks_options(kind: str) -> list[str]:
    return ["-k", _PASSWORD, "-m", "aes-256-gcm", "-t", "600", *(["--no-delay"] if kind.endswith("no-delay") else [])]


@contextmanager
def _process(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Run a program that listens on this port, until the end."""
    with log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process:
        try:
            _wait_until_it_listens(process, port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    nobody = Event()
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        nobody.wait(0.05)
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(log.parent.glob("*.log")))
    raise CannotRun(f"{process.args!r} did not start (exit code {process.poll()}): {logs}")
