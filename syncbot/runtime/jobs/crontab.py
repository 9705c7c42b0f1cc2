"""Times as cron writes them, by cronsim, which reads them as Debian's cron does, changes of daylight-saving time included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<first>\w+)-(?P<last>\w+)(/(?P<step>[1-9]\d*))?")


def check_crontab(text: str) -> None:
    """Refuse what is no time in cron's form.

    Raises:
        ValueError: it is none, or one that never comes.
    """
    if next_cron(text, datetime(2000, 1, 1)) is None:
        raise ValueError(f"{text!r} never comes")


def next_cron(text: str, after: datetime) -> datetime | None:
    """The first time after another one; None where there is none within 50 years.

    A time that daylight-saving time skips comes right after the gap; one that comes twice is its first one, unless the hours are those of "*".

    Args:
        text: "minute hour day month weekday".
        after: with its zone.

    Raises:
        ValueError: it is no time in cron's form.
    """
    from cronsim import CronSim, CronSimError  # deferred: most bots have no such times

    fields = text.split() if isinstance(text, str) else []
    if len(fields) != 5:
        raise ValueError(f"{text!r} is no time in cron's form, which has five fields: minute hour day month weekday, for example '*/5 * * * *'")
    weekdays = ",".join(_unrolled(part) for part in fields[4].lower().split(","))
    try:
        # In the second of two hours that are alike cronsim gives times of the first one.
        return next((found for found in CronSim(" ".join((*fields[:4], weekdays)), after) if found.timestamp() > after.timestamp()), None)
    except CronSimError as problem:
        raise ValueError(f"{text!r} is no time in cron's form ({problem}); for example '*/5 * * * *'") from None


def _unrolled(part: str) -> str:
    """A range of weekdays that goes round the week's end ("fri-mon"), which cron does not know, as a list; all else as it is."""
    matched = _PART.fullmatch(part)
    if matched is None or not (matched["first"] in _DAYS and matched["last"] in _DAYS):
        return part
    return ",".join(_numbers(_DAYS.index(matched["first"]), _DAYS.index(matched["last"]), int(matched["step"] or 1)))


def _numbers(first: int, last: int, step: int) -> Iterator[str]:
    return (str(number % 7) for number in range(first, last + 1 if last >= first else last + 8, step))
