"""Keeps a bot below Telegram's limits: 30 messages a second over all chats, about one a second in a chat, 20 a minute in a group.

The numbers are those of Telegram's bot FAQ ("My bot is hitting limits"); the official server answers 429 beyond them.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncbot.bounds import MOST_OF_A_CHAT, MOST_SECONDS, check_numbers
from syncbot.errors import ConfigError, NotSent, StorageError
from syncbot.process import ForkSafeLock

if TYPE_CHECKING:
    from syncbot.storage.promises.turns import ChatTurns, SharedTurns, TurnLimits

_LIMITED = ("send", "copy", "forward")
_FREE = frozenset({"sendChatAction", "sendMessageDraft", "sendRichMessageDraft", "sendChatJoinRequestWebApp"})
_MARGIN = 1.075
"""Windows are this much longer than Telegram's, since requests reach it sooner or later than they are sent."""
_PRUNE_ABOVE = 4096
_SHORTEST_WAIT_SECONDS = 0.001
"""A shorter wait is none: sums of floats miss their mark by less."""


@dataclass(frozen=True)
class Limits:
    """How much a bot sends at most.

    Args:
        per_second: messages a second over all chats.
        chat_burst: messages that one chat gets at once before `chat_interval` counts.
        chat_interval: seconds between two messages in one chat.
        per_group_minute: messages a minute in one group or channel.

    Raises:
        ConfigError: one of them is not a number that can be kept.
    """

    per_second: int = 30
    chat_burst: int = 3
    chat_interval: float = 1.0
    per_group_minute: int = 20

    def __post_init__(self) -> None:
        inf = math.inf
        check_numbers(
            ("per_second", self.per_second, 1, inf, True, "30"),
            ("chat_burst", self.chat_burst, 1, inf, True, "3"),
            ("chat_interval", self.chat_interval, 0, MOST_SECONDS, False, "1.0"),
            ("per_group_minute", self.per_group_minute, 1, inf, True, "20"),
        )


@dataclass
class _Chat:
    full_at: float = 0.0  # when the burst is used up again (the theoretical arrival time of GCRA)
    last_minute: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0


