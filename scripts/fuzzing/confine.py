"""Keeps what runs in this process inside one folder and on this machine: a hook of the interpreter's own audit events."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ON_PATHS = frozenset(
    {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.truncate", "os.symlink", "os.link", "os.utime", "sqlite3.connect"}
)
_STARTING = frozenset({"os.killpg", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "webbrowser.open"})


class Confinement:
    """Refuses, as the system would, to write outside a folder, to start or signal programs, and to connect elsewhere. It cannot be taken away again.

    Args:
        folder: where writing is allowed.
    """

    def __init__(self, folder: Path) -> None:
        self._allowed = (str(folder) + os.sep, "/dev/null")
        self._active = False
        sys.addaudithook(self._hook)

    @contextmanager
    def here(self) -> Iterator[None]:
        """It holds in this block."""
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITING):
                self._check(path)
        elif event in _ON_PATHS:
            self._check(arguments[0])
        elif event in _STARTING or (event == "os.kill" and arguments[1]):  # signal 0 only asks whether a process is there
            raise PermissionError(1, f"{event} is not allowed here")
        elif event == "socket.connect" and not (isinstance(arguments[1], tuple) and str(arguments[1][0]).startswith("127.")):
            raise ConnectionRefusedError(111, "Connection refused")
        elif event == "socket.getaddrinfo" and not str(arguments[0]).startswith(("127.", "localhost")):
            raise socket.gaierror(-2, "Name or service not known")

    def _check(self, path: Any) -> None:
        if isinstance(path, int):
            return
        text = os.path.abspath(os.fsdecode(path))
        if not (text + os.sep).startswith(self._allowed):
            raise PermissionError(13, "Permission denied", text)
