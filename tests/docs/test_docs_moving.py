"""The tables of from-telebot.md and from-python-telegram-bot.md: what stands in them exists, on both sides."""

from __future__ import annotations

import re
from typing import Any

import pytest
import telebot
import telegram
import telegram.error
import telegram.ext
from kits.docs_kit import ROOT

import syncbot
from syncbot import Bot, Context, Runtime, filters, keyboards
from syncbot.config import SETTINGS
from syncbot.runtime.handling import handlers
from syncbot.storage import open_store
from syncbot.transport import FakeTransport

ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
UPDATE = {"update_id": 1, "message": {"message_id": 1, "date": 0, "chat": {"id": 7, "type": "private"}, "from": ANN, "text": "Hi"}}
TELEBOT, PTB, AIOGRAM = "from-telebot.md", "from-python-telegram-bot.md", "from-aiogram.md"


def _rows(guide: str) -> list[tuple[str, str]]:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    text = text[text.index("## What becomes of what") :]
    table = text[text.index("| --- |") :].partition("\n\n")[0].splitlines()[1:]
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in table]
    assert all(len(row) == 2 for row in rows)
    return [(row[0], row[1]) for row in rows]


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _names() -> dict[str, Any]:
    bot = Bot("123456789:any-token-of-the-right-shape", transport=FakeTransport())
    return {
        "app": Runtime(bot, state=None),
        "bot": bot,
        "filters": filters,
        "keyboards": keyboards,
        "context": Context(bot, open_store(None, bot.id).data, raw=UPDATE),
        **vars(syncbot),
    }


RIGHT = [(guide, code) for guide in (TELEBOT, PTB, AIOGRAM) for _, right in _rows(guide) for code in _code(right)]


@pytest.mark.parametrize(("guide", "code"), RIGHT)
def test_what_it_becomes_is_there(guide: str, code: str) -> None:
    """A decorator on the right can be applied; every attribute of app, bot, context, filters and keyboards exists; every error is one of ours."""
    known = _names()
    for owner, name in re.findall(r"\b(app|bot|context|filters|keyboards)\.(\w+)", re.sub(r'"[^"]*"', '""', code).replace("context.bot.", "bot.")):
        assert hasattr(known[owner], name), (owner, name)
    if code.startswith("@app.") and code.endswith(")"):
        decorator = eval(code[1:], known)
        decorator(lambda update, context: None)
    elif code.startswith("keyboards."):
        assert eval(code, known)
    elif re.fullmatch(r"[A-Z]\w+", code):
        assert hasattr(syncbot, code) or hasattr(telegram, code) or code in {setting.name for setting in SETTINGS}, code
    elif raised := re.fullmatch(r"raise (\w+)", code):
        assert hasattr(handlers, raised[1])
    elif re.fullmatch(r"Runtime\(bot, \w+=.*\)", code):
        assert eval(code.replace('"bot.db"', "None"), known)


def test_what_telebot_calls_it_is_there() -> None:
    """Every attribute of a TeleBot and of its helpers on the left exists in telebot."""
    checked = 0
    for left, _ in _rows(TELEBOT):
        for code in _code(left):
            for name in re.findall(r"\bbot\.(\w+)", code):
                assert hasattr(telebot.TeleBot, name), name
                checked += 1
            for name in re.findall(r"\btypes\.(\w+)", code):
                assert hasattr(telebot.types, name), name
            for name in re.findall(r"\bapihelper\.(\w+)", code):
                assert hasattr(telebot.apihelper, name), name
    assert checked > 15
    assert hasattr(telebot.util, "smart_split")


def test_what_python_telegram_bot_calls_it_is_there() -> None:
    """Every class on the left exists in python-telegram-bot."""
    ignored = {"TOKEN", "Hi", "New", "Update", "True"}
    checked = 0
    for left, _ in _rows(PTB):
        for code in _code(left):
            for name in re.findall(r"(?<![\w\".])([A-Z]\w+)", code):
                if name not in ignored:
                    assert any(hasattr(module, name) for module in (telegram, telegram.ext, telegram.error, telegram.request)), name
                    checked += 1
            for name in re.findall(r"telegram\.error\.(\w+)", code):
                assert hasattr(telegram.error, name), name
    assert checked > 15


def test_its_filters_work_as_ours() -> None:
    """A filter of python-telegram-bot can stand where one of ours does, and be combined with it."""
    app = _names()["app"]
    app.message(telegram.ext.filters.TEXT & ~telegram.ext.filters.COMMAND)(lambda update, context: None)
    app.message(filters.as_filter(telegram.ext.filters.TEXT) & filters.PRIVATE)(lambda update, context: None)
    assert app.kinds_asked_for() == ("message", "callback_query")


def test_a_bad_request_is_no_network_error_here() -> None:
    """The guide warns of the one name that means something else: BadRequest is a NetworkError there, and is none here."""
    assert issubclass(telegram.error.BadRequest, telegram.error.NetworkError)
    assert not issubclass(syncbot.BadRequest, syncbot.NetworkError)
