"""The user's side: people who write to the bot and read what it says, and the groups they meet in."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from syncbot.testing.api.media import DESCRIBE
from syncbot.testing.api.membership import member_card
from syncbot.testing.api.text.entities import find_entities
from syncbot.testing.people.reading import ChatReader, MemberView, Press, SentMessage
from syncbot.testing.world.file_store import FileStore
from syncbot.testing.world.update_queue import UpdateQueue
from syncbot.testing.world.world import ChatState, World, key_of
from syncbot.types import JSON


@dataclass(frozen=True)
class Scene:
    """Where people meet the bot: the world, the queue of updates, and the files."""

    world: World
    queue: UpdateQueue
    store: FileStore


class User(ChatReader):
    """A person with a private chat with the bot. Made by `BotApiServer.user`."""

    def __init__(self, scene: Scene, chat: ChatState, card: JSON) -> None:
        super().__init__(scene.world, chat)
        self._scene = scene
        self.card = card

    # ------------------------------------------------------------------ write

    def send(self, text: str, *, reply_to: SentMessage | int | None = None, **fields: Any) -> int | None:
        """Write a text to the bot; entities are found in it as Telegram does.

        Args:
            text: what is written.
            reply_to: the message that is replied to.
            fields: further fields of the Bot API Message.

        Returns:
            The id of the update; None where the bot asked not to get such updates.
        """
        return self._say(self._chat, text_of(text, **fields), reply_to)

    def send_media(self, kind: str, content: bytes = b"test", *, name: str = "", caption: str = "", **fields: Any) -> int | None:
        """Send a medium: `kind` is "photo", "document", "video", "audio", "voice", "video_note", "animation" or "sticker"."""
        return self._say(self._chat, media_of(self._scene, kind, content, name, caption, fields), None)

    def send_photo(self, content: bytes = b"\xff\xd8photo", *, caption: str = "", **fields: Any) -> int | None:
        """Send a photo."""
        return self.send_media("photo", content, name="photo.jpg", caption=caption, **fields)

    def send_document(self, content: bytes = b"document", *, name: str = "document.txt", caption: str = "", **fields: Any) -> int | None:
        """Send a document."""
        return self.send_media("document", content, name=name, caption=caption, **fields)

    def send_voice(self, content: bytes = b"OggS", **fields: Any) -> int | None:
        """Send a voice message."""
        return self.send_media("voice", content, name="voice.ogg", **fields)

    def send_location(self, latitude: float, longitude: float) -> int | None:
        """Send a location."""
        return self._say(self._chat, {"location": {"latitude": latitude, "longitude": longitude}}, None)

    def send_contact(self, phone_number: str) -> int | None:
        """Send the user's own contact."""
        contact = {"phone_number": phone_number, "first_name": self.card["first_name"], "user_id": self.id}
        return self._say(self._chat, {"contact": contact}, None)

    def edit(self, message: SentMessage | int, text: str) -> int | None:
        """Change the text of a message that this user wrote."""
        return change_text(self._scene, self._chat, _id(message), text)

    @property
    def last_sent(self) -> SentMessage:
        """The newest message that this user wrote in the private chat."""
        with self._world.changed:
            own = [m for m in self._chat.messages.values() if m.get("from", {}).get("id") == self.id]
            return SentMessage(dict(own[-1]))

    # ------------------------------------------------------------------ touch

    def press(self, target: SentMessage | str, button: str = "", *, in_chat: Group | None = None) -> Press:
        """Press a button of an inline keyboard.

        Args:
            target: a message of the bot, or the text of a button on the newest message that has such a button.
            button: the text of the button, where `target` is a message; the first one where it is empty.
            in_chat: the group to look in for the text of a button, instead of the private chat.

        Returns:
            What waits for the bot's answer.

        Raises:
            LookupError: there is no such button, or it sends no callback.
        """
        where = self if in_chat is None else in_chat.seen_by(self)
        message = self._message_with(target, where) if isinstance(target, str) else target
        pressed = message.button(target if isinstance(target, str) else button)
        if "disabled" in pressed:
            raise LookupError(f"the button {pressed['text']!r} is disabled and does nothing")
        if "callback_data" not in pressed and "callback_game" not in pressed:
            raise LookupError(f"the button {pressed['text']!r} sends no callback: it has {sorted(set(pressed) - {'text'})}")
        world = self._world
        with world.changed:
            query: JSON = {"id": str(4_000_000_000_000_000_000 + world.number()), "from": self.card, "chat_instance": str(-message.chat_id)}
            chat = world.chats[message.chat_id]
            seen = chat.seen_alone(self.id) if message.is_ephemeral else chat
            query["message"] = seen.messages.get(key_of(message.data), message.data)
            if "callback_data" in pressed:
                query["data"] = pressed["callback_data"]
            else:
                query["game_short_name"] = message.data["game"]["title"]
            state = world.add_callback(query)
            self._scene.queue.push("callback_query", query)
        return Press(world, state)

    def react(self, message: SentMessage, *emoji: str) -> int | None:
        """Put reactions under a message, in place of the ones that this user had there; None where the bot did not ask to be told."""
        world = self._world
        with world.changed:
            chat = world.chats[message.chat_id]
            mine = chat.more.setdefault("user_reactions", {})
            new = [{"type": "emoji", "emoji": sign} for sign in emoji]
            old = mine.get((self.id, message.message_id), [])
            mine[self.id, message.message_id] = new
            update = {"chat": chat.card, "message_id": message.message_id, "user": self.card, "date": int(time.time())}
            return self._scene.queue.push("message_reaction", {**update, "old_reaction": old, "new_reaction": new})

    def inline_query(self, query: str, *, offset: str = "") -> str:
        """Type an inline query; returns its id, with which `BotApiServer.answer_to` finds the bot's answer."""
        world = self._world
        with world.changed:
            query_id = str(6_000_000_000_000_000_000 + world.number())
            world.add_query(query_id)
            self._scene.queue.push("inline_query", {"id": query_id, "from": self.card, "query": query, "offset": offset, "chat_type": "sender"})
            return query_id

    # ------------------------------------------------------------------ drafts and subscriptions

    @property
    def draft(self) -> SentMessage | None:
        """What the bot shows of a message that it is still writing; None where there is nothing."""
        with self._world.changed:
            draft: JSON | None = self._chat.more.get("draft")
            return SentMessage(dict(draft), "draft") if draft is not None and draft["shown_until"] > time.monotonic() else None

    def wait_for_draft(self, text: str, timeout: float = 20.0) -> SentMessage:
        """Wait until the bot shows a draft with exactly this text; raises TimeoutError where it does not."""
        found: list[SentMessage] = []

        def look() -> bool:
            found[:] = [self.draft] if self.draft is not None and self.draft.text == text else []
            return bool(found)

        self._world.wait_until(look, timeout, f"the bot did not show the draft {text!r}")
        return found[0]

    def stop_draft(self) -> int | None:
        """Stop what the bot is writing; returns the id of the update. Raises LookupError where it shows nothing that can be stopped."""
        with self._world.changed:
            draft = self.draft
            if draft is None or draft.data.get("can_stop") is not True:
                raise LookupError("there is no draft of the bot here that can be stopped: it has to be sent with can_stop")
            self._chat.more["stopped_draft"] = draft.data["draft_id"]
            if draft.data.get("keep_on_stop") is not True:
                self._chat.more.pop("draft")
            facts = {name: draft.data[name] for name in ("draft_id", "message_thread_id") if name in draft.data}
            return self._scene.queue.push("stopped_message_generation", {"chat": self._chat.card, **facts})

    def change_subscription(self, state: str, *, invoice_payload: str = "subscription") -> int | None:
        """The user's paid subscription to the bot is "canceled", "active" again, or "failed" to be paid; returns the id of the update."""
        if state not in ("canceled", "active", "failed"):
            raise ValueError(f'{state!r} is no state of a subscription; use "canceled", "active" or "failed"')
        return self._scene.queue.push("subscription", {"user": self.card, "invoice_payload": invoice_payload, "state": state})

    # ------------------------------------------------------------------ come and go

    def start(self, payload: str = "") -> int | None:
        """Press Start, from a deep link where there is a payload."""
        self._chat.refusal = ""
        return self.send(f"/start {payload}".strip())

    def block(self) -> int | None:
        """Block the bot: it gets 403 from now on, and a my_chat_member update."""
        return self._membership("bot was blocked by the user", "member", "kicked")

    def unblock(self) -> int | None:
        """Let the bot write again."""
        return self._membership("", "kicked", "member")

    def deactivate(self) -> None:
        """Delete the account: the bot gets 403."""
        with self._world.changed:
            self._chat.refusal = "user is deactivated"

    def request_to_join(self, group: Group, *, bio: str = "") -> int | None:
        """Ask to be let into a group."""
        return group.join_request(self, bio=bio)

    # ------------------------------------------------------------------ inside

    def _say(self, chat: ChatState, content: JSON, reply_to: SentMessage | int | None) -> int | None:
        return say(self._scene, chat, self.card, content, reply_to)

    def _message_with(self, text: str, where: ChatReader) -> SentMessage:
        for message in reversed(where.messages):
            if any(button["text"] == text for button in message.buttons):
                return message
        raise LookupError(f"no message of the bot has a button {text!r}")

    def _membership(self, refusal: str, old: str, new: str) -> int | None:
        bot = self._world.bot
        with self._world.changed:
            self._chat.refusal = refusal
            update = {"chat": self._chat.card, "from": self.card, "date": int(time.time())}
            cards = {"old_chat_member": member_card(bot, old), "new_chat_member": member_card(bot, new)}
            return self._scene.queue.push("my_chat_member", {**update, **cards})


