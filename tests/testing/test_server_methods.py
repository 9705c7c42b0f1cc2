"""The fake server's methods: messages with their markup, edits, deletes, media, chats, files, and every method of the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import telegram
from kits.server_kit import Client, client_of

from syncbot.client.api.table import MethodSpec, find_method, method_names
from syncbot.testing import BotApiServer, Group, User

SAME = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        yield running


@pytest.fixture
def user(server: BotApiServer) -> User:
    return server.user(42, "Ann", username="ann_test")


@pytest.fixture
def group(server: BotApiServer, user: User) -> Group:
    return server.group("The group", members=[user], username="the_group")


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def button(text: str = "Yes", data: str = "yes") -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": text, "callback_data": data}]]}


# ---------------------------------------------------------------------- sendMessage


def test_a_message_comes_back_as_telegram_sends_it(client: Client, user: User) -> None:
    """sendMessage answers with a Message that python-telegram-bot understands, entities, reply and keyboard included."""
    user.send("first")
    reply = {"message_id": user.last_sent.message_id}
    result = client.ok("sendMessage", chat_id=42, text="<b>hi</b> @ann_test /help", parse_mode="HTML", reply_parameters=reply, reply_markup=button())
    message = telegram.Message.de_json(result, None)
    assert message is not None
    assert message.text == "hi @ann_test /help"
    assert [entity.type for entity in message.entities] == ["bold", "mention", "bot_command"]
    assert message.reply_to_message.text == "first"  # type: ignore[union-attr]  # a failing test is the check
    assert message.reply_markup.inline_keyboard[0][0].callback_data == "yes"  # type: ignore[union-attr]  # the same
    assert message.from_user.is_bot  # type: ignore[union-attr]  # the same
    assert not message.api_kwargs


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"chat_id": 7, "text": "x"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ({"chat_id": "abc", "text": "x"}, "chat not found"),
        ({"chat_id": 42, "text": " \n "}, "message text is empty"),
        ({"chat_id": 42, "text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"chat_id": 42, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": 42, "text": "x", "parse_mode": "Word"}, "unsupported parse_mode"),
        ({"chat_id": 42, "text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ({"chat_id": 42, "text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"chat_id": 42, "text": "x", "reply_markup": button(data="x" * 65)}, "BUTTON_DATA_INVALID"),
        ({"chat_id": 42, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x"}]]}}, "text buttons are unallowed in the inline keyboard"),
        ({"chat_id": 42, "text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
    ],
)
@pytest.mark.usefixtures("user")
def test_send_message_is_refused_in_telegrams_words(client: Client, params: dict[str, Any], description: str) -> None:
    """Each wrong call gets the text of the real server."""
    assert client.refused("sendMessage", **params) == f"Bad Request: {description}"


@pytest.mark.usefixtures("user")
def test_limits_of_length_count_the_text_without_markup(client: Client) -> None:
    """4096 characters beside any markup pass."""
    assert len(client.ok("sendMessage", chat_id=42, text=f"<b>{'ü' * 4096}</b>", parse_mode="HTML")["text"]) == 4096
    client.ok("sendMessage", chat_id=42, text="x", reply_parameters={"message_id": 999, "allow_sending_without_reply": True})
    client.ok("sendMessage", chat_id=42, text="x", reply_markup=button(data="ü" * 32))


def test_a_user_who_blocked_or_never_started(server: BotApiServer, client: Client, user: User) -> None:
    """403 in its four kinds, and none after unblocking."""
    assert user.block() is not None
    assert client.refused("sendMessage", chat_id=42, text="x") == "Forbidden: bot was blocked by the user"
    user.unblock()
    client.ok("sendMessage", chat_id=42, text="x")
    user.deactivate()
    assert client.refused("sendMessage", chat_id=42, text="x") == "Forbidden: user is deactivated"
    other = server.user(43, started=False)
    assert client.refused("sendMessage", chat_id=43, text="x") == "Forbidden: bot can't initiate conversation with a user"
    other.start("payload")
    client.ok("sendMessage", chat_id=43, text="x")
    kinds = [next(kind for kind in update if kind != "update_id") for update in server.pending_updates]
    assert kinds == ["my_chat_member", "my_chat_member", "message"]
    for update in server.pending_updates:
        assert telegram.Update.de_json(update, None) is not None


def test_a_group_that_throws_the_bot_out_or_migrates(server: BotApiServer, client: Client, user: User, group: Group) -> None:
    """403 after a kick; 400 with the new id after a migration, which works under the new id."""
    client.ok("sendMessage", chat_id="@the_group", text="x")
    group.kick_bot(user)
    assert client.refused("sendMessage", chat_id=group.id, text="x") == "Forbidden: bot was kicked from the supergroup chat"
    small = server.group("small", members=[user], type="group")
    new = small.migrate()
    refused = client.call("sendMessage", chat_id=small.id, text="x")
    assert refused["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert refused["parameters"] == {"migrate_to_chat_id": new.id}
    assert client.ok("sendMessage", chat_id=new.id, text="x")["chat"]["type"] == "supergroup"


# ---------------------------------------------------------------------- edit and delete


def test_edits(server: BotApiServer, client: Client, user: User) -> None:
    """Text, keyboard, caption and media change; what the same edit, a foreign or a missing message brings."""
    sent = client.ok("sendMessage", chat_id=42, text="old", reply_markup=button())
    here = {"chat_id": 42, "message_id": sent["message_id"]}
    assert client.ok("editMessageText", **here, text="new")["text"] == "new"
    assert "reply_markup" not in user.last.data
    assert client.refused("editMessageText", **here, text="new") == SAME
    assert "edit_date" in client.ok("editMessageReplyMarkup", **here, reply_markup=button("No", "no"))
    assert client.refused("editMessageReplyMarkup", **here, reply_markup=button("No", "no")) == SAME
    assert client.refused("editMessageCaption", **here, caption="c") == "Bad Request: there is no caption in the message to edit"
    assert client.refused("editMessageText", chat_id=42, message_id=999, text="x") == "Bad Request: message to edit not found"
    assert client.refused("editMessageText", chat_id=42, text="x") == "Bad Request: message identifier is not specified"
    user.send("mine")
    assert client.refused("editMessageText", chat_id=42, message_id=user.last_sent.message_id, text="x") == "Bad Request: message can't be edited"
    assert client.ok("editMessageText", inline_message_id="abc", text="x") is True
    photo = client.upload("sendPhoto", {"photo": ("p.jpg", b"jpg")}, chat_id=42)["result"]
    there = {"chat_id": 42, "message_id": photo["message_id"]}
    assert client.ok("editMessageCaption", **there, caption="*c*", parse_mode="MarkdownV2")["caption_entities"][0]["type"] == "bold"
    assert client.refused("editMessageText", **there, text="x") == "Bad Request: there is no text in the message to edit"
    edited = client.upload("editMessageMedia", {"new": ("d.txt", b"doc")}, **there, media={"type": "document", "media": "attach://new", "caption": "d"})
    assert edited["result"]["document"]["file_name"] == "d.txt"
    assert "photo" not in edited["result"]
    assert [event.kind for event in server.sent] == ["sent", "edited", "edited", "sent", "edited", "edited"]


def test_deletes(client: Client, user: User) -> None:
    """One, several with unknown ones among them, and one that is gone."""
    ids = [client.ok("sendMessage", chat_id=42, text=str(n))["message_id"] for n in range(4)]
    assert client.ok("deleteMessage", chat_id=42, message_id=ids[0]) is True
    assert client.refused("deleteMessage", chat_id=42, message_id=ids[0]) == "Bad Request: message to delete not found"
    assert client.ok("deleteMessages", chat_id=42, message_ids=[ids[0], ids[1], 999, ids[2]]) is True
    assert [m.text for m in user.messages] == ["3"]
    assert client.refused("deleteMessages", chat_id=42, message_ids=list(range(101))) == "Bad Request: too many message identifiers specified"


def test_forwards_and_copies(client: Client, user: User, group: Group) -> None:
    """A forward names its origin, a copy does not; both keep the content and lose the keyboard."""
    user.send("original @ann_test")
    number = user.last_sent.message_id
    forwarded = client.ok("forwardMessage", chat_id=group.id, from_chat_id=42, message_id=number)
    message = telegram.Message.de_json(forwarded, None)
    assert message is not None
    assert isinstance(message.forward_origin, telegram.MessageOriginUser)
    assert message.forward_origin.sender_user.id == 42
    assert client.ok("copyMessage", chat_id=group.id, from_chat_id=42, message_id=number) == {"message_id": forwarded["message_id"] + 1}
    assert "forward_origin" not in group.last.data
    assert group.last.entities[0]["type"] == "mention"
    assert client.refused("forwardMessage", chat_id=42, from_chat_id=42, message_id=999) == "Bad Request: message to forward not found"
    assert client.refused("copyMessage", chat_id=42, from_chat_id=42, message_id=999) == "Bad Request: message to copy not found"
    assert len(client.ok("forwardMessages", chat_id=group.id, from_chat_id=42, message_ids=[number, 999])) == 1
    photo = client.upload("sendPhoto", {"photo": ("p.jpg", b"jpg")}, chat_id=42, caption="cap")["result"]["message_id"]
    client.ok("copyMessage", chat_id=group.id, from_chat_id=42, message_id=photo, caption="new")
    assert group.last.text == "new"
    client.ok("copyMessages", chat_id=group.id, from_chat_id=42, message_ids=[photo], remove_caption=True)
    assert group.last.text == ""


# ---------------------------------------------------------------------- media and files


@pytest.mark.parametrize("kind", ["photo", "audio", "document", "video", "animation", "voice", "video_note", "sticker"])
@pytest.mark.usefixtures("user")
def test_media_are_stored_and_fetched(server: BotApiServer, client: Client, kind: str) -> None:
    """An upload of every kind comes back as a valid Message, can be sent again by its id, and be fetched."""
    method = f"send{kind.title().replace('_', '')}"
    content = f"this is a {kind}".encode()
    message = client.upload(method, {kind: (f"file.{kind}", content)}, chat_id=42)["result"]
    decoded = telegram.Message.de_json(message, None)
    assert getattr(decoded, kind)
    value = message[kind][-1] if kind == "photo" else message[kind]
    assert value["file_size"] == len(content)
    assert server.requests[-1].file(kind).sha256 == hashlib.sha256(content).hexdigest()
    client.ok(method, chat_id=42, **{kind: value["file_id"]})
    path = client.ok("getFile", file_id=value["file_id"])["file_path"]
    assert client.raw("GET", f"/file/bot{server.token}/{path}")[2] == content
    assert client.refused(method, chat_id=42, **{kind: "nonsense"}) == "Bad Request: wrong file identifier/HTTP URL specified"
    assert client.ok(method, chat_id=42, **{kind: "https://files.example/a.bin"})["message_id"]
    empty = client.upload(method, {kind: ("empty", b"")}, chat_id=42)
    assert empty["description"] == "Bad Request: file must be non-empty"


@pytest.mark.usefixtures("user")
def test_an_album(client: Client) -> None:
    """sendMediaGroup takes uploads, ids and captions, and answers with messages of one group."""
    media = [
        {"type": "photo", "media": "attach://one", "caption": "<i>c</i>", "parse_mode": "HTML"},
        {"type": "video", "media": "attach://two", "thumbnail": "attach://thumb"},
    ]
    files = {"one": ("1.jpg", b"1"), "two": ("2.mp4", b"2"), "thumb": ("t.jpg", b"t")}
    first, second = client.upload("sendMediaGroup", files, chat_id=42, media=media)["result"]
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], second["video"]["mime_type"]) == ("c", "video/mp4")
    missing = client.upload("sendMediaGroup", {}, chat_id=42, media=media)
    assert missing["description"] == "Bad Request: there is no one in the request"
    assert client.refused("sendMediaGroup", chat_id=42, media=[]) == "Bad Request: there are no messages to send"
    assert client.refused("sendMediaGroup", chat_id=42, media=media * 6) == "Bad Request: too many messages to send as an album"


@pytest.mark.usefixtures("user")
def test_a_part_of_a_file(server: BotApiServer, client: Client) -> None:
    """Range is honoured with 206, a wrong one is 416, a changed file (If-Range) comes whole."""
    file_id = server.add_file(b"0123456789", name="ten.txt")
    path = f"/file/bot{server.token}/" + client.ok("getFile", file_id=file_id)["file_path"]
    status, headers, body = client.raw("GET", path, headers={"Range": "bytes=4-"})
    assert (status, body, headers["Content-Range"]) == (206, b"456789", "bytes 4-9/10")
    assert client.raw("GET", path, headers={"Range": "bytes=2-3"})[2] == b"23"
    assert client.raw("GET", path, headers={"Range": "bytes=-2"})[2] == b"89"
    assert client.raw("GET", path, headers={"Range": "bytes=10-"})[0] == 416
    assert client.raw("GET", path, headers={"Range": "bytes=4-", "If-Range": '"other"'})[0] == 200
    assert client.raw("GET", path, headers={"Range": "bytes=4-", "If-Range": headers["ETag"]})[0] == 206
    assert client.raw("GET", path + "x")[0] == 404
    assert client.raw("HEAD", path)[1]["Content-Length"] == "10"
    assert client.refused("getFile", file_id="x") == "Bad Request: invalid file_id"


def test_a_file_that_is_too_big_to_fetch(server: BotApiServer, client: Client) -> None:
    """Over 20 MB getFile refuses, as Telegram's own server does."""
    file_id = server.add_file(bytes((20 << 20) + 1))
    assert client.refused("getFile", file_id=file_id) == "Bad Request: file is too big"


