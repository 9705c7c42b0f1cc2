"""When jobs of python-telegram-bot 13 are due: the times that follow from what a program says."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncbot.compat.ptb13.jobs.options import JobOptions, custom_trigger, own_options
from syncbot.compat.ptb13.jobs.triggers import Every, FirstOf, Once, Trigger, crontab

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 27, 12, 0, 30, 5, tzinfo=UTC)  # a Friday, two days before the clocks go forward


def times(trigger: Trigger, count: int, now: datetime = NOW) -> list[datetime]:
    """The first times of a trigger."""
    found: list[datetime] = []
    at = trigger.get_next_fire_time(None, now)
    while at is not None and len(found) < count:
        found.append(at)
        at = trigger.get_next_fire_time(at, at)
    return found


def texts(trigger: Trigger, count: int, now: datetime = NOW) -> list[str]:
    """The same for reading, in the trigger's zone."""
    return [at.strftime("%a %d.%m.%y %H:%M:%S") for at in times(trigger, count, now)]


def test_once_is_once() -> None:
    """One time, and none behind it."""
    assert times(Once(NOW), 2) == [NOW]


def test_a_beat_begins_at_its_first_time_and_ends_after_its_last() -> None:
    """A first time that has passed gives the beat; the next beat is the first."""
    second = timedelta(seconds=1)
    assert times(Every(10 * second, NOW + second), 3) == [NOW + second, NOW + 11 * second, NOW + 21 * second]
    assert times(Every(10 * second, NOW - 25 * second), 2) == [NOW + 5 * second, NOW + 15 * second]
    assert times(Every(10 * second, NOW, NOW + 15 * second), 5) == [NOW, NOW + 10 * second]
    assert times(Every(10 * second, NOW, NOW - second), 5) == []


def test_a_crontab_fills_in_what_is_not_given() -> None:
    """What is finer than all that is given is its least, the rest is every one."""
    assert texts(crontab(UTC, hour=9), 2) == ["Sat 28.03.26 09:00:00", "Sun 29.03.26 09:00:00"]
    assert texts(crontab(UTC, minute="*/30"), 3) == ["Fri 27.03.26 12:30:00", "Fri 27.03.26 13:00:00", "Fri 27.03.26 13:30:00"]
    assert texts(crontab(UTC, second="20,40"), 3) == ["Fri 27.03.26 12:00:40", "Fri 27.03.26 12:01:20", "Fri 27.03.26 12:01:40"]
    assert texts(crontab(UTC, month=5), 2) == ["Fri 01.05.26 00:00:00", "Sat 01.05.27 00:00:00"]
    assert texts(crontab(UTC, day_of_week="mon-fri", hour="8-10/2"), 3) == ["Mon 30.03.26 08:00:00", "Mon 30.03.26 10:00:00", "Tue 31.03.26 08:00:00"]
    assert texts(crontab(UTC, year=2028, month="feb", day=29), 2) == ["Tue 29.02.28 00:00:00"]
    assert texts(crontab(UTC, week=53), 1) == ["Mon 28.12.26 00:00:00"]


def test_a_crontab_knows_days_by_their_place() -> None:
    """The last one of a month, its second Friday, its last Sunday."""
    assert texts(crontab(UTC, day="last", hour=1), 2) == ["Tue 31.03.26 01:00:00", "Thu 30.04.26 01:00:00"]
    assert texts(crontab(UTC, day="2nd fri", hour=1), 2) == ["Fri 10.04.26 01:00:00", "Fri 08.05.26 01:00:00"]
    assert texts(crontab(UTC, day="last sun, 1", hour=1), 3) == ["Sun 29.03.26 01:00:00", "Wed 01.04.26 01:00:00", "Sun 26.04.26 01:00:00"]


def test_a_time_of_day_is_that_of_its_zone() -> None:
    """Also across the change of the clocks; a time that is skipped comes as much later as is skipped, once."""
    noon = times(crontab(BERLIN, hour=12), 4)
    assert [at.astimezone(UTC).hour for at in noon] == [11, 10, 10, 10]
    night = times(crontab(BERLIN, hour=2, minute=30), 3)
    assert [at.astimezone(UTC).strftime("%d %H:%M") for at in night] == ["28 01:30", "29 01:30", "30 00:30"]


class Pytz(tzinfo):
    """A zone that wants to be asked, as those of pytz do: until then it is off by minutes."""

    def __init__(self, minutes: int = 2 * 60 + 30) -> None:
        self._span = timedelta(minutes=minutes)

    def localize(self, moment: datetime) -> datetime:
        """A time in it."""
        return moment.replace(tzinfo=Pytz(180))

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return self._span

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:
        return "own"


def test_zones_of_pytz_are_asked() -> None:
    """Their offset is right only in what they have made themselves."""
    assert times(crontab(Pytz(), hour=9), 1)[0].astimezone(UTC).time() == time(6)


def test_an_end_is_an_end() -> None:
    """Nothing comes after it, and nothing before the beginning."""
    first, last = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 2, 23, tzinfo=UTC)
    assert texts(crontab(UTC, hour=9, first=first, last=last), 5) == ["Wed 01.04.26 09:00:00", "Thu 02.04.26 09:00:00"]


def test_a_date_that_never_comes_ends_the_search() -> None:
    """The thirtieth of February."""
    assert times(crontab(UTC, month=2, day=30), 1) == []


def test_the_first_of_several() -> None:
    """Each time of any, in order, and once where two fall together."""
    joined = FirstOf((crontab(UTC, hour=9), crontab(UTC, hour="9,21")))
    assert texts(joined, 3) == ["Fri 27.03.26 21:00:00", "Sat 28.03.26 09:00:00", "Sat 28.03.26 21:00:00"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"hour": "9-"}, "no field of a crontab"),
        ({"hour": 24}, "not between 0 and 23"),
        ({"day_of_week": "fri-mon"}, "begins after its end"),
        ({"day_of_week": "friday"}, "not between"),
        ({"hours": 3}, "no field hours"),
    ],
)
def test_what_cannot_be_read_is_said(given: dict[str, Any], wanted: str) -> None:
    """With the words that were given."""
    with pytest.raises(ValueError, match=wanted):
        crontab(UTC, **given)


def test_run_custom_takes_apschedulers_words() -> None:
    """date, interval and cron, with a zone by name; what is left are options."""
    assert custom_trigger({"trigger": "date", "run_date": "2026-04-01 09:00:00", "id": "x"}, BERLIN, NOW) == (
        Once(datetime(2026, 4, 1, 9, tzinfo=BERLIN)),
        {"id": "x"},
    )
    assert custom_trigger({}, UTC, NOW) == (Once(NOW), {})
    assert custom_trigger({"trigger": "interval", "minutes": 2, "seconds": 5}, UTC, NOW)[0] == Every(timedelta(seconds=125), NOW + timedelta(seconds=125))
    trigger, left = custom_trigger({"trigger": "cron", "hour": 9, "timezone": "Europe/Berlin", "misfire_grace_time": 60}, UTC, NOW)
    assert times(trigger, 1)[0].astimezone(UTC).time() == time(8)
    assert own_options(left) == JobOptions(misfire_grace_time=60)


def test_any_trigger_may_be_given() -> None:
    """APScheduler's own, where it is installed, tell the next time by the same method."""
    own = Once(NOW)
    assert custom_trigger({"trigger": own}, UTC, NOW) == (own, {})
    with pytest.raises(ValueError, match='none of "date", "interval" and "cron"'):
        custom_trigger({"trigger": "moon"}, UTC, NOW)
    with pytest.raises(ValueError, match="unknown here: colour"):
        own_options({"colour": 1})
