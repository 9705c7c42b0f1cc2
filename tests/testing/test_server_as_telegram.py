"""The fake server is as the real one is where foreign clients noticed a difference: texts, multipart, older names, polls, refusals, what is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from kits.server_kit import Client, client_of

from syncbot.testing import BotApiServer, Group, User


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        yield running


@pytest.fixture(autouse=True)
def user(server: BotApiServer) -> User:
    return server.user(42, "Ann")


@pytest.fixture
def group(server: BotApiServer, user: User) -> Group:
    return server.group("The group", members=[user])


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def send_parts(client: Client, method: str, *parts: tuple[str, bytes]) -> dict[str, Any]:
    """Send a multipart body whose Content-Disposition headers (and further lines) are written by hand."""
    body = b"".join(b"--b\r\nContent-Disposition: " + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts) + b"--b--\r\n"
    _, _, answer = client.raw("POST", client.path(method), body, {"Content-Type": "multipart/form-data; boundary=b"})
    envelope: dict[str, Any] = json.loads(answer)
    return envelope


CHAT = ('form-data; name="chat_id"', b"42")

# ---------------------------------------------------------------------- texts


def test_limits_count_code_points(client: Client) -> None:
    """4096 emoji are a text, 1024 a caption, and one more is too many; the entities count UTF-16 units."""
    sent = client.ok("sendMessage", chat_id=42, text=f"<b>{'🙂' * 4096}</b>", parse_mode="HTML")
    assert (len(sent["text"]), sent["entities"][0]["length"]) == (4096, 8192)
    assert client.refused("sendMessage", chat_id=42, text="🙂" * 4097) == "Bad Request: message is too long"
    caption = {"chat_id": 42, "photo": "https://example.com/p.jpg"}
    assert len(client.ok("sendPhoto", **caption, caption="🙂" * 1024)["caption"]) == 1024
    assert client.refused("sendPhoto", **caption, caption="🙂" * 1025) == "Bad Request: message caption is too long"


def test_control_characters_go(client: Client) -> None:
    """Tabs and their like become spaces, line feeds stay, carriage returns and marks of direction go, and entities still cover their word."""
    sent = client.ok("sendMessage", chat_id=42, text="a\tb\x01\r\nc\u2028\u202ed <b>w\u202aord</b>", parse_mode="HTML")
    assert sent["text"] == "a b \ncd word"
    assert sent["entities"] == [{"type": "bold", "offset": 8, "length": 4}]
    given = [{"type": "bold", "offset": 2, "length": 1}, {"type": "italic", "offset": 0, "length": 1}]
    assert client.ok("sendMessage", chat_id=42, text="\r\rx", entities=given)["entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    assert client.refused("sendMessage", chat_id=42, text="\t\r\n\u2028") == "Bad Request: message text is empty"


def test_a_quote_is_kept(client: Client) -> None:
    """The quoted part of a message is told with its place, and one that does not stand there is refused."""
    first = client.ok("sendMessage", chat_id=42, text="🙂 one two three")["message_id"]
    reply = {"message_id": first, "quote": "<i>two</i>", "quote_parse_mode": "HTML"}
    quote = client.ok("sendMessage", chat_id=42, text="x", reply_parameters=reply)["quote"]
    assert quote == {"text": "two", "position": 7, "is_manual": True, "entities": [{"type": "italic", "offset": 0, "length": 3}]}
    assert client.refused("sendMessage", chat_id=42, text="x", reply_parameters={"message_id": first, "quote": "four"}) == "Bad Request: QUOTE_TEXT_INVALID"


def test_link_previews_are_kept(client: Client) -> None:
    """link_preview_options come back with their URL, and the older disable_web_page_preview is understood."""
    options = {"url": "https://example.com/", "show_above_text": True}
    sent = client.form("sendMessage", chat_id="42", text="x", link_preview_options=json.dumps(options))["result"]
    assert sent["link_preview_options"] == options
    edited = client.ok("editMessageText", chat_id=42, message_id=sent["message_id"], text="y", link_preview_options={"url": "https://example.org/"})
    assert edited["link_preview_options"] == {"url": "https://example.org/"}
    assert client.form("sendMessage", chat_id="42", text="x", disable_web_page_preview="true")["result"]["link_preview_options"] == {"is_disabled": True}


def test_a_long_text_may_stand_in_the_query(client: Client) -> None:
    """telebot sends parameters so: 4096 emoji are 48 KiB of query, and pass."""
    status, _, body = client.raw("GET", client.path("sendMessage") + "?" + urlencode({"chat_id": 42, "text": "🙂" * 4096}))
    assert (status, len(json.loads(body)["result"]["text"])) == (200, 4096)


# ---------------------------------------------------------------------- multipart


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('filename="100%25 d%C3%BCnn.txt"', "100% dünn.txt"),
        ("filename=my holiday report.txt", "my holiday report.txt"),
        ("filename = two%20words.txt ; x=y", "two words.txt"),
        ('filename="a\\"b.txt"', 'a"b.txt'),
        ("filename=\"plain.txt\"; filename*=UTF-8''other.txt", "plain.txt"),
    ],
)
def test_file_names_are_read_as_telegram_reads_them(client: Client, written: str, name: str) -> None:
    """Every value of Content-Disposition is URL-decoded, and one without quotes reaches to the next semicolon."""
    sent = send_parts(client, "sendDocument", CHAT, (f"form-data; name=document; {written}", b"x"))
    assert sent["result"]["document"]["file_name"] == name


def test_an_extended_file_name_alone_makes_no_file(server: BotApiServer, client: Client) -> None:
    """`filename*=` is ignored, so that the part is a plain field."""
    sent = send_parts(client, "sendDocument", CHAT, ("form-data; name=\"document\"; filename*=UTF-8''a.txt", b"content"))
    assert sent["description"].startswith("Bad Request: wrong file identifier")
    assert (server.requests[-1].params["document"], server.requests[-1].files) == ("content", ())


@pytest.mark.parametrize("head", ['attachment; name="chat_id"', 'form-data; name="chat_id', 'form-data; name="chat_id" x; y=z'])
def test_a_broken_disposition_is_refused(client: Client, head: str) -> None:
    """A part that is no form-data, an open quote and rubbish after one are 400."""
    assert send_parts(client, "sendMessage", (head, b"42"))["error_code"] == 400


def test_the_type_of_a_file_follows_from_its_name(client: Client) -> None:
    """What the client says about the type counts for nothing."""
    part = ('form-data; name="document"; filename="a.pdf"\r\nContent-Type: image/png', b"x")
    assert send_parts(client, "sendDocument", CHAT, part)["result"]["document"]["mime_type"] == "application/pdf"


# ---------------------------------------------------------------------- parameters


def test_integers_may_be_decimals(server: BotApiServer, client: Client, group: Group) -> None:
    """Of a decimal the part before the point is taken, in forms and in JSON, and nobody complains."""
    link = client.form("createChatInviteLink", chat_id=str(group.id), expire_date="1795735292.9")["result"]
    assert link["expire_date"] == 1795735292
    edited = client.ok("editChatInviteLink", chat_id=group.id, invite_link=link["invite_link"], expire_date=1795735300.5)
    assert edited["expire_date"] == 1795735300
    assert client.form("sendMessage", chat_id="42.0", text="x")["error_code"] == 400
    assert server.problems == []


def test_an_edited_link_keeps_its_date(client: Client, group: Group) -> None:
    """The date that an edit gives is told at once and by the next edit."""
    link = client.ok("createChatInviteLink", chat_id=group.id)["invite_link"]
    assert client.form("editChatInviteLink", chat_id=str(group.id), invite_link=link, expire_date="1795735292.4")["result"]["expire_date"] == 1795735292
    assert client.ok("editChatInviteLink", chat_id=group.id, invite_link=link, name="n")["expire_date"] == 1795735292


def test_older_names_of_methods(server: BotApiServer, client: Client, user: User, group: Group) -> None:
    """kickChatMember, getChatMembersCount and setStickerSetThumb are still taken."""
    other = server.user(43)
    group.join(other)
    assert client.ok("getChatMembersCount", chat_id=group.id) == 3
    assert client.ok("kickChatMember", chat_id=group.id, user_id=43) is True
    assert group.status_of(other) == "kicked"
    assert server.count("banChatMember") == 1
    client.upload("createNewStickerSet", {"png_sticker": ("s.png", b"s")}, user_id=user.id, name="old", title="Old", emojis="🙂")
    assert client.upload("setStickerSetThumb", {"thumb": ("t.png", b"thumb")}, user_id=42, name="old", format="static")["result"] is True
    assert client.ok("getStickerSet", name="old")["thumbnail"]["file_size"] == 5
    assert server.problems == []


def test_older_names_of_parameters(server: BotApiServer, client: Client) -> None:
    """`thumb`, `png_sticker` and `correct_option_id` mean what they meant."""
    sent = client.upload("sendDocument", {"document": ("d.txt", b"d"), "thumb": ("t.jpg", b"thumb")}, chat_id=42)["result"]
    assert sent["document"]["thumbnail"]["file_size"] == 5
    uploaded = client.upload("uploadStickerFile", {"png_sticker": ("s.png", b"sticker")}, user_id=42)["result"]
    assert uploaded["file_size"] == 7
    client.ok("createNewStickerSet", user_id=42, name="old", title="Old", png_sticker=uploaded["file_id"], emojis="🙂")
    client.upload("addStickerToSet", {"png_sticker": ("s.png", b"second")}, user_id=42, name="old", emojis="👍")
    assert [sticker["emoji"] for sticker in client.ok("getStickerSet", name="old")["stickers"]] == ["🙂", "👍"]
    quiz = client.form("sendPoll", chat_id="42", question="?", options='["a","b"]', type="quiz", correct_option_id="1")["result"]
    assert quiz["poll"]["correct_option_ids"] == [1]
    assert server.problems == []


def test_a_field_called_method_means_nothing() -> None:
    """Beside the method in the path it is ignored, by a strict server too."""
    with BotApiServer(strict=True) as server, client_of(server) as client:
        server.user(42)
        body, kind = b"chat_id=42&text=x&method=deleteMessage", {"Content-Type": "application/x-www-form-urlencoded"}
        assert json.loads(client.raw("POST", client.path("sendMessage"), body, kind)[2])["result"]["text"] == "x"
        assert server.problems == []


# ---------------------------------------------------------------------- polls


def test_options_of_polls(server: BotApiServer, client: Client) -> None:
    """An option is a text, or has markup and a medium of its own."""
    photo = server.add_file(b"photo", name="p.jpg")
    rich = {"text": "*b*", "text_parse_mode": "MarkdownV2", "media": {"type": "photo", "media": photo}}
    place = {"text": "here", "media": {"type": "venue", "latitude": 1.0, "longitude": 2.0, "title": "t", "address": "a"}}
    poll = client.ok("sendPoll", chat_id=42, question="?", options=["a", rich, place])["poll"]
    assert [option["text"] for option in poll["options"]] == ["a", "b", "here"]
    assert poll["options"][1]["text_entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    assert poll["options"][1]["media"]["photo"][-1]["file_id"] == photo
    assert poll["options"][2]["media"]["venue"]["title"] == "t"
    assert server.problems == []


def test_the_explanation_of_a_quiz(client: Client) -> None:
    """explanation_parse_mode and explanation_entities count."""
    quiz = {"chat_id": 42, "question": "?", "options": ["a", "b"], "type": "quiz", "correct_option_ids": [0]}
    poll = client.ok("sendPoll", **quiz, explanation="<b>why</b>", explanation_parse_mode="HTML")["poll"]
    assert (poll["explanation"], poll["explanation_entities"]) == ("why", [{"type": "bold", "offset": 0, "length": 3}])
    given = [{"type": "italic", "offset": 0, "length": 1}]
    assert client.ok("sendPoll", **quiz, explanation="why", explanation_entities=given)["poll"]["explanation_entities"] == given


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"options": ["a", " "]}, "poll options must be non-empty"),
        ({"options": ["a", {"text": "<b></b>", "text_parse_mode": "HTML"}]}, "poll options must be non-empty"),
        ({"options": ["a", "b"], "type": "quiz"}, "wrong correct option ID specified"),
        ({"options": ["a", "b"], "type": "quiz", "correct_option_ids": [2]}, "wrong correct option ID specified"),
    ],
)
def test_polls_that_are_refused(client: Client, params: dict[str, Any], description: str) -> None:
    """An empty option and a quiz without a right answer are no polls."""
    assert client.refused("sendPoll", chat_id=42, question="?", **params) == f"Bad Request: {description}"


@pytest.mark.parametrize("how", ["open_period", "close_date"])
def test_a_poll_closes_when_its_time_is_up(server: BotApiServer, client: Client, how: str) -> None:
    """The bot gets an update with the closed poll, and cannot stop it any more."""
    end = {"open_period": 1} if how == "open_period" else {"close_date": int(time.time()) + 1}
    sent = client.ok("sendPoll", chat_id=42, question="?", options=["a", "b"], **end)
    assert {"open_period", "close_date"} <= set(sent["poll"])
    server.wait_until(lambda: bool(server.queue.pending))
    assert server.pending_updates[-1]["poll"] == {**sent["poll"], "is_closed": True}
    assert client.refused("stopPoll", chat_id=42, message_id=sent["message_id"]) == "Bad Request: poll has already been closed"


@pytest.mark.parametrize("period", [10**400, -5, "soon", 1.5])
def test_a_period_that_makes_no_sense_harms_nobody(server: BotApiServer, client: Client, period: Any) -> None:
    """The poll is sent, whatever is asked for its end."""
    assert client.ok("sendPoll", chat_id=42, question="?", options=["a"], open_period=period)["poll"]["options"]
    assert not any("failed" in problem for problem in server.problems)


def test_a_poll_that_was_stopped_or_deleted_does_not_close_again(server: BotApiServer, client: Client) -> None:
    """Only the one that is still open when the time is up is told of; what is not due yet ends with the server."""
    polls = [client.ok("sendPoll", chat_id=42, question=str(n), options=["a"], open_period=1 if n < 3 else 600)["message_id"] for n in range(4)]
    client.ok("stopPoll", chat_id=42, message_id=polls[0])
    client.ok("deleteMessage", chat_id=42, message_id=polls[1])
    server.wait_until(lambda: bool(server.queue.pending))
    assert [update["poll"]["question"] for update in server.pending_updates] == ["2"]


# ---------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("sendMediaGroup", {"chat_id": 42, "media": []}, "there are no messages to send"),
        ("getFile", {"file_id": "nothing"}, "invalid file_id"),
        ("sendChatAction", {"chat_id": 42, "action": "dancing"}, "wrong parameter action in request"),
        ("sendMessage", {"chat_id": 42, "text": "x", "message_thread_id": 7}, "message thread not found"),
        ("sendChatAction", {"chat_id": 42, "action": "typing", "message_thread_id": 7}, "message thread not found"),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "reply_markup": {"keyboard": "Yes"}},
            'field "keyboard" of the ReplyKeyboardMarkup must be an Array of Arrays',
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "reply_markup": {"inline_keyboard": {}}},
            'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
        ),
        ("getStickerSet", {"name": "nothing"}, "STICKERSET_INVALID"),
    ],
)
def test_what_telegram_refuses(client: Client, method: str, params: dict[str, Any], description: str) -> None:
    """Each is refused in Telegram's words."""
    assert client.refused(method, **params) == f"Bad Request: {description}"


