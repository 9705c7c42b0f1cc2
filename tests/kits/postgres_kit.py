"""A PostgreSQL of one's own on a free loopback port, for tests, campaigns and benchmarks."""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from kits.ports_kit import free_port
from kits.proxies_kit import CannotRun, program

USER = "bot"
PASSWORD = "s3cret-pa55"
"""Shows nowhere but in a URL that was asked for."""
_START_SECONDS = 60.0
_QUICK = {"fsync": "off", "full_page_writes": "off"}
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class PostgresServer:
    """A server with files of its own, or the one that PG_URL names. A context manager: it ends with the block, and its files with it.

    Args:
        durable: whether a commit waits for the disk; without it a kill of the server loses nothing, but a power cut may.
        options: further settings of the server.
        own: take no other server, whatever PG_URL says: for what stops it.
    """

    def __init__(self, *, durable: bool = False, options: Mapping[str, str] | None = None, own: bool = False) -> None:
        self._number = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._given = "" if own else os.environ.get("PG_URL", "")
        if self._given:
            return
        self.port = free_port()
        self._options = _OPTIONS | ({} if durable else _QUICK) | dict(options or {})
        # The server's user comes to no folder of pytest's; and what a test writes needs no disk.
        self.folder = Path(tempfile.mkdtemp(prefix="syncbot-postgres-", dir="/dev/shm" if not durable and os.access("/dev/shm", os.W_OK) else None))
        self._identity: dict[str, Any] = {}
        if os.getuid() == 0:  # as which PostgreSQL does not run
            user = _ordinary_user()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._make()

    @property
    def url(self) -> str:
        """The URL of a database that is always there, with the password."""
        return self._given or self._url("postgres")

    @property
    def process_id(self) -> int | None:
        """Of its first process; None where it is not ours, or does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it (again, on the same port), and wait until it takes connections."""
        if self._given:
            return
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in {**self._options, "port": str(self.port)}.items()]
        with (self.folder / "log").open("ab") as log:
            command = [program("postgres"), "-D", str(self.folder / "data"), *settings]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(),
                preexec_fn=_end_with_the_parent,
                **self._identity,
            )
        _until(self._is_ready, self._process, lambda: self.log)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it: its connections are cut. With SIGQUIT hard, without writing down anything more, as a crash does."""
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(_START_SECONDS)
        self._process = None

    def crash(self) -> None:
        """Stop it as hard as a crash does."""
        self.stop(signal.SIGQUIT)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    def create_database(self) -> str:
        """A fresh database; returns its URL, with the password."""
        name = f"syncbot_test_{os.getpid()}_{next(self._number)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Whoever is connected to it is cut off."""
        self.run(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    def run(self, statement: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own, outside any transaction; returns its rows."""
        import psycopg

        with psycopg.connect(url or self.url, autocommit=True, connect_timeout=20) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop(signal.SIGQUIT)
        self._remove()

    def _remove(self) -> None:
        if not self._given:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = [program("initdb"), "-D", str(self.folder / "data"), "-U", USER, f"--pwfile={secret}"]
        # No fsync of its files: they are as fresh as they can be. The password in clear text: hashing it would cost each connection its milliseconds.
        how = ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run([*initdb, *how], cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False, **self._identity)
        secret.unlink()
        if done.returncode:
            self._remove()
            raise CannotRun(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _url(self, database: str) -> str:
        if self._given:
            return urlunsplit(urlsplit(self._given)._replace(path=f"/{database}"))
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _is_ready(self) -> bool:
        """Whether the server has noted that it takes connections."""
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": str(self.folder)}


@contextmanager
def pgbouncer(target: str, folder: Path, mode: str = "transaction") -> Iterator[str]:
    """Run a pgbouncer before a database; yields the URL of the database through it. Raises `CannotRun`.

    Args:
        target: the database's URL.
        folder: an empty one.
        mode: when it gives a connection to somebody else: "session", "transaction" or "statement".
    """
    parts, port = urlsplit(target), free_port()
    place = f"host=127.0.0.1 port={parts.port} user={parts.username} password={parts.password}"
    facts = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "pool_mode": mode, "auth_type": "any", "default_pool_size": 20}
    own = [f"{name} = {value}" for name, value in facts.items()]
    user = [f"user = {_ordinary_user().pw_name}"] if os.getuid() == 0 else []
    (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", f"* = {place}", "[pgbouncer]", *own, *user]))
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([program("pgbouncer"), str(folder / "pgbouncer.ini")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _until(lambda: _listens(port), process, (folder / "log").read_text)
        yield urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
    finally:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Callable[[], str]) -> None:
    """Wait until a server is there."""
    end, pause = time.monotonic() + _START_SECONDS, Event()
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise CannotRun(f"it does not start:\n{log()}")
        pause.wait(0.02)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def _end_with_the_parent() -> None:
    """Nothing of a server is left when the process is killed that has started it (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _ordinary_user() -> pwd.struct_passwd:
    """The package's own user, or nobody."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotRun("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")
