"""The fields of a crontab in APScheduler's words: "*", "*/5", "8-18", "8-18/2", "mon-fri", "1,15", and for days "last", "2nd fri", "last sun"."""

from __future__ import annotations

import calendar
import datetime as dtm
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d*))?")
_DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_MONTHS = {name.lower(): number for number, name in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1)}
_PLACES = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": 0}


@dataclass(frozen=True)
class Field:
    """What a field holds: numbers, and days that are told in another way, as (place, weekday); (0, None) is the last day of a month."""

    values: tuple[int, ...]
    of: Callable[[dtm.date], int] | None
    days: tuple[tuple[int, int | None], ...] = ()

    def holds_on(self, day: dtm.date) -> bool:
        """Whether it holds on a day; those of a time always do."""
        if self.of is None or self.of(day) in self.values:
            return True
        return any(_is_placed(day, place, weekday) for place, weekday in self.days)


@dataclass(frozen=True)
class FieldKind:
    """A field by its numbers, and by the names that some have."""

    least: int
    most: int
    of: Callable[[dtm.date], int] | None = None
    names: Mapping[str, int] = field(default_factory=dict)
    has_places: bool = False

    def read(self, text: str) -> Field:
        """A field out of its text.

        Raises:
            ValueError: it cannot be read.
        """
        values: set[int] = set()
        days = []
        for part in (part.strip().lower() for part in text.split(",")):
            if self.has_places and (placed := _placed(part)) is not None:
                days.append(placed)
            else:
                values.update(self._numbers(part, text))
        return Field(tuple(sorted(values)), self.of, tuple(days))

    def _numbers(self, part: str, text: str) -> Iterator[int]:
        matched = _PART.fullmatch(part)
        if matched is None:
            raise ValueError(f"{text!r} is no field of a crontab; for example '*', '*/5', '8-18' or '1,15'")
        least = self.least if matched["first"] is None else self._number(matched["first"], text)
        alone = matched["first"] is not None and matched["last"] is None and matched["step"] is None
        most = least if alone else self.most if matched["last"] is None else self._number(matched["last"], text)
        if least > most:
            raise ValueError(f"{text!r} begins after its end")
        return iter(range(least, most + 1, int(matched["step"] or 1)))

    def _number(self, word: str, text: str) -> int:
        number = self.names.get(word, int(word) if word.isdecimal() else -1)
        if not self.least <= number <= self.most:
            raise ValueError(f"{text!r}: {word} is not between {self.least} and {self.most}")
        return number


FIELDS: Mapping[str, FieldKind] = {
    "year": FieldKind(1970, 9999, lambda day: day.year),
    "month": FieldKind(1, 12, lambda day: day.month, _MONTHS),
    "day": FieldKind(1, 31, lambda day: day.day, has_places=True),
    "week": FieldKind(1, 53, lambda day: day.isocalendar().week),
    "day_of_week": FieldKind(0, 6, dtm.date.weekday, _DAYS),
    "hour": FieldKind(0, 23),
    "minute": FieldKind(0, 59),
    "second": FieldKind(0, 59),
}


def _placed(part: str) -> tuple[int, int | None] | None:
    """ "last" and "2nd fri" as place and weekday."""
    if part == "last":
        return 0, None
    place, _, weekday = part.partition(" ")
    return (_PLACES[place], _DAYS[weekday.strip()]) if place in _PLACES and weekday.strip() in _DAYS else None


def _is_placed(day: dtm.date, place: int, weekday: int | None) -> bool:
    """Whether this is that weekday of its month, counted from its beginning; 0 counts from its end."""
    if weekday is not None and day.weekday() != weekday:
        return False
    left = calendar.monthrange(day.year, day.month)[1] - day.day
    if place == 0:
        return left == 0 if weekday is None else left < 7
    return (day.day - 1) // 7 + 1 == place
