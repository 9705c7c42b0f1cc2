"""Plain objects: the JSON of the Bot API with attributes."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import telegram
from kits.dispatch_kit import ANNA, GROUP, SAMPLES, TOKEN, message, update

import syncbot.plain
from syncbot import DeliveryUncertain, NetworkError, plain
from syncbot.client.bot import Bot
from syncbot.client.ptb.decode import DecodeError, decode_update
from syncbot.plain.objects import type_names
from syncbot.transport import FakeTransport

ROOT = Path(__file__).resolve().parents[2]
RAW = update(
    text="/start now",
    photo=[{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 2}],
    reply_markup={"inline_keyboard": [[], [{"text": "b", "callback_data": "x"}]]},
    video_chat_started={},
)


def made(raw: dict[str, Any]) -> Any:
    """A plain update."""
    return plain.Update(raw)


def test_fields_are_attributes_and_items() -> None:
    """A field is found by attribute and by item, at every depth, in objects, lists of objects and lists of these; dates are the integers that came."""
    found = made(RAW).message
    assert (found.text, found["text"], found.date, found.chat.id, found.chat["id"]) == ("/start now", "/start now", 1_700_000_000, 7, 7)
    assert (found.from_user.first_name, found["from"]["first_name"], found.from_user) == ("Anna", "Anna", ANNA)
    assert [entity.type for entity in found.entities] == ["bot_command"]
    assert found.photo[-1].height == 2
    assert found.reply_markup.inline_keyboard[1][0].callback_data == "x"


def test_what_is_looked_at_twice_is_the_same() -> None:
    """An object or list that was found stays in its place."""
    found = made(RAW).message
    for name in ("chat", "from_user", "photo", "reply_markup"):
        assert getattr(found, name) is getattr(found, name)
    keyboard = found.reply_markup.inline_keyboard
    keyboard[0].append({"text": "c"})
    assert found.reply_markup.inline_keyboard is keyboard
    assert found["reply_markup"]["inline_keyboard"][0] == [{"text": "c"}]


def test_a_field_that_is_absent_is_none() -> None:
    """A field that the type has and the object has not is None."""
    found = made(RAW)
    assert (found.poll, found.message.caption, found.message.from_user.last_name, found.message.sticker) == (None,) * 4


@pytest.mark.parametrize(("look", "nearest"), [("txt", "text"), ("from_usr", "from_user"), ("chatt", "chat")])
def test_a_misspelt_field_is_an_error_that_names_the_right_one(look: str, nearest: str) -> None:
    """A name that the type does not know is an AttributeError, and its text says which one was meant."""
    with pytest.raises(AttributeError, match=f"Message has no field '{look}'; did you mean '{nearest}'"):
        getattr(made(RAW).message, look)


def test_a_field_of_another_kind_of_chat_member_is_known() -> None:
    """A type that comes in several forms has the fields of all of them."""
    member = made(update(SAMPLES["my_chat_member"], "my_chat_member")).my_chat_member.new_chat_member
    assert (type(member), member.status, member.until_date, member.can_pin_messages) == (plain.ChatMember, "member", None, None)


def test_a_newer_field_is_found_where_it_came() -> None:
    """What came under a name that the table does not know is found by that name, with what is inside; where it did not come, it is an error."""
    found = made(update(text="a", newer={"inside": [{"deep": 1}]})).message
    assert found.newer.inside[0].deep == 1
    with pytest.raises(AttributeError, match="newest"):
        _ = found.newest


def test_it_is_json() -> None:
    """An update is a dict, and comes out of json.dumps, copy and pickle as it went in, also after it was looked at."""
    found = made(copy.deepcopy(RAW))
    assert (found.message.chat.id, found.message.entities[0].type) == (7, "bot_command")
    assert isinstance(found, Mapping)
    assert isinstance(found, dict)
    assert json.loads(json.dumps(found)) == RAW == found
    for twin in (copy.deepcopy(found), copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert (type(twin), twin, twin.message.text) == (plain.Update, RAW, "/start now")


def test_an_empty_object_is_true() -> None:
    """An event that has no fields of its own is there: it is true, and None where it did not happen."""
    assert made(RAW).message.video_chat_started
    assert made(RAW).message.video_chat_started == {}
    assert not made(RAW).message.video_chat_ended


def test_what_came_is_left_as_it_was() -> None:
    """Looking into a plain update, and changing it, changes nothing of the JSON that it was made of."""
    raw = copy.deepcopy(RAW)
    found = made(raw)
    found.message.chat["id"] = 8
    found.message.entities.clear()
    assert raw == RAW
    assert type(raw["message"]["chat"]) is dict


@pytest.mark.parametrize("kind", sorted(set(SAMPLES).intersection(telegram.Update.ALL_TYPES)))
def test_every_kind_tells_its_chat_its_user_and_its_message(kind: str) -> None:
    """effective_chat, effective_user, effective_sender and effective_message of every kind are those of python-telegram-bot."""
    raw = update(SAMPLES[kind], kind)
    ours, theirs = made(raw), decode_update(raw)
    for name in ("effective_chat", "effective_user", "effective_sender"):
        expected = getattr(theirs, name)
        assert getattr(getattr(ours, name), "id", None) == (None if expected is None else expected.id), name
    expected = theirs.effective_message
    assert getattr(ours.effective_message, "message_id", None) == (None if expected is None else expected.message_id)


def test_who_writes_for_a_chat_is_that_chat() -> None:
    """The sender of what somebody wrote, voted or reacted in the name of a chat is the chat."""
    assert made(update(text="a", chat=GROUP, sender_chat=GROUP)).effective_sender.id == -100
    assert made(update({"poll_id": "p", "voter_chat": GROUP, "option_ids": []}, "poll_answer")).effective_sender.id == -100
    assert made({"update_id": 1}).effective_sender is None


def test_a_message_that_bots_cannot_see_any_more() -> None:
    """The message under an old button says that it is not accessible."""
    pressed = {"id": "1", "from": ANNA, "chat_instance": "c", "message": {"chat": GROUP, "message_id": 5, "date": 0}}
    assert not made(update(pressed, "callback_query")).callback_query.message.is_accessible
    assert made(RAW).message.is_accessible


@pytest.mark.parametrize("name", type_names())
def test_every_type_can_be_had(name: str) -> None:
    """Each type has its class, by its name, the same each time; each of its fields can be read, and none hides what a dict can do."""
    kind = getattr(syncbot.plain, name)
    assert kind is getattr(syncbot.plain, name)
    empty = kind()
    fields = [field for field, part in vars(kind).items() if isinstance(part, property)]
    assert {getattr(empty, field) for field in fields} <= {None}
    assert not {field for field in fields if hasattr(dict, field)}
    for field in fields:
        assert getattr(kind({field.rstrip("_"): [{}], "from": {}}), field) is not None


def test_a_field_named_as_a_method_of_dict() -> None:
    """`items` of a list in a rich message is `items_`, and the object can still be written as JSON."""
    block = plain.RichBlock({"type": "list", "items": [{"blocks": []}]})
    assert (block.items_, json.dumps(block)) == ([{"blocks": []}], '{"type": "list", "items": [{"blocks": []}]}')


def test_no_such_name() -> None:
    """A name that is no type's is an AttributeError of the module; dir() lists those that are."""
    with pytest.raises(AttributeError, match="Massage"):
        syncbot.plain.Massage  # type: ignore[attr-defined]  # noqa: B018  # that is what is shown
    assert {"Message", "Bot", "Context", "Update"} <= set(dir(syncbot.plain))


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def plain_bot(**results: Any) -> tuple[plain.Bot, FakeTransport]:
    """A plain bot without a network."""
    transport = FakeTransport(**results)
    return plain.Bot(TOKEN, transport=transport, limits=None), transport


