"""Telegram's limits on sending: counted always, enforced where that is wanted."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimits:
    """How much the bot may send.

    Args:
        per_second: messages over all chats in any one second.
        chat_per_second: messages a second in one chat, on average.
        chat_burst: how many may come at once in one chat after a pause.
        per_group: messages in one group within `group_window`.
        group_window: seconds; Telegram's minute, made shorter where a test needs it.
    """

    per_second: int = 30
    chat_per_second: float = 1.0
    chat_burst: int = 5
    per_group: int = 20
    group_window: float = 60.0


@dataclass(frozen=True)
class Violation:
    """A message that came too early: `rule` is "global", "chat" or "group"; `retry_after` in seconds, as it was told."""

    time: float
    rule: str
    chat_id: int
    retry_after: int


class RateMeter:
    """Counts messages against `RateLimits`. Not locked: its user holds a lock.

    Args:
        limits: what is enforced; None only counts.
        keep: how many chats and violations are remembered.
    """

    def __init__(self, limits: RateLimits | None, keep: int) -> None:
        self.limits = limits
        self.violations: deque[Violation] = deque(maxlen=keep)
        self.violations_total = 0
        self.most_per_second = 0
        self._keep = keep
        self._all: deque[float] = deque()
        self._groups: OrderedDict[int, deque[float]] = OrderedDict()
        self._chats: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def message(self, chat_id: int, now: float | None = None) -> int:
        """A message is about to be accepted; returns 0 where it may pass, else the seconds to wait."""
        now = time.monotonic() if now is None else now
        if self.limits is not None and (refusal := self._refusal(chat_id, now, self.limits)) is not None:
            rule, wait = refusal
            seconds = max(1, math.ceil(wait))
            self.violations_total += 1
            self.violations.append(Violation(now, rule, chat_id, seconds))
            return seconds
        self._count(chat_id, now)
        return 0

    def _refusal(self, chat_id: int, now: float, limits: RateLimits) -> tuple[str, float] | None:
        _forget(self._all, now - 1.0)
        if len(self._all) >= limits.per_second:
            return "global", self._all[0] + 1.0 - now
        level = self._level(chat_id, now, limits)
        if level + 1.0 > limits.chat_burst + 1e-9:
            return "chat", (level + 1.0 - limits.chat_burst) / limits.chat_per_second
        if chat_id < 0:
            times = self._groups.get(chat_id, deque())
            _forget(times, now - limits.group_window)
            if len(times) >= limits.per_group:
                return "group", times[0] + limits.group_window - now
        return None

    def _level(self, chat_id: int, now: float, limits: RateLimits) -> float:
        """How full the chat's bucket is; it empties with time."""
        level, since = self._chats.get(chat_id, (0.0, now))
        return max(0.0, level - (now - since) * limits.chat_per_second)

    def _count(self, chat_id: int, now: float) -> None:
        _forget(self._all, now - 1.0)
        self._all.append(now)
        self.most_per_second = max(self.most_per_second, len(self._all))
        if self.limits is None:
            return
        self._chats[chat_id] = (self._level(chat_id, now, self.limits) + 1.0, now)
        self._chats.move_to_end(chat_id)
        if chat_id < 0:
            self._groups.setdefault(chat_id, deque()).append(now)
            self._groups.move_to_end(chat_id)
        for kept in (self._chats, self._groups):
            while len(kept) > self._keep:
                kept.popitem(last=False)


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()
