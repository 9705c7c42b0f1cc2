"""Jobs in memory, kept as their rows so that nobody can change them from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from syncbot.storage.codec import decode, encode_job
from syncbot.storage.memory.inbox import MemoryInbox
from syncbot.storage.promises.jobs import MOST_BEGUN, JobEntry, JobStart


class MemoryJobs:
    """`syncbot.storage.promises.parts.JobEntries` in memory."""

    def __init__(self, guard: AbstractContextManager[None], inbox: MemoryInbox) -> None:
        self._guard = guard
        self._inbox = inbox
        self._entries: dict[str, tuple[JobEntry, str]] = {}
        self._runs: dict[str, int] = {}

    def put(self, *entries: JobEntry) -> None:
        data = [encode_job(entry)[6] for entry in entries]
        with self._guard:
            for entry, text in zip(entries, data, strict=True):
                before, _ = self._entries.get(entry.key, (None, ""))
                kept = entry if before is None or before.rule != entry.rule else replace(entry, next_time=before.next_time, paused=before.paused)
                self._entries[entry.key] = (replace(kept, data=None), text)

    def declare(self, entries: Sequence[JobEntry]) -> None:
        self.put(*entries)
        named = {entry.key for entry in entries}
        with self._guard:
            for key in [key for key, (entry, _) in self._entries.items() if entry.declared and key not in named]:
                del self._entries[key]

    def entries(self) -> list[JobEntry]:
        with self._guard:
            return sorted(map(self._shown, self._entries), key=lambda entry: (entry.next_time, entry.key))

    def get(self, key: str) -> JobEntry | None:
        with self._guard:
            return self._shown(key) if key in self._entries else None

    def remove(self, key: str) -> bool:
        with self._guard:
            return self._entries.pop(key, None) is not None

    def change(self, key: str, *, paused: bool | None = None, next_time: float | None = None) -> bool:
        with self._guard:
            if key not in self._entries:
                return False
            entry, data = self._entries[key]
            changed = replace(entry, paused=entry.paused if paused is None else paused, next_time=entry.next_time if next_time is None else next_time)
            self._entries[key] = (changed, data)
            return True

    def due(self, now: float, names: Collection[str]) -> list[JobEntry]:
        with self._guard:
            room = MOST_BEGUN - self._inbox.job_runs()
            ready = [entry for entry in self._ready(names) if entry.next_time <= now]
            return [self._shown(entry.key) for entry in sorted(ready, key=lambda entry: entry.next_time)[: max(0, room)]]

    def begin(self, starts: Sequence[JobStart]) -> int:
        with self._guard:
            return sum(self._begin(start) for start in starts)

    def next_time(self, names: Collection[str]) -> float | None:
        with self._guard:
            if self._inbox.job_runs() >= MOST_BEGUN:
                return None
            return min((entry.next_time for entry in self._ready(names)), default=None)

    def _ready(self, names: Collection[str]) -> Iterator[JobEntry]:
        for key, (entry, _) in self._entries.items():
            if not entry.paused and entry.name in names and not self._inbox.holds_row(self._runs.get(key, 0)):
                yield entry

    def _begin(self, start: JobStart) -> bool:
        key = start.entry.key
        if key not in self._entries:
            return False
        entry, data = self._entries[key]
        if entry.paused or entry.next_time != start.entry.next_time:
            return False
        if start.following is None:
            del self._entries[key]
        else:
            self._entries[key] = (replace(entry, next_time=start.following), data)
        if start.body is None:
            return False
        row = self._inbox.put_job(start.order, start.body)
        if start.following is not None:
            self._runs[key] = row
        return True

    def _shown(self, key: str) -> JobEntry:
        entry, data = self._entries[key]
        return replace(entry, data=decode(data))
