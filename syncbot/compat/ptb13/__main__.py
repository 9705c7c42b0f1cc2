"""`python -m syncbot.compat.ptb13 bot.py`: run a program that was written for python-telegram-bot 13."""

from __future__ import annotations

import sys

from syncbot.compat.ptb13.program import run_program

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m syncbot.compat.ptb13 bot.py [ARGUMENT …]   (syncbot run-ptb13 --help tells more)")
    run_program(sys.argv[1], sys.argv[2:])
