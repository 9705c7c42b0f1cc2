"""Where the token comes from: the environment, standard input, the env file, a hidden prompt; never an argument, which `ps` would show."""

from __future__ import annotations

import sys

import click

from syncbot.cli.console.output import complain
from syncbot.config import Settings, check_setting, from_environment
from syncbot.errors import ConfigError
from syncbot.secret import Secret

_MAX_LINE_BYTES = 4096


def find_token(settings: Settings, *, anew: bool) -> tuple[Secret[str], str]:
    """The token, and in words where it comes from.

    Args:
        settings: what is set so far.
        anew: pass by the one that is set, in the environment or in the env file.

    Raises:
        ConfigError: it is malformed, or there is none.
    """
    if not anew and (token := from_environment("token").get("token")):
        return token, "the environment"
    if sys.stdin is None or not sys.stdin.isatty():
        if given := _from_stdin():
            return check_setting("TELEGRAM_BOT_TOKEN", given), "standard input"
    elif anew or not settings.token:
        return _prompt(), "you"
    if settings.token and not anew:
        return Secret(settings.token), str(settings.env_file)
    raise ConfigError("no token: set TELEGRAM_BOT_TOKEN, or write the token to standard input, for example: syncbot init < token.txt")


def _from_stdin() -> Secret[str]:
    """The first line of standard input."""
    if sys.stdin is None:
        return Secret("")
    return Secret(sys.stdin.buffer.readline(_MAX_LINE_BYTES).decode("utf-8-sig", "replace").strip())


def _prompt() -> Secret[str]:
    while True:
        text = Secret(click.prompt("The bot's token, from @BotFather (it is not shown)", hide_input=True, err=True))
        try:
            token: Secret[str] = check_setting("TELEGRAM_BOT_TOKEN", text)
            return token
        except ConfigError as error:
            complain(str(error))
