"""Encoding calls: values, conveniences and files; what a server reads is what was given."""

from __future__ import annotations

import datetime as dtm
import enum
import io
import json
import os
import threading
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import telegram
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram._utils.defaultvalue import DEFAULT_20, DEFAULT_NONE
from telegram.constants import ParseMode

from syncbot.client.api.table import find_method
from syncbot.client.encode import Encoded, body, encode
from syncbot.client.uploads import CHUNK_BYTES, MEGABYTE, MultipartBody, safe_filename


def fields(method: str, **parameters: Any) -> dict[str, str]:
    """Encode a call without files."""
    encoded = encode(find_method(method), parameters)
    assert encoded.files == ()
    return encoded.fields


def file_bytes(encoded: Encoded) -> dict[str, bytes]:
    return {part.name: b"".join(part.source.chunks()) for part in encoded.files}


def parse_multipart(content_type: str, data: bytes) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    """Read a form as strictly as RFC 7578 allows: nothing before, between or after the parts, and only the headers that are due."""
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/form-data"
    mark = b"--" + boundary.encode()
    assert data.startswith(mark + b"\r\n")
    assert data.endswith(b"\r\n" + mark + b"--\r\n")
    inner = data[len(mark) + 2 : -len(mark) - 6]
    texts: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for part in inner.split(b"\r\n" + mark + b"\r\n"):
        head, _, content = part.partition(b"\r\n\r\n")
        lines = head.decode("utf-8").split("\r\n")
        words = lines[0].removeprefix('Content-Disposition: form-data; name="').split('"')
        name = words[0]
        assert name not in texts
        assert name not in files
        if len(lines) == 1:
            assert words[1:] == [""]
            texts[name] = content.decode("utf-8")
        else:
            assert lines[1].startswith("Content-Type: ")
            assert len(lines) == 2
            assert words[1] == "; filename="
            assert words[3:] == [""]
            files[name] = (unquote(words[2]), content)
    return texts, files


def as_sent(encoded: Encoded) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    """Write the body and read it the way a server does."""
    content_type, written = body(encoded)
    if isinstance(written, bytes):
        assert content_type == "application/json"
        return json.loads(written.decode("utf-8")), {}
    data = b"".join(written)
    assert len(data) == written.size
    return parse_multipart(content_type, data)


# Values


def test_plain_values() -> None:
    """Numbers, truths and texts are written as Telegram reads them, and None is left out."""
    assert fields("sendMessage", chat_id=1, text="hi 😀", protect_content=True, disable_notification=False, parse_mode=None) == {
        "chat_id": "1",
        "text": "hi 😀",
        "protect_content": "true",
        "disable_notification": "false",
    }


def test_numbers_of_other_kinds() -> None:
    """Whole floats are whole numbers, others keep their fraction, and what counts as an int is one."""

    class Count:
        def __index__(self) -> int:
            return 9

    sent = fields("sendLocation", chat_id=Count(), latitude=52.0, longitude=-1.25)
    assert sent == {"chat_id": "9", "latitude": "52", "longitude": "-1.25"}


def test_enums_and_defaults() -> None:
    """Enums are their values, python-telegram-bot's DEFAULT_NONE is not given, and its other defaults are their values."""

    class Colour(enum.Enum):
        BLUE = 7_322_096

    sent = fields("createForumTopic", chat_id=1, name="x", icon_color=Colour.BLUE, icon_custom_emoji_id=DEFAULT_NONE)
    assert sent == {"chat_id": "1", "name": "x", "icon_color": "7322096"}
    assert fields("sendMessage", chat_id=1, text="x", parse_mode=ParseMode.HTML, message_thread_id=DEFAULT_20)["parse_mode"] == "HTML"
    assert fields("sendMessage", chat_id=1, text="x", message_thread_id=DEFAULT_20)["message_thread_id"] == "20"
    assert json.loads(fields("sendMessage", chat_id=1, text="x", reply_markup={Colour.BLUE: DEFAULT_NONE, "a": Colour.BLUE})["reply_markup"]) == {
        "a": 7_322_096
    }