class Limiter:
    """Hands out the moments at which messages may be sent.

    A message waits first for its own chat and only then takes its place in the line of all chats, so that a burst to one chat does not hold
    up another.

    Args:
        limits: the limits to keep.
        clock: seconds, never going backwards.

    Raises:
        ConfigError: these are no limits.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(limits, Limits):
            raise ConfigError(f"limits: these are Limits, not of type {type(limits).__name__}; for example limits=Limits(per_second=30), or None for none")
        self._limits = limits
        self._clock = clock
        self._lock = ForkSafeLock()
        self._chats: dict[str, _Chat] = {}
        self._sent: deque[float] = deque(maxlen=limits.per_second)
        self._own: deque[float] = deque(maxlen=limits.per_second)  # of its part of what all machines send
        self._all_paused_until = 0.0
        self._shared: SharedTurns | None = None

    @property
    def is_shared(self) -> bool:
        """Whether other machines keep them together with this one."""
        return self._shared is not None

    def share(self, turns_of: Callable[[TurnLimits], SharedTurns | None] | None) -> None:
        """Keep the limits together with other machines from now on; None ends it."""
        before, self._shared = self._shared, None
        if before is not None:
            before.close()
        if turns_of is None:
            return
        from syncbot.storage.promises.turns import TurnLimits  # most bots are on one machine

        limits = self._limits
        turns = turns_of(TurnLimits(limits.per_second, limits.chat_burst, limits.chat_interval * _MARGIN, limits.per_group_minute, _MARGIN, 60.0 * _MARGIN))
        if turns is not None:
            turns.on_learned(self._learn)
        self._shared = turns

    def wait(self, method: str, chat: object, *, deadline: float, stop: threading.Event) -> None:
        """Wait until a call may go out; methods that send no message pass, unless a 429 has paused them.

        Args:
            method: the Bot API method.
            chat: the `chat_id` of the call, or None.
            deadline: `clock()` at which the call must be over.
            stop: ends the wait.

        Raises:
            NotSent: the turn would come after the deadline, or the wait was ended by `stop`.
        """
        key = _key(method, chat)
        limited = _is_limited(method, chat)
        while True:
            self._wait_until(lambda: self._take_chat_turn(key, limited, deadline), method, deadline, stop)
            if limited:
                self._wait_until(lambda: self._take_common_turn(deadline), method, deadline, stop)
            if not self._is_paused(key, limited):  # else a 429 came for another call while this one waited
                return

    def seconds_to_turn(self, method: str, chat: object) -> float:
        """In how many seconds such a call could go out; 0.0 for now. No turn is taken."""
        limited = _is_limited(method, chat)
        turns = [self._chat_turn(_key(method, chat), limited, deadline=-math.inf)]
        if limited:
            turns.append(self._common_turn(deadline=-math.inf))
        return max(0.0, max(turns) - self._clock())

    def pause(self, method: str, chat: object, seconds: float) -> None:
        """Obey a 429: its chat pauses, or all chats when a second one is told to wait while the first still does."""
        now = self._clock()
        key = _key(method, chat)
        if self._shared is not None:
            self._shared.pause(key, seconds)
        with self._lock.here:
            others_paused = chat is not None and any(
                other.paused_until > now for name, other in self._chats.items() if name != key and not name.startswith("/")
            )
            self._chat(key).paused_until = max(self._chat(key).paused_until, now + seconds)
            if others_paused:
                self._all_paused_until = max(self._all_paused_until, now + seconds)

    # ── together with other machines ─────────────────────────────────────────────────────────────────────────────────

    def _take_chat_turn(self, key: str, limited: bool, deadline: float) -> float:
        """As `_chat_turn`; near to a limit, or in a pause, all machines are asked."""
        shared = self._shared
        if shared is None or not limited:
            return self._chat_turn(key, limited, deadline)
        if not self._is_far(key):
            with contextlib.suppress(StorageError):  # then this machine keeps to the limits for itself
                turn = self._clock() + shared.take(key, is_group=_is_group(key), within=deadline - self._clock())
                if turn < deadline:
                    with self._lock.here:
                        self._note_turn(self._chat(key), key, turn)
                return turn
        turn = self._chat_turn(key, limited, deadline)
        if turn < deadline:
            shared.note(key)
        return turn

    def _take_common_turn(self, deadline: float) -> float:
        """As `_common_turn`; what goes beyond this machine's own part of the limit is asked for."""
        shared = self._shared
        if shared is None:
            return self._common_turn(deadline)
        with self._lock.here:
            now = self._clock()
            own = sum(at > now - _MARGIN for at in self._own)
            if own < shared.own_per_second and self._all_paused_until <= now:
                self._own.append(now)
                return now
        try:
            return self._clock() + shared.take_common(within=deadline - self._clock())
        except StorageError:
            return self._common_turn(deadline)

    def _is_far(self, key: str) -> bool:
        """Whether nothing was sent to a chat for a while, nor is it paused, as far as is known here."""
        now = self._clock()
        with self._lock.here:
            chat = self._chats.get(key)
            if self._all_paused_until > now:
                return False
            if chat is None:
                return True
            lately = sum(at > now - 60.0 * _MARGIN for at in chat.last_minute) if _is_group(key) else 0
            return max(chat.full_at, chat.paused_until) <= now and lately < self._limits.per_group_minute / 4

    def _learn(self, known: list[ChatTurns]) -> None:
        """Take over what others have sent, or were told by Telegram."""
        now = self._clock()
        with self._lock.here:
            for one in known:
                if not one.chat:
                    self._all_paused_until = max(self._all_paused_until, now + one.paused_in)
                    continue
                chat = self._chat(one.chat)
                chat.full_at = max(chat.full_at, now + one.full_in)
                chat.paused_until = max(chat.paused_until, now + one.paused_in)
                if _is_group(one.chat) and len(one.minute) > len(chat.last_minute):
                    chat.last_minute = deque(now + at for at in one.minute[-self._limits.per_group_minute :])

    # ── for itself ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_paused(self, key: str, limited: bool) -> bool:
        now = self._clock() + _SHORTEST_WAIT_SECONDS
        with self._lock.here:
            chat = self._chats.get(key)
            return (chat is not None and chat.paused_until > now) or (limited and self._all_paused_until > now)

    def _wait_until(self, take_turn: Callable[[], float], method: str, deadline: float, stop: threading.Event) -> None:
        turn = take_turn()
        if turn >= deadline:
            wait_seconds = turn - self._clock()
            raise NotSent(
                f"its turn within the rate limits would come in {wait_seconds:.1f} s, after the deadline", method=method, stage="limit", retryable=False
            )
        if (seconds := turn - self._clock()) > _SHORTEST_WAIT_SECONDS and stop.wait(seconds):
            raise NotSent("stopped while waiting for its turn within the rate limits", method=method, stage="limit", retryable=False)

    def _chat_turn(self, key: str, limited: bool, deadline: float) -> float:
        """When the chat allows the next message; taken only if that is before the deadline."""
        limits = self._limits
        now = self._clock()
        with self._lock.here:
            chat = self._chats.get(key)
            if not limited:
                return chat.paused_until if chat else now
            chat = chat or self._chat(key)
            interval = limits.chat_interval * _MARGIN
            turn = max(now, chat.paused_until, self._all_paused_until, chat.full_at - (limits.chat_burst - 1) * interval)
            if _is_group(key) and len(chat.last_minute) >= limits.per_group_minute:
                turn = max(turn, chat.last_minute[-limits.per_group_minute] + 60.0 * _MARGIN)
            if turn < deadline:
                self._note_turn(chat, key, turn)
            return turn

    def _note_turn(self, chat: _Chat, key: str, turn: float) -> None:
        """The chat's turn is taken; the lock is held."""
        chat.full_at = max(chat.full_at, turn) + self._limits.chat_interval * _MARGIN
        if _is_group(key):
            chat.last_minute.append(turn)
            while len(chat.last_minute) > self._limits.per_group_minute:
                chat.last_minute.popleft()

    def _common_turn(self, deadline: float) -> float:
        """When all chats together allow the next message; taken only if that is before the deadline."""
        with self._lock.here:
            turn = max(self._clock(), self._all_paused_until)
            if len(self._sent) == self._sent.maxlen:
                turn = max(turn, self._sent[0] + _MARGIN)
            if turn < deadline:
                self._sent.append(turn)
            return turn

    def _chat(self, key: str) -> _Chat:
        if len(self._chats) > _PRUNE_ABOVE:
            now = self._clock()
            self._chats = {
                name: chat
                for name, chat in self._chats.items()
                if max(chat.full_at, chat.paused_until, chat.last_minute[-1] + 60.0 * _MARGIN if chat.last_minute else 0.0) > now
            }
        return self._chats.setdefault(key, _Chat())


def _is_limited(method: str, chat: object) -> bool:
    """Whether the call sends a message."""
    return chat is not None and method.startswith(_LIMITED) and method not in _FREE


def _is_group(key: str) -> bool:
    """Whether it is a group, or a channel, by its id or its name."""
    return key.startswith(("-", "@"))


def _key(method: str, chat: object) -> str:
    """What a pause concerns: a chat, or a method that has none."""
    return f"/{method}" if chat is None else str(chat).lower()[:MOST_OF_A_CHAT]
