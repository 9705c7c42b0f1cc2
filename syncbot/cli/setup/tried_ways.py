"""Which way leads to Telegram: the proxies that are set, and no proxy at all, each tried with getMe."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from syncbot.cli.console.asking import ask_for
from syncbot.cli.doctor.probe import Probe, only
from syncbot.client.bot import Bot
from syncbot.config import Settings
from syncbot.errors import SyncBotError, Unauthorized
from syncbot.secret import Secret
from syncbot.types import Proxy


@dataclass(frozen=True)
class Tried:
    """What became of one way.

    Args:
        way: the proxy, or `DIRECT`.
        seconds: how long it took.
        me: the bot, as getMe gives it; None where the way leads nowhere.
        error: why not.
    """

    way: Proxy
    seconds: float
    me: dict[str, Any] | None = None
    error: SyncBotError | None = None


def named_ways(settings: Settings) -> tuple[Proxy, ...]:
    """The ways that the settings name; `DIRECT` where they name none."""
    probe = Probe(settings)
    try:
        return probe.ways
    finally:
        probe.close()


def try_way(settings: Settings, way: Proxy) -> Tried:
    """Call getMe through one way, once; of one that leads to Telegram, find out how it may be opened.

    Raises:
        Unauthorized: the way is good, and the token is not.
    """
    began = time.monotonic()
    try:
        with Bot.from_settings(only(settings, way), retry=None) as bot:
            me = ask_for(dict, bot, "getMe")
    except Unauthorized:
        raise
    except SyncBotError as error:
        return Tried(way, time.monotonic() - began, error=error)
    seconds = time.monotonic() - began
    probe = Probe(settings)
    try:
        probe.learn_early(way)
        probe.keep()
    finally:
        probe.close()
    return Tried(way, seconds, me=me)


def proxy_url(way: Proxy) -> Secret[str]:
    """The way as the settings write it, credentials and all."""
    if not (way.username or way.password):
        return Secret(str(way))
    scheme, _, place = str(way).partition("://")
    return Secret(f"{scheme}://{quote(way.username, safe='')}:{quote(way.password, safe='')}@{place}")