def test_a_local_server_gives_absolute_paths() -> None:
    """With local=True getFile names a file on this machine, of any size, and file:// URIs are taken."""
    with BotApiServer(local=True) as server, client_of(server) as client:
        server.user(42)
        file_id = server.add_file(b"local content", name="a.txt")
        path = client.ok("getFile", file_id=file_id)["file_path"]
        with open(path, "rb") as file:
            assert file.read() == b"local content"
        sent = client.ok("sendDocument", chat_id=42, document=f"file://{path}")
        assert sent["document"]["file_size"] == 13
        assert client.refused("sendDocument", chat_id=42, document="file:///does/not/exist").endswith("URL specified")


# ---------------------------------------------------------------------- other content


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("sendLocation", {"latitude": 48.2, "longitude": 16.4, "live_period": 60}, "location"),
        ("sendVenue", {"latitude": 48.2, "longitude": 16.4, "title": "T", "address": "A"}, "venue"),
        ("sendContact", {"phone_number": "+431", "first_name": "A"}, "contact"),
        ("sendDice", {"emoji": "🎯"}, "dice"),
        ("sendPoll", {"question": "?", "options": [{"text": "a"}, {"text": "b"}]}, "poll"),
        ("sendInvoice", {"title": "T", "description": "D", "payload": "p", "currency": "EUR", "prices": [{"label": "l", "amount": 100}]}, "invoice"),
        ("sendGame", {"game_short_name": "g"}, "game"),
        ("sendChecklist", {"business_connection_id": "b", "checklist": {"title": "T", "tasks": [{"id": 1, "text": "t"}]}}, "checklist"),
    ],
)
@pytest.mark.usefixtures("user")
def test_other_content(client: Client, method: str, params: dict[str, Any], field: str) -> None:
    """Everything else that can be sent comes back as a valid Message."""
    message = telegram.Message.de_json(client.ok(method, chat_id=42, **params), None)
    assert getattr(message, field)


