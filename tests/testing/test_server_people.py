"""The user's side of the fake server: writing, pressing, reading, waiting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import telegram
from kits.background_kit import Background
from kits.server_kit import Client, client_of

from syncbot.testing import BotApiServer, User


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture
def user(server: BotApiServer) -> User:
    return server.user(42, "Ann", language_code="de")


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def updates(client: Client) -> list[telegram.Update]:
    """What the bot gets, read by python-telegram-bot; nothing may be left over that it does not know."""
    decoded = [telegram.Update.de_json(raw, None) for raw in client.ok("getUpdates")]
    assert all(update is not None and not update.api_kwargs for update in decoded)
    return [update for update in decoded if update is not None]


def test_a_text_has_the_entities_that_telegram_finds(client: Client, user: User) -> None:
    """Commands, mentions, links, hashtags and addresses are found, with offsets in UTF-16."""
    user.send("😀 /start@test_bot hi @someone https://a.example/x?y=1, #tag a@b.example $EUR t.me/x a/b no@ +431234567890")
    message = updates(client)[0].message
    assert message is not None
    found = {text: entity.type for entity, text in message.parse_entities().items()}
    assert found == {
        "/start@test_bot": "bot_command",
        "@someone": "mention",
        "https://a.example/x?y=1": "url",
        "#tag": "hashtag",
        "a@b.example": "email",
        "$EUR": "cashtag",
        "t.me/x": "url",
        "+431234567890": "phone_number",
    }
    assert message.entities[0].offset == 3
    assert message.from_user is not None
    assert message.from_user.language_code == "de"


@pytest.mark.parametrize("kind", ["photo", "document", "video", "audio", "voice", "video_note", "animation", "sticker"])
def test_media_of_users(server: BotApiServer, client: Client, user: User, kind: str) -> None:
    """A medium of every kind reaches the bot and can be fetched."""
    user.send_media(kind, b"content of it", name="it.bin", caption="look /here" if kind not in ("sticker", "video_note") else "")
    message = updates(client)[0].message
    value = getattr(message, kind)
    file_id = value[-1].file_id if kind == "photo" else value.file_id
    path = client.ok("getFile", file_id=file_id)["file_path"]
    assert client.raw("GET", f"/file/bot{server.token}/{path}")[2] == b"content of it"


def test_other_things_users_send(client: Client, user: User) -> None:
    """Photos, documents, voices, locations, contacts, edits and replies come as proper updates."""
    user.send_photo(caption="p")
    user.send_document(name="d.txt")
    user.send_voice()
    user.send_location(1.0, 2.0)
    user.send_contact("+431")
    user.send("first")
    user.edit(user.last_sent, "changed /x")
    user.send("reply", reply_to=user.last_sent)
    got = updates(client)
    assert got[1].message.document.file_name == "d.txt"  # type: ignore[union-attr]  # a failing test is the check
    assert got[6].edited_message.text == "changed /x"  # type: ignore[union-attr]  # the same
    assert got[7].message.reply_to_message.text == "changed /x"  # type: ignore[union-attr]  # the same
    with pytest.raises(ValueError, match="no kind of medium"):
        user.send_media("hologram")


def test_a_button_is_pressed_and_answered(client: Client, user: User) -> None:
    """A press by the button's text brings a callback_query; the bot's answer can be waited for; the query ends as Telegram ends it."""
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}, {"text": "Site", "url": "https://x.example"}]]}
    client.ok("sendMessage", chat_id=42, text="sure?", reply_markup=keyboard)
    press = user.press("Yes")
    query = updates(client)[0].callback_query
    assert query is not None
    assert (query.data, query.message.text, query.id) == ("y", "sure?", press.id)  # type: ignore[union-attr]  # a failing test is the check
    assert press.answer is None
    with pytest.raises(TimeoutError, match="did not answer"):
        press.wait_answer(0.05)
    waiting = Background(press.wait_answer)
    client.ok("answerCallbackQuery", callback_query_id=press.id, text="fine")
    assert waiting.result()["text"] == "fine"
    text = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert client.refused("answerCallbackQuery", callback_query_id="123") == text
    with pytest.raises(LookupError, match="sends no callback"):
        user.press(user.last, "Site")
    with pytest.raises(LookupError, match="no message of the bot has a button"):
        user.press("Maybe")
    with pytest.raises(LookupError, match="has no button"):
        user.press(user.last, "Maybe")


def test_waiting_for_what_the_bot_says(server: BotApiServer, client: Client, user: User) -> None:
    """Exact text, pattern or function; each event is used once; an edit counts as saying; a failure tells what came instead."""
    waiting = Background(lambda: user.wait_for("two"))
    for text in ("one", "two", "two"):
        client.ok("sendMessage", chat_id=42, text=text)
    assert waiting.result().message_id == user.messages[1].message_id
    assert user.wait_for(re.compile("^t")).message_id == user.messages[2].message_id
    with pytest.raises(TimeoutError, match=r"did not say 'two' within 0.05 s; it said \[\]"):
        user.wait_for("two", timeout=0.05)
    client.ok("editMessageText", chat_id=42, message_id=user.last.message_id, text="three")
    assert user.wait_for(lambda message: message.kind == "edited").text == "three"
    client.ok("sendMessage", chat_id=42, text="other")
    with pytest.raises(TimeoutError, match="it said \\['other'\\]"):
        user.wait_for("three", timeout=0.05)
    assert server.wait_for("one").chat_id == 42
    assert server.wait_for(re.compile("thr")).kind == "edited"
    with pytest.raises(TimeoutError, match="did not say"):
        server.wait_for("never", timeout=0.05)
    assert [m.text for m in server.sent] == ["one", "two", "two", "three", "other"]
    with pytest.raises(LookupError, match="not written anything"):
        _ = server.user(43).last


def test_groups_and_channels(server: BotApiServer, client: Client, user: User) -> None:
    """Members write in groups, channels post, people join and leave; the bot gets what it asked for."""
    client.ok("getUpdates", allowed_updates=["message", "channel_post", "chat_member", "my_chat_member", "message_reaction", "chat_join_request"])
    group = server.group("g", members=[user])
    channel = server.group("c", type="channel")
    bob = server.user(43, "Bob")
    group.send(user, "in the group /x")
    channel.send(None, "a post")
    group.send_media(user, "photo", b"p")
    group.join(bob)
    group.leave(bob)
    client.ok("sendMessage", chat_id=group.id, text="hello")
    bob.react(group.last, "👍")
    bob.react(group.last)
    client.ok("sendMessage", chat_id=channel.id, text="from the bot")
    got = updates(client)
    kinds = [next(name for name in update.to_dict() if name != "update_id") for update in got]
    assert kinds == [
        "message",
        "channel_post",
        "message",
        "chat_member",
        "message",
        "chat_member",
        "message",
        "message_reaction",
        "message_reaction",
    ]
    assert got[0].message.chat.type == "supergroup"  # type: ignore[union-attr]  # a failing test is the check
    assert got[8].message_reaction.old_reaction[0].emoji == "👍"  # type: ignore[union-attr]  # the same
    assert group.wait_for("hello").chat_id == group.id
    assert channel.wait_for("from the bot").data["sender_chat"]["id"] == channel.id


def test_an_inline_query_is_answered(server: BotApiServer, client: Client, user: User) -> None:
    """The results of answerInlineQuery can be waited for; an unknown query is refused."""
    query_id = user.inline_query("cats")
    assert updates(client)[0].inline_query.query == "cats"  # type: ignore[union-attr]  # a failing test is the check
    waiting = Background(lambda: server.answer_to(query_id))
    results = [{"type": "article", "id": "1", "title": "t", "input_message_content": {"message_text": "x"}}]
    client.ok("answerInlineQuery", inline_query_id=query_id, results=results)
    assert waiting.result()["results"] == results
    assert client.refused("answerInlineQuery", inline_query_id="1", results=[]).startswith("Bad Request: query is too old")


def test_a_user_is_found_again(server: BotApiServer, client: Client, user: User) -> None:
    """Asking for the same id gives the same person with the same chat."""
    client.ok("sendMessage", chat_id=42, text="kept")
    again = server.user(42)
    assert (again.card, [m.text for m in again.messages]) == (user.card, ["kept"])


def test_texts_are_counted_exactly_once(server: BotApiServer, client: Client) -> None:
    """count_text counts what was accepted, refused calls and edits aside; memory for it can be switched off."""
    server.user(42)
    client.ok("sendMessage", chat_id=42, text="b")
    client.refused("sendMessage", chat_id=1, text="b")
    client.ok("editMessageText", chat_id=42, message_id=server.sent[-1].message_id, text="c")
    assert (server.count_text("b"), server.count_text("c"), dict(server.texts)) == (1, 0, {"b": 1})
    with BotApiServer(keep_texts=False, any_chat=True, keep_requests=5) as flat, client_of(flat) as other:
        for n in range(20):
            other.ok("sendMessage", chat_id=1, text=str(n))
        assert flat.texts == {}
        assert len(flat.world.chats[1].messages) == len(flat.sent) == 5
        assert other.ok("sendMessage", chat_id=-5, text="x")["chat"]["type"] == "group"


@pytest.mark.parametrize(
    ("mode", "text", "plain", "entities"),
    [
        ("HTML", "<b>a<i>b</i></b>&lt;&#x41;&amp;", "ab<A&", [("bold", 0, 2), ("italic", 1, 1)]),
        ("HTML", '<a href="https://x.example/">l</a><tg-spoiler>s</tg-spoiler>', "ls", [("text_link", 0, 1), ("spoiler", 1, 1)]),
        ("HTML", '<pre><code class="language-python">x</code></pre>', "x", [("pre", 0, 1)]),
        ("HTML", "<blockquote expandable>😀q</blockquote><u>u</u>", "😀qu", [("expandable_blockquote", 0, 3), ("underline", 3, 1)]),
        ("MarkdownV2", "*b _i_* ~s~ ||p||", "b i s p", [("bold", 0, 3), ("italic", 2, 1), ("strikethrough", 4, 1), ("spoiler", 6, 1)]),
        ("MarkdownV2", "`a*` ```py\nx\\`y``` __u__\\.", "a* x`y u.", [("code", 0, 2), ("pre", 3, 3), ("underline", 7, 1)]),
        ("MarkdownV2", "[l](https://x.example/\\)) 1\\-2", "l 1-2", [("text_link", 0, 1)]),
        ("MarkdownV2", "[u](tg://user?id=7)", "u", [("text_mention", 0, 1)]),
        ("MarkdownV2", ">one\n>two\nafter", "one\ntwo\nafter", [("blockquote", 0, 7)]),
        ("Markdown", "*b* _i_ `c` [l](https://x.example/) \\*", "b i c l *", [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1), ("text_link", 6, 1)]),
    ],
)
@pytest.mark.usefixtures("user")
def test_markup(client: Client, mode: str, text: str, plain: str, entities: list[tuple[str, int, int]]) -> None:
    """Each parse mode gives the plain text and the entities that Telegram gives."""
    result: dict[str, Any] = client.ok("sendMessage", chat_id=42, text=text, parse_mode=mode)
    assert result["text"] == plain
    assert [(e["type"], e["offset"], e["length"]) for e in result["entities"]] == entities


@pytest.mark.parametrize(
    ("mode", "text", "reason"),
    [
        ("HTML", "<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("HTML", "ü<x>", 'Unsupported start tag "x" at byte offset 2'),
        ("HTML", "a < b", "Unsupported start tag at byte offset 2"),
        ("HTML", "</b>", "Unexpected end tag at byte offset 0"),
        ("HTML", "<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("MarkdownV2", "a.b", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("MarkdownV2", "*b", "Can't find end of Bold entity at byte offset 0"),
        ("MarkdownV2", "x `b", "Can't find end of Code entity at byte offset 2"),
        ("MarkdownV2", "*a _b*_", "Can't find end of Italic entity at byte offset 3"),
        ("MarkdownV2", "[a](b", "Can't find end of a URL at byte offset 0"),
        ("Markdown", "a_b", "Can't find end of the entity starting at byte offset 1"),
    ],
)
@pytest.mark.usefixtures("user")
def test_broken_markup_is_refused(client: Client, mode: str, text: str, reason: str) -> None:
    """Broken markup is refused with the reason and the place."""
    assert client.refused("sendMessage", chat_id=42, text=text, parse_mode=mode) == f"Bad Request: can't parse entities: {reason}"
