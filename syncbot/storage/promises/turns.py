"""What the machines of one bot know together of what it sends, so that they keep within Telegram's limits together: values, and what is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How much the machines send together at most.

    Args:
        per_second: messages over all chats in `second` seconds.
        burst: messages that one chat gets at once before `interval` counts.
        interval: seconds between two messages in one chat.
        per_minute: messages in `minute` seconds in one group or channel.
        second: a second, and what is added to it because requests reach Telegram sooner or later than they are sent.
        minute: a minute, in the same way.
    """

    per_second: int
    burst: int
    interval: float
    per_minute: int
    second: float
    minute: float


@dataclass(frozen=True, slots=True)
class ChatTurns:
    """What is known of a chat; times are seconds from now.

    Args:
        chat: its key; "" for all chats.
        full_in: when its burst is used up again.
        minute: the messages of the last minute.
        paused_in: until when Telegram wants to get nothing.
    """

    chat: str
    full_in: float = 0.0
    minute: tuple[float, ...] = ()
    paused_in: float = 0.0


class SharedTurns(Protocol):
    """The limits of a bot that several machines keep together.

    A machine that sends little asks nobody: of all chats' messages it has a part of its own (`own_per_second`), and the first message to a chat that has had
    none for a while goes at once. It is noted, behind the call, and what others have noted is learned with that. Nearer to a limit each message is asked for.
    """

    @property
    def own_per_second(self) -> int:
        """How many messages in a second this machine may send without asking for them."""
        ...

    def note(self, chat: str) -> None:
        """A message goes to this chat; it was not asked for. Does not wait."""
        ...

    def pause(self, chat: str, seconds: float) -> None:
        """Telegram wants to get nothing for this chat, or by this method ("/name"), for so long; all learn of it. Does not wait."""
        ...

    def take(self, chat: str, *, is_group: bool, within: float) -> float:
        """In how many seconds a message may go to this chat; its turn is taken only if that is sooner than `within`.

        Raises:
            StorageError: nobody can say now.
        """
        ...

    def take_common(self, *, within: float) -> float:
        """In how many seconds one more message may go out beside those that the machines need not ask for; as `take`."""
        ...

    def on_learned(self, told: Callable[[list[ChatTurns]], object]) -> None:
        """From now on, tell what is learned of what others send."""
        ...

    def close(self) -> None:
        """Nothing is sent any more."""
        ...
