"""`syncbot run-telebot`: a program that was written for pyTelegramBotAPI, unchanged, on syncbot's connections and its poller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_path, bot_logging, common_options, load_settings, log_file_option
from syncbot.cli.console.output import complain
from syncbot.cli.console.state import state_option
from syncbot.cli.console.target import give_environment
from syncbot.cli.programs.program import check_program, run_program
from syncbot.errors import ConfigError
from syncbot.regular import opener
from syncbot.types import DEFAULT_BASE_URL

if TYPE_CHECKING:
    from syncbot.config import Settings

_OWN_ARGUMENTS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("run-telebot", context_settings=_OWN_ARGUMENTS)
@click.argument("program", metavar="PROGRAM.py", callback=as_path)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@state_option
@log_file_option
@click.option("--log-json", is_flag=True, help="Log in JSON, one object a line.")
@common_options
@click.pass_context
def command(ctx: click.Context, /, program: str, arguments: tuple[str, ...], state: str | None, log_file: str | None, log_json: bool) -> Exit:
    """Run PROGRAM.py, a bot that was written for pyTelegramBotAPI (telebot), without a change: each call has a connection of its own, its polling survives
    bad ways, updates outlive the process in the state file, and so do next steps and states. What follows PROGRAM.py is its own.

    \b
    Examples:
      syncbot run-telebot bot.py
      syncbot run-telebot --env-file /etc/mybot.env bot.py --verbose
    """
    check_program(program)
    with open(program, "rb", opener=opener) as file:
        is_async = b"async_telebot" in file.read()
    if is_async:
        complain(f"{program} names async_telebot: this is for TeleBot, and AsyncTeleBot keeps telebot's own connections and its own polling")
    settings = load_settings(ctx, require_token=False)
    give_environment(str(settings.env_file) if settings.env_file is not None else None)
    bot_logging(ctx, log_file, as_json=log_json)
    _install(settings, state)
    run_program(program, arguments)
    return Exit.OK


def _install(settings: Settings, state: str | None) -> None:
    try:
        from syncbot.adapters.telebot import install, use_server
        from syncbot.adapters.telebot_polling import install_polling
        from syncbot.runtime.state_file import AUTO
    except ModuleNotFoundError as missing:
        if missing.name != "telebot":
            raise
        raise ConfigError("pyTelegramBotAPI is not installed where syncbot is: pip install pyTelegramBotAPI") from None
    if settings.base_url != DEFAULT_BASE_URL:
        use_server(settings.base_url)
    # The proxies of the environment are found by install(), where the program names none by apihelper.proxy.
    installed = install(ca_file=settings.ca_file, ipv4=settings.ipv4, dns_cache=settings.dns_cache)
    install_polling(installed, state=state or AUTO)
