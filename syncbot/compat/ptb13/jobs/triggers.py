"""When a job is due. A trigger has `get_next_fire_time(previous, now)`, as APScheduler's have, which may be given instead."""

from __future__ import annotations

import datetime as dtm
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from syncbot.compat.ptb13.jobs.fields import FIELDS, Field
from syncbot.compat.ptb13.utils.helpers import localize

_MOST_DAYS = 366 * 40
"""How far a date is looked for: February 29 on a given weekday comes every 28 years, and 40 where a century stands between."""
_SECOND = dtm.timedelta(seconds=1)


class Trigger(Protocol):
    """Tells the next time; `previous` is None at first, and all times have a zone."""

    def get_next_fire_time(self, previous_fire_time: dtm.datetime | None, now: dtm.datetime) -> dtm.datetime | None:
        """The next time; None where there is no more."""


@dataclass(frozen=True)
class Once:
    """One time."""

    at: dtm.datetime

    def get_next_fire_time(self, previous_fire_time: dtm.datetime | None, now: dtm.datetime) -> dtm.datetime | None:
        """The time, until it has come."""
        return self.at if previous_fire_time is None else None


@dataclass(frozen=True)
class Every:
    """Again and again, from a first time on; one that has passed gives the beat, and the next beat is the first."""

    interval: dtm.timedelta
    first: dtm.datetime
    last: dtm.datetime | None = None

    def get_next_fire_time(self, previous_fire_time: dtm.datetime | None, now: dtm.datetime) -> dtm.datetime | None:
        """The next beat that has not passed, after the previous one: a clock that is set from 1970 passes a thousand million of them."""
        if previous_fire_time is not None:
            at = previous_fire_time + self.interval * max(1, (now - previous_fire_time) // self.interval + 1)
        else:
            at = self.first + self.interval * max(0, math.ceil((now - self.first) / self.interval))
        return None if self.last is not None and at > self.last else at


@dataclass(frozen=True)
class Crontab:
    """At the times of which all fields hold, in a zone. A time that daylight-saving time skips comes as much later as it skips."""

    fields: Mapping[str, Field]
    zone: dtm.tzinfo
    first: dtm.datetime | None = None
    last: dtm.datetime | None = None

    def get_next_fire_time(self, previous_fire_time: dtm.datetime | None, now: dtm.datetime) -> dtm.datetime | None:
        """The first time after the previous one, which may have passed meanwhile; at first from now on."""
        begin = previous_fire_time + _SECOND if previous_fire_time else max(now, self.first or now)
        begin = begin.astimezone(self.zone)
        if begin.microsecond:
            begin = begin.replace(microsecond=0) + _SECOND
        at = next((at for at in self._times(begin) if at >= begin), None)
        return None if at is None or (self.last is not None and at > self.last) else at

    def _times(self, begin: dtm.datetime) -> Iterator[dtm.datetime]:
        start = begin.replace(tzinfo=None) - dtm.timedelta(hours=2)  # what daylight-saving time skips comes later than its name
        for number in range(_MOST_DAYS):
            day = start.date() + dtm.timedelta(days=number)
            if not all(self.fields[name].holds_on(day) for name in ("year", "month", "day", "week", "day_of_week")):
                continue
            for hour in self.fields["hour"].values:
                for minute in self.fields["minute"].values:
                    if dtm.datetime.combine(day, dtm.time(hour, minute, 59)) < start:
                        continue
                    for second in self.fields["second"].values:
                        yield localize(dtm.datetime.combine(day, dtm.time(hour, minute, second)), self.zone)


@dataclass(frozen=True)
class FirstOf:
    """Whatever of several comes first."""

    triggers: tuple[Trigger, ...]

    def get_next_fire_time(self, previous_fire_time: dtm.datetime | None, now: dtm.datetime) -> dtm.datetime | None:
        """The first time of any."""
        times = (trigger.get_next_fire_time(previous_fire_time, now) for trigger in self.triggers)
        return min((at for at in times if at is not None), default=None)


def crontab(zone: dtm.tzinfo, *, first: dtm.datetime | None = None, last: dtm.datetime | None = None, **given: Any) -> Crontab:
    """A crontab in APScheduler's words: of what is not given, what is finer than all that is given is its least, and the rest "*".

    Raises:
        ValueError: a field is none, or cannot be read.
    """
    if unknown := set(given) - set(FIELDS):
        raise ValueError(f"a crontab has no field {', '.join(sorted(unknown))}; there are {', '.join(FIELDS)}")
    names = list(FIELDS)
    finest = max((names.index(name) for name, text in given.items() if text is not None), default=-1)
    fields = {}
    for number, name in enumerate(names):
        text = given.get(name)
        if text is None:
            text = "*" if number < finest or name in ("year", "week", "day_of_week") else FIELDS[name].least
        fields[name] = FIELDS[name].read(str(text))
    return Crontab(fields, zone, first, last)
