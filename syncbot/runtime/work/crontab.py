"""Times as cron writes them, read as cron reads them: 0 and 7 are Sunday, and a day of the month and a day of the week are alternatives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<all>\*)|(?P<first>\w+)(-(?P<last>\w+))?")


def crontab_trigger(text: str, zone: str | tzinfo | None) -> Any:
    """A trigger of APScheduler, whose own reading of a crontab begins the week on Monday and wants both days at once.

    Args:
        text: "minute hour day month weekday".
        zone: the time zone; None for the machine's.

    Raises:
        ValueError: it is none.
        ImportError: APScheduler is not there.
    """
    from apscheduler.triggers.combining import OrTrigger  # deferred: an extra
    from apscheduler.triggers.cron import CronTrigger

    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} is no time in cron's form, which has five fields: minute hour day month weekday, for example '*/5 * * * *'")
    minute, hour, day, month, weekday = fields
    days = _weekdays(weekday)
    common = {"minute": minute, "hour": hour, "month": month, "timezone": zone}
    if days is None:
        return CronTrigger(day=day, **common)
    if day.startswith("*"):
        return CronTrigger(day=day, day_of_week=days, **common)
    return OrTrigger([CronTrigger(day=day, **common), CronTrigger(day_of_week=days, **common)])


def _weekdays(field: str) -> str | None:
    """The days of a field as a list of names; None for every day."""
    if field == "*":
        return None
    found = {number % 7 for part in field.split(",") for number in _numbers(part)}
    return ",".join(_DAYS[number] for number in sorted(found))


def _numbers(part: str) -> Iterator[int]:
    """The numbers of one part of a list: "1", "mon", "1-5", "fri-sun", "*/2"."""
    base, _, step = part.partition("/")
    matched = _PART.fullmatch(base)
    if matched is None or (step and not step.isdecimal()) or step == "0":
        raise ValueError(f"{part!r} is no day of the week; there are 0 to 7, sun to sat, ranges, and steps such as */2")
    first = 0 if matched["all"] else _number(matched["first"])
    last = 6 if matched["all"] else _number(matched["last"]) if matched["last"] else 6 if step else first
    if last < first:
        last += 7  # fri-sun
    return iter(range(first, last + 1, int(step or 1)))


def _number(day: str) -> int:
    if day.isdecimal() and int(day) <= 7:
        return int(day)
    if day.lower() in _DAYS:
        return _DAYS.index(day.lower())
    raise ValueError(f"{day!r} is no day of the week; there are 0 to 7 (0 and 7 are Sunday), and sun to sat")