@pytest.mark.usefixtures("user")
def test_live_locations_and_polls_end(client: Client) -> None:
    """A live location moves and stops; a poll closes once."""
    here = {"chat_id": 42, "message_id": client.ok("sendLocation", chat_id=42, latitude=1, longitude=2, live_period=60)["message_id"]}
    assert client.ok("editMessageLiveLocation", **here, latitude=3, longitude=4)["location"]["latitude"] == 3
    assert "live_period" not in client.ok("stopMessageLiveLocation", **here)["location"]
    assert "no live location" in client.refused("editMessageLiveLocation", **here, latitude=3, longitude=4)
    poll = client.ok("sendPoll", chat_id=42, question="?", options=[{"text": "a"}])["message_id"]
    assert client.ok("stopPoll", chat_id=42, message_id=poll)["is_closed"] is True
    assert client.refused("stopPoll", chat_id=42, message_id=poll) == "Bad Request: poll has already been closed"


# ---------------------------------------------------------------------- chats and the bot


def test_chats_and_members(server: BotApiServer, client: Client, user: User, group: Group) -> None:
    """getChat, members, pins, titles, permissions and bans work on the same chat."""
    full = telegram.ChatFullInfo.de_json(client.ok("getChat", chat_id=group.id), None)
    assert full.title == "The group"
    member = telegram.ChatMember.de_json(client.ok("getChatMember", chat_id=group.id, user_id=42), None)
    assert isinstance(member, telegram.ChatMemberOwner)
    assert client.refused("getChatMember", chat_id=group.id, user_id=999) == "Bad Request: member not found"
    other = server.user(43)
    group.join(other)
    assert client.ok("getChatMemberCount", chat_id=group.id) == 3
    assert client.ok("promoteChatMember", chat_id=group.id, user_id=43, can_pin_messages=True) is True
    assert len(client.ok("getChatAdministrators", chat_id=group.id)) == 2
    assert client.ok("banChatMember", chat_id=group.id, user_id=43) is True
    assert group.status_of(other) == "kicked"
    assert client.refused("banChatMember", chat_id=group.id, user_id=42) == "Bad Request: can't remove chat owner"
    number = client.ok("sendMessage", chat_id=group.id, text="pin me")["message_id"]
    client.ok("pinChatMessage", chat_id=group.id, message_id=number)
    assert client.ok("getChat", chat_id=group.id)["pinned_message"]["text"] == "pin me"
    client.ok("unpinChatMessage", chat_id=group.id)
    assert client.refused("pinChatMessage", chat_id=group.id, message_id=999) == "Bad Request: message to pin not found"
    client.ok("setChatTitle", chat_id=group.id, title="New")
    assert client.refused("setChatTitle", chat_id=group.id, title="New") == "Bad Request: chat title is not modified"
    assert client.ok("getChat", chat_id=group.id)["title"] == "New"
    client.ok("setMessageReaction", chat_id=group.id, message_id=number, reaction=[{"type": "emoji", "emoji": "👍"}])
    assert group.reaction_of_bot(number) == [{"type": "emoji", "emoji": "👍"}]
    assert client.refused("setMessageReaction", chat_id=group.id, message_id=999) == "Bad Request: message to react not found"
    assert client.refused("getChatAdministrators", chat_id=user.id).startswith("Bad Request: there are no administrators")


