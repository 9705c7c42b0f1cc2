"""`job_kwargs`: what a program told APScheduler of a job."""

from __future__ import annotations

import datetime as dtm
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from zoneinfo import ZoneInfo

from syncbot.compat.ptb13.jobs.fields import FIELDS
from syncbot.compat.ptb13.jobs.triggers import Every, Once, Trigger, crontab
from syncbot.compat.ptb13.utils.helpers import localize

_SPANS = ("weeks", "days", "hours", "minutes", "seconds")
_NO_EFFECT = {"coalesce", "jobstore", "executor", "jitter", "next_run_time"}


@dataclass(frozen=True)
class JobOptions:
    """How a job is kept; `misfire_grace_time` is how late, in seconds, it may be put. None: however late."""

    id: str | None = None
    misfire_grace_time: float | None = 1.0
    max_instances: int = 1
    replace_existing: bool = False


def own_options(given: Mapping[str, Any]) -> JobOptions:
    """The options that have an effect here; of those that had one in APScheduler alone nothing is made.

    Raises:
        ValueError: one is unknown.
    """
    names = {each.name for each in fields(JobOptions)}
    if unknown := set(given) - names - _NO_EFFECT:
        raise ValueError(f"job_kwargs: unknown here: {', '.join(sorted(unknown))}; known are {', '.join(sorted(names))}")
    return JobOptions(**{name: value for name, value in given.items() if name in names})


def custom_trigger(given: Mapping[str, Any], zone: dtm.tzinfo, now: dtm.datetime) -> tuple[Trigger, dict[str, Any]]:
    """The trigger of `run_custom`, and the options that are left.

    Raises:
        ValueError: it is none that is known, or its options cannot be read.
    """
    rest = dict(given)
    word = rest.pop("trigger", "date")
    if hasattr(word, "get_next_fire_time"):
        return word, rest
    named = rest.pop("timezone", None)
    zone = zone if named is None else ZoneInfo(named) if isinstance(named, str) else named
    if word == "date":
        return Once(_moment(rest.pop("run_date", None), zone) or now), rest
    first, last = _moment(rest.pop("start_date", None), zone), _moment(rest.pop("end_date", None), zone)
    if word == "cron":
        return crontab(zone, first=first, last=last, **{name: rest.pop(name) for name in FIELDS if name in rest}), rest
    if word == "interval":
        span = dtm.timedelta(**{name: rest.pop(name) for name in _SPANS if name in rest}) or dtm.timedelta(seconds=1)
        return Every(span, first or now + span, last), rest
    raise ValueError(f'trigger: {word!r} is none of "date", "interval" and "cron", nor has it get_next_fire_time')


def _moment(given: Any, zone: dtm.tzinfo) -> dtm.datetime | None:
    if given is None:
        return None
    if isinstance(given, str):
        given = dtm.datetime.fromisoformat(given)
    if not isinstance(given, dtm.datetime):
        given = dtm.datetime.combine(given, dtm.time())
    moment: dtm.datetime = given if given.tzinfo else localize(given, zone)
    return moment
