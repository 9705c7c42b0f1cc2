"""The contract: every method with every parameter of the table, through the real encode and decode, against the built-in server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import telegram
from kits.call_kit import spec_of
from kits.contract_kit import PLAIN, TEXT, Facts, Sample, assert_arrived, close_files, count_uploads, is_of, samples

from syncbot import Bot
from syncbot.client.api.table import MethodSpec, method_names
from syncbot.testing import Answer, BotApiServer
from syncbot.types import JSON

_KEYBOARD = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
_POLL = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False, "is_anonymous": True, "type": "regular"}
_POLL |= {"allows_multiple_answers": False, "allows_revoting": True, "members_only": False}
_TEXTS = {
    **{f"{name}parse_mode": "HTML" for name in ("", "question_", "quote_", "text_", "explanation_", "description_")},
    "quote": "old",
    "emoji": "🎯",
    "url": "https://bot.example/hook",
    "command": "start",
    "action": "typing",
    "secret_token": "secret",
}
_FILE_NAMES = (
    "photo",
    "live_photo",
    "audio",
    "document",
    "video",
    "animation",
    "voice",
    "video_note",
    "sticker",
    "old_sticker",
    "cover",
    "thumbnail",
    "file_id",
)
_NEEDED: Mapping[str, JSON] = {
    "sendPoll": {"options": [{"text": "a"}, {"text": "b"}]},
    "sendMediaGroup": {"media": [{"type": "photo", "media": "https://files.example/a.jpg"}] * 2},
    "answerInlineQuery": {"results": []},
    "setMyCommands": {"commands": [{"command": "start", "description": "Begin"}]},
    "sendChecklist": {"checklist": {"title": "T", "tasks": []}},
    "editMessageChecklist": {"checklist": {"title": "T", "tasks": []}},
    "sendRichMessage": {"rich_message": {"html": "x"}},
    "sendRichMessageDraft": {"rich_message": {"html": "x"}},
    "setChatDescription": {"description": "new"},
    "editMessageText": {"text": "new"},
    "editMessageCaption": {"caption": "new"},
    "editEphemeralMessageText": {"text": "new"},
    "editEphemeralMessageCaption": {"caption": "new"},
}
"""What a call needs beside what the table says, or in a form that the server takes."""


@dataclass(frozen=True)
class Scene:
    """A server with people, messages, queries and files for any method to work on, new ones for each call."""

    server: BotApiServer
    bot: Bot
    folder: Path

    def facts(self, name: str) -> Facts:
        """The values for one call of the method."""
        server, user = self.server, self.server.user(42, "Ann")
        username = f"group_{server.world.number()}"
        group = server.group("g", members=[server.user(41), user], username=username)
        file_id = server.add_file(b"content", name="x.jpg")
        group.promote_bot(user)
        with server.world.changed:
            chat, content = server.world.find_chat(group.id), _content(name, file_id)
            message = server.world.bot_says(chat, content)
            ephemeral = server.world.add_ephemeral(chat, user.id, content, by_bot=True)
        number = message["message_id"]
        server.add_query(TEXT)
        group.join_request(user)
        user.send("an update, so that no poll waits")
        server.engine.webhook.last_set = float("-inf")  # as if the last setWebhook were long ago
        integers = {"chat_id": group.id, "from_chat_id": group.id, "message_id": number, "message_ids": number, "user_id": 42, "timeout": 0}
        integers |= {"receiver_user_id": user.id, "ephemeral_message_id": ephemeral["ephemeral_message_id"]}
        if name.endswith("Draft"):  # which are shown in private chats alone
            integers["chat_id"] = user.id
        texts = dict.fromkeys(("chat_id", "from_chat_id"), f"@{username}") | dict.fromkeys(_FILE_NAMES, file_id) | _TEXTS
        if name == "answerCallbackQuery":
            texts["callback_query_id"] = user.press("Yes", in_chat=group).id
        if name == "setMyProfilePhoto":
            server.script(name, Answer.ok(True))  # it takes uploads alone, and some samples are names of files that the server has
        if "Sticker" in name and name != "sendSticker":
            texts["name"] = f"set_{number}_{server.world.number()}"
            if name != "createNewStickerSet":
                self.bot.create_new_sticker_set(42, texts["name"], "T", [{"sticker": file_id, "format": "static", "emoji_list": ["🎯"]}])
        if "invite_link" in spec_of(name).parameters:
            texts["invite_link"] = self.bot.create_chat_invite_link(group.id).invite_link
        return Facts(integers, texts, file_id, self.folder)


def _content(name: str, file_id: str) -> JSON:
    """A message that the method can work on."""
    if name.endswith(("MessageCaption", "MessageMedia")):
        return {"document": {"file_id": file_id, "file_unique_id": "u"}}
    if name in ("editMessageLiveLocation", "stopMessageLiveLocation"):
        return {"location": {"latitude": 1, "longitude": 1, "live_period": 60}}
    if name == "stopPoll":
        return {"poll": dict(_POLL)}
    return {"text": "old", "reply_markup": _KEYBOARD} if name != "setGameScore" else {"game": {"title": "g", "description": "d", "photo": []}}


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer(strict=True, slow_same_offset=False) as running:
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[Bot]:
    with Bot(server.token, base_url=server.url, proxies="direct", limits=None, retry=None) as made:
        yield made


def needed(spec: MethodSpec, facts: Facts, tested: str) -> dict[str, Sample]:
    """What has to be given beside the parameter that is tested."""
    given = {name: Sample(value, value, "needed") for name, value in _NEEDED.get(spec.name, {}).items() if name != tested}
    given |= {p.name: next(samples(p, facts)) for p in spec.parameters.values() if p.required and p.name not in (tested, *given)}
    if "inline_message_id" in spec.parameters and tested != "inline_message_id":
        given |= {name: next(samples(spec.parameters[name], facts)) for name in ("chat_id", "message_id") if name != tested}
    return given


def cases(spec: MethodSpec, scene: Scene, every: bool) -> Iterator[dict[str, Sample]]:
    """The parameters of one call after the other: what is needed alone, and each parameter with each kind of value beside it, or with one of them in turn."""
    yield needed(spec, scene.facts(spec.name), "")
    for number, parameter in enumerate(spec.parameters.values()):
        found = list(samples(parameter, scene.facts(spec.name)))
        for place in range(len(found)) if every else [number % len(found)]:
            facts = scene.facts(spec.name)
            if not {"InputFile", *PLAIN}.isdisjoint(parameter.types):  # a file is read once, and a message deleted once
                close_files(sample.value for sample in found)
                found = list(samples(parameter, facts))
            yield {**needed(spec, facts, parameter.name), parameter.name: found[place]}
        close_files(sample.value for sample in found)


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "every"])
@pytest.mark.parametrize("name", method_names())
def test_every_parameter_arrives(server: BotApiServer, bot: Bot, tmp_path: Path, name: str, every: bool) -> None:
    """Each kind of value of each parameter arrives under its name and as its type, nothing else does, and the result is of the method's type."""
    spec = spec_of(name)
    for given in cases(spec, Scene(server, bot, tmp_path), every):
        check_call(server, bot, spec, given)


