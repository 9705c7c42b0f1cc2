"""Keyboards from plain lists, ready to be a `reply_markup`.

```python
bot.send_message(chat_id, "Well?", reply_markup=inline([[("Yes", "yes"), ("No", "no")], [("Help", "https://example.com")]]))
bot.send_message(chat_id, "Size?", reply_markup=reply(grid(["S", "M", "L", "XL"], columns=2), one_time=True))
```

They are plain dicts, in the Bot API's own words, and load no telegram. For buttons that have more to say (a web app, a payment, a colour)
put a dict or python-telegram-bot's `InlineKeyboardButton` or `KeyboardButton` in the place of a pair or a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import telegram

    InlineButton = tuple[str, str] | Mapping[str, Any] | telegram.InlineKeyboardButton
    ReplyButton = str | Mapping[str, Any] | telegram.KeyboardButton

MAX_CALLBACK_BYTES = 64
"""The most bytes of callback data (https://core.telegram.org/bots/api#inlinekeyboardbutton)."""

_URL_SCHEMES = ("http://", "https://", "tg://")
_Button = TypeVar("_Button")


def inline(rows: Iterable[Iterable[InlineButton]]) -> dict[str, Any]:
    """A keyboard under a message.

    Args:
        rows: of buttons, each a pair of its label and what it does: an address (http://, https:// or tg://) that is opened, or else up to 64
            bytes of data that come back as a callback query.

    Raises:
        ValueError: a label is empty, or data is empty or too long.
        TypeError: something is not a row, or not a button.
    """
    return {"inline_keyboard": [[_inline_button(button) for button in _row(row, _is_button)] for row in rows]}


def reply(
    rows: Iterable[Iterable[ReplyButton]],
    *,
    resize: bool = True,
    one_time: bool = False,
    persistent: bool = False,
    selective: bool = False,
    placeholder: str | None = None,
) -> dict[str, Any]:
    """A keyboard in the place of the user's own; a pressed button sends its text.

    Args:
        rows: of buttons, each a text, `contact(…)` or `location(…)`.
        resize: make it as small as its buttons allow.
        one_time: hide it after a press.
        persistent: show it even when the user's own keyboard is hidden.
        selective: show it only to who is mentioned or replied to.
        placeholder: shown in the empty input field, 1 to 64 characters.

    Raises:
        ValueError: a label is empty.
        TypeError: something is not a row, or not a button.
    """
    buttons = [[{"text": _label(button)} if isinstance(button, str) else _as_given(button, "a text") for button in _row(row)] for row in rows]
    keyboard: dict[str, Any] = {"keyboard": buttons, "resize_keyboard": resize}
    flags = {"one_time_keyboard": one_time, "is_persistent": persistent, "selective": selective, "input_field_placeholder": placeholder}
    return keyboard | {name: value for name, value in flags.items() if value}


def contact(label: str) -> dict[str, Any]:
    """A button of a reply keyboard that sends the user's phone number; in private chats only."""
    return {"text": _label(label), "request_contact": True}


def location(label: str) -> dict[str, Any]:
    """A button of a reply keyboard that sends where the user is; in private chats only."""
    return {"text": _label(label), "request_location": True}


def remove(*, selective: bool = False) -> dict[str, Any]:
    """Take a reply keyboard away; `selective` from those only who are mentioned or replied to."""
    return {"remove_keyboard": True} | ({"selective": True} if selective else {})


def force_reply(*, placeholder: str | None = None, selective: bool = False) -> dict[str, Any]:
    """Let the user's app begin a reply to the message; see `reply` for the arguments."""
    markup: dict[str, Any] = {"force_reply": True}
    return markup | ({"selective": True} if selective else {}) | ({"input_field_placeholder": placeholder} if placeholder else {})


def grid(buttons: Iterable[_Button], columns: int) -> list[list[_Button]]:
    """Lay buttons out in rows of `columns`; the last row may be shorter.

    Raises:
        ValueError: `columns` is below 1.
    """
    if columns < 1:
        raise ValueError(f"columns is {columns}; a row has at least one button")
    row = list(buttons)
    return [row[start : start + columns] for start in range(0, len(row), columns)]


def _row(row: Any, is_button: Callable[[Any], bool] = lambda _: False) -> Iterable[Any]:
    if isinstance(row, str | bytes | Mapping) or not isinstance(row, Iterable) or is_button(row):
        raise TypeError(f"{row!r} is not a row of buttons; a keyboard is a list of rows, and a row a list of buttons")
    return row


def _is_button(row: Any) -> bool:
    """Tell a button that stands where its row should: a tuple of two texts."""
    return isinstance(row, tuple) and len(row) == 2 and _is_texts(row)


def _is_texts(pair: Sequence[Any]) -> bool:
    return all(isinstance(part, str) for part in pair)


def _inline_button(button: Any) -> Any:
    if not isinstance(button, tuple | list):
        return _as_given(button, "a pair (label, data or address)")
    if len(button) != 2 or not _is_texts(button):
        raise TypeError(f"{button!r} is not a button; give a pair (label, data or address), a dict, or an InlineKeyboardButton")
    label, target = button
    if target.startswith(_URL_SCHEMES):
        return {"text": _label(label), "url": target}
    if not 1 <= len(target.encode()) <= MAX_CALLBACK_BYTES:
        raise ValueError(f"the data of the button {label!r} has {len(target.encode())} bytes; Telegram takes 1 to {MAX_CALLBACK_BYTES}")
    return {"text": _label(label), "callback_data": target}


def _as_given(button: Any, instead: str) -> Any:
    if isinstance(button, Mapping) or hasattr(button, "to_dict"):
        return button
    raise TypeError(f"{button!r} is not a button; give {instead}, a dict, or python-telegram-bot's object")


def _label(text: str) -> str:
    if not text.strip():
        raise ValueError("a button needs a label")
    return text