class Group(ChatReader):
    """A group, supergroup or channel. Made by `BotApiServer.group`."""

    def __init__(self, scene: Scene, chat: ChatState) -> None:
        super().__init__(scene.world, chat)
        self._scene = scene

    def send(self, user: User | None, text: str, *, reply_to: SentMessage | int | None = None, **fields: Any) -> int | None:
        """A member writes a text (in a channel: the channel itself, `user` None); returns the id of the update, None where the bot does not get it."""
        return say(self._scene, self._chat, user.card if user else None, text_of(text, **fields), reply_to)

    def send_media(self, user: User | None, kind: str, content: bytes = b"test", *, name: str = "", caption: str = "", **fields: Any) -> int | None:
        """A member sends a medium; see `User.send_media`."""
        return say(self._scene, self._chat, user.card if user else None, media_of(self._scene, kind, content, name, caption, fields), None)

    def seen_by(self, user: User) -> MemberView:
        """What one member sees of the bot here: ephemeral messages stand in nobody else's chat, and not in `messages` of the group."""
        return MemberView(self._world, self._chat, user.id)

    def join(self, user: User, *, from_community: bool = False) -> int | None:
        """A user joins, by way of the group's community where that is said: a service message, and a chat_member update where the bot asked for those."""
        with self._world.changed:
            community = self._chat.more.get("community") if from_community else None
            if from_community and community is None:
                raise LookupError("the group is in no community; add_to_community puts it into one")
            joined = {"community_chat_joined": {"community": community}} if community else {"new_chat_members": [user.card]}
            old = self._chat.members.get(user.id, "left")
            self._chat.members[user.id] = "member"
            self._member_update("chat_member", user.card, user.card, old, "member")
            return say(self._scene, self._chat, user.card, joined, None)

    def leave(self, user: User) -> int | None:
        """A user leaves."""
        with self._world.changed:
            old = self._chat.members.get(user.id, "member")
            self._chat.members[user.id] = "left"
            self._member_update("chat_member", user.card, user.card, old, "left")
            return say(self._scene, self._chat, user.card, {"left_chat_member": user.card}, None)

    def kick_bot(self, by: User) -> int | None:
        """The bot is thrown out: it gets 403 from now on, and a my_chat_member update."""
        with self._world.changed:
            self._chat.refusal = f"bot was kicked from the {self._chat.type} chat"
            self._chat.members[self._world.bot["id"]] = "kicked"
            return self._member_update("my_chat_member", by.card, self._world.bot, "member", "kicked")

    def promote_bot(self, by: User) -> int | None:
        """The bot becomes an administrator, with a my_chat_member update."""
        with self._world.changed:
            self._chat.members[self._world.bot["id"]] = "administrator"
            return self._member_update("my_chat_member", by.card, self._world.bot, "member", "administrator")

    def add_to_community(self, by: User, name: str = "Community") -> int | None:
        """The group becomes one of a community: a service message, and a field of getChat."""
        with self._world.changed:
            self._chat.more["community"] = community = {"id": 7_000_000_000_000 + self._world.number(), "name": name}
            return say(self._scene, self._chat, by.card, {"community_chat_added": {"community": community}}, None)

    def remove_from_community(self, by: User) -> int | None:
        """The group is no longer one of its community: a service message."""
        with self._world.changed:
            self._chat.more.pop("community", None)
            return say(self._scene, self._chat, by.card, {"community_chat_removed": {}}, None)

    def migrate(self) -> Group:
        """A group becomes a supergroup: the old id is answered with `migrate_to_chat_id` from now on."""
        with self._world.changed:
            members = [User(self._scene, self._world.chats[n], self._world.users[n]) for n in self._chat.members if n != self._world.bot["id"]]
            new = make_group(self._scene, str(self._chat.facts.get("title", "")), members=members)
            say(self._scene, self._chat, members[0].card if members else None, {"migrate_to_chat_id": new.id}, None)
            say(self._scene, new._chat, members[0].card if members else None, {"migrate_from_chat_id": self._chat.id}, None)
            self._chat.migrated_to = new.id
            return new

    def join_request(self, user: User, *, bio: str = "") -> int | None:
        """A user asks to be let in."""
        with self._world.changed:
            self._chat.more.setdefault("join_requests", set()).add(user.id)
            update: JSON = {"chat": self._chat.card, "from": user.card, "user_chat_id": user.id, "date": int(time.time())}
            if bio:
                update["bio"] = bio
            return self._scene.queue.push("chat_join_request", update)

    def status_of(self, user: User) -> str:
        """The user's status here: "member", "left", "kicked", …"""
        with self._world.changed:
            return self._chat.members.get(user.id, "left")

    def _member_update(self, kind: str, by: JSON, who: JSON, old: str, new: str) -> int | None:
        update = {"chat": self._chat.card, "from": by, "date": int(time.time())}
        return self._scene.queue.push(kind, {**update, "old_chat_member": member_card(who, old), "new_chat_member": member_card(who, new)})