def check_call(server: BotApiServer, bot: Bot, spec: MethodSpec, given: Mapping[str, Sample]) -> None:
    result = getattr(bot, spec.python_name)(**{name: sample.value for name, sample in given.items()})
    assert is_of(spec.returns, result), result
    request = server.requests[-1]
    assert request.method == spec.name
    assert not server.problems
    whole = {file.field for file in request.files if not file.field.startswith("file")}
    assert {*request.params, *whole} == set(given)
    assert len(request.files) == sum(count_uploads(sample.expected) for sample in given.values())
    for name, sample in given.items():
        assert_arrived(sample.expected, request.params.get(name), request, name)


_PLACE = {"latitude": 48.25, "longitude": 16.5}
_POINT = telegram.Location(longitude=16.5, latitude=48.25, live_period=60)
_CONVENIENT: Mapping[str, tuple[Any, JSON]] = {
    "reply_to_message_id": (7, {"reply_parameters": {"message_id": 7}}),
    "allow_sending_without_reply": (True, {}),  # means something beside reply_to_message_id only
    "disable_web_page_preview": (True, {"link_preview_options": {"is_disabled": True}}),
    "filename": ("ä.bin", {}),
    "location": (_POINT, _PLACE),
    "venue": (telegram.Venue(_POINT, "T", "A"), {**_PLACE, "title": "T", "address": "A"}),
    "contact": (telegram.Contact("+431", "Ann", "B"), {"phone_number": "+431", "first_name": "Ann", "last_name": "B"}),
    "caption": ("c", {}),  # becomes that of the first of the media
    "parse_mode": ("HTML", {}),
    "caption_entities": ([telegram.MessageEntity("bold", 0, 1)], {}),
    "correct_option_id": (0, {"correct_option_ids": [0]}),
    "current_offset": ("", {"next_offset": ""}),
}
"""What each convenience of python-telegram-bot's is given as, and what arrives for it."""


@pytest.mark.parametrize("name", [name for name in method_names() if spec_of(name).conveniences])
def test_every_convenience_arrives(server: BotApiServer, bot: Bot, tmp_path: Path, name: str) -> None:
    """Each parameter that python-telegram-bot adds to a method arrives as the Bot API's own that it stands for, and nothing else does."""
    spec = spec_of(name)
    for convenience, replaced in spec.conveniences.items():
        value, arrives = _CONVENIENT[convenience]
        facts = Scene(server, bot, tmp_path).facts(name)
        given = {key: sample.value for key, sample in needed(spec, facts, "").items() if key not in replaced}
        # Some messages that are replied to do not exist: only what arrives is looked at.
        server.script(name, Answer.ok(True))
        bot.call(name, **given, **{convenience: value})
        request = server.requests[-1]
        assert {*request.params, *(file.field for file in request.files if not file.field.startswith("file"))} == {*given, *arrives}
        assert {key: request.params[key] for key in arrives} == arrives


if spec_file := os.environ.get("BOT_API_SPEC"):
    _DESCRIBED = json.loads(Path(spec_file).read_text(encoding="utf-8"))["methods"]

    def test_the_table_has_the_described_methods() -> None:
        """The table holds the methods of the Bot API's description, no more and no fewer."""
        assert sorted(method_names()) == sorted(_DESCRIBED)

    @pytest.mark.parametrize("name", sorted(_DESCRIBED))
    def test_the_table_is_as_described(name: str) -> None:
        """Names, types and need of a method's parameters, and its results, are those of the Bot API's description."""
        described = {f["name"]: (frozenset(f["types"]), f["required"]) for f in _DESCRIBED[name].get("fields", [])}
        assert {p.name: (frozenset(p.types), p.required) for p in spec_of(name).parameters.values()} == described
        assert frozenset(spec_of(name).returns) == frozenset(_DESCRIBED[name]["returns"])
