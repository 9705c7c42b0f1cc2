"""Keyboards from lists."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import telegram

from syncbot import keyboards
from syncbot.client.api.table import find_method
from syncbot.client.encode import body, encode


def read(keyboard: object) -> dict[str, object]:
    """What the server gets for a keyboard."""
    written = body(encode(find_method("sendMessage"), {"chat_id": 1, "text": "a", "reply_markup": keyboard}))[1]
    assert isinstance(written, bytes)
    markup: dict[str, object] = json.loads(json.loads(written)["reply_markup"])
    return markup


def test_inline_pairs_are_data_or_addresses() -> None:
    """An address opens, anything else comes back as callback data."""
    keyboard = keyboards.inline([[("Yes", "yes"), ("Docs", "https://example.com/a?b=c")], [("User", "tg://user?id=5"), ("httpd", "http")]])
    assert keyboard == {
        "inline_keyboard": [
            [{"text": "Yes", "callback_data": "yes"}, {"text": "Docs", "url": "https://example.com/a?b=c"}],
            [{"text": "User", "url": "tg://user?id=5"}, {"text": "httpd", "callback_data": "http"}],
        ]
    }
    assert telegram.InlineKeyboardMarkup.de_json(keyboard).inline_keyboard[0][1].url == "https://example.com/a?b=c"


def test_inline_takes_other_buttons_as_they_are() -> None:
    """A dict and a python-telegram-bot button stand in a row beside pairs, and are sent whole."""
    button = telegram.InlineKeyboardButton("App", web_app=telegram.WebAppInfo("https://example.com"))
    sent = read(keyboards.inline([[button, {"text": "Pay", "pay": True}, ("A", "a")]]))
    assert sent == {
        "inline_keyboard": [[{"text": "App", "web_app": {"url": "https://example.com"}}, {"text": "Pay", "pay": True}, {"text": "A", "callback_data": "a"}]]
    }


@pytest.mark.parametrize("data", ["", "a" * 65, "ж" * 33])
def test_callback_data_has_1_to_64_bytes(data: str) -> None:
    """Data is counted in bytes, and refused before anything is sent."""
    with pytest.raises(ValueError, match="1 to 64"):
        keyboards.inline([[("A", data)]])
    keyboards.inline([[("A", "a" * 64), ("B", "ж" * 32)]])


def test_a_label_is_needed() -> None:
    """A button without a label is refused."""
    with pytest.raises(ValueError, match="label"):
        keyboards.inline([[(" ", "a")]])
    with pytest.raises(ValueError, match="label"):
        keyboards.reply([[""]])
    with pytest.raises(ValueError, match="label"):
        keyboards.contact("")


@pytest.mark.parametrize("rows", [[("Yes", "yes")], ["Yes"], [{"text": "a"}], [5]])
def test_a_forgotten_row_is_told(rows: list[object]) -> None:
    """A button where a row is due is a TypeError that shows the shape."""
    with pytest.raises(TypeError, match="list of rows"):
        keyboards.inline(rows)  # type: ignore[arg-type]  # what a checker would refuse is the point


def test_what_is_no_button_is_refused() -> None:
    """Neither a number nor a pair of other things is a button."""
    for row in ([5], [("A", 5)], [("A",)], [["A", "b", "c"]]):
        with pytest.raises(TypeError, match="not a button"):
            keyboards.inline([row])  # type: ignore[list-item]  # the same
    with pytest.raises(TypeError, match="not a button"):
        keyboards.reply([[5]])  # type: ignore[list-item]  # the same


def test_reply_keyboard() -> None:
    """A reply keyboard is resized unless told otherwise, names its options, and takes rows of any kind."""
    sent = read(keyboards.reply([("Yes", "No"), [keyboards.contact("Call"), keyboards.location("Here")]], one_time=True, placeholder="Well?"))
    assert sent == {
        "keyboard": [[{"text": "Yes"}, {"text": "No"}], [{"text": "Call", "request_contact": True}, {"text": "Here", "request_location": True}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
        "input_field_placeholder": "Well?",
    }
    assert keyboards.reply([[telegram.KeyboardButton("a")]], resize=False, persistent=True, selective=True)["is_persistent"] is True


def test_remove_and_force_reply() -> None:
    """The two markups without buttons."""
    assert keyboards.remove() == {"remove_keyboard": True}
    assert keyboards.remove(selective=True) == {"remove_keyboard": True, "selective": True}
    assert keyboards.force_reply(placeholder="Name", selective=True) == {"force_reply": True, "selective": True, "input_field_placeholder": "Name"}


def test_grid() -> None:
    """Buttons are laid out row by row."""
    assert keyboards.grid("abcde", 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert keyboards.grid([], 3) == []
    with pytest.raises(ValueError, match="columns"):
        keyboards.grid("a", 0)


def test_no_telegram_is_loaded() -> None:
    """Texts are split and keyboards built without python-telegram-bot."""
    code = "import sys; import syncbot.text, syncbot.keyboards; syncbot.text.split('a' * 9000); sys.exit('telegram' in sys.modules or 'asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