def test_times() -> None:
    """A datetime is its moment (UTC where it says nothing), a timedelta its seconds, and for a date its seconds from now."""
    naive = dtm.datetime(2030, 1, 1)
    moscow = dtm.datetime(2030, 1, 1, 3, tzinfo=ZoneInfo("Europe/Moscow"))
    assert fields("banChatMember", chat_id=1, user_id=2, until_date=naive)["until_date"] == "1893456000"
    assert fields("banChatMember", chat_id=1, user_id=2, until_date=moscow)["until_date"] == "1893456000"
    assert fields("answerCallbackQuery", callback_query_id="1", cache_time=dtm.timedelta(minutes=1))["cache_time"] == "60"
    before = time.time()
    relative = int(fields("banChatMember", chat_id=1, user_id=2, until_date=dtm.timedelta(hours=1))["until_date"])
    assert before + 3599 <= relative <= time.time() + 3600


def test_objects_and_collections() -> None:
    """python-telegram-bot's objects, dicts, and collections of any kind are JSON, with None left out of objects."""
    keyboard = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("😀", url="https://t.me")]])
    assert json.loads(fields("sendMessage", chat_id=1, text="x", reply_markup=keyboard)["reply_markup"]) == {
        "inline_keyboard": [[{"text": "😀", "url": "https://t.me"}]]
    }
    entities = (telegram.MessageEntity("bold", 0, 1), {"type": "italic", "offset": 0, "length": 1, "url": None})
    assert json.loads(fields("sendMessage", chat_id=1, text="x", entities=entities)["entities"]) == [
        {"type": "bold", "offset": 0, "length": 1},
        {"type": "italic", "offset": 0, "length": 1},
    ]
    assert fields("deleteMessages", chat_id=1, message_ids=deque([1, 2]))["message_ids"] == "[1,2]"
    assert fields("deleteMessages", chat_id=1, message_ids=range(3))["message_ids"] == "[0,1,2]"
    assert fields("deleteMessages", chat_id=1, message_ids=(n for n in (4, 5)))["message_ids"] == "[4,5]"


def test_an_unknown_method_goes_out_as_it_is() -> None:
    """Parameters of a method that the table does not know are encoded by their kind alone."""
    encoded = encode(None, {"reply_to_message_id": 5, "filename": "x", "data": b"abc", "list": [1]})
    assert encoded.fields == {"reply_to_message_id": "5", "filename": "x", "list": "[1]"}
    assert file_bytes(encoded) == {"data": b"abc"}


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"text": b"bytes"}, TypeError, "text takes String, not a file"),
        ({"chat_id": telegram.Chat(1, "private")}, TypeError, "chat_id takes Integer or String, not Chat"),
        ({"text": ["x"]}, TypeError, "text takes String, not a list"),
        ({"reply_markup": [["Yes", "No"]]}, TypeError, r"reply_markup takes .*, not a list; syncbot.keyboards makes them of lists: keyboards.inline\("),
        ({"text": object()}, TypeError, "text: Telegram cannot be sent a object"),
        ({"entities": [object()]}, TypeError, "entities: Telegram cannot be sent a object"),
        ({"message_thread_id": float("nan")}, ValueError, "message_thread_id: nan is not a number"),
        ({"reply_markup": {"a": [float("inf")]}}, ValueError, "inf is not a number"),
    ],
)
def test_values_that_cannot_be_sent(parameters: dict[str, Any], error: type[Exception], words: str) -> None:
    """A value that no parameter takes is refused with the parameter's name."""
    with pytest.raises(error, match=words):
        encode(find_method("sendMessage"), {"chat_id": 1, "text": "x"} | parameters)


