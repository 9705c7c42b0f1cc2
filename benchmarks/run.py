"""All benchmarks: tables on the terminal, and a picture of each. Needs no internet; the real proxies have to be installed.

    pip install 'syncbot[bench]'
    python benchmarks/run.py [--quick] [--only per_call,faults] [--pictures FOLDER] [--page FILE]

What is not installed is left out, with a word about it; so are the pictures without matplotlib.
About half an hour; `--quick` takes about five minutes, and its figures are rough.
"""

from __future__ import annotations

import argparse
import os
import platform
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot_throughput import bot_throughput
from cold import cold_start
from draw import draw
from faults import IDLE_CALLS, QUICK, QUICK_IDLE_CALLS, faults
from idle_memory import idle_memory
from kit import Table, clean_environment
from per_call import long_way, per_call
from real_proxies import real_proxies
from round_trips import (
    FIRST_CALLS,
    QUICK_CALLS,
    QUICK_FIRST_CALLS,
    QUICK_QUIET_SECONDS,
    QUICK_TALK,
    QUIET_SECONDS,
    Calls,
    Talk,
    conversation,
    first_call,
    quiet_bot,
    round_trips,
)
from threads import COUNTS, threads
from webhook import webhook

_PEERS = ("requests", "urllib3", "pyTelegramBotAPI", "python-telegram-bot", "httpx", "aiogram")


def benchmarks(quick: bool) -> dict[str, Callable[[], Table]]:
    """Every benchmark by name, with its length."""
    return {
        "round_trips": lambda: round_trips(QUICK_CALLS if quick else Calls()),
        "first_call": lambda: first_call(QUICK_FIRST_CALLS if quick else FIRST_CALLS),
        "conversation": lambda: conversation(QUICK_TALK if quick else Talk()),
        "quiet_bot": lambda: quiet_bot(QUICK_QUIET_SECONDS if quick else QUIET_SECONDS),
        "per_call": lambda: per_call(60 if quick else 400),
        "long_way": lambda: long_way(15 if quick else 60),
        "real_proxies": lambda: real_proxies(40 if quick else 200),
        "threads": lambda: threads(100 if quick else 400, (1, 8, 32) if quick else COUNTS),
        "cold_start": lambda: cold_start(3 if quick else 15),
        "idle_memory": lambda: idle_memory(1 if quick else 3),
        "throughput": lambda: bot_throughput(1000 if quick else 10_000, 1 if quick else 3),
        "webhook": lambda: webhook(300 if quick else 3000, 1 if quick else 5),
        "faults": lambda: faults(40 if quick else 200, QUICK if quick else None, QUICK_IDLE_CALLS if quick else IDLE_CALLS),
    }


def what_was_run() -> str:
    """Versions, in a sentence."""
    return f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION.rsplit(' ', 3)[0]}, syncbot {version('syncbot')}, {', '.join(map(_peer, _PEERS))}"


def _peer(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is not installed"


def around(page: Path, name: str) -> tuple[str, str]:
    """What stands before and behind a table's place in a page, the marks included; raises ValueError where the page has no place for it."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no {begin} … {end}")
    return before + begin, end + after


def put_into(page: Path, table: Table, picture: Path | None) -> None:
    """Replace what stands at the table's place in a page."""
    before, after = around(page, table.name)
    image = f"![{table.title}]({os.path.relpath(picture, page.parent)})\n\n" if picture else ""
    shown = f"**{table.title}** ({what_was_run()})\n\n{image}{table.markdown()}\n\n{table.note}"
    page.write_text(f"{before}\n{shown.strip()}\n{after}", encoding="utf-8")


def drawn(table: Table, folder: Path) -> Path | None:
    """The picture's file; None without matplotlib."""
    try:
        return draw(table, folder)
    except ModuleNotFoundError as missing:
        if missing.name != "matplotlib":
            raise
        return None


def main(argv: Sequence[str]) -> int:
    """Measure, print, draw; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs, rough figures")
    parser.add_argument("--only", default="", help=f"some of them, with commas between: {', '.join(benchmarks(True))}")
    parser.add_argument("--pictures", type=Path, default=Path("benchmarks/pictures"), help="the folder for pictures (default: benchmarks/pictures)")
    parser.add_argument("--page", type=Path, help="put the tables into this page, each between <!-- NAME --> and <!-- /NAME -->")
    options = parser.parse_args(argv)
    all_of_them = benchmarks(options.quick)
    wanted = options.only.split(",") if options.only else list(all_of_them)
    if unknown := set(wanted) - set(all_of_them):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    if options.page is not None:
        try:
            for name in wanted:  # now, and not after minutes of measuring
                around(options.page, name)
        except (OSError, ValueError) as problem:
            parser.error(str(problem))
    clean_environment()
    options.pictures.mkdir(parents=True, exist_ok=True)
    print(what_was_run(), flush=True)
    for name in wanted:
        began = time.monotonic()
        table = all_of_them[name]()
        seconds, picture = time.monotonic() - began, drawn(table, options.pictures)
        print(f"\n{table.text()}({seconds:.0f} s; {picture or 'no picture, since matplotlib is not installed'})", flush=True)
        if options.page is not None:
            put_into(options.page, table, picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
