"""Runs a bot's script as `python SCRIPT [ARG …]` does, but ends with the exit code of what it failed with: docs/exit-codes.md."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from syncbot.cli.console.exits import exit_for
from syncbot.errors import SyncBotError
from syncbot.logs import guard


def main() -> int:
    """Run the script that the command line names."""
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SyncBotError as error:
        sys.stderr.write(guard().traceback(error))
        return int(exit_for(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
