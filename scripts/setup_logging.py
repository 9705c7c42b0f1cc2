#!/usr/bin/env python3
"""Writes a logging set-up for a bot, and a script that monitors the log live.

    scripts/setup_logging.py                          bot_logging.py and watch_log.sh in the working folder, for bot.log
    scripts/setup_logging.py --log /var/log/bot.log --level WARNING --json

In the bot: `from bot_logging import set_up_logging`, then `set_up_logging()` before `app.run()`.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from quickstart import enter

SET_UP = '''"""Logging for a bot, written by scripts/setup_logging.py; change it as you like.

In the bot's script, before it runs:

    from bot_logging import set_up_logging

    set_up_logging()
"""

from syncbot.logs import setup_logging


def set_up_logging() -> None:
    """Log to standard error and to a file that is rotated at 1 MB; no record holds a token or a proxy password."""
    setup_logging({level!r}, file={log!r}, json={json!r}, max_bytes=1_000_000, backups=3)
'''
WATCH = """#!/bin/sh
# Monitors the bot's log live and calls out what is wrong; written by scripts/setup_logging.py. Options of `syncbot monitor` may follow: ./watch_log.sh --once
exec {python} -m syncbot.cli monitor --log-file {log} "$@"
"""


def main() -> int:
    """Write the two files; 73 (EX_CANTCREAT) when one is there already or cannot be written, 78 when the level or the log file is wrong."""
    enter()
    # Only there once `enter` has returned.
    from syncbot import ConfigError
    from syncbot.logs import setup_logging

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write the two files (default: the working folder)")
    parser.add_argument("--log", default="bot.log", help="the log file (default: %(default)s, in that folder)")
    parser.add_argument("--level", default="INFO", help="DEBUG, INFO, WARNING, ERROR or CRITICAL (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="log in JSON, one object a line")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    options = parser.parse_args()
    log = str((options.folder / Path(options.log).expanduser()).absolute())
    try:
        setup_logging(options.level, log, options.json)  # what the written set-up will do: it is tried now, and makes the file that is watched
    except ConfigError as error:
        print(f"setup_logging: {error}", file=sys.stderr)
        return 78
    files = {
        options.folder / "bot_logging.py": (SET_UP.format(level=options.level.upper(), log=log, json=options.json), 0o644),
        options.folder / "watch_log.sh": (WATCH.format(python=shlex.quote(sys.executable), log=shlex.quote(log)), 0o755),
    }
    if (there := [str(path) for path in files if path.exists()]) and not options.force:
        print(f"setup_logging: {there[0]} is there already; --force overwrites it", file=sys.stderr)
        return 73
    try:
        for path, (text, mode) in files.items():
            path.write_text(text, encoding="utf-8")
            path.chmod(mode)
            print(f"Written: {path}")
    except OSError as problem:
        print(f"setup_logging: {problem.filename} cannot be written: {problem.strerror}", file=sys.stderr)
        return 73
    print(f"The bot: from bot_logging import set_up_logging; set_up_logging()\nThe log: {options.folder / 'watch_log.sh'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
