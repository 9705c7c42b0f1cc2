"""What a person does in the page: each action is a POST with JSON, and its echo comes with the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from syncbot.testing.page.saving import Step, Story
from syncbot.testing.page.trial import Trial
from syncbot.testing.people.people import Group, User, change_text, say
from syncbot.testing.people.reading import SentMessage
from syncbot.testing.people.voting import vote
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON


class WrongAction(Exception):
    """The page asked for something that cannot be done; the text says why."""


class Actions:
    """Carries out what the page asks for.

    Args:
        trial: whose people act.
        story: notes what they did, for the test that it becomes.
    """

    def __init__(self, trial: Trial, story: Story) -> None:
        self._trial = trial
        self._story = story
        self._world = trial.sandbox.server.world
        self._scene = trial.sandbox.server.scene
        self._table: Mapping[str, Callable[[JSON], Any]] = {
            "send": self._send,
            "edit": self._edit,
            "press": self._press,
            "react": self._react,
            "vote": self._vote,
            "contact": self._contact,
            "location": self._location,
            "inline": self._inline,
            "choose": self._choose,
            "block": self._block,
            "add_user": self._add_user,
            "add_chat": self._add_chat,
            "faults": self._faults,
            "rtt": lambda asked: trial.set_rtt(float(asked["seconds"])),
            "late": lambda _asked: trial.too_many_requests(),
            "kill": self._kill,
            "start": self._start,
        }

    def carry_out(self, name: str, asked: JSON) -> Any:
        """Do what is asked for, and return what the page needs to know at once; raises `WrongAction`."""
        action = self._table.get(name)
        if action is None:
            raise WrongAction(f"there is no action {name!r}")
        try:
            return action(asked)
        except (LookupError, TypeError, ValueError) as problem:
            raise WrongAction(f"{name}: {problem}") from problem

    def upload(self, asked: JSON, content: bytes) -> None:
        """Send a file that was dropped into the page."""
        user, chat = self._who(asked)
        kind, name, caption = str(asked["what"]), str(asked.get("name", "")), str(asked.get("caption", ""))
        try:
            if chat.type == "private":
                user.send_media(kind, content, name=name, caption=caption)
            else:
                self._trial.groups[chat.id].send_media(self._author(user, chat), kind, content, name=name, caption=caption)
        except ValueError as problem:
            raise WrongAction(str(problem)) from problem
        self._note(user, chat, "media", kind=kind, name=name, text=caption)

    # ------------------------------------------------------------------ inside

    def _who(self, asked: JSON) -> tuple[User, ChatState]:
        try:
            return self._trial.users[int(asked["user"])], self._world.chats[int(asked["chat"])]
        except (KeyError, ValueError, TypeError):
            raise WrongAction("there is no such user or chat") from None

    def _author(self, user: User, chat: ChatState) -> User | None:
        return None if chat.type == "channel" else user

    def _note(self, user: User, chat: ChatState, kind: str, /, **facts: Any) -> None:
        title = "" if chat.type == "private" else str(chat.facts["title"])
        self._story.acted(Step(kind, str(user.card["first_name"]), title, chat.type, facts))

    def _say(self, user: User, chat: ChatState, content: JSON) -> None:
        say(self._scene, chat, None if chat.type == "channel" else user.card, content, None)

    def _send(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        text, reply_to = str(asked["text"]).strip(), asked.get("reply_to") or None
        if not 1 <= len(text) <= 4096:
            raise WrongAction("a text has 1 to 4,096 characters")
        self._note(user, chat, "send", text=text)  # before it is said: the answer must not come first
        if chat.type == "private":
            chat.refusal = ""
            user.send(text, reply_to=reply_to)
        else:
            self._trial.groups[chat.id].send(self._author(user, chat), text, reply_to=reply_to)

    def _edit(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        self._note(user, chat, "edit", text=str(asked["text"]))
        change_text(self._scene, chat, int(asked["message_id"]), str(asked["text"]))
        self._trial.watcher.touch(chat.id, int(asked["message_id"]))

    def _press(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        message = SentMessage(dict(chat.messages[int(asked["message_id"])]))
        button = message.data["reply_markup"]["inline_keyboard"][int(asked["row"])][int(asked["column"])]
        self._note(user, chat, "press", text=button["text"])
        user.press(SentMessage({**message.data, "reply_markup": {"inline_keyboard": [[button]]}}))

    def _react(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        message = SentMessage(dict(chat.messages[int(asked["message_id"])]))
        emoji = str(asked.get("emoji", ""))
        user.react(message, *([emoji] if emoji else []))
        self._trial.watcher.touch(chat.id, message.message_id)

    def _vote(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        vote(self._scene, chat, user.card, int(asked["message_id"]), [int(number) for number in asked["options"]])
        self._trial.watcher.touch(chat.id, int(asked["message_id"]))

    def _contact(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        self._note(user, chat, "contact")
        self._say(user, chat, {"contact": {"phone_number": "+15550100", "first_name": user.card["first_name"], "user_id": user.id}})

    def _location(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        self._note(user, chat, "location")
        self._say(user, chat, {"location": {"latitude": 48.8584, "longitude": 2.2945}})

    def _inline(self, asked: JSON) -> JSON:
        user, _chat = self._who(asked)
        return {"query_id": user.inline_query(str(asked.get("query", "")))}

    def _choose(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        answer = self._world.queries[str(asked["query_id"])]
        result = answer["results"][int(asked["index"])]
        content = result.get("input_message_content") or {}
        text = str(content.get("message_text") or result.get("caption") or result.get("title") or "")
        self._say(user, chat, {"text": text or "(no text)", "via_bot": self._world.bot})
        self._scene.queue.push("chosen_inline_result", {"result_id": str(result["id"]), "from": user.card, "query": str(asked.get("query", ""))})

    def _block(self, asked: JSON) -> None:
        user, chat = self._who(asked)
        if asked.get("blocked"):
            user.block()
        else:
            user.unblock()
        self._trial.feed.tell("chat", chat=self._trial.chat_card(chat))

    def _add_user(self, asked: JSON) -> JSON:
        user = self._trial.user(_name(asked))
        for group in list(self._trial.groups.values()):
            if self._world.chats[group.id].type != "channel" and group.status_of(user) == "left":
                group.join(user)
        self._trial.feed.tell("user", user=dict(user.card))
        return {"chat": user.id}

    def _add_chat(self, asked: JSON) -> JSON:
        kind = str(asked.get("type", "supergroup"))
        if kind not in ("group", "supergroup", "channel"):
            raise WrongAction("a chat is a group, a supergroup or a channel")
        group: Group = self._trial.group(_name(asked), kind)
        return {"chat": group.id}

    def _faults(self, asked: JSON) -> None:
        self._trial.set_faults([str(name) for name in asked["names"]], min(max(float(asked["rate"]), 0.0), 1.0))

    def _kill(self, _asked: JSON) -> None:
        if self._trial.bot is None or not self._trial.bot.kill():
            raise WrongAction("the bot does not run")

    def _start(self, _asked: JSON) -> None:
        if self._trial.bot is not None:
            self._trial.bot.start()


def find_button(messages: Iterable[JSON], text: str) -> JSON | None:
    """Where the first of these messages has a button with this text: what a press asks for."""
    for message in messages:
        for row, buttons in enumerate(message.get("reply_markup", {}).get("inline_keyboard", [])):
            for column, button in enumerate(buttons):
                if button["text"] == text:
                    return {"message_id": message["message_id"], "row": row, "column": column}
    return None


def _name(asked: JSON) -> str:
    name = " ".join(str(asked["name"]).split())
    if not 1 <= len(name) <= 64:
        raise WrongAction("a name has 1 to 64 characters")
    return name
