"""When a job is due: rules as JSON, and the next time that follows from them. Pure: the time comes in as an argument."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, TypeAlias

from syncbot.bounds import wrong_number
from syncbot.runtime.jobs.crontab import check_crontab, next_cron
from syncbot.storage.codec import LAST_TIME
from syncbot.storage.promises.jobs import JobEntry, Missed
from syncbot.storage.promises.store import PLAUSIBLE_TIME

Rule: TypeAlias = Mapping[str, Any]
"""{"at": time}, {"every": seconds}, {"later": seconds}, {"daily": "09:00", "tz": zone} or {"cron": "* * * * *", "tz": zone}."""

LATE_SECONDS = 300.0
"""A time that passed longer ago is missed, for who wants no run for those."""
_LONGEST_DAY_SECONDS = 26 * 3600.0
_SOON_SECONDS = 600.0
_SHORTEST_SECONDS = 0.001
_LONGEST_SECONDS = 1e9
"""Some thirty years."""


class _MachineZone(tzinfo):
    """The machine's zone, with its changes of daylight-saving time, by the C library's rules."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        assert when is not None
        return when.replace(tzinfo=None).astimezone().utcoffset() or timedelta(0)

    def dst(self, when: datetime | None) -> None:
        return None

    def tzname(self, when: datetime | None) -> None:
        return None

    def fromutc(self, when: datetime) -> datetime:
        there = when.replace(tzinfo=UTC).astimezone()
        here = there.replace(tzinfo=self)
        return here if here.utcoffset() == there.utcoffset() else here.replace(fold=1)  # the hour comes twice, and this is the second one


def at_rule(when: float | datetime | timedelta, now: float) -> Rule:
    """Once, at a time.

    Args:
        when: seconds since 1970, a time (without a zone in the machine's), or a span from now.
        now: the time now.

    Raises:
        ValueError: it is no time.
    """
    if isinstance(when, timedelta):
        when = now + when.total_seconds()
    elif isinstance(when, datetime):
        when = when.timestamp()
    if problem := wrong_number(when, least=0, most=LAST_TIME):
        raise ValueError(f"at: {problem}; give a datetime, a timedelta from now, or seconds since 1970")
    return {"at": float(when)}


def seconds_rule(word: str, seconds: float) -> Rule:
    """Again and again ("every"), or once ("later"), so many seconds later.

    Raises:
        ValueError: they are none.
    """
    if problem := wrong_number(seconds, least=_SHORTEST_SECONDS, most=_LONGEST_SECONDS):
        raise ValueError(f"{word}: {problem}; give seconds, for example app.{word}(60)")
    return {word: float(seconds)}


def daily_rule(time: str, zone: str | tzinfo | None) -> Rule:
    """Once a day, at "09:00" or "09:00:30".

    Raises:
        ValueError: there is no such time or zone.
    """
    _time_of_day(time)
    return {"daily": time, "tz": _zone_name(zone)}


def cron_rule(times: str, zone: str | tzinfo | None) -> Rule:
    """At the times of a crontab.

    Raises:
        ValueError: they are none, or there is no such zone.
    """
    check_crontab(times)
    return {"cron": times, "tz": _zone_name(zone)}


def next_time(rule: Rule, after: float) -> float | None:
    """The first time of a rule after another one; None where there is no more. For "at" see `first_time`.

    Raises:
        ValueError: the rule is none.
    """
    if "every" in rule:
        return after + _every(rule)
    try:
        if "cron" in rule:
            return _stamp(next_cron(rule["cron"], datetime.fromtimestamp(after, _zone(rule["tz"]))))
        if "daily" in rule:
            hour, minute, second = _time_of_day(rule["daily"])
            found = _stamp(next_cron(f"{minute} {hour} * * *", datetime.fromtimestamp(after - second, _zone(rule["tz"]))))
            return None if found is None else found + second
    except (OverflowError, OSError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"these are no times for a job: {dict(rule)} ({problem})") from None
    if "at" in rule or "later" in rule:
        return None
    raise ValueError(f"these are no times for a job: {dict(rule)}")


