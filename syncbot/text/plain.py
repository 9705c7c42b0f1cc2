"""Plain text, read and written for the split."""

from __future__ import annotations

from collections.abc import Sequence

from syncbot.text.atoms import Atom


def read_plain(text: str) -> list[Atom]:
    """Take a text apart."""
    known: dict[str, Atom] = {}
    return [known.get(sign) or known.setdefault(sign, Atom(sign, sign)) for sign in text]


def write_plain(atoms: Sequence[Atom]) -> str:
    """Put a text together."""
    return "".join(atom.source for atom in atoms)