def test_invitations(server: BotApiServer, client: Client, group: Group) -> None:
    """Links are made, changed and revoked; a join request is approved once."""
    link = client.ok("createChatInviteLink", chat_id=group.id, name="n")
    assert client.ok("editChatInviteLink", chat_id=group.id, invite_link=link["invite_link"], name="m")["name"] == "m"
    revoked = telegram.ChatInviteLink.de_json(client.ok("revokeChatInviteLink", chat_id=group.id, invite_link=link["invite_link"]), None)
    assert revoked.is_revoked
    other = server.user(43)
    assert other.request_to_join(group, bio="me") is not None
    assert telegram.Update.de_json(server.pending_updates[-1], None).chat_join_request.bio == "me"  # type: ignore[union-attr]  # a failing test is the check
    client.ok("approveChatJoinRequest", chat_id=group.id, user_id=43)
    assert group.status_of(other) == "member"
    assert client.refused("approveChatJoinRequest", chat_id=group.id, user_id=43) == "Bad Request: HIDE_REQUESTER_MISSING"


def test_what_the_bot_says_about_itself(client: Client) -> None:
    """Commands per scope and language, name and descriptions are kept."""
    me = telegram.User.de_json(client.ok("getMe"), None)
    assert me.is_bot
    commands = [{"command": "start", "description": "Begin"}]
    client.ok("setMyCommands", commands=commands)
    client.ok("setMyCommands", commands=commands * 2, scope={"type": "chat", "chat_id": 42}, language_code="de")
    assert client.ok("getMyCommands") == commands
    assert client.ok("getMyCommands", scope={"type": "chat", "chat_id": 42}, language_code="de") == commands * 2
    client.ok("deleteMyCommands")
    assert client.ok("getMyCommands") == []
    assert client.refused("setMyCommands", commands=[{"command": "Bad", "description": "x"}]) == "Bad Request: BOT_COMMAND_INVALID"
    client.ok("setMyName", name="New name")
    assert client.ok("getMyName") == {"name": "New name"}
    client.ok("setMyShortDescription", short_description="short")
    assert client.ok("getMyShortDescription") == {"short_description": "short"}
    client.ok("setChatMenuButton", menu_button={"type": "default"})
    assert client.ok("getChatMenuButton") == {"type": "default"}


