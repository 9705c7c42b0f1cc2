"""What a text is made of when it is split: the smallest parts that are shown, and the markup around each."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_JOINER = "\u200d"
_CARRIAGE_RETURN = "\r"


@dataclass(eq=False, slots=True)
class Mark:
    """A piece of markup around a stretch of text; two of them are never equal.

    It is not frozen: where a link leads is read only after its text.

    Args:
        opening: written where it begins, and again where a later piece goes on with it.
        closing: written where it ends, and where a piece ends within it.
        whole: what it surrounds means nothing in parts (a custom emoji, a date).
        quote: a block quotation of MarkdownV2, which marks each of its lines.
    """

    opening: str
    closing: str
    whole: bool = False
    quote: bool = False


Marks = tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """The smallest part of a text: one character, as it is written and as it is shown.

    Args:
        source: how it is written; "&amp;" or "\\*" for one that is escaped.
        shown: the character.
        marks: the markup around it, outermost first.
    """

    source: str
    shown: str
    marks: Marks = ()


def utf16_length(text: str) -> int:
    """Count a text as the offsets and lengths of entities do: in UTF-16 code units, of which most emoji have two."""
    return len(text) if text.isascii() else len(text) + sum(sign > "\uffff" for sign in text)


def clusters(atoms: Iterable[Atom]) -> Iterator[tuple[Atom, ...]]:
    """Put together what must not be cut: the parts of an emoji, a letter and its accents, the content of a `whole` mark."""
    held: list[Atom] = []
    for atom in atoms:
        if held and not _belongs(held, atom):
            yield tuple(held)
            held = []
        held.append(atom)
    if held:
        yield tuple(held)


def _belongs(held: list[Atom], atom: Atom) -> bool:
    before = held[-1]
    if before.marks and any(mark.whole for mark in before.marks) and any(mark.whole and mark in before.marks for mark in atom.marks):
        return True
    if before.marks != atom.marks:
        return False
    if _is_regional(atom.shown):  # flags are pairs of letters
        return sum(_is_regional(one.shown) for one in held) % 2 == 1
    return before.shown == _JOINER or _extends(atom.shown) or (before.shown == _CARRIAGE_RETURN and atom.shown == "\n")


def _is_regional(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _extends(sign: str) -> bool:
    """Whether a character changes the one before it: an accent, a skin tone, a variation, the joiner itself, a part of a regional flag."""
    if sign < "\u0300":
        return False
    return sign == _JOINER or "\U0001f3fb" <= sign <= "\U0001f3ff" or "\U000e0020" <= sign <= "\U000e007f" or unicodedata.category(sign)[0] == "M"