def test_endless_nesting_is_refused() -> None:
    """A value that holds itself is a ValueError, not a RecursionError."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(find_method("sendMessage"), {"chat_id": 1, "text": "x", "entities": loop})


@pytest.mark.parametrize("with_file", [False, True])
def test_half_a_surrogate_pair_is_refused(with_file: bool) -> None:
    """A text that no encoding can express is a ValueError before anything is sent."""
    parameters = {"chat_id": 1, "caption": "\ud83d", "photo": b"x" if with_file else "file-id"}
    with pytest.raises(ValueError, match="surrogate"):
        body(encode(find_method("sendPhoto"), parameters))


# Conveniences


def test_reply_to_message_id() -> None:
    """reply_to_message_id and allow_sending_without_reply become reply_parameters; beside them they are refused."""
    sent = fields("sendMessage", chat_id=1, text="x", reply_to_message_id=5, allow_sending_without_reply=True)
    assert json.loads(sent["reply_parameters"]) == {"message_id": 5, "allow_sending_without_reply": True}
    assert json.loads(fields("sendDice", chat_id=1, reply_to_message_id=5)["reply_parameters"]) == {"message_id": 5}
    assert fields("sendDice", chat_id=1, allow_sending_without_reply=True) == {"chat_id": "1"}
    with pytest.raises(ValueError, match="either reply_to_message_id or reply_parameters"):
        fields("sendMessage", chat_id=1, text="x", reply_to_message_id=5, reply_parameters={"message_id": 1})


def test_disable_web_page_preview() -> None:
    """disable_web_page_preview becomes link_preview_options, for True and False alike."""
    for value in (True, False):
        assert json.loads(fields("sendMessage", chat_id=1, text="x", disable_web_page_preview=value)["link_preview_options"]) == {"is_disabled": value}


def test_location_venue_and_contact() -> None:
    """Objects and dicts are spread into the parameters that they stand for, and refused beside them."""
    place = telegram.Location(longitude=1.5, latitude=2.5, live_period=60)
    assert fields("sendLocation", chat_id=1, location=place) == {"chat_id": "1", "latitude": "2.5", "longitude": "1.5"}
    assert fields("editMessageLiveLocation", location={"latitude": 2, "longitude": 1}) == {"latitude": "2", "longitude": "1"}
    venue = telegram.Venue(place, "T", "A", foursquare_id="f")
    assert fields("sendVenue", chat_id=1, venue=venue) == {
        "chat_id": "1",
        "latitude": "2.5",
        "longitude": "1.5",
        "title": "T",
        "address": "A",
        "foursquare_id": "f",
    }
    assert fields("sendContact", chat_id=1, contact=telegram.Contact("+1", "A", user_id=3)) == {"chat_id": "1", "phone_number": "+1", "first_name": "A"}
    with pytest.raises(ValueError, match="either location or latitude, longitude"):
        fields("sendLocation", chat_id=1, location=place, latitude=1, longitude=1)


def test_the_caption_of_a_media_group() -> None:
    """The caption of a group goes to its first item; the given objects stay as they were."""
    first = {"type": "photo", "media": "a", "parse_mode": "HTML"}
    second = telegram.InputMediaPhoto("b")
    sent = json.loads(fields("sendMediaGroup", chat_id=1, media=[first, second], caption="c", parse_mode=DEFAULT_NONE)["media"])
    assert sent == [{"type": "photo", "media": "a", "caption": "c"}, {"type": "photo", "media": "b"}]
    assert first["parse_mode"] == "HTML"
    with pytest.raises(ValueError, match="either one caption"):
        fields("sendMediaGroup", chat_id=1, media=[{"type": "photo", "media": "a", "caption": "x"}], caption="c")


def test_polls_commands_and_reactions() -> None:
    """Plain texts and pairs stand for poll options, commands and reactions, as in python-telegram-bot."""
    poll = fields("sendPoll", chat_id=1, question="q", options=["a", telegram.InputPollOption("b")], correct_option_id=1)
    assert json.loads(poll["options"]) == [{"text": "a"}, {"text": "b"}]
    assert poll["correct_option_ids"] == "[1]"
    commands = fields("setMyCommands", commands=[("a", "A"), telegram.BotCommand("b", "B")])
    assert json.loads(commands["commands"]) == [{"command": "a", "description": "A"}, {"command": "b", "description": "B"}]
    for given_one, seen in (
        ("👍", {"type": "emoji", "emoji": "👍"}),
        ("5368324170671202286", {"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"}),
    ):
        assert json.loads(fields("setMessageReaction", chat_id=1, message_id=1, reaction=given_one)["reaction"]) == [seen]
    assert fields("setMessageReaction", chat_id=1, message_id=1, reaction=[])["reaction"] == "[]"
    assert json.loads(fields("setMessageReaction", chat_id=1, message_id=1, reaction=telegram.ReactionTypePaid())["reaction"]) == [{"type": "paid"}]


@pytest.mark.parametrize(
    ("offset", "count", "sent", "following"),
    [("", 120, range(50), "1"), ("1", 120, range(50, 100), "2"), ("2", 120, range(100, 120), ""), ("", 50, range(50), ""), ("", 0, range(0), "")],
)
def test_pages_of_inline_results(offset: str, count: int, sent: range, following: str) -> None:
    """A long list of inline results goes out fifty at a time, with the offset of the next page."""
    encoded = fields("answerInlineQuery", inline_query_id="1", results=[{"id": n} for n in range(count)], current_offset=offset)
    assert [result["id"] for result in json.loads(encoded["results"])] == list(sent)
    assert encoded["next_offset"] == following


def test_pages_of_inline_results_from_a_function() -> None:
    """A function of the page's number is asked for the page, and ends the list with an empty one."""
    encoded = fields("answerInlineQuery", inline_query_id="1", results=lambda page: [{"id": page}], current_offset="3")
    assert (encoded["results"], encoded["next_offset"]) == ('[{"id":3}]', "4")
    encoded = fields("answerInlineQuery", inline_query_id="1", results=lambda page: None, current_offset="3")
    assert (encoded["results"], encoded["next_offset"]) == ("[]", "")


