"""What a user reads: the bot's messages in one chat, and the answers to pressed buttons."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from syncbot.testing.api.rich import buttons_in, plain_text
from syncbot.testing.world.world import CallbackState, ChatState, Event, World
from syncbot.types import JSON


@dataclass(frozen=True)
class SentMessage:
    """A message of the bot (or of a user) as it was when it was sent, edited or deleted.

    Args:
        data: the Bot API Message.
        kind: "sent", "edited", "deleted", or "draft".
    """

    data: JSON
    kind: str = "sent"

    @property
    def message_id(self) -> int:
        """Its id in its chat; 0 of one that a single member sees."""
        return int(self.data["message_id"])

    @property
    def is_ephemeral(self) -> bool:
        """Whether one member of the group alone sees it."""
        return "ephemeral_message_id" in self.data

    @property
    def chat_id(self) -> int:
        """The chat it is in."""
        return int(self.data["chat"]["id"])

    @property
    def text(self) -> str:
        """Its text, or its caption, without markup; of a rich message, what stands in its blocks, a line each; empty where it has none."""
        return str(self.data.get("text") or self.data.get("caption") or plain_text(self.data.get("rich_message")))

    @property
    def entities(self) -> list[JSON]:
        """The entities of its text or caption."""
        return list(self.data.get("entities") or self.data.get("caption_entities") or [])

    @property
    def buttons(self) -> list[JSON]:
        """The buttons in its rich text, and those of its inline keyboard, row after row."""
        below = [button for row in self.data.get("reply_markup", {}).get("inline_keyboard", []) for button in row]
        return [*buttons_in(self.data.get("rich_message")), *below]

    def button(self, text: str = "") -> JSON:
        """The button with this text, the first one where none is given; raises LookupError where there is none."""
        for button in self.buttons:
            if not text or button["text"] == text:
                return button
        raise LookupError(f"message {self.message_id} has no button {text!r}; it has {[b['text'] for b in self.buttons]}")


def matches(wanted: Any, message: SentMessage) -> bool:
    """Whether a message is what was waited for: its exact text, a pattern found in it, or what a function says."""
    if isinstance(wanted, str):
        return message.text == wanted
    if isinstance(wanted, re.Pattern):
        return wanted.search(message.text) is not None
    return bool(wanted(message))


class Press:
    """A pressed button: waits for the bot's answerCallbackQuery."""

    def __init__(self, world: World, state: CallbackState) -> None:
        self._world = world
        self._state = state

    @property
    def id(self) -> str:
        """The id of the callback query."""
        return str(self._state.query["id"])

    @property
    def answer(self) -> JSON | None:
        """The parameters of answerCallbackQuery; None before it came."""
        return self._state.answer

    def wait_answer(self, timeout: float = 20.0) -> JSON:
        """Wait for answerCallbackQuery and return its parameters; raises TimeoutError where it does not come."""
        self._world.wait_until(lambda: self._state.answer is not None, timeout, "the bot did not answer the pressed button")
        return self._state.answer or {}


class ChatReader:
    """Reads what the bot does in one chat; each event is returned by at most one `wait_for`."""

    def __init__(self, world: World, chat: ChatState) -> None:
        self._world = world
        self._chat = chat
        self._seen = 0

    @property
    def id(self) -> int:
        """The id of the chat, which for a user is the id of the user."""
        return self._chat.id

    @property
    def messages(self) -> list[SentMessage]:
        """The bot's messages that stand in the chat now, edits included, in order."""
        bot = self._world.bot["id"]
        with self._world.changed:
            return [SentMessage(dict(m)) for m in self._standing() if m.get("from", self._world.bot)["id"] == bot]

    def _standing(self) -> Iterable[JSON]:
        """What stands in the chat, in order."""
        return self._chat.messages.values()

    def _events_after(self, number: int) -> list[Event]:
        """What the bot did after an event."""
        return newer_than(self._chat.events, number)

    @property
    def last(self) -> SentMessage:
        """The bot's newest message here; raises LookupError where there is none."""
        messages = self.messages
        if not messages:
            raise LookupError("the bot has not written anything here")
        return messages[-1]

    def wait_for(self, wanted: str | re.Pattern[str] | Callable[[SentMessage], bool], timeout: float = 20.0) -> SentMessage:
        """Wait until the bot sends (or edits a message into) what is wanted.

        Args:
            wanted: the exact text or caption, a pattern that is searched in it, or a function of the message.
            timeout: in seconds.

        Returns:
            The message as it was at that moment. What came before it counts as read: the next call looks only at what followed.

        Raises:
            TimeoutError: it did not come; the text says what came instead.
        """
        deadline = time.monotonic() + timeout
        with self._world.changed:
            looked = self._seen
            while True:
                new = self._events_after(looked)
                looked = new[-1].number if new else looked
                if (found := self._find(new, wanted)) is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    said = [SentMessage(e.message, e.kind).text for e in self._events_after(self._seen)]
                    raise TimeoutError(f"the bot did not say {_shown(wanted)} within {timeout} s; it said {said[-10:]}")
                self._world.changed.wait(left)

    def _find(self, events: list[Event], wanted: Any) -> SentMessage | None:
        for event in events:
            if event.kind != "deleted":
                message = SentMessage(event.message, event.kind)
                if matches(wanted, message):
                    self._seen = event.number
                    return message
        return None

    def reaction_of_bot(self, message_id: int) -> list[JSON]:
        """The bot's reaction to a message."""
        with self._world.changed:
            return list(self._chat.more.get("reactions", {}).get(message_id, []))


class MemberView(ChatReader):
    """Reads what one member sees of the bot in a group: what all see, and what is for this member alone. Made by `Group.seen_by`."""

    def __init__(self, world: World, chat: ChatState, user_id: int) -> None:
        super().__init__(world, chat)
        with world.changed:
            self._alone = chat.seen_alone(user_id)

    def _standing(self) -> Iterable[JSON]:
        replaced = self._alone.more.get("replaced", ())
        return [*(m for m in self._chat.messages.values() if m["message_id"] not in replaced), *self._alone.messages.values()]

    def _events_after(self, number: int) -> list[Event]:
        both = (*newer_than(self._chat.events, number), *newer_than(self._alone.events, number))
        return sorted(both, key=lambda event: event.number)


def newer_than(events: deque[Event], number: int) -> list[Event]:
    """The events after one number, in order; looks at no older ones."""
    new: list[Event] = []
    for event in reversed(events):
        if event.number <= number:
            break
        new.append(event)
    new.reverse()
    return new


def _shown(wanted: Any) -> str:
    return repr(wanted.pattern) if isinstance(wanted, re.Pattern) else repr(wanted) if isinstance(wanted, str) else "what was wanted"
