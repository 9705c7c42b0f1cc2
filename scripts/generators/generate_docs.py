#!/usr/bin/env python3
"""Writes the tables of the guides from the code: every setting, the options of Bot and Runtime, the exit codes; and the list of further guides in README.md.

    scripts/generators/generate_docs.py           write them
    scripts/generators/generate_docs.py --check   only say whether they are up to date (exit code 1 where not)

A table stands between <!-- begin NAME --> and <!-- end NAME -->; what stands around it is written by hand.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quickstart import ROOT, enter  # found by the line above


def main() -> int:
    """Write or check the tables of every guide that has one."""
    enter()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when something is out of date")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where the guides are (default: docs)")
    options = parser.parse_args()
    made = tables()
    stale = []
    readme = options.folder.parent / "README.md"
    for path in [*sorted(options.folder.glob("*.md")), *([readme] if readme.is_file() else [])]:
        old = path.read_text(encoding="utf-8")
        new = filled(old, made | ({"further guides": _further_guides(old, options.folder)} if path == readme else {}))
        if new != old:
            stale.append(path)
            if not options.check:
                path.write_text(new, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'out of date; run scripts/generators/generate_docs.py' if options.check else 'written'}")
    return 1 if stale and options.check else 0


def tables() -> dict[str, str]:
    """Every table by its name."""
    from syncbot import Bot, Runtime

    return {
        "plain types": _plain_types(),
        "plain fields": _plain_fields(),
        "settings": _settings(),
        "bot": _options(Bot),
        "runtime": _options(Runtime),
        "exit codes": _exit_codes(),
        "errors": _errors(),
        "filters": _filters(),
    }


def filled(text: str, made: dict[str, str]) -> str:
    """A guide with its tables made anew.

    Raises:
        KeyError: it asks for a table that there is not.
    """
    pattern = re.compile(r"(<!-- begin (?P<name>[a-z ]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{made[found['name']]}{found[3]}", text)


def _further_guides(readme: str, folder: Path) -> str:
    """Links to the guides that the rest of README.md does not link to, by their titles."""
    rest = filled(readme, {"further guides": ""})
    paths = [path for path in sorted(folder.glob("*.md")) if f"({folder.name}/{path.name})" not in rest]
    titles = [path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ").strip() for path in paths]
    links = [f"[{title}]({folder.name}/{path.name})" for title, path in zip(titles, paths, strict=True)]
    return f"And: {' · '.join(links)}\n" if links else ""


def _settings() -> str:
    from syncbot.config import SETTINGS

    def default(value: Any) -> str:
        if value is None or value in ("", ()):
            return ""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)

    rows = [
        (f"`{setting.name}`", _prose(setting.description), _code(default(setting.default)), _code(f"{setting.name}={setting.example}")) for setting in SETTINGS
    ]
    return _table(("Setting", "What it does", "Default", "Example"), rows)


def _options(kind: Callable[..., Any]) -> str:
    """The arguments of a class, from its docstring and its signature."""
    described = _arguments(inspect.getdoc(kind) or "")
    parameters = {name: one for name, one in inspect.signature(kind).parameters.items() if one.kind is not one.VAR_KEYWORD}  # that is refused with words
    if set(described) != set(parameters):
        raise ValueError(f"the docstring of {kind.__name__} does not describe its arguments: {set(described) ^ set(parameters)}")
    return _table(("Option", "What it does", "Default"), [(f"`{name}`", _prose(described[name]), _code(_default(parameters[name]))) for name in parameters])


def _arguments(doc: str) -> dict[str, str]:
    """What stands below "Args:", by name."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", doc, re.DOTALL | re.MULTILINE)
    items = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\S|\Z)", section[1] if section else "", re.DOTALL | re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in items}


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return ""
    return f'"{parameter.default}"' if isinstance(parameter.default, str) else repr(parameter.default)


