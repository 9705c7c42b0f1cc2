"""MODULE:APP on a command line: finds the bot that somebody wrote."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import click

import syncbot
from syncbot.cli.console.options import env_file, wants_debug
from syncbot.cli.console.output import tell_all
from syncbot.errors import SyncBotError

if TYPE_CHECKING:
    from syncbot.runtime.runtime import Runtime


class BotFailed(click.ClickException):
    """The bot's own module, or its function that makes the bot, has failed: somebody has to look into it, and the text says where."""


def load_app(ctx: click.Context, target: str) -> Runtime:
    """The runtime that a module holds, or that a function in it makes.

    The working folder can be imported from, as with `python -m`. The values of `--env-file` become the environment of the module, where they
    do not stand already: the module reads its settings by itself.

    Args:
        ctx: of the command.
        target: "module:name", or a module alone, or its file, for its `app`.

    Raises:
        click.UsageError: there is no such module or name, or it is no runtime.
        BotFailed: the module raises when it is imported, or the function when it is called.
        SyncBotError: they raise this, for a missing token for instance.
    """
    module_name, _, name = target.partition(":")
    give_environment(env_file(ctx))
    folder = os.getcwd()
    if module_name.endswith(".py") and os.path.isfile(module_name):  # as one says to Python, and to `syncbot try`
        folder, module_name = os.path.split(os.path.abspath(module_name)[: -len(".py")])
    if folder not in sys.path:
        sys.path.insert(0, folder)
    debug = wants_debug(ctx)
    found: Any = _import(module_name, debug=debug)
    for part in (name or "app").split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"the module {module_name} has no {name or 'app'}; write MODULE:NAME, for example bot:app")
        found = getattr(found, part)
    return _runtime(target, found, debug=debug)


def must_be_there(target: str) -> None:
    """Look whether there is such a script or module, without running anything of it.

    Args:
        target: the path of a script, or "module:name".

    Raises:
        click.UsageError: there is none.
    """
    module, colon, _ = target.partition(":")
    if not colon and not os.path.isfile(target):
        raise click.UsageError(f"there is no file {target!r}; name a script, or MODULE:APP, for example bot:app")
    outermost = module.partition(".")[0]
    if colon and not (outermost.isidentifier() and PathFinder.find_spec(outermost, [os.getcwd(), *sys.path])):
        raise click.UsageError(_no_module(module))


def _no_module(name: str) -> str:
    return f"there is no module {name!r} in {os.getcwd()} or where Python looks; for example bot:app for bot.py"


def _runtime(target: str, found: Any, *, debug: bool) -> Runtime:
    from syncbot.runtime.runtime import Runtime

    if callable(found) and not isinstance(found, Runtime):
        found = _made(target, found, debug=debug)
    if not isinstance(found, Runtime):
        raise click.UsageError(f"{target} is a {type(found).__name__}, not a syncbot.Runtime, nor a function that returns one")
    return found


def _made(target: str, function: Callable[[], Any], *, debug: bool) -> Any:
    try:
        made = function()
    except SyncBotError:
        raise
    except Exception as problem:
        raise _failed(f"{target} cannot be called", problem, debug=debug) from None
    if made is None:
        raise click.UsageError(f"{target} returned nothing, where a syncbot.Runtime is needed; end it with: return app")
    return made


def _import(name: str, *, debug: bool) -> Any:
    try:
        return importlib.import_module(name)
    except SyncBotError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise click.UsageError(_no_module(name)) from None
        problem: Exception = error
    except Exception as error:
        problem = error
    raise _failed(f"the module {name} cannot be loaded", problem, debug=debug)


def _failed(what: str, problem: Exception, *, debug: bool) -> BotFailed:
    if debug:
        from syncbot.logs import guard

        tell_all(guard().traceback(problem))
    missing = f": it is neither here nor installed for {sys.executable}" if isinstance(problem, ModuleNotFoundError) else ""
    return BotFailed(f"{what}: {type(problem).__name__}: {problem}{missing} {_place(problem)}".rstrip())


def _place(problem: Exception) -> str:
    """Where in the bot's code it happened, as well as one line can say it; what syncbot itself refuses was asked for there too."""
    if isinstance(problem, SyntaxError):
        return ""  # its text says so
    ours = os.path.join(os.path.dirname(syncbot.__file__), "")
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if not frame.filename.startswith(("<frozen", ours))]
    return f"({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def give_environment(path: str | None) -> None:
    """Make the values of an env file, where one is named, those of this process, as far as they do not stand there already."""
    if path is None:
        return
    from syncbot.config.envfile import read_env_file

    os.environ.update({name: value for name, value in read_env_file(path).items() if name not in os.environ})


def name_state(path: str) -> None:
    """Make this the state file of the bots of this process that are told of none."""
    os.environ["SYNCBOT_STATE"] = path
