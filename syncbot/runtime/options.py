"""What the options of a runtime mean: which are wrong, who is listened to, what is opened ahead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from syncbot.client.api.table import unknown_option
from syncbot.client.bot import Bot
from syncbot.config import from_environment, trial_settings
from syncbot.config.readers import given_user_ids
from syncbot.errors import ConfigError
from syncbot.runtime.handling.update_facts import misspelt_kind
from syncbot.types import AheadAuto, AheadMode

_log = logging.getLogger(__name__)


def wrong_option(bot: str, names: Sequence[str], known: Callable[..., Any]) -> TypeError:
    """The error for a runtime without a bot, or with options that it does not have: what belongs to the bot is named as such.

    Args:
        bot: the type of what was given as the bot.
        names: the unknown options.
        known: the function with those that there are.
    """
    belongs = [name for name in names if name in ("token", "proxy", "proxies", "base_url", "timeout", "deadline")]
    if belongs or not names:
        what = f"{belongs[0]!r} is the bot's" if belongs else f"it takes a Bot first, not a {bot}" if bot != "NoneType" else "it takes a Bot first"
        return TypeError(f"Runtime: {what}; write Runtime(Bot.from_env()), or Runtime(Bot(token, proxies=…))")
    return unknown_option("Runtime", names[0], known)


def opened_ahead(bot: Bot, given: AheadMode | None, workers: int) -> int | AheadAuto | None:
    """How connections are opened ahead while a runtime runs; None as the bot has it, which is what one that has a number of its own keeps.

    Raises:
        ConfigError: it is no way of doing so.
    """
    if given is None or (given == "auto" and bot.ahead != 0):
        return None
    mode = AheadAuto.of(given)
    return replace(mode, most=workers) if isinstance(mode, AheadAuto) and mode.most is None else mode


def asked_kinds(given: Iterable[str] | None) -> tuple[str, ...] | None:
    """The kinds of updates to ask for; None for those that there are handlers for.

    Raises:
        ConfigError: it is no list of names.
    """
    if given is None:
        return None
    found = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(kind, str) for kind in found):
        raise ConfigError("allowed_updates: a list of the names of kinds is needed; for example allowed_updates=['message', 'callback_query']")
    kinds = tuple(map(str.__str__, found))  # python-telegram-bot's are members of an enum
    for kind in kinds:
        if meant := misspelt_kind(kind):  # no refusal: it may be newer than syncbot, and Telegram ignores what it does not know
            _log.warning("allowed_updates: there is no kind of update %r; did you mean %r?", kind, meant)
    return kinds


def listened_to(bot: Bot, given: Iterable[int] | None) -> frozenset[int] | None:
    """The users who are listened to: those given, else those of the settings; None for everybody.

    Raises:
        ConfigError: something else than ids is among them.
    """
    if given is None and trial_settings() is None:  # the ids of the settings are those of real people, whom no trial has
        given = bot.settings.allowed_users if bot.settings is not None else from_environment("allowed_users").get("allowed_users")
    try:
        return None if given is None else given_user_ids(given)
    except ConfigError as wrong:
        raise ConfigError(f"allowed_users: {wrong}") from None
