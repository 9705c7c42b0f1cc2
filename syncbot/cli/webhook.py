"""`syncbot webhook set|info|delete`: what Telegram knows of the bot's webhook."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import click

from syncbot.cli.console.asking import ask_for
from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options, json_option, load_settings, open_bot, timeout_option
from syncbot.cli.console.output import complain, one_line, system_path, tell, write, write_json
from syncbot.cli.console.state import when
from syncbot.errors import ConfigError
from syncbot.secret import Secret
from syncbot.types import DEFAULT_BASE_URL

_PORTS = (443, 80, 88, 8443)


@click.group("webhook", no_args_is_help=False)
def command() -> None:
    """Set, show or delete the bot's webhook. While one is set, Telegram refuses polling.

    A program that calls Runtime.run_webhook sets its own; this is for a bot that another server serves.

    \b
    Examples:
      syncbot webhook set https://bot.example/hook
      syncbot webhook info
      syncbot webhook delete
    """


@command.command("set")
@click.argument("url")
@click.option("--secret", metavar="TEXT", help="What Telegram shows with each request. Default: derived from the token, as Runtime.wsgi expects it.")
@click.option("--max-connections", type=click.IntRange(1, 100), metavar="N", help="How many requests Telegram makes at once; 40 by default.")
@click.option("--allowed", multiple=True, metavar="KIND", help="A kind of update to send, such as message; may be repeated. Default: as it was.")
@click.option("--certificate", metavar="FILE", help="A self-signed certificate in PEM form, for Telegram to trust.")
@click.option("--ip-address", metavar="ADDRESS", help="Connect there instead of looking up the URL's host.")
@click.option("--drop-pending", is_flag=True, help="Drop the updates that wait at Telegram.")
@timeout_option
@common_options
@click.pass_context
def set_(ctx: click.Context, /, url: str, timeout: float | None, drop_pending: bool, certificate: str | None, **options: Any) -> Exit:
    """Have Telegram post the bot's updates to URL.

    \b
    Example:
      syncbot webhook set https://bot.example/hook --allowed message --allowed callback_query
    """
    from syncbot.runtime.handling.update_facts import misspelt_kind
    from syncbot.webhook.edge import check_secret, derived_secret

    for kind in options["allowed"]:
        if meant := misspelt_kind(kind):
            complain(f"--allowed: there is no kind of update {kind!r} that syncbot knows; did you mean {meant!r}?")  # no refusal: it may be newer
    settings = load_settings(ctx)
    if settings.base_url == DEFAULT_BASE_URL:  # a local server takes any
        _check_url(url)
    try:
        given = Secret(options.pop("secret"))
        secret = Secret(derived_secret(Secret(settings.token))) if given.reveal() is None else check_secret(given)
    except ConfigError as problem:
        raise click.BadParameter(str(problem)) from None
    parameters = {
        "url": url,
        "secret_token": secret,
        "max_connections": options["max_connections"],
        "allowed_updates": list(options["allowed"]) or None,
        "certificate": _certificate(certificate),
        "ip_address": options["ip_address"],
        "drop_pending_updates": drop_pending or None,
    }
    with open_bot(settings, timeout) as bot:
        bot.call("setWebhook", **{name: value for name, value in parameters.items() if value is not None})
    tell(f"the webhook is set: {url}")
    return Exit.OK


def _check_url(url: str) -> None:
    """Refuse what Telegram's own server never takes: https://core.telegram.org/bots/api#setwebhook."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port or 443
    except ValueError:
        scheme, host, port = "", None, 443
    if scheme != "https" or not host:
        wrong = "Telegram posts to https:// alone" if scheme == "http" else "it is no URL that Telegram can post to"
        raise click.BadParameter(f"{wrong}; for example https://bot.example/hook", param_hint="'URL'")
    if port not in _PORTS:
        ports = "443, 80, 88 and 8443"
        raise click.BadParameter(f"Telegram posts to the ports {ports} alone, not to {port}; a web server in front can pass it on", param_hint="'URL'")


def _certificate(name: str | None) -> Any:
    if name is None:
        return None
    from pathlib import Path

    path = Path(system_path(name))
    if not os.path.isfile(path):  # of a name that is too long, too
        raise click.BadParameter(f"--certificate: {name!r} is not a file")
    return path


@command.command("info")
@json_option
@timeout_option
@common_options
@click.pass_context
def info(ctx: click.Context, /, as_json: bool, timeout: float | None) -> Exit:
    """Show what Telegram knows of the webhook, and what went wrong last.

    \b
    Example:
      syncbot webhook info --json
    """
    with open_bot(load_settings(ctx), timeout) as bot:
        found = ask_for(dict, bot, "getWebhookInfo")
    if as_json:
        write_json(found)
    else:
        write("\n".join(_lines(found)))
    return Exit.OK


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"url: {found.get('url') or '(none: the bot may poll)'}"]
    for name, value in found.items():
        if name == "url":
            continue
        if name.endswith("_date") and isinstance(value, int):
            value = when(value)
        lines.append(one_line(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"))
    return lines


@command.command("delete")
@click.option("--drop-pending", is_flag=True, help="Drop the updates that wait at Telegram, too.")
@timeout_option
@common_options
@click.pass_context
def delete(ctx: click.Context, /, drop_pending: bool, timeout: float | None) -> Exit:
    """Remove the webhook, so that the bot may poll. What waits stays at Telegram.

    \b
    Example:
      syncbot webhook delete
    """
    with open_bot(load_settings(ctx), timeout) as bot:
        bot.call("deleteWebhook", **({"drop_pending_updates": True} if drop_pending else {}))
    tell("the webhook is removed")
    return Exit.OK
