"""Changes to inputs: of bytes, of lines, and of trees of JSON."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Mutator = Callable[[bytes, random.Random, Sequence[bytes], Sequence[bytes]], bytes]
"""From an input, dice, the words of the target, and other inputs to a new input."""

_ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**40, 5_000_000_000_000, 1e300, float("inf"), float("nan")),
    *("", "0", "\0", "\ud800", "x" * 5000, "\x1b[2J\u202e", [], {}, [[]], {"id": 7}, [None] * 50),
]
_KEYS = ("chat", "from", "message", "update_id", "\0", "edited_message", "id", "date")
_SNIPPETS = [
    *(b"\xff", b"\x00", b"\r\n", b"\n", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"Infinity", b"1e999", b'"', b"'", b"\\", b"\\u", b"\\ud800"),
    *(b"[" * 500, b"{" * 500, b"/*", b",", b"}", b":", b"=", b"#", b"$", b"%", b" ", b"-1", b"0", b"9" * 20, b"9" * 5000, b"\xc2\x85", b"\xe2\x80\xa8"),
]


def mutate_bytes(data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Change bytes."""
    if not data:
        return dice.choice([*words, *_SNIPPETS])
    place, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    changes: list[Callable[[], bytes]] = [
        lambda: data[:place],
        lambda: data[:place] + data[end:],
        lambda: data[:place] + data[place:end][:200] * dice.choice([2, 3, 30]) + data[end:],
        lambda: data[:place] + dice.choice(_SNIPPETS) + data[place:],
        lambda: data[:place] + dice.choice(words or _SNIPPETS) + data[place:],
        lambda: data[:place] + dice.choice(words or _SNIPPETS) + data[min(end, place + 20) :],
        lambda: data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :],
        lambda: data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :] if place < len(data) else data,
        lambda: data[:place] + dice.randbytes(dice.randrange(20)) + data[end:],
        lambda: data[:place] + _tail(dice.choice(others or [data]), dice),
        lambda: _other_number(data, dice),
    ]
    return dice.choice(changes)()


def _tail(data: bytes, dice: random.Random) -> bytes:
    return data[dice.randrange(len(data) + 1) :]


def _other_number(data: bytes, dice: random.Random) -> bytes:
    """Exchange one number in the text."""
    starts = [place for place in range(len(data)) if data[place : place + 1].isdigit() and not data[place - 1 : place].isdigit()]
    if not starts:
        return data
    start = dice.choice(starts)
    end = start
    while data[end : end + 1].isdigit():
        end += 1
    value = int(data[start : min(end, start + 18)])
    number = dice.choice([0, 1, -1, value + 1, value - 1, value * 2, 2**31, 2**32, 2**63, 10**20, 5_000_000_000_000, 255, 256, 127, 128, 65535])
    return data[:start] + str(number).encode() + data[end:]


def mutate_lines(data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes], separator: bytes = b"\n") -> bytes:
    """Change lines, or what is separated by something else."""
    lines = data.split(separator)
    place = dice.randrange(len(lines))
    change = dice.random()
    if change < 0.15 and len(lines) > 1:
        del lines[place]
    elif change < 0.3:
        lines.insert(place, dice.choice([*words, lines[place]]))
    elif change < 0.4:
        lines[place] = dice.choice([*words, b""])
    elif change < 0.5:
        other = dice.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif change < 0.65 and others:
        lines.insert(place, dice.choice(dice.choice(others).split(separator)))
    else:
        lines[place] = mutate_bytes(lines[place], dice, words, ())
    return separator.join(lines)