# Files


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "котик.jpg"
    path.write_bytes(b"JPEG" * 50_000)
    return path


def test_every_kind_of_file(picture: Path) -> None:
    """Paths, bytes, open files and InputFile arrive whole, under their own names."""
    data = picture.read_bytes()
    with picture.open("rb") as opened, picture.open("rb") as again:
        kinds: list[tuple[Any, str]] = [
            (picture, "котик.jpg"),
            (data, "file"),
            (bytearray(data), "file"),
            (opened, "котик.jpg"),
            (io.BytesIO(data), "file"),
            (telegram.InputFile(data, filename="x.bin"), "x.bin"),
            (telegram.InputFile(again, read_file_handle=False), "котик.jpg"),
        ]
        for value, name in kinds:
            assert as_sent(encode(find_method("sendDocument"), {"chat_id": 1, "document": value})) == ({"chat_id": "1"}, {"document": (name, data)})


def test_file_ids_urls_and_objects() -> None:
    """A text is a file id or URL, and an object with a file_id is that, alone and inside others."""
    size = telegram.PhotoSize("FID", "U", 1, 1)
    assert fields("sendPhoto", chat_id=1, photo="AgAC")["photo"] == "AgAC"
    assert fields("sendPhoto", chat_id=1, photo="https://example.com/a/b.jpg")["photo"] == "https://example.com/a/b.jpg"
    assert fields("sendPhoto", chat_id=1, photo=size)["photo"] == "FID"
    assert fields("getFile", file_id=size)["file_id"] == "FID"
    assert json.loads(fields("editMessageMedia", media={"type": "photo", "media": size})["media"]) == {"type": "photo", "media": "FID"}
    with pytest.raises(TypeError, match="photo takes one file"):
        fields("sendPhoto", chat_id=1, photo=(size, size))


def test_filename_names_the_main_file(picture: Path) -> None:
    """`filename` names the file that the method is about, not its thumbnail."""
    encoded = encode(find_method("sendVideo"), {"chat_id": 1, "video": picture, "thumbnail": b"t", "filename": "clip.mp4"})
    assert [(part.name, part.filename) for part in encoded.files] == [("video", "clip.mp4"), ("thumbnail", "thumbnail.jpg")]


def test_files_inside_objects(picture: Path) -> None:
    """Files anywhere inside objects, dicts and lists are sent beside the JSON, which names them."""
    media = [
        telegram.InputMediaVideo(b"video", thumbnail=b"thumb"),
        {"type": "photo", "media": picture},
        telegram.InputMediaPhoto(telegram.InputFile(b"photo", filename="p.jpg", attach=True)),
        {"type": "document", "media": "file-id"},
    ]
    texts, files = as_sent(encode(find_method("sendMediaGroup"), {"chat_id": 1, "media": media}))
    sent = json.loads(texts["media"])
    named = [item[key].removeprefix("attach://") for item, key in ((sent[0], "media"), (sent[0], "thumbnail"), (sent[1], "media"), (sent[2], "media"))]
    assert [files[name][1] for name in named] == [b"video", b"thumb", picture.read_bytes(), b"photo"]
    assert sent[3] == {"type": "document", "media": "file-id"}
    assert len(files) == len(set(named)) == 4


