"""Filters that read a message's text, its entities or its dice. Those that are there without a call narrow down when called: `Filters.text(["Yes", "No"])`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from syncbot.compat.ptb13.filters.base import MessageFilter


def _is_update(given: Any) -> bool:
    return hasattr(given, "effective_message")


class OneOfTexts(MessageFilter):
    """Messages whose text, or caption, is one of these."""

    def __init__(self, field: str, strings: Collection[str]) -> None:
        self.strings = strings
        self.name = f"Filters.{field}({strings})"
        self._field = field

    def filter(self, message: Any) -> bool:
        text = getattr(message, self._field, None)
        return bool(text) and text in self.strings


class HasText(MessageFilter):
    """Messages with a text, or a caption; called with texts, those with one of them."""

    def __init__(self, field: str) -> None:
        self.name = f"Filters.{field}"
        self._field = field

    def __call__(self, update: Any) -> Any:
        return self.filter(update.effective_message) if _is_update(update) else OneOfTexts(self._field, update)

    def filter(self, message: Any) -> bool:
        return bool(getattr(message, self._field, None))


class CommandAnywhere(MessageFilter):
    """Messages with a command somewhere."""

    def __init__(self, only_start: bool) -> None:
        self.only_start = only_start
        self.name = f"Filters.command({only_start})"

    def filter(self, message: Any) -> bool:
        return _has_entity(message, "entities", "bot_command")


class Command(MessageFilter):
    """Messages that begin with a command; `Filters.command(False)`: those with a command anywhere."""

    _name = "Filters.command"

    def __call__(self, update: Any) -> Any:
        return self.filter(update.effective_message) if _is_update(update) else CommandAnywhere(update)

    def filter(self, message: Any) -> bool:
        first = next(iter(getattr(message, "entities", None) or ()), None)
        return first is not None and first.type == "bot_command" and first.offset == 0


class _Regex(MessageFilter):
    """Messages in whose text the pattern is found; `context.matches` gets the match."""

    data_filter = True
    _field = "text"

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        self.pattern = re.compile(pattern)
        self.name = f"Filters.{type(self).__name__}({self.pattern})"

    def filter(self, message: Any) -> dict[str, list[Any]]:
        text = getattr(message, self._field, None)
        match = self.pattern.search(text) if text else None
        return {"matches": [match]} if match else {}


class regex(_Regex):  # named as its users call it
    """Messages in whose text the pattern is found."""


class caption_regex(_Regex):  # as above
    """Messages in whose caption the pattern is found."""

    _field = "caption"


class _Entity(MessageFilter):
    _field = "entities"

    def __init__(self, entity_type: str) -> None:
        self.entity_type = entity_type
        self.name = f"Filters.{type(self).__name__}({entity_type})"

    def filter(self, message: Any) -> bool:
        return _has_entity(message, self._field, self.entity_type)


class entity(_Entity):  # as above
    """Messages whose text has an entity of this type."""


class caption_entity(_Entity):  # as above
    """Messages whose caption has an entity of this type."""

    _field = "caption_entities"


class language(MessageFilter):  # as above
    """Messages from users whose language code begins with one of these; not every user has one."""

    def __init__(self, lang: str | Sequence[str]) -> None:
        self.lang = [lang] if isinstance(lang, str) else lang
        self.name = f"Filters.language({self.lang})"

    def filter(self, message: Any) -> bool:
        code: Any = getattr(getattr(message, "from_user", None), "language_code", None)
        return bool(code) and any(code.startswith(each) for each in self.lang)


class DiceValues(MessageFilter):
    """Dice that show one of these values, with this emoji or with any."""

    def __init__(self, values: int | Collection[int], name: str | None, emoji: str | None) -> None:
        self.values = [values] if isinstance(values, int) else values
        self.emoji = emoji
        self.name = f"{name}({values})"

    def filter(self, message: Any) -> bool:
        dice: Any = getattr(message, "dice", None)
        return bool(dice) and dice.value in self.values and self.emoji in (None, dice.emoji)


class DiceEmoji(MessageFilter):
    """Dice with this emoji, or with any; called with one value or several, those that show one of them."""

    def __init__(self, emoji: str | None = None, name: str | None = None) -> None:
        self.name = f"Filters.dice.{name}" if name else "Filters.dice"
        self.emoji = emoji

    def __call__(self, update: Any) -> Any:
        return self.filter(update.effective_message) if _is_update(update) else DiceValues(update, self.name, self.emoji)

    def filter(self, message: Any) -> bool:
        dice: Any = getattr(message, "dice", None)
        return bool(dice) and self.emoji in (None, dice.emoji)


class Dice(DiceEmoji):
    """Dice with any emoji; the single ones are its attributes."""

    dice = DiceEmoji("🎲", "dice")
    darts = DiceEmoji("🎯", "darts")
    basketball = DiceEmoji("🏀", "basketball")
    football = DiceEmoji("⚽")
    slot_machine = DiceEmoji("🎰")
    bowling = DiceEmoji("🎳", "bowling")


def _has_entity(message: Any, field: str, kind: str) -> bool:
    return any(each.type == kind for each in getattr(message, field, None) or ())
