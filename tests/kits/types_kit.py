"""Objects of the types that Telegram hands out, every field of them set, made from what the stub of `syncbot.plain` says of each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import telegram

from syncbot import plain
from syncbot.plain.objects import Object, attribute_of
from syncbot.types import JSON

STUB = Path(plain.__file__).with_suffix(".pyi")
FORMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("BackgroundFill", "type"): ("gradient", "solid", "freeform_gradient"),
    ("BackgroundType", "type"): ("wallpaper", "fill", "pattern", "chat_theme"),
    ("ChatBoostSource", "source"): ("giveaway", "premium", "gift_code"),
    ("ChatMember", "status"): ("administrator", "creator", "member", "restricted", "left", "kicked"),
    ("Chat", "type"): ("supergroup",),
    ("MessageOrigin", "type"): ("channel", "user", "hidden_user", "chat"),
    ("PaidMedia", "type"): ("video", "photo", "live_photo", "preview"),
    ("Poll", "type"): ("quiz",),
    ("ReactionType", "type"): ("custom_emoji", "emoji", "paid"),
    ("RichBlock", "type"): ("list", "paragraph", "table", "buttons", "document", "map", "block_quotation"),
    ("RichText", "type"): ("button", "bold", "url"),
}
"""What tells the forms of a type apart; the first is taken where it does not matter."""


@cache
def types() -> Mapping[str, Mapping[str, str]]:
    """The fields of each type by the Bot API's names, each with its annotation."""
    classes = [node for node in ast.parse(STUB.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_fields(node)) for node in classes if any(isinstance(base, ast.Name) and base.id == "Object" for base in node.bases)}


def _fields(node: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for row in node.body:
        if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name):
            name = row.target.id
            field = "from" if name == "from_user" else name.removesuffix("_")
            if attribute_of(field) == name and not name.startswith(("effective_", "is_accessible")):
                yield field, ast.unparse(row.annotation).removeprefix("Final[").removesuffix("]")


def all_forms() -> Iterable[Mapping[tuple[str, str], str]]:
    """One choice of forms after the other, so that each form of every type is met."""
    yield from ({key: forms[number % len(forms)] for key, forms in FORMS.items()} for number in range(max(map(len, FORMS.values()))))


def full_updates(every: bool) -> Iterable[tuple[str, JSON]]:
    """Updates of every kind with every field set, without their ids: the kind, and what it holds.

    Kinds that hold the same type, as most hold a message, have each form each, or take turns at the forms.
    """
    kinds = {kind: annotation for kind, annotation in types()["Update"].items() if kind != "update_id"}
    for number, forms in enumerate(all_forms()):
        for kind, annotation in kinds.items():
            alike = [other for other in kinds if kinds[other] == annotation]
            if every or alike[number % len(alike)] == kind:
                yield kind, full(annotation.removesuffix(" | None"), forms, ("Update",))


def full(kind: str, forms: Mapping[tuple[str, str], str], path: tuple[str, ...] = ()) -> JSON:
    """An object with every field set; only what would stand in itself without an end is left out where it is met again."""
    made = {}
    for field, annotation in types()[kind].items():
        value = _value(kind, field, annotation, forms, (*path, kind))
        if value is not None:
            made[field] = value
    return made


def _value(kind: str, field: str, annotation: str, forms: Mapping[tuple[str, str], str], path: tuple[str, ...]) -> object:
    if (kind, field) in forms:
        return forms[kind, field]
    depth = annotation.count("list[")
    words = [word for word in _words(annotation) if word in types()]
    if words:
        fresh = [word for word in words if word not in path]
        if not fresh:
            return "rich" if "str" in annotation.split(" | ") else None
        value: object = full(fresh[0], forms, path)
    else:
        value = _scalar(field, annotation)
    for _ in range(depth if not ("str" in annotation.split(" | ") and words) else 0):
        value = [value]
    return value


@cache
def _words(annotation: str) -> Sequence[str]:
    return tuple(re.findall(r"\w+", annotation))


def _scalar(field: str, annotation: str) -> object:
    if "int" in _words(annotation):
        return 1_700_000_000 if field.endswith("date") else 7
    if "float" in annotation:
        return 1.5
    if "bool" in annotation:
        return True
    return "text"


def back(value: Any) -> Any:
    """What python-telegram-bot's objects say of themselves, as the JSON that they came from."""
    if isinstance(value, telegram.TelegramObject):
        return back(value.to_dict())
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Mapping):
        return {key: back(part) for key, part in value.items()}
    return [back(part) for part in value] if isinstance(value, list | tuple) else value


def through_attributes(value: Any) -> Any:
    """What a plain object says when each of its attributes is asked for, as JSON."""
    if isinstance(value, list):
        return [through_attributes(part) for part in value]
    if not isinstance(value, Object):
        return value
    names = [name for each in type(value).__mro__ for name, part in vars(each).items() if isinstance(part, property)]
    names = [name for name in names if not name.startswith(("effective_", "is_accessible"))]
    fields = {("from" if name == "from_user" else name.removesuffix("_")): getattr(value, name) for name in names}
    return {field: through_attributes(part) for field, part in fields.items() if part is not None}
