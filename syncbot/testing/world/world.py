"""The state behind the fake server: who exists, which chats there are, what was said in them, and what happened since."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncbot.testing.world.alarms import Alarms
from syncbot.testing.world.problems import ApiProblem, bad_request
from syncbot.types import JSON


@dataclass(frozen=True)
class Event:
    """Something the bot did to a message: `kind` is "sent", "edited" or "deleted"; `message` is as it was at that moment."""

    number: int
    kind: str
    message: JSON


@dataclass
class ChatState:
    """A chat as the server knows it.

    Args:
        id: negative for groups and channels.
        type: "private", "group", "supergroup" or "channel".
        facts: the fields of the Bot API's Chat beside id and type (title, username, first_name, …).
        members: the status of each user ("creator", "administrator", "member", "restricted", "left", "kicked") by id.
        refusal: the 403 that the bot gets here, without its prefix; empty where it may write.
        migrated_to: the id of the supergroup that this group became; 0 for none.
        messages: by id, in order.
        pinned: ids of pinned messages, the newest last.
        more: what methods such as setChatDescription left here.
        events: what the bot did here.
        alone: what each member alone sees here, by the member's id; a chat of its own, whose messages stand under their ephemeral ids.
    """

    id: int
    type: str
    facts: JSON = field(default_factory=dict)
    members: dict[int, str] = field(default_factory=dict)
    refusal: str = ""
    migrated_to: int = 0
    messages: OrderedDict[int, JSON] = field(default_factory=OrderedDict)
    pinned: list[int] = field(default_factory=list)
    more: JSON = field(default_factory=dict)
    events: deque[Event] = field(default_factory=deque)
    alone: dict[int, ChatState] = field(default_factory=dict)

    def seen_alone(self, user_id: int) -> ChatState:
        """What this member alone sees here."""
        if user_id not in self.alone:
            self.alone[user_id] = ChatState(self.id, self.type, self.facts, events=deque(maxlen=self.events.maxlen))
        return self.alone[user_id]

    def unpin(self, message_id: int) -> None:
        """Take a message from the pinned ones, if it is one."""
        if message_id in self.pinned:
            self.pinned.remove(message_id)

    @property
    def card(self) -> JSON:
        """The chat as a Bot API Chat."""
        return {"id": self.id, "type": self.type, **self.facts}


@dataclass
class CallbackState:
    """A pressed button: `answer` is what answerCallbackQuery brought, None before; `pressed` is the Unix time."""

    query: JSON
    answer: JSON | None = None
    pressed: float = field(default_factory=time.time)


class World:
    """Users, chats, messages and queries. Its lock is that of `changed`; whoever reads or writes holds it.

    Args:
        bot: the bot as getMe shows it.
        keep: how many messages per chat, events and queries are kept.
        any_chat: a chat with an unknown id comes into being when the bot writes to it.
    """

    def __init__(self, bot: JSON, *, keep: int, any_chat: bool) -> None:
        self.changed = threading.Condition()
        self.me = bot
        self.bot: JSON = {key: bot[key] for key in ("id", "is_bot", "first_name", "username") if key in bot}
        self.keep = keep
        self.any_chat = any_chat
        self.users: dict[int, JSON] = {bot["id"]: self.bot}
        self.chats: dict[int, ChatState] = {}
        self.callbacks: OrderedDict[str, CallbackState] = OrderedDict()
        self.queries: OrderedDict[str, JSON] = OrderedDict()
        self.sent: deque[Event] = deque(maxlen=keep)
        self.settings: JSON = {}
        self.alarms = Alarms()
        self._numbers = itertools.count(1)
        self._message_ids = itertools.count(1)
        self._own_message_ids: dict[int, itertools.count[int]] = {}

    def wait_until(self, condition: Callable[[], bool], timeout: float, problem: str) -> None:
        """Wait until something is true, looked at after every change; raises TimeoutError with `problem` where it does not get true."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise TimeoutError(f"{problem} within {timeout} s")

    # ------------------------------------------------------------------ users and chats

    def number(self) -> int:
        """A new number, for ids of any kind."""
        return next(self._numbers)

    def add_user(self, user: JSON, *, started: bool) -> ChatState:
        """Make a user and the private chat with the bot."""
        with self.changed:
            self.users[user["id"]] = user
            facts = {key: user[key] for key in ("first_name", "last_name", "username") if user.get(key)}
            refusal = "" if started else "bot can't initiate conversation with a user"
            return self.add_chat(ChatState(user["id"], "private", facts, {user["id"]: "member", self.bot["id"]: "member"}, refusal))

    def add_chat(self, chat: ChatState) -> ChatState:
        """Make a chat known."""
        with self.changed:
            chat.events = deque(chat.events, maxlen=self.keep)
            self.chats[chat.id] = chat
            return chat

    def find_chat(self, chat_id: Any) -> ChatState:
        """The chat that a call names by id or @username; raises `ApiProblem` with Telegram's words where there is none."""
        if chat_id is None or chat_id == "":
            raise bad_request("chat_id is empty")
        chat = self._by_name(chat_id) if isinstance(chat_id, str) and chat_id.startswith("@") else self.chats.get(_number(chat_id))
        if chat is None and self.any_chat and _number(chat_id):
            chat = self._new_chat(_number(chat_id))
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        return chat

    def chat_number(self, chat_id: Any) -> int:
        """The id of the chat that a call names; 0 where there is none."""
        chat = self._by_name(chat_id) if isinstance(chat_id, str) and chat_id.startswith("@") else None
        return chat.id if chat is not None else _number(chat_id)

    def writable_chat(self, chat_id: Any) -> ChatState:
        """The same, where the bot may write; raises `ApiProblem` 403 where it may not."""
        chat = self.find_chat(chat_id)
        if chat.refusal:
            raise ApiProblem(403, f"Forbidden: {chat.refusal}")
        return chat

    def _by_name(self, name: str) -> ChatState | None:
        wanted = name[1:].lower()
        return next((chat for chat in self.chats.values() if str(chat.facts.get("username", "")).lower() == wanted), None)

    def _new_chat(self, chat_id: int) -> ChatState:
        if chat_id > 0:
            return self.add_user({"id": chat_id, "is_bot": False, "first_name": f"User {chat_id}"}, started=True)
        kind = "supergroup" if chat_id < -1_000_000_000_000 else "group"
        return self.add_chat(ChatState(chat_id, kind, {"title": f"Group {chat_id}"}, {self.bot["id"]: "member"}))

    # ------------------------------------------------------------------ messages

    def add_message(self, chat: ChatState, sender: JSON | None, content: JSON) -> JSON:
        """Store a message of a user (or of a channel: `sender` None) and return it as a Bot API Message."""
        with self.changed:
            message: JSON = {"message_id": self._next_message_id(chat), "date": int(time.time()), "chat": chat.card}
            if sender is not None:
                message["from"] = sender
            else:
                message["sender_chat"] = chat.card
            message.update(content)
            chat.messages[message["message_id"]] = message
            while len(chat.messages) > self.keep:
                chat.messages.popitem(last=False)
            return message

    def bot_says(self, chat: ChatState, content: JSON) -> JSON:
        """Store a message of the bot, and tell those who wait for it."""
        with self.changed:
            for name in ("draft", "stopped_draft"):
                chat.more.pop(name, None)
            message = self.add_message(chat, None if chat.type == "channel" else self.bot, content)
            self.happened(chat, "sent", message)
            return message

    def add_ephemeral(self, chat: ChatState, user_id: int, content: JSON, *, by_bot: bool) -> JSON:
        """Store a message that one member and the bot alone see. Its id is the lowest that is free in the chat: Telegram uses them again, too."""
        with self.changed:
            alone = chat.seen_alone(user_id)
            taken = {number for each in chat.alone.values() for number in each.messages}
            number = next(number for number in itertools.count(1) if number not in taken)
            sender, receiver = (self.bot, self.users[user_id]) if by_bot else (self.users[user_id], self.bot)
            facts: JSON = {"message_id": 0, "ephemeral_message_id": number, "date": int(time.time()), "chat": chat.card}
            alone.messages[number] = message = {**facts, "from": sender, "receiver_user": receiver, **content}
            while len(alone.messages) > self.keep:
                alone.messages.popitem(last=False)
            if by_bot:
                self.happened(alone, "sent", message)
            return message

    def happened(self, chat: ChatState, kind: str, message: JSON) -> None:
        """Note what the bot did, and wake those who wait."""
        with self.changed:
            event = Event(next(self._numbers), kind, dict(message))
            chat.events.append(event)
            self.sent.append(event)
            self.changed.notify_all()

    def find_message(self, chat: ChatState, message_id: Any, problem: str) -> JSON:
        """A message by id; raises `ApiProblem` with `problem` where there is none."""
        message = chat.messages.get(_number(message_id))
        if message is None:
            raise bad_request(problem)
        return message

    def _next_message_id(self, chat: ChatState) -> int:
        if chat.type in ("supergroup", "channel"):
            return next(self._own_message_ids.setdefault(chat.id, itertools.count(1)))
        return next(self._message_ids)

    # ------------------------------------------------------------------ queries

    def add_callback(self, query: JSON) -> CallbackState:
        """A button was pressed."""
        with self.changed:
            state = self.callbacks[query["id"]] = CallbackState(query)
            while len(self.callbacks) > self.keep:
                self.callbacks.popitem(last=False)
            return state

    def add_query(self, query_id: str) -> None:
        """An inline, shipping or checkout query waits for its answer."""
        with self.changed:
            self.queries[query_id] = {}
            while len(self.queries) > self.keep:
                self.queries.popitem(last=False)


def key_of(message: JSON) -> int:
    """What a message stands under in its chat: its id, or its ephemeral one."""
    return int(message.get("ephemeral_message_id") or message["message_id"])


def _number(value: Any) -> int:
    """The value as an id; 0, which nothing has, where it is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    try:
        return int(value) if isinstance(value, str) and len(value) < 25 else 0
    except ValueError:
        return 0
