"""Rich messages: what a bot asks for (InputRichMessage), as it stands in the chat (RichMessage), and what a user reads and presses in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from syncbot.testing.api.content import ApiCall, check_button
from syncbot.testing.api.media import given, location, media_content
from syncbot.testing.world.problems import bad_request
from syncbot.types import JSON

_MEDIA = {"animation": "animation", "audio": "audio", "document": "document", "photo": "photo", "video": "video", "voice_note": "voice"}
"""The blocks with a medium, and what it is called elsewhere."""
_COPIED = {
    "paragraph": ("text",),
    "heading": ("text", "size"),
    "pre": ("text", "language"),
    "footer": ("text",),
    "divider": (),
    "mathematical_expression": ("expression",),
    "anchor": ("name",),
    "expandable_blockquote": ("text", "credit"),
    "pullquote": ("text", "credit"),
    "table": ("cells", "is_bordered", "is_striped", "is_compact", "caption"),
    "blockquote": ("credit",),
    "collage": ("caption",),
    "slideshow": ("caption",),
    "details": ("summary", "is_open"),
    "list": (),
    "map": ("caption",),
    "buttons": ("buttons", "align"),
    "thinking": ("text",),
}
"""The other blocks, and what of each stays as it is."""
_NESTED = ("blockquote", "collage", "slideshow", "details")
_MOST_LEVELS = 200
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MEDIA_LINK = re.compile(r"tg://(?:photo|video|document|audio)\?id=([A-Za-z0-9_-]{1,64})")


def rich_message(call: ApiCall, *, is_draft: bool = False) -> JSON:
    """The RichMessage that a call asks for. HTML and Markdown are one paragraph here, and the media that they name blocks below it.

    Raises:
        ApiProblem: it is none, or a block of it is none that may stand there.
    """
    asked = call.get("rich_message")
    if not isinstance(asked, dict) or sum(bool(asked.get(name)) for name in ("blocks", "html", "markdown")) != 1:
        raise bad_request("can't parse rich message JSON object")
    if asked.get("blocks"):
        if _is_deep(asked["blocks"]):
            raise bad_request("can't parse rich message: blocks are nested too deep")
        blocks = _blocks(call, asked["blocks"], is_draft)
    else:
        text = str(asked.get("html") or asked.get("markdown"))
        media = _named_media(call, asked.get("media") or [])
        blocks = [{"type": "paragraph", "text": text}, *(media[name] for name in _MEDIA_LINK.findall(text) if name in media)]
    return {"blocks": blocks, **given(asked, "is_rtl")}


def _is_deep(value: Any) -> bool:
    """Whether there are more lists and objects within each other than the server goes into; Telegram's own bound is not public."""
    level = [value]
    for _ in range(_MOST_LEVELS):
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())]
    return bool(level)


def _named_media(call: ApiCall, asked: Any) -> dict[str, JSON]:
    """The media beside a text, as blocks, by the ids that its links name."""
    found = {}
    for item in asked if isinstance(asked, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("media"), dict) or not _MEDIA_ID.fullmatch(str(item.get("id"))):
            raise bad_request("can't parse rich message media JSON object")
        found[str(item["id"])] = _medium(call, str(item["media"].get("type")), item["media"])
    return found


def _blocks(call: ApiCall, asked: Any, is_draft: bool) -> list[JSON]:
    if not isinstance(asked, list) or not all(isinstance(block, dict) for block in asked):
        raise bad_request("can't parse rich message blocks JSON object")
    return [_block(call, block, is_draft) for block in asked]


def _block(call: ApiCall, block: JSON, is_draft: bool) -> JSON:
    kind = str(block.get("type"))
    if kind in _MEDIA and isinstance(block.get(kind), dict):
        return {**_medium(call, kind, block[kind]), **given(block, "caption")}
    if kind not in _COPIED or (kind == "thinking" and not is_draft):
        raise bad_request("can't parse rich message block: type of the block is invalid")
    made = {"type": kind, **given(block, *_COPIED[kind])}
    if kind in _NESTED:
        made["blocks"] = _blocks(call, block.get("blocks"), is_draft)
    elif kind == "list":
        made["items"] = [_item(call, number, item, is_draft) for number, item in enumerate(_objects(block.get("items")), 1)]
    elif kind == "map":
        place = block.get("location")
        made |= {"zoom": 13, "width": 600, "height": 300, **given(block, "zoom", "width", "height")}
        made["location"] = location(place if isinstance(place, dict) else {})
    elif kind == "table":
        rows = block.get("cells")
        for row in rows if isinstance(rows, list) and rows else [None]:
            _objects(row)
    elif kind == "buttons":
        for button in _objects(block.get("buttons")):
            check_button(button)
    return made


def _medium(call: ApiCall, kind: str, medium: JSON) -> JSON:
    """The block of a medium."""
    kind = {"voice": "voice_note"}.get(kind, kind)
    if kind not in _MEDIA:
        raise bad_request("can't parse rich message block: type of the medium is invalid")
    return {"type": kind, kind: media_content(call, _MEDIA[kind], medium.get("media"), medium)[_MEDIA[kind]], **given(medium, "has_spoiler")}


def _item(call: ApiCall, number: int, item: JSON, is_draft: bool) -> JSON:
    """An item of a list: numbered where its type says so."""
    facts = given(item, "has_checkbox", "is_checked", "value", "type")
    return {"label": f"{item.get('value') or number}." if item.get("type") else "•", "blocks": _blocks(call, item.get("blocks"), is_draft), **facts}


def _objects(value: Any) -> list[JSON]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request("can't parse rich message block: expected an Array of Objects")
    return value


# ---------------------------------------------------------------------- what a user sees


def plain_text(rich: Any) -> str:
    """The text of a RichMessage, of a block or of a RichText, without its layout; blocks are apart by line feeds."""
    if isinstance(rich, str):
        return rich
    if isinstance(rich, list):
        return "".join(map(plain_text, rich))
    if not isinstance(rich, dict):
        return ""
    if "button" in rich:
        return plain_text(rich["button"])
    parts = [rich.get(name) for name in ("summary", "text", "expression")]
    rows = [cell for row in rich.get("cells", []) for cell in row]
    inner = [*rich.get("blocks", []), *rich.get("items", []), *rows]
    return "\n".join(text for part in [*parts, *inner, rich.get("caption")] if (text := plain_text(part)))


def buttons_in(rich: Any) -> Iterator[JSON]:
    """The buttons of a RichMessage, wherever they stand, each with its text as plain text."""
    if isinstance(rich, list):
        for part in rich:
            yield from buttons_in(part)
    elif isinstance(rich, dict):
        for button in [*rich.get("buttons", []), *([rich["button"]] if "button" in rich else [])]:
            yield {**button, "text": plain_text(button.get("text"))}
        for part in rich.values():
            if isinstance(part, dict | list) and part is not rich.get("buttons") and part is not rich.get("button"):
                yield from buttons_in(part)
