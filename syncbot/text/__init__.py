"""Texts for Telegram: split where they are too long, escaped where they hold markup, and links that open a bot.

```python
for piece in split(report, "HTML"):
    bot.send_message(chat_id, piece, parse_mode="HTML")   # bot.send_long(…) does just this
```

Needs the standard library only. What python-telegram-bot's `telegram.helpers` has under the same name gives the same text here.
"""

from __future__ import annotations

import re

from syncbot.text.atoms import utf16_length
from syncbot.text.hypertext import read_html, write_html
from syncbot.text.markdown import read_markdown, write_markdown
from syncbot.text.pieces import MAX_ENTITIES, Reader, Writer, cut
from syncbot.text.plain import read_plain, write_plain

__all__ = [
    "MAX_CAPTION_LENGTH",
    "MAX_ENTITIES",
    "MAX_TEXT_LENGTH",
    "deep_link",
    "escape_html",
    "escape_markdown",
    "mention_html",
    "mention_markdown",
    "split",
    "utf16_length",
]

MAX_TEXT_LENGTH = 4096
"""The most characters (code points) that a message's text may have, markup taken out (https://core.telegram.org/bots/api#sendmessage)."""
MAX_CAPTION_LENGTH = 1024
"""The same, for the caption of a photo, a document, …"""

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED = {
    "": re.compile(r"([\\_*\[\]()~`>#+\-=|{}.!])"),
    "code": re.compile(r"([\\`])"),
    "pre": re.compile(r"([\\`])"),
    "url": re.compile(r"([\\)])"),
}
_FORMATS: dict[str, tuple[Reader, Writer]] = {
    "": (read_plain, write_plain),
    "html": (read_html, write_html),
    "markdownv2": (read_markdown, write_markdown),
}


def split(text: str, parse_mode: str | None = None, *, limit: int = MAX_TEXT_LENGTH) -> list[str]:
    """Split a text into pieces that Telegram takes as messages of their own.

    A piece ends at a paragraph, else at a line, else at a word; a single character is never cut, be it an emoji of many parts. Markup that is
    open at the end of a piece is closed there and opened again in the next one, a code block with its language.

    Args:
        text: the whole text.
        parse_mode: "HTML" or "MarkdownV2" (in any case) where the text holds markup; None for plain text.
        limit: the most characters (code points) of a piece, its markup not counted; 1024 for captions.

    Returns:
        The pieces in order. Nothing is left out, but for white space that would be a piece of its own, which Telegram refuses. Of a text that
        fits, the text itself; of an empty one, nothing.

    Raises:
        ValueError: the text is too long and its markup is broken (the text of the error says where), the limit is below 1, or the parse mode is
            another one.
    """
    if limit < 1:
        raise ValueError(f"a piece of {limit} characters holds nothing; give a limit of 1 or more")
    mode = str(getattr(parse_mode, "value", parse_mode) or "")
    if mode.lower() not in _FORMATS:
        raise ValueError(f"a text with the parse mode {mode!r} cannot be split; use HTML or MarkdownV2")
    read, write = _FORMATS[mode.lower()]
    fits = len(text) <= limit
    may_have_many_entities = bool(mode) and sum(map(text.count, "<_*~|[`>")) > MAX_ENTITIES
    if fits and not may_have_many_entities:
        return [text] if text else []
    try:
        pieces = cut(read(text), limit)
    except ValueError:
        if fits:
            return [text]  # one message at most: Telegram judges it
        raise
    return [text] if len(pieces) == 1 and pieces[0].complete else [write(piece.atoms) for piece in pieces]


def escape_html(text: str) -> str:
    """Escape a text so that it stands in HTML, in an attribute too, as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#x27;")


def escape_markdown(text: str, inside: str = "") -> str:
    """Escape a text so that it stands in MarkdownV2 as it is.

    Args:
        text: any text.
        inside: "code" or "pre" for the content of code, "url" for the address of a link; fewer characters mean something there.

    Raises:
        ValueError: `inside` is something else.
    """
    reserved = _RESERVED.get(inside)
    if reserved is None:
        raise ValueError(f"inside is {inside!r}; it can be 'code', 'pre' or 'url', or left out")
    return reserved.sub(r"\\\1", text)


def mention_html(user_id: int, name: str) -> str:
    """Mention a user who needs no username, in HTML; `name` is shown, and escaped here."""
    return f'<a href="tg://user?id={int(user_id)}">{escape_html(name)}</a>'


def mention_markdown(user_id: int, name: str) -> str:
    """Mention a user who needs no username, in MarkdownV2; `name` is shown, and escaped here."""
    return f"[{escape_markdown(name)}](tg://user?id={int(user_id)})"


def deep_link(username: str, payload: str = "", *, group: bool = False) -> str:
    """Link to the bot; who follows it presses Start and so sends "/start PAYLOAD".

    Args:
        username: the bot's, with or without @.
        payload: up to 64 letters, digits, "_" and "-"; base64.urlsafe_b64encode puts anything else into these.
        group: let the user choose a group to add the bot to, instead.

    Raises:
        ValueError: the payload is too long or has other characters, or the username is none.
    """
    name = username.removeprefix("@")
    if not re.fullmatch(r"[A-Za-z0-9_]{4,32}", name):
        raise ValueError(f"{username!r} is not a bot's username; it looks like 'weather_bot'")
    if not payload:
        return f"https://t.me/{name}"
    if not _PAYLOAD.fullmatch(payload):
        raise ValueError("a payload has 1 to 64 of the characters A-Z, a-z, 0-9, '_' and '-'; encode anything else with base64.urlsafe_b64encode")
    return f"https://t.me/{name}?{'startgroup' if group else 'start'}={payload}"