@pytest.mark.parametrize(
    ("method", "parameter", "value", "path"),
    [
        ("createNewStickerSet", "stickers", [telegram.InputSticker(b"data", ["😀"], "static")], [0, "sticker"]),
        ("addStickerToSet", "sticker", telegram.InputSticker(b"data", ["😀"], "static"), ["sticker"]),
        ("setMyProfilePhoto", "photo", telegram.InputProfilePhotoStatic(b"data"), ["photo"]),
        ("setMyProfilePhoto", "photo", telegram.InputProfilePhotoAnimated(b"data"), ["animation"]),
        ("postStory", "content", telegram.InputStoryContentPhoto(b"data"), ["photo"]),
        ("postStory", "content", {"type": "video", "video": b"data"}, ["video"]),
        ("sendPaidMedia", "media", [telegram.InputPaidMediaPhoto(b"data")], [0, "media"]),
        ("sendPoll", "options", [telegram.InputPollOption("a", media=telegram.InputMediaPhoto(b"data"))], [0, "media", "media"]),
        ("sendPoll", "media", telegram.InputMediaAnimation(b"data"), ["media"]),
        ("editMessageMedia", "media", telegram.InputMediaDocument(b"data"), ["media"]),
    ],
)
def test_files_of_stickers_stories_and_others(method: str, parameter: str, value: Any, path: list[Any]) -> None:
    """Stickers, profile photos, stories, paid media and polls carry their files too."""
    texts, files = as_sent(encode(find_method(method), {parameter: value}))
    found = json.loads(texts[parameter])
    for step in path:
        found = found[step]
    assert [content for name, (_, content) in files.items() if f"attach://{name}" == found] == [b"data"]


def test_an_open_file_is_sent_from_where_it_stands() -> None:
    """What was read of an open file before the call is not sent, and a second attempt sends the same again."""
    opened = io.BytesIO(b"headbody")
    opened.read(4)
    encoded = encode(find_method("sendDocument"), {"chat_id": 1, "document": opened})
    _, written = body(encoded)
    assert not isinstance(written, bytes)
    first, second = b"".join(written), b"".join(written)
    assert first == second
    assert b"\r\n\r\nbody\r\n" in first


def test_what_cannot_be_wound_back_is_sent_too() -> None:
    """A pipe is copied once, so that it can be sent as often as needed; its end of ours stays untouched."""
    reading, writing = os.pipe()
    data = os.urandom(300_000)

    def write() -> None:
        with open(writing, "wb") as end:
            end.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb") as pipe:
        encoded = encode(find_method("sendDocument"), {"chat_id": 1, "document": pipe})
        assert not pipe.closed
    writer.join()
    assert [file_bytes(encoded)["document"] for _ in range(2)] == [data, data]


def test_a_message_is_not_shown_by_chance() -> None:
    """What is made of the parameters shows none of them where it is printed."""
    encoded = encode(find_method("sendMessage"), {"chat_id": 4711, "text": "between us"})
    assert "4711" not in repr(encoded)
    assert "between us" not in repr(encoded)


def test_what_gives_text_is_refused() -> None:
    """What cannot be wound back and gives text, from its beginning or after a while, is a TypeError that says how to open it; nothing is left open."""

    class Response:
        """As of a library that decodes what it reads."""

        def __init__(self, *pieces: Any) -> None:
            self._pieces = list(pieces)

        def read(self, size: int) -> Any:
            return self._pieces.pop(0) if self._pieces else b""

    before = len(os.listdir("/proc/self/fd"))
    for pieces in (["text"], [b"bytes", "text"]):
        with pytest.raises(TypeError, match="document: reading gives str, not bytes; open the file with mode 'rb'"):
            encode(find_method("sendDocument"), {"chat_id": 1, "document": Response(*pieces)})
    assert len(os.listdir("/proc/self/fd")) <= before


