"""The whole examination, step after step; what cannot be looked at because of an earlier failure is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from syncbot.cli.console.exits import Exit
from syncbot.cli.doctor import living, telegram
from syncbot.cli.doctor.deadline import within
from syncbot.cli.doctor.files import files
from syncbot.cli.doctor.probe import Probe, only
from syncbot.cli.doctor.relay import small_packets
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.doctor.running import OwnBot, health, own_bot
from syncbot.cli.doctor.telegram import CALLS_SECONDS
from syncbot.cli.doctor.way import examine
from syncbot.client.bot import Bot
from syncbot.config import Settings, misspelt
from syncbot.errors import ConfigError, SyncBotError
from syncbot.storage.address import StatePlace
from syncbot.types import Proxy

ALL_WAYS = "all ways"
"""The step that compares several ways."""
_ATTEMPTS = 3
"""How many attempts of the longest step may each take all the time that an attempt has."""


@dataclass(frozen=True)
class CheckupOptions:
    """What to look at beside the usual, and for how long.

    Args:
        watch_seconds: how long to look for another poller; 0 for not at all.
        idle_seconds: how long to hold a poll to find the idle limit; 0 for not at all.
        state: the state file that was named, or None for the usual one.
        logs: the log files that were named.
    """

    watch_seconds: float = 6.0
    idle_seconds: int = 0
    state: StatePlace | None = None
    logs: Sequence[str] = ()


def checkup(settings: Settings, options: CheckupOptions) -> Iterator[Result]:
    """Everything from the settings to ten calls in a row; each step has a deadline."""
    longest = _ATTEMPTS * settings.timeout + CALLS_SECONDS + max(options.watch_seconds, options.idle_seconds)
    return within(_steps(settings, options), longest)


def _steps(settings: Settings, options: CheckupOptions) -> Iterator[Result]:
    probe = Probe(settings)
    try:
        first = _settings(probe)
        yield first
        if first.failed:
            return
        yield files(settings, options.state, options.logs)
        found, own = own_bot(settings, options.state)
        yield found
        yield health(own)
        good: list[tuple[Proxy, float]] = []
        ways = probe.ways
        for way in ways:
            results: list[Result] = []
            for result in _way(probe, way):
                results.append(result)
                yield result
            if not any(result.failed for result in results):
                good.append((way, sum(result.seconds for result in results)))
        probe.keep()
        if len(ways) > 1:
            yield _compared(ways, good)
        if good:
            with _bot(settings, good[0][0]) as bot:
                yield from _telegram(bot, probe, options, good[0][0], own)
    finally:
        probe.close()


def verdict(results: Sequence[Result]) -> Result | None:
    """What to report as the cause: the first failure that keeps a bot from working, or None. Of several ways one that works is enough."""
    compared = next((result for result in results if result.step == ALL_WAYS), None)
    forgiven = {result.way for result in results if result.failed} if compared is not None and not compared.failed else set()
    works_at_all = {result.way for result in results if result.step == living.STEP}
    return next((result for result in results if result.failed and (result.way not in forgiven or result.way in works_at_all)), None)


def _settings(probe: Probe) -> Result:
    began = time.monotonic()
    settings = probe.settings
    try:
        probe.check_ca_file()
    except ConfigError as error:
        return Result("settings", Status.FAILED, str(error), time.monotonic() - began, "correct it", "syncbot init", exit=Exit.CONFIG)
    users = "everyone may use it" if settings.allowed_users is None else f"{len(settings.allowed_users)} allowed users"
    facts = [
        f"from {settings.env_file}" if settings.env_file else "from the environment alone",
        f"bot {settings.token.partition(':')[0]}",
        "through " + ", ".join(map(str, probe.ways)),
        users,
        f"chat {settings.chat}" if settings.chat is not None else "no chat for send",
    ]
    wrong = " ".join(wrong_names(settings.env_file))
    return Result("settings", Status.NOTE if wrong else Status.OK, "; ".join(facts), time.monotonic() - began, wrong)


def wrong_names(env_file: Path | str | None) -> list[str]:
    """What stands among the settings, and is none; empty where the env file cannot be read, which is told elsewhere."""
    with suppress(ConfigError):
        return misspelt(env_file)
    return []


def _bot(settings: Settings, way: Proxy) -> Bot:
    # Each call once: a doctor who tries again hides what is wrong.
    return Bot.from_settings(only(settings, way), retry=None, limits=None)


def _way(probe: Probe, way: Proxy) -> Iterator[Result]:
    failed = False
    for result in examine(probe, way):
        failed = failed or result.failed
        yield result
    if not failed:
        began = time.monotonic()
        if (takes_it := probe.learn_early(way)) is not None:
            yield Result("early opening", Status.OK, _of_early_opening(way, takes_it), time.monotonic() - began, way=str(way))
        if not way.is_direct and probe.target.tls:
            yield replace(small_packets(probe, way), way=str(way))
        with _bot(probe.settings, way) as bot:
            yield replace(telegram.token(bot), way=str(way))


def _of_early_opening(way: Proxy, takes_it: bool) -> str:
    first, last = (4, 5) if way.scheme == "https" else (3, 4 if way.scheme == "http" else 6 if way.username or way.password else 5)
    if takes_it:
        return f"it takes TLS's beginning together with its own part: a first call takes {first} round trips instead of {last}"
    return f"it drops what comes before it has answered, so connections are opened step by step: a first call takes {last} round trips"


def _compared(ways: tuple[Proxy, ...], good: list[tuple[Proxy, float]]) -> Result:
    """The ways side by side; one that works is enough for a bot, which goes on to the next by itself."""
    times = dict(good)
    text = "; ".join(f"{way}: {times[way] * 1000:.0f} ms" if way in times else f"{way}: does not work" for way in ways)
    if not good:
        return Result(ALL_WAYS, Status.FAILED, text, advice="none works: see above", command="syncbot init", exit=Exit.TRY_LATER)
    fastest = min(good, key=lambda pair: pair[1])[0]
    advice = ""
    if len(good) < len(ways):
        advice = "take those out that do not work: each costs an attempt"
    elif fastest != ways[0]:
        advice = f"{fastest} is the fastest; put it first, if you like"
    return Result(ALL_WAYS, Status.NOTE if advice else Status.OK, text, advice=advice)


def _telegram(bot: Bot, probe: Probe, options: CheckupOptions, way: Proxy, own: OwnBot) -> Iterator[Result]:
    steps: list[Callable[[], Result]] = []
    info: Mapping[str, Any] = {}
    began = time.monotonic()
    try:
        info = living.webhook_info(bot)
    except SyncBotError as error:
        unknown = telegram.failed(living.STEP, error, began, "try again")
        steps.append(lambda: unknown)
    else:
        steps += [lambda: living.how_it_runs(bot, own, info, options.watch_seconds), lambda: living.delivery(own, info)]
    steps.append(lambda: telegram.clock(bot, probe.settings.base_url))
    steps.append(lambda: telegram.quick_calls(bot, probe.target.port if way.is_direct else way.port))
    if options.idle_seconds and own.runs:
        steps.append(lambda: Result("idle limit", Status.SKIPPED, "our own bot runs, and learns it by itself"))
    elif options.idle_seconds and not info.get("url"):
        steps.append(lambda: telegram.idle_limit(bot, options.idle_seconds))
    for step in steps:
        yield replace(step(), way=str(way))
