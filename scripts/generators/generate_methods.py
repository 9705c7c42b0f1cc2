#!/usr/bin/env python3
"""Write the table of the Bot API's methods and the stubs that show them to editors and type checkers.

    scripts/generators/generate_methods.py SPEC            write the files
    scripts/generators/generate_methods.py SPEC --check    only say whether they are current (exit 1 if not)

SPEC is the Bot API as JSON, or the official documentation in Markdown, as a file, a folder or a URL; `api_spec.py` says in which shape. What it
cannot say (safe to repeat or not, a summary, the order of positional parameters) people wrote in methods_review.toml beside this file; a method
that is missing there is refused.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import api_spec  # noqa: E402 - the same

from syncbot.client.api import signatures  # noqa: E402 - the script works in a checkout that is not installed
from syncbot.client.api.table import MethodSpec, ParameterSpec  # noqa: E402 - the same

REVIEW = Path(__file__).resolve().parent / "methods_review.toml"
TABLE = ROOT / "syncbot/client/api/methods.txt"
STUB = ROOT / "syncbot/client/api/bot_methods.pyi"
QUEUED_STUB = ROOT / "syncbot/client/api/queued.pyi"
WIDTH = 160

TABLE_HEAD = """\
# The methods of Bot API {version}. Written by scripts/generators/generate_methods.py; do not edit, but see scripts/generators/methods_review.toml.
# A block per method: its name, whether it is safe to repeat, and what it returns; a summary; and its parameters with their types.
# "!" marks a required one, "[]" an array of, and "*" stands before those that go by name only. `table.py` reads it.

{blocks}
"""

STUB_HEAD = """\
# Written by scripts/generators/generate_methods.py for Bot API {version}; do not edit.
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from typing import {typing}

import telegram

from syncbot.client.api.table import MethodSpec

