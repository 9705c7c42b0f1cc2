#!/usr/bin/env python3
"""Write the table of the types that Telegram hands out, and the stub of `syncbot.plain` that shows them to editors and type checkers.

    scripts/generators/generate_types.py SPEC            write the files
    scripts/generators/generate_types.py SPEC --check    only say whether they are current (exit 1 if not)

SPEC is the Bot API as JSON, or the official documentation in Markdown; see `api_spec.py`. Types that are only given to Telegram are left out. One that
comes in several forms (`ChatMember`) is one type here, with the fields of all of them.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from api_spec import SpecError, load  # noqa: E402 - the same

from syncbot.client.api.table import find_method, method_names  # noqa: E402 - the script works in a checkout that is not installed
from syncbot.plain.objects import attribute_of  # noqa: E402 - the same
from syncbot.runtime.handling.reply_table import SHORTCUTS  # noqa: E402 - the same

TABLE = ROOT / "syncbot/plain/types.txt"
STUB = ROOT / "syncbot/plain/__init__.pyi"
SCALARS = {"Integer": "int", "String": "str", "Boolean": "bool", "True": "bool", "Float": "float"}
WIDTH = 160
# In these the forms differ by a field alone that is there or not.
SAME = {"MaybeInaccessibleMessage": "Message"}
# These may be rich, and need not: a plain text, or an array of them, not every specification counts among the forms.
PLAINER = frozenset({"RichText"})

TABLE_HEAD = """\
# The types that Telegram hands out. Written by scripts/generators/generate_types.py for Bot API {version}; do not edit.
# A line per type, longer ones going on after a blank: its name, a colon, and its fields, each with the type of the objects in it, if any.
{lines}
"""

STUB_HEAD = '''\
# Written by scripts/generators/generate_types.py for Bot API {version}; do not edit.
# The same methods hand out other objects than those of syncbot.Bot and syncbot.Context:
# mypy: disable-error-code="assignment, override, misc"
from collections.abc import Callable
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from syncbot.client.bot import Bot as _Bot
from syncbot.runtime.handling.context import Context as _Context
from syncbot.runtime.handling.handlers import PlainDecorator as _Decorator

Decorator = _Decorator

_P = ParamSpec("_P")
_R = TypeVar("_R")

class _Gives(Generic[_R]):
    def __call__(self, method: Callable[Concatenate[Any, _P], object]) -> Callable[Concatenate[Any, _P], _R]: ...

class Object(dict[str, Any]):
    """A JSON object of the Bot API, its fields as attributes too."""

'''

EXTRA = {
    "Update": (
        "effective_message: Final[Message | None]",
        "effective_chat: Final[Chat | None]",
        "effective_user: Final[User | None]",
        "effective_sender: Final[User | Chat | None]",
    ),
    "Message": ("is_accessible: Final[bool]",),
}
"""What the classes in `objects.py` add."""


class Field(NamedTuple):
    """A field of a type: what it holds, in the Bot API's words, and whether it is always there."""

    types: tuple[str, ...]
    required: bool


def read_types(spec: Mapping[str, Any]) -> dict[str, dict[str, Field]]:
    """The types that can come from Telegram, by name, with their fields."""
    reached: dict[str, dict[str, Field]] = {}
    waiting = ["Update", *(kind for method in spec["methods"].values() for kind in method["returns"])]
    while waiting:
        name = inner(waiting.pop())
        if name in reached or name in SCALARS or name not in spec["types"]:
            continue
        reached[name] = fields_of(spec, name)
        waiting += [kind for field in reached[name].values() for kind in field.types]
    return dict(sorted(reached.items()))


def inner(kind: str) -> str:
    """What an array holds in the end."""
    kind = kind.replace("Array of ", "")
    return SAME.get(kind, kind)


def fields_of(spec: Mapping[str, Any], name: str) -> dict[str, Field]:
    """The fields of a type, or of all its forms."""
    forms = [form for form in spec["types"][name].get("subtypes") or [name] if form in spec["types"]]
    found: dict[str, Field] = {}
    for form in forms:
        for field in spec["types"][form].get("fields", []):
            before = found.get(field["name"], Field((), True))
            found[field["name"]] = Field(tuple(dict.fromkeys([*before.types, *field["types"]])), before.required and field["required"])
    everywhere = [{field["name"] for field in spec["types"][form].get("fields", [])} for form in forms]
    return {field: Field(types, required and all(field in names for names in everywhere)) for field, (types, required) in found.items()}