def test_albums_have_one_to_ten_items(server: BotApiServer, client: Client) -> None:
    """One item passes, eleven do not."""
    item = {"type": "photo", "media": server.add_file(b"p", name="p.jpg")}
    assert len(client.ok("sendMediaGroup", chat_id=42, media=[item])) == 1
    assert len(client.ok("sendMediaGroup", chat_id=42, media=[item] * 10)) == 10
    assert client.refused("sendMediaGroup", chat_id=42, media=[item] * 11) == "Bad Request: too many messages to send as an album"


def test_a_topic_in_a_private_chat(client: Client) -> None:
    """A thread that was made as a topic is known."""
    topic = client.ok("createForumTopic", chat_id=42, name="t")["message_thread_id"]
    assert client.ok("sendMessage", chat_id=42, text="x", message_thread_id=topic)["message_thread_id"] == topic


def test_a_photo_of_a_chat_is_an_upload(client: Client, group: Group) -> None:
    """setChatPhoto without a photo, with an empty one and with an id is refused; an upload stands in getChat until it is deleted."""
    assert client.upload("setChatPhoto", {}, chat_id=group.id)["description"] == "Bad Request: there is no photo in the request"
    assert client.upload("setChatPhoto", {"photo": ("p.jpg", b"")}, chat_id=group.id)["description"] == "Bad Request: file must be non-empty"
    assert client.refused("setChatPhoto", chat_id=group.id, photo="AgAD").startswith("Bad Request: photo must be uploaded")
    assert client.upload("setChatPhoto", {"photo": ("p.jpg", b"photo")}, chat_id=group.id)["ok"]
    photo = client.ok("getChat", chat_id=group.id)["photo"]
    assert client.ok("getFile", file_id=photo["big_file_id"])["file_size"] == 5
    assert client.ok("deleteChatPhoto", chat_id=group.id)
    assert "photo" not in client.ok("getChat", chat_id=group.id)


