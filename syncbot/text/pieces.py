"""Where to cut: as much as fits, ending at the best place that there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncbot.text.atoms import Atom, Mark, clusters

MAX_ENTITIES = 100
"""The most formatted stretches in one message; Telegram leaves the others unformatted."""

Reader = Callable[[str], Sequence[Atom]]
Writer = Callable[[Sequence[Atom]], str]

_NO_BREAK = "\u00a0\u202f\u2007"
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_SHOWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""The format characters of Unicode that can be seen (its property Prepended_Concatenation_Mark)."""
_PARAGRAPH, _LINE, _WORD = 3, 2, 1


@dataclass(frozen=True)
class Piece:
    """A stretch of the text; `complete` says that it is all of it."""

    atoms: Sequence[Atom]
    complete: bool = False


def cut(atoms: Sequence[Atom], limit: int) -> list[Piece]:
    """Cut a text into pieces.

    Args:
        atoms: the text.
        limit: the most characters (code points) of a piece.

    Returns:
        The pieces, without those that show nothing.
    """
    pieces = []
    units = [unit for cluster in clusters(atoms) for unit in ([cluster] if _length(cluster) <= limit else [(atom,) for atom in cluster])]
    start = 0
    while start < len(units):
        full = _full(units, start, limit)
        end = full if full == len(units) else _best_end(units, start, full)
        piece = [atom for unit in units[start:end] for atom in unit]
        if not all(map(_shows_nothing, piece)):
            pieces.append(Piece(piece, complete=start == 0 and end == len(units)))
        start = end
    return pieces


def _shows_nothing(atom: Atom) -> bool:
    """Whether a character leaves no trace on the screen; Telegram refuses a message of nothing else."""
    return all(
        sign.isspace()
        or sign in _INVISIBLE
        or "\ufe00" <= sign <= "\ufe0f"  # variation selectors, as the next ones
        or "\U000e0100" <= sign <= "\U000e01ef"
        or (unicodedata.category(sign) == "Cf" and sign not in _SHOWN_FORMATS)
        for sign in atom.shown
    )


def _length(cluster: Sequence[Atom]) -> int:
    return len(cluster[0].shown) if len(cluster) == 1 else sum(len(atom.shown) for atom in cluster)


def _full(units: Sequence[Sequence[Atom]], start: int, limit: int) -> int:
    """Find the end of the longest piece that Telegram takes whole; one unit fits always."""
    length = 0
    entities: set[Mark] = set()
    for place in range(start, len(units)):
        length += _length(units[place])
        entities.update(units[place][0].marks)
        if place > start and (length > limit or len(entities) > MAX_ENTITIES):
            return place
    return len(units)


def _best_end(units: Sequence[Sequence[Atom]], start: int, full: int) -> int:
    """Find the last place of the best kind in the later half of a piece; where that has none at all, in the earlier half."""
    middle = (start + full) // 2
    for first, last in ((middle, full), (start, middle)):
        best, best_rank = 0, 0
        for end in range(last, first, -1):
            rank = _rank(units, end)
            if rank > best_rank:
                best, best_rank = end, rank
            if rank == _PARAGRAPH:
                break
        if best:
            return best
    return full


def _rank(units: Sequence[Sequence[Atom]], end: int) -> int:
    """How good it is to end a piece before the unit `end`."""
    before, after = units[end - 1][-1].shown, units[end][0].shown
    if before == "\n":
        return _PARAGRAPH if end >= 2 and units[end - 2][-1].shown == "\n" and after != "\n" else _LINE
    if after in "\r\n":
        return _LINE
    return _WORD if _is_space(before) or _is_space(after) else 0


def _is_space(sign: str) -> bool:
    return sign.isspace() and sign not in _NO_BREAK
