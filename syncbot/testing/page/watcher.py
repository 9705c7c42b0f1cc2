"""Watches the world of a trial, and tells the feed what a person would see of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from syncbot.testing.page.calls import CallLog
from syncbot.testing.page.feed import Feed
from syncbot.testing.people.reading import newer_than
from syncbot.testing.server.records import Answered
from syncbot.testing.server.server import BotApiServer
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

_LOOK_SECONDS = 0.5
_TOUCHING = ("setMessageReaction", "stopPoll", "pinChatMessage", "unpinChatMessage")


class ChatWatcher:
    """A thread that looks after every change."""

    def __init__(self, server: BotApiServer, feed: Feed, calls: CallLog, on_look: Callable[[], None]) -> None:
        self._server = server
        self._feed = feed
        self._calls = calls
        self._on_look = on_look
        self._stop = False
        self._event = 0
        self._answers = 0
        self._seen: dict[int, int] = {}
        self._thread = threading.Thread(target=self._run, name="syncbot-trial-watcher", daemon=True)
        self.keyboards: dict[int, JSON] = {}

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        with self._server.world.changed:
            self._stop = True
            self._server.world.changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        world = self._server.world
        while True:
            with world.changed:
                if not self._has_news():
                    world.changed.wait(_LOOK_SECONDS)
                if self._stop:
                    return
                told = [*self._messages(), *self._events()]
                answers = self._new_answers()
            for kind, facts in told:
                self._feed.tell(kind, **facts)
            for answer in answers:
                self._tell_answer(answer)
            self._on_look()

    # ------------------------------------------------------------------ with the world's lock

    def _has_news(self) -> bool:
        world, recorder = self._server.world, self._server.recorder
        last_event = world.sent[-1].number if world.sent else 0
        answered = sum(recorder.by_status.values())
        return bool(last_event != self._event or answered != self._answers or self._messages(look=True))

    def _messages(self, *, look: bool = False) -> list[tuple[str, JSON]]:
        """What people wrote; what the bot wrote comes as an event, in order with its edits."""
        new = []
        for chat in self._server.world.chats.values():
            newest = next(reversed(chat.messages), 0)
            seen = self._seen.get(chat.id, 0)
            if newest <= seen:
                continue
            for number in reversed(chat.messages):
                if number <= seen:
                    break
                message = chat.messages[number]
                if message.get("from", {}).get("id") != self._server.bot["id"]:
                    new.append((number, chat.id, message))
            if not look:
                self._seen[chat.id] = newest
        return [("message", {"chat": chat, "message": dict(message)}) for _, chat, message in sorted(new, key=lambda one: one[:2])]

    def _events(self) -> list[tuple[str, JSON]]:
        told: list[tuple[str, JSON]] = []
        for event in newer_than(self._server.world.sent, self._event):
            self._event = event.number
            chat = event.message["chat"]["id"]
            if event.kind == "deleted":
                told.append(("deleted", {"chat": chat, "message_id": event.message["message_id"]}))
            else:
                told.append(("message", {"chat": chat, "message": event.message, "edited": event.kind == "edited"}))
        return told

    def _new_answers(self) -> list[Answered]:
        recorder = self._server.recorder
        total = sum(recorder.by_status.values())
        count, self._answers = min(total - self._answers, len(recorder.answers)), total
        return [recorder.answers[-n] for n in range(count, 0, -1)]

    # ------------------------------------------------------------------ without it

    def _tell_answer(self, answer: Answered) -> None:
        method, params = answer.request.method, answer.request.params
        if method == "getUpdates" and answer.status == 200:
            return
        self._feed.tell("call", call=self._calls.answered(answer, time.time()))
        if answer.status != 200:
            return
        chat = self._server.world.chat_number(params.get("chat_id"))
        if method == "sendChatAction":
            self._feed.tell("typing", chat=chat, action=str(params.get("action")))
        elif method == "answerCallbackQuery":
            self._tell_toast(dict(params))
        elif method == "answerInlineQuery":
            self._feed.tell("inline", query_id=str(params.get("inline_query_id")), results=params.get("results") or [])
        elif method.endswith("Draft"):
            self._feed.tell("draft", chat=chat, text=str(params.get("text") or "…"))
        elif method in _TOUCHING:
            self.touch(chat, params.get("message_id"))
        elif method in ("setMyCommands", "deleteMyCommands"):
            self._feed.tell("commands", commands=self.commands())
        self._note_keyboard(chat, params.get("reply_markup"))

    def _tell_toast(self, params: JSON) -> None:
        state = self._server.world.callbacks.get(str(params.get("callback_query_id")))
        user = state.query["from"]["id"] if state is not None else 0
        shown = {"text": str(params.get("text") or ""), "alert": params.get("show_alert") is True, "url": str(params.get("url") or "")}
        self._feed.tell("toast", user=user, **shown)

    def _note_keyboard(self, chat: int, markup: object) -> None:
        if isinstance(markup, dict) and ({"keyboard", "remove_keyboard", "force_reply"} & markup.keys()):
            self.keyboards[chat] = markup
            self._feed.tell("keyboard", chat=chat, markup=markup)

    def commands(self) -> list[JSON]:
        """The bot's menu of commands, whatever the scope."""
        with self._server.world.changed:
            found = [command for name, each in self._server.world.settings.items() if name.startswith("commands/") for command in each]
        return list({str(command.get("command")): command for command in found}.values())

    def touch(self, chat_id: int, message_id: object) -> None:
        """Tell a message as it stands now, with the reactions under it."""
        with self._server.world.changed:
            chat = self._server.world.chats.get(chat_id)
            if chat is None or not isinstance(message_id, int) or message_id not in chat.messages:
                return
            shown = shown_message(chat, message_id)
        self._feed.tell("message", chat=chat_id, message=shown, edited=True)


def shown_message(chat: ChatState, message_id: int) -> JSON:
    """A message as the page shows it: with the emoji under it, of the bot and of people, and whether it is pinned."""
    lists = [chat.more.get("reactions", {}).get(message_id, [])]
    lists += [given for (_user, number), given in chat.more.get("user_reactions", {}).items() if number == message_id]
    emoji = [str(one.get("emoji", "⭐")) for each in lists for one in each]
    return {**chat.messages[message_id], "reactions": emoji, "pinned": message_id in chat.pinned}