def test_results_are_plain() -> None:
    """What the methods of a plain bot return are plain objects, lists of them, or the bare value."""
    bot, _ = plain_bot(sendMessage=message(), copyMessages=[[{"message_id": 5}]], getChatMemberCount=3, editMessageText=True)
    assert bot.send_message(7, "hi").from_user == ANNA
    assert [one.message_id for one in bot.copy_messages(1, 2, [3])] == [5]
    assert (bot.get_chat_member_count(7), bot.edit_message_text("hi", inline_message_id="i")) == (3, True)
    assert [sent.text for sent in bot.send_long(7, "hi")] == ["hi"]


def test_an_answer_that_is_none_is_told_as_ever() -> None:
    """An answer that is not what the method returns is an error of the network, as with telegram's types."""
    bot, _ = plain_bot(sendMessage=[[]], getMe=5)
    with pytest.raises(DeliveryUncertain, match="the answer is not what sendMessage returns"):
        bot.send_message(7, "hi")
    with pytest.raises(NetworkError, match="the answer is not what getMe returns"):
        bot.get_me()


@pytest.mark.parametrize("raw", [None, [], {}, {"update_id": "1"}])
def test_an_update_that_is_none_is_refused(raw: Any) -> None:
    """What is no update is a DecodeError, as with telegram's types."""
    with pytest.raises(DecodeError, match="update_id"):
        plain_bot()[0].typed_update(raw)