def test_protected_messages_stay_where_they_are(client: Client, group: Group) -> None:
    """Neither forwarded nor copied, alone or among others."""
    protected = client.ok("sendMessage", chat_id=42, text="secret", protect_content=True)["message_id"]
    plain = client.ok("sendMessage", chat_id=42, text="plain")["message_id"]
    where = {"chat_id": group.id, "from_chat_id": 42}
    assert client.refused("forwardMessage", **where, message_id=protected) == "Bad Request: the message can't be forwarded"
    assert client.refused("copyMessage", **where, message_id=protected) == "Bad Request: the message can't be copied"
    assert len(client.ok("forwardMessages", **where, message_ids=[protected, plain])) == 1
    assert len(client.ok("copyMessages", **where, message_ids=[protected, plain])) == 1
    assert [message.text for message in group.messages] == ["plain", "plain"]


# ---------------------------------------------------------------------- kept


def test_default_administrator_rights(client: Client) -> None:
    """Rights for groups and for channels are kept apart, and taken back."""
    assert client.ok("getMyDefaultAdministratorRights")["can_delete_messages"] is False
    client.ok("setMyDefaultAdministratorRights", rights={"can_delete_messages": True})
    client.ok("setMyDefaultAdministratorRights", rights={"can_post_messages": True}, for_channels=True)
    assert client.ok("getMyDefaultAdministratorRights")["can_delete_messages"] is True
    assert client.ok("getMyDefaultAdministratorRights", for_channels=True)["can_post_messages"] is True
    client.ok("setMyDefaultAdministratorRights")
    assert client.ok("getMyDefaultAdministratorRights")["can_delete_messages"] is False


