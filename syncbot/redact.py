"""Tokens and proxy passwords are found in texts, in whatever way they are written there, and taken out."""

from __future__ import annotations

import re
import traceback
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote, quote_plus

from syncbot.secret import HIDDEN, Secret
from syncbot.types import Proxy

_MIN_SECRET = 4  # a shorter password stands in too many harmless words; it is hidden in URLs and headers only
_MIN_BASE64 = 6  # the same, for the piece of base64 text that does not depend on what stands around the secret

_TOKEN = r"((?<![0-9])[0-9]{3,20}:)[A-Za-z0-9_-]{30,}"  # noqa: S105 - the shape of a token
_TOKEN_IN_PATH = r"(/bot[0-9]+:)[A-Za-z0-9_-]+"  # noqa: S105 - there any length is one
_PASSWORD_IN_URL = r"""(://[^/\s:@"'<>?#]*:)[^/\s"'<>]+(?=@)"""  # noqa: S105 - the shape of a URL
_AUTHORIZATION = r"(?i)(authorization(?:\W|b(?=['\"])){1,8}(?:basic|bearer)\s+)[a-z0-9+/=_.-]+"
_SHAPES = (_TOKEN, _TOKEN_IN_PATH, _PASSWORD_IN_URL, _AUTHORIZATION)

_HEX = "[0-9A-Fa-f]"
_ESCAPE = rf"""(?xs)
    %(?P<percent> (?:25)*[89A-Fa-f]{_HEX}(?:%(?:25)*[89A-Fa-f]{_HEX})* | (?:25)*{_HEX}{{2}} )
    | &(?:amp;)*(?P<html> \#[0-9]{{1,7}} | \#[xX]{_HEX}{{1,6}} | [A-Za-z][A-Za-z0-9]{{1,30}} );
    | \\\\*(?: (?P<bytes> x[89A-Fa-f]{_HEX}(?:\\+x[89A-Fa-f]{_HEX})* | x{_HEX}{{2}} )
            | (?P<pair> u[dD][89ABab]{_HEX}{{2}}\\+u[dD][C-Fc-f]{_HEX}{{2}} )
            | (?P<unicode> u{_HEX}{{4}} | U{_HEX}{{8}} )
            | (?P<char> ["'/]? ) )
"""
"""One character, or some, as a URL, HTML, `ascii()`, `repr()` or JSON write it, once or several times. Each way begins with a letter of its
own, by which `re` skips quickly to where something may stand."""


class Redactor:
    """Takes secrets out of texts: those it was told, and whatever looks like a bot token, a password in a URL, or proxy credentials in a header.

    They are also found percent-encoded, escaped as HTML, `repr()`, `ascii()` and JSON do it (each of them several times over), and those that it was
    told in base64. A token keeps the bot's id ("123456789:<hidden>"). A password shorter than four characters is found in URLs and headers only. Safe
    to use from several threads and after a fork: there is no lock.
    """

    def __init__(self, *secrets: str | Secret[str] | Proxy) -> None:
        self._secrets: dict[tuple[Secret[str], Secret[str]], None] = {}  # (user name, secret); only grows, and each step of it is atomic
        self._forms: tuple[int, Secret[list[tuple[str, str]]]] = (0, Secret([]))
        self.add(*secrets)

    def add(self, *secrets: str | Secret[str] | Proxy) -> None:
        """Learn secrets: tokens, passwords, or a `Proxy` for its password; the forms they can take are worked out when a text is first looked at."""
        for secret in secrets:
            user, word = (Secret(secret.username), Secret(secret.password)) if isinstance(secret, Proxy) else (Secret(""), Secret(secret))
            if len(word.reveal()) >= _MIN_SECRET:
                self._secrets.setdefault((user, word))

    def text(self, text: str) -> str:
        """The text without the secrets; redacting twice changes nothing more."""
        text = self._redacted(text)
        return self._redacted_escapes(text) if "%" in text or "\\" in text or "&" in text else text

    def traceback(self, error: BaseException) -> str:
        """The traceback of an error with its whole chain, as Python prints it, without the secrets."""
        return self.text("".join(traceback.format_exception(error)))

    def _redacted(self, text: str) -> str:
        """The text without what stands there as it is."""
        for form, replacement in self._known_forms():
            if form in text:
                text = text.replace(form, replacement)
        if ":" in text:
            text = re.sub(_TOKEN, rf"\1{HIDDEN}", text)
            text = re.sub(_TOKEN_IN_PATH, rf"\1{HIDDEN}", text) if "/bot" in text else text
            text = re.sub(_PASSWORD_IN_URL, rf"\1{HIDDEN}", text) if "@" in text else text
        return re.sub(_AUTHORIZATION, rf"\1{HIDDEN}", text) if "uthorization" in text.lower() else text

    def _redacted_escapes(self, text: str) -> str:
        """The text without what shows only when its escapes are resolved; all else stays as it is written."""
        plain = _Unescaped(text)
        if plain.text == text or self._redacted(plain.text) == plain.text:
            return text
        pieces, done = [], 0
        for start, end in sorted(map(plain.original, self._places(plain.text))):
            if start >= done:
                pieces += [text[done:start], HIDDEN]
            done = max(done, end)
        return "".join(pieces) + text[done:]

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """From where to where a text has to be replaced."""
        for form, replacement in self._known_forms():
            kept = len(replacement) - len(HIDDEN)  # the id of a bot
            for found in re.finditer(re.escape(form), text):
                yield found.start() + kept, found.end()
        for shape in _SHAPES:
            for found in re.finditer(shape, text):
                yield found.end(1), found.end()

    def _known_forms(self) -> list[tuple[str, str]]:
        count, forms = self._forms
        if count != len(self._secrets):
            secrets = list(self._secrets)
            found = dict(forms.reveal())
            for user, secret in secrets[count:]:  # a dict keeps the order, so these are the new ones
                found.update(_forms(user.reveal(), secret.reveal()))
            forms = Secret(sorted(found.items(), key=lambda item: -len(item[0])))  # a whole token before the part of it that is another form
            self._forms = (len(secrets), forms)
        return forms.reveal()