def test_received_files_are_sent_on() -> None:
    """A plain object that has a file id stands for its file."""
    bot, transport = plain_bot(sendPhoto=message(), sendMediaGroup=[[message()]])
    photo = made(RAW).message.photo[-1]
    bot.send_photo(7, photo)
    bot.send_media_group(7, [{"type": "photo", "media": photo}, {"type": "photo", "media": "G"}])
    assert transport.calls[0].parameters["photo"] == "F"
    assert transport.calls[1].parameters["media"][0] == {"type": "photo", "media": "F"}


def test_a_bots_plain_view() -> None:
    """The plain view of a bot calls by way of the same transport, with what a class of the user's own adds; the bot itself stays as it was."""
    from syncbot.client.plain_bot import PlainBot

    class Own(Bot):
        def greet(self) -> Any:
            return self.send_message(7, "hello")

    own = Own(TOKEN, transport=FakeTransport(sendMessage=message()), limits=None)
    view: Any = PlainBot.of(own)
    assert type(view.greet()) is plain.Message
    assert type(own.greet()).__module__.startswith("telegram")
    assert view.transport is own.transport
    assert PlainBot.of(view) is view


# ── the generator ────────────────────────────────────────────────────────────────────────────────────────────────────


def generate(spec: Path) -> subprocess.CompletedProcess[str]:
    """Ask the script whether the committed files are current."""
    command = [sys.executable, str(ROOT / "scripts/generators/generate_types.py"), str(spec), "--check"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_generated_files_say_the_same() -> None:
    """The stub has the classes of the table, and each has the attributes that the objects have."""
    named = os.environ.get("BOT_API_SPEC")
    if named:
        assert generate(Path(named)).returncode == 0
    stub: dict[str, set[str]] = {}
    for line in (ROOT / "syncbot/plain/__init__.pyi").read_text(encoding="utf-8").splitlines():
        if line.startswith("class "):
            fields = stub[line.removeprefix("class ").partition("(")[0]] = set()
        elif line.startswith("    ") and ": Final[" in line:
            fields.add(line.strip().partition(":")[0])
    for name in type_names():
        kind = getattr(syncbot.plain, name)
        properties = {field for each in kind.__mro__ for field, part in vars(each).items() if isinstance(part, property)}
        assert stub[name] == properties, name


def test_check_finds_what_is_stale(tmp_path: Path) -> None:
    """`--check` names the files that are not current, and exits with 1."""
    spec = {"version": "Bot API 99.9", "methods": {}, "types": {"Update": {"fields": [{"name": "update_id", "types": ["Integer"], "required": True}]}}}
    path = tmp_path / "api.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    done = generate(path)
    assert done.returncode == 1
    assert done.stderr.count("is not current; run scripts/generators/generate_types.py") == 2
