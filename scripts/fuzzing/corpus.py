"""Inputs as lines of JSON: text where they are text, hexadecimal where they are not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "tests" / "fuzz" / "corpus"
"""One file for each target, replayed by the tests."""


def read(path: Path) -> dict[bytes, str]:
    """The inputs of a file, each with what it once found ("" for most); empty where there is no file."""
    if not path.exists():
        return {}
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {_bytes(entry): entry.get("found", "") for entry in entries}


def write(path: Path, inputs: dict[bytes, str]) -> None:
    """Write inputs, those that found something first, the short ones before the long ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(inputs, key=lambda data: (not inputs[data], len(data), data))
    path.write_text("".join(line(data, inputs[data]) for data in ordered), "utf-8")


def line(data: bytes, found: str = "") -> str:
    """One line."""
    text = data.decode("ascii", "replace")
    entry = {"text": text} if data.isascii() and all(c.isprintable() or c in "\r\n\t" for c in text) else {"hex": data.hex()}
    return json.dumps(entry | ({"found": found} if found else {})) + "\n"


def _bytes(entry: dict[str, str]) -> bytes:
    return bytes.fromhex(entry["hex"]) if "hex" in entry else entry["text"].encode()


def from_folder(folder: Path) -> Iterable[bytes]:
    """The inputs that libFuzzer left in a folder, one file each."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]