def render_line(name: str, fields: Mapping[str, Field], known: Mapping[str, Any]) -> str:
    """Write one type of the table."""
    words = []
    for field, (types, _) in fields.items():
        kinds = list(dict.fromkeys(inner(kind) for kind in types if inner(kind) in known))
        words.append(field + (":" + "|".join(kinds) if kinds else ""))
    return "\n".join(textwrap.wrap(" ".join([f"{name}:", *words]), WIDTH, subsequent_indent=" ", break_on_hyphens=False))


def render_class(name: str, fields: Mapping[str, Field], spec: Mapping[str, Any]) -> str:
    """Write one class of the stub."""
    rows = [f"    {attribute_of(field)}: Final[{annotation(spec, *what)}]\n" for field, what in fields.items()]
    rows += [f"    {row}\n" for row in EXTRA.get(name, ())]
    return f"class {name}(Object):\n{''.join(rows)}\n" if rows else f"class {name}(Object): ...\n"


def annotation(spec: Mapping[str, Any], types: tuple[str, ...], required: bool) -> str:
    """Write what a field holds."""
    words = list(dict.fromkeys(written(spec, kind) for kind in types))
    return " | ".join(words if required else [*words, "None"])


def written(spec: Mapping[str, Any], kind: str) -> str:
    """Write a type."""
    if kind.startswith("Array of "):
        return f"list[{written(spec, kind.removeprefix('Array of '))}]"
    kind = SAME.get(kind, kind)
    if kind in SCALARS or kind not in spec["types"]:
        return SCALARS.get(kind, "Any")
    return f"str | list[Any] | {kind}" if kind in PLAINER else kind


def hands_out(returns: tuple[str, ...]) -> bool:
    """Whether a method hands out objects."""
    return not set(map(inner, returns)) <= set(SCALARS)


def render_methods(spec: Mapping[str, Any]) -> str:
    """Write the classes whose methods hand out these types; the others are as they were."""
    methods = [found for name in method_names() if (found := find_method(name)) is not None]
    bot = [
        f"    {method.python_name} = _Gives[{annotation(spec, method.returns, True)}]()(_Bot.{method.python_name})\n"
        for method in methods
        if hands_out(method.returns)
    ]
    replies = [
        f"    {name} = _Gives[{annotation(spec, shortcut.spec.returns, True)}]()(_Context.{name})\n"
        for name, shortcut in SHORTCUTS.items()
        if hands_out(shortcut.spec.returns)
    ]
    return (
        'class Bot(_Bot):\n    """A bot whose methods hand out plain objects, and that loads no telegram."""\n\n'
        + "".join(bot)
        + "    def send_long(self, chat_id: int | str, text: str, parse_mode: str | None = None, **options: Any) -> list[Message]: ...\n"
        + '\nclass Context(_Context):\n    """What a handler gets beside a plain update."""\n\n    bot: Bot\n'
        + "    update: Final[Update]\n    message: Final[Message]\n    album: Final[list[Message]]\n    ask = _Gives[Message]()(_Context.ask)\n"
        + "".join(replies)
    )


def render(spec: Mapping[str, Any]) -> dict[Path, str]:
    """The text of each file."""
    version = str(spec["version"]).removeprefix("Bot API ")
    types = read_types(spec)
    lines = "\n".join(render_line(name, fields, types) for name, fields in types.items())
    classes = ""
    for name, fields in types.items():
        written_class = render_class(name, fields, spec)
        apart = "\n" if classes.endswith("...\n") and not written_class.endswith("...\n") else ""
        classes += apart + written_class
    return {
        TABLE: TABLE_HEAD.format(version=version, lines=lines),
        STUB: STUB_HEAD.format(version=version) + classes + render_methods(spec),
    }


def main(argv: list[str] | None = None) -> int:
    """Write or check the files; the return value is the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", help="the Bot API as JSON, or its documentation in Markdown: a file, a folder, or a URL")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a committed file is not current")
    arguments = parser.parse_args(argv)
    try:
        files = render(load(arguments.spec))
    except SpecError as problem:
        print(problem, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if arguments.check:
            print(f"{path.relative_to(ROOT)} is not current; run scripts/generators/generate_types.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