def first_time(rule: Rule, now: float) -> float:
    """When a job is due first that is put now.

    Raises:
        ValueError: never.
    """
    if "at" in rule:
        return float(rule["at"])
    if "later" in rule:
        return now + float(rule["later"])
    found = next_time(rule, now)
    if found is None:
        raise ValueError(f"these times of a job never come: {dict(rule)}")
    return found


def following(entry: JobEntry, now: float) -> float | None:
    """When a job that is due now is due next; None where this was its last time.

    Raises:
        ValueError: its rule is none.
    """
    due = entry.next_time
    if entry.missed == Missed.ALL:
        return next_time(entry.rule, due)
    if "every" in entry.rule:  # it keeps its beat
        seconds = _every(entry.rule)
        return due + seconds * (math.floor((now - due) / seconds) + 1)
    return next_time(entry.rule, max(now, due))


def longest_wait(rule: Rule, after: float) -> float:
    """Seconds from one time of a rule to the next at most, behind this one; endless where nobody can tell, or there is only one."""
    every = rule.get("every")
    if isinstance(every, float | int):
        return every + 1.0
    if "daily" in rule:  # without looking for them
        return _LONGEST_DAY_SECONDS
    try:
        first = next_time(rule, after)
        second = None if first is None else next_time(rule, first)
    except ValueError:  # another release has written it
        return math.inf
    return math.inf if second is None else second - after


def is_of_another_clock(entry: JobEntry, now: float) -> bool:
    """Whether a clock has put it that was ahead of this one, or one that was not set yet."""
    repeats, ahead = "at" not in entry.rule and "later" not in entry.rule, entry.next_time - now
    is_soon = "cron" in entry.rule and ahead < _SOON_SECONDS  # whose times are dear to find
    return (not is_soon and ahead > longest_wait(entry.rule, now)) or (repeats and 0.0 < entry.next_time <= PLAUSIBLE_TIME < now)


def is_passed_over(entry: JobEntry, now: float) -> bool:
    """Whether this time has been missed, and nobody wants it any more."""
    return entry.missed == Missed.NONE and now - entry.next_time > LATE_SECONDS


def shown(rule: Rule) -> str:
    """A rule in words, for people."""
    words = " ".join(f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}" for word, value in rule.items() if word not in ("tz", "at"))
    return "once" if "at" in rule else f"{words} {rule['tz']}" if rule.get("tz") else words


def _every(rule: Rule) -> float:
    """Seconds between two times.

    Raises:
        ValueError: they are none.
    """
    if problem := wrong_number(rule["every"], least=_SHORTEST_SECONDS, most=_LONGEST_SECONDS):
        raise ValueError(f"these are no times for a job: {dict(rule)} ({problem})")
    return float(rule["every"])


def _stamp(found: datetime | None) -> float | None:
    return None if found is None else found.timestamp()


def _zone_name(zone: str | tzinfo | None) -> str | None:
    """A zone as text, from which `_zone` makes it again.

    Raises:
        ValueError: it has no name.
    """
    if isinstance(zone, timezone):
        seconds = zone.utcoffset(None).total_seconds()
        name: object = "UTC" if seconds == 0 else f"{seconds:+.0f}"
    else:
        name = zone if zone is None or isinstance(zone, str) else getattr(zone, "key", None) or str(zone)
    if name is not None:
        _zone(name)
    return name  # type: ignore[return-value]  # a text from here on


def _zone(name: Any) -> tzinfo:
    if name is None:
        return _MachineZone()
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # deferred: most bots have no job in another zone than the machine's

    try:
        return timezone(timedelta(seconds=int(name))) if name[0] in "+-" else ZoneInfo(name)
    except (ValueError, KeyError, OSError, TypeError, IndexError, OverflowError):
        raise ValueError(f"there is no time zone {name!r} here; give one such as 'Europe/Berlin' (where the system has no zones: pip install tzdata)") from None


def _time_of_day(text: str) -> tuple[int, int, int]:
    parts = text.split(":") if isinstance(text, str) else []  # datetime.time is near at hand
    if len(parts) in (2, 3) and all(part.isdecimal() and len(part) <= 2 for part in parts):
        hour, minute, second = (int(part) for part in (*parts, "0")[:3])
        if hour < 24 and minute < 60 and second < 60:
            return hour, minute, second
    raise ValueError(f'daily: {text!r} is no time of day; for example app.daily("09:00")')