def test_profile_photos(client: Client) -> None:
    """A new user has none; the bot has those that it set."""
    assert client.ok("getUserProfilePhotos", user_id=42) == {"total_count": 0, "photos": []}
    me = client.ok("getMe")["id"]
    photo = {"type": "static", "photo": "attach://mine"}
    assert client.upload("setMyProfilePhoto", {"mine": ("p.jpg", b"photo")}, photo=photo)["result"] is True
    found = client.ok("getUserProfilePhotos", user_id=me)
    assert (found["total_count"], found["photos"][0][-1]["file_size"]) == (1, 5)
    assert client.refused("setMyProfilePhoto", photo={**photo, "photo": found["photos"][0][-1]["file_id"]}).startswith("Bad Request: profile photo must be")
    client.ok("removeMyProfilePhoto")
    assert client.ok("getUserProfilePhotos", user_id=me)["total_count"] == 0


def test_sticker_sets(server: BotApiServer, client: Client) -> None:
    """A set is made, filled, ordered, named and deleted; a sticker that is sent tells its set."""
    first, second, third = (server.add_file(name, name="s.webp") for name in (b"1", b"2", b"3"))

    def sticker(file_id: str, emoji: str = "🙂") -> dict[str, Any]:
        return {"sticker": file_id, "format": "static", "emoji_list": [emoji]}

    def shown() -> list[str]:
        return [one["file_id"] for one in client.ok("getStickerSet", name="mine")["stickers"]]

    client.ok("createNewStickerSet", user_id=42, name="mine", title="Mine", stickers=[sticker(first)])
    assert "occupied" in client.refused("createNewStickerSet", user_id=42, name="Mine", title="x", stickers=[sticker(first)])
    client.ok("addStickerToSet", user_id=42, name="mine", sticker=sticker(second, "👍"))
    client.ok("setStickerPositionInSet", sticker=second, position=0)
    assert shown() == [second, first]
    client.ok("replaceStickerInSet", user_id=42, name="mine", old_sticker=first, sticker=sticker(third))
    client.ok("deleteStickerFromSet", sticker=second)
    assert shown() == [third]
    client.ok("setStickerEmojiList", sticker=third, emoji_list=["🎲"])
    client.ok("setStickerSetTitle", name="mine", title="Ours")
    assert client.ok("getStickerSet", name="mine")["title"] == "Ours"
    sent = client.ok("sendSticker", chat_id=42, sticker=third)["sticker"]
    assert (sent["set_name"], sent["emoji"]) == ("mine", "🎲")
    client.ok("deleteStickerSet", name="mine")
    assert client.refused("setStickerEmojiList", sticker=third, emoji_list=["🎲"]) == "Bad Request: STICKER_INVALID"


@pytest.mark.parametrize("kind", ["audio", "document", "video", "animation", "video_note"])
def test_thumbnails(client: Client, kind: str) -> None:
    """An uploaded thumbnail stands in the message, given as a file of its own name or by attach://."""
    method = f"send{''.join(word.title() for word in kind.split('_'))}"
    files = {kind: ("f.bin", b"content"), "thumbnail": ("t.jpg", b"thumb")}
    assert client.upload(method, files, chat_id=42)["result"][kind]["thumbnail"]["file_size"] == 5
    files = {kind: ("f.bin", b"content"), "t": ("t.jpg", b"thumbs")}
    assert client.upload(method, files, chat_id=42, thumbnail="attach://t")["result"][kind]["thumbnail"]["file_size"] == 6


def test_a_live_photo_has_its_photo(client: Client) -> None:
    """live_photo.photo shows the still picture, and so does the message's own photo."""
    sent = client.upload("sendLivePhoto", {"live_photo": ("l.mp4", b"moving"), "photo": ("p.jpg", b"still")}, chat_id=42)["result"]
    assert sent["live_photo"]["photo"][-1]["file_size"] == 5
    assert sent["photo"] == sent["live_photo"]["photo"]
