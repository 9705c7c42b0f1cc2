#!/usr/bin/env python3
"""Watches a running bot: a live view on a terminal, lines elsewhere. Everything is `syncbot monitor`; its options may follow.

scripts/monitor_bot.py                      the bot of the settings that are found
scripts/monitor_bot.py --log-file bot.log   a log file
scripts/monitor_bot.py --once               one look, for cron
"""

from __future__ import annotations

import sys

from quickstart import enter


def main() -> int:
    """Run `syncbot monitor` with the arguments of this script."""
    enter()
    from syncbot.cli import run  # only there once `enter` has returned

    return run(["monitor", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
