"""A running bot seen by its state file: its own word about how it is, and what waits in the file at this moment."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syncbot.cli.monitor.look import Bounds, Look, span
from syncbot.errors import StorageError
from syncbot.runtime.session.health_note import EVERY_SECONDS, FACTS
from syncbot.storage import OutboxState, Store

_HEARTBEAT_SECONDS = 15.0
_SLACK_SECONDS = 15.0
_OUTBOX_LAG = 10.0
"""The outbox may lag so many times as long as updates may: rate limits make it wait."""
_LONGEST_ERROR = 160
_NUMBERS = ("at", "started", "every", "pid", "polls")
_KINDS = (int, float)


class StateWatch:
    """Looks into a state file.

    Args:
        store: the open state file.
        heartbeat: a file that the bot touches while all is well; None for none.
        bounds: from where on it is bad.
    """

    def __init__(self, store: Store, heartbeat: Path | None, bounds: Bounds) -> None:
        self._store = store
        self._heartbeat = heartbeat
        self._bounds = bounds
        self._before: Mapping[str, Any] = {}
        self._polls_a_minute: float | None = None

    @property
    def name(self) -> str:
        """The bot's @name, where it is known, and the file."""
        username = self._store.meta.get("username")
        return f"@{username}" if username else (self._store.path or "").rpartition("/")[2]

    def look(self, now: float) -> Look:
        """Look at everything; a file that cannot be read is a trouble of its own."""
        try:
            return self._look(now)
        except StorageError as error:
            return Look(now, (str(error),))

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _look(self, now: float) -> Look:
        said, is_gone = self._said()
        counts, outbox = self._store.inbox.counts(), self._store.outbox.counts()
        lag = 0.0 if counts.oldest is None else max(0.0, now - counts.oldest)
        dead = self._store.dead_letters.count()
        recent = sum(now - letter.died < self._bounds.minutes * 60 for letter in self._store.dead_letters.entries(limit=100))
        outbox_lag = self._outbox_lag(now)
        self._count_polls(said)
        of_process = tuple(self._process_troubles(said, is_gone, now))
        troubles = [*of_process, *self._waiting_troubles(lag, counts.waiting, outbox_lag)]
        if recent:
            troubles.append(f"{recent} went to the dead letters in the last {span(self._bounds.minutes * 60)}")
        facts = {
            "running": bool(said.get("running")),
            "said": dict(said),
            "polls_a_minute": self._polls_a_minute,
            "lag": round(lag, 3),
            "queue": counts.waiting,
            "in_flight": counts.running,
            "dead_letters": dead,
            "outbox": {str(state): number for state, number in outbox.items()},
            "outbox_lag": round(outbox_lag, 3),
        }
        runs = bool(said.get("running")) and (bool(said.get("once")) or not (is_gone or _is_silent(said, now)))
        waiting = outbox[OutboxState.QUEUED] + outbox[OutboxState.CLAIMED] + outbox[OutboxState.SENDING]
        shown = (
            ("last poll", span(now - said["last_poll"]) + " ago" if said.get("last_poll") else "-"),
            ("polls", f"{self._polls_a_minute:.1f}/min" if self._polls_a_minute is not None else str(said.get("polls", "-"))),
            ("lag", f"{lag:.0f} s"),
            ("queue", f"{counts.waiting}+{counts.running}"),
            ("handled", str(said.get("handled", "-"))),
            ("dead letters", str(dead)),
            ("outbox", f"{waiting} waiting, {outbox[OutboxState.UNCERTAIN]} uncertain, {outbox[OutboxState.FAILED]} failed"),
            ("failures", str(said.get("failures", "-"))),
        )
        return Look(now, tuple(troubles), facts, shown, str(said.get("last_error") or "")[:_LONGEST_ERROR], of_process, runs)

    def _count_polls(self, said: Mapping[str, Any]) -> None:
        """The rate of polls between the last two words of the same process."""
        before = self._before
        if before.get("started") == said.get("started") and said.get("at", 0.0) > before.get("at", 0.0) and "polls" in said and "polls" in before:
            self._polls_a_minute = (said["polls"] - before["polls"]) / (said["at"] - before["at"]) * 60
        if said.get("started") != before.get("started"):
            self._polls_a_minute = None
        self._before = said

    def _said(self) -> tuple[Mapping[str, Any], bool]:
        """The bot's last word about itself, and whether the process that wrote it has ended since without another one."""
        said = _facts(self._store.meta.get(FACTS))
        while _is_gone(said):
            last = _facts(self._store.meta.get(FACTS))
            if last == said:
                return said, True
            said = last  # it came between the two looks, as its process ended, or from the next one
        return said, False

    def _process_troubles(self, said: Mapping[str, Any], is_gone: bool, now: float) -> Iterator[str]:
        if not said:
            yield "no bot has run with this state yet"
        elif said.get("once"):
            silent = now - said["at"]
            if self._bounds.silence is not None and silent > self._bounds.silence:
                yield f"the last run from cron ended {span(silent)} ago"
        elif not said.get("running"):
            yield f"the bot does not run: it was stopped {span(now - said['at'])} ago"
        elif is_gone:
            yield f"the bot does not run: its process {said['pid']} ended without a word, {span(now - said['at'])} after its last one at most"
        elif _is_silent(said, now):
            yield f"the bot has said nothing for {span(now - said['at'])}: it hangs, or was killed"
        elif not said.get("ok"):
            yield f"the bot is not well: {str(said.get('last_error') or 'handlers hang')[:_LONGEST_ERROR]}"
        if self._heartbeat is not None:
            yield from self._heartbeat_troubles(self._heartbeat, now)

    def _waiting_troubles(self, lag: float, waiting: int, outbox_lag: float) -> Iterator[str]:
        if lag > self._bounds.lag:
            yield f"an update has been waiting for {span(lag)}"
        if waiting > self._bounds.queue:
            yield f"{waiting} updates wait"
        if outbox_lag > self._bounds.lag * _OUTBOX_LAG:
            yield f"a call in the outbox has been waiting for {span(outbox_lag)}"

    @staticmethod
    def _heartbeat_troubles(file: Path, now: float) -> Iterator[str]:
        try:
            age = now - file.stat().st_mtime
        except OSError as problem:
            yield f"no heartbeat: {file}: {problem.strerror}"
        else:
            if age > _HEARTBEAT_SECONDS:
                yield f"no heartbeat for {span(age)}"

    def _outbox_lag(self, now: float) -> float:
        """For how long the oldest call that is due has been waiting."""
        due = [max(item.created, item.call.not_before) for item in self._store.outbox.entries(OutboxState.QUEUED, limit=100)]
        return max((now - at for at in due), default=0.0) if due and min(due) <= now else 0.0


def _facts(found: Any) -> Mapping[str, Any]:
    """A bot's word about itself; none where something else stands in its place."""
    if not isinstance(found, dict) or any(type(found.get(name, 0)) not in _KINDS for name in _NUMBERS) or not 0 <= found.get("pid", 0) < 1 << 31:
        return {}
    return found if "at" in found else {}


def _is_silent(said: Mapping[str, Any], now: float) -> bool:
    """Whether the process has said nothing for longer than one that is well is silent."""
    return bool(now - said["at"] > 2 * said.get("every", EVERY_SECONDS) + _SLACK_SECONDS)


def _is_gone(said: Mapping[str, Any]) -> bool:
    """Whether the process that wrote the facts has certainly ended; of one in another container nobody here can tell."""
    if said.get("host") != socket.gethostname() or not isinstance(pid := said.get("pid"), int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