class _Unescaped:
    """A text with its escapes resolved, those within escapes too, and where each piece of it comes from."""

    def __init__(self, text: str, rounds: int = 4) -> None:
        pieces: list[str] = []
        self._pieces: list[tuple[int, int, bool]] = []  # where one begins, here and in the original, and whether it was an escape
        here = there = 0
        for found in re.finditer(_ESCAPE, text):
            for piece, start, is_escape in ((text[there : found.start()], there, False), (_character(found), found.start(), True)):
                if piece:
                    pieces.append(piece)
                    self._pieces.append((here, start, is_escape))
                    here += len(piece)
            there = found.end()
        self._pieces.append((here, there, False))
        plain = "".join(pieces) + text[there:]
        self._deeper = _Unescaped(plain, rounds - 1) if rounds and plain != text else None
        self.text: str = plain if self._deeper is None else self._deeper.text

    def original(self, place: tuple[int, int]) -> tuple[int, int]:
        """Where a part of this text, from and to, stands in the original; an escape is never cut."""
        place = place if self._deeper is None else self._deeper.original(place)
        first = self._pieces[bisect_right(self._pieces, place[0], key=lambda piece: piece[0]) - 1]
        number = bisect_right(self._pieces, place[1] - 1, key=lambda piece: piece[0]) - 1
        last = self._pieces[number]
        start = first[1] if first[2] else first[1] + place[0] - first[0]
        return start, self._pieces[number + 1][1] if last[2] else last[1] + place[1] - last[0]


def _character(found: re.Match[str]) -> str:
    """What an escape stands for."""
    if (text := found["percent"] or found["bytes"]) is not None:
        data = bytes.fromhex("".join(re.findall(rf"({_HEX}{{2}})(?=[%\\]|\Z)", text)))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    if found["html"] is not None:
        from html import unescape  # a large table, and hardly ever needed

        return unescape(f"&{found['html']};")
    if found["pair"] is not None:
        high, low = (int(code, 16) & 0x3FF for code in re.findall(rf"u({_HEX}{{4}})", found["pair"]))
        return chr(0x10000 + (high << 10) + low)
    if found["unicode"] is not None:
        code = int(found["unicode"][1:], 16)
        return chr(code) if code < 0x110000 else found[0]
    return found["char"] or "\\"


def _forms(user: str, secret: str) -> dict[str, str]:
    """Every text that stands for a secret, and what replaces it."""
    found = dict.fromkeys((*_spellings(secret), *_base64_forms(user, secret)), HIDDEN)
    if token := re.fullmatch(r"([0-9]{3,20}):([A-Za-z0-9_-]{20,})", secret):
        found.update(dict.fromkeys(_spellings(secret), f"{token[1]}:{HIDDEN}"))
        found.update(dict.fromkeys((token[2], *_base64_forms("", token[2])), HIDDEN))
    return {form: replacement for form, replacement in found.items() if form not in HIDDEN}


def _spellings(secret: str) -> Iterator[str]:
    """The secret itself, and those ways of writing it that do not resolve to it: an escape may be ambiguous, or stand in the secret."""
    import json

    yield secret
    plain = _Unescaped(secret).text
    yield plain
    quoted = (quote(secret, errors="replace"), quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))
    lower = (re.sub("%..", lambda code: code[0].lower(), text) for text in quoted)
    for text in (*quoted, *lower, repr(secret)[1:-1], repr(secret.encode("utf-8", "replace"))[2:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1]):
        if (resolved := _Unescaped(text).text) != plain:
            yield text
            yield resolved


def _base64_forms(user: str, secret: str) -> Iterator[str]:
    """The base64 text of "user:secret" whole, and of the secret behind a text of unknown length, less the characters that depend on its neighbours."""
    from base64 import b64encode

    for encoding in ("utf-8", "latin-1"):
        with suppress(UnicodeEncodeError):
            yield b64encode(f"{user}:{secret}".encode(encoding)).decode().rstrip("=")
            data = secret.encode(encoding)
            for shift in range(3):
                text = b64encode(bytes(shift) + data).decode().rstrip("=")
                text = text[(0, 2, 3)[shift] : len(text) - ((shift + len(data)) % 3 > 0)]
                if len(text) >= _MIN_BASE64:
                    yield text