def test_missing_files_and_folders(tmp_path: Path) -> None:
    """A missing file, a folder and a path that cannot be followed are the system's own errors, with the parameter's name, before anything is sent."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, error in ((tmp_path / "none.jpg", FileNotFoundError), (tmp_path, IsADirectoryError), (loop, OSError)):
        with pytest.raises(error, match="photo: ") as caught:
            encode(find_method("sendPhoto"), {"chat_id": 1, "photo": path})
        assert str(path) in str(caught.value)


def test_files_that_telegram_would_not_take(tmp_path: Path) -> None:
    """Empty files, special files and files over the limit are ValueErrors that say so."""
    empty, pipe, large = tmp_path / "empty", tmp_path / "pipe", tmp_path / "large"
    empty.touch()
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(10 * MEGABYTE + 1)
    document, photo = find_method("sendDocument"), find_method("sendPhoto")
    for value, words in ((empty, "is empty"), (b"", "is empty"), (io.BytesIO(), "is empty"), (pipe, "not a regular file")):
        with pytest.raises(ValueError, match=words):
            encode(document, {"chat_id": 1, "document": value})
    with pytest.raises(ValueError, match="more than the 10 MB"):
        encode(photo, {"chat_id": 1, "photo": large})
    with pytest.raises(ValueError, match="more than the 10 MB"):
        encode(find_method("editMessageMedia"), {"media": {"type": "photo", "media": large}})
    assert encode(photo, {"chat_id": 1, "photo": large}, local=True).files[0].source.size == 10 * MEGABYTE + 1
    assert encode(document, {"chat_id": 1, "document": large}).files[0].source.size == 10 * MEGABYTE + 1
    with large.open("r+b") as file:
        file.truncate(50 * MEGABYTE + 1)
    with pytest.raises(ValueError, match="more than the 50 MB"):
        encode(document, {"chat_id": 1, "document": large})


def test_open_files_that_cannot_be_read(picture: Path) -> None:
    """A file open as text, a closed one, and one that stands at its end are told apart."""
    spec = find_method("sendDocument")
    with picture.open("r", encoding="latin-1") as text, pytest.raises(TypeError, match="mode 'rb'"):
        encode(spec, {"chat_id": 1, "document": text})
    with picture.open("rb") as opened:
        opened.read()
        with pytest.raises(ValueError, match="stands at its end"):
            encode(spec, {"chat_id": 1, "document": opened})
    with pytest.raises(ValueError, match="closed"):
        encode(spec, {"chat_id": 1, "document": opened})


def test_a_text_never_uploads_a_file(picture: Path) -> None:
    """A text that names a file of this machine is refused (it may come from a user), except that a local server reads it itself."""
    for text in (str(picture), f"file://{picture}"):
        for parameters in ({"chat_id": 1, "photo": text}, {"chat_id": 1, "photo": "id", "reply_markup": {"media": text}}):
            with pytest.raises(ValueError, match=r"give the pathlib\.Path"):
                encode(find_method("sendPhoto"), parameters)
    local = encode(find_method("sendPhoto"), {"chat_id": 1, "photo": str(picture)}, local=True)
    assert (local.fields["photo"], local.files) == (PurePosixPath(picture).as_uri(), ())


def test_a_text_that_names_a_file_here(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a file of the working folder is refused with the way to upload it; any other text is a file id or a URL."""
    monkeypatch.chdir(picture.parent)
    for parameters in ({"photo": picture.name}, {"media": [{"type": "photo", "media": picture.name}]}):
        with pytest.raises(ValueError, match=rf"give pathlib\.Path\('{picture.name}'\)"):
            encode(find_method("sendPhoto" if "photo" in parameters else "sendMediaGroup"), {"chat_id": 1, **parameters})
    for text in ("AgACAgIAAxkBAAIB", "https://example.com/photo.jpg", "not-here.jpg"):
        assert encode(find_method("sendPhoto"), {"chat_id": 1, "photo": text}).fields["photo"] == text


