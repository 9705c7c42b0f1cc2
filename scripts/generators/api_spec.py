"""The Bot API as data, read from JSON or from the official documentation in Markdown.

Telegram serves its documentation as Markdown too: https://core.telegram.org/bots/api.md, and a file for each method and type below that address.
A heading of one word is a method (sendMessage) or a type (Message); below it stand what it is, and a table of its parameters or fields, or a list of
the types that it may be. Anything else is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import urlopen

MOST_PAGES = 2_000
MOST_BYTES = 20_000_000
_SECONDS = 30.0
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_VERSION = re.compile(r"\bBot API (\d+)\.(\d+)\b")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
_RENAMED = {"Int": "Integer", "Float number": "Float", "True": "Boolean", "False": "Boolean", "Bool": "Boolean"}
_PLAIN = {"Integer", "String", "Boolean", "Float"}


class SpecError(Exception):
    """What was given cannot be read as the Bot API; the text says why."""


def fetch(address: str) -> str:
    """Get a page."""
    with urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310  # http and https alone come here
        return str(answer.read(MOST_BYTES).decode("utf-8"))


def load(source: str, fetch: Callable[[str], str] = fetch) -> dict[str, Any]:
    """Read the Bot API.

    Args:
        source: a JSON file; a Markdown file, or a folder of such; or the URL of a page in Markdown, whose links to pages below its own address are
            followed.
        fetch: gets a page.

    Returns:
        {"version": "Bot API 10.3", "methods": {name: {"returns": […], "fields": […]}}, "types": {name: {"fields": […]} or {"subtypes": […]}}}; a field
        is {"name", "types", "required", "description"}.

    Raises:
        SpecError: there is no such thing, or it is not the Bot API.
    """
    try:
        if source.startswith(("http://", "https://")):
            return read_markdown(_pages(source, fetch))
        path = Path(source)
        if path.suffix == ".json":
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
        files = sorted(path.rglob("*.md")) if path.is_dir() else [path]
        return read_markdown(file.read_text(encoding="utf-8") for file in files)
    except (OSError, ValueError) as problem:
        raise SpecError(f"{source} cannot be read: {problem}") from None


def _pages(start: str, fetch: Callable[[str], str]) -> Iterator[str]:
    """A page and those below it that it leads to, each once."""
    below = start.removesuffix(".md").rstrip("/") + "/"
    seen = waiting = dict.fromkeys([start])
    while waiting:
        found: dict[str, None] = {}
        for address in waiting:
            yield (text := fetch(address))
            links = [urldefrag(urljoin(address, link)).url for _, link in _LINK.findall(text)]
            found |= dict.fromkeys(link for link in links if link.startswith(below) and urlsplit(link).path.endswith(".md") and link not in seen)
        seen = seen | found
        waiting = found
        if len(seen) > MOST_PAGES:
            raise SpecError(f"{start} leads to more than {MOST_PAGES} pages")


def read_markdown(pages: Iterable[str]) -> dict[str, Any]:
    """Read the documentation.

    Raises:
        SpecError: no page says which version it is, or there is no method.
    """
    sections: dict[str, list[str]] = {}
    versions: set[tuple[int, int]] = set()
    for page in pages:
        versions |= {(int(major), int(minor)) for major, minor in _VERSION.findall(page)}
        for name, lines in _sections(page):
            if name not in sections or any("|" in line for line in lines):  # an index names what another page describes
                sections[name] = lines
    types = {name: _type(lines) for name, lines in sections.items() if name[0].isupper()}
    methods = {name: _method(lines, types) for name, lines in sections.items() if name[0].islower()}
    if not methods:
        raise SpecError("there is no method in it: a heading of one word, as in the official documentation in Markdown")
    if not versions:
        raise SpecError('it does not say which version it is: "Bot API 10.3" or the like stands nowhere')
    # A heading of a chapter ("Payments") has no fields, and nothing is of such a type.
    named = _named(methods, types)
    types = {name: facts for name, facts in types.items() if facts.get("fields") or name in named}
    return {"version": "Bot API {}.{}".format(*max(versions)), "methods": methods, "types": types}


def _named(methods: Mapping[str, Any], types: Mapping[str, Any]) -> set[str]:
    """The types that something is of."""
    named = [kind for facts in methods.values() for kind in facts["returns"]]
    named += [kind for facts in (*methods.values(), *types.values()) for field in facts.get("fields", ()) for kind in field["types"]]
    named += [form for facts in types.values() for form in facts.get("subtypes", ())]
    return {kind.replace("Array of ", "") for kind in named}


def _sections(page: str) -> Iterator[tuple[str, list[str]]]:
    """The headings of one word, each with the lines below it."""
    name, lines = "", list[str]()
    for line in [*page.splitlines(), "# end of page"]:
        if heading := _HEADING.match(line):
            if name:
                yield name, lines
            words = plain(heading[1])
            name, lines = (words if re.fullmatch(r"[A-Za-z]\w+", words) else ""), []
        else:
            lines.append(line)


def plain(text: str) -> str:
    """A text without its markup: links, code, emphasis and escapes."""
    text = _LINK.sub(r"\1", text).replace("`", "")
    text = re.sub(r"(?<![\w\\])(\*\*|\*|__|_)(?=\S)(.+?)(?<=\S)(?<!\\)\1(?!\w)", r"\2", text)
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text).strip()


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """The rows of the tables, the heads among them."""
    for line in lines:
        if line.lstrip().startswith("|"):
            cells = [plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                yield cells


def _fields(lines: Iterable[str]) -> list[dict[str, Any]]:
    """What the table of parameters or fields says."""
    found: list[dict[str, Any]] = []
    columns: list[str] = []
    for cells in _rows(lines):
        if cells[0].lower() in ("parameter", "parameters", "field"):
            columns = [cell.lower() for cell in cells]
        elif columns and len(cells) >= len(columns):
            row = dict(zip(columns, [*cells[: len(columns) - 1], " | ".join(cells[len(columns) - 1 :])], strict=True))
            description = row["description"]
            required = row["required"].lower() == "yes" if "required" in row else not description.startswith("Optional")
            found.append({"name": cells[0], "types": _types(row["type"]), "required": required, "description": description})
    return found


def _types(text: str) -> list[str]:
    """ "Integer or String", "Array of A, B and C" """
    arrays = "Array of " * len(re.findall(r"array of", text, re.IGNORECASE))
    words = re.split(r",\s*(?:or\s+|and\s+)?|\s+or\s+|\s+and\s+", re.sub(r"array of\s+", "", text, flags=re.IGNORECASE).strip())
    return list(dict.fromkeys(arrays + _RENAMED.get(word, word) for word in words))


def _type(lines: list[str]) -> dict[str, Any]:
    forms = [plain(found[1]) for line in lines if (found := re.match(r"\s*[-*+]\s+(.+)$", line))]
    forms = [form for form in forms if re.fullmatch(r"[A-Z]\w+", form)]
    fields = _fields(lines)
    return {"fields": fields} if fields or not forms else {"subtypes": forms}


def _method(lines: list[str], types: Mapping[str, Any]) -> dict[str, Any]:
    return {"returns": returns(" ".join(plain(line) for line in lines if not line.lstrip().startswith("|")), types), "fields": _fields(lines)}


def returns(description: str, types: Mapping[str, Any]) -> list[str]:
    """What the sentences about what a method returns name: types of the documentation, and plain values."""
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!])\s+", description):
        if not re.search(r"\breturn", sentence, re.IGNORECASE):
            continue
        for array, word in re.findall(r"\b([Aa]rray of )?([A-Z]\w*)", sentence):
            kind = _RENAMED.get(word, word)
            if kind in types or kind in _PLAIN:
                found.append(("Array of " if array else "") + kind)
    return list(dict.fromkeys(found))