def mutate_fields(data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Change the fields of a form."""
    return mutate_lines(data, dice, words, others, b"&")


def mutate_json(data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Change one place in a tree of JSON; what stands before it is kept. Where there is none, one of another input is taken, mostly."""
    before, value = _tree(data)
    if not isinstance(value, dict | list):
        if not others or dice.random() < 0.2:
            return mutate_bytes(data, dice, words, others)
        before, value = _tree(dice.choice(others))
    if not isinstance(value, dict | list):
        return before
    names = [*_KEYS, *(word.decode("utf-8", "replace") for word in words)]
    if others and dice.random() < 0.25:
        _graft(value, _tree(dice.choice(others))[1], dice)
    else:
        _change_tree(value, dice, lambda: _some_value(dice, words, others), names)
    try:
        return before + json.dumps(value, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    except RecursionError:
        return data


def _tree(data: bytes) -> tuple[bytes, Any]:
    """What stands before the tree, and the tree; None where there is none."""
    start = next((place for place in range(min(len(data), 400)) if data[place : place + 1] in (b"{", b"[")), 0)
    try:
        return data[:start], json.loads(data[start:])
    except (ValueError, RecursionError):
        return data, None


def _some_value(dice: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> Any:
    """A value that is odd, one that means something, or a branch of another input's tree."""
    kind = dice.random()
    if kind < 0.35 or not words:
        return copy.deepcopy(dice.choice(_ODD_VALUES))
    if kind < 0.7 or not others:
        return _value(dice.choice(words))
    branch = _tree(dice.choice(others))[1]
    while isinstance(branch, dict | list) and branch and dice.random() < 0.75:
        branch = dice.choice(list(branch.values()) if isinstance(branch, dict) else branch)
    return branch


def _change_tree(value: Any, dice: random.Random, some: Callable[[], Any], names: Sequence[str]) -> None:
    """Change one place, each as likely as the others."""
    places = list(_places(value))
    inner, key = dice.choice(places) if places else (value, None)
    change = dice.random()
    if key is None or change < 0.3:
        target = inner[key] if key is not None and isinstance(inner[key], dict | list) else inner
        _add(target, dice.choice(names), dice, some())
    elif change < 0.6:
        inner[key] = some()
    elif change < 0.8:
        del inner[key]
    else:
        _add(inner, dice.choice(names), dice, copy.deepcopy(inner[key]))


def _graft(value: Any, other: Any, dice: random.Random) -> None:
    """Take over a branch of another tree, under the name that it has there."""
    sources = [(inner, key) for inner, key in _places(other) if isinstance(inner, dict)] if isinstance(other, dict | list) else []
    targets = [value, *(inner[key] for inner, key in _places(value) if isinstance(inner[key], dict))]
    if sources:
        inner, key = dice.choice(sources)
        _add(dice.choice(targets), key, dice, copy.deepcopy(inner[key]))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree: a container, and a key of it."""
    left = [value]
    while left:
        inner = left.pop()
        for key in list(inner) if isinstance(inner, dict) else range(len(inner)):
            yield inner, key
            if isinstance(inner[key], dict | list):
                left.append(inner[key])


def _add(value: Any, name: str, dice: random.Random, new: Any) -> None:
    if isinstance(value, dict):
        value[name] = new
    else:
        value.insert(dice.randrange(len(value) + 1), new)


def mutate_message(data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Change the head of an HTTP message by lines, or its body as JSON; its length is then mostly made right."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end or dice.random() < 0.4:
        return mutate_lines(head, dice, words, others) + end + body
    body = mutate_json(body, dice, words, [other.partition(b"\r\n\r\n")[2] for other in dice.sample(others, min(3, len(others)))])
    if dice.random() < 0.8:
        head = re.sub(rb"(?i)(content-length: *)[0-9]+", lambda found: found[1] + str(len(body)).encode(), head)
    return head + end + body


def _value(word: bytes) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word.decode("utf-8", "replace")


def mutate(shape: Mutator, data: bytes, dice: random.Random, words: Sequence[bytes], others: Sequence[bytes], longest: int) -> bytes:
    """One to four changes, mostly all of the target's own shape: a single changed byte makes most trees of JSON none."""
    change = shape if dice.random() < 0.7 else mutate_bytes
    for _ in range(dice.choice([1, 1, 2, 4])):
        data = change(data, dice, words, others)
    return data[:longest]