def make_user(scene: Scene, id: int | None, first_name: str, *, started: bool, **fields: Any) -> User:
    """Make a user with a private chat, or find the one who has this id; see `BotApiServer.user`."""
    world = scene.world
    with world.changed:
        user_id = id if id is not None else 1_000_000 + world.number()
        if user_id in world.users and user_id in world.chats:
            return User(scene, world.chats[user_id], world.users[user_id])
        card = {"id": user_id, "is_bot": False, "first_name": first_name, **fields}
        return User(scene, world.add_user(card, started=started), card)


def make_group(scene: Scene, title: str, *, members: Iterable[User] = (), id: int | None = None, type: str = "supergroup", **fields: Any) -> Group:
    """Make a group that the bot is in; see `BotApiServer.group`."""
    world = scene.world
    with world.changed:
        number = world.number()
        chat_id = id if id is not None else -number - 5000 if type == "group" else -1_001_000_000_000 - number
        statuses = {user.id: "member" if n else "creator" for n, user in enumerate(members)}
        statuses[world.bot["id"]] = "administrator" if type == "channel" else "member"
        return Group(scene, world.add_chat(ChatState(chat_id, type, {"title": title, **fields}, statuses)))


def text_of(text: str, **fields: Any) -> JSON:
    """The content of a text message."""
    entities = find_entities(text)
    return {"text": text, **({"entities": entities} if entities else {}), **fields}


