"""Telegram's parse modes, read as its server reads them: HTML, MarkdownV2 and the old Markdown."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from syncbot.testing.api.text.entities import utf16_length
from syncbot.testing.world.problems import ApiProblem, bad_request

_HTML_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "blockquote": "blockquote",
}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[^<>]*)?)\s*>")
_ATTRIBUTE = re.compile(r"""([A-Za-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_V2_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_V2_MARKS = (("||", "spoiler"), ("__", "underline"), ("_", "italic"), ("*", "bold"), ("~", "strikethrough"))


def parse_markup(text: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    """Take the markup out of a text.

    Args:
        text: as the bot sent it.
        mode: "HTML", "MarkdownV2" or "Markdown", in any case.

    Returns:
        The plain text, and the entities with offsets in UTF-16 code units.

    Raises:
        ApiProblem: (400) the markup is broken or the mode is unknown.
    """
    match mode.lower():
        case "html":
            return _parse_html(text)
        case "markdownv2":
            return _MarkdownV2(text).parse()
        case "markdown":
            return _parse_markdown(text)
    raise bad_request("unsupported parse_mode")


def _broken(reason: str) -> ApiProblem:
    return bad_request(f"can't parse entities: {reason}")


def _bytes_before(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "surrogatepass"))


@dataclass
class _Output:
    """The plain text as it grows, and its entities."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    entities: list[dict[str, Any]] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += utf16_length(text)

    def entity(self, kind: str, start: int, **more: Any) -> None:
        if self.length > start:
            self.entities.append({"type": kind, "offset": start, "length": self.length - start, **more})

    def result(self) -> tuple[str, list[dict[str, Any]]]:
        return "".join(self.parts), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))


def _parse_html(text: str) -> tuple[str, list[dict[str, Any]]]:
    out = _Output()
    stack: list[tuple[str, int, dict[str, str]]] = []
    at = 0
    while at < len(text):
        if text[at] == "<":
            match = _TAG.match(text, at)
            if match is None:
                raise _broken(f"Unsupported start tag at byte offset {_bytes_before(text, at)}")
            if match[1]:
                _close_tag(match[2].lower(), stack, out, _bytes_before(text, at))
            else:
                stack.append((_open_tag(match, _bytes_before(text, at)), out.length, _attributes(match[3])))
            at = match.end()
        elif text[at] == "&" and (reference := _REFERENCE.match(text, at)):
            out.write(html.unescape(reference[0]))
            at = reference.end()
        else:
            end = min((p for p in (text.find("<", at + 1), text.find("&", at + 1)) if p > 0), default=len(text))
            out.write(text[at:end])
            at = end
    if stack:
        raise _broken(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    return out.result()


def _attributes(text: str) -> dict[str, str]:
    return {m[1].lower(): html.unescape(next((g for g in m.groups()[1:] if g is not None), "")) for m in _ATTRIBUTE.finditer(text)}


def _open_tag(match: re.Match[str], offset: int) -> str:
    name = match[2].lower()
    if name not in _HTML_TAGS:
        raise _broken(f'Unsupported start tag "{name}" at byte offset {offset}')
    if name == "span" and _attributes(match[3]).get("class") != "tg-spoiler":
        raise _broken(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    return name


def _close_tag(name: str, stack: list[tuple[str, int, dict[str, str]]], out: _Output, offset: int) -> None:
    if not stack:
        raise _broken(f"Unexpected end tag at byte offset {offset}")
    opened, start, attributes = stack.pop()
    if opened != name:
        raise _broken(f'Unmatched end tag at byte offset {offset}, expected "</{opened}>", found "</{name}>"')
    kind = _HTML_TAGS[name]
    match name:
        case "a":
            url = attributes.get("href") or "".join(out.parts)[-(out.length - start) :]
            _link(out, start, url)
        case "tg-emoji":
            out.entity(kind, start, custom_emoji_id=attributes.get("emoji-id", ""))
        case "tg-time":
            more = {"date_time_format": attributes["format"]} if attributes.get("format") else {}
            unix = attributes.get("unix", "0")
            out.entity(kind, start, unix_time=int(unix) if unix.isdigit() else 0, **more)
        case "blockquote":
            out.entity("expandable_blockquote" if "expandable" in attributes else kind, start)
        case "code" if attributes.get("class", "").startswith("language-") and stack and stack[-1][0] == "pre":
            stack[-1][2]["language"] = attributes["class"].removeprefix("language-")
        case "code" if stack and stack[-1][0] == "pre":
            pass  # code inside pre is pre
        case "pre" if attributes.get("language"):
            out.entity(kind, start, language=attributes["language"])
        case _:
            out.entity(kind, start)


def _link(out: _Output, start: int, url: str) -> None:
    if url.startswith("tg://user?id=") and url.removeprefix("tg://user?id=").isdigit():
        user_id = int(url.removeprefix("tg://user?id="))
        out.entity("text_mention", start, user={"id": user_id, "is_bot": False, "first_name": f"User {user_id}"})
    elif "." in url or url.startswith("tg:"):
        out.entity("text_link", start, url=url if "://" in url or url.startswith(("tg:", "mailto:", "tel:")) else f"http://{url}/")


class _MarkdownV2:
    """A reader with a stack of open marks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out = _Output()
        self._open: list[tuple[str, str, int, int]] = []  # mark, kind, start in the output, byte offset
        self._quote = -1

    def parse(self) -> tuple[str, list[dict[str, Any]]]:
        while self._at < len(self._text):
            self._step()
        if self._open:
            _, kind, _, offset = self._open[-1]
            raise _broken(f"Can't find end of {_title(kind)} entity at byte offset {offset}")
        self._end_quote()
        return self._out.result()

    def _step(self) -> None:
        text, at = self._text, self._at
        if text[at] == "\\" and at + 1 < len(text) and 1 <= ord(text[at + 1]) <= 126:
            self._out.write(text[at + 1])
            self._at += 2
        elif text.startswith("`", at):
            self._code()
        elif text[at] == ">" and (at == 0 or text[at - 1] == "\n"):
            if self._quote < 0:
                self._quote = self._out.length
            self._at += 1
        elif text[at] == "\n":
            if self._quote >= 0 and not text.startswith(">", at + 1):
                self._end_quote()
            self._out.write("\n")
            self._at += 1
        elif text[at] == "[" or text.startswith("![", at):
            mark = "[" if text[at] == "[" else "!["
            self._open.append((mark, "text_link" if mark == "[" else "custom_emoji", self._out.length, _bytes_before(text, at)))
            self._at += len(mark)
        elif text[at] == "]" and self._open and self._open[-1][0] in ("[", "!["):
            self._close_link()
        elif not self._mark():
            self._plain()

    def _plain(self) -> None:
        sign = self._text[self._at]
        if sign in _V2_RESERVED:
            raise _broken(f"Character '{sign}' is reserved and must be escaped with the preceding '\\'")
        self._out.write(sign)
        self._at += 1

    def _mark(self) -> bool:
        for mark, kind in _V2_MARKS:
            if not self._text.startswith(mark, self._at):
                continue
            if mark == "||" and self._quote >= 0 and not any(m == "||" for m, *_ in self._open) and self._text[self._at + 2 : self._at + 3] in ("", "\n"):
                self._out.entity("expandable_blockquote", self._quote)
                self._quote = -1
            elif self._open and self._open[-1][0] == mark:
                _, kind, start, _ = self._open.pop()
                self._out.entity(kind, start)
            elif any(m == mark for m, *_ in self._open):
                raise _broken(f"Can't find end of {_title(self._open[-1][1])} entity at byte offset {self._open[-1][3]}")
            else:
                self._open.append((mark, kind, self._out.length, _bytes_before(self._text, self._at)))
            self._at += len(mark)
            return True
        return False

    def _code(self) -> None:
        fence = "```" if self._text.startswith("```", self._at) else "`"
        kind, offset = ("pre" if fence == "```" else "code"), _bytes_before(self._text, self._at)
        self._at += len(fence)
        more = {}
        if fence == "```" and (language := re.compile(r"([^\s`\\]+)\n|\n").match(self._text, self._at)):
            more = {"language": language[1]} if language[1] else {}
            self._at = language.end()
        start = self._out.length
        while not self._text.startswith(fence, self._at):
            if self._at >= len(self._text):
                raise _broken(f"Can't find end of {_title(kind)} entity at byte offset {offset}")
            if self._text[self._at] == "\\" and self._at + 1 < len(self._text):
                self._at += 1
            self._out.write(self._text[self._at])
            self._at += 1
        self._at += len(fence)
        self._out.entity(kind, start, **more)

    def _close_link(self) -> None:
        mark, kind, start, offset = self._open.pop()
        self._at += 1
        if not self._text.startswith("(", self._at):
            raise _broken(f"Can't find end of {_title(kind)} entity at byte offset {offset}")
        url, self._at = "", self._at + 1
        while not self._text.startswith(")", self._at):
            if self._at >= len(self._text):
                raise _broken(f"Can't find end of a URL at byte offset {offset}")
            if self._text[self._at] == "\\" and self._at + 1 < len(self._text):
                self._at += 1
            url += self._text[self._at]
            self._at += 1
        self._at += 1
        if mark == "[":
            _link(self._out, start, url)
        else:
            self._out.entity("custom_emoji", start, custom_emoji_id=url.rpartition("id=")[2])

    def _end_quote(self) -> None:
        if self._quote >= 0:
            self._out.entity("blockquote", self._quote)
            self._quote = -1


def _title(kind: str) -> str:
    return {"text_link": "TextUrl", "custom_emoji": "CustomEmoji", "pre": "PreCode"}.get(kind, kind.capitalize())


_OLD = re.compile(r"\\([_*`\[])|```(?:([^\s`]+)\n)?\n?(.*?)```|`([^`]*)`|\*([^*]*)\*|_([^_]*)_|\[([^\]]*)\]\(([^)]*)\)|([_*`])", re.DOTALL)


def _parse_markdown(text: str) -> tuple[str, list[dict[str, Any]]]:
    out = _Output()
    at = 0
    for match in _OLD.finditer(text):
        out.write(text[at : match.start()])
        at = match.end()
        start = out.length
        escaped, language, pre, code, bold, italic, label, url, stray = match.groups()
        if stray is not None:
            raise _broken(f"Can't find end of the entity starting at byte offset {_bytes_before(text, match.start())}")
        out.write(next(part for part in (escaped, pre, code, bold, italic, label) if part is not None))
        if url is not None:
            _link(out, start, url)
        elif pre is not None and language:
            out.entity("pre", start, language=language)
        elif escaped is None:
            out.entity("pre" if pre is not None else "code" if code is not None else "bold" if bold is not None else "italic", start)
    out.write(text[at:])
    return out.result()
