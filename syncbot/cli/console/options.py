"""What the commands share: the env file, --debug, --timeout, --json, and the bot that is made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncbot.cli.console.output import system_path, tame_warnings

if TYPE_CHECKING:
    from pathlib import Path

    from syncbot.client.bot import Bot
    from syncbot.config import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
"""The function of a command, to which an option is added."""

_ENV_FILE = "syncbot.env_file"
_DEBUG = "syncbot.debug"


def as_path(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Callback of an option or argument: turn a path, or several, into the system's own encoding, usable whatever the locale."""
    if isinstance(value, tuple):
        return tuple(system_path(item) for item in value)
    return system_path(value) if value is not None else None


def as_seconds(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Callback of an option: read a number of seconds above 0."""
    if value is None:
        return None
    from syncbot.config import check_setting
    from syncbot.errors import ConfigError

    try:
        return float(check_setting("SYNCBOT_TIMEOUT", value))
    except ConfigError:
        raise click.BadParameter(f"{value!r} is not a number of seconds above 0, for example 20") from None


def as_chat(option: str, text: str) -> Any:
    """The chat that an option names, as calls take it.

    Raises:
        click.UsageError: it is none.
    """
    from syncbot.config import check_setting
    from syncbot.errors import ConfigError

    try:
        return check_setting("SYNCBOT_CHAT", text)
    except ConfigError:
        raise click.UsageError(f"{option}: {text!r} is neither the id of a chat nor the @name of a public one; for example {option} 123456789") from None


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            ctx.meta[key] = value  # shared by a context and its parents: the option may stand before or after the command

    return callback


def env_file_option(command: Command) -> Command:
    """Add `--env-file`."""
    remember = _remember(_ENV_FILE)
    return click.option("--env-file", metavar="FILE", expose_value=False, callback=remember, help="Read the settings from this file.")(command)


def debug_option(command: Command) -> Command:
    """Add `--debug`."""
    return click.option("--debug", is_flag=True, expose_value=False, callback=_remember(_DEBUG), help="Log every step to standard error.")(command)


def log_file_option(command: Command) -> Command:
    """Add `--log-file`, for a command that runs a bot."""
    return click.option("--log-file", callback=as_path, metavar="FILE", help="Log to this file too; it is rotated at 1 MB.")(command)


def timeout_option(command: Command) -> Command:
    """Add `--timeout`."""
    text = "How long a call may take in all, retries included; moving a large file comes on top."
    return click.option("--timeout", callback=as_seconds, metavar="SECONDS", help=text)(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON on standard output.")(command)


def common_options(command: Command) -> Command:
    """Add `--env-file` and `--debug`."""
    return env_file_option(debug_option(command))


def wants_debug(ctx: click.Context) -> bool:
    """Whether --debug was given."""
    return bool(ctx.meta.get(_DEBUG))


def env_file(ctx: click.Context) -> str | None:
    """The env file that was named."""
    name: str | None = ctx.meta.get(_ENV_FILE)
    return system_path(name) if name else None


def load_settings(ctx: click.Context, *, require_token: bool = True, may_be_new: bool = False) -> Settings:
    """The settings of this command; logging is switched on where they or --debug ask for it.

    Args:
        ctx: of the command.
        require_token: whether a missing token is an error.
        may_be_new: the env file that was named need not exist, as it is to be written.

    Raises:
        ConfigError: a setting is missing or wrong.
    """
    from syncbot.config import Settings

    named = env_file(ctx)
    if may_be_new and named is not None and not os.path.lexists(os.path.expanduser(named)):
        named = os.devnull
    settings = Settings.load(named, require_token=require_token)
    if wants_debug(ctx) or settings.log_level == "DEBUG":
        from syncbot.logs import setup_logging

        ctx.meta[_DEBUG] = True
        setup_logging("DEBUG")
    else:
        tame_warnings()
    return settings


def bot_logging(ctx: click.Context, file: str | None, *, as_json: bool, level: str | None = None) -> None:
    """Set logging up for a bot, unless its module has done so.

    Args:
        ctx: of the command.
        file: a log file beside standard error, or None.
        as_json: one JSON object a line.
        level: how much to log instead of INFO; None for no such preference.

    Raises:
        ConfigError: a setting is wrong, or the file cannot be written.
    """
    import logging

    from syncbot.logs import setup_logging

    if logging.getLogger().handlers and file is None:
        return
    settings = load_settings(ctx, require_token=False)
    chosen = level if level is not None and settings.log_level == "INFO" else settings.log_level  # INFO is what stands where nothing is set
    setup_logging("DEBUG" if wants_debug(ctx) else chosen, file, as_json)


def env_target(ctx: click.Context, settings: Settings) -> Path:
    """The env file to write to: the one that was named or read, else `env` in the user's configuration folder."""
    from pathlib import Path

    from syncbot.config import config_dir

    named = env_file(ctx)
    if named is not None:
        return Path(named).expanduser()
    return settings.env_file or config_dir() / "env"


@contextmanager
def open_bot(settings: Settings, timeout: float | None = None) -> Iterator[Bot]:
    """A bot of these settings, which knows what the connections of earlier commands have learned; `timeout` bounds each of its calls in all.

    Raises:
        ConfigError: a setting is wrong.
    """
    from syncbot.cli.console.learned import kept_between_commands
    from syncbot.client.bot import Bot

    bounds = {} if timeout is None else {"timeout": min(timeout, settings.timeout), "deadline": timeout}
    with Bot.from_settings(settings, **bounds) as bot, kept_between_commands(bot.transport):
        yield bot
