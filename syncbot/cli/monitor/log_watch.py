"""A bot seen by its log file, which may be rotated while it is watched."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from syncbot.cli.console.output import one_line
from syncbot.cli.monitor.log_kinds import CRITICAL, POOL_TIMEOUT, WRONG_TOKEN, Record, read_record
from syncbot.cli.monitor.look import Bounds, Look, span
from syncbot.logs import guard
from syncbot.regular import opener

_TAIL_BYTES = 4_000_000
_LONGEST_LINE = 64_000
_MOST_RECORDS = 50_000
_LONGEST_ERROR = 160


class Follower:
    """Reads the lines of a file as they come, also when it is renamed and begun anew, or cut and written from the start.

    Args:
        path: the file; it need not be there yet.
        tail_bytes: how much of what stands there already is read.
    """

    def __init__(self, path: Path, tail_bytes: int = _TAIL_BYTES) -> None:
        self.path = path
        self._tail_bytes = tail_bytes
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._first = True

    def lines(self) -> Iterator[str]:
        """The complete lines that have come since the last call."""
        self._open()
        if self._first:
            self._first = False
            yield from self._rotated()
        while True:
            self._open()
            is_old = self._was_replaced()  # before it is read: nothing more is written into a file that has been replaced
            yield from self._new()
            if not is_old:
                return
            self.close()

    @property
    def changed_at(self) -> float | None:
        """When the file was written to last."""
        return os.fstat(self._file.fileno()).st_mtime if self._file is not None else None

    def close(self) -> None:
        """Let go of the file."""
        file, self._file, self._rest = self._file, None, b""
        if file is not None:
            file.close()

    def _open(self) -> None:
        if self._file is None:
            try:
                self._file = open(self.path, "rb", opener=opener)  # noqa: SIM115 - `close` closes it
            except OSError:
                return
            self._to_tail(self._file)

    def _to_tail(self, file: IO[bytes]) -> None:
        size = os.fstat(file.fileno()).st_size
        if size > self._tail_bytes:
            file.seek(size - self._tail_bytes)
            file.readline()  # the rest of a line

    def _rotated(self) -> Iterator[str]:
        """What stands in the file before the present one, where that is short."""
        if self._file is None or os.fstat(self._file.fileno()).st_size >= self._tail_bytes:
            return
        path = self.path.with_name(self.path.name + ".1")
        with suppress(OSError):  # it is being rotated away itself
            if path.is_file():
                with open(path, "rb", opener=opener) as file:
                    if not os.path.sameopenfile(file.fileno(), self._file.fileno()):
                        self._to_tail(file)
                        yield from map(_text, file)

    def _new(self) -> Iterator[str]:
        if self._file is None:
            return
        if os.fstat(self._file.fileno()).st_size < self._file.tell():  # cut: it begins anew
            self._file.seek(0)
            self._rest = b""
        while chunk := self._file.read(65_536):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from map(_text, lines)
            self._rest = self._rest[:_LONGEST_LINE]

    def _was_replaced(self) -> bool:
        if self._file is None:
            return False
        ours = os.fstat(self._file.fileno())
        try:
            there = self.path.stat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)


def _text(line: bytes) -> str:
    return line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip("\r\n")


class LogWatch:
    """Looks into a log file.

    Args:
        path: the file.
        bounds: from where on it is bad.
    """

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._follower = Follower(path)
        self._bounds = bounds
        self._records: deque[Record] = deque(maxlen=_MOST_RECORDS)
        self._last_at: float | None = None

    @property
    def name(self) -> str:
        """The file."""
        return self._follower.path.name

    def look(self, now: float) -> Look:
        """Read what has come, and count what has happened within the last minutes."""
        self._read(now)
        window = self._bounds.minutes * 60
        recent = [record for record in self._records if now - record.at <= window]
        failures = Counter(kind for record in recent if (kind := record.failure))
        health = next((record.health for record in reversed(recent) if record.health), {})
        polls = sum(record.is_poll for record in recent)
        troubles = tuple(self._troubles(failures, bool(health.get("ok", True)), now))
        rates = {kind: round(number / self._bounds.minutes, 2) for kind, number in failures.most_common()}
        facts = {"polls_a_minute": round(polls / self._bounds.minutes, 2) if polls else None, "failures_a_minute": rates}
        facts |= {name: health.get(name) for name in ("polls", "lag", "queue")}
        facts["silent"] = round(now - self._last_at, 1) if self._last_at is not None else None
        shown = (
            ("polls", f"{polls / self._bounds.minutes:.1f}/min" if polls else str(health.get("polls", "-"))),
            ("lag", f"{health['lag']:.0f} s" if "lag" in health else "-"),
            ("queue", str(health.get("queue", "-"))),
            ("failures", ", ".join(f"{kind} {rate:g}/min" for kind, rate in rates.items()) or "none"),
        )
        errors = [record.text for record in recent if record.failure]
        return Look(now, troubles, facts, shown, _last_words(errors[-1]) if errors else "")

    def close(self) -> None:
        """Let go of the file."""
        self._follower.close()

    def _read(self, now: float) -> None:
        for line in self._follower.lines():
            record = read_record(line)
            if record is not None:
                self._records.append(record)
                self._last_at = record.at
            elif self._records and self._records[-1].goes_on_with(line):
                self._records[-1].add(line)
            elif line.strip():
                # A log without times: its lines are as old as the file, or new when they come while it is watched.
                self._records.append(Record(min(now, self._follower.changed_at or now), "", line, timeless=True))
        while self._records and now - self._records[0].at > self._bounds.minutes * 60 + 60:
            self._records.popleft()

    def _troubles(self, failures: Counter[str], well: bool, now: float) -> Iterator[str]:
        minutes = span(self._bounds.minutes * 60)
        if not os.path.exists(self._follower.path):
            yield f"there is no log file {self._follower.path}"
        if failures[POOL_TIMEOUT]:
            yield f'"Pool timeout" ({failures[POOL_TIMEOUT]} in {minutes}): the connection pool has lost its slots, and gets them back only by a restart'
        if failures[WRONG_TOKEN]:
            yield "Telegram does not know the token"
        if failures[CRITICAL]:
            yield f"{failures[CRITICAL]} critical errors in {minutes}"
        if not well:
            yield "the bot says that it is not well"
        if (rate := failures.total() / self._bounds.minutes) > self._bounds.failures:
            worst, number = failures.most_common(1)[0]
            yield f"{rate:.1f} failures a minute, most of them: {worst} ({number} in {minutes})"
        if self._bounds.silence is not None and (self._last_at is None or now - self._last_at > self._bounds.silence):
            yield "the log is empty" if self._last_at is None else f"the log has been silent for {span(now - self._last_at)}"


def _last_words(text: str) -> str:
    """The line of a record that says most: the last one of a traceback, else its only one; without secrets."""
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(guard().text(lines[-1] if lines else ""))[:_LONGEST_ERROR]