def _exit_codes() -> str:
    from syncbot.cli.console.exits import BY_ERROR, MEANINGS

    by_code = {code: [kind.__name__ for kind, end in BY_ERROR.items() if end is code] for code in MEANINGS}
    rows = [(str(int(code)), _prose(meaning), ", ".join(f"`{name}`" for name in by_code[code])) for code, meaning in MEANINGS.items()]
    return _table(("Exit code", "What it means", "After the errors"), rows)


def _errors() -> str:
    """The error tree as the module draws it."""
    import syncbot.errors

    drawn = re.search(r"```\n.*?```\n", syncbot.errors.__doc__ or "", re.DOTALL)
    assert drawn is not None
    return drawn[0].replace("```\n", "```text\n", 1)


def _filters() -> str:
    """Every filter, and what makes one: what its line in the module says, or the field that it looks for, for those that look for one of their own name."""
    from syncbot import filters

    tree = ast.parse(inspect.getsource(filters))
    constants, fields, functions = [], [], []
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(getattr(filters, name := ast.unparse(node.targets[0]), None), filters.Filter):
            if isinstance(after, ast.Expr):
                constants.append((f"`{name}`", _prose(ast.literal_eval(after.value))))
            elif ast.unparse(node.value) == f"has({name.lower()!r})":
                fields.append(f"`{name}`")
            else:
                raise ValueError(f"filters.{name} has no docstring that says what it wants")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.unparse(node.returns or node) == "Filter":
            described = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
            functions.append((f"`{node.name}({', '.join(_argument_names(node))})`", _prose(described)))
    return _table(("Filter", "Wants"), [*constants, (", ".join(fields), "Messages with the field of this name."), *functions])


def _argument_names(function: ast.FunctionDef) -> list[str]:
    star = [f"*{function.args.vararg.arg}"] if function.args.vararg else []
    return [argument.arg for argument in function.args.args] + star


def _plain_types() -> str:
    """The types that Telegram hands out and the installed python-telegram-bot lacks, and where each stands."""
    import telegram

    from syncbot.plain.objects import type_names

    held: dict[str, list[str]] = {name: [] for name in type_names() if not hasattr(telegram, name)}
    for owner in type_names():
        for field, kinds in _fields_of(owner).items():
            for kind in kinds & set(held):
                held[kind].append(f"`{owner}.{field}`")
    head = f"Type that python-telegram-bot {telegram.__version__} lacks"
    return _table((head, "Where it stands"), [(f"`{name}`", ", ".join(places)) for name, places in held.items()])


def _plain_fields() -> str:
    """The fields that the installed python-telegram-bot's types lack."""
    import telegram

    from syncbot.plain.objects import type_names

    rows = []
    for name in type_names():
        known = _parameters(getattr(telegram, name, None))
        lacking = [field for field in _fields_of(name) if known and field not in known]
        rows += [(f"`{name}`", ", ".join(f"`{field}`" for field in lacking))] if lacking else []
    return _table(("Type", f"Fields that python-telegram-bot {telegram.__version__} lacks"), rows)


def _parameters(kind: Any) -> set[str]:
    """What the constructor of a type takes, and those of the types below it."""
    if kind is None:
        return set()
    own = {name.removesuffix("_").replace("from_user", "from") for name in inspect.signature(kind.__init__).parameters}
    return own.union(*(_parameters(below) for below in kind.__subclasses__()))


def _fields_of(name: str) -> dict[str, set[str]]:
    """The fields of a type, each with the types of the objects in it."""
    found = re.search(rf"^{name}:(.*(?:\n .*)*)", (ROOT / "syncbot/plain/types.txt").read_text(encoding="utf-8"), re.MULTILINE)
    words = found[1].split() if found else []
    return {field: set(kinds.split("|")) for field, _, kinds in (word.partition(":") for word in words)}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _prose(text: str) -> str:
    """A sentence of the code as Markdown: what looks like a tag or like emphasis is shown as it is."""
    outside = re.split(r"(`[^`]*`)", text[:1].upper() + text[1:])
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;").replace("*", r"\*") for part in outside)


if __name__ == "__main__":
    sys.exit(main())