def change_text(scene: Scene, chat: ChatState, message_id: int, text: str) -> int | None:
    """Change the text of a message that somebody wrote; returns the id of the update."""
    with scene.world.changed:
        new = {key: value for key, value in chat.messages[message_id].items() if key != "entities"}
        new.update(text_of(text), edit_date=int(time.time()))
        chat.messages[message_id] = new
        return scene.queue.push("edited_channel_post" if chat.type == "channel" else "edited_message", new)


def media_of(scene: Scene, kind: str, content: bytes, name: str, caption: str, fields: JSON) -> JSON:
    """The content of a message with a medium."""
    if kind not in DESCRIBE:
        raise ValueError(f"{kind!r} is no kind of medium; use one of {', '.join(DESCRIBE)}")
    stored = scene.store.add([content], name=name or kind)
    more: JSON = {}
    if caption:
        entities = find_entities(caption)
        more = {"caption": caption, **({"caption_entities": entities} if entities else {})}
    return {**DESCRIBE[kind](stored, {}), **more, **fields}


def say(scene: Scene, chat: ChatState, sender: JSON | None, content: JSON, reply_to: SentMessage | int | None) -> int | None:
    """Store a message of a user and queue the update about it.

    A command that the bot has set as ephemeral, and a reply to an ephemeral message, are seen by the bot alone.
    """
    with scene.world.changed:
        answers_ephemeral = isinstance(reply_to, SentMessage) and reply_to.is_ephemeral
        if sender is not None and chat.type in ("group", "supergroup") and (answers_ephemeral or _is_ephemeral_command(scene, content)):
            return scene.queue.push("message", scene.world.add_ephemeral(chat, sender["id"], content, by_bot=False))
        if reply_to is not None:
            target = chat.messages[_id(reply_to)]
            content = {**content, "reply_to_message": {key: value for key, value in target.items() if key != "reply_to_message"}}
        message = scene.world.add_message(chat, sender, content)
        return scene.queue.push("channel_post" if chat.type == "channel" else "message", message)


def _is_ephemeral_command(scene: Scene, content: JSON) -> bool:
    """Whether the text is a command that the bot has set as ephemeral, in whatever scope."""
    command = str(content.get("text", "")).partition(" ")[0].partition("@")[0].removeprefix("/")
    kept = [one for name, commands in scene.world.settings.items() if name.startswith("commands/") for one in commands]
    return content.get("text", "")[:1] == "/" and any(one["command"] == command and one.get("is_ephemeral") for one in kept)


def _id(message: SentMessage | int) -> int:
    return message if isinstance(message, int) else message.message_id
