"""A user of a test: writes, presses, and expects answers; what does not come fails the test, with what came instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from syncbot.testing.people.people import Group, Scene, User
from syncbot.testing.people.reading import Press, SentMessage, matches
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

Wanted = str | re.Pattern[str] | Callable[[SentMessage], bool]


class Watch(Protocol):
    """Who waits for a chat, and writes down what its user does."""

    def note(self, who: str, what: str) -> None:
        """Somebody does something."""

    def wait(self, condition: Callable[[], bool], problem: Callable[[], str], timeout: float | None) -> None:
        """Wait until it is true; raises AssertionError with the problem where it does not get true, or the bot fails first."""

    def wait_idle(self, timeout: float | None) -> None:
        """Wait until the bot has fetched and handled what was said."""


class Chat(User):
    """A person in a private chat with the bot: a `User` whose expectations are assertions. `chat` and `new_chat("Bob")` make them."""

    def __init__(self, scene: Scene, chat: ChatState, card: JSON, watch: Watch) -> None:
        super().__init__(scene, chat, card)
        self._watch = watch

    @property
    def history(self) -> list[SentMessage]:
        """What stands in the chat now, of both sides, in order."""
        with self._world.changed:
            return [SentMessage(dict(message)) for message in self._standing()]

    def expect(self, wanted: Wanted, *, buttons: Sequence[str] | None = None, edited: bool | None = None, timeout: float | None = None) -> SentMessage:
        """The bot says this, or edits a message into it. What came before it counts as read: the next `expect` looks only at what followed.

        Args:
            wanted: the exact text or caption, a pattern that is searched in it, or a function of the message.
            buttons: the texts of its inline buttons, all of them in order; None for any.
            edited: whether it is an edited message; None for either.
            timeout: in seconds; None for `syncbot_timeout`.

        Raises:
            AssertionError: it did not come in time, or the bot failed.
        """
        __tracebackhide__ = True
        found: list[SentMessage] = []

        def fits(message: SentMessage) -> bool:
            right_buttons = buttons is None or _texts(message) == list(buttons)
            return matches(wanted, message) and right_buttons and edited in (None, message.kind == "edited")

        def look() -> bool:
            message = self._find(self._events_after(self._seen), fits)
            found.extend([message] if message is not None else [])
            return message is not None

        more = "".join([f" with the buttons {list(buttons)}" if buttons is not None else "", {True: ", edited", False: ", not edited", None: ""}[edited]])
        self._watch.wait(look, lambda: f"the bot did not say {_shown(wanted)}{more}; {self._instead(wanted)}", timeout)
        return found[0]

    def expect_nothing(self, seconds: float = 0.5) -> None:
        """The bot handles what was said, and says nothing, not within so many seconds more either; raises AssertionError where it does."""
        __tracebackhide__ = True
        self._watch.wait_idle(None)
        with self._world.changed:
            if self._world.changed.wait_for(lambda: bool(self._unread()), seconds):
                raise AssertionError(f"nothing was expected, and {self._instead('')}")

    def album(self, count: int | None = None, timeout: float | None = None) -> list[SentMessage]:
        """The bot sends an album, of so many messages where that is said; raises AssertionError where it does not come."""
        __tracebackhide__ = True
        first = self.expect(lambda message: "media_group_id" in message.data, timeout=timeout)
        group = first.data["media_group_id"]  # all of it stands there at once
        with self._world.changed:
            self._seen = max((event.number for event in self._chat.events if event.message.get("media_group_id") == group), default=self._seen)
        album = [message for message in self.messages if message.data.get("media_group_id") == group]
        assert count in (None, len(album)), f"the album has {len(album)} messages, not {count}"
        return album

    def send_album(self, *contents: bytes, kind: str = "photo", caption: str = "") -> None:
        """Send an album; the caption goes with its first medium."""
        group = str(13_000_000_000_000_000 + self._world.number())
        for number, content in enumerate(contents):
            self.send_media(kind, content, name=f"{kind}{number}", caption=caption if number == 0 else "", media_group_id=group)

    def press(self, target: SentMessage | str, button: str = "", *, in_chat: Group | None = None) -> Press:
        """Press an inline button, as soon as the bot has sent a message that has it; see `User.press`. Raises AssertionError where it does not come."""
        __tracebackhide__ = True
        if isinstance(target, str):
            where = self if in_chat is None else in_chat.seen_by(self)

            def shown() -> list[str]:
                return [text for message in where.messages for text in _texts(message)]

            words = "a button of a reply keyboard says its text: chat.send(…)"
            self._watch.wait(lambda: target in shown(), lambda: f"no message has an inline button {target!r}; there are {shown()}; {words}", None)
        self._watch.note(self.card["first_name"], f"[{target if isinstance(target, str) else button or _texts(target)[0]}]")
        return super().press(target, button, in_chat=in_chat)

    def _say(self, chat: ChatState, content: JSON, reply_to: SentMessage | int | None) -> int | None:
        self._watch.note(self.card["first_name"], told(SentMessage(content)))
        return super()._say(chat, content, reply_to)

    def _unread(self) -> list[SentMessage]:
        return [SentMessage(event.message, event.kind) for event in self._events_after(self._seen) if event.kind != "deleted"]

    def _instead(self, wanted: Any) -> str:
        unread = self._unread()
        if not unread:
            return "it said nothing"
        texts = [message.text for message in unread]
        near = difflib.get_close_matches(wanted, texts, 1) if isinstance(wanted, str) else []
        message = next((one for one in unread if one.text in near), unread[-1])
        return f"it said {told(message)}" + (f", and {len(unread) - 1} more" if unread[1:] else "")


def told(message: SentMessage) -> str:
    """A message in a line: its text, what else it is, its buttons."""
    kinds = [name for name in ("photo", "document", "video", "audio", "voice", "animation", "sticker", "location", "contact", "poll") if name in message.data]
    parts = [*(f"({kind})" for kind in kinds), *([repr(message.text)] if message.text else []), *(f"[{text}]" for text in _texts(message))]
    return " ".join(["(edited)"] * (message.kind == "edited") + (parts or ["(something)"]))


def _texts(message: SentMessage) -> list[str]:
    return [str(button["text"]) for button in message.buttons]


def _shown(wanted: Wanted) -> str:
    return f"something like {wanted.pattern!r}" if isinstance(wanted, re.Pattern) else repr(wanted) if isinstance(wanted, str) else "what was wanted"
