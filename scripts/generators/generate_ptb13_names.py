#!/usr/bin/env python3
"""Write the table of the parameters that python-telegram-bot 13 takes, in their order.

    scripts/generators/generate_ptb13_names.py PYTHON            write the file
    scripts/generators/generate_ptb13_names.py PYTHON --check    only say whether it is current (exit 1 if not)

PYTHON is an interpreter (3.11 at most) in whose environment python-telegram-bot 13.15 is installed. Names of parameters are all that is taken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "syncbot/compat/ptb13/bot/names.txt"

HEAD = """\
# The parameters that python-telegram-bot 13 takes, in their order. Written by scripts/generators/generate_ptb13_names.py; do not edit.
# A line for each: a method of the bot or of an object, or a class; what begins with a space goes on.
"""

# Runs under the other interpreter.
LOOK = r"""
import inspect, warnings
warnings.simplefilter("ignore")
import telegram

def below(kind):
    yield kind
    for one in kind.__subclasses__():
        yield from below(one)

def names(function):
    taken = list(inspect.signature(inspect.unwrap(function)).parameters.values())[1:]
    return [one.name for one in taken if one.kind is not one.VAR_KEYWORD]

kinds = sorted(set(below(telegram.TelegramObject)), key=lambda kind: kind.__name__)
for kind in [telegram.Bot, *(kind for kind in kinds if not issubclass(kind, telegram.Bot))]:
    for name, function in vars(kind).items():
        if name.startswith("_") or name != name.lower() or not inspect.isfunction(function):
            continue
        order = names(function)
        if ("timeout" in order or "api_kwargs" in order) and order[0] not in ("timeout", "api_kwargs"):
            print(f"{kind.__name__}.{name}", *order)
MADE = {
    "ChatPermissions", "ForceReply", "InlineQueryResultArticle", "InlineQueryResultContact", "InlineQueryResultDocument", "InlineQueryResultGif",
    "InlineQueryResultLocation", "InlineQueryResultMpeg4Gif", "InlineQueryResultPhoto", "InlineQueryResultVenue", "InlineQueryResultVideo",
    "InputInvoiceMessageContent", "InputMediaAnimation", "InputMediaAudio", "InputMediaDocument", "InputMediaPhoto", "InputMediaVideo",
    "InputTextMessageContent",
}  # those whose order was another one
for kind in kinds:
    if kind.__name__ in MADE:
        print(kind.__name__, *(name for name in names(kind.__init__) if name not in ("args", "bot")))
"""


def table(python: str) -> str:
    """The text of the file."""
    lines = subprocess.run([python, "-c", LOOK], check=True, capture_output=True, text=True).stdout.splitlines()
    wrapped = ["\n".join(textwrap.wrap(line, 158, subsequent_indent=" ", break_long_words=False)) for line in lines]
    return HEAD + "\n".join(wrapped) + "\n"


def main() -> int:
    """Run as its docstring says."""
    parser = argparse.ArgumentParser(description="Write the table of python-telegram-bot 13's parameters.")
    parser.add_argument("python", help="an interpreter with python-telegram-bot 13.15")
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    options = parser.parse_args()
    text = table(options.python)
    if options.check:
        return int(TABLE.read_text(encoding="utf-8") != text)
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