def test_a_file_that_shrinks_or_goes_away_stops_the_call(picture: Path) -> None:
    """A file that is shorter, or gone, by the time it is sent ends the body with a ValueError; one that grew is sent as long as was promised."""
    encoded = encode(find_method("sendDocument"), {"chat_id": 1, "document": picture})
    size = picture.stat().st_size
    with picture.open("ab") as file:
        file.write(b"more")
    assert len(file_bytes(encoded)["document"]) == size
    os.truncate(picture, size - 1)
    with pytest.raises(ValueError, match="1 of 200000 bytes are missing"):
        file_bytes(encoded)
    picture.unlink()
    with pytest.raises(ValueError, match="cannot be read any more"):
        file_bytes(encoded)


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    """Encoding and sending 50 MB from a path holds a few pieces of it at a time."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(50 * MEGABYTE)
    tracemalloc.start()
    try:
        _, written = body(encode(find_method("sendDocument"), {"chat_id": 1, "document": large}))
        assert not isinstance(written, bytes)
        total = sum(len(chunk) for chunk in written)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == written.size > 50 * MEGABYTE
    assert peak < MEGABYTE


def test_progress() -> None:
    """Progress is told after each piece, never goes back, ends at the total, and starts anew with a new attempt."""
    seen: list[tuple[int, int]] = []
    encoded = encode(find_method("sendDocument"), {"chat_id": 1, "document": b"x" * (3 * CHUNK_BYTES)})
    _, written = body(encoded, lambda sent, total: seen.append((sent, total)))
    assert isinstance(written, MultipartBody)
    for _ in range(2):
        seen.clear()
        steps: Iterator[bytes] = iter(written)
        next(steps)
        assert seen == []
        list(steps)
        assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
        assert seen[-1] == (written.size, written.size)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\кот.jpg", "кот.jpg"),
        ("a/b/", "b"),
        ("..", "file"),
        ("/", "file"),
        ("", "file"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ('say "hi".txt', 'say "hi".txt'),
        ("bad\udcff.txt", "bad?.txt"),
        ("猫 🐈.png", "猫 🐈.png"),
    ],
)
def test_safe_filenames(given_name: str, safe: str) -> None:
    """Only the last part of a name is sent, in its own script, without control characters."""
    assert safe_filename(given_name) == safe


# What was given is what arrives

KEYS = st.text(min_size=1, max_size=8)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS.filter(lambda key: key != "type"), inner, max_size=4)),
    max_leaves=20,
)
TEXTS = st.one_of(st.text(max_size=60), st.sampled_from(["a\nb", "a\r\nb", "\"quotes\" 'and' \\", "👨‍👩‍👧‍👦 🇺🇦", "--\r\n--x", "&=+%00", "مرحبا", "ไทย"]))
KEYBOARDS = st.lists(
    st.lists(st.builds(telegram.InlineKeyboardButton, TEXTS, callback_data=st.text(min_size=1, max_size=10)), min_size=1, max_size=3), min_size=1, max_size=3
).map(telegram.InlineKeyboardMarkup)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, keyboard=KEYBOARDS, value=st.one_of(st.lists(JSON_VALUES, max_size=4), st.dictionaries(KEYS, JSON_VALUES, max_size=4)))
def test_values_arrive_as_they_were_given(text: str, keyboard: telegram.InlineKeyboardMarkup, value: Any) -> None:
    """Texts, keyboards and nested values come out of the JSON body and out of the form as they went in."""
    with_paths = {key: item for key, item in value.items() if not str(item).startswith(("/", "file://"))} if isinstance(value, dict) else value
    parameters = {"chat_id": -100, "caption": text, "reply_markup": keyboard, "caption_entities": with_paths}
    for photo in ("file-id", b"photo"):
        texts, _ = as_sent(encode(find_method("sendPhoto"), parameters | {"photo": photo}))
        assert texts["caption"] == text
        assert json.loads(texts["reply_markup"]) == keyboard.to_dict()
        assert json.loads(texts["caption_entities"]) == with_paths
        assert texts["chat_id"] == "-100"


@settings(max_examples=150, deadline=None)
@given(
    name=st.one_of(st.text(max_size=30), st.sampled_from(['a".jpg', "../x", "a\\b", "a%22b", "%0A", "100%.txt", "a%2", "пример.txt"])),
    data=st.binary(min_size=1, max_size=2000),
    text=TEXTS,
)
def test_files_arrive_as_they_were_given(name: str, data: bytes, text: str) -> None:
    """The bytes of a file arrive unchanged, and its name without folders and control characters, whatever both hold."""
    encoded = encode(find_method("sendDocument"), {"chat_id": 1, "document": data, "filename": name, "caption": text})
    texts, files = as_sent(encoded)
    seen, content = files["document"]
    assert (texts["caption"], content) == (text, data)
    assert not set(safe_filename(name)) & set("/\\\r\n\0")
    assert seen == safe_filename(name)  # Telegram's server URL-decodes it, as the reader here does
    assert seen not in ("", ".", "..")
