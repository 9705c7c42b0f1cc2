"""What the test doubles share that are run from the shell: they speak in lines of JSON, and end with a signal or with their standard input."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO


def say(stdout: TextIO, facts: Mapping[str, Any]) -> None:
    """Write one line of JSON, at once."""
    stdout.write(json.dumps(facts) + "\n")
    stdout.flush()


@contextlib.contextmanager
def signals() -> Iterator[socket.socket]:
    """A socket that becomes readable when SIGTERM or SIGINT comes; in the main thread alone."""
    inside, outside = socket.socketpair()
    with inside, outside:
        outside.setblocking(False)
        handlers = {number: signal.signal(number, lambda _number, _frame: None) for number in (signal.SIGTERM, signal.SIGINT)}
        wakeup = signal.set_wakeup_fd(outside.fileno())
        try:
            yield inside
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def obey(bell: socket.socket, stdin: int | None, command: Callable[[str], None] = lambda line: None) -> None:
    """Hand the lines from a descriptor to `command` until they end, or a signal comes; without a descriptor until a signal comes."""
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    if stdin is not None:
        poll.register(stdin, select.POLLIN | select.POLLHUP)
    rest = b""
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if bell.fileno() in ready:
            return
        data = os.read(stdin, 65_536) if stdin is not None else b""
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            command(line.decode("utf-8", "replace"))
