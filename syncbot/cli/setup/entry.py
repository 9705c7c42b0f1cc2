"""The command: token, way, env file, chat, each step told in a line."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.options import common_options, env_target, load_settings, open_bot
from syncbot.cli.console.output import coloured, complain, is_terminal, one_line, tell, write, write_exact
from syncbot.cli.console.words import describe
from syncbot.cli.setup.pairing import deep_link, new_code, wait_for_code
from syncbot.cli.setup.token import find_token
from syncbot.cli.setup.tried_ways import Tried, named_ways, proxy_url, try_way
from syncbot.config import Settings, check_setting
from syncbot.config.envfile import write_env_file
from syncbot.errors import ConfigError, SyncBotError, Unauthorized
from syncbot.secret import Secret
from syncbot.types import DIRECT, Proxy


def _setting(name: str) -> Any:
    """A callback that reads an option as the setting of this name."""

    def callback(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            try:
                check_setting(name, value)
            except ConfigError as error:
                raise click.BadParameter(str(error)) from None
        return value

    return callback


@click.command("init")
@click.option("--new-token", is_flag=True, help="Take another token than the one that is set.")
@click.option("--pair/--no-pair", default=None, help="Find your chat by a code that you send to the bot. Default: at a terminal.")
@click.option("--wait", type=click.IntRange(1, 3600), default=180, metavar="SECONDS", help="How long to wait for the code. Default: 180.")
@click.option("--chat", callback=_setting("SYNCBOT_CHAT"), metavar="ID", help="The chat that `syncbot send` writes to, instead of pairing.")
@click.option(
    "--user", callback=_setting("ALLOWED_TELEGRAM_USER_ID"), metavar="ID", help="The only user (or users: 1,2) whom a bot listens to, instead of pairing."
)
@common_options
@click.pass_context
def command(ctx: click.Context, /, new_token: bool, pair: bool | None, wait: int, chat: str | None, user: str | None) -> Exit:
    """Set a bot up: check the token, find the way to Telegram, find your chat, and write the env file (mode 600; what stood there is kept).

    The token comes from TELEGRAM_BOT_TOKEN, from standard input, or from a hidden prompt; proxies from SYNCBOT_PROXY or HTTPS_PROXY.

    \b
    Examples:
      syncbot init
      syncbot init --no-pair --chat 123456789 < token.txt
      SYNCBOT_PROXY=socks5h://127.0.0.1:1080 syncbot init --env-file bot.env
    """
    settings = load_settings(ctx, require_token=False, may_be_new=True)
    token, where = find_token(settings, anew=new_token)
    settings = replace(settings, token=token)
    write(f"Token: from {where}")
    try:
        ways, me = _find_way(settings)
    except Unauthorized as error:
        complain(f"Telegram does not know this token: {error.description} ({error.code}); ask @BotFather for it, and see that nothing is missing at its ends")
        return Exit.REFUSED
    write(f"Bot: @{me.get('username')} ({one_line(str(me.get('first_name', '')))})")
    target = env_target(ctx, settings)
    values: dict[str, str | Secret[str]] = {"TELEGRAM_BOT_TOKEN": token}
    if ways != (DIRECT,) or settings.proxies:
        values["SYNCBOT_PROXY"] = Secret(",".join(proxy_url(way).reveal() for way in ways))
    values |= {"SYNCBOT_CHAT": chat} if chat is not None else {}
    values |= {"ALLOWED_TELEGRAM_USER_ID": user} if user is not None else {}
    _save(target, values)
    wants_pairing = pair if pair is not None else chat is None and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    settings = replace(settings, proxies=ways, no_proxy="")
    return _pair(settings, str(me.get("username")), wait, target) if wants_pairing else Exit.OK


def _save(target: Path, values: Mapping[str, str | Secret[str]]) -> None:
    write_env_file(target, values)
    write(f"Written to {target}: {', '.join(values)}")


def _find_way(settings: Settings) -> tuple[tuple[Proxy, ...], dict[str, Any]]:
    """The ways to write down, and the bot; asks at a terminal where none of them leads to Telegram.

    Raises:
        Unauthorized: the token is wrong.
        SyncBotError: no way leads to Telegram.
    """
    ways = named_ways(settings)
    tried = [_tell(try_way(settings, way)) for way in ways]
    if good := next((one for one in tried if one.me is not None), None):
        return ways, good.me or {}
    # Where proxies are set, somebody may have a reason not to go without: it is tried, and only taken when they say so.
    plain = tried[0] if DIRECT in ways else _tell(try_way(settings, DIRECT))
    if plain.me is not None and (not is_terminal(sys.stdin) or click.confirm("Go without a proxy?", default=False, err=True)):
        if is_terminal(sys.stdin):
            return (DIRECT,), plain.me
        tell("syncbot: without a proxy it works; SYNCBOT_PROXY=direct says so")
    return _ask_for_proxy(settings, tried)


def _ask_for_proxy(settings: Settings, tried: Sequence[Tried]) -> tuple[tuple[Proxy, ...], dict[str, Any]]:
    while is_terminal(sys.stdin):
        question = "A proxy to try (http://host:port, socks5h://user:password@host:port; empty to give up)"
        text = Secret(click.prompt(question, default="", show_default=False, err=True))
        if not text.reveal().strip():
            break
        try:
            one = _tell(try_way(settings, Proxy.parse(text, setting="the proxy")))
        except ConfigError as error:
            complain(str(error))
            continue
        if one.me is not None:
            return (one.way,), one.me
    raise next(one.error for one in tried if one.error is not None)


def _tell(tried: Tried) -> Tried:
    if tried.error is None:
        write_exact(f"Way: {tried.way}: {coloured('works', 'green', sys.stdout)} ({tried.seconds * 1000:.0f} ms)")
    else:
        write_exact(f"Way: {tried.way}: {coloured('does not work', 'red', sys.stdout)}: {one_line(describe(tried.error))}")
    return tried


def _pair(settings: Settings, username: str, seconds: int, target: Path) -> Exit:
    code = new_code()
    write(f"Pairing: send {code} to @{username} within {seconds} s, or open {deep_link(username, code)} and press Start")
    try:
        with open_bot(settings) as bot:
            seen = wait_for_code(bot, code, seconds)
            if seen is None:
                complain(f"no code came within {seconds} s; token and way are written, so give the command again, or: syncbot init --no-pair --chat ID")
                return Exit.TRY_LATER
            users = (settings.allowed_users or frozenset()) | {seen.user_id}
            _save(target, {"SYNCBOT_CHAT": str(seen.chat_id), "ALLOWED_TELEGRAM_USER_ID": ",".join(map(str, sorted(filter(None, users))))})
            bot.call("sendMessage", chat_id=seen.chat_id, text="Paired: this is the chat that `syncbot send` writes to.")
    except SyncBotError as error:
        complain(f"pairing: {describe(error)}; token and way are written")
        return exit_for(error)
    write(f"Paired with {one_line(seen.name) or seen.chat_id}. Try: syncbot send Hello")
    return Exit.OK
