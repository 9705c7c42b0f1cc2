"""What the benchmarks share: the server, a clean environment, tables, and measuring several ways in turn."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

_NETWORK = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
OUTSIDE = (*_NETWORK, "PYTHONDONTWRITEBYTECODE")
"""What this machine may have set, and what would decide what is measured: what is compiled at each start takes more memory than what pip installs."""

_MODULES = {"pyTelegramBotAPI": "telebot", "telebot": "telebot", "aiogram": "aiogram"}
_MODULES |= {"webhook, 16 connections": "waitress", "webhook, 1 connection": "waitress"}
"""What is compared and needs a module that syncbot does not bring with it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Args:
        name: what was measured.
        cells: the figures as they are printed, by column.
        value: what is drawn; None draws nothing.
        spread: from where to where most of the single figures lay.
        x: where it stands in a drawing with lines.
        line: to which line it belongs there.
        grid: figures by column, where they are drawn as a grid.
        panel: the part of the picture in which it is drawn, beside others of its kind; its name begins with that.
    """

    name: str
    cells: Mapping[str, str]
    value: float | None = None
    spread: tuple[float, float] | None = None
    x: float | None = None
    line: str = ""
    grid: Mapping[str, float] = field(default_factory=dict)
    panel: str = ""


@dataclass(frozen=True)
class Table:
    """What a benchmark has found.

    Args:
        name: of the picture's file.
        title: says what was done, in a sentence.
        unit: of what is drawn.
        rows: in the order in which they are printed.
        note: what the reader has to know.
        common_scale: whether all panels of the picture have one scale; else each has its own.
    """

    name: str
    title: str
    unit: str
    rows: Sequence[Row]
    note: str = ""
    common_scale: bool = False

    @property
    def columns(self) -> list[str]:
        """All columns, in the order in which they come up."""
        return list(dict.fromkeys(column for row in self.rows for column in row.cells))

    def text(self) -> str:
        """The table for a terminal."""
        lines = [["", *self.columns], *([row.name, *(row.cells.get(column, "") for column in self.columns)] for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        shown = "\n".join(
            "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]) for line in lines
        )
        return f"{self.title}\n{shown}\n{self.note}\n"

    def markdown(self) -> str:
        """The table for a page."""
        head = f"| | {' | '.join(self.columns)} |\n|---|{'---:|' * len(self.columns)}"
        lines = [f"| {row.name} | {' | '.join(row.cells.get(column, '') for column in self.columns)} |" for row in self.rows]
        return "\n".join([head, *lines])


@dataclass
class Figures:
    """The single figures of one way, in milliseconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def row(self, name: str, base: float) -> Row:
        """The medians, the spread, and how much that is of something else."""
        median, low, high = statistics.median(self.wall), percentile(self.wall, 0.1), percentile(self.wall, 0.9)
        cells = {"ms": f"{median:.2f}", "80 % within": f"{low:.2f} … {high:.2f}", "p99": f"{percentile(self.wall, 0.99):.2f}"}
        cells |= {"CPU ms": f"{statistics.median(self.cpu):.2f}", "ratio": f"{median / base:.2f}"}
        return Row(name, cells, median, (low, high))


Way = Callable[[], object]


def measure(ways: Mapping[str, Way], calls: int, rare: Iterable[str] = (), warm_up: int = 3) -> dict[str, Figures]:
    """Call each way so often, in turn so that whatever else the machine does meets all of them; the rare ones every fifth time."""
    found = {name: Figures() for name in ways}
    for turn in range(-warm_up, calls):
        for name, call in ways.items():
            if name in rare and turn % 5:
                continue
            began, began_cpu = time.perf_counter(), time.process_time()
            call()
            if turn >= 0:
                found[name].wall.append((time.perf_counter() - began) * 1000)
                found[name].cpu.append((time.process_time() - began_cpu) * 1000)
    return found


def measure_in_a_row(ways: Mapping[str, Way], calls: int, rounds: int = 3) -> dict[str, Figures]:
    """The same where calls have to follow each other: each way so many calls in a row, the ways in turn, the first three calls of a row not counted."""
    found = {name: Figures() for name in ways}
    for _ in range(rounds):
        for name, call in ways.items():
            once = measure({name: call}, max(1, calls // rounds))[name]
            found[name].wall += once.wall
            found[name].cpu += once.cpu
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def missing(name: str, proxy: str = "") -> str:
    """The module that is missing for something that is compared; empty where none is.

    Args:
        name: what it is called in the tables, mostly a library.
        proxy: the URL of the proxy that it is to go through: some libraries need one more module for it.
    """
    needed = [_MODULES[name]] if name in _MODULES else []
    if proxy and name == "aiogram":
        needed.append("aiohttp_socks")  # for HTTP proxies too
    if proxy.startswith("socks") and name == "python-telegram-bot":
        needed.append("socksio")
    return next((module for module in needed if find_spec(module) is None), "")


def installed(ways: Mapping[str, T], proxy: str = "") -> dict[str, T]:
    """Those that can be measured, with a word about each of the others; the extra `bench` brings all that they need."""
    found = {}
    for name, way in ways.items():
        if module := missing(name, proxy):
            print(f"{name} is left out: there is no module {module}", file=sys.stderr)
        else:
            found[name] = way
    return found


def clean_environment() -> None:
    """Take out of this process's environment, and so of its children's, what would decide what is measured."""
    for name in list(os.environ):
        if name.upper() in OUTSIDE or name.startswith(("SYNCBOT_", "TELEGRAM_")):
            del os.environ[name]


@dataclass(frozen=True)
class Api:
    """A running server: its URL and token, a file with the certificates that requests trusts by default and the server's own, and what is called there."""

    url: str
    token: str
    ca_file: str
    method: str = "getMe"
    parameters: Mapping[str, Any] | None = None

    def at(self, url: str) -> Api:
        """The same server at another address."""
        return replace(self, url=url)

    def sending(self) -> Api:
        """The same server, where messages are sent instead of getMe asked."""
        return replace(self, method="sendMessage", parameters={"chat_id": 42, "text": "Hello"})

    @property
    def method_url(self) -> str:
        """The URL of what is called."""
        return f"{self.url}/bot{self.token}/{self.method}"


@contextlib.contextmanager
def server(*options: str) -> Iterator[Api]:
    """A Bot API server over TLS in a process of its own."""
    import certifi

    command = [sys.executable, "-m", "syncbot.testing.serve", "--tls", "--any-chat", "--no-texts", "--keep", "100", *options]
    with (
        tempfile.NamedTemporaryFile("w", suffix=".pem") as bundle,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        bundle.write(Path(certifi.where()).read_text(encoding="utf-8") + Path(facts["ca_file"]).read_text(encoding="utf-8"))
        bundle.flush()
        yield Api(facts["url"], facts["token"], bundle.name)
        process.stdin.close()
