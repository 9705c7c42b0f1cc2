"""`syncbot call`: any method of the Bot API."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.options import common_options, json_option, load_settings, open_bot, timeout_option
from syncbot.cli.console.output import complain, system_path, write_json
from syncbot.cli.console.progress import ProgressBar
from syncbot.client.api.table import MethodSpec, ParameterSpec, find_method, method_names, nearest
from syncbot.errors import ApiError, NetworkError, SyncBotError

_OWN_OPTIONS = ("timeout", "deadline", "progress")
_FILE_KEYS = ("media", "thumbnail", "cover")
_NO_FILES = re.compile(r".*(chat_id|user_id|username|text|caption)")


@click.command("call")
@click.argument("method")
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--no-check", is_flag=True, help="Let methods and parameters pass that this version does not know.")
@timeout_option
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, method: str, parameters: tuple[str, ...], no_check: bool, timeout: float | None, as_json: bool) -> Exit:
    """Call METHOD of the Bot API and print its result as JSON.

    A VALUE that begins with {, [ or a double quote is JSON, except where the parameter is a text, which is taken as it is. @PATH uploads a file,
    where the parameter takes one.

    \b
    Examples:
      syncbot call getMe
      syncbot call sendMessage chat_id=123456789 text=Hello
      syncbot call sendPhoto chat_id=@channel photo=@photo.jpg
      syncbot call setMyCommands commands='[{"command":"start","description":"Begin"}]'

    With --json a failure is told in JSON on standard output too, as {"ok":false,…}.
    """
    spec = find_method(method)
    if spec is None and not no_check:
        raise click.UsageError(f"there is no method {method!r}{nearest(method, method_names())}; --no-check calls it all the same")
    given = dict(_parameter(text, spec) for text in parameters)
    own = spec.parameters if spec is not None else {}
    if wrong := [name for name in _OWN_OPTIONS if name in given and name not in own]:
        raise click.UsageError(f"{wrong[0]} is no parameter of {method}; --timeout bounds the call")
    settings = load_settings(ctx)
    with open_bot(settings, timeout) as bot, ProgressBar(method) as bar:
        if bar.visible and any(isinstance(value, Path) for value in given.values()):
            given["progress"] = bar.show
        try:
            result = bot.call(method, check=not no_check, **given)
        except (TypeError, ValueError, OSError) as problem:
            raise click.UsageError(_words(problem)) from None
        except SyncBotError as error:
            return _failed(error, as_json)
    write_json(result)
    return Exit.OK


def _parameter(text: str, spec: MethodSpec | None) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not re.fullmatch(r"\w+", name):
        raise click.UsageError(f"{text!r} is not KEY=VALUE; for example text=Hello")
    return name, _value(name, value, spec)


def _value(name: str, text: str, spec: MethodSpec | None) -> Any:
    parameter = spec.parameters.get(name) if spec is not None else None
    if parameter is not None and parameter.types == ("String",):
        return text  # nothing that somebody wants to be read may change on its way
    if text[:1] in ("{", "[", '"'):
        try:
            return _with_files(json.loads(text))
        except json.JSONDecodeError as problem:
            raise click.UsageError(f"{name}: this is not JSON ({problem.msg}, character {problem.pos + 1}): {text[:60]}") from None
    if text.startswith("@") and _takes_file(name, text, parameter):
        return Path(system_path(text[1:]))
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text)


def _takes_file(name: str, text: str, parameter: ParameterSpec | None) -> bool:
    if parameter is not None:
        return "InputFile" in parameter.types
    return not _NO_FILES.fullmatch(name) and os.path.isfile(system_path(text[1:]))


def _with_files(value: Any) -> Any:
    """Turn the "@PATH" of media within JSON into files."""
    if isinstance(value, list):
        return [_with_files(item) for item in value]
    if isinstance(value, dict):
        return {
            key: Path(system_path(item[1:])) if key in _FILE_KEYS and isinstance(item, str) and item.startswith("@") else _with_files(item)
            for key, item in value.items()
        }
    return value


def _words(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return f"{problem.strerror}: {problem.filename}"
    return str(problem)


def _failed(error: SyncBotError, as_json: bool) -> Exit:
    from syncbot.cli.console.words import describe

    code = exit_for(error)
    if as_json:
        write_json(failure_facts(error, code))
    complain(describe(error))
    return code


def failure_facts(error: SyncBotError, code: Exit) -> dict[str, Any]:
    """A failure as JSON: Telegram's own envelope where it answered, and what we know of it beside that."""
    facts: dict[str, Any] = {"ok": False, "error": type(error).__name__, "exit_code": int(code), "description": str(error)}
    if isinstance(error, ApiError):
        facts |= {"error_code": error.code, "description": error.description}
        facts |= {"parameters": error.parameters} if error.parameters else {}
    if isinstance(error, NetworkError):
        facts |= {"phase": str(error.phase), "stage": error.stage, "proxy": error.proxy, "attempts": error.attempts, "seconds": round(error.elapsed, 3)}
    return facts