# ---------------------------------------------------------------------- every method

DUMMIES: dict[str, Any] = {"Integer": 1, "String": "x", "Float": 1.5, "Boolean": True}
SPECIAL: dict[str, Any] = {
    "url": "https://bot.example/hook",
    "options": [{"text": "a"}, {"text": "b"}],
    "commands": [{"command": "a", "description": "b"}],
    "rich_message": {"html": "x"},
    "checklist": {"title": "x", "tasks": []},
    "permissions": {"can_send_messages": True},
    "prices": [{"label": "x", "amount": 1}],
    "action": "typing",
}
UPLOADS = {
    "setChatPhoto": {},
    "setMyProfilePhoto": {"photo": {"type": "static", "photo": "attach://photo"}},
}


def input_sticker(file_id: str) -> dict[str, Any]:
    return {"sticker": file_id, "format": "static", "emoji_list": ["🙂"]}


def arguments(spec: MethodSpec, known: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for parameter in spec.parameters.values():
        structured = not set(parameter.types) & {*DUMMIES, "InputFile"} and not parameter.types[0].startswith("Array of ")
        if structured and isinstance(known.get(parameter.name), str):
            params[parameter.name] = input_sticker(known[parameter.name])  # the same name means no file id here
        elif parameter.name in known and (parameter.required or parameter.name in ("chat_id", "message_id", "user_id")):
            params[parameter.name] = known[parameter.name]
        elif parameter.required:
            kind = parameter.types[0]
            params[parameter.name] = DUMMIES.get(kind, [] if kind.startswith("Array of ") else {})
    return params


def type_fits(value: Any, kinds: tuple[str, ...]) -> bool:
    for kind in kinds:
        if kind.startswith("Array of "):
            fits = isinstance(value, list) and all(type_fits(item, (kind.removeprefix("Array of "),)) for item in value)
        elif kind in ("Boolean", "Integer", "String"):
            fits = isinstance(value, {"Boolean": bool, "Integer": int, "String": str}[kind])
        else:
            fits = isinstance(value, dict) and (not hasattr(telegram, kind) or getattr(telegram, kind).de_json(dict(value), None) is not None)
        if fits:
            return True
    return False


@pytest.mark.parametrize("name", [name for name in method_names() if name != "getUpdates"])
def test_every_method_answers_with_its_type(server: BotApiServer, client: Client, user: User, name: str) -> None:
    """Each method, called with what it needs, gives a result that python-telegram-bot reads as the method's type; no server mistake, no 404."""
    spec = find_method(name)
    assert spec is not None
    group = server.group("g", members=[server.user(41), user])
    group.join_request(user)
    group.promote_bot(user)
    file_id = server.add_file(b"content", name="x.jpg")
    special: dict[str, tuple[str, dict[str, Any]]] = {
        "editMessageCaption": ("sendPhoto", {"photo": file_id}),
        "editMessageMedia": ("sendPhoto", {"photo": file_id}),
        "editEphemeralMessageCaption": ("sendPhoto", {"photo": file_id}),
        "editEphemeralMessageMedia": ("sendPhoto", {"photo": file_id}),
        "editMessageLiveLocation": ("sendLocation", {"latitude": 1, "longitude": 1, "live_period": 60}),
        "stopMessageLiveLocation": ("sendLocation", {"latitude": 1, "longitude": 1, "live_period": 60}),
        "stopPoll": ("sendPoll", {"question": "?", "options": SPECIAL["options"]}),
        "setGameScore": ("sendGame", {"game_short_name": "g"}),
    }
    send = special.get(name, ("sendMessage", {"text": "old", "reply_markup": button()}))
    message = client.ok(send[0], chat_id=group.id, **send[1])
    if "Ephemeral" in name:
        client.ok(send[0], chat_id=group.id, **send[1], ephemeral_message_parameters={"receiver_user_id": 42})
    for query in ("query", "x"):
        server.add_query(query)
    pressed = user.press("Yes", in_chat=group).id if send[0] == "sendMessage" else ""
    link = client.ok("createChatInviteLink", chat_id=group.id)["invite_link"]
    known = {
        **SPECIAL,
        **dict.fromkeys(
            ("photo", "live_photo", "audio", "document", "video", "animation", "voice", "video_note", "sticker", "old_sticker", "file_id"), file_id
        ),
        "chat_id": user.id if name.endswith("Draft") else group.id,
        "receiver_user_id": user.id,
        "ephemeral_message_id": 1,
        "from_chat_id": group.id,
        "message_id": message["message_id"],
        "message_ids": [message["message_id"]],
        "user_id": 42,
        "callback_query_id": pressed,
        "invite_link": link,
        "stickers": [input_sticker(file_id)],
        "media": [{"type": "photo", "media": file_id}] * 2 if not name.endswith("MessageMedia") else {"type": "photo", "media": file_id, "caption": "c"},
    }
    params = arguments(spec, known)
    if name.startswith("edit") and name.endswith(("MessageText", "MessageCaption")):
        params["text" if name.endswith("Text") else "caption"] = "new"
    if name == "setChatDescription":
        params["description"] = "new"
    if "Sticker" in name and name != "createNewStickerSet":
        client.ok("createNewStickerSet", user_id=42, name="x", title="x", stickers=[input_sticker(file_id)])
    if name in UPLOADS:
        params.pop("photo")
        result = client.upload(name, {"photo": ("p.jpg", b"photo")}, **params, **UPLOADS[name])["result"]
    else:
        result = client.ok(name, **params)
    assert type_fits(result, spec.returns), result
    assert not any("failed" in problem for problem in server.problems)