{aliases}
"""

BOT_CLASS = '''
class BotMethods:
    """The methods of the Bot API, {count} of them, as Python methods.

    A parameter takes python-telegram-bot's objects or dicts. `timeout` and `deadline` are the call's own, in seconds; `progress` is told
    the bytes sent and their total; `api_kwargs` holds parameters that are newer than this table, and goes out unchecked.
    """

    _call_options: tuple[str, ...] | None

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any: ...
    def _chat_left_out(self, method: str) -> int | str | None: ...
'''

QUEUED_CLASS = '''
class QueuedMethods:
    """The methods of the Bot API as Python methods that queue a call and return its number; those that only ask for something are left out.

    A parameter takes python-telegram-bot's objects or dicts. `ttl` is how many seconds the call may wait at most, `not_before` the earliest time
    of its first attempt, `connection` the application's own, in whose transaction it is queued. `api_kwargs` holds parameters that are newer than this
    table, and goes out unchecked.
    """

    def _queue_call(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int: ...
    def call(
        self,
        method: str,
        /,
        *,
        check: bool = True,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object = None,
        **parameters: Any,
    ) -> int:
        """Queue a call of any method of the Bot API."""
'''

# Unions that are long and come often: the stub says them once.
ALIASES = {
    "_ReplyMarkup": ("telegram.InlineKeyboardMarkup | telegram.ReplyKeyboardMarkup | telegram.ReplyKeyboardRemove | telegram.ForceReply | Mapping[str, Any]"),
    "_Results": "Sequence[telegram.InlineQueryResult | Mapping[str, Any]]",
    "_File": signatures.FILE,
}


class ReviewError(Exception):
    """The review does not fit the specification; the text says where."""


def read_methods(spec: Mapping[str, Any], review: Mapping[str, Any]) -> list[MethodSpec]:
    """Join the specification with the review, in the review's order: specifications differ in theirs.

    Raises:
        ReviewError: a method or parameter is missing on either side, or an order cannot be written as a Python signature.
    """
    names, reviewed = set(spec["methods"]), set(review["methods"])
    for missing, where in ((names - reviewed, "the review"), ((reviewed | set(review["positional"])) - names, "the specification")):
        if missing:
            raise ReviewError(f"missing in {where}: {', '.join(sorted(missing))}")
    return [read_method(name, spec["methods"][name], review) for name in review["methods"]]


def read_method(name: str, facts: Mapping[str, Any], review: Mapping[str, Any]) -> MethodSpec:
    """Join what is known of one method."""
    found = [ParameterSpec(f["name"], tuple(f["types"]), f["required"]) for f in facts.get("fields", [])]
    known = {parameter.name: parameter for parameter in found}
    order = review["positional"].get(name, [parameter.name for parameter in found if parameter.required])
    if strangers := [word for word in order if word not in known]:
        raise ReviewError(f"{name} has no parameter {', '.join(strangers)}")
    rest = sorted((parameter for parameter in found if parameter.name not in order), key=lambda parameter: not parameter.required)
    parameters = {parameter.name: parameter for parameter in [*(known[word] for word in order), *rest]}
    said = review["methods"][name]
    if set(said) - {"repeat", "summary", "why"} or not isinstance(said.get("repeat"), bool) or not str(said.get("summary", "")).endswith("."):
        raise ReviewError(f"{name}: the review holds repeat (true or false), a summary that is a sentence, and why where it is not plain")
    return MethodSpec(name, parameters, tuple(facts["returns"]), said["repeat"], said["summary"], len(order))


def render_table(version: str, methods: Iterable[MethodSpec]) -> str:
    """Write the table."""
    return TABLE_HEAD.format(version=version, blocks="\n\n".join(render_block(method) for method in methods))


def render_block(method: MethodSpec) -> str:
    """Write one method as the lines that `table.py` reads."""
    words = [f"{p.name}{'!' if p.required else ''}:{render_types(p.types)}" for p in method.parameters.values()]
    if method.positional < len(words):
        words.insert(method.positional, "*")
    head = f"{method.name} {'yes' if method.repeatable else 'no'} {render_types(method.returns)}"
    return "\n".join([head, f" {method.summary}", *textwrap.wrap(" ".join(words), WIDTH - 1, initial_indent=" ", subsequent_indent=" ")])


def render_types(types: Iterable[str]) -> str:
    """Write types without blanks: "Array of String" is "String[]"."""
    return "|".join(kind.replace("Array of ", "") + "[]" * kind.count("Array of ") for kind in types)


def render_stub(version: str, methods: list[MethodSpec]) -> str:
    """Write the stub of `api.py`."""
    text = "".join(render_without_chat(method) + render_def(method) if method.sends_to_chat else render_def(method) for method in methods)
    return render_head(version, "IO, Any, TypeAlias, overload") + BOT_CLASS.format(count=len(methods)) + text


def render_queued_stub(version: str, methods: list[MethodSpec]) -> str:
    """Write the stub of `queued.py`."""
    text = "".join(render_def(method, signatures.QUEUE_OPTIONS, "int") for method in methods if not method.only_asks)
    return render_head(version, "IO, Any, TypeAlias") + QUEUED_CLASS + text


def render_head(version: str, typing: str) -> str:
    """Write what both stubs begin with."""
    return STUB_HEAD.format(version=version, typing=typing, aliases="\n".join(render_alias(name, union) for name, union in ALIASES.items()))


def render_alias(name: str, union: str) -> str:
    """Write a type alias, one type a line where it is long."""
    line = f"{name}: TypeAlias = {union}"
    return line if len(line) <= WIDTH else f"{name}: TypeAlias = (\n    " + union.replace(" | ", "\n    | ") + "\n)"


def render_without_chat(method: MethodSpec) -> str:
    """Write the overload of a method that may leave `chat_id` out, and the mark of the one that follows."""
    others = {name: parameter for name, parameter in method.parameters.items() if name != "chat_id"}
    summary = f"{method.summary.removesuffix('.')}, to the chat of the settings; not in handlers."
    return f"    @overload\n{render_def(replace(method, parameters=others, positional=0, summary=summary))}    @overload\n"


def render_def(method: MethodSpec, options: Iterable[str] | None = None, result: str = "") -> str:
    """Write one method of a stub, laid out as `ruff format` does it; by default with the options and the result of a call that is made at once."""
    words = ["self"]
    by_name_begun = False
    must_follow = True
    for name, written, left_out, by_name in signatures.written_parameters(method, options):
        if by_name and not by_name_begun:
            words.append("*")
            by_name_begun = True
        if not by_name and not left_out and not must_follow:
            raise ReviewError(f"{method.name}: {name} is required and stands behind one that is not")
        must_follow = must_follow and not left_out
        for alias, union in ALIASES.items():
            written = written.replace(union, alias)
        words.append(f"{name}: {written} | None = None" if left_out else f"{name}: {written}")
    head = f"    def {method.python_name}("
    tail = f") -> {result or signatures.result_annotation(method)}:"
    line = head + ", ".join(words) + tail
    if len(line) > WIDTH:
        line = "\n".join([head, *(f"        {word}," for word in words), "    " + tail])
    return f'{line}\n        """{method.summary}"""\n'


def check_conveniences(methods: Iterable[MethodSpec]) -> None:
    """Refuse a convenience that hides a parameter of the API's own (Telegram may add one of that name)."""
    for method in methods:
        if hidden := set(method.conveniences) & set(method.parameters):
            raise ReviewError(f"{method.name}: Telegram now has {', '.join(sorted(hidden))} itself; take it out of the conveniences in table.py")


def main(argv: list[str] | None = None) -> int:
    """Write or check the files; the return value is the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", help="the Bot API as JSON, or its documentation in Markdown: a file, a folder, or a URL")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a committed file is not current")
    arguments = parser.parse_args(argv)
    try:
        spec = api_spec.load(arguments.spec)
        version = str(spec["version"]).removeprefix("Bot API ")
        methods = read_methods(spec, tomllib.loads(REVIEW.read_text(encoding="utf-8")))
        check_conveniences(methods)
        files = {TABLE: render_table(version, methods), STUB: render_stub(version, methods), QUEUED_STUB: render_queued_stub(version, methods)}
    except (ReviewError, api_spec.SpecError) as problem:
        print(f"{REVIEW.name}: {problem}" if isinstance(problem, ReviewError) else problem, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if arguments.check:
            print(f"{path.relative_to(ROOT)} is not current; run scripts/generators/generate_methods.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
