"""Telegram's MarkdownV2, read and written for the split."""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncbot.text.atoms import Atom, Mark, Marks
from syncbot.text.hypertext import common

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_SIGNS = ("||", "__", "_", "*", "~")
_LANGUAGE = re.compile(r"([^\s`]+)(?=[\s])")
_CODE_SIGNS = ("```", "`")
_EMPTY = ("**", "~~", "||||")
"""A stretch without content, between signs that would be read as another one when they touch."""


def read_markdown(text: str) -> list[Atom]:
    """Take a text apart.

    Raises:
        ValueError: a sign is not escaped, or what it begins does not end.
    """
    return _Reader(text).read()


class _Reader:
    """Reads from left to right with the marks that are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._atoms: list[Atom] = []
        self._open: list[Mark] = []
        self._marks: tuple[Mark, ...] = ()

    def read(self) -> list[Atom]:
        while self._at < len(self._text):
            self._step()
        self._end_quote()
        if self._open:
            raise self._broken(f"what {self._open[-1].opening!r} begins does not end")
        return self._atoms

    def _step(self) -> None:
        text, at = self._text, self._at
        sign = text[at]
        if self._open and self._open[-1].closing in _CODE_SIGNS:
            self._in_code(self._open[-1])
        elif sign == "\n":
            self._new_line()
        elif sign not in _RESERVED or sign == "\\":
            self._character()
        elif not self._open and (at == 0 or text[at - 1] == "\n") and text.startswith((">", "**>"), at):
            opening = ">" if sign == ">" else "**>"
            self._begin(Mark(opening, "", quote=True), len(opening))
        elif sign == "`":
            self._begin_code()
        elif sign == "[" or text.startswith("![", at):
            emoji = sign == "!"
            self._begin(Mark("![" if emoji else "[", "]", whole=emoji), 2 if emoji else 1)
        elif sign == "]" and self._open and self._open[-1].opening in ("[", "!["):
            self._end_link()
        else:
            self._sign()

    def _character(self) -> None:
        text, at = self._text, self._at
        if text[at] != "\\":
            self._add(text[at], text[at], 1)
        elif at + 1 < len(text) and "\x01" <= text[at + 1] <= "\x7e":
            self._add(text[at : at + 2], text[at + 1], 2)
        else:
            self._add("\\\\", "\\", 1)

    def _in_code(self, mark: Mark) -> None:
        if self._text.startswith(mark.closing, self._at):
            self._end(len(mark.closing))
        elif self._text[self._at] == "`":
            self._add("\\`", "`", 1)  # one or two of them do not end a block, but may when the text is cut beside them
        else:
            self._character()

    def _add(self, source: str, shown: str, taken: int) -> None:
        self._atoms.append(Atom(source, shown, self._marks))
        self._at += taken

    def _begin(self, mark: Mark, taken: int) -> None:
        self._open.append(mark)
        self._marks = tuple(self._open)
        self._at += taken

    def _end(self, taken: int) -> None:
        self._open.pop()
        self._marks = tuple(self._open)
        self._at += taken

    def _new_line(self) -> None:
        if self._open and any(mark.quote for mark in self._open):
            if self._text.startswith(">", self._at + 1):
                self._add("\n>", "\n", 2)
                return
            self._end_quote()
        self._add("\n", "\n", 1)

    def _end_quote(self) -> None:
        if not any(mark.quote for mark in self._open):
            return
        if not self._open[-1].quote:
            raise self._broken(f"what {self._open[-1].opening!r} begins does not end within its quotation")
        self._end(0)

    def _begin_code(self) -> None:
        if not self._text.startswith("```", self._at):
            self._begin(Mark("`", "`"), 1)
            return
        start = self._at + 3
        language = _LANGUAGE.match(self._text, start)
        end = language.end() if language else start
        taken = end - self._at + (2 if self._text.startswith("\r\n", end) else 1 if self._text[end : end + 1] in ("\n", "\r") else 0)
        # The line break keeps the first word of a later piece from being read as the language.
        self._begin(Mark(f"```{language[0] if language else ''}\n", "```"), taken)

    def _end_link(self) -> None:
        mark = self._open[-1]
        if not self._text.startswith("(", self._at + 1):
            mark.whole = True  # the text is the address
            self._end(1)
            return
        end = self._at + 2
        while end < len(self._text) and self._text[end] != ")":
            end += 2 if self._text[end] == "\\" else 1
        if end >= len(self._text):
            raise self._broken("the address of a link does not end")
        mark.closing = self._text[self._at : end + 1]
        self._end(end + 1 - self._at)

    def _sign(self) -> None:
        text, at = self._text, self._at
        sign = next((sign for sign in _SIGNS if text.startswith(sign, at)), "")
        if not sign:
            raise self._broken(f"{text[at]!r} must be escaped with a '\\' before it")
        if sign == "||" and self._open and self._open[-1].quote and text[at + 2 : at + 3] in ("", "\n"):
            self._open[-1].closing = "||"
            self._end(2)
        elif self._open and self._open[-1].closing == sign:
            self._end(len(sign))
        elif any(mark.closing == sign and mark.opening == sign for mark in self._open):
            raise self._broken(f"{sign!r} would end what is outside of {self._open[-1].opening!r}")
        else:
            self._begin(Mark(sign, sign), len(sign))

    def _broken(self, what: str) -> ValueError:
        return ValueError(f"the MarkdownV2 is broken at character {self._at}: {what}")


def write_markdown(atoms: Sequence[Atom]) -> str:
    """Put a text together; everything that it begins ends in it."""
    parts: list[str] = []
    marks: tuple[Mark, ...] = ()
    for atom in (*atoms, Atom("", "")):
        if atom.marks is not marks:
            marks = _change(parts, marks, atom)
        parts.append(atom.source)
    return "".join(parts)


def _change(parts: list[str], marks: Marks, atom: Atom) -> Marks:
    """End and begin what is due before an atom; returns the marks that are open then."""
    shared = common(marks, atom.marks)
    for place in range(len(marks) - 1, shared - 1, -1):
        _put(parts, marks[place].closing, marks[: place + 1])
    for place in range(shared, len(atom.marks)):
        mark = atom.marks[place]
        if mark.opening == "||" and atom.shown == "\n":
            return atom.marks[:place]  # at the end of a quotation's line it would make the quotation expandable
        _put(parts, ">" if mark.quote and not parts else mark.opening, atom.marks[:place])
    return atom.marks


def _put(parts: list[str], sign: str, open_marks: Sequence[Mark]) -> None:
    """Write a sign; keep it apart from one that it would be read together with."""
    last = parts[-1] if parts else ""
    if last and sign and last in ("_", "__") and sign in ("_", "__"):
        taken = {mark.closing for mark in open_marks}
        parts.append(next((empty for empty in _EMPTY if empty[: len(empty) // 2] not in taken), ""))
    if sign:
        parts.append(sign)
