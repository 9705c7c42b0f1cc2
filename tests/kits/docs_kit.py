"""The guides, taken apart: code blocks, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Args:
        guide: the file.
        line: where its text begins.
        language: what stands behind the fence.
        text: the code.
    """

    guide: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.guide.name}-{self.line}"


def blocks(*languages: str) -> list[Block]:
    """The blocks of all guides in these languages."""
    return [block for guide in GUIDES for block in _blocks(guide) if block.language in languages]


def _blocks(guide: Path) -> Iterator[Block]:
    text = guide.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(guide, text[: found.start(2)].count("\n") + 1, found[1], found[2])


def without_code(text: str) -> str:
    """A guide without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(guide: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(guide.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
