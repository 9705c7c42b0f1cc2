"""Telegram's HTML, read and written for the split.

Read as Telegram's server does it: few named references, a reference without its semicolon, tags that must be closed in order. Which tags there
are is left to the server, so that new ones work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncbot.text.atoms import Atom, Mark

_TAG = re.compile(r"""<(/?)([A-Za-z][^\s<>/"']*)((?:[^<>"']|"[^"]*"|'[^']*')*)>""")
_REFERENCE = re.compile(r"&(?:#(\d{1,8})|#[xX]([0-9A-Fa-f]{1,8})|([A-Za-z]+));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_WHOLE = frozenset({"tg-emoji", "tg-time"})


def read_html(text: str) -> list[Atom]:
    """Take a text apart.

    Raises:
        ValueError: a tag is not closed, or closed in the wrong order, or is none.
    """
    atoms: list[Atom] = []
    stack: list[Mark] = []
    marks: tuple[Mark, ...] = ()
    at = 0
    while at < len(text):
        if text[at] == "<":
            tag = _TAG.match(text, at)
            if tag is None:
                raise ValueError(f"the HTML is broken at character {at}: '<' begins no tag there; write '&lt;' for the sign itself")
            _turn(tag, stack)
            marks = tuple(stack)
            at = tag.end()
        else:
            source, shown, at = _character(text, at)
            atoms.append(Atom(source, shown, marks))
    if stack:
        raise ValueError(f"the HTML is broken: {stack[-1].opening} is never closed")
    return atoms


def _turn(tag: re.Match[str], stack: list[Mark]) -> None:
    ends, name = tag[1], tag[2].lower()
    if not ends:
        stack.append(Mark(tag[0], f"</{name}>", whole=name in _WHOLE))
    elif not stack:
        raise ValueError(f"the HTML is broken at character {tag.start()}: {tag[0]} closes nothing")
    elif stack[-1].closing != f"</{name}>":
        raise ValueError(f"the HTML is broken at character {tag.start()}: {tag[0]} stands where {stack[-1].closing} is due")
    else:
        stack.pop()


def _character(text: str, at: int) -> tuple[str, str, int]:
    """Read one character: how it is written, what it shows, and where the next one begins."""
    if text[at] != "&":
        return text[at], text[at], at + 1
    reference = _REFERENCE.match(text, at)
    if reference is not None:
        shown = _NAMED.get(reference[3], "") if reference[3] else _by_number(reference[1], reference[2])
        if shown:
            return reference[0].removesuffix(";") + ";", shown, reference.end()
    return "&amp;", "&", at + 1


def _by_number(decimal: str | None, hexadecimal: str | None) -> str:
    number = int(decimal) if decimal else int(hexadecimal or "0", 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else ""


def write_html(atoms: Sequence[Atom]) -> str:
    """Put a text together; every tag that it opens is closed."""
    parts: list[str] = []
    marks: tuple[Mark, ...] = ()
    for atom in (*atoms, Atom("", "")):
        if atom.marks is not marks:
            shared = common(marks, atom.marks)
            parts += [mark.closing for mark in reversed(marks[shared:])]
            parts += [mark.opening for mark in atom.marks[shared:]]
            marks = atom.marks
        parts.append(atom.source)
    return "".join(parts)


def common(left: Sequence[Mark], right: Sequence[Mark]) -> int:
    """Count the outermost marks that both have."""
    return next((place for place, (one, other) in enumerate(zip(left, right, strict=False)) if one is not other), min(len(left), len(right)))
